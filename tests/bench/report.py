# SPDX-License-Identifier: BSD-3-Clause
"""What was measured, as text for people and as JSON, with what it takes to judge it: the machine and its noise."""
import contextlib
import json
import os
import platform
import statistics
import subprocess
import time
from pathlib import Path

from lib import paths


def quantile(values, q):
    """The value below which a share q of the values lies (no interpolation)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def spread(values):
    """Half of the distance between the quartiles, in percent of the median."""
    middle = statistics.median(values)
    if len(values) < 2 or not middle:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return 100 * (high - low) / 2 / middle


def summary(values):
    """Median and extremes for the JSON file."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "spread_percent": round(spread(values), 1), "runs": list(values)}


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
        """Both files."""
        self.data["seconds"] = round(time.monotonic() - self.started, 1)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "report.json").write_text(json.dumps(self.data, indent=1) + "\n")
        self.say(f"\n{self.data['seconds']:.0f} s; this report and all single figures: {self.folder}/report.txt, "
                 "report.json")
        (self.folder / "report.txt").write_text("\n".join(self._lines) + "\n")
