# SPDX-License-Identifier: BSD-3-Clause
"""TCP between guests whose offloads, MTUs, networks and revisions differ: how far each combination falls behind the best."""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "guest"))

from matrix import offload_matrix, seeds, title  # noqa: E402 (needs the path set above)
from matrix_rig import MatrixRig  # noqa: E402

WAYS = (("a", "b"), ("b", "a"), ("a", "far"))
# Much enough for a stream to get going, also where an emulated guest computes everything itself.
BYTES = "12M"
# The floor that a combination should not fall below, as a share of the best one.
FLOOR = 0.5
LIMIT = 150


def _mbits(rig, sender, receiver):
    """What a stream of TCP carried, by the receiver's account."""
    # A server that has just ended a test opens its socket anew.
    said = rig.run(sender, f"for i in 1 2 3 4 5; do iperf3 -f m -n {BYTES} --connect-timeout 20000 -c {rig.to(sender, receiver)} "
                           "&& exit 0; sleep 0.3; done; exit 1", timeout=90)
    found = re.findall(r"([\d.]+) Mbits/sec\s+receiver", said)
    if not found:
        raise RuntimeError(f"iperf3 said: {said}")
    return float(found[-1])


def _low(rows):
    """The cases that are below the floor one way or another."""
    best = [max(rates[way] for rates in rows.values()) for way in range(len(WAYS))]
    return [name for name, rates in rows.items() if any(rate < FLOOR * top for rate, top in zip(rates, best))]


def offload_guests(report):
    """The cover of all pairs, as far as the time goes; then those that were low once more: what else ran may have been why."""
    with report.section("offload_guests", "TCP between emulated guests, combinations of offloads (share of the best)") as data:
        end = report.seconds_left - LIMIT
        cases, rows = {title(case): case for case in offload_matrix().cases(2, seeds())}, {}
        with MatrixRig() as rig:
            def measure(name):
                if report.seconds_left > end + 8:
                    rig.use(cases[name])
                    rates = [_mbits(rig, *way) for way in WAYS]
                    rows[name] = [max(pair) for pair in zip(rates, rows.get(name, rates))]

            for name in cases:
                measure(name)
            for name in _low(rows):
                measure(name)
        best = [max(rates[way] for rates in rows.values()) for way in range(len(WAYS))]
        data["cases"] = {name: dict(zip(("a-b", "b-a", "a-far"), rates)) for name, rates in rows.items()}
        low = _low(rows)
        table = [[name, *(f"{rate / top:.2f}" for rate, top in zip(rates, best)), "below" if name in low else ""]
                 for name, rates in rows.items()]
        report.table(["case", "a to b", "b to a", "a to far", "half"], sorted(table, key=lambda row: row[1]))
        report.say(f"    best: {', '.join(f'{top:.0f}' for top in best)} Mbit/s; {len(rows)} of {len(cases)} cases, {len(low)} below "
                   f"{FLOOR} of the best one way or another, in two runs")
