# SPDX-License-Identifier: BSD-3-Clause
"""VLAN tags, checksums and segmentation by a front-end port, judged at taps by scapy."""
import re

import pytest

from scapy.all import IP, TCP, UDP, Dot1Q, Ether, IPv6, raw  # pylint: disable=no-name-in-module

from lib import paths
from lib.testpmd import Testpmd

from .lab import front
from .taps import BROADCAST, ETHER_TYPE, STATIONS, Rig, filling

NETWORKS = (IP(src="198.18.0.1", dst="198.18.0.2", id=7), IPv6(src="2001:db8::1", dst="2001:db8::2"))
HARDWARE = ("csum set ip sw #", "csum set tcp hw #", "csum set udp hw #")
SOFTWARE = ("csum set ip sw #", "csum set tcp sw #", "csum set udp sw #", "tso set 0 #")
PLAIN = ("vlan set strip off #", "tx_vlan reset #")


@pytest.fixture(name="open_rig", scope="module")
def fixture_open_rig():
    with Rig(args=["--enable-scatter"]) as rig:
        yield rig


@pytest.fixture(name="rig")
def fixture_rig(open_rig, log_sources):
    log_sources.append(open_rig.logs)
    return open_rig


def tagged(vlan, prio=0, size=100, src=STATIONS[0]):
    return raw(Ether(src=src, dst=BROADCAST) / Dot1Q(vlan=vlan, prio=prio, type=ETHER_TYPE) / filling(size))


def untagged(size=100, src=STATIONS[0]):
    return raw(Ether(src=src, dst=BROADCAST, type=ETHER_TYPE) / filling(size))


def packets(wrong=False, sizes=(0, 1, 18, 99, 1400)):
    """TCP and UDP over each IP version; with wrong checksums, when so."""
    bad = {"chksum": 0x1234} if wrong else {}
    made = []
    for size in sizes:
        for network in NETWORKS:
            for transport in (TCP(sport=1000, dport=2000, flags="A", **bad), UDP(sport=1000, dport=2000, **bad)):
                packet = Ether(src=STATIONS[0], dst=BROADCAST) / network / transport / filling(size)
                if wrong and packet[1].version == 4:
                    packet[1].chksum = 0x1234
                made.append(raw(packet).ljust(60, b"\0"))
    return made


def beyond_addresses(frames):
    return [one[12:] for one in frames]


@pytest.mark.parametrize("strip", [True, False], ids=["strip", "keep"])
def test_vlan_strip(rig, strip):
    rig.forward("io", *SOFTWARE, f"vlan set strip {'on' if strip else 'off'} 0", "vlan set strip off 1", "tx_vlan reset #")
    sent = [tagged(5), tagged(4094, 7, 1400), untagged(), tagged(0, 3)]
    expected = [untagged(), untagged(1400), untagged(), untagged()] if strip else sent
    assert rig.cross(*sent) == expected


def test_vlan_strip_is_switched_while_it_runs(rig):
    rig.forward("io", *SOFTWARE, *PLAIN)
    for on in (True, False, True):
        rig.pmd.cmd(f"vlan set strip {'on' if on else 'off'} 0")
        rig.wait_ready()
        assert rig.cross(tagged(5)) == [untagged() if on else tagged(5)]
    rig.pmd.cmd("vlan set strip off 0")


def test_vlan_insert(rig):
    """Frames that the port sends are tagged, those of the other are not."""
    rig.forward("mac", *SOFTWARE, *PLAIN, "tx_vlan set 1 77")
    rig.taps[0].send(untagged(), untagged(1400))
    assert beyond_addresses(rig.taps[1].receive(2)) == beyond_addresses([tagged(77), tagged(77, size=1400)])
    back = [untagged(src=STATIONS[1]), untagged(1400, src=STATIONS[1])]
    assert beyond_addresses(rig.cross(*back, source=1)) == beyond_addresses(back)


def test_transmit_checksums(rig):
    rig.forward("csum", *PLAIN, *HARDWARE, "tso set 0 #")
    assert beyond_addresses(rig.cross(*packets(wrong=True))) == beyond_addresses(packets())


def test_transmit_checksum_is_asked_for(rig):
    """Without a request, a checksum stays as it is: it is the port that had put the right one."""
    rig.forward("io", *PLAIN, *SOFTWARE)
    assert rig.cross(*packets(wrong=True)) == packets(wrong=True)


def judgements(pmd, frames, send):
    """For each of the frames that come while send() runs, what its flags say of TCP's or UDP's checksum."""
    at = len(pmd.log())
    send()

    def said():
        return re.findall(r"RX_L4_CKSUM_(\w+)", pmd.log()[at:])

    pmd.wait_for(lambda: len(said()) >= len(frames), f"{len(frames)} frames come")
    return said()


def test_receive_checksums(rig):
    """Those that the device was asked to compute are right; of those that are wrong it does not say so."""
    rig.forward("csum", *PLAIN, *HARDWARE, "tso set 0 #")
    vdev = front(2, rig.daemon.socket("d2"))
    with Testpmd([vdev], args=["--enable-rx-cksum"], plugins=[paths.PMD_VMXNET3X], cores=2) as other:
        other.cmds("set promisc 0 on", "set verbose 1")
        other.forward("rxonly")
        wrong = packets(wrong=True)
        assert judgements(other, wrong, lambda: rig.taps[0].send(*wrong)) == ["GOOD"] * len(wrong)
        assert "GOOD" not in judgements(other, wrong, lambda: rig.taps[1].send(*wrong))
        other.cmd("stop")


@pytest.mark.parametrize("mss", [500, 1460])
@pytest.mark.parametrize("network", NETWORKS, ids=["ipv4", "ipv6"])
def test_segmentation(rig, network, mss):
    """Large TCP packets come out cut to the MSS, with right checksums, sequence numbers and flags."""
    rig.forward("csum", *PLAIN, *HARDWARE, "port config mtu # 9000", f"tso set {mss} #")
    data = filling(8000)
    whole = Ether(src=STATIONS[0], dst=BROADCAST) / network / TCP(sport=1000, dport=2000, seq=5, flags="PA") / data
    rig.taps[1].flush()
    rig.taps[0].send(raw(whole))
    nb = -(-len(data) // mss)
    parts = rig.taps[1].receive(nb)
    assert len(parts) == nb
    for index, part in enumerate(parts):
        layer = Ether(part)[1].copy()
        expect = network.copy()
        if layer.version == 4:
            expect.id = layer.id  # any may do
        expect /= TCP(sport=1000, dport=2000, seq=5 + mss * index, flags="PA" if index == nb - 1 else "A")
        assert part[14:] == raw(expect / data[mss * index:mss * (index + 1)]), index
    assert rig.pmd.xstats(1)["tx_q0_tso_packets"] == 1
    rig.set_up("port config mtu # 1500", "tso set 0 #")
