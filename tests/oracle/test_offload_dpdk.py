# SPDX-License-Identifier: BSD-3-Clause
"""lib/offload against DPDK's rte_gso, for what that does right."""
import json
import subprocess

import pytest

from lib import proc
from lib.paths import BUILD, need


def compare(*args):
    """tests/oracle/gso_dpdk.c: what it counted, and what it said of frames that came out different."""
    process = proc.spawn([need(BUILD / "tests/oracle/gso_dpdk"), *args], text=True, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    told, differences = process.communicate(timeout=1500)
    assert process.returncode in (0, 1), differences
    return json.loads(told.splitlines()[-1]), differences


@pytest.mark.parametrize("frames", [100_000, pytest.param(10_000_000, marks=pytest.mark.long)])
def test_segmentation(frames):
    told, differences = compare(frames, frames)
    assert told["differing"] == 0, differences
    assert told["frames"] == frames and told["pieces"] > 3 * frames
    assert all(told[kind] > frames // 5 for kind in ("plain", "vxlan", "nvgre"))


def test_a_difference_is_seen():
    told, differences = compare(500, 2, "spoil")
    assert told["differing"] == 1 and told["frames"] == 500 and "mss" in differences
