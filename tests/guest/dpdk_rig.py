# SPDX-License-Identifier: BSD-3-Clause
"""A guest with testpmd between two stations, on pairs of vmxnet3 devices of either make, with either driver.

    station left --- device 0 --- testpmd in the guest --- device 3 --- station right
                     device 1 ----------------------------- device 2

DPDK numbers its ports in the order of PCI addresses, whatever it is asked for.

Frames are made and judged at the stations, by scapy and by the kernel.
"""
import contextlib
import itertools
import re

from lib import paths
from lib.agent import GuestDied
from lib.daemon import Vswitchd
from lib.guest_dpdk import OUR_PLUGIN, DpdkGuest, GuestTestpmd, pktcheck, slot
from lib.netns import NetNs
from lib.opened import Opened
from lib.packets import PacketSocket
from lib.patience import Deadline
from lib.testpmd import TestpmdError
from scapy.all import Ether, raw  # pylint: disable=no-name-in-module

MAKES = OURS, QEMUS = "ours", "qemu"  # whose device
DEVICES = 4  # of each make
ENDS, MIDDLE = (0, 3), (1, 2)
MTU = 9000

SOURCE4, TARGET4 = "198.18.0.1", "198.18.0.2"
SOURCE6, TARGET6 = "2001:db8::1", "2001:db8::2"
ETHER_TYPE = 0x88b5  # for experiments: no protocol stack answers
_MARKS = (bytes([198, 18, 0, 1]), bytes.fromhex("20010db8"), b"\x88\xb5")


# What takes back a setting that a test asks for.
_UNDO = ((r" on$", " off"), (r" hw ", " sw "), (r"^tso set \d+", "tso set 0"), (r"^(tx_vlan) set (\S+) .*", r"\1 reset \2"))


def undo(settings):
    """Commands that take settings back; tests take back themselves what is not of these kinds."""
    for setting in settings:
        for pattern, instead in _UNDO:
            if re.search(pattern, setting):
                yield re.sub(pattern, instead, setting)


def of_the_test(frame):
    """Whether a frame is one that a test made, and no talk of the stations' kernels."""
    return any(mark in frame[:60] for mark in _MARKS)


class Station:
    """One end: a protocol stack, and a packet socket on each of its interfaces (one for each make of device)."""

    def __init__(self, name, number, device):
        self.netns = NetNs(name)
        self.number = number
        self.device = device
        self.mac = {}
        self.sockets = {}

    def plug(self, make, interface, lab, pids):
        """Take an interface out of the lab."""
        lab.run(f"ip link set {interface} netns {self.netns.pid}")
        self.netns.run(f"ip link set {interface} mtu {MTU} up; ip addr add {self.ipv4(make)}/24 dev {interface}; "
                       f"ip addr add {self.ipv6(make)}/64 dev {interface} nodad")
        self.mac[make] = self.netns.run(f"cat /sys/class/net/{interface}/address").strip()
        self.sockets[make] = PacketSocket(self.netns, interface, of_the_test, pids)

    def ipv4(self, make):
        """An address of its protocol stack; there is a network for each make."""
        return f"10.9.{MAKES.index(make)}.{self.number + 1}"

    def ipv6(self, make):
        """The same in IPv6."""
        return f"fd00:{MAKES.index(make)}::{self.number + 1}"

    def set_mtu(self, make, mtu):
        """The MTU of an interface."""
        self.netns.run(f"ip link set {self.sockets[make].name} mtu {mtu}")

    def close(self):
        """End it."""
        for sock in self.sockets.values():
            sock.close()
        self.netns.close()


