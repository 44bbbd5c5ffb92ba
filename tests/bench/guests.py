# SPDX-License-Identifier: BSD-3-Clause
"""Virtual machines through vswitchd, and the same ones through QEMU's own vmxnet3, a tap and a Linux bridge.

Each of the two machines has a card of both kinds. So both ways run on the same kernels in the same processes, and
turn by turn, within seconds of each other. While the peer has its turn the daemon is stopped (SIGSTOP), so that
its polling takes nothing away.
"""
import contextlib
import json
import re
import signal
import statistics
import time

from lib.daemon import Vswitchd
from lib.guest import Guest
from lib.netns import NetNs
from lib.opened import Opened
from lib.patience import run_delay

from . import report as rep

OURS, PEER = "vswitchd", "QEMU vmxnet3, tap, bridge"
CARD = {OURS: "eth0", PEER: "eth1"}
SUBNET = {OURS: "10.9.0", PEER: "10.8.0"}
PINGS = 150
HELD = {"guests/tcp-there": "TCP there, Mbit/s", "guests/tcp-back": "TCP back, Mbit/s", "guests/ping": "ping p50 ms"}
KERNEL = "6.12"


def mac(number):
    """The address of the daemon's port vm<number>."""
    return f"52:54:00:00:0b:{number:02x}"


class Pair(Opened):
    """Two machines, the daemon, and a Linux bridge, in a network namespace."""

    def __init__(self):
        super().__init__()
        self.machines = []
        self.daemon = None

    def _open(self):
        netns = self.stack.enter_context(NetNs("bench"))
        netns.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1; ip link add br0 type bridge; ip link set br0 up")
        self.daemon = start_daemon(self.stack, 2, netns)
        for number in (1, 2):
            netns.run(f"ip tuntap add tap{number} mode tap; ip link set tap{number} master br0 up")
            card = {"driver": "vmxnet3", "netdev": "n", "mac": mac(128 + number)}
            machine = Guest(f"bench{number}", kernel=KERNEL, nics=[self.daemon.socket(f"vm{number}"), card],
                            netns=netns, extra_args=["-netdev", f"tap,id=n,ifname=tap{number},script=no,downscript=no"])
            self.machines.append(self.stack.enter_context(machine))
        for number, machine in enumerate(self.machines, 1):
            machine.wait_boot()
            machine.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
            for way in (OURS, PEER):
                configure(machine, CARD[way], f"{SUBNET[way]}.{number}")
            machine.run("iperf3 -s -D")
        for way in (OURS, PEER):
            self.machines[0].run(f"for i in $(seq 60); do ping -n -q -c 1 -W 1 {SUBNET[way]}.2 >/dev/null && exit 0; "
                                 f"done; echo no answer through {way}; exit 1", timeout=240)

    @contextlib.contextmanager
    def turn(self, way):
        """The other way is quiet meanwhile."""
        if way == PEER:
            self.daemon.process.send_signal(signal.SIGSTOP)
        try:
            yield self.machines[0], f"{SUBNET[way]}.2"
        finally:
            self.daemon.process.send_signal(signal.SIGCONT)

    def counts(self, way):
        """Per machine: interrupts of its card, and packets as its driver counts them."""
        result = []
        for machine in self.machines:
            text = machine.run("cat /proc/interrupts")
            lines = [line.split() for line in text.splitlines() if line.split()[-1].startswith(CARD[way] + "-")]
            counters = driver_counters(machine, CARD[way])
            result.append({"interrupts": sum(int(line[1]) for line in lines),
                           "rx": counters["ucast pkts rx"], "tx": counters["ucast pkts tx"]})
        return result

    def frames(self):
        """Per machine: frames that the switch delivered to it (a large one is one) and interrupts it raised."""
        ports = {row["port"]: row for row in self.daemon.ctl.json("stats")}
        return [ports[f"vm{number}"] for number in (1, 2)]


def start_daemon(stack, ports, netns=None):
    """A daemon with so many device ports in one bridge, all else by default.

    In a session of its own, so that the kernel's scheduler sees it as a group of its own, as it sees a service.
    """
    daemon = Vswitchd({"ports": []}, netns=netns, wrapper=["setsid"])
    stack.callback(daemon.close)
    names = [f"vm{number}" for number in range(1, ports + 1)]
    daemon.configure({
        "run-dir": str(daemon.dir),
        "ports": [{"name": name, "type": "device", "socket": daemon.socket(name), "mac": mac(number)}
                  for number, name in enumerate(names, 1)],
        "bridges": [{"name": "br0", "ports": names}],
    })
    return stack.enter_context(daemon)


def configure(machine, card, address):
    """Give a card an address and wait for its carrier."""
    machine.run(f"ip addr replace {address}/24 dev {card}; ip link set {card} up; for i in $(seq 100); do "
                f"grep -q 1 /sys/class/net/{card}/carrier && exit 0; sleep 0.1; done; exit 1")


def ping_times(machine, address, count, interval, timeout=60):
    """Round trips in ms; lost ones are missing."""
    out = machine.run(f"ping -n -c {count} -i {interval} -W 5 {address}", timeout=timeout, check=False)
    times = [float(text) for text in re.findall(r" time=([\d.]+) ms", out)]
    if not times:
        raise RuntimeError(f"no answer from {address}:\n{out[-300:]}")
    return times


