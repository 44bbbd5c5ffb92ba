# SPDX-License-Identifier: BSD-3-Clause
"""What guests do by themselves is told from a case, and cases are measured by those with at least as much of it."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "guest"))

from bench.guest_work import WORDS, fair_base, work  # noqa: E402 (needs the path set above)
from matrix import WHOLE, offload_matrix, seeds  # noqa: E402


def levels(way=("a", "b"), **changes):
    case = offload_matrix().complete({**seeds()[0], "far_mtu": 1500, **changes})
    return dict(zip(WORDS, work(case, *way)))


def test_levels():
    """Everything on is least; each thing that is off is more work for who has it off."""
    assert levels(a_mtu=9000, b_mtu=9000) == dict.fromkeys(WORDS, 0)
    assert levels(a_tx=False, a_tso=False, a_tso6=False) == {**levels(), "cuts": 1, "sums": 1, "takes": 1}
    assert levels(a_tso=False) == {**levels(), "cuts": 1, "takes": 1} and levels(a_tso6=False) == levels()
    assert levels(b_rx=False, b_lro=False) == {**levels(), "takes": 1, "verifies": 1}
    assert levels(b_gro=False, b_lro=False) == {**levels(), "takes": 2}
    assert levels(b_rx=False, b_lro=False, way=("b", "a")) == levels()
    assert levels(way=("a", "far"))["takes"] == 1
    assert levels(net="vxlan") == {**levels(), "net": 2, "takes": 1}
    assert levels(net="vxlan", b_mask=WHOLE)["takes"] == 0
    assert levels(net="geneve", a_mask=0x07, a_tnl=False) == {**levels(net="geneve"), "cuts": 1, "sums": 1}
    assert levels(net="geneve", b_mask=0x07, b_tnl=False) == {**levels(net="geneve"), "verifies": 1}


def test_fair_base():
    works = {"easy": (0, 0), "left": (1, 0), "right": (0, 1), "hard": (1, 1)}
    assert fair_base({"easy": 10, "left": 4, "right": 5, "hard": 6}, works) == {"easy": 10, "left": 6, "right": 6, "hard": 6}
