# SPDX-License-Identifier: BSD-3-Clause
"""Frames and bytes per second from port to port: vswitchd, its peers and the limit, turn by turn in one run."""
import contextlib
import statistics
from dataclasses import dataclass
from pathlib import Path

from lib.netns import NetNs

from . import report as rep
from .bridges import BRIDGES, MEMIF, MEMIF_ZERO_COPY, OURS, Frames
from .goals import OVS, TESTPMD, THE_LIMIT

BUSY = 0.1         # share of waiting from which on it is the machine that was measured
GOAL_KEYS = {OVS: "ovs", TESTPMD: "testpmd", THE_LIMIT: "limit"}
HEADERS = 54       # of a TCP frame; the rest is payload
HUGE_MIB = 940     # all processes of a section


@dataclass(frozen=True)
class Load:
    """Frames of one size. `key` names it in goals.py, `size` is without the frame check sequence."""

    title: str
    key: str
    size: int
    frames: int    # that go round each way
    mss: int = 0   # TCP frames to be segmented, if not 0

    def figure(self, result):
        """What counts: millions of frames per second, or Gbit/s of payload where frames may come in pieces."""
        if self.mss:
            return (result["bytes"] - HEADERS * result["frames"]) * 8 / result["seconds"] / 1e9
        return result["frames"] / result["seconds"] / 1e6

    def gbits(self, result):
        """Gbit/s; of an Ethernet frame also the frame check sequence that it would have."""
        return self.figure(result) if self.mss else result["frames"] * (self.size + 4) * 8 / result["seconds"] / 1e9


PACKETS = (Load("64 B", "64", 60, 256), Load("1518 B", "1518", 1514, 256))
# Few buffers: with 1024 of 9 KB in each ring, what is measured is a cache that they do not fit into, and all bridges are alike.
BYTES = (Load("9014 B", "9014", 9014, 128), Load("TSO 64 KB", "tso", 65000, 16, mss=1448))


def hugepages_mib():
    """Those that are free."""
    return int(Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages").read_text()) * 2


def _measure(report, bridges, loads, rounds, seconds, reserve):
    """{(load, bridge): results}, of as many rounds as there is time for."""
    runs = {(load, name): [] for load in loads for name in bridges}
    longest, begin = 0.0, report.seconds_left
    for done in range(rounds):
        if done and begin < reserve + longest:
            break
        for load in loads:
            for name, bridge in bridges.items():
                runs[load, name].append(bridge.turn(load.size, load.frames, load.mss, seconds))
        longest, begin = max(longest, begin - report.seconds_left), report.seconds_left
    return runs


def _quiet(runs, load, *names):
    """The rounds in which nobody waited for a CPU, and whether there are any; all of them when there are none."""
    rounds = range(len(runs[load, OURS]))
    quiet = [i for i in rounds if max(runs[load, name][i]["waited"] for name in names) < BUSY]
    return quiet or list(rounds), bool(quiet)


def _notes(load, name, results):
    """What did not go as it should: frames lost, or large frames that came in pieces."""
    notes = []
    lost = sum(result["sent_bytes"] - result["back_bytes"] for result in results if "sent_bytes" in result)
    if lost > 0:
        notes.append(f"{lost / load.size:.0f} frames lost")
    if load.mss and any(result["large"] < result["frames"] for result in results if "large" in result):
        size = sum(result["bytes"] for result in results) / max(1, sum(result["frames"] for result in results))
        notes.append(f"came in pieces of {size:.0f} B")
    return [f"{load.title}, {name}: {note}" for note in notes]


def _compare(report, data, loads, names, runs):
    """A row for each bridge; the ratios that have a goal once more, with it."""
    rows, notes, measured, doubtful = [], [], {}, set()
    for load in loads:
        for name in names:
            chosen, quiet = _quiet(runs, load, OURS, name)
            results = [runs[load, name][i] for i in chosen]
            figures = [load.figure(result) for result in results]
            ratios = rep.ratios([load.figure(runs[load, OURS][i]) for i in chosen], figures)
            rows.append([f"{load.title}, {name}", f"{len(chosen)}{'' if quiet else '?'}", f"{statistics.median(figures):.3g}",
                         f"±{rep.spread(figures):.0f} %", f"{statistics.median(load.gbits(one) for one in results):.1f}",
                         *((f"{statistics.median(ratios):.2f}", f"±{rep.spread(ratios):.0f} %") if ratios else ("–", "")),
                         f"{100 * statistics.median(one['waited'] for one in runs[load, name]):.0f} %"])
            notes += _notes(load, name, results)
            key = f"{load.key}/{GOAL_KEYS.get(name)}"
            if key in rep.GOALS and ratios:
                measured[key] = ratios
                doubtful |= set() if quiet else {key}
    report.table(["medians", "rounds", "Mpps (TSO: Gbit/s)", "", "Gbit/s", "ours by it", "", "waited"], rows)
    for note in notes:
        report.say(f"    {note}")
    report.say("    rounds: those in which no thread of either waited for a CPU for a tenth of the time; with a ?, all, as there "
               "was none such. Polling threads on busy CPUs wait for each other; then they say little of the switches.")
    report.against(data, measured, doubtful)


def _section(report, name, title, frames, loads, names, rounds, seconds, reserve):
    with report.section(name, title) as data, contextlib.ExitStack() as stack:
        netns = stack.enter_context(NetNs("bench"))
        huge = data["hugepages"] = hugepages_mib() >= HUGE_MIB
        names = [one for one in names if huge or one != MEMIF_ZERO_COPY]  # DPDK's refuses it on plain pages
        bridges = {one: BRIDGES[one](stack, frames, netns, huge) for one in names}
        round_each_way = ", ".join(f"{load.frames} of {load.title}" for load in loads)
        report.say(f"    Both ways added; going round each way: {round_each_way}. One CPU for the generator, one "
                   f"for the switch; {'hugepages' if huge else 'plain pages'}; rings of {frames.ring}; buffers of {frames.buffer}.")
        runs = _measure(report, bridges, loads, rounds, seconds, reserve)
        data["rounds"] = {f"{load.title}, {one}": results for (load, one), results in runs.items()}
        _compare(report, data, loads, names, runs)
        plotted = {one: {load.title: [load.gbits(result) for result in runs[load, one]] for load in loads} for one in names}
        report.bars(name, f"{title}, medians of all rounds", "Gbit/s", plotted)


def packets(report, rounds, seconds, reserve=0):
    """64 and 1518 bytes, against all peers."""
    _section(report, "packets", "Small and full frames from port to port", Frames(mtu=1500, buffer=2048, ring=1024), PACKETS,
             [OURS, OVS, TESTPMD, MEMIF, MEMIF_ZERO_COPY, THE_LIMIT], rounds, seconds, reserve)


def large(report, rounds, seconds, reserve=0):
    """9014 bytes, and 64 KB with a request to segment them."""
    _section(report, "large", "Jumbo frames, and TSO frames of 64 KB, from port to port",
             Frames(mtu=9000, buffer=9216, ring=256, large=True), BYTES, [OURS, OVS, TESTPMD, THE_LIMIT], rounds, seconds, reserve)
