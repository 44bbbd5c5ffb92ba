# SPDX-License-Identifier: BSD-3-Clause
"""The same with the daemon: two ports carry the carousel's frames, two others belong to a program that does not behave.

There are two CPUs: one is the polling core's, the other is shared by the carousel and the other program. So throughput says little of
the switch; what does is how much of its busy time the neighbours have, and how many frames for each second in which their own program had
the CPU. There are no goals: what a frame costs depends on how many come at once, and so on who had the CPU when.
"""
import contextlib
import statistics

from lib import paths
from lib.daemon import Vswitchd
from lib.pktcheck import PktCheck
from lib.proc import stats
from lib.testpmd import Testpmd

from . import bridges
from . import report as rep
from .carousel import Carousel
from .rates import HUGE_MIB, hugepages_mib

SECONDS = 0.7
FRAMES = 256  # that go round each way
NEIGHBOURS, OTHERS = ("p1", "p2"), ("p3", "p4")
MACS = dict(zip(NEIGHBOURS + OTHERS, (*bridges.MACS, "52:54:00:00:0c:03", "52:54:00:00:0c:04")))


def _fronts(daemon, ports):
    return [f"net_vmxnet3x{number},path={daemon.socket(name)}" for number, name in enumerate(ports)]


def _daemon(huge):
    daemon = Vswitchd({"ports": []})
    daemon.configure({
        "run-dir": str(daemon.dir), "dpdk": {"memory": 128, "hugepages": "yes" if huge else "no"},
        "workers": {"cores": str(bridges.switch_cpu())},
        "ports": [{"name": name, "type": "device", "socket": daemon.socket(name), "mac": mac, "max-queues": 32}
                  for name, mac in MACS.items()],
        "bridges": [{"name": "br0", "ports": list(MACS)}],
    })
    return daemon


@contextlib.contextmanager
def _nobody(_daemon):
    yield


@contextlib.contextmanager
def _testpmd(daemon, mode, start):
    args = ["--nb-cores=1", f"--forward-mode={mode}", "--no-flush-rx", "--disable-link-check", "--total-num-mbufs=8192",
            *(f"--eth-peer={number},{MACS[name]}" for number, name in enumerate(reversed(OTHERS)))]
    with Testpmd(_fronts(daemon, OTHERS), args, plugins=[paths.PMD_VMXNET3X]) as pmd:
        pmd.cmd(start)
        yield
        pmd.cmd("stop")


def _behave(daemon):
    """Frames go round, as those of the neighbours."""
    return _testpmd(daemon, "mac", "start tx_first 8")


def _flood(daemon):
    """Each port sends to the other as fast as it can; nobody takes what comes, so no buffer is posted and no completion freed."""
    return _testpmd(daemon, "txonly", "start")


@contextlib.contextmanager
def _unmask(daemon):
    """Single frames on 16 queues, and an interrupt asked for after each."""
    words = ["--frames", 0, "--seconds", 60, "--queues", 16, "--flows", 64, "--burst", 1, "--max", 64, "--rx-interrupts"]
    with PktCheck(_fronts(daemon, OTHERS), *words, plugins=[paths.PMD_VMXNET3X], cores=1):
        yield


# What the others do.
OF = {"nobody there": _nobody, "behave": _behave, "flood, and never receive": _flood, "ask for each interrupt": _unmask}


class Meter:
    """Counters of ports and of the carousel, as differences."""

    def __init__(self, daemon, carousel):
        self.daemon, self.carousel = daemon, carousel
        self.before = self._read()

    def _read(self):
        costs = {name: self.daemon.ctl.json("port", "show", name)["cost"] for name in MACS}
        return {**{(name, key): cost[key] for name, cost in costs.items() for key in ("cycles", "interrupt_cycles", "frames")},
                "cpu": stats(self.carousel.pid).cpu_seconds}

    def since(self):
        """What has come since the beginning."""
        return {key: value - self.before[key] for key, value in self._read().items()}


def _sum(counted, ports, *keys):
    return sum(counted[(port, key)] for port in ports for key in keys)


def _turn(daemon, carousel):
    meter = Meter(daemon, carousel)
    # Its warm-up counts as well: all of it is beside the others.
    carousel.run(60, FRAMES, 0, SECONDS)
    got = meter.since()
    all_cycles = max(1, _sum(got, MACS, "cycles", "interrupt_cycles"))
    frames = _sum(got, NEIGHBOURS, "frames")
    return {"frames per second": frames / max(0.01, got["cpu"]), "cycles": _sum(got, NEIGHBOURS, "cycles") / max(1, frames),
            "share": _sum(got, NEIGHBOURS, "cycles", "interrupt_cycles") / all_cycles,
            "interrupts": _sum(got, OTHERS, "interrupt_cycles") / all_cycles}


def measure(rounds, huge):
    """{manner: {figure: [of each round]}, ...}, and what was dropped at the others' ports."""
    words = bridges.memory(64, huge)
    figures = {manner: {} for manner in OF}
    with _daemon(huge) as daemon, Carousel(_fronts(daemon, NEIGHBOURS), memory=words) as carousel:
        carousel.run(60, frames=1, mss=0, seconds=0.1)
        for _ in range(rounds):
            for manner, others in OF.items():
                with others(daemon):
                    for key, value in _turn(daemon, carousel).items():
                        figures[manner].setdefault(key, []).append(value)
        drops = {(drop["port"], drop["reason"]): drop["count"] for drop in daemon.ctl.json("drops")}
    return figures, drops


def isolation_daemon(report, rounds):
    """What the neighbours get of the core, and for what."""
    with report.section("isolation_daemon", "The daemon: two ports that carry the carousel's frames, beside two others that ...") as data:
        figures, drops = measure(rounds, hugepages_mib() >= HUGE_MIB)
        data["figures"], data["drops"] = figures, {" ".join(key): count for key, count in drops.items()}
        report.table(["others", "cycles per frame", "", "frames per second of CPU", "", "their share of the core", "others' interrupts"],
                     [[manner, f"{statistics.median(got['cycles']):.0f}", f"±{rep.spread(got['cycles']):.0f} %",
                       f"{statistics.median(got['frames per second']):.0f}", f"±{rep.spread(got['frames per second']):.0f} %",
                       f"{statistics.median(got['share']):.0%}", f"{statistics.median(got['interrupts']):.1%}"]
                      for manner, got in figures.items()])
        report.say("    dropped: " + (", ".join(f"{port}: {count} {reason}" for (port, reason), count in drops.items()) or "nothing"))
