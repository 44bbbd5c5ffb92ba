# SPDX-License-Identifier: BSD-3-Clause
"""Two Linux guests and a tap on Open vSwitch, whose ports to the guests are the back-end driver's."""
import contextlib
import re
import time

import pytest
from guest.lab import HOST, configure_card, ipv4, ipv6, ping, ping_until, same_file, serve_iperf, tcp

from lib.ovs import BRIDGE, OvsError
from lib.patience import Deadline

from .lab import OvsLab

VLAN = 7


@pytest.fixture(scope="module", name="opened")
def fixture_opened():
    labs = []
    yield labs
    for lab in labs:
        lab.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def show_logs(opened, log_sources):
    """Show the logs of the lab with a failed test."""
    log_sources.append(lambda: [log for lab in opened for log in lab.logs()])


@pytest.fixture(scope="module")
def lab(opened):
    opened.append(OvsLab())
    lab = opened[0].__enter__()
    for number in (1, 2):
        lab.guest(number, vcpus=2)
    for number in (1, 2):
        serve_iperf(lab.configure(number))
    serve_iperf(lab.netns)
    return lab


@contextlib.contextmanager
def traffic(lab):
    """TCP both ways between the guests meanwhile; whether it survives is for the test to say."""
    lab.guests[2].run("iperf3 -s -D -p 5202")
    job = lab.guests[1].spawn(f"while :; do iperf3 -p 5202 -c {ipv4(2)} -t 5 --bidir --connect-timeout 1000; sleep 0.2; "
                              "done")
    time.sleep(1)
    try:
        yield
    finally:
        job.kill()
        lab.guests[2].run("pkill -f 'iperf3 -s -D -p 5202'", check=False)


def everything(lab):
    """Ping and TCP both ways between the guests, and between a guest and the tap."""
    one = lab.guests[1]
    for there in (ipv4(2), ipv6(2), ipv4(HOST)):
        ping(one, there)
        tcp(one, there)
        tcp(one, there, options="-R")


def test_what_the_switch_knows(lab):
    for number in (1, 2):
        name = f"vm{number}"
        assert lab.ovs.interface(name)["status"]["driver_name"] == "net_vmxnet3_host"
        assert lab.ovs.interface(name)["mtu"] == 1500
        # It looks from time to time.
        lab.ovs.wait_for(lambda: lab.ovs.interface(name)["link_state"] == "up", f"{name} is up")
    assert lab.ovs.polled() == [("vm1", 0), ("vm2", 0)]
    assert "driver: vmxnet3" in lab.guests[1].run("ethtool -i eth0")


def test_ping(lab):
    one = lab.guests[1]
    for there in (ipv4(2), ipv6(2), ipv4(HOST), ipv6(HOST)):
        ping(one, there)
        ping(one, there, size=1500 - (48 if ":" in there else 28), df=True)
    before = lab.statistics(2)
    ping(one, ipv4(2), count=20)

    def arrived():
        after = lab.statistics(2)
        return all(after.get(key, 0) >= before.get(key, 0) + 20 for key in ("rx_packets", "tx_packets"))

    lab.ovs.wait_for(arrived, "20 more packets each way")


def test_streams_with_all_offloads(lab):
    """The guests' checksums are left out and their segments up to 64 KB; the switch and its tap know neither."""
    one, two = lab.guests[1], lab.guests[2]
    for guest in (one, two):
        features = guest.run("ethtool -k eth0")
        for feature in ("tx-checksum-ip-generic", "tcp-segmentation-offload", "tx-tcp6-segmentation",
                        "rx-checksumming", "large-receive-offload", "tx-vlan-offload", "rx-vlan-offload"):
            assert re.search(rf"{feature}: on", features), features
    everything(lab)
    for address in (ipv4(2), ipv6(2)):
        same_file(one, two, address)
        same_file(lab.netns, two, address)
    same_file(two, one, ipv4(1))


