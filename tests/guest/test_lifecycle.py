# SPDX-License-Identifier: BSD-3-Clause
"""Things that happen to cards in use. Afterwards traffic flows again, the daemon holds what it held before, and a
bystander on the same bridge has lost nothing."""
import re
import time

import pytest
from lab import HOST, Lab, ipv4, ping, ping_until, serve_iperf, tcp

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


@pytest.fixture
def bystander(lab):
    """The host pings machine 3 throughout, ten times a second: no packet may be lost, and the daemon's memory and
    descriptors must be back where they were at the end."""
    before = lab.daemon.stats()
    process = lab.netns.spawn(["ping", "-n", "-q", "-i", "0.1", "-W", "20", ipv4(BYSTANDER)],
                              stdout=-1, stderr=-2, text=True)
    yield
    time.sleep(1)
    process.send_signal(2)
    out = process.communicate(timeout=60)[0]
    sent, received = map(int, re.search(r"(\d+) packets transmitted, (\d+) received", out).groups())
    # The last packet may be on its way when ping is told to stop.
    assert sent >= 5 and received >= sent - 1, out
    deadline = time.monotonic() + 20
    while lab.daemon.stats().fds != before.fds and time.monotonic() < deadline:
        time.sleep(0.2)
    after = lab.daemon.stats()
    assert after.fds == before.fds
    assert after.rss_kib <= before.rss_kib + 4096, (before, after)


@pytest.fixture
def load(lab):
    """Traffic from machine 1 to machine 2 while the test runs; its own loss does not matter."""
    job = lab.guests[1].spawn(f"while :; do iperf3 -c {ipv4(2)} -t 5 --connect-timeout 1000; sleep 0.2; done")
    time.sleep(1)
    yield
    try:
        job.kill()
    except RuntimeError:
        pass  # the machine has been started over in the meantime


def flows_again(lab):
    ping_until(lab.guests[1], ipv4(2))
    serve_iperf(lab.guests[2])
    tcp(lab.guests[1], ipv4(2), seconds=1)
    tcp(lab.guests[1], ipv4(HOST), seconds=1, options="-R")


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


def test_deleting_a_card_in_use_needs_force(log_sources):
    with Lab(ports=2) as lab:
        log_sources.append(lab.logs)
        lab.guest(1)
        with pytest.raises(RuntimeError, match="--force"):
            lab.ctl.text("port", "del", "vm1")
        ping(lab.guests[1], ipv4(HOST))
        lab.ctl.text("port", "del", "vm1", "--force")
        assert "vm1" not in [row["name"] for row in lab.ctl.json("port", "list")]
        # The card is dead, QEMU and its guest live on; the name can be used again.
        assert lab.guests[1].run("cat /proc/uptime")
        lab.ctl.text("port", "add", "vm1", "device", "--socket", lab.daemon.socket("vm1"))
        lab.guests[1].console_log.write_text("")


def test_channels_change_under_traffic(log_sources):
    """ethtool -L where the driver has it; else the module is loaded with another number of queues."""
    with Lab(ports=1) as lab:
        log_sources.append(lab.logs)
        guest = lab.guest(1, vcpus=4)
        serve_iperf(lab.netns)
        job = guest.spawn(f"iperf3 -c {ipv4(HOST)} -t 4")
        time.sleep(1)
        if "Operation not supported" in guest.run("ethtool -L eth0 combined 2 2>&1", check=False):
            guest.run("rmmod vmxnet3; echo 0-1 >/dev/null; modprobe vmxnet3; ip link set eth0 up")
        job.kill()
        lab.configure(1)
        tcp(guest, ipv4(HOST))