class Rig(Opened):
    """The guest, its devices and the stations; use() starts testpmd for a pair of devices."""

    def __init__(self):
        super().__init__()
        self.lab = self.stack.enter_context(NetNs("lab"))
        self.left, self.right = Station("left", 0, ENDS[0]), Station("right", 1, ENDS[1])
        self.daemon = Vswitchd({}, netns=self.lab)
        self.daemon.configure({
            "ports": [{"name": f"s{number}", "type": "tap", "interface": f"s{number}", "mtu": MTU} for number in (0, 1)] +
                     [{"name": f"vm{number}", "type": "device", "socket": self.daemon.socket(f"vm{number}"),
                       "mac": self.mac(OURS, number), "mtu": MTU} for number in range(DEVICES)],
            "bridges": [{"name": "b0", "ports": ["s0", "vm0"]}, {"name": "b1", "ports": ["vm1", "vm2"]},
                        {"name": "b2", "ports": ["vm3", "s1"]}],
        })
        self.guest = None
        self.pmd = None
        self.make = self.ours = self.ports = None
        self._runs = None  # what testpmd was started for
        self._settings = []

    @staticmethod
    def mac(make, number):
        """The address of a device."""
        return f"52:54:00:00:{0x0a if make == OURS else 0x0b:02x}:0{number}"

    @staticmethod
    def address(make, number):
        """The PCI address of a device."""
        return slot(number + DEVICES * MAKES.index(make))[0]

    def _open(self):
        self.stack.enter_context(self.daemon)
        nics = [{"driver": "vfio-user-pci", "socket": {"type": "unix", "path": self.daemon.socket(f"vm{number}")},
                 "x-msg-timeout": 60000} for number in range(DEVICES)]
        nics += [{"driver": "vmxnet3", "netdev": f"q{number}", "mac": self.mac(QEMUS, number)}
                 for number in range(DEVICES)]
        taps = [word for station in (self.left, self.right) for word in (
            "-netdev", f"tap,id=q{station.device},ifname=q{station.number},script=no,downscript=no,vnet_hdr=off")]
        taps += [word for number in MIDDLE for word in ("-netdev", f"hubport,id=q{number},hubid=0")]
        self.guest = DpdkGuest("dpdk", nics, plugins=[paths.PMD_VMXNET3X], programs=[paths.PKTCHECK],
                               extra_args=taps, netns=self.lab)
        self.stack.callback(self._close_guest)
        self.stack.callback(self.stop)
        self.guest.start()
        self.guest.wait_boot()
        pids = (self.daemon.pid, self.guest.pid)
        for station in (self.left, self.right):
            station.netns.__enter__()
            self.stack.callback(station.close)
            # The stations' kernels shall say little unasked.
            station.netns.run("cd /proc/sys/net/ipv6/conf/default; echo 1 >addr_gen_mode; echo 0 >router_solicitations")
            station.plug(OURS, f"s{station.number}", self.lab, pids)
            station.plug(QEMUS, f"q{station.number}", self.lab, pids)

    def _close_guest(self):
        # With commands that come before there is shared memory, QEMU's device reads at address 0.
        harmless = re.compile(r"DRHD: handling fault|Request device .00:1[4-7].0. fault addr 0x0 ")
        errors = [line for line in self.guest.console_errors() if not harmless.search(line)]
        self.guest.close()
        assert not errors, "the guest's kernel complained:\n" + "\n".join(errors)

    def logs(self):
        """(title, text) of everything a failed test wants to show."""
        if self.pmd:
            with contextlib.suppress(TestpmdError, GuestDied):
                self.pmd.cmd("show port xstats all")
        return [("vswitchd's log", self.daemon.log_tail()), ("vswitchctl drops", self.daemon.ctl.text("drops")),
                ("testpmd", self.pmd.log_tail(150) if self.pmd else "does not run"),
                ("console of the guest", self.guest.console()[-2000:] if self.guest else "")]

    # testpmd

    def testpmd(self, devices, args=(), options=()):
        """testpmd, not started, with our driver's plugin beside its own."""
        return GuestTestpmd(self.guest, devices, args=args, plugins=[OUR_PLUGIN], options=options)

    def pktcheck(self, *words, options=()):
        """Run pktcheck between the two devices that are connected, of the make and with the driver in use."""
        return pktcheck(self.guest, self.arguments(self.make, self.ours, MIDDLE), *words, plugins=[OUR_PLUGIN],
                        options=options)

    def arguments(self, make, ours, numbers):
        """Devices for -a, with the argument that leaves them to DPDK's own driver when they are not for ours."""
        choice = "" if ours else ",vmxnet3x=0"
        return [self.address(make, number) + choice for number in numbers]

    def use(self, make, ours, numbers=ENDS):
        """Start testpmd on devices of a make, with our driver or DPDK's own, unless it runs on these already. The first and
        the last lead to stations."""
        wanted = (make, ours, numbers)
        if self._runs == wanted and self.pmd and self.pmd.alive:
            return
        self.stop()
        self.make, self.ours = make, ours
        self.ports = range(len(numbers))
        self.pmd = self.testpmd(self.arguments(make, ours, numbers))
        self.pmd.start()
        self._runs = wanted

    def stop(self):
        """End testpmd."""
        pmd, self.pmd, self._settings = self.pmd, None, []
        if pmd:
            pmd.__exit__(None if pmd.alive else RuntimeError, None, None)

    def forward(self, mode, *settings, mtu=1500, queues=1):
        """Set testpmd up anew, without what the last test asked for, and let it forward.

        settings   commands for a stopped port; # stands for its number"""
        cmds = ["stop", "port stop all", f"port config all rxq {queues}", f"port config all txq {queues}"]
        cmds += [f"set eth-peer 0 {self.left.mac[self.make]}",
                 f"set eth-peer {self.ports[-1]} {self.right.mac[self.make]}"]
        changes = [*undo(self._settings), *settings]
        self._settings = settings
        for port in self.ports:
            cmds += [f"port config mtu {port} {mtu}"]
            cmds += [change.replace("#", str(port)) for change in changes]
        said = self.pmd.cmds(*cmds, "port start all", f"set fwd {mode}", "clear port stats all", "start")
        for station in self.ends():
            station.set_mtu(self.make, mtu)
        self.wait_ready()
        return said

    def wait_ready(self):
        """Wait until broadcast frames pass both ways, and those that were sent to find out have passed."""
        for source, target in (self.ends(), self.ends(back=True)):
            target = target.sockets[self.make]
            target.flush()
            deadline = Deadline(20, *target.pids)
            for number in itertools.count():
                probe = raw(Ether(src=source.mac[self.make], dst="ff:ff:ff:ff:ff:ff", type=ETHER_TYPE) /
                            f"probe {number}.".encode()).ljust(60, b"\0")
                source.sockets[self.make].send(probe)
                if any(probe[12:] in frame for frame in target.receive(1, 0.3, silence=0.05)):
                    break
                if deadline.expired():
                    raise TimeoutError(f"no frame reaches {target.name} ({deadline})")
        for station in self.ends():
            station.sockets[self.make].flush()

    # Frames

    def ends(self, back=False):
        """(sender, receiver)"""
        return (self.right, self.left) if back else (self.left, self.right)

    def header(self, back=False, rewritten=False, **fields):
        """Ethernet from one station to the other; when `rewritten`, as testpmd's modes leave it that are a router's hop."""
        source, target = self.ends(back)
        return Ether(src=self.mac(self.make, target.device) if rewritten else source.mac[self.make],
                     dst=target.mac[self.make], **fields)

    def cross(self, frames, count=None, back=False, seconds=20):
        """Send frames from the left to the right (or back); the frames that arrive, at least `count` if they come."""
        source, target = self.ends(back)
        source.sockets[self.make].send(*(raw(frame) for frame in frames))
        return target.sockets[self.make].receive(len(frames) if count is None else count, seconds)
