# SPDX-License-Identifier: BSD-3-Clause
"""Receive side scaling: key, table and functions as they were set, and the queue that a flow comes to then."""
import re

import pytest

from scapy.all import IP, UDP, Ether, raw  # pylint: disable=no-name-in-module

from .taps import MACS, STATIONS, Rig, filling

NB_QUEUES = 4
DEFAULT_KEY = bytes.fromhex("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa")
OTHER_KEY = bytes((41 * index + 13) & 0xff for index in range(40))
ADDRESSES = [("66.9.149.187", "161.142.100.80"), ("199.92.111.2", "65.69.140.83"), ("24.19.198.95", "12.22.207.184"),
             ("38.27.205.30", "209.142.163.6"), ("153.39.163.191", "202.188.127.2")]  # those of RSS's test vectors


def toeplitz(key, data):
    """The hash, bit by bit."""
    window, result = int.from_bytes(key, "big"), 0
    for bit in range(8 * len(data)):
        if data[bit // 8] >> (7 - bit % 8) & 1:
            result ^= window >> (8 * len(key) - 32 - bit) & 0xffffffff
    return result


def hash_of(key, flow, ports):
    source, target, source_port, target_port = flow
    data = b"".join(bytes(map(int, address.split("."))) for address in (source, target))
    if ports:
        data += source_port.to_bytes(2, "big") + target_port.to_bytes(2, "big")
    return toeplitz(key, data)


FLOWS = [(*addresses, 1000 + number, 2000) for addresses in ADDRESSES for number in range(6)]


def packet(flow):
    source, target, source_port, target_port = flow
    return raw(Ether(src=STATIONS[0], dst=MACS[0]) / IP(src=source, dst=target) /
               UDP(sport=source_port, dport=target_port) / filling(40))


@pytest.fixture(name="open_rig", scope="module")
def fixture_open_rig():
    with Rig(args=[f"--rxq={NB_QUEUES}", f"--txq={NB_QUEUES}", "--rss-udp"]) as rig:
        rig.forward()
        rig.pmd.cmds("stop", "set verbose 1")
        rig.pmd.forward("rxonly")
        yield rig


@pytest.fixture(name="rig")
def fixture_rig(open_rig, log_sources):
    log_sources.append(open_rig.logs)
    set_key(open_rig, DEFAULT_KEY)
    open_rig.pmd.cmd("port config all rss udp")
    set_table(open_rig, lambda index: index % NB_QUEUES)
    return open_rig


def set_key(rig, key, kind="ipv4-udp"):
    rig.pmd.cmd(f"port config 0 rss-hash-key {kind} {key.hex()}")


def set_table(rig, queue_of):
    """Queue of each entry, all of them."""
    rig.pmd.cmds(*("port config 0 rss reta " + ",".join(f"({index},{queue_of(index)})" for index in range(at, at + 8))
                   for at in range(0, 128, 8)))


def told(rig, flows=FLOWS):
    """[(hash, queue)] of the flows, as they come."""
    at = len(rig.pmd.log())

    def said():
        return re.findall(r"length=82 .*?(?:RSS hash=0x([0-9a-f]+) .*?)?Receive queue=0x([0-9a-f]+)", rig.pmd.log()[at:])

    for number, flow in enumerate(flows):  # one after the other: queues have no order
        rig.taps[0].send(packet(flow))
        rig.pmd.wait_for(lambda number=number: len(said()) > number, f"frame {number} comes", interval=0.002)
    return [(int(value, 16) if value else None, int(queue, 16)) for value, queue in said()]


def expected(key, ports, queue_of):
    hashes = [hash_of(key, flow, ports) for flow in FLOWS]
    return [(value, queue_of(value % 128)) for value in hashes]


def test_hash_function_of_the_test_itself():
    """Against the published vectors."""
    flow = ("66.9.149.187", "161.142.100.80", 2794, 1766)
    assert (hash_of(DEFAULT_KEY, flow, False), hash_of(DEFAULT_KEY, flow, True)) == (0x323e8fc2, 0x51ccc178)


def test_default(rig):
    assert told(rig) == expected(DEFAULT_KEY, True, lambda index: index % NB_QUEUES)
    assert len({queue for _, queue in told(rig)}) == NB_QUEUES


def test_key(rig):
    set_key(rig, OTHER_KEY)
    assert OTHER_KEY.hex() in rig.pmd.cmd("show port 0 rss-hash key").lower()
    assert told(rig) == expected(OTHER_KEY, True, lambda index: index % NB_QUEUES)


def test_table(rig):
    def queue_of(index):
        return 3 - index // 32
    set_table(rig, queue_of)
    said = rig.pmd.cmd("show port 0 rss reta 128 (0xffffffffffffffff,0xffffffffffffffff)")
    assert [int(queue) for queue in re.findall(r"hash index=\d+, queue=(\d+)", said)] == [queue_of(i) for i in range(128)]
    assert told(rig) == expected(DEFAULT_KEY, True, queue_of)
    set_table(rig, lambda index: 2)
    assert {queue for _, queue in told(rig)} == {2}


def test_entry_beyond_the_queues_is_refused(rig):
    rig.pmd.cmd(f"port config 0 rss reta (5,{NB_QUEUES})")
    assert told(rig) == expected(DEFAULT_KEY, True, lambda index: index % NB_QUEUES), "nothing has changed"


def test_functions(rig):
    """Addresses alone: flows between the same two come to one queue. None: all come to the first."""
    rig.pmd.cmd("port config all rss ip")
    assert re.search(r"ipv4\b(?!-udp)", rig.pmd.cmd("show port 0 rss-hash"))
    assert told(rig) == expected(DEFAULT_KEY, False, lambda index: index % NB_QUEUES)
    rig.pmd.cmd("port config all rss none")
    assert "RSS disabled" in rig.pmd.cmd("show port 0 rss-hash")
    assert {queue for _, queue in told(rig)} == {0}


def test_functions_that_the_device_has_not(rig):
    said = rig.pmd.cmd("port config all rss sctp")
    assert "not supported" in said or "error" in said.lower() or "modified" in said, said
