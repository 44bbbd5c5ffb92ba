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
BUSY = 650  # thousandths of a core: what moves queues is 500, or the tenth that moving one of four has to gain
MOVES = 4 * (1 + 20 // 6)  # each of the queues in use, once in six periods

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


def load_whole_core(switch):
    """All queues go to the last CPU, which pktcheck leaves to the switch, and may go from there."""
    for affinity in (f"0-31:{CPUS[1]}", "none"):
        for port in PORTS:
            switch.ctl.text("port", "set", port, "affinity", affinity)


def test_queues_move_by_load(two_cores):
    """All queues in use are on one core, which single small frames keep busy; the other has nothing to do and gets some of them."""
    switch = two_cores(rebalance=1)
    load_whole_core(switch)
    before, idle = moves(switch), frames(switch)[0]
    loads = [0]

    def moved():
        loads.append(switch.ctl.json("worker", "list")[1]["load"])
        return moves(switch) > before or program.process.poll() is not None

    with PktCheck(switch.fronts(), "--frames", 0, "--seconds", 20, "--queues", 2, "--flows", 8, "--burst", 1, "--max", 64,
                  plugins=[paths.PMD_VMXNET3X], cores=1) as program:
        Deadline(60, program.pid, switch.pid).wait_for(moved, "a queue moves", interval=0.2)
        result = program.result().must_be_good(frames=10_000)
    if moves(switch) == before and max(loads) < BUSY:
        pytest.skip(f"nothing had to move: the core was busy for {max(loads) / 10:.0f} % of its time only, as others wanted this machine")
    assert before < moves(switch) <= before + MOVES
    assert frames(switch)[0] > idle
    assert result.sum("reordered") == 0


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
