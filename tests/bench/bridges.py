# SPDX-License-Identifier: BSD-3-Clause
"""What frames can go through from one port to another: vswitchd, its peers, and the limit. All have the same generator.

One CPU is the generator's, another the switch's. A bridge that does not have its turn is stopped (SIGSTOP), so that its
polling takes nothing away.
"""
import contextlib
import json
import os
import signal
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from lib import paths
from lib.daemon import Vswitchd
from lib.ovs import NO_HUGE, Ovs, hugepages
from lib.patience import run_delay
from lib.testpmd import Testpmd

from . import device
from .carousel import Carousel
from .goals import OVS, TESTPMD, THE_LIMIT

OURS, MEMIF, MEMIF_ZERO_COPY = "vswitchd", "memif", "memif, zero copy"
MACS = ("52:54:00:00:0c:01", "52:54:00:00:0c:02")
LIMIT_PROGRAM = paths.BUILD / "tests/bench/limit"


@dataclass
class Frames:
    """What shall pass: the ports' MTU, the generator's buffers and rings; whether large frames come and go whole (TSO, LRO)."""

    mtu: int
    buffer: int
    ring: int
    large: bool = False

    @property
    def words(self):
        """The generator's options."""
        return ["--mtu", self.mtu, "--buffer", self.buffer, "--ring", self.ring, *(["--large"] if self.large else [])]

    @property
    def mebibytes(self):
        """Memory that the generator takes."""
        return 64 if self.buffer <= 2048 else 128


def guest_cpu():
    """The generator's."""
    return min(os.sched_getaffinity(0))


def switch_cpu():
    """The switch's."""
    return max(os.sched_getaffinity(0))


def memory(mebibytes, huge):
    """EAL options for so much memory, in one file that a peer can map."""
    if huge:
        return ["--in-memory", "--single-file-segments", "--socket-mem", str(mebibytes)]
    return ["--no-huge", "-m", str(mebibytes)]


class Bridge:
    """A switch's process, and the generator that has a port at either side of it."""

    def __init__(self, stack, switch, vdevs, frames, netns, huge):
        self.switch = switch
        self.carousel = stack.enter_context(Carousel(vdevs, frames.words, netns=netns, memory=memory(frames.mebibytes, huge)))
        # Until then a bridge may not know that somebody is there: the other half of a link, addresses.
        self.carousel.run(60, frames=1, mss=0, seconds=0.1)
        self.switch.process.send_signal(signal.SIGSTOP)
        stack.callback(self.switch.process.send_signal, signal.SIGCONT)

    @contextlib.contextmanager
    def awake(self):
        """It may run meanwhile."""
        self.switch.process.send_signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.switch.process.send_signal(signal.SIGSTOP)

    def turn(self, size, frames, mss, seconds):
        """A run of the generator; also the share of the time in which a thread wanted a CPU and had none ("waited")."""
        pids = self.switch.process.pid, self.carousel.pid
        with self.awake():
            before = {tid: delay for pid in pids for tid, delay in run_delay(pid).items()}
            begin = time.monotonic()
            result = self.carousel.run(size, frames, mss, seconds)
            passed = time.monotonic() - begin
            waited = max(delay - before.get(tid, 0) for pid in pids for tid, delay in run_delay(pid).items())
        return {**result, "waited": waited / passed}


def vswitchd(stack, frames, netns, huge):
    """vswitchd and our front end; a learning bridge."""
    daemon = Vswitchd({"ports": []}, netns=netns)
    stack.callback(daemon.close)
    names = ["p1", "p2"]
    daemon.configure({
        "run-dir": str(daemon.dir),
        "dpdk": {"memory": 128, "hugepages": "yes" if huge else "no"},
        "workers": {"cores": str(switch_cpu())},
        "ports": [{"name": name, "type": "device", "socket": daemon.socket(name), "mac": mac}
                  for name, mac in zip(names, MACS)],
        "bridges": [{"name": "br0", "ports": names}],
    })
    vdevs = [f"net_vmxnet3x{i},path={daemon.socket(name)}" for i, name in enumerate(names)]
    return Bridge(stack, stack.enter_context(daemon), vdevs, frames, netns, huge)


