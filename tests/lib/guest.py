# SPDX-License-Identifier: BSD-3-Clause
"""A virtual machine: QEMU with an emulated CPU, and an unmodified Debian kernel in it."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from . import paths, proc
from .agent import Agent, GuestDied, GuestError, Job  # noqa: F401 (for users of this module)
from .patience import Deadline
from .qmp import Qmp, QmpError

# mitigations=off and the like only save an emulated CPU's time; nothing here changes what the driver does. The blacklist is of
# self-tests, keys, entropy and names of trace points: a third of the time until init runs.
KERNEL_ARGS = ("console=ttyS0 loglevel=5 panic=-1 mitigations=off nokaslr tsc=reliable random.trust_cpu=on "
               "cryptomgr.notests rcupdate.rcu_expedited=1 "
               "initcall_blacklist=crypto_kdf108_init,init_encrypted,jent_mod_init,trace_eval_init")
CPU = "Nehalem"
IOMMU_ARGS = {
    "lazy": "intel_iommu=on iommu.passthrough=0 iommu.strict=0",
    "strict": "intel_iommu=on iommu.passthrough=0 iommu.strict=1",
}
CONSOLE_ERRORS = re.compile(
    r"(?-i:BUG: )|Oops|WARNING: .* at |Kernel panic|general protection fault|blocked for more than|soft lockup|"
    r"rcu: INFO: .*stall|NETDEV WATCHDOG|transmit queue .* timed out|unregister_netdevice: waiting|DMAR: .*fault|"
    r"vmxnet3 .*(: tx hang|Failed|failed|error)|irq \d+: nobody cared", re.IGNORECASE)


class Guest:
    """with Guest("a", nics=["/tmp/x/vm1.sock"]) as guest: guest.run("ip link")

    nics       vfio-user sockets (each a path), or JSON-able dictionaries for other -device arguments
    iommu      None, "lazy" or "strict": an emulated Intel IOMMU and how the kernel uses it
    nomsi      the kernel uses no MSI and MSI-X, so cards fall back to INTx
    extra_args more words for QEMU
    share      whether guest memory is shared with the daemon, as it must be
    mem_file   a file to keep guest memory in; by default it is in a memfd, whose size is sealed
    archives   cpio archives to unpack over the initramfs
    """

    def __init__(self, name, kernel="6.12", nics=(), vcpus=1, mem="256M", cmdline="", extra_args=(),
                 iommu=None, nomsi=False, x_msg_timeout=60000, netns=None, share=True, mem_file=None, cpu=CPU,
                 archives=()):
        self.name = name
        self.kernel = kernel
        self.nics = list(nics)
        self.vcpus = vcpus
        self.mem = mem
        self.cmdline = " ".join([KERNEL_ARGS, IOMMU_ARGS[iommu] if iommu else "",
                                 "pci=nomsi" if nomsi else "", cmdline])
        self.extra_args = [str(arg) for arg in extra_args]
        self.iommu = iommu
        self.x_msg_timeout = x_msg_timeout
        self.netns = netns
        self.share = share
        self.mem_file = mem_file
        self.cpu = cpu
        self.archives = list(archives)
        self.dir = Path(tempfile.mkdtemp(prefix=f"vx-{name}-"))
        self.console_log = self.dir / "console.log"
        self.qemu_log = self.dir / "qemu.log"
        self.process = None
        self.agent = None
        self._qmp = None
        self._qmp_socket = None

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self):
        """QEMU's process id."""
        return self.process.pid

    def _device(self, nic):
        if isinstance(nic, (str, os.PathLike)):
            nic = {"driver": "vfio-user-pci", "socket": {"type": "unix", "path": str(nic)},
                   "x-msg-timeout": self.x_msg_timeout}
        return ["-device", json.dumps(nic)]

    def _initrd(self):
        """The initramfs: the kernel unpacks one archive after the other."""
        base = paths.guest_file(self.kernel, "initrd")
        if not self.archives:
            return base
        whole = self.dir / "initrd"
        with open(whole, "wb") as out:
            for archive in (base, *self.archives):
                with open(paths.need(archive), "rb") as file:
                    shutil.copyfileobj(file, out)
        return whole

    def arguments(self, command_fd, qmp_fd):
        """QEMU's command line."""
        iommu = ["-device", "intel-iommu,caching-mode=on"] if self.iommu else []
        machine = "q35,memory-backend=m0" + (",kernel-irqchip=split" if self.iommu else "")
        memory = f"memory-backend-file,mem-path={self.mem_file}" if self.mem_file else "memory-backend-memfd"
        return [
            paths.need(paths.QEMU), "-name", self.name, "-nodefaults", "-display", "none",
            "-accel", "tcg", "-machine", machine, "-cpu", self.cpu, "-smp", self.vcpus,
            "-object", f"{memory},id=m0,size={self.mem},share={'on' if self.share else 'off'}",
            "-m", self.mem,
            "-kernel", paths.guest_file(self.kernel, "vmlinux"),
            "-initrd", self._initrd(), "-append", self.cmdline,
            "-chardev", f"file,id=console,path={self.console_log},append=on", "-serial", "chardev:console",
            "-chardev", f"socket,id=command,fd={command_fd}", "-serial", "chardev:command",
            "-chardev", f"socket,id=qmp,fd={qmp_fd}", "-qmp", "chardev:qmp",
            *iommu, *self.extra_args,
            *(word for nic in self.nics for word in self._device(nic)),
        ]

    def start(self):
        """Start QEMU; wait_boot() waits for the guest."""
        self._close_sockets()
        command, command_qemu = socket.socketpair()
        qmp, qmp_qemu = socket.socketpair()
        with command_qemu, qmp_qemu, open(self.qemu_log, "ab") as log:
            fds = command_qemu.fileno(), qmp_qemu.fileno()
            self.process = proc.spawn(self.arguments(*fds), netns=self.netns, pass_fds=fds,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.agent = Agent(command, self.process.pid)
        self._qmp, self._qmp_socket = None, qmp
        return self

    def wait_boot(self, timeout=120, boots=1):
        """Wait until the guest takes commands (for the `boots`-th time since QEMU started)."""
        deadline = Deadline(timeout, self.pid)
        try:
            while self.agent.boots < boots:
                self.agent.pump(0.5)
                if self.agent.boots < boots and deadline.expired():
                    raise TimeoutError(f"{self.name} did not boot within {timeout} s ({deadline}); its console:\n"
                                       f"{proc.tail(self.console_log)}")
        except GuestDied:
            raise GuestDied(f"{self.name}: QEMU ended with status {self.process.wait(10)}:\n"
                            f"{proc.tail(self.qemu_log)}\n{proc.tail(self.console_log)}") from None
        return self

    def spawn(self, command):
        """Start shell text in the guest; the Job returned has wait(), kill() and done."""
        return self.agent.start(command)

    def run(self, command, timeout=60, check=True):
        """Run shell text in the guest and return what it printed, errors included."""
        return self.spawn(command).wait(timeout, check)

    def reboot(self, timeout=120):
        """Restart the guest from within, and wait until it takes commands again."""
        boots = self.agent.boots
        self.spawn("reboot -f")
        return self.wait_boot(timeout, boots + 1)

    def qmp(self, command, /, **arguments):
        """A command of QEMU's machine protocol; names with '-' by **{"a-b": 1}."""
        if self._qmp is None:
            self._qmp = Qmp(self._qmp_socket)
        return self._qmp.command(command, **arguments)

    def kill9(self):
        """Kill QEMU as a crash would. start() starts it again."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def quit(self, timeout=30):
        """End QEMU in the orderly way and return its exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            try:
                self.qmp("quit")
            except (OSError, EOFError, QmpError, ValueError):
                pass
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill9()
        return self.process.returncode

    def console(self):
        """What the kernel printed."""
        return self.console_log.read_text(errors="replace") if self.console_log.exists() else ""

    def console_errors(self):
        """The lines of the console that tell of a kernel in trouble."""
        return [line for line in self.console().splitlines() if CONSOLE_ERRORS.search(line)]

    def close(self):
        """End QEMU if it runs and remove its files."""
        self.quit()
        self._close_sockets()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _close_sockets(self):
        if self.agent:
            self.agent.close()
            self._qmp_socket.close()
