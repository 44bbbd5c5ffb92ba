# SPDX-License-Identifier: BSD-3-Clause
"""Many queues: flows spread over all of them; and one port's may be changed while others are at work."""
import struct

import pytest

from scapy.all import IP, UDP, Ether, raw  # pylint: disable=no-name-in-module

from lib import paths
from lib.pktcheck import PktCheck

from .taps import MACS, STATIONS, Rig, filling
from .test_contents import must_be_whole

NB_QUEUES = 32
FLOWS = 100_000
STEP = 400  # frames on the way at once: a tap holds 1000
FRAMES = 600_000


@pytest.fixture(name="rig", scope="module")
def fixture_rig():
    with Rig(args=[f"--rxq={NB_QUEUES}", f"--txq={NB_QUEUES}", "--rxd=128", "--txd=64", "--rss-udp"],
             device={"max-queues": NB_QUEUES}) as rig:
        yield rig


def received(rig):
    """Frames by queue."""
    stats = rig.pmd.xstats(0)
    return [stats.get(f"rx_q{queue}_packets", 0) for queue in range(NB_QUEUES)]


def flows():
    """Frames of as many flows, alike but for addresses and ports. None has a checksum: nobody looks at it here."""
    frame = bytearray(raw(Ether(src=STATIONS[0], dst=MACS[0]) / IP(src="10.0.0.0", dst="10.1.0.0", chksum=0) / UDP(chksum=0) /
                          filling(20)))
    for number in range(FLOWS):
        spread = number * 2654435761 & 0xffffffff
        struct.pack_into("!HHHHHH", frame, 28, number >> 16, number & 0xffff, 10, spread & 0xff, 1024 + (spread >> 16 & 0x3fff),
                         1 + (spread >> 8 & 0x7fff))
        yield bytes(frame)


def test_flows_are_spread(rig, log_sources):
    """Within a tenth of what would be even, over 32 queues."""
    log_sources.append(rig.logs)
    rig.forward("rxonly", ready=False)
    sent = 0
    for frame in flows():
        rig.taps[0].send(frame)
        sent += 1
        if sent % STEP == 0:
            rig.pmd.wait_for(lambda: rig.pmd.stats_of(0)["rx_packets"] >= sent * 0.99, "the frames come", interval=0.005)
    came = received(rig)
    assert sum(came) >= FLOWS * 0.99
    ideal = sum(came) / NB_QUEUES
    assert all(abs(count - ideal) <= ideal / 10 for count in came), came


def test_queues_of_one_port_under_traffic_of_others(switch, testpmd):
    """A port stops, gets other numbers of queues and starts, again and again: between the others nothing is lost."""
    one = switch(ports=3, mtu=9000)
    with PktCheck([one.front(0), one.front(1)], "--frames", FRAMES, "--queues", 2, plugins=[paths.PMD_VMXNET3X],
                  cores=1) as check:
        pmd = testpmd([one.front(2)], args=["--rxd=64", "--txd=64"])
        pmd.forward("rxonly")
        changes = 0
        for rxq, txq in [(1, 1), (4, 2), (32, 32), (3, 5), (16, 1)] * 20:
            pmd.cmd("stop")
            said = pmd.cmds("port stop 0", f"port config all rxq {rxq}", f"port config all txq {txq}", "port start 0")
            assert "Fail" not in said, said
            pmd.forward("rxonly")
            changes += 1
            if check.process.poll() is not None and changes >= 5:
                break
        must_be_whole(check.result(), FRAMES)
    assert changes >= 5
    assert (one.drops("d0"), one.drops("d1")) == ({}, {})
