# SPDX-License-Identifier: BSD-3-Clause
"""lib/offload function by function, each against the one that DPDK has for it, turn by turn in one run."""
import json
import os

from . import device


def _programs():
    """All of build/tests/bench/offload_*; files of the build beside them are none."""
    found = [path for path in sorted(device.PROGRAMS.glob("offload_*")) if path.is_file() and os.access(path, os.X_OK)]
    if not found:
        raise FileNotFoundError(f"no {device.PROGRAMS}/offload_*; run make build")
    return found


def offload(report):
    """One table of all programs' lines. Speed is the peer's time by ours: above 1, ours is faster."""
    with report.section("offload", "Offloads alone, against DPDK's (speed: the peer's time by ours)") as data:
        data["runs"] = [json.loads(line) | {"program": program.name}
                        for program in _programs() for line in device.run_program([program]).splitlines()]
        report.table(["what", "peer", "ours us", "peer us", "speed", "quartiles"],
                     [[run["what"], run["peer"], f"{run['ours_ns'] / 1000:.2f}", f"{run['peer_ns'] / 1000:.2f}",
                       f"{run['speed']:.2f}", f"{run['low']:.2f} {run['high']:.2f}"] for run in data["runs"]])
