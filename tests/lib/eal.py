# SPDX-License-Identifier: BSD-3-Clause
"""The command line of a DPDK program: our drivers as plugins, memory that leaves others theirs, lcores on CPUs."""
import atexit
import itertools
import os
import shutil
import stat
import tempfile
from pathlib import Path

from . import paths

RUNTIME_DIR = Path("/run/dpdk")

# A hugetlbfs of the process's own, in a mount table of its own: it needs none that the machine has, and leaves nothing.
HUGE_DIR = "/mnt"
PRIVATE_HUGETLBFS = ["unshare", "--mount", "sh", "-c",
                     f'mount -t hugetlbfs hugetlbfs {HUGE_DIR} && exec "$@"', "sh"]

# Ways to get memory, by name. Hugepages are shared by all that runs on the machine: none takes many.
MEMORY = {
    "no-huge": ["--no-huge", "-m", "256"],
    "in-memory": ["--in-memory"],
    "single-file-in-memory": ["--single-file-segments", "--in-memory"],
    "huge": ["--huge-dir", HUGE_DIR],
    "huge-unlinked": ["--huge-dir", HUGE_DIR, "--huge-unlink=always"],
    "single-file": ["--huge-dir", HUGE_DIR, "--single-file-segments"],
    "legacy": ["--huge-dir", HUGE_DIR, "--legacy-mem", "-m", "128"],
}

_number = itertools.count(1)
_copies = {}


def _anybody_can_write(path):
    """Whether a folder above `path` is writable for everybody: EAL takes no plugin from there."""
    return any(parent.stat().st_mode & stat.S_IWOTH for parent in path.resolve().parents)


def plugin(path):
    """A plugin as EAL accepts it: itself, or a copy in a private folder of root's."""
    path = paths.need(Path(path)).resolve()
    if not _anybody_can_write(path):
        return path
    key = (path, path.stat().st_mtime_ns)
    if key not in _copies or not _copies[key].exists():
        _copies[key] = Path(tempfile.mkdtemp(prefix="vx-plugin-", dir="/run")) / path.name
        shutil.copy(path, _copies[key])
    return _copies[key]


@atexit.register
def _remove_copies():
    for copy in _copies.values():
        shutil.rmtree(copy.parent, ignore_errors=True)
    _copies.clear()


def our_plugins():
    """Those of our drivers that are built."""
    return [path for path in (paths.PMD_VMXNET3X, paths.PMD_VMXNET3_HOST) if path.exists()]


def lcores(number, idle_main=False):
    """`number` lcores on this process's CPUs, in turn when they are fewer.

    Those that work begin with the first CPU, as a switch with one core takes the last one."""
    cpus = sorted(os.sched_getaffinity(0))
    if idle_main:
        cpus = cpus[-1:] + cpus[:-1]
    return ",".join(f"{lcore}@{cpus[lcore % len(cpus)]}" for lcore in range(number))


class Eal:
    """EAL's options of one process.

    vdevs      such as "net_vmxnet3x0,path=/run/x.sock"
    memory     a key of MEMORY, or a list of options
    plugins    files for -d; None: our drivers
    cores      how many lcores (the first is the main one)
    options    further options
    idle_main  whether the program's main lcore does no work
    """

    def __init__(self, vdevs=(), memory="no-huge", plugins=None, cores=2, options=(), idle_main=False):
        self.prefix = f"vx-{os.getpid()}-{next(_number)}"
        self.vdevs = list(vdevs)
        self.memory = MEMORY[memory] if isinstance(memory, str) else list(memory)
        self.plugins = our_plugins() if plugins is None else list(plugins)
        self.cores = cores
        self.options = list(options)
        self.idle_main = idle_main

    def wrapper(self):
        """Words to put before the program."""
        return PRIVATE_HUGETLBFS if "--huge-dir" in self.memory else []

    def words(self):
        """The options, without the -- that ends them."""
        words = ["--lcores", lcores(self.cores, self.idle_main), "--no-telemetry", *self.memory]
        if "--in-memory" not in self.memory:
            words += ["--file-prefix", self.prefix]
        if not any(option in ("-a", "--allow") for option in self.options):
            words.append("--no-pci")
        for path in self.plugins:
            words += ["-d", str(plugin(path))]
        return [*words, *self.options, *(f"--vdev={vdev}" for vdev in self.vdevs)]

    def clean_up(self):
        """Remove what EAL leaves behind, or left when it was killed."""
        shutil.rmtree(RUNTIME_DIR / self.prefix, ignore_errors=True)
