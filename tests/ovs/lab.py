# SPDX-License-Identifier: BSD-3-Clause
"""Debian's Open vSwitch with the back-end driver's ports, and virtual machines in them, in one network namespace."""
import contextlib
import json

from guest.lab import HOST, configure_card, ipv4, ipv6, mac
from lib import paths
from lib.guest import Guest
from lib.netns import NetNs
from lib.ovs import BRIDGE, Ovs

# A packet pool per port, or the first port takes all memory; and a polling thread that leaves idle time to the
# emulated machines. Its counters are read every second instead of every fifth.
OTHER_CONFIG = {"per-port-memory": "true", "pmd-maxsleep": "500", "stats-update-interval": "1000"}


class OvsLab:
    """A switch with the ports vm1..vmN, each for a virtual machine, and the tap br0 with the host's addresses.

    arguments  device arguments added to each port
    """

    def __init__(self, ports=2, arguments="", other_config=None):
        self.stack = contextlib.ExitStack()
        self.netns = self.stack.enter_context(NetNs("ovs"))
        self.ports = ports
        self.arguments = arguments
        self.ovs = Ovs(self.netns, plugins=[paths.PMD_VMXNET3_HOST],
                       other_config={**OTHER_CONFIG, **(other_config or {})})
        self.guests = {}

    def __enter__(self):
        try:
            self.stack.enter_context(self.ovs)
            for number in range(1, self.ports + 1):
                self.add_port(number)
            self.netns.address(BRIDGE, ipv4(HOST) + "/24", ipv6(HOST) + "/64")
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exc):
        return self.stack.__exit__(*exc)

    def socket(self, number):
        """Where port vm<number> listens."""
        return self.ovs.dir / f"vm{number}.sock"

    def add_port(self, number):
        """Add port vm<number>."""
        self.ovs.add_port(f"vm{number}", "dpdk", dpdk_devargs=f"net_vmxnet3_host{number},path={self.socket(number)},"
                                                              f"guest-mac={mac(number)}{self.arguments}")

    def guest(self, number, **options):
        """Start machine `number`, which is to be configured when it has booted."""
        machine = Guest(f"g{number}", nics=[self.socket(number)], **options)
        self.stack.callback(self._close_guest, machine)
        self.guests[number] = machine
        return machine.start()

    @staticmethod
    def _close_guest(machine):
        errors = machine.console_errors()
        machine.close()
        assert not errors, f"the kernel of {machine.name} complained:\n" + "\n".join(errors)

    def configure(self, number, mtu=1500):
        """Wait for machine `number` and give its card its addresses."""
        configure_card(self.guests[number].wait_boot(), number, mtu=mtu)
        return self.guests[number]

    def logs(self):
        """(title, text) of everything a failed test wants to show."""
        logs = [("the switch's log", self.ovs.log_tail())]
        if self.ovs.alive:
            with contextlib.suppress(RuntimeError):
                logs += [("flows", self.ovs.ofctl("dump-flows")), ("ports", self.ovs.ofctl("dump-ports"))]
                logs += [(f"statistics of vm{number}", json.dumps(self.statistics(number)))
                         for number in range(1, self.ports + 1)]
        return logs + [(f"console of {guest.name}", guest.console()[-3000:]) for guest in self.guests.values()]

    def statistics(self, number):
        """Those counters of a port that are not 0."""
        counters = self.ovs.interface(f"vm{number}")["statistics"]
        return {key: value for key, value in counters.items() if value}
