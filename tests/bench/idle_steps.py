# SPDX-License-Identifier: BSD-3-Clause
"""The back-off steps one by one: what a daemon costs that rests in it, and how late it is for the first packet.

A daemon of 64 ports has this step as its only one, so that it is in it after 1 ms. Two of its ports are taps: a frame is
sent on one and awaited on the other. The same path without any sleep says what of the time is not the step's.
"""
import contextlib
import os
import random
import socket
import time
from pathlib import Path

from lib.daemon import Vswitchd
from lib.netns import NetNs, in_netns

from . import report as rep

PORTS = 64
# Of the defaults: bound of a sleep in µs, and after how long a core is in that step.
STEPS = {50: "1 ms", 500: "100 ms", 5000: "5 s"}
SAMPLES = 300
QUIET_S = 0.004
BOUNDS_US = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, float("inf")]
MACS = bytes.fromhex("02000000aa01"), bytes.fromhex("02000000aa02")


def cpu_seconds(pid):
    """CPU time by thread name."""
    result = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        folder = Path(f"/proc/{pid}/task/{tid}")
        try:
            name = folder.joinpath("comm").read_text().strip()
            spent = int(folder.joinpath("schedstat").read_text().split()[0]) / 1e9
        except (OSError, IndexError):
            continue
        result[name] = result.get(name, 0) + spent
    return result


def _start(stack, sleep_us):
    netns = stack.enter_context(NetNs("idle"))
    netns.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    daemon = Vswitchd({"ports": []}, netns=netns, wrapper=["setsid"])
    stack.callback(daemon.close)
    names = [f"vm{number}" for number in range(1, PORTS - 1)]
    idle = {"steps": [{"after-us": 1000, "sleep-us": sleep_us}]} if sleep_us else {"sleep": False}
    daemon.configure({
        "run-dir": str(daemon.dir), "workers": {"idle": idle},
        "ports": [{"name": name, "type": "device", "socket": daemon.socket(name)} for name in names] +
                 [{"name": f"tap{n}", "type": "tap", "interface": f"tap{n}"} for n in (0, 1)],
        "bridges": [{"name": "br0", "ports": [*names, "tap0", "tap1"]}],
    })
    stack.enter_context(daemon)
    netns.run("ip link set tap0 up; ip link set tap1 up")
    return netns, daemon


def _open(interface):
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x88b5))
    sock.bind((interface, 0x88b5))
    sock.settimeout(2)
    return sock


def _times(samples, quiet_us):
    """µs from the end of sending a frame on one tap to the other's having it. In the namespace."""
    rng, times = random.Random(1), []
    with _open("tap0") as sender, _open("tap1") as receiver:
        def cross(source, sink, out, back):
            frame = out + back + b"\x88\xb5" + bytes(46)
            source.send(frame)
            begin = time.perf_counter_ns()
            while sink.recv(100)[:12] != frame[:12]:
                pass
            return (time.perf_counter_ns() - begin) / 1e3

        # Both addresses are learned.
        cross(receiver, sender, *MACS)
        cross(sender, receiver, *reversed(MACS))
        for _ in range(samples):
            time.sleep(QUIET_S + rng.random() * quiet_us / 1e6)
            times.append(cross(sender, receiver, *reversed(MACS)))
    return times


def _histogram(times):
    """[upper bound in µs, number of times]"""
    return [[bound, sum(low < value <= bound for value in times)] for low, bound in zip([0, *BOUNDS_US], BOUNDS_US)]


def _one(sleep_us, seconds):
    with contextlib.ExitStack() as stack:
        netns, daemon = _start(stack, sleep_us)
        time.sleep(1)
        before, begin = sum(cpu_seconds(daemon.pid).values()), time.monotonic()
        time.sleep(seconds)
        percent = 100 * (sum(cpu_seconds(daemon.pid).values()) - before) / (time.monotonic() - begin)
        return percent, in_netns(netns, lambda: _times(SAMPLES, sleep_us))


def steps(report, data, seconds=4):
    """CPU and latency of each step; then the histograms."""
    rows, bars, usual = [], {}, None
    for sleep_us in (0, *STEPS):
        percent, times = _one(sleep_us, seconds)
        usual = rep.quantile(times, 0.5) if usual is None else usual
        late = sum(value > sleep_us + usual for value in times) / len(times)
        data[f"step {sleep_us} us"] = {"percent": percent, "first_us": rep.summary(times), "histogram_us": _histogram(times)}
        bars[sleep_us] = _histogram(times)
        rows.append([f"{sleep_us} µs" if sleep_us else "none", STEPS.get(sleep_us, "-"), f"{percent:.1f} %",
                     *(f"{rep.quantile(times, q):.0f}" for q in (0.5, 0.9, 0.99, 1)),
                     f"{100 * (1 - late):.0f} %" if sleep_us else "-"])
    report.table(["sleeps of", "by default after", "of a core", "first packet, µs: p50", "p90", "p99", "max", "within"], rows)
    report.say(f"    {PORTS} ports; of {SAMPLES} packets after silence. within: not later than the sleep and the median without sleep.")
    for sleep_us, histogram in bars.items():
        report.say(f"    sleeps of {sleep_us} µs:" if sleep_us else "    without sleep:")
        for bound, number in histogram:
            if number:
                label = f"<= {bound:g}" if bound != float("inf") else "more"
                report.say(f"    {label:>12} us  {number:>8}  {'#' * round(50 * number / SAMPLES)}")
