# SPDX-License-Identifier: BSD-3-Clause
"""Frames that are too long for the port that they would leave by: cut if TCP allows it, else dropped by name."""
import pytest

from scapy.all import IP, TCP, Dot1AD, Dot1Q, Ether, raw  # pylint: disable=no-name-in-module

from .taps import BROADCAST, ETHER_TYPE, STATIONS, Rig, filling, frame

HARDWARE = [f"csum set {what} {n}" for n in (0, 1) for what in ("ip sw", "tcp hw", "udp hw")]


@pytest.fixture(name="rig")
def fixture_rig(log_sources):
    with Rig(args=["--enable-scatter"]) as rig:
        log_sources.append(rig.logs)
        yield rig


def dropped(rig, port, reason):
    """How many frames the port has dropped for a reason."""
    return sum(drop["count"] for drop in rig.daemon.ctl.json("drops", port) if drop["reason"] == reason)


def tagged(size):
    """A frame with two tags and so many bytes behind them."""
    return raw(Ether(src=STATIONS[0], dst=BROADCAST) / Dot1AD(vlan=100) / Dot1Q(vlan=10, type=ETHER_TYPE) / filling(size))


def cross(rig, *frames):
    """What comes of the frames, behind its addresses: testpmd changes those."""
    return [came[12:] for came in rig.cross(*frames)]


def test_too_long(rig):
    sent = [frame(1514), frame(1515), tagged(1500), tagged(1501), frame(9000)]
    short = [sent[0][12:], sent[2][12:]]
    large = raw(Ether(src=STATIONS[0], dst=BROADCAST) / IP(src="198.18.0.1", dst="198.18.0.2") /
                TCP(sport=1, dport=2, seq=5, flags="A") / filling(8000))
    # For an ethdev port: its MTU is lowered while it runs.
    rig.forward("csum", *HARDWARE, "port config mtu # 9000", "tso set 1400 #")
    rig.daemon.ctl.text("port", "set", "t1", "mtu", "1500")
    assert [len(part) - 54 for part in rig.cross(large)] == 5 * [1400] + [1000], "cut to the MSS"
    assert cross(rig, *sent) == short
    assert dropped(rig, "t1", "eth_too_long") == 3
    rig.forward("csum", "tso set 4000 #")
    assert rig.cross(large) == [], "its MSS is too large, and nothing else may cut it"
    assert dropped(rig, "t1", "eth_too_long") == 5, "two pieces"

    # For a device port: the MTU of its guest, in which testpmd counts a tag.
    rig.forward("io", "tso set 0 #", "port config mtu # 1500")
    rig.daemon.ctl.text("port", "set", "t1", "mtu", "9000")
    mtu = rig.daemon.ctl.json("port", "show", "d0")["device"]["mtu"]
    assert 1500 <= mtu <= 1508
    sent = [frame(14 + mtu), frame(15 + mtu), tagged(mtu), tagged(mtu + 1), frame(9000)]
    assert rig.cross(*sent) == [sent[0], sent[2]]
    assert dropped(rig, "d0", "rx_too_long") == 3
