# SPDX-License-Identifier: BSD-3-Clause
"""What a frame costs the polling core with many ports, many addresses, two cores, against few (scale_cost.c)."""
import json
import os
import statistics

from lib import paths

from . import report as rep
from .device import run_program
from .rates import hugepages_mib

PROGRAM = paths.BUILD / "tests/bench/scale_cost"
MEMORY_MIB = 320
# Key in goals.py, and the scenes that are compared.
ROWS = {
    "scale/idle-ports": ("2 busy, 26 idle ports", "2 ports"),
    "scale/busy-ports": ("28 busy ports", "2 ports"),
    "scale/macs": ("100,000 MACs", "10 MACs"),
    "scale/cores": ("2 cores", "1 core"),
    "scale/cores-shared": ("2 cores", "2 cores, 2 switches"),
}


def eal_options():
    """Hugepages as a switch has them, if there are enough; one lcore on each of two CPUs."""
    cpus = sorted(os.sched_getaffinity(0))
    enough = hugepages_mib() >= MEMORY_MIB
    memory = ["--in-memory", "--single-file-segments"] if enough else ["--no-huge", "--no-shconf"]
    return [*memory, "-m", MEMORY_MIB, f"--lcores=0@{cpus[-1]},1@{cpus[0]}"]


def scale(report, rounds):
    """Cycles of the switch per frame, 64 bytes, bursts of 32."""
    with report.section("scale", "Cycles of a polling core for a frame: many ports, many addresses, two cores") as data:
        data["cycles"] = cycles = json.loads(run_program([paths.need(PROGRAM), rounds, *eal_options()], timeout=240))
        report.table(["scene", "cycles", "", "single rounds"],
                     [[name, f"{statistics.median(values):.0f}", f"±{rep.spread(values):.0f} %",
                       f"{min(values):.0f} to {max(values):.0f}"] for name, values in cycles.items()])
        report.against(data, {key: rep.ratios(cycles[ours], cycles[peer]) for key, (ours, peer) in ROWS.items()})
        report.bars("scale", "A frame of 64 bytes", "cycles", {"vswitchd": cycles})
