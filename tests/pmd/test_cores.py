# SPDX-License-Identifier: BSD-3-Clause
"""Two polling cores: frames of a flow stay in order, and none is lost, while queues move from one to the other."""
import os
import time

import pytest

from lib import paths
from lib.patience import Deadline
from lib.pktcheck import PktCheck

QUEUES = 4
SECONDS = 6
CPUS = sorted(os.sched_getaffinity(0))[:2]
PORTS = ("d0", "d1")

pytestmark = pytest.mark.skipif(len(CPUS) < 2, reason="needs two CPUs to poll with")


def check(switch, *words):
    """pktcheck between the two ports, with several queues each, as fast as it can."""
    return PktCheck(switch.fronts(), "--frames", 0, "--seconds", SECONDS, "--queues", QUEUES, "--flows", 4 * QUEUES, *words,
                    plugins=[paths.PMD_VMXNET3X])


def moves(switch):
    """Queues that went from one core to another."""
    return sum(worker["moves"] for worker in switch.ctl.json("worker", "list"))


def frames(switch):
    """Frames that each polling core has taken."""
    return [worker["frames"] for worker in switch.ctl.json("worker", "list")]


@pytest.fixture(name="two_cores")
def fixture_two_cores(switch):
    """two_cores(rebalance, ...) starts a switch of two ports with two polling cores."""
    def start(rebalance=0, ports=2, **port):
        return switch(ports, workers={"cores": ",".join(map(str, CPUS)), "rebalance": rebalance}, **port)
    return start


def test_queues_that_move_keep_their_order(two_cores):
    """Each move takes queues of both ports to the other core, at rate."""
    switch = two_cores()
    turns = 0
    with check(switch) as program:
        end = time.monotonic() + SECONDS - 1
        while time.monotonic() < end and program.process.poll() is None:
            for number, port in enumerate(PORTS):
                switch.ctl.text("port", "set", port, "affinity", f"0-{QUEUES - 1}:{CPUS[(turns + number) % 2]}")
            turns += 1
        result = program.result().must_be_good(frames=10_000)
    assert turns >= 10
    assert moves(switch) >= 2 * QUEUES * (turns - 1)
    assert result.sum("reordered") == 0
    assert all(count > 0 for count in frames(switch))


def test_queues_move_by_load(two_cores, testpmd):
    """All queues begin on one core, with more than it can do. It is relieved; who keeps order on the same cores notices nothing."""
    switch = two_cores(rebalance=1, ports=4)
    for number, port in enumerate(("d0", "d1", "d2", "d3")):
        switch.ctl.text("port", "set", port, "affinity", f"0-31:{CPUS[0]}")
        if number >= 2:
            switch.ctl.text("bridge", "detach", "br0", port)
        if port != "d1":
            switch.ctl.text("port", "set", port, "affinity", "none")
    switch.ctl.text("bridge", "add", "br1", "--ports", "d2,d3")
    before, idle = moves(switch), frames(switch)[1]
    pmd = testpmd(switch.fronts(), args=[f"--rxq={QUEUES}", f"--txq={QUEUES}"])
    pmd.forward("io", first_burst=True)
    with PktCheck([switch.front(2, 0), switch.front(3, 1)], "--frames", 0, "--seconds", 2 * SECONDS, "--queues", QUEUES, "--flows",
                  4 * QUEUES, plugins=[paths.PMD_VMXNET3X]) as program:
        Deadline(60, pmd.pid, switch.pid).wait_for(lambda: moves(switch) > before, "a queue moves", interval=0.2)
        Deadline(60, pmd.pid, switch.pid).wait_for(lambda: frames(switch)[1] > idle, "the other core has work", interval=0.2)
        program.result().must_be_good()
    pinned = switch.ctl.json("port", "show", "d1")["cost"]["queues"]
    assert {queue["cpu"] for queue in pinned} == {CPUS[0]}
    # Each that is in use, once in six periods.
    assert moves(switch) - before <= 3 * QUEUES * (1 + SECONDS)


def test_nothing_moves_when_it_shall_not(two_cores):
    """rebalance: 0"""
    switch = two_cores()
    for port in PORTS:
        switch.ctl.text("port", "set", port, "affinity", f"0-31:{CPUS[0]}")
        switch.ctl.text("port", "set", port, "affinity", "none")
    before, idle = moves(switch), frames(switch)[1]
    with check(switch) as program:
        program.result().must_be_good()
    assert moves(switch) == before
    assert frames(switch)[1] == idle