def _folder(stack):
    """For sockets; its path is short, and nobody else may enter."""
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vx-b-")))


def _virtio_user(sockets, frames, more=""):
    return [f"net_virtio_user{i},path={path},queue_size={frames.ring},mac={mac}{more}"
            for i, (path, mac) in enumerate(zip(sockets, MACS))]


def open_vswitch(stack, frames, netns, huge):
    """Open vSwitch with vhost-user ports; a learning bridge. It connects to the generator's sockets."""
    config = {"userspace-tso-enable": "true"} if frames.large else {}
    memory = hugepages(256) if huge else NO_HUGE
    ovs = stack.enter_context(Ovs(netns, core=switch_cpu(), memory=memory, other_config=config))
    sockets = [ovs.dir / f"p{i}.sock" for i in (0, 1)]
    for i, path in enumerate(sockets):
        ovs.add_port(f"p{i}", "dpdkvhostuserclient", mtu=frames.mtu, vhost_server_path=path)
    return Bridge(stack, ovs, _virtio_user(sockets, frames, ",server=1"), frames, netns, huge)


def _testpmd(stack, vdevs, frames, netns, huge):
    """testpmd that forwards from one port to the other and looks at nothing."""
    args = ["--nb-cores=1", f"--rxd={frames.ring}", f"--txd={frames.ring}", "--forward-mode=io", "--no-flush-rx", "--disable-link-check",
            "--total-num-mbufs=8192", f"--mbuf-size={frames.buffer + 128}", f"--max-pkt-len={frames.mtu + 18}"]
    # Its main core, which waits for commands, is on the generator's CPU; the one that forwards on the switch's.
    pmd = stack.enter_context(Testpmd(vdevs, args, netns=netns, memory=memory(frames.mebibytes, huge), plugins=[],
                                      idle_main=False))
    pmd.cmd("start")
    return pmd


def testpmd_io(stack, frames, netns, huge):
    """testpmd between two vhost-user ports: no switching at all."""
    folder = _folder(stack)
    sockets = [folder / f"p{i}.sock" for i in (0, 1)]
    more = ",tso=1,legacy-ol-flags=1" if frames.large else ""
    pmd = _testpmd(stack, [f"net_vhost{i},iface={path}{more}" for i, path in enumerate(sockets)], frames, netns, huge)
    return Bridge(stack, pmd, _virtio_user(sockets, frames), frames, netns, huge)


def _memif(stack, frames, netns, huge, more=""):
    folder = _folder(stack)

    def vdevs(role, more=""):
        return [f"net_memif{i},role={role},id={i},socket={folder}/memif.sock,socket-abstract=no,"
                f"rsize={frames.ring.bit_length() - 1},bsize={frames.buffer}{more}" for i in (0, 1)]

    pmd = _testpmd(stack, vdevs("server"), frames, netns, huge)
    return Bridge(stack, pmd, vdevs("client", more), frames, netns, huge)


def memif(stack, frames, netns, huge):
    """testpmd between two memif ports."""
    return _memif(stack, frames, netns, huge)


def memif_zero_copy(stack, frames, netns, huge):
    """The same; the generator's buffers are themselves the shared memory."""
    return _memif(stack, frames, netns, huge, ",zero-copy=yes")


class Limit:
    """Rings like ours with nothing in between: tests/bench/limit.c. A process of its own for each turn."""

    def __init__(self, _stack, frames, _netns, _huge):
        self.rings = frames.buffer, frames.ring

    def turn(self, size, frames, _mss, seconds):
        """A run of it."""
        words = [size, *self.rings, frames, seconds, guest_cpu(), switch_cpu()]
        return json.loads(device.run_program([paths.need(LIMIT_PROGRAM), *words]))


BRIDGES = {OURS: vswitchd, OVS: open_vswitch, TESTPMD: testpmd_io, MEMIF: memif, MEMIF_ZERO_COPY: memif_zero_copy,
           THE_LIMIT: Limit}