def driver_counters(machine, card):
    """ethtool -S, repeated names summed over the queues."""
    result = {}
    for name, value in re.findall(r"^\s+(.*?):\s+(\d+)$", machine.run(f"ethtool -S {card}"), re.MULTILINE):
        result[name] = result.get(name, 0) + int(value)
    return result


def _iperf(machine, address, seconds, options=""):
    out = machine.run(f"iperf3 -J -c {address} -t {seconds} --connect-timeout 20000 {options}",
                      timeout=60 + 5 * seconds, check=False)
    report = json.loads(out[out.index("{"):])
    if "error" in report:
        raise RuntimeError(f"iperf3: {report['error']}")
    return report["end"]


def _tcp(machine, address, seconds, options=""):
    return _iperf(machine, address, seconds, options)["sum_received"]["bits_per_second"] / 1e6


def _delta(before, after):
    return [{key: new[key] - old[key] for key in new if isinstance(new[key], int)} for old, new in zip(before, after)]


def _one_turn(pair, way, seconds, results):
    delays = run_delay(pair.daemon.pid)
    before = pair.counts(way)
    begin = time.monotonic()
    with pair.turn(way) as (machine, address):
        times = ping_times(machine, address, PINGS, 0.01)
        results["ping p50 ms"][way].append(rep.quantile(times, 0.5))
        results["ping p90 ms"][way].append(rep.quantile(times, 0.9))
        results["TCP there, Mbit/s"][way].append(_tcp(machine, address, seconds))
        results["TCP back, Mbit/s"][way].append(_tcp(machine, address, seconds, "-R"))
    passed = time.monotonic() - begin
    sums = _delta(before, pair.counts(way))
    results["interrupts/s"][way].append(sum(one["interrupts"] for one in sums) / passed)
    if way == OURS:
        waited = [after - delays.get(tid, 0) for tid, after in run_delay(pair.daemon.pid).items()]
        results["waited"].append(max(waited) / passed)


def _ratios(results, key):
    return [ours / peer for ours, peer in zip(results[key][OURS], results[key][PEER]) if peer]


def peer(report, pair, rounds, seconds, reserve):
    """TCP and ping through both, turn by turn, as many rounds as there is time for."""
    title = f"vswitchd and QEMU's own vmxnet3 with a tap and a bridge, {KERNEL} guests, emulated CPU"
    with report.section("peer", title) as data:
        keys = ["TCP there, Mbit/s", "TCP back, Mbit/s", "ping p50 ms", "ping p90 ms", "interrupts/s"]
        results = {key: {OURS: [], PEER: []} for key in keys}
        results["waited"] = []
        longest = 0.0
        for _ in range(rounds):
            if results["waited"] and report.seconds_left < reserve + longest:
                break
            begin = time.monotonic()
            for way in (OURS, PEER):
                _one_turn(pair, way, seconds, results)
            longest = max(longest, time.monotonic() - begin)
        rows = []
        for key in keys:
            ours, theirs, ratios = results[key][OURS], results[key][PEER], _ratios(results, key)
            data[key] = {OURS: rep.summary(ours), PEER: rep.summary(theirs), "ratio": rep.summary(ratios)}
            rows.append([key, f"{statistics.median(ours):.4g}", f"±{rep.spread(ours):.0f} %",
                         f"{statistics.median(theirs):.4g}", f"±{rep.spread(theirs):.0f} %",
                         f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}"])
        waited = results["waited"]
        report.table([f"median of {len(waited)}", "vswitchd", "", "peer", "", "ratio", "single rounds"], rows)
        report.against(data, {goal: _ratios(results, key) for goal, key in HELD.items()})
        data["worker_waited_share"] = rep.summary(waited)
        report.say("    A polling core of vswitchd was ready to run and had no CPU for "
                   f"{100 * statistics.median(waited):.0f} % of its turns ({100 * min(waited):.0f} to "
                   f"{100 * max(waited):.0f} %).")


def interrupts(report, pair, seconds):
    """Interrupts that a loaded guest gets, against packets."""
    with report.section("interrupts", "Interrupts of a loaded receiver against its packets") as data:
        rows = []
        for title, options in (("TCP", ""), ("UDP 64 bytes, no limit", "-u -b 0 -l 64"),
                               ("UDP 64 bytes, 2,000 each way", "-u -b 1M -l 64 --bidir")):
            for way in (OURS, PEER):
                before, frames = pair.counts(way), pair.frames()
                with pair.turn(way) as (machine, address):
                    _iperf(machine, address, seconds, options)
                receiver, sent = _delta(before, pair.counts(way))[1], _delta(frames, pair.frames())[1]
                delivered = sent["tx_frames"] if way == OURS else receiver["rx"]
                data[f"{title}, {way}"] = {"receiver": receiver, "port": sent if way == OURS else None}
                rows.append([title, "vswitchd" if way == OURS else "peer", receiver["rx"], delivered,
                             receiver["interrupts"], f"{receiver['interrupts'] / max(1, receiver['rx']):.4f}",
                             f"{receiver['interrupts'] / max(1, delivered):.4f}"])
        report.table(["load", "through", "packets", "frames", "interrupts", "per packet", "per frame"], rows)
        report.say("    packets: ethtool -S in the guest; frames: the same with each large one as one.")
