# SPDX-License-Identifier: BSD-3-Clause
"""DPDK in a guest: the distribution's testpmd, on devices that the guest's kernel hands over by vfio-pci.

The guest has an emulated IOMMU, so vfio-pci works as on any machine, and testpmd a serial port as its terminal.
"""
import os
import select
import socket
import subprocess
import tempfile
from pathlib import Path

from . import paths
from .guest import Guest
from .pktcheck import Result
from .testpmd import PROGRAM, Testpmd

ARCHIVE = paths.CACHE / "guest/dpdk.initrd"
PLUGIN_DIR = "/usr/local/lib/vmxnet3x"
PROGRAM_DIR = "/usr/local/bin"
OUR_PLUGIN = f"{PLUGIN_DIR}/{paths.PMD_VMXNET3X.name}"
TERMINAL = "/dev/ttyS2"
TERMINAL_ARGS = ["-device", "isa-serial,chardev=terminal,iobase=0x3e8,irq=5"]
HUGEPAGES = 192  # of 2 MiB
CPU = "Haswell-noTSX"  # with AVX2, which our driver uses; emulation has no AVX-512


def libraries(program):
    """The shared libraries that a program or plugin is linked with, as ldd finds them."""
    said = subprocess.run(["ldd", str(program)], check=True, text=True, stdout=subprocess.PIPE).stdout
    words = (line.split() for line in said.splitlines())
    return [line[2] for line in words if len(line) > 2 and line[1] == "=>" and line[2].startswith("/")]


def _archived():
    """The names of the files in ARCHIVE."""
    with open(paths.need(ARCHIVE), "rb") as file:
        said = subprocess.run(["cpio", "-t", "--quiet"], check=True, stdin=file, stdout=subprocess.PIPE).stdout
    return {Path(name).name for name in said.decode().splitlines()}


def pack(plugins, programs, destination):
    """Write an archive of plugins, programs, and the libraries they need that ARCHIVE lacks."""
    there = _archived()
    with tempfile.TemporaryDirectory(prefix="vx-cpio-") as root:
        def put(source, folder):
            target = Path(root + folder) / Path(source).name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(Path(source).read_bytes())
            target.chmod(0o755)

        for file, folder in [(plugin, PLUGIN_DIR) for plugin in plugins] + [(file, PROGRAM_DIR) for file in programs]:
            put(paths.need(file), folder)
            for library in libraries(file):
                if Path(library).name not in there:
                    put(library, "/lib/x86_64-linux-gnu")
        names = subprocess.run(["find", "."], cwd=root, check=True, stdout=subprocess.PIPE).stdout
        with open(destination, "wb") as out:
            subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=root, input=names, stdout=out,
                           check=True)


def slot(number):
    """(PCI address as EAL and Linux write it, QEMU's `addr` property) of the `number`-th device."""
    return f"0000:00:{0x10 + number:02x}.0", f"0x{0x10 + number:x}"


class DpdkGuest(Guest):
    """A guest whose network devices no kernel driver takes; device `number` of `nics` is at slot(number).

    nics       dictionaries for -device, without "addr"
    plugins    files to have in PLUGIN_DIR
    programs   files to have in PROGRAM_DIR
    """

    def __init__(self, name, nics, plugins=(), programs=(), extra_args=(), cmdline="", vcpus=2, cpu=CPU, **options):
        nics = [{**nic, "addr": slot(number)[1]} for number, nic in enumerate(nics)]
        super().__init__(name, nics=nics, iommu="lazy", mem="1G", vcpus=vcpus, cpu=cpu,
                         cmdline=f"agent.noload hugepages={HUGEPAGES} {cmdline}", archives=[ARCHIVE], **options)
        own = self.dir / "own.cpio"
        pack(plugins, programs, own)
        self.archives.append(own)
        terminal = self.dir / "terminal.sock"
        self.extra_args += [str(arg) for arg in extra_args]
        self.extra_args += ["-chardev", f"socket,id=terminal,path={terminal},server=on,wait=off", *TERMINAL_ARGS]
        self.terminal = socket.socket(socket.AF_UNIX)

    def wait_boot(self, timeout=120, boots=1):
        super().wait_boot(timeout, boots)
        self.terminal.connect(str(self.dir / "terminal.sock"))
        self.run("mkdir /dev/hugepages && mount -t hugetlbfs hugetlbfs /dev/hugepages && "
                 "modprobe -a vfio-pci vfio_iommu_type1")
        for number in range(len(self.nics)):
            self.bind(slot(number)[0], "vfio-pci")
        return self

    def bind(self, address, driver):
        """Hand a PCI device to a kernel driver."""
        self.run(f"cd /sys/bus/pci/devices/{address} && [ ! -e driver ] || echo {address} >driver/unbind; "
                 f"echo {driver} >driver_override; echo {address} >/sys/bus/pci/drivers_probe; "
                 f"[ $(basename $(readlink driver)) = {driver} ]")

    def close(self):
        self.terminal.close()
        super().close()


def eal_words(devices, plugins=(), options=(), lcores="0,1"):
    """EAL's options: PCI addresses (with device arguments), the guest's files of plugins, further options."""
    return ["-l", lcores, "-n", "1", "--no-telemetry", *options,
            *(word for plugin in plugins for word in ("-d", plugin)),
            *(word for device in devices for word in ("-a", device))]


def pktcheck(guest, devices, *words, plugins=(), options=(), timeout=120):
    """Run pktcheck on devices of a guest that has it; a Result."""
    words = ["pktcheck", *eal_words(devices, plugins, options), "--log-level", "*:notice", "--", *words]
    job = guest.spawn(" ".join(map(str, words)))
    output = job.wait(timeout, check=False)
    return Result(job.status, output)


class _Process:
    """A command in the guest, with what Testpmd wants of a Popen."""

    def __init__(self, guest, command):
        self.pid = guest.pid
        self.returncode = None
        self._job = guest.spawn(command)

    def poll(self):
        if self._job.done:
            self.returncode = self._job.status
        return self.returncode

    def kill(self):
        self._job.kill()

    def wait(self):
        self._job.wait(30, check=False)
        return self.poll()


class GuestTestpmd(Testpmd):
    """with GuestTestpmd(guest, ["0000:00:10.0"]) as pmd: pmd.cmd("start")

    devices    what to give as -a: PCI addresses, with device arguments
    plugins    files in the guest for -d
    options    further options of EAL
    """

    def __init__(self, guest, devices, args=(), plugins=(), options=()):
        super().__init__(args=args, plugins=[])
        self.guest = guest
        self.words = eal_words(devices, plugins, options)

    def command(self):
        return [PROGRAM, *self.words, "--", "-i", *self.args]

    def start(self, timeout=120):
        self._terminal = os.dup(self.guest.terminal.fileno())
        self.process = _Process(self.guest, f"exec <{TERMINAL} >{TERMINAL} 2>&1; stty raw -echo; "
                                            f"exec {' '.join(self.command())}")
        return self._begin(timeout)

    def _read(self):
        # The terminal outlives testpmd.
        with open(self.log_file, "ab", buffering=0) as log:
            while True:
                if select.select([self._terminal], [], [], 0.1)[0]:
                    data = os.read(self._terminal, 65536)
                    if not data:
                        return
                    log.write(data)
                    self._said += data
                elif self.process.returncode is not None:
                    return
