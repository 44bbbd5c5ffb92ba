# SPDX-License-Identifier: BSD-3-Clause
"""A polling core whose CPU others want makes way, unless it was put there by name."""
import os
import subprocess
import time
from pathlib import Path

import pytest
from lib import proc
from lib.daemon import Vswitchd
from lib.patience import Deadline

CPUS = sorted(os.sched_getaffinity(0))
# What cores: auto takes, of a machine with more than one CPU.
LAST = CPUS[-1]

pytestmark = pytest.mark.skipif(len(CPUS) < 2, reason="needs a second CPU")


def allowed(daemon):
    """The CPUs that the only polling core may run on."""
    for task in Path(f"/proc/{daemon.pid}/task").iterdir():
        if "worker" in task.joinpath("comm").read_text():
            return os.sched_getaffinity(int(task.name))
    raise AssertionError("no polling core")


def crowd(seconds):
    """Programs that want that CPU more than a polling core does."""
    hog = f"end=$(($(date +%s) + {seconds})); while [ $(date +%s) -lt $end ]; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; done"
    return [proc.spawn(["nice", "-n", "-20", "taskset", "-c", str(LAST), "sh", "-c", hog], stdin=subprocess.DEVNULL) for _ in range(2)]


@pytest.mark.parametrize("cores", ["auto", str(LAST)])
def test_crowded(cores):
    config = {"workers": {"cores": cores, **({"count": 1} if cores == "auto" else {})}, "ports": []}
    with Vswitchd(config) as daemon:
        if cores != "auto":
            assert allowed(daemon) == {LAST}
        hogs = crowd(8)
        try:
            if cores == "auto":
                Deadline(20, daemon.pid).wait_for(lambda: allowed(daemon) == set(CPUS), "it may run on any CPU", interval=0.01)
            else:
                time.sleep(2)
                assert allowed(daemon) == {LAST}
        finally:
            for hog in hogs:
                hog.kill()
                hog.wait()
        assert daemon.ctl.json("worker", "list")[0]["cpu"] == LAST
