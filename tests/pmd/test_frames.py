# SPDX-License-Identifier: BSD-3-Clause
"""Frames of every size, in one piece and in many, through front end, switch and front end; every byte is looked at."""
import pytest

from scapy.all import IP, UDP, Ether, raw  # pylint: disable=no-name-in-module

from .taps import Rig

RINGS = ["--rxd", 256, "--txd", 256]

# (shortest, longest, bytes of a buffer, segments of a sent frame)
SHAPES = {
    "single": (60, 1514, 2048, 1),
    "single-jumbo": (60, 9014, 9216, 1),
    "sent-in-parts": (60, 1514, 2048, 16),
    "received-in-parts": (60, 9014, 2048, 5),
    "in-small-parts-both-ways": (60, 9014, 640, 16),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_sizes(switch, pktcheck, shape):
    shortest, longest, buffer, segments = shape
    lab = switch(wire=True)
    result = pktcheck(lab.fronts(), "--frames", 60000, "--min", shortest, "--max", longest, "--uniform",
                      "--mbuf-size", buffer, "--segments", segments, "--mbufs", 24576 if buffer < 4096 else 8192, *RINGS,
                      memory=["--no-huge", "-m", "384"])
    result.must_be_good(60000)
    # All sizes but those that chance left out.
    assert min(lane["sizes"] for lane in result.lanes) > 0.9 * (longest - shortest + 1)


@pytest.fixture(name="rig", scope="module")
def fixture_rig():
    with Rig(args=["--enable-scatter", "--tx-udp=1000,2000"]) as rig:
        yield rig


@pytest.mark.parametrize("parts", [(60,), (64, 64, 64), (42, 1, 1457), (128,) * 8, (2000, 2000, 2000, 2000, 1014)],
                         ids=lambda parts: "+".join(map(str, parts)))
def test_what_testpmd_makes(rig, parts, log_sources):
    """Frames of so many parts come out in one piece, as scapy would make them."""
    log_sources.append(rig.logs)
    rig.pmd.cmds(f"set txpkts {','.join(map(str, parts))}", "set burst 4", "set txtimes 1000,5000")
    rig.set_up("port config mtu # 9000")
    rig.taps[1].flush()
    rig.pmd.forward("txonly")
    rig.pmd.cmd("stop")
    came = rig.taps[1].receive(10, silence=0.05)
    assert len(came) >= 10
    for one in came[:50]:
        packet = Ether(one)
        assert len(one) == sum(parts)
        assert packet[IP].len == sum(parts) - 14 and packet[UDP].len == sum(parts) - 34
        again = packet.copy()
        del again[IP].chksum
        assert raw(again) == one
