# SPDX-License-Identifier: BSD-3-Clause
"""Two testpmd ports through vswitchd, and through Debian's Open vSwitch with DPDK.

testpmd forwards what it gets at one port to the other, so a fixed number of frames goes round and round through the
switch, both ways at once: neither side ever waits for a generator, and nothing needs to be dropped. The same command
line drives both but for the two ports. One CPU is testpmd's, another the switch's. While one switch has its turn the
other is stopped (SIGSTOP).
"""
import contextlib
import os
import signal
import statistics
import time
from pathlib import Path

from lib import eal, paths
from lib.daemon import Vswitchd
from lib.netns import NetNs
from lib.ovs import NO_HUGE, Ovs, hugepages
from lib.patience import run_delay
from lib.testpmd import Testpmd

from . import report as rep

OURS, PEER = "vswitchd", "OVS-DPDK"
SIZES = {64: 60, 1518: 1514}  # on a wire, and without the frame check sequence as a driver has them
MACS = ("52:54:00:00:0c:01", "52:54:00:00:0c:02")
BURSTS = 8       # of 32 frames; so many go round in each direction
RING = 1024      # descriptors, of either peer
OVS_MIB, PMD_MIB, VSWITCHD_MIB = 256, 128, 128
WARM_UP = 0.6    # Open vSwitch looks through its flows twice a second: by then it has learned
BUSY = 0.1       # share of waiting from which on it is the machine that was measured


def _switch_cpu():
    """The last one; testpmd forwards on the first."""
    return max(os.sched_getaffinity(0))


def _free_hugepages():
    return int(Path("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages").read_text()) * 2


class Loop:
    """A switch with two ports in a learning bridge, and a testpmd between the two."""

    def __init__(self, stack, vdevs, netns, huge):
        memory = (["--in-memory", "--single-file-segments", "--socket-mem", str(PMD_MIB)] if huge
                  else ["--no-huge", "-m", str(PMD_MIB)])
        args = ["--nb-cores=1", f"--rxd={RING}", f"--txd={RING}", "--forward-mode=io", "--no-flush-rx"]
        args += [f"--eth-peer={port},{mac}" for port, mac in enumerate(reversed(MACS))]
        self.pmd = Testpmd(vdevs, args, memory=memory, plugins=eal.our_plugins(), netns=netns)
        stack.enter_context(self.pmd)
        for port in (0, 1):
            self.pmd.wait_link(port)

    def _received(self):
        return sum(self.pmd.stats_of(port)["rx_packets"] for port in (0, 1))

    def run(self, size, seconds):
        """Frames per second through the switch, both directions added, and how many were lost on the way."""
        self.pmd.cmd(f"set txpkts {size}")
        self.pmd.cmd("set fwd io")
        self.pmd.cmd(f"start tx_first {BURSTS}")
        time.sleep(WARM_UP)
        begin, before = time.monotonic(), self._received()
        time.sleep(seconds)
        passed, received = time.monotonic() - begin, self._received() - before
        ports = self.pmd.halt().values()
        # What has been sent and not been received is on its way, or lost.
        on_the_way = sum(port["tx_packets"] - port["rx_packets"] for port in ports)
        drained = self._drain()
        return received / passed, on_the_way - drained

    def _drain(self):
        """Take what is still on its way, so that the next run begins with nothing."""
        self.pmd.forward("rxonly")
        time.sleep(0.2)
        return sum(port["rx_packets"] for port in self.pmd.halt().values())


class Vswitch:
    """vswitchd and our front end."""

    def __init__(self, stack, netns, huge):
        daemon = Vswitchd({"ports": []}, netns=netns)
        stack.callback(daemon.close)
        names = ["p1", "p2"]
        daemon.configure({
            "run-dir": str(daemon.dir),
            "dpdk": {"memory": VSWITCHD_MIB, "hugepages": "yes" if huge else "no"},
            "workers": {"cores": str(_switch_cpu())},
            "ports": [{"name": name, "type": "device", "socket": daemon.socket(name), "mac": mac}
                      for name, mac in zip(names, MACS)],
            "bridges": [{"name": "br0", "ports": names}],
        })
        self.switch = stack.enter_context(daemon)
        vdevs = [f"net_vmxnet3x{i},path={daemon.socket(name)}" for i, name in enumerate(names)]
        self.loop = Loop(stack, vdevs, netns, huge)


class OpenVswitch:
    """Open vSwitch and virtio-user ports, to which it connects by vhost-user."""

    def __init__(self, stack, netns, huge):
        self.switch = stack.enter_context(Ovs(netns, core=_switch_cpu(), memory=hugepages(OVS_MIB) if huge else NO_HUGE))
        sockets = [self.switch.dir / f"p{i}.sock" for i in (0, 1)]
        for i, path in enumerate(sockets):
            self.switch.add_port(f"p{i}", "dpdkvhostuserclient", vhost_server_path=path)
        vdevs = [f"net_virtio_user{i},path={path},server=1,queue_size={RING},mac={mac}"
                 for i, (path, mac) in enumerate(zip(sockets, MACS))]
        self.loop = Loop(stack, vdevs, netns, huge)


