# SPDX-License-Identifier: BSD-3-Clause
"""TCP between guests whose offloads, MTUs, networks and revisions differ: how far each combination falls behind the best."""
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "guest"))

from matrix import offload_matrix, seeds, title  # noqa: E402 (needs the path set above)
from matrix_rig import MatrixRig  # noqa: E402

WAYS = (("a", "b"), ("b", "a"), ("a", "far"))
SECONDS = 1
# The floor that a combination should not fall below, as a share of the best one.
FLOOR = 0.5
LIMIT = 150


def _mbits(rig, sender, receiver):
    """What a stream of TCP carried, by the receiver's account."""
    # A server that has just ended a test opens its socket anew.
    said = rig.run(sender, f"for i in 1 2 3 4 5; do iperf3 -f m -t {SECONDS} --connect-timeout 20000 -c {rig.to(sender, receiver)} "
                           "&& exit 0; sleep 0.3; done; exit 1", timeout=90)
    found = re.findall(r"([\d.]+) Mbits/sec\s+receiver", said)
    if not found:
        raise RuntimeError(f"iperf3 said: {said}")
    return float(found[-1])


def offload_guests(report):
    """The cover of all pairs, as far as the time goes."""
    with report.section("offload_guests", "TCP between emulated guests, combinations of offloads (share of the best)") as data:
        end = report.seconds_left - LIMIT
        cases, rows = offload_matrix().cases(2, seeds()), []
        with MatrixRig() as rig:
            for case in cases:
                if report.seconds_left < end + 10:
                    break
                rig.use(case)
                rows.append((title(case), [_mbits(rig, *way) for way in WAYS]))
        best = [max(rates[way] for _, rates in rows) for way in range(len(WAYS))]
        data["cases"] = {name: dict(zip(("a-b", "b-a", "a-far"), rates)) for name, rates in rows}
        table = [[name, *(f"{rate / top:.2f}" for rate, top in zip(rates, best))] for name, rates in rows]
        low = [row for row, (_, rates) in zip(table, rows) if any(rate < FLOOR * top for rate, top in zip(rates, best))]
        report.table(["case", "a to b", "b to a", "a to far"], sorted(table, key=lambda row: row[1]))
        report.say(f"    best: {', '.join(f'{top:.0f}' for top in best)} Mbit/s; {len(rows)} of {len(cases)} cases, {len(low)} below "
                   f"{FLOOR} of the best one way or another: {', '.join(row[0] for row in low) or 'none'}")
