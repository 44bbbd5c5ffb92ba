# SPDX-License-Identifier: BSD-3-Clause
"""The device core by itself, and the front end's bursts: time to the interrupt, and what a frame costs."""
import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lib import paths

from . import report as rep

PROGRAMS = paths.BUILD / "tests/bench"
FRAMES = 6400           # under callgrind, which is slow
TOP_FUNCTIONS = 8


def run_program(command, timeout=120):
    """What a measuring program prints."""
    try:
        done = subprocess.run([str(word) for word in command], text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{Path(command[0]).name} did not end within {timeout} s") from None
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(str(word) for word in command)}: status {done.returncode}: "
                           f"{done.stderr.strip()[-500:]}")
    return done.stdout


def _bars(histogram):
    """Lines of a histogram of [upper bound in µs, count]."""
    total = sum(count for _, count in histogram)
    return [f"{'<= ' + format(bound, 'g') if bound < 1e6 else 'more':>12} us  {count:>8}  "
            f"{'#' * round(50 * count / total)}" for bound, count in histogram]


def interrupt_latency(report, seconds):
    """Delivery to interrupt, in the worker's loop, with and without moderation."""
    title = "Time from delivery to interrupt (device core, guest thread in read())"
    with report.section("interrupt_latency", title) as data:
        lines = run_program([paths.need(PROGRAMS / "intr_latency"), seconds]).splitlines()
        runs = data["runs"] = [json.loads(line) for line in lines]
        rows = []
        for run in runs:
            part = run["total_us"]
            rows.append([run["scenario"], "adaptive" if run["moderated"] else "none", *(f"{part[key]:.1f}" for key in part),
                         f"{run['device_us']['p50']:.1f}", f"{run['kernel_us']['p50']:.1f}", run["frames"],
                         run["interrupts"], f"{run['interrupts'] / max(1, run['frames']):.3f}"])
        report.table(["load", "moderation", "p50 us", "p90", "p99", "max", "device p50", "kernel p50", "frames",
                      "interrupts", "per frame"], rows)
        report.say("    device: delivery to the eventfd; kernel: the eventfd to the return of the guest's read().")
        for run in (runs[1], runs[-1]):
            report.say(f"    {run['scenario']}, {'adaptive' if run['moderated'] else 'no'} moderation:")
            for line in _bars(run["histogram_us"]):
                report.say(f"    {line}")


def have_valgrind():
    """Whether there is a valgrind, fetched from the distribution if need be."""
    if shutil.which("valgrind"):
        return True
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    print("    installing valgrind", flush=True)
    subprocess.run(["apt-get", "install", "-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=60",
                    "valgrind"], env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False, timeout=180,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return shutil.which("valgrind") is not None


def _total(program, words, function, out):
    """Instructions per frame inside of one function of a program."""
    run_program(["valgrind", "--quiet", "--tool=callgrind", f"--toggle-collect={function}",
                 f"--callgrind-out-file={out}", PROGRAMS / program, *words])
    return int(re.search(r"^totals: (\d+)", out.read_text(), re.MULTILINE)[1]) / FRAMES


def _count(size, burst, folder):
    """Instructions per frame, and by function."""
    out = Path(folder) / f"callgrind.{size}.{burst}"
    total = _total("frame_cost", [size, burst, FRAMES], "forward_burst", out)
    functions = {}
    for line in run_program(["callgrind_annotate", "--threshold=100", out]).splitlines():
        # "1,218,000 (20.78%)  /src/dev_rx.c:vmxnet3_dev_deliver [/build/frame_cost]"; inlined code has its own file
        match = re.match(r"\s*([\d,]+) \(\s*[\d.]+%\)\s+\S*?([^/\s:]+):([^\s:]+)", line)
        if match:
            name = match[3].split(".")[0]
            functions[name] = functions.get(name, 0) + int(match[1].replace(",", "")) / FRAMES
    return total, dict(sorted(functions.items(), key=lambda item: -item[1]))


def frame_cost(report):
    """Instructions (counted, so free of noise) and nanoseconds (not so) per frame from guest to guest."""
    with report.section("frame_cost", "Cost of a frame from guest to guest: tx_begin, deliver, tx_end") as data:
        counting = have_valgrind()
        data["runs"] = []
        rows = []
        with tempfile.TemporaryDirectory(prefix="vx-bench-") as folder:
            for size in (64, 1500):
                for burst in (1, 32):
                    run = json.loads(run_program([paths.need(PROGRAMS / "frame_cost"), size, burst, 400000]))
                    times = run["ns_per_frame"]
                    row = [f"{size} bytes, {burst} per burst", f"{min(times):.0f}", f"{rep.quantile(times, 0.5):.0f}",
                           f"{max(times):.0f}"]
                    if counting:
                        run["instructions"], run["by_function"] = _count(size, burst, folder)
                        row.insert(1, f"{run['instructions']:.0f}")
                    data["runs"].append(run)
                    rows.append(row)
        report.table(["frame", *(["instructions"] if counting else []), "ns best", "ns median", "ns worst"], rows)
        if not counting:
            report.say("    instructions are not counted: install valgrind (apt-get install valgrind)")
            return
        for run in data["runs"]:
            if run["burst"] > 1:
                top = list(run["by_function"].items())[:TOP_FUNCTIONS]
                report.say(f"    {run['bytes']} bytes: " + ", ".join(f"{name} {n:.0f}" for name, n in top))


def burst_cost(report):
    """The same of the front end's bursts, at a device that costs nothing of theirs."""
    with report.section("burst_cost", "Cost of a frame in the bursts of net_vmxnet3x: receive with refill; transmit") as data:
        counting = have_valgrind()
        data["runs"], rows = [], []
        with tempfile.TemporaryDirectory(prefix="vx-bench-") as folder:
            for size, burst, how, *options in ((64, 1, ""), (64, 32, ""), (64, 32, ", fast free", "fast-free"),
                                               (64, 32, ", no vectors", "64"), (1500, 32, ""), (9014, 32, " in 5 buffers")):
                run = json.loads(run_program([paths.need(PROGRAMS / "burst_cost"), size, burst, 400000, *options]))
                row = [f"{size} bytes, {burst} per burst{how}"]
                if counting:
                    for way in ("rx", "tx"):
                        run[f"{way}_instructions"] = _total("burst_cost", [size, burst, FRAMES, *options],
                                                            f"vx_{way}_burst", Path(folder) / f"callgrind.{way}")
                        row.append(f"{run[f'{way}_instructions']:.0f}")
                data["runs"].append(run)
                rows.append([*row, f"{run['rx_ns']:.1f}", f"{run['tx_ns']:.1f}"])
        report.table(["frame", *(["rx instructions", "tx instructions"] if counting else []), "rx ns", "tx ns"], rows)
        if not counting:
            report.say("    instructions are not counted: install valgrind (apt-get install valgrind)")