def test_vlan_devices_of_the_guests(lab):
    """Tags that the guests' cards insert and strip."""
    for number in (1, 2):
        lab.guests[number].run(f"ip link add link eth0 name v9 type vlan id 9; ip addr add 10.9.9.{number}/24 dev v9; "
                               "ip link set v9 up")
    try:
        ping(lab.guests[1], "10.9.9.2", size=1472, df=True)
        tcp(lab.guests[1], "10.9.9.2")
        tcp(lab.guests[1], "10.9.9.2", options="-R")
    finally:
        for number in (1, 2):
            lab.guests[number].run("ip link del v9")


@pytest.fixture
def pushed(lab):
    """Flows that put what machine 1 sends into a VLAN, and take what comes for it out of it. Machine 2 has a VLAN device;
    the tap gets a copy."""
    flows = [f"priority=100,in_port=vm1,actions=push_vlan:0x8100,set_field:{4096 + VLAN}->vlan_vid,output:vm2,"
             "output:LOCAL",
             f"priority=100,in_port=vm2,dl_vlan={VLAN},actions=output:LOCAL,pop_vlan,output:vm1"]
    try:
        for flow in flows:
            lab.ovs.ofctl("add-flow", flow)
        lab.guests[1].run("ip addr add 10.9.7.1/24 dev eth0")
        lab.guests[2].run(f"ip link add link eth0 name v7 type vlan id {VLAN}; ip link set v7 up; "
                          "ip addr add 10.9.7.2/24 dev v7")
        yield
        lab.guests[1].run("ip addr del 10.9.7.1/24 dev eth0")
        lab.guests[2].run("ip link del v7")
    finally:
        for flow in flows:
            lab.ovs.ofctl("del-flows", flow.split(",actions")[0], options=["--strict"])


def test_vlan_pushed_by_a_flow(lab, pushed):
    one, two = lab.guests[1], lab.guests[2]
    for size in (56, 1472):
        ping(one, "10.9.7.2", size=size, df=True)
    with capture(lab, f"vlan {VLAN} and icmp", 8) as lines:
        ping(one, "10.9.7.2", count=4)
    said = "\n".join(lines)
    assert said.count("echo request") == 4 and said.count("echo reply") == 4, said
    assert said.count(f"vlan {VLAN}, ") == 8, said
    tcp(one, "10.9.7.2")
    tcp(one, "10.9.7.2", options="-R")
    same_file(one, two, "10.9.7.2")
    same_file(two, one, "10.9.7.1")


@contextlib.contextmanager
def capture(lab, expression, frames):
    """The lines that tcpdump prints of the first so many frames at the tap that match."""
    lines, out, err = [], lab.ovs.dir / "capture", lab.ovs.dir / "tcpdump"
    with out.open("w") as stdout, err.open("w") as stderr:
        process = lab.netns.spawn(["tcpdump", "-c", str(frames), "-nel", "--immediate-mode", "-i", BRIDGE, expression],
                                  stdout=stdout, stderr=stderr)
    Deadline(20, process.pid).wait_for(lambda: "listening" in err.read_text(), "tcpdump listens")
    yield lines
    try:
        process.wait(30)
    finally:
        lines += out.read_text().splitlines()


def test_no_frame_was_wrong(lab):
    """So far all MTUs are equal: nothing may have been too long, or carried what the switch cannot do."""
    for number in (1, 2):
        counters = lab.statistics(number)
        assert counters["rx_packets"] and counters["tx_packets"]
        for name in ("rx_errors", "rx_mbuf_allocation_errors", "ovs_tx_invalid_hwol_drops", "ovs_tx_mtu_exceeded_drops"):
            assert name not in counters, counters


def set_mtu(lab, mtu):
    """Of the ports, while traffic runs, then of the guests and the tap."""
    with traffic(lab):
        for number in (1, 2):
            lab.ovs.set_interface(f"vm{number}", mtu_request=mtu)
            assert lab.ovs.interface(f"vm{number}")["mtu"] == mtu
        # A card that lost its connection would not come back: QEMU does not connect again.
        ping_until(lab.guests[1], ipv4(2))
    lab.ovs.set_interface(BRIDGE, mtu_request=mtu)
    for number in (1, 2):
        configure_card(lab.guests[number], number, mtu=mtu)


