# SPDX-License-Identifier: BSD-3-Clause
"""What two ports pay for the manners of two others on the same polling core (isolation_cost.c)."""
import json
import statistics

from lib import paths

from . import report as rep
from .device import run_program
from .scale import eal_options

PROGRAM = paths.BUILD / "tests/bench/isolation_cost"
# Key in goals.py, receive queues of the others (each has a vector), what they do, and what they do in the lawful case.
MANNERS = {"isolation/buffers": (1, "never receive", "behave"), "isolation/flood": (1, "flood", "behave"),
           "isolation/storm": (1, "unmask all the time", "mask all the time"),
           "isolation/storm-32": (32, "unmask all the time", "mask all the time")}


def isolation(report, rounds):
    """Cycles in which all frames of the two are moved, and what else there is to do meanwhile."""
    title = "Cycles of a round with 64 frames of two ports, beside two others that ..."
    with report.section("isolation", title) as data:
        data["queues"] = runs = {}
        for queues in sorted({queues for queues, _, _ in MANNERS.values()}):
            runs[queues] = json.loads(run_program([paths.need(PROGRAM), rounds, queues, *eal_options()], timeout=240))
        report.table(["queues", "others", "cycles", "", "of it interrupts", "their frames at most", "interrupts", "held",
                      "dropped"],
                     [[queues, name, f"{statistics.median(got['cycles']):.0f}", f"±{rep.spread(got['cycles']):.0f} %",
                       got["intr_cycles"], got["most"], got["interrupts"], got["held"], ", ".join(got["drops"]) or "-"]
                      for queues, manners in runs.items() for name, got in manners.items()])
        report.say("    frames of the two were all forwarded, whatever the others did")
        report.against(data, {key: rep.ratios(runs[queues][name]["cycles"], runs[queues][lawful]["cycles"])
                              for key, (queues, name, lawful) in MANNERS.items()})
