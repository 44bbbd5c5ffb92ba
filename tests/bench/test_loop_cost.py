# SPDX-License-Identifier: BSD-3-Clause
"""A frame's way from application to application does not grow unnoticed."""
import warnings

import pytest

from bench import loop_cost

MEANT = "if that is meant to be"
CURE = f"; {MEANT}: make bench SECTIONS=loop_cost BENCH=--keep, and commit {loop_cost.KEPT.name} with the change"


@pytest.fixture(scope="module", name="runs")
def _runs():
    return loop_cost.measure()


def _judge(old, new):
    """Lines of what grew too much, and of what shrank so much that the file is stale."""
    change = {title: new["instructions"][title] / count - 1 for title, count in old["instructions"].items()}
    lines = {title: f"{title}: {old['instructions'][title]} instructions kept, {new['instructions'][title]} counted "
                    f"({value:+.1%})" for title, value in change.items()}
    return ([lines[title] for title, value in change.items() if value > loop_cost.TOLERANCE],
            [lines[title] for title, value in change.items() if value < -loop_cost.TOLERANCE])


def test_the_count_repeats(runs):
    """To the instruction; without that, the comparison below would be with noise."""
    again = loop_cost.measure()
    assert {title: run["instructions"] for title, run in again.items()} == {
        title: run["instructions"] for title, run in runs.items()}


def test_the_way_has_not_grown(runs):
    """By more than 5 % of what the file says, if it is of the same compiler, DPDK and vectors."""
    old, new = loop_cost.kept(), loop_cost.kept_form(runs)
    assert old["instructions"].keys() == new["instructions"].keys()
    differs = loop_cost.why_not_comparable(old, new)
    if differs:
        pytest.skip(f"{loop_cost.KEPT.name} is of another build: {differs}")
    grown, shrunk = _judge(old, new)
    if shrunk:
        warnings.warn("; ".join(shrunk) + CURE.replace(MEANT, "so that it does not come back"))
    assert not grown, "; ".join(grown) + CURE
