# SPDX-License-Identifier: BSD-3-Clause
"""Small frames of an uplink are joined for a port that takes large ones, and nobody can tell at the far end."""
import contextlib
import os
import signal

import pytest

from scapy.all import IP, TCP, Ether, IPv6, raw  # pylint: disable=no-name-in-module

from .taps import BROADCAST, STATIONS, Rig, filling

MSS = 1400
COUNT = 24
NETWORKS = {"ipv4": IP(src="198.18.0.1", dst="198.18.0.2", id=7), "ipv6": IPv6(src="2001:db8::1", dst="2001:db8::2")}
STAMPS = [("NOP", None), ("NOP", None), ("Timestamp", (1000, 2000))]


@pytest.fixture(name="rig", scope="module")
def fixture_rig():
    with Rig(args=["--enable-scatter"]) as rig:
        yield rig


@contextlib.contextmanager
def held(daemon):
    """What is sent meanwhile is there at once when the switch goes on."""
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(daemon.pid, signal.SIGCONT)


def stream(network, port=1000, count=COUNT):
    """Frames of one TCP flow, the last with PSH."""
    data = filling(MSS * count, port)
    frames = []
    for index in range(count):
        head = network.copy()
        if head.version == 4:
            head.id += index
        tcp = TCP(sport=port, dport=2000, seq=5 + MSS * index, ack=77, flags="PA" if index == count - 1 else "A",
                  options=STAMPS)
        frames.append(raw(Ether(src=STATIONS[0], dst=BROADCAST) / head / tcp / data[MSS * index:MSS * (index + 1)]))
    return frames


def large_receives(rig):
    return rig.pmd.xstats(0)["rx_q0_lro_packets"]


def carried(rig, frames):
    """What comes out at the other tap: (frames without addresses, large receives on the way)"""
    before = large_receives(rig)
    rig.taps[1].flush()
    with held(rig.daemon):
        rig.taps[0].send(*frames)
    came = rig.taps[1].receive(len(frames))
    return [frame[12:] for frame in came], large_receives(rig) - before


@pytest.mark.parametrize("kind", NETWORKS)
def test_joined_for_who_takes_large_frames(rig, kind):
    """testpmd sends them on with a request for TSO, so that they come out as they came in."""
    rig.forward("csum", "csum set ip sw #", "csum set tcp hw #",
                "port config # rx_offload tcp_cksum on", "port config # rx_offload tcp_lro on", f"tso set {MSS} #")
    sent = stream(NETWORKS[kind])
    came, large = carried(rig, sent)
    assert came == [frame[12:] for frame in sent]
    assert 1 <= large <= COUNT // 4  # a tap may give them in a few bursts


def test_not_joined_for_others(rig):
    rig.forward("csum", "csum set ip sw #", "csum set tcp hw #", "port config # rx_offload tcp_lro off", "tso set 0 #")
    sent = stream(NETWORKS["ipv4"])
    assert carried(rig, sent) == ([frame[12:] for frame in sent], 0)
