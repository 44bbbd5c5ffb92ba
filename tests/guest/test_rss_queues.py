# SPDX-License-Identifier: BSD-3-Clause
"""A guest with eight receive queues: which flow goes where, and that a neighbour loses nothing while their number changes."""
import random
import re
import socket
import time

import pytest
from lab import HOST, ipv4, mac, serve_iperf, tcp
from lib.netns import in_netns
from lib.patience import Deadline
from scapy.all import IP, TCP, UDP, Ether, raw  # pylint: disable=no-name-in-module

QUEUES = 8
FLOWS = 16384
# So many packets in one go do not overrun a queue of an emulated guest.
BATCH = 512
MANY, NEIGHBOUR = 1, 2


@pytest.fixture(name="lab", scope="module")
def fixture_lab(open_lab):
    """Machine 1 has eight CPUs and so eight queues; machine 2 is its neighbour."""
    lab = open_lab(ports=2, port={"max-queues": QUEUES})
    lab.guest(MANY, vcpus=QUEUES, mem="512M", boot=False)
    lab.guest(NEIGHBOUR, boot=False)
    for number in (MANY, NEIGHBOUR):
        lab.configure(number)
    # The packets below are for nobody; their answers would only cost time.
    lab.guests[MANY].run("sysctl -qw net.ipv4.icmp_ratelimit=100000 net.ipv4.conf.eth0.rp_filter=0")
    return lab


def per_queue(guest):
    """Packets that came for each receive queue, those included that found no room in its ring."""
    text = guest.run("ethtool -S eth0")
    got, lost = (re.findall(rf"^\s+{name}:\s+(\d+)", text, re.MULTILINE) for name in ("ucast pkts rx", "pkts rx OOB"))
    return [int(one) + int(other) for one, other in zip(got, lost)]


def send_flows(lab, protocol, flows=FLOWS):
    """One packet of each of many flows from the host's end of the uplink; returns how many came to each queue."""
    head = Ether(dst=mac(MANY), src="02:00:00:00:00:fe") / IP(src=ipv4(HOST), dst=ipv4(MANY), ttl=1)
    # UDP without a checksum, TCP with a wrong one: the kernel ends its work there.
    first = raw(head / (UDP(sport=0, dport=9, chksum=0) / bytes(18) if protocol == "udp" else TCP(sport=0, dport=9, flags="A", chksum=1)))
    # Both ports vary: the hash is linear, and with few bits that vary the guest's key may be one that does not spread them.
    chosen = random.Random(7)
    ports = [chosen.randrange(1 << 32).to_bytes(4, "big") for _ in range(flows)]
    frames = [first[:34] + port + first[38:] for port in ports]
    before = per_queue(lab.guests[MANY])

    def send():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind((lab.host, 0))
            for start in range(0, flows, BATCH):
                for frame in frames[start:start + BATCH]:
                    sock.send(frame)
                time.sleep(0.03)

    in_netns(lab.netns, send)
    moved = []

    def arrived():
        moved[:] = [after - was for was, after in zip(before, per_queue(lab.guests[MANY]))]
        return sum(moved) >= flows

    Deadline(60, lab.daemon.pid).wait_for(arrived, f"{flows} packets of {protocol}", interval=0.3)
    return moved


def is_even(moved, share, tolerance=0.1):
    return all(abs(count - share) <= share * tolerance for count in moved)


def test_as_many_queues_as_cpus(lab):
    assert lab.port("vm1")["queues"] == {"tx": QUEUES, "rx": QUEUES}


def test_tcp_flows_spread_and_stay(lab):
    one = send_flows(lab, "tcp")
    assert is_even(one, FLOWS / QUEUES), one
    # A few packets of the guest's own may come between.
    other = send_flows(lab, "tcp")
    assert all(abs(a - b) <= 20 for a, b in zip(one, other)), (one, other)


def test_fields_of_udp_flows(lab):
    """By addresses alone all of a host's datagrams go one way; by ports as well they spread."""
    guest = lab.guests[MANY]
    guest.run("ethtool -N eth0 rx-flow-hash udp4 sd")
    assert max(send_flows(lab, "udp", 2048)) >= 2048
    guest.run("ethtool -N eth0 rx-flow-hash udp4 sdfn")
    assert "L4 bytes 0 & 1" in guest.run("ethtool -n eth0 rx-flow-hash udp4")
    one = send_flows(lab, "udp")
    assert is_even(one, FLOWS / QUEUES), one
    guest.run("ethtool -N eth0 rx-flow-hash udp4 sd")
    assert max(send_flows(lab, "udp", 2048)) >= 2048


def test_table(lab):
    guest = lab.guests[MANY]
    guest.run("ethtool -X eth0 equal 2")
    moved = send_flows(lab, "tcp")
    assert is_even(moved[:2], FLOWS / 2) and sum(moved[2:]) <= 20, moved
    guest.run("ethtool -X eth0 weight 0 1 0 0 0 3 0 0")
    moved = send_flows(lab, "tcp")
    assert is_even(moved[1:2], FLOWS / 4) and is_even(moved[5:6], 3 * FLOWS / 4), moved
    guest.run("ethtool -X eth0 default")
    moved = send_flows(lab, "tcp")
    assert is_even(moved, FLOWS / QUEUES), moved


def test_queues_change_while_a_neighbour_works(lab):
    """The driver is loaded for other numbers of CPUs, again and again. The neighbour's pings all come back, its files arrive as
    they are, and traffic with the changed machine flows each time."""
    guest, neighbour, served = lab.guests[MANY], lab.guests[NEIGHBOUR], lab.daemon.dir / "www"
    lab.netns.run(f"mkdir {served}; head -c 2000000 /dev/urandom >{served}/file; busybox httpd -p 8080 -h {served}")
    serve_iperf(lab.netns)
    wanted = lab.netns.run(f"md5sum <{served}/file").strip()
    answers = lab.daemon.dir / "answers"
    before = lab.drops()
    with open(answers, "w", encoding="ascii") as file:
        pings = lab.netns.spawn(["ping", "-n", "-i", "0.02", ipv4(NEIGHBOUR)], stdout=file)
        files = neighbour.spawn(f"until [ -e /tmp/enough ]; do busybox wget -q -O - http://{ipv4(HOST)}:8080/file | md5sum; done")
        for queues in (4, 1, 6, 2, QUEUES):
            guest.run("rmmod vmxnet3\n" + "\n".join(
                f"echo {int(cpu < queues)} >/sys/devices/system/cpu/cpu{cpu}/online" for cpu in range(1, QUEUES)) +
                "\nmodprobe vmxnet3; ip link set eth0 up", timeout=120)
            lab.configure(MANY)
            assert lab.port("vm1")["queues"] == {"tx": queues, "rx": queues}
            tcp(guest, ipv4(HOST))
        neighbour.run("touch /tmp/enough")
        sums = files.wait(timeout=120).splitlines()

        def sequence():
            return {int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", answers.read_text())}

        last = max(sequence())
        Deadline(30, neighbour.pid, lab.daemon.pid).wait_for(lambda: max(sequence()) >= last + 5, "the last answers")
        pings.kill()
    assert len(sums) >= 2 and set(sums) == {wanted}, sums
    assert set(range(1, last + 1)) <= sequence(), sorted(set(range(1, last + 1)) - sequence())
    lost = {key: count - before.get(key, 0) for key, count in lab.drops().items() if key[0] == "vm2"}
    assert not {key: count for key, count in lost.items() if count and key[1] != "rx_not_mine"}, lost