def _waited(pids, before):
    """The longest time that a thread of these wanted a CPU and had none."""
    return max(delay - before.get(tid, 0) for pid in pids for tid, delay in run_delay(pid).items())


def _turn(peer, size, seconds):
    pids = peer.switch.pid, peer.loop.pmd.pid
    peer.switch.process.send_signal(signal.SIGCONT)
    try:
        before = {tid: delay for pid in pids for tid, delay in run_delay(pid).items()}
        begin = time.monotonic()
        rate, lost = peer.loop.run(size, seconds)
        return {"Mpps": rate / 1e6, "lost": lost, "waited": _waited(pids, before) / (time.monotonic() - begin)}
    finally:
        peer.switch.process.send_signal(signal.SIGSTOP)


def _measure(report, peers, rounds, seconds, reserve):
    runs = {(size, name): [] for size in SIZES for name in peers}
    longest = 0.0
    for done in range(rounds):
        if done and report.seconds_left < reserve + longest:
            break
        begin = time.monotonic()
        for size in SIZES:
            for name, peer in peers.items():
                runs[size, name].append(_turn(peer, SIZES[size], seconds))
        longest = max(longest, time.monotonic() - begin)
    return runs


def _row(title, pairs):
    """Median and spread of either, the ratio of the pairs, and the figures for the JSON file."""
    figures = {name: [pair[name]["Mpps"] for pair in pairs] for name in (OURS, PEER)}
    ratios = [pair[OURS]["Mpps"] / pair[PEER]["Mpps"] for pair in pairs]
    size = int(title.split()[0])
    cells = [cell for values in figures.values() for cell in (
        f"{statistics.median(values):.2f}", f"±{rep.spread(values):.0f} %",
        f"{statistics.median(values) * 1e6 * (size + 20) * 8 / 1e9:.1f}")]
    row = [title, len(pairs), *cells, f"{statistics.median(ratios):.2f}", f"±{rep.spread(ratios):.0f} %",
           f"{min(ratios):.2f} to {max(ratios):.2f}"]
    return row, {"Mpps": {name: rep.summary(values) for name, values in figures.items()}, "ratio": rep.summary(ratios)}


def _say(report, data, runs):
    rows = []
    for size in SIZES:
        every = [{OURS: ours, PEER: theirs} for ours, theirs in zip(runs[size, OURS], runs[size, PEER])]
        data[f"{size} B, every round"] = every
        # On a machine busy enough nothing at all gets through in a round: there is nothing to compare.
        pairs = [pair for pair in every if all(run["Mpps"] for run in pair.values())]
        quiet = [pair for pair in pairs if max(run["waited"] for run in pair.values()) < BUSY]
        for title, chosen in ((f"{size} B", pairs), (f"{size} B, quiet", quiet)):
            if chosen:
                row, data[title] = _row(title, chosen)
                rows.append(row)
    if not rows:
        raise TimeoutError("in no round did frames come through both switches")
    report.table(["medians", "rounds", f"{OURS} Mpps", "", "Gbit/s", f"{PEER} Mpps", "", "Gbit/s", "ratio", "",
                  "single rounds"], rows)
    report.say(f"    quiet: rounds in which no thread of either waited for a CPU for {100 * BUSY:.0f} % of the time. "
               "Two polling threads on busy CPUs wait for each other's turn; then they say little of the switches.")
    for name in (OURS, PEER):
        every = [run for size in SIZES for run in runs[size, name]]
        waited = [run["waited"] for run in every]
        report.say(f"    {name}: {sum(run['lost'] for run in every)} frames lost; a thread of the switch or of testpmd "
                   f"waited for a CPU in {100 * statistics.median(waited):.0f} % of the time ({100 * min(waited):.0f} "
                   f"to {100 * max(waited):.0f} %)")


def ovs(report, rounds, seconds, reserve=0):
    """Frames per second through both, turn by turn, as many rounds as there is time for."""
    title = "Two testpmd ports: through vswitchd with net_vmxnet3x, through OVS-DPDK with net_virtio_user"
    with report.section("ovs", title) as data, contextlib.ExitStack() as stack:
        paths.need(paths.PMD_VMXNET3X)
        netns = stack.enter_context(NetNs("bench"))
        huge = _free_hugepages() >= OVS_MIB + 2 * PMD_MIB + VSWITCHD_MIB
        peers = {OURS: Vswitch(stack, netns, huge)}
        peers[OURS].switch.process.send_signal(signal.SIGSTOP)
        stack.callback(peers[OURS].switch.process.send_signal, signal.SIGCONT)
        peers[PEER] = OpenVswitch(stack, netns, huge)
        peers[PEER].switch.process.send_signal(signal.SIGSTOP)
        stack.callback(peers[PEER].switch.process.send_signal, signal.SIGCONT)
        data["hugepages"] = huge
        report.say(f"    Frames per second, both ways added; {2 * BURSTS * 32} frames go round. One CPU for testpmd, one "
                   f"for the switch; {'hugepages' if huge else 'plain pages'}; rings of {RING}. Gbit/s as on a wire.")
        _say(report, data, _measure(report, peers, rounds, seconds, reserve))
