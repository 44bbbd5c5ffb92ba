# SPDX-License-Identifier: BSD-3-Clause
"""What the comparisons of switches rest on: the generator counts what the switch counts, and the limit copies what it says."""
import contextlib
import json

import pytest

from bench import bridges, device
from lib.netns import NetNs

# On a busy machine one of two threads may not run at all for a while.
SECONDS = (0.3, 2, 8)
SMALL = bridges.Frames(mtu=1500, buffer=2048, ring=1024)
LARGE = bridges.Frames(mtu=9000, buffer=9216, ring=256, large=True)


@pytest.fixture(name="bridge")
def _bridge():
    """bridge(frames): vswitchd between two ports of the generator."""
    with contextlib.ExitStack() as stack:
        netns = stack.enter_context(NetNs("bench"))
        yield lambda frames: bridges.vswitchd(stack, frames, netns, huge=False)


def _first(run):
    """What run(seconds) says in the first try in which a frame came."""
    for seconds in SECONDS:
        result = run(seconds)
        if result["frames"]:
            return result
    raise AssertionError(f"no frame within {SECONDS[-1]} s")


def _counted(bridge):
    """Frames and bytes that the switch handed to both ports."""
    with bridge.awake():
        rows = bridge.switch.ctl.json("stats")
    return sum(row["tx_frames"] for row in rows), sum(row["tx_bytes"] for row in rows)


@pytest.mark.parametrize("frames, size, mss", [
    (SMALL, 60, 0), (LARGE, 9014, 0), (LARGE, 65000, 1448)], ids=["64 B", "9014 B", "TSO"])
def test_the_generator_counts_what_the_switch_counts(bridge, frames, size, mss):
    """Nothing is lost, nothing is cut, and the frames within the time are some of those of the whole run."""
    rig = bridge(frames)
    frames_before, bytes_before = _counted(rig)
    result = _first(lambda seconds: rig.turn(size, 16, mss, seconds))
    assert result["bytes"] == size * result["frames"]
    assert result["refused"] == 0
    assert result["back_bytes"] == result["sent_bytes"] == 2 * 16 * size
    assert result["large"] == (result["frames"] if mss else 0)
    switched, switched_bytes = _counted(rig)
    # The switch also saw the warm-up.
    assert result["frames"] < switched - frames_before
    assert switched_bytes - bytes_before == size * (switched - frames_before)


def test_two_runs_do_not_mix(bridge):
    """What the first left on its way is not counted in the second."""
    rig = bridge(SMALL)
    for size in (1514, 60):
        result = _first(lambda seconds, size=size: rig.turn(size, 64, 0, seconds))
        assert result["bytes"] == size * result["frames"] and result["back_bytes"] == result["sent_bytes"]


@pytest.mark.parametrize("size, buffer, ring, frames", [(60, 2048, 1024, 256), (65000, 9216, 256, 16)])
def test_the_limit(size, buffer, ring, frames):
    """It looks at every byte at its end, and counts whole frames but for what the ends of the time cut."""
    words = bridges.LIMIT_PROGRAM, size, buffer, ring, frames
    cpus = bridges.guest_cpu(), bridges.switch_cpu()
    run = _first(lambda seconds: json.loads(device.run_program([*words, seconds, *cpus])))
    assert abs(run["bytes"] - size * run["frames"]) <= 2 * size


def test_the_limit_refuses_what_does_not_fit():
    """More entries than half a ring has."""
    with pytest.raises(RuntimeError, match="does not fit"):
        device.run_program([bridges.LIMIT_PROGRAM, 65000, 9216, 256, 17, 1, bridges.guest_cpu(), bridges.switch_cpu()])
