# SPDX-License-Identifier: BSD-3-Clause
"""What two ports pay for the manners of two others on the same polling core (isolation_cost.c)."""
import json
import statistics

from lib import paths

from . import report as rep
from .device import run_program
from .scale import eal_options

PROGRAM = paths.BUILD / "tests/bench/isolation_cost"
LAWFUL = "behave"
# Key in goals.py.
MANNERS = {"isolation/buffers": "never receive", "isolation/storm": "unmask all the time"}


def isolation(report, rounds):
    """Cycles of a round; that of a flood is told, and by how much it is bounded."""
    title = "Cycles of a round with 64 frames of two ports, beside two others that ..."
    with report.section("isolation", title) as data:
        data["manners"] = manners = json.loads(run_program([paths.need(PROGRAM), rounds, *eal_options()], timeout=240))
        report.table(["others", "cycles", "", "their frames at most", "interrupts", "held", "dropped"],
                     [[name, f"{statistics.median(got['cycles']):.0f}", f"±{rep.spread(got['cycles']):.0f} %",
                       got["most"], got["interrupts"], got["held"], ", ".join(got["drops"]) or "-"]
                      for name, got in manners.items()])
        report.say("    frames of the two were all forwarded in their round, whatever the others did")
        lawful = manners[LAWFUL]["cycles"]
        report.against(data, {key: rep.ratios(manners[name]["cycles"], lawful) for key, name in MANNERS.items()})
