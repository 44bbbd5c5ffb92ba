# SPDX-License-Identifier: BSD-3-Clause
"""testpmd's ports between taps: whoever is plugged into a tap makes frames and sees those that come.

    tap t0 --- br0 --- device d0 --- testpmd --- device d1 --- br1 --- tap t1
                                                                |
                                                             device d2, for another program
"""
import contextlib
import itertools
import os

from scapy.all import Ether, raw  # pylint: disable=no-name-in-module

from lib import paths
from lib.daemon import Vswitchd
from lib.netns import NetNs
from lib.packets import PacketSocket
from lib.patience import Deadline
from lib.testpmd import Testpmd

from .lab import front

MTU = 9000
ETHER_TYPE = 0x88b5  # for experiments: no protocol stack answers
BROADCAST = "ff:ff:ff:ff:ff:ff"
STATIONS = ("02:00:00:00:01:00", "02:00:00:00:01:01")  # who speaks at a tap
MACS = ("52:54:00:00:0d:00", "52:54:00:00:0d:01", "52:54:00:00:0d:02")  # of the devices
STRANGER = "02:00:00:00:02:01"  # nobody has that address


def filling(size, seed=0):
    """Bytes that show when they are moved or swapped."""
    return bytes((7 * index + index // 256 + seed) & 0xff for index in range(size))


def frame(size=60, src=STATIONS[0], dst=BROADCAST, seed=0):
    """A frame of no known protocol."""
    return raw(Ether(src=src, dst=dst, type=ETHER_TYPE) / filling(size - 14, size + seed))


class Rig:
    """The switch, the taps, and a testpmd whose ports are set up anew as often as a test wants.

    device     further keys of the device ports
    arguments  of the front end
    """

    def __init__(self, args=(), device=None, **arguments):
        extra = device or {}

        def device(number):
            return {"name": f"d{number}", "type": "device", "socket": self.daemon.socket(f"d{number}"),
                    "mac": MACS[number], "mtu": MTU, "max-queues": 8, **extra}

        self.stack = contextlib.ExitStack()
        self.netns = NetNs("pmd-taps")
        self.daemon = Vswitchd({}, netns=self.netns)
        self.daemon.configure({
            "workers": {"cores": str(max(os.sched_getaffinity(0)))},
            "ports": [port for number in (0, 1) for port in (
                {"name": f"t{number}", "type": "tap", "interface": f"t{number}", "mtu": MTU},
                device(number))] + [device(2)],
            "bridges": [{"name": "br0", "ports": ["t0", "d0"]}, {"name": "br1", "ports": ["t1", "d1", "d2"]}],
        })
        self.pmd = Testpmd([front(number, self.daemon.socket(f"d{number}"), **arguments) for number in (0, 1)],
                           args=args, plugins=[paths.PMD_VMXNET3X])
        self.taps = []

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exc):
        return self.stack.__exit__(*exc)

    def _start(self):
        self.stack.enter_context(self.netns)
        self.netns.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        self.stack.enter_context(self.daemon)
        self.stack.enter_context(self.pmd)
        for number in (0, 1):
            self.netns.run(f"ip link set t{number} mtu {MTU} up")
            self.taps.append(PacketSocket(self.netns, f"t{number}", pids=(self.daemon.pid, self.pmd.pid)))
            self.stack.callback(self.taps[number].close)

    def logs(self):
        """(title, text) of what a failed test wants to show."""
        return [("testpmd", self.pmd.log_tail()), ("vswitchd's log", self.daemon.log_tail()),
                ("drops", self.daemon.ctl.text("drops"))]

    def set_up(self, *settings):
        """Stop everything; give commands to stopped ports (# stands for each port's number); start the ports."""
        self.pmd.cmds("stop", "port stop all")
        said = self.pmd.cmds(*(setting.replace("#", str(port)) for setting in settings
                               for port in ((0, 1) if "#" in setting else (0,))))
        started = self.pmd.cmd("port start all")
        assert "Fail" not in started and "Fail" not in said, said + started
        self.pmd.clear()

    def forward(self, mode="io", *settings, ready=True):
        """set_up(), then start to forward; wait until frames pass both ways, if that is what the mode does."""
        self.set_up(*settings)
        self.pmd.forward(mode)
        if ready:
            self.wait_ready()

    def wait_ready(self):
        """Wait until broadcast frames pass both ways, and those that were sent to find out have passed."""
        for source, target in ((0, 1), (1, 0)):
            deadline = Deadline(20, *self.taps[target].pids)
            for number in itertools.count():
                probe = frame(64, STATIONS[source], seed=number)
                self.taps[source].send(probe)
                if any(probe[14:] in came for came in self.taps[target].receive(1, 0.3, silence=0.05)):
                    break
                if deadline.expired():
                    raise TimeoutError(f"no frame reaches {self.taps[target].name} ({deadline})")
        self.flush()

    def flush(self):
        """Forget what has come to the taps."""
        for tap in self.taps:
            tap.flush()

    def cross(self, *frames, source=0, seconds=10):
        """Send frames at a tap: what comes at the other one. The last of them is a broadcast that says: all is there."""
        end = frame(80, STATIONS[source], seed=99)
        self.taps[source].send(*frames, end)
        came, deadline = [], Deadline(seconds, *self.taps[0].pids)
        while not came or not came[-1].endswith(end[14:]):
            if deadline.expired():
                raise TimeoutError(f"the last frame does not come, only {came} ({deadline})")
            came += self.taps[1 - source].receive(1, 0.2, silence=0.01)
        return came[:-1]
