# SPDX-License-Identifier: BSD-3-Clause
"""Frames of every size, in one piece and in many, through front end, switch and front end; every byte is looked at."""
import pytest

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
