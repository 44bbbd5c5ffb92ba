# SPDX-License-Identifier: BSD-3-Clause
"""Time-outs that tell a broken program from a slow machine.

Tests share few cores between emulated guests and polling threads. A wall clock alone would fail them on
a busy machine, so time in which a watched process wanted a CPU and got none counts for little.
"""
import os
import time

# What starved time counts; this is what keeps every wait bounded.
STARVED_WEIGHT = 1 / 8


def run_delay(pid):
    """Per thread of a process, the seconds it was ready to run and did not (empty when unknown)."""
    delays = {}
    try:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="ascii") as file:
                delays[tid] = int(file.read().split()[1]) / 1e9
    except (OSError, IndexError):
        pass
    return delays


class Deadline:
    """`seconds` of time in which the watched processes could run."""

    def __init__(self, seconds, *pids):
        self.seconds = seconds
        self.pids = pids
        self.used = 0.0
        self._start = self._last = time.monotonic()
        self._delays = {pid: run_delay(pid) for pid in pids}

    def __str__(self):
        return f"{self.used:.1f} s of running time, {time.monotonic() - self._start:.1f} s on the clock"

    def expired(self):
        """Account for the time since the last call; True when the time is up."""
        now = time.monotonic()
        passed, self._last = now - self._last, now
        starved = 0.0
        for pid in self.pids:
            before, self._delays[pid] = self._delays[pid], run_delay(pid)
            for tid, delay in self._delays[pid].items():
                starved = max(starved, delay - before.get(tid, delay))
        starved = min(starved, passed)
        self.used += passed - starved + starved * STARVED_WEIGHT
        return self.used >= self.seconds

    def wait_for(self, condition, what, interval=0.05):
        """Poll until `condition()` is true and return its value; TimeoutError says what never came."""
        while True:
            value = condition()
            if value:
                return value
            if self.expired():
                raise TimeoutError(f"{what}: not within {self.seconds} s ({self})")
            time.sleep(interval)
