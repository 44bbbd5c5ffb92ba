# SPDX-License-Identifier: BSD-3-Clause
"""testpmd as the cable between two virtual machines: each is plugged into a port of the back-end driver."""
import contextlib
import shutil
import tempfile
from pathlib import Path

from lab import configure_card, mac
from lib import paths
from lib.guest import Guest
from lib.opened import Opened
from lib.testpmd import Testpmd


class HostLab(Opened):
    """A testpmd with two ports, 0 and 1, and a guest on each, 1 and 2.

    args       further options of testpmd
    vcpus      of both guests; as many queues
    """

    def __init__(self, args=(), vcpus=1):
        super().__init__()
        self.dir = Path(tempfile.mkdtemp(prefix="vx-h-"))
        self.stack.callback(shutil.rmtree, self.dir, ignore_errors=True)
        self.sockets = [self.dir / f"vm{number}.sock" for number in (1, 2)]
        vdevs = [f"net_vmxnet3_host{port},path={path},guest-mac={mac(port + 1)}"
                 for port, path in enumerate(self.sockets)]
        self.pmd = Testpmd(vdevs, args=args, plugins=[paths.need(paths.PMD_VMXNET3_HOST)],
                           options=["--log-level=pmd.net.vmxnet3_host:info"])
        self.vcpus = vcpus
        self.guests = {}

    def _open(self):
        self.stack.enter_context(self.pmd)
        for number in (1, 2):
            guest = Guest(f"h{number}", nics=[self.sockets[number - 1]], vcpus=self.vcpus)
            self.stack.callback(self._close_guest, guest)
            self.guests[number] = guest.start()
        self.pmd.forward("io")
        for number in (1, 2):
            configure_card(self.guests[number].wait_boot(), number)

    @staticmethod
    def _close_guest(guest):
        errors = guest.console_errors()
        guest.close()
        assert not errors, f"the kernel of {guest.name} complained:\n" + "\n".join(errors)

    def both(self, command):
        """Run shell text in both guests."""
        return [self.guests[number].run(command) for number in (1, 2)]

    @contextlib.contextmanager
    def forwarding(self, mode, *settings):
        """Forward in another mode; in "io" again afterwards."""
        self.pmd.halt()
        try:
            self.pmd.cmds(*settings)
            self.pmd.forward(mode)
            yield
        finally:
            if self.pmd.alive:
                self.pmd.halt()
                self.pmd.forward("io")

    def reconfigure(self, *settings):
        """Stop the ports, change settings, start them; forward as before."""
        self.pmd.halt()
        self.pmd.cmds("port stop all", *settings, "port start all")
        self.pmd.forward("io")

    def logs(self):
        """(title, text) of everything a failed test wants to show."""
        logs = [("testpmd", self.pmd.log_tail(100))]
        with contextlib.suppress(Exception):
            logs += [(f"counters of port {port}",
                      "\n".join(f"{name}: {value}" for name, value in self.pmd.xstats(port).items() if value))
                     for port in (0, 1)]
        return logs + [(f"console of {guest.name}", guest.console()[-3000:]) for guest in self.guests.values()]
