# SPDX-License-Identifier: BSD-3-Clause
"""Receive interrupts: a program that sleeps until a frame comes."""
import pytest

from . import lab

SECONDS = 3


def test_sleeps_and_wakes(switch, pktcheck):
    """One burst a 100 ms each way: every one of them ends a sleep, and most of the time goes by asleep."""
    result = pktcheck(switch().fronts(), "--rx-interrupts", "--interval", 100, "--frames", 100000, "--seconds", SECONDS,
                      "--burst", 4).must_be_good()
    assert result.interrupts["missed"] <= result.sum("received") // 10, result.output
    assert result.interrupts["wakeups"] >= SECONDS * 1000 / 100 / 2, result.output
    assert result.cpu < result.seconds * 0.3, result.output


@pytest.mark.parametrize("queues", [1, 3])
def test_nothing_is_forgotten(switch, pktcheck, queues):
    """Frames come whenever they like, also between the last look and the sleep."""
    result = pktcheck(switch().fronts(), "--rx-interrupts", "--queues", queues, "--flows", 16, "--frames", 200000)
    result.must_be_good(200000)
    # A polling core that loses its CPU between a frame and its interrupt is late once in a while.
    assert result.interrupts["missed"] <= 200000 // 200, result.output
