# SPDX-License-Identifier: BSD-3-Clause
"""Instructions of a frame all the way from application to application (loop_cost.c), and those that are kept.

tests/bench/loop_cost.json keeps them, with the compiler and the DPDK that they hold for. `make check` compares it with
the build (test_loop_cost.py): who makes the way longer says so by changing the file in the same commit.
"""
import json
import re
import tempfile
from pathlib import Path

from lib import paths

from .device import have_valgrind, run_program

KEPT = Path(__file__).with_suffix(".json")
PROGRAM = paths.BUILD / "tests/bench/loop_cost"
CASES = {(size, burst): f"{size} B, bursts of {burst}" for size in (64, 1518) for burst in (32, 1)}
FCS = 4             # of the size on a wire, not in memory
FRAMES = 16384      # of each case: every ring goes round eight times
TOLERANCE = 0.05
TOP_FUNCTIONS = 10

# "1,218,000 (20.78%)  /src/dev_rx.c:vmxnet3_dev_deliver [/build/loop_cost]"; lines of inlined code name no program.
ENTRY = re.compile(r"^\s*([\d,]+) \(\s*[\d.]+%\)\s+(\S+?):(\S+)( \[.*\])?$", re.MULTILINE)

# Where a function's file belongs.
PARTS = (
    ("front end, transmit", r"drivers/net/vmxnet3x/vx_tx"),
    ("front end, receive", r"drivers/net/vmxnet3x/"),
    ("device, transmit", r"lib/vmxnet3_dev/dev_tx"),
    ("device, receive", r"lib/vmxnet3_dev/dev_rx"),
    ("device, interrupts and all else", r"lib/vmxnet3_dev/|lib/vfio_user/"),
    ("offload", r"lib/offload"),
    ("switch", r"app/vswitchd/"),
    ("the loop itself", r"tests/bench/"),
    ("libc and DPDK", r""),
)


def count(folder):
    """{case: {"instructions": per frame, "parts": {...}, "functions": {...}, ...}}, repeatable to the instruction."""
    out = Path(folder) / "callgrind"
    cases = [f"{size - FCS}:{burst}" for size, burst in CASES]
    lines = run_program(["setarch", "-R", "valgrind", "--quiet", "--tool=callgrind", "--toggle-collect=loop_measured",
                         "--dump-after=loop_measured", f"--callgrind-out-file={out}", paths.need(PROGRAM), FRAMES,
                         *cases], timeout=240).splitlines()
    return {title: {**json.loads(line), **_profile(f"{out}.{number}")}
            for number, (title, line) in enumerate(zip(CASES.values(), lines), 1)}


def _profile(out):
    """Instructions per frame of one dump, by part and by function too. What is inlined counts where it is inlined."""
    functions, home = {}, {}
    text = run_program(["callgrind_annotate", "--auto=no", "--threshold=100", out])
    for amount, file, name, program in ENTRY.findall(text):
        name = name.split(".")[0]
        # Of dumps after the first, what called main() is said to have done all of it by itself.
        if re.match(r"__libc_start|\(below|main$|0x", name):
            continue
        functions[name] = functions.get(name, 0) + int(amount.replace(",", "")) / FRAMES
        if program:
            home[name] = file
    parts = {part: 0 for part, _ in PARTS}
    for name, amount in functions.items():
        parts[next(part for part, where in PARTS if re.search(where, home.get(name, "")))] += amount
    total = int(re.search(r"^\s*([\d,]+) .*PROGRAM TOTALS", text, re.MULTILINE)[1].replace(",", "")) / FRAMES
    return {"instructions": total, "parts": parts,
            "functions": dict(sorted(functions.items(), key=lambda item: -item[1]))}


def measure():
    """count() in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="vx-loop-") as folder:
        return count(folder)


def kept_form(runs):
    """What the file holds of these."""
    first = next(iter(runs.values()))
    return {"compiler": first["compiler"], "dpdk": first["dpdk"], "vectors": first["vectors"],
            "instructions": {title: round(run["instructions"]) for title, run in runs.items()}}


def keep(runs):
    """Write the file."""
    KEPT.write_text(json.dumps(kept_form(runs), indent=1) + "\n")


def kept():
    """What the file says."""
    return json.loads(KEPT.read_text())


def why_not_comparable(old, new):
    """In what two differ so that their counts say nothing of each other; "" if in nothing."""
    return ", ".join(f"{key} {old[key]} there and {new[key]} here" for key in ("compiler", "dpdk", "vectors")
                     if old[key] != new[key])


def loop_cost(report, rewrite):
    """Section of the report."""
    title = "Instructions of a frame from application to application, two ports of a learning bridge"
    with report.section("loop_cost", title) as data:
        if not have_valgrind():
            report.say("    instructions are not counted: install valgrind (apt-get install valgrind)")
            return
        data["runs"] = runs = measure()
        new, old = kept_form(runs), kept()
        differs = why_not_comparable(old, new)
        report.table(["frame", "instructions", "kept", "change", *(part for part, _ in PARTS)],
                     [[title, f"{run['instructions']:.0f}", old["instructions"][title],
                       f"{run['instructions'] / old['instructions'][title] - 1:+.1%}",
                       *(f"{run['parts'][part]:.0f}" for part, _ in PARTS)] for title, run in runs.items()])
        report.say(f"    compiler {new['compiler']}, {new['dpdk']}, {new['vectors']}"
                   + (f"; not comparable with what is kept: {differs}" if differs else ""))
        for title, run in runs.items():
            top = list(run["functions"].items())[:TOP_FUNCTIONS]
            report.say(f"    {title}: " + ", ".join(f"{name} {n:.0f}" for name, n in top))
        if rewrite:
            keep(runs)
            report.say(f"    written: {KEPT}")