def test_mtu_changes_under_traffic(lab):
    try:
        set_mtu(lab, 9000)
        for there in (ipv4(2), ipv6(2), ipv4(HOST)):
            ping(lab.guests[1], there, size=9000 - (48 if ":" in there else 28), df=True)
        everything(lab)
    finally:
        set_mtu(lab, 1500)
    ping(lab.guests[1], ipv4(2), size=1472, df=True)
    tcp(lab.guests[1], ipv4(2))


@pytest.mark.parametrize("queues", [2, 4])
def test_queues_change_under_traffic(lab, queues):
    """As many as the guests have, and more."""
    for count in (queues, 1):
        with traffic(lab):
            for number in (1, 2):
                lab.ovs.set_interface(f"vm{number}", options__n_rxq=count)
            assert lab.ovs.polled() == [(f"vm{number}", queue) for number in (1, 2) for queue in range(count)]
            ping_until(lab.guests[1], ipv4(2))
        ping(lab.guests[1], ipv4(HOST))
        tcp(lab.guests[1], ipv4(2))
        tcp(lab.guests[1], ipv4(2), options="-R")


def test_one_queue_polled_of_two_used(lab):
    """What a guest sends on any of its queues arrives, though the switch polls fewer."""
    assert lab.ovs.polled() == [("vm1", 0), ("vm2", 0)]
    one = lab.guests[1]
    for cpu in (0, 1):  # the kernel picks the queue by the CPU
        one.run(f"for i in $(seq 5); do taskset -c {cpu} ping -n -q -c 1 -W 20 {ipv4(2)} >/dev/null || exit 1; done")
    used = [int(sent) for sent in re.findall(r"ucast pkts tx: (\d+)", one.run("ethtool -S eth0"))]
    assert len(used) == 2 and all(used), used


def test_delete_and_add_a_port(lab):
    """Only its own socket ends. QEMU does not connect again: another machine takes the new one."""
    out = lab.ovs.dir / "bystander"
    pings = lab.netns.spawn(["ping", "-n", "-i", "0.1", ipv4(1)], stdout=out.open("w"))
    lab.ovs.del_port("vm2")
    assert not lab.socket(2).exists() and lab.socket(1).exists()
    assert lab.guests[2].run("cat /proc/uptime")  # without its card
    lab.guests[2].close()
    lab.add_port(2)
    assert lab.socket(2).exists()
    lab.guest(2, vcpus=2)
    serve_iperf(lab.configure(2))
    everything(lab)

    def answered():
        return {int(seq) for seq in re.findall(r"icmp_seq=(\d+) ttl", out.read_text())}

    mark = max(answered()) + 3
    Deadline(30, pings.pid, lab.ovs.pid, lab.guests[1].pid).wait_for(lambda: max(answered()) >= mark, "more answers")
    pings.kill()
    missing = set(range(1, mark)) - answered()
    assert not missing, f"lost by machine 1 meanwhile: {sorted(missing)}"


def test_the_switch_complained_of_nothing(lab):
    """In its log."""
    wrong = [line for line in lab.ovs.log().splitlines() if re.search(r"\|(ERR|EMER)\|", line)]
    assert not wrong, wrong


def test_wrong_arguments_are_refused(lab):
    """With a sentence in the switch's log; the port can be added rightly afterwards, and the others do not notice."""
    with pytest.raises(OvsError, match="Error attaching device"):
        lab.ovs.add_port("vm3", "dpdk", dpdk_devargs=f"net_vmxnet3_host3,path={lab.socket(3)},queues=0")
    assert "queues=0" in lab.ovs.log() and "1 to 32" in lab.ovs.log()
    lab.ovs.del_port("vm3")
    lab.add_port(3)
    assert lab.socket(3).exists()
    lab.ovs.del_port("vm3")
    assert not lab.socket(3).exists()
    ping(lab.guests[1], ipv4(2))
