# SPDX-License-Identifier: BSD-3-Clause
"""What a front-end port tells of itself: counters, queues, descriptors."""
import re
from pathlib import Path

import pytest

from .taps import BROADCAST, MACS, Rig, frame

GROUP = "01:00:5e:01:02:03"


@pytest.fixture(name="open_rig", scope="module")
def fixture_open_rig():
    with Rig(args=["--enable-scatter", "--rxd=256", "--txd=128"]) as rig:
        yield rig


@pytest.fixture(name="rig")
def fixture_rig(open_rig, log_sources):
    log_sources.append(open_rig.logs)
    open_rig.forward("io", "set promisc # off", "set allmulti # on")
    return open_rig


def test_queue_information(rig):
    said = rig.pmd.cmd("show rxq info 0 0")
    for line in ("Mempool: mb_pool_0", "RX scattered packets: off", "Rx queue state: started", "Number of RXDs: 256",
                 "RX buffer size: 2048"):
        assert line in said
    mode = "Vector AVX2" if "avx2" in Path("/proc/cpuinfo").read_text().split() else "Scalar"
    assert f"Burst mode: {mode}" in said
    said = rig.pmd.cmd("show txq info 0 0")
    assert "Number of TXDs: 128" in said and "Tx queue state: started" in said
    assert f"Burst mode: {mode}" in said
    rig.pmd.cmds("stop", "port stop all")
    assert "Rx queue state: stopped" in rig.pmd.cmd("show rxq info 0 0")
    rig.pmd.cmds("port config mtu 0 9000", "port start all")
    said = rig.pmd.cmd("show rxq info 0 0")
    assert "RX scattered packets: on" in said and f"Burst mode: {mode} Scattered" in said, "frames need several buffers"
    rig.pmd.cmds("port stop all", "port config mtu 0 1500")


def test_descriptors(rig):
    """What has come and nobody has taken."""
    def receive(index):
        return re.search(r"Desc status = (\w+)", rig.pmd.cmd(f"show port 0 rxq 0 desc {index} status")).group(1)

    def used():
        return int(re.search(r"Used desc count = (\d+)", rig.pmd.cmd("show port 0 rxq 0 desc used count")).group(1))

    rig.pmd.cmd("stop")
    assert (receive(0), used()) == ("AVAILABLE", 0)
    rig.taps[0].send(*(frame(60, dst=MACS[0]) for _ in range(5)))
    rig.pmd.wait_for(lambda: used() == 5, "five frames are in the ring", seconds=5)
    assert [receive(index) for index in range(7)] == ["DONE"] * 5 + ["AVAILABLE"] * 2
    for index in range(0, 128, 31):
        assert "DONE" in rig.pmd.cmd(f"show port 1 txq 0 desc {index} status"), "the device has sent all"
    rig.pmd.cmd("start")
    rig.wait_ready()
    rig.pmd.cmd("stop")
    assert (receive(0), used()) == ("AVAILABLE", 0)


def test_counters(rig):
    """Every frame by kind, on both ports: the driver's counters, the device's and the basic ones agree."""
    sent = {"unicast": [frame(60, dst=MACS[0])] * 7, "multicast": [frame(600, dst=GROUP)] * 5,
            "broadcast": [frame(5000, dst=BROADCAST)] * 3}
    frames = [one for kind in sent.values() for one in kind]
    rig.set_up("port config mtu # 9000")
    rig.pmd.cmd("start")
    rig.wait_ready()
    rig.pmd.cmd("stop")
    rig.pmd.clear()
    for port in (0, 1):
        assert not any(rig.pmd.xstats(port).values()) and not any(rig.pmd.stats_of(port).values()), "all is zero"
    rig.pmd.cmd("start")
    for one in frames:  # all wait in the ring, else
        rig.taps[0].send(one)
    assert rig.taps[1].receive(len(frames)) == frames
    rig.pmd.cmd("stop")
    for port, way in ((0, "rx"), (1, "tx")):
        for _ in range(2):
            basic, extended = rig.pmd.stats_of(port), rig.pmd.xstats(port)
            assert basic == {**dict.fromkeys(basic, 0), f"{way}_packets": len(frames), f"{way}_bytes": sum(map(len, frames))}
            expected = {f"{way}_good_packets": len(frames), f"{way}_good_bytes": sum(map(len, frames)),
                        f"{way}_q0_packets": len(frames), f"{way}_q0_bytes": sum(map(len, frames))}
            for kind, those in sent.items():
                expected[f"{way}_q0_{kind}_packets"] = len(those)
                expected[f"{way}_q0_{kind}_bytes"] = sum(map(len, those))
            assert {name: value for name, value in extended.items() if value} == expected
            rig.pmd.cmds("port stop all", "port start all")  # loses nothing of it
    rig.pmd.cmds("port stop all", "port config mtu 0 1500", "port config mtu 1 1500", "port start all")


def test_names_of_counters(rig):
    names = rig.pmd.xstats(0)
    assert all(re.fullmatch(r"[rt]x_(q0_)?[a-z_]+", name) for name in names)
    for name in ("rx_missed_errors", "rx_mbuf_allocation_errors", "rx_q0_out_of_buffers", "rx_q0_no_mbuf", "tx_q0_ring_full",
                 "rx_q0_bad_completions", "tx_q0_bad_completions", "tx_q0_device_errors", "tx_q0_tso_packets"):
        assert name in names


def test_missed_frames_are_counted(rig):
    """Nobody takes what comes: the ring is full, the device counts the rest, and none is in neither count."""
    rig.pmd.cmd("stop")
    rig.pmd.clear()

    def come(total):
        counters = rig.pmd.xstats(0)
        return counters["rx_q0_unicast_packets"] + counters["rx_q0_out_of_buffers"] == total

    for total in range(100, 701, 100):  # a tap's queue is short
        rig.taps[0].send(*([frame(60, dst=MACS[0])] * 100))
        rig.pmd.wait_for(lambda total=total: come(total), f"{total} frames are counted", seconds=5, interval=0.01)
    missed = rig.pmd.stats_of(0)["rx_missed"]
    assert missed == rig.pmd.xstats(0)["rx_q0_out_of_buffers"] >= 700 - 256
    rig.pmd.cmd("start")
    rig.pmd.wait_for(lambda: rig.pmd.stats_of(0)["rx_packets"] == 700 - missed, "those in the ring are taken", seconds=5)
    rig.pmd.cmd("stop")
    stats = rig.pmd.stats_of(0)
    assert (stats["rx_missed"], stats["rx_errors"], stats["rx_nombuf"]) == (missed, 0, 0)
