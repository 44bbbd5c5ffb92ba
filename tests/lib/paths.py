# SPDX-License-Identifier: BSD-3-Clause
"""Where things are: the sources, the build and what tools/setup.sh fetched."""
import os
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("VMXNET3X_BUILD", REPO / "build")).resolve()
VSWITCHD = BUILD / "app/vswitchd/vswitchd"
VSWITCHCTL = BUILD / "app/vswitchctl/vswitchctl"
PMD_VMXNET3X = BUILD / "drivers/net/vmxnet3x/librte_net_vmxnet3x.so"
PMD_VMXNET3_HOST = BUILD / "drivers/net/vmxnet3_host/librte_net_vmxnet3_host.so"
PKTCHECK = BUILD / "tests/dpdk/pktcheck"
CACHE = Path(subprocess.run([REPO / "tools/cache-dir.sh"], check=True, text=True,
                            stdout=subprocess.PIPE).stdout.strip())
QEMU = Path(os.environ.get("VMXNET3X_QEMU", CACHE / "bin/qemu-system-x86_64"))


def need(path):
    """The path, or an error that names the cure."""
    if not path.exists():
        cure = "tools/setup.sh" if CACHE in path.parents else "make build"
        raise FileNotFoundError(f"{path} is missing; run {cure}")
    return path


def guest_file(kernel, name):
    """A file of a guest image, such as ("6.12", "vmlinux")."""
    return need(CACHE / "guest" / kernel / name)
