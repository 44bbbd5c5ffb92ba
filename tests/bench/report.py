# SPDX-License-Identifier: BSD-3-Clause
"""What was measured, as text for people, as JSON and as plots, with what it takes to judge it: the machine, its noise,
and the project's goals.

A section is a function in a module of its own, called by tools/bench, which lists it in SECTIONS or OPTIONAL:

    def ports(report, rounds):
        with report.section("ports", "What many ports cost") as data:
            few, many = measure_turn_by_turn(rounds)                           # A B A B ..., lists of equal length
            report.table(["ports", "cycles per packet"], rows)                 # figures, for people
            data["cycles"] = {"2": rep.summary(few), "28": rep.summary(many)}  # the same for report.json
            report.against(data, {"scale/busy-ports": rep.ratios(many, few)})  # a row with goal and floor
            report.bars("ports", "Cost of a packet", "cycles", {"vswitchd": {"2 ports": few, "28 ports": many}})

Goals have one place, goals.py: a ratio that is to be held against one gets an entry there, and the entry's key is what
against() takes. All of them are listed once more at the end of the report, with those that nothing was measured for.
"""
import contextlib
import json
import os
import platform
import subprocess
import time
from pathlib import Path

from lib import paths

from . import plot
from .figures import quantile, ratios, spread, summary  # noqa: F401 (sections take them from here)
from .goals import GOALS


def noise(seconds=0.5):
    """How evenly this machine works: the same piece of work again and again, in times of its fastest run."""
    times = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begin = time.perf_counter()
        sum(range(40000))
        times.append(time.perf_counter() - begin)
    best = min(times)
    return {"p50": round(quantile(times, 0.5) / best, 2), "p90": round(quantile(times, 0.9) / best, 2),
            "max": round(max(times) / best, 1), "load": round(os.getloadavg()[0], 2)}


def machine():
    """CPU, memory, kernel, versions."""
    cpu = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
           if line.startswith("model name")]
    pages = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")
    return {
        "cpu": cpu[0] if cpu else platform.machine(), "cpus": len(os.sched_getaffinity(0)),
        "virtual": _say(["systemd-detect-virt", "--vm"]) or "unknown",
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20,
        "hugepages": int(pages.read_text()) if pages.exists() else 0,
        "kernel": platform.release(), "dpdk": _say(["pkg-config", "--modversion", "libdpdk"]),
        "qemu": _say([paths.QEMU, "--version"]).split("\n")[0],
        "commit": _say(["git", "-C", paths.REPO, "describe", "--always", "--dirty"]),
        "date": time.strftime("%Y-%m-%d %H:%M:%S %z"), "load": [round(load, 2) for load in os.getloadavg()],
    }


