# SPDX-License-Identifier: BSD-3-Clause
"""TCP between guests whose offloads, MTUs, networks and revisions differ: how far each combination falls behind."""
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "guest"))

from bench.guest_work import fair_base, work  # noqa: E402 (needs the path set above)
from lab import iperf  # noqa: E402
from matrix import offload_matrix, seeds, title  # noqa: E402
from matrix_rig import MatrixRig  # noqa: E402

WAYS = (("a", "b"), ("b", "a"), ("a", "far"))
# Much enough for a stream to get going, also where an emulated guest computes everything itself.
BYTES = "12M"
# The floor that a combination should not fall below, as a share of what it is measured by.
FLOOR = 0.5
LIMIT = 180
SLOWEST = 5
# Frames that were flooded to cards of other cases: nobody misses them.
FLOODED = {"rx_inactive", "rx_not_mine", "rx_link_down"}


def _switch(rig):
    """What the switch has done until now: cycles with and without work, seconds asleep, drops."""
    workers = rig.lab.ctl.json("worker", "list")
    total = {key: sum(worker[key] for worker in workers) for key in ("busy_cycles", "idle_cycles", "slept_us")}
    return {"time": time.monotonic(), **total, "drops": rig.lab.drops()}


def _busy(before, after):
    """The share of the time in which the polling core had frames in its hands (or had lost its CPU with frames in its hands)."""
    moved = {key: after[key] - before[key] for key in ("time", "busy_cycles", "idle_cycles", "slept_us")}
    awake = max(0.0, 1 - moved["slept_us"] / 1e6 / moved["time"])
    return awake * moved["busy_cycles"] / max(1, moved["busy_cycles"] + moved["idle_cycles"])


def _measure(rig, case):
    """A case: Mbit/s by the receivers' account, retransmissions, and what the switch did meanwhile."""
    rig.use(case)
    before = _switch(rig)
    ends = [iperf(rig.guest(sender), rig.to(sender, receiver), f"-n {BYTES}", timeout=90) for sender, receiver in WAYS]
    after = _switch(rig)
    drops = {f"{port} {reason}": count - before["drops"].get((port, reason), 0)
             for (port, reason), count in after["drops"].items() if reason not in FLOODED}
    return {"rates": [end["sum_received"]["bits_per_second"] / 1e6 for end in ends],
            "retransmits": [end["sum_sent"]["retransmits"] for end in ends], "busy": _busy(before, after),
            "drops": {key: count for key, count in drops.items() if count}}


def _shares(rows, cases):
    """{case: [(share of the best, share of the fair base) of each way]}."""
    shares = {name: [] for name in rows}
    for number, way in enumerate(WAYS):
        rates = {name: row["rates"][number] for name, row in rows.items()}
        best, fair = max(rates.values()), fair_base(rates, {name: work(cases[name], *way) for name in rows})
        for name, rate in rates.items():
            shares[name].append((rate / best, rate / fair[name]))
    return shares


def _low(shares, which):
    """The cases below the floor one way or another: 0 of the best, 1 of the fair base."""
    return [name for name, pairs in shares.items() if any(pair[which] < FLOOR for pair in pairs)]


def _collect(report, cases):
    """All cases as far as the time goes; then those that were low once more, of which the better run counts: what else ran may
    have been why."""
    rows, end = {}, report.seconds_left - LIMIT
    with MatrixRig() as rig:
        def measure(name):
            if report.seconds_left > end + 8:
                row = _measure(rig, cases[name])
                if name in rows:
                    row["rates"] = [max(pair) for pair in zip(row["rates"], rows[name]["rates"])]
                rows[name] = row

        for name in cases:
            measure(name)
        for name in sorted(_low(_shares(rows, cases), 1), key=lambda name: min(rows[name]["rates"])):
            measure(name)
    return rows


def offload_guests(report):
    """The cover of all pairs, by the best case and by the best of those in which the guests do at least the same work."""
    with report.section("offload_guests", "TCP between emulated guests, combinations of offloads") as data:
        cases = {title(case): case for case in offload_matrix().cases(2, seeds())}
        rows = _collect(report, cases)
        shares = _shares(rows, cases)
        low = [_low(shares, which) for which in (0, 1)]
        data["cases"] = {name: {**row, "shares": shares[name]} for name, row in rows.items()}
        report.say("    Share of the best case / of the best one in which the guests do at least the same work by themselves")
        table = [[name, *(f"{best:.2f} / {fair:.2f}" for best, fair in shares[name]), f"{100 * row['busy']:.0f} %",
                  " ".join(word for word, names in zip(("best", "fair"), low) if name in names)] for name, row in rows.items()]
        report.table(["case", "a to b", "b to a", "a to far", "core busy", "below half of"],
                     sorted(table, key=lambda line: line[1]))
        tops = ", ".join(f"{max(row['rates'][way] for row in rows.values()):.0f}" for way in range(len(WAYS)))
        report.say(f"    best: {tops} Mbit/s; {len(rows)} of {len(cases)} cases, below {FLOOR} one way or another: {len(low[0])} of "
                   f"the best, {len(low[1])} of the fair base")
        for name in sorted(rows, key=lambda name: min(pair[1] for pair in shares[name]))[:SLOWEST]:
            report.say(f"    slowest by the fair base: {name}: {', '.join(f'{rate:.0f}' for rate in rows[name]['rates'])} Mbit/s, "
                       f"retransmissions {rows[name]['retransmits']}, drops {rows[name]['drops'] or 'none'}")
