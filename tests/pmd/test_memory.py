# SPDX-License-Identifier: BSD-3-Clause
"""DPDK's ways to get memory: frames pass from each, or it is refused with what to do instead."""
import subprocess
from pathlib import Path

import pytest

from lib import eal, paths
from lib.testpmd import Testpmd

FRAMES = 50000
HUGE = Path("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages")


def need_pages(memory):
    """Hugepages are a gift, never a need."""
    if memory != "no-huge" and (not HUGE.exists() or int(HUGE.read_text()) < 300):
        pytest.skip("this machine has too few hugepages")


@pytest.mark.parametrize("memory", eal.MEMORY)
def test_frames_pass(switch, pktcheck, memory):
    need_pages(memory)
    pktcheck(switch().fronts(), "--frames", FRAMES, memory=memory).must_be_good(FRAMES)


@pytest.mark.parametrize("mode", ["pa", "va"])
@pytest.mark.parametrize("memory", ["no-huge", "in-memory"])
def test_iova_modes(switch, pktcheck, memory, mode):
    """Over vfio-user addresses are virtual ones, whatever EAL takes."""
    need_pages(memory)
    pktcheck(switch().fronts(), "--frames", FRAMES, memory=memory, options=[f"--iova-mode={mode}"]).must_be_good(FRAMES)


def test_pool_of_shared_memory(switch):
    """A pool outside of DPDK's memory, in memory without a name that other processes can map."""
    with Testpmd(switch().fronts(), ["--mp-alloc=anon", "--total-num-mbufs=4096"], plugins=[paths.PMD_VMXNET3X]) as pmd:
        pmd.wait_link(0)
        pmd.wait_link(1)
        pmd.forward("io", first_burst=True)
        pmd.wait_for(lambda: min(pmd.stats_of(port)["rx_packets"] for port in (0, 1)) > 1000, "frames go round")
        pmd.halt()


@pytest.mark.parametrize("kind", ["xmem", "xmemhuge"])
def test_memory_that_cannot_be_shared(switch, kind):
    """Pools of memory that DPDK did not allocate and that is private to the process."""
    need_pages(kind)
    with Testpmd([switch().front(0)], ["--mp-alloc=" + kind, "--total-num-mbufs=2048"], memory="in-memory",
                 plugins=[paths.PMD_VMXNET3X]) as pmd:
        said = pmd.log()
        assert "cannot be shared" in said or "private to this process" in said, said
        assert pmd.ports() == [0]


def test_secondary_process_is_refused(switch):
    need_pages("huge")
    with Testpmd([switch().front(0)], memory="huge", plugins=[paths.PMD_VMXNET3X]) as pmd:
        words = ["--file-prefix", pmd.eal.prefix, "--no-pci", "-d", str(eal.plugin(paths.PMD_VMXNET3X))]
        second = subprocess.run(["nsenter", "--mount", f"--target={pmd.pid}", "dpdk-proc-info", *words, "--", "--stats"],
                                timeout=60, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert "net_vmxnet3x0: a secondary process cannot use this port" in second.stdout + second.stderr
        assert pmd.link()
