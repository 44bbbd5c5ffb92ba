# SPDX-License-Identifier: BSD-3-Clause
"""Things that happen to cards in use. Afterwards traffic flows again, the daemon holds what it held before, and a
bystander on the same bridge has lost nothing."""
import re
import time

import pytest
from lab import HOST, ipv4, ping, ping_until, serve_iperf, tcp
from lib.patience import Deadline

BYSTANDER = 3


@pytest.fixture(scope="module")
def lab(open_lab):
    lab = open_lab(ports=3)
    for number in (1, 2, BYSTANDER):
        lab.guest(number, boot=False)
    for number in (1, 2, BYSTANDER):
        lab.configure(number)
    serve_iperf(lab.netns)
    serve_iperf(lab.guests[2])
    tcp(lab.guests[1], ipv4(2))
    return lab


class Bystander:
    """Pings machine 3 from the host, ten times a second, and knows which answers came."""

    def __init__(self, lab):
        self.out = lab.daemon.dir / "bystander"
        self.process = lab.netns.spawn(["ping", "-n", "-i", "0.1", ipv4(BYSTANDER)], stdout=open(self.out, "w"))
        self.pids = self.process.pid, lab.guests[BYSTANDER].pid, lab.daemon.pid

    def answered(self):
        return {int(seq) for seq in re.findall(r"icmp_seq=(\d+) ttl", self.out.read_text())}

    def finish(self):
        """All that was sent until now must be answered, however late on a busy machine: none may be missing."""
        mark = max(self.answered(), default=0) + 3
        Deadline(30, *self.pids).wait_for(lambda: max(self.answered(), default=0) >= mark, "the bystander's answers")
        self.process.kill()
        missing = set(range(1, mark)) - self.answered()
        assert not missing, f"lost by the bystander: {sorted(missing)}"


@pytest.fixture
def bystander(lab):
    """Machine 3 is left alone: it must lose nothing, and in the end the daemon must hold what it held before."""
    before = lab.daemon.stats()
    pings = Bystander(lab)
    yield
    pings.finish()
    Deadline(20, lab.daemon.pid).wait_for(lambda: lab.daemon.stats().fds == before.fds,
                                          f"{before.fds} open descriptors, as before")
    after = lab.daemon.stats()
    assert after.anon_kib <= before.anon_kib + 2048, (before, after)


@pytest.fixture
def load(lab):
    """Traffic from machine 1 to machine 2 while the test runs; its own loss does not matter."""
    lab.guests[2].run("iperf3 -s -D -p 5202")  # a server has one client at a time; the tests have theirs
    job = lab.guests[1].spawn(f"while :; do iperf3 -p 5202 -c {ipv4(2)} -t 5 --connect-timeout 1000; sleep 0.2; done")
    time.sleep(1)
    yield
    job.kill()
    lab.guests[2].run("pkill -f 'iperf3 -s -D -p 5202'", check=False)


def flows_again(lab):
    ping_until(lab.guests[1], ipv4(2))
    serve_iperf(lab.guests[2])
    tcp(lab.guests[1], ipv4(2))
    tcp(lab.guests[1], ipv4(HOST), options="-R")


def test_link_down_and_up_50_times(lab, bystander, load):
    for _ in range(50):
        lab.ctl.text("port", "set", "vm1", "link", "down")
        lab.ctl.text("port", "set", "vm1", "link", "up")
    lab.ctl.text("port", "set", "vm1", "link", "down")
    lab.guests[1].run("for i in $(seq 50); do grep -q 0 /sys/class/net/eth0/carrier && exit 0; sleep 0.1; done; exit 1")
    lab.ctl.text("port", "set", "vm1", "link", "up")
    lab.guests[1].run("for i in $(seq 50); do grep -q 1 /sys/class/net/eth0/carrier && exit 0; sleep 0.1; done; exit 1")
    flows_again(lab)


def test_module_reload_20_times(lab, bystander):
    lab.guests[2].run("for i in $(seq 20); do rmmod vmxnet3 && modprobe vmxnet3 && ip link set eth0 up || exit 1; done",
                      timeout=240)
    lab.configure(2)
    flows_again(lab)


def test_mtu_change(lab, bystander, load):
    for mtu in (9000, 1500, 4000, 1500):
        lab.guests[2].run(f"ip link set eth0 mtu {mtu}")
    flows_again(lab)


def test_ring_sizes(lab, bystander, load):
    for rx, tx in ((256, 256), (4096, 4096), (32, 32), (1024, 512)):
        lab.guests[2].run(f"ethtool -G eth0 rx {rx} tx {tx}")
        ping_until(lab.guests[1], ipv4(2))
    flows_again(lab)


def test_guest_reboots(lab, bystander, load):
    lab.guests[2].reboot()
    lab.configure(2, boots=lab.guests[2].agent.boots)
    flows_again(lab)


def test_qemu_killed_and_started_again(lab, bystander, load):
    lab.guests[2].kill9()
    lab.wait_port("vm2", attached=False)
    lab.guests[2].start()
    lab.configure(2)
    flows_again(lab)


def test_detach_and_attach(lab, bystander, load):
    for _ in range(5):
        lab.ctl.text("bridge", "detach", "br0", "vm2")
        time.sleep(0.1)
        lab.ctl.text("bridge", "attach", "br0", "vm2")
    assert lab.port("vm2")["attached"]
    flows_again(lab)


def test_ports_come_and_go_under_traffic(lab, bystander, load):
    for number in range(10):
        lab.ctl.text("port", "add", f"extra{number}", "device", "--socket", lab.daemon.dir / f"x{number}.sock")
        lab.ctl.text("bridge", "attach", "br0", f"extra{number}")
    for number in range(10):
        lab.ctl.text("port", "del", f"extra{number}")
    flows_again(lab)


def test_deleting_a_card_in_use_needs_force(lab):
    """The last one: machine 2 has no card any more."""
    with pytest.raises(RuntimeError, match="--force"):
        lab.ctl.text("port", "del", "vm2")
    ping(lab.guests[1], ipv4(2))
    lab.ctl.text("port", "del", "vm2", "--force")
    assert "vm2" not in [row["name"] for row in lab.ctl.json("port", "list")]
    # QEMU and its guest live on; the name can be used again.
    assert lab.guests[2].run("cat /proc/uptime")
    lab.ctl.text("port", "add", "vm2", "device", "--socket", lab.daemon.socket("vm2"))
    ping(lab.guests[1], ipv4(HOST))
    lab.guests[2].console_log.write_text("")