def _say(command):
    try:
        done = subprocess.run([str(word) for word in command], text=True, timeout=20, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


class Report:
    """Prints lines as they come, and keeps them and the data for two files."""

    def __init__(self, folder, limit):
        self.folder = Path(folder)
        self.started = time.monotonic()
        self.limit = limit
        self.data = {"machine": machine(), "sections": {}}
        self.broken = 0
        self._lines = []

    @property
    def seconds_left(self):
        """Time until the limit."""
        return self.limit - (time.monotonic() - self.started)

    def say(self, text=""):
        """A line of the report."""
        self._lines.append(text)
        print(text, flush=True)

    def table(self, head, rows):
        """Columns: the first one to the left, the others to the right."""
        cells = [[str(cell) for cell in row] for row in [head, *rows]]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        for row in cells:
            self.say("    " + "  ".join(cell.rjust(width) if i else cell.ljust(width)
                                        for i, (cell, width) in enumerate(zip(row, widths))).rstrip())

    def against(self, data, measured, doubtful=()):
        """Ratios of single rounds, {key of GOALS: [...]}, as a table with goal and floor; kept in the section's data.

        What is reached gets a "?" for the keys in `doubtful`: those measured while the machine was busy with other work."""
        kept = data.setdefault("goals", {})
        for key, values in measured.items():
            goal, figures = GOALS[key], summary(values)
            kept[key] = {"what": goal.what, "peer": goal.peer, "goal": goal.goal, "floor": goal.floor, **figures,
                         "reached": goal.verdict(figures["median"]) + ("?" if key in doubtful else "")}
        self._goals({key: kept[key] for key in measured})

    def _goals(self, rows):
        self.table(["ratio", "against", "median", "", "single rounds", "goal", "floor", "reached"],
                   [[row["what"], row["peer"], f"{row['median']:.2f}", f"±{row['spread_percent']:.0f} %",
                     f"{row['min']:.2f} to {row['max']:.2f}", f"{row['goal']:g}", f"{row['floor']:g}", row["reached"]]
                    for row in rows.values()])

    def _all_goals(self):
        """The table of all that was held against a goal in this run, and what was not."""
        rows = {key: row for section in self.data["sections"].values() for key, row in section.get("goals", {}).items()}
        if not rows:
            return
        self.say("\n=== All goals (reached: the goal; the floor; or below the floor; with a ?, on a machine too busy to tell. "
                 "Where the goal is below the floor, less is better)")
        self._goals({key: rows[key] for key in GOALS if key in rows})
        missing = [f"{goal.what} against {goal.peer}" for key, goal in GOALS.items() if key not in rows]
        if missing:
            self.say(f"    not measured in this run: {'; '.join(missing)}")

    def bars(self, name, title, unit, series):
        """A plot into NAME.svg beside the report: {series: {group: values}}, a bar for each median."""
        self._plot(plot.bars, name, title, unit, series)

    def lines(self, name, title, unit, x_title, series):
        """The same with curves: {series: {x: values}}."""
        self._plot(plot.lines, name, title, unit, x_title, series)

    def _plot(self, draw, name, title, unit, *rest):
        self.folder.mkdir(parents=True, exist_ok=True)
        draw(self.folder / f"{name}.svg", title, unit, *rest)
        self.say(f"    plot: {name}.svg")

    def head(self):
        """What this machine is."""
        facts = self.data["machine"]
        self.say(f"vmxnet3x {facts['commit']}, {facts['date']}")
        self.say(f"{facts['cpu']}, {facts['cpus']} CPUs ({facts['virtual']}), {facts['memory_mib']} MiB, "
                 f"{facts['hugepages']} hugepages")
        self.say(f"Linux {facts['kernel']}, DPDK {facts['dpdk']}, {facts['qemu']}")
        self.say(f"load average {' '.join(str(load) for load in facts['load'])}")
        self.say("Figures are of this machine at this moment. Compare ratios and counts, not times; and no two "
                 "figures that differ by less than their spread (±: half of the distance between the quartiles).")

    @contextlib.contextmanager
    def section(self, name, title):
        """One measurement; what goes wrong in it does not keep the others from their turn."""
        data = self.data["sections"][name] = {}
        begin = time.monotonic()
        self.say(f"\n=== {title}")
        try:
            before = noise()
            yield data
            after = noise()
            data["noise"] = {"before": before, "after": after}
            self.say(f"    noise: the same work took p50 {before['p50']} and {after['p50']}, p90 {before['p90']} and "
                     f"{after['p90']}, at most {before['max']} and {after['max']} times its best, before and after; "
                     f"load {before['load']} and {after['load']}")
        except TimeoutError as error:
            data["slow"] = str(error)
            self.say(f"    no figure, too slow: {error}")
        except Exception as error:  # the report says it, the exit status too
            self.broken += 1
            data["error"] = f"{type(error).__name__}: {error}"
            self.say(f"    FAILED: {data['error']}")
        data["seconds"] = round(time.monotonic() - begin, 1)
        self.say(f"    [{data['seconds']:.0f} s]")

    def write(self):
        """Both files, after a last word about the goals."""
        self._all_goals()
        self.data["seconds"] = round(time.monotonic() - self.started, 1)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "report.json").write_text(json.dumps(self.data, indent=1) + "\n")
        self.say(f"\n{self.data['seconds']:.0f} s; this report and all single figures: {self.folder}/report.txt, "
                 "report.json")
        (self.folder / "report.txt").write_text("\n".join(self._lines) + "\n")
