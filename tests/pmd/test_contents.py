# SPDX-License-Identifier: BSD-3-Clause
"""What arrives is what was sent: every byte of millions of frames, both ways at once, and none lost or overtaken.

test_checker.py shows that the checker finds one frame in 500 that is not so."""
import pytest

from lib import paths

from . import lab

BOTH = [paths.PMD_VMXNET3X, paths.PMD_VMXNET3_HOST]
MANY = 10_000_000
MIN, MAX, JUMBO = 60, 1514, 9014

# What frames go through: options of the checker, and how many frames are enough for it.
RUNS = {
    "many": (MANY, []),
    "queues": (1_000_000, ["--queues", 4, "--flows", 64]),
    "odd-queues": (500_000, ["--queues", 3, "--flows", 10, "--burst", 7]),
    "segments": (1_000_000, ["--segments", 8, "--queues", 2]),
    "small-buffers": (300_000, ["--mbuf-size", 256, "--segments", 12, "--queues", 2, "--in-flight", 256]),
    "small-rings": (1_000_000, ["--rxd", 64, "--txd", 32, "--burst", 64, "--in-flight", 48]),
    "checksums": (500_000, ["--csum", "--segments", 3]),
    "uniform": (500_000, ["--uniform"]),
}
LARGE = {
    "one-buffer": ["--mbuf-size", 9216, "--mbufs", 16384],
    "scattered": ["--segments", 8],
    "scattered-queues": ["--segments", 16, "--queues", 4, "--mbuf-size", 1024],
}
# Enough for each size, in turn, to be in each direction.
JUMBO_FRAMES = 640_000


def must_be_whole(result, frames, most=MAX):
    """All frames have come, of all sizes each way; nobody has dropped any."""
    result.must_be_good(frames)
    assert result.sum("received") == result.sum("sent") == frames
    assert [lane["sizes"] for lane in result.lanes] == [most - MIN + 1] * 2
    assert result.sum("foreign") == 0
    wrong = {(port, name): value for port, stats in result.ports.items() for name, value in stats.items()
             if any(word in name for word in ("error", "drop", "missed", "bad", "nombuf"))}
    assert not wrong, result.output
    return result


def through_switch(switch, pktcheck, frames, words, most=MAX, arguments=(), **eal):
    """From one front end, with device arguments, to the other."""
    one = switch(mtu=9000)
    result = pktcheck(one.fronts(**dict(arguments)), "--frames", frames, "--max", most, *words, **eal)
    assert (one.drops("d0"), one.drops("d1")) == ({}, {}), result.output
    return must_be_whole(result, frames, most)


def to_back_end(workdir, pktcheck, frames, words, most=MAX, cores=1):
    """Front end and back end in one process."""
    ends = [lab.back(0, workdir / "card.sock"), lab.front(0, workdir / "card.sock")]
    return must_be_whole(pktcheck(ends, "--frames", frames, "--max", most, *words, cores=cores, plugins=BOTH),
                         frames, most)


def each_queue(result, number):
    """Each queue of each port has received."""
    return all(port.get(f"rx_q{queue}_packets", 0) > 0 for port in result.ports.values() for queue in range(number))


@pytest.mark.parametrize("kind", RUNS)
def test_through_the_switch(switch, pktcheck, kind):
    frames, words = RUNS[kind]
    result = through_switch(switch, pktcheck, frames, words)
    if "--queues" in words:
        assert each_queue(result, words[words.index("--queues") + 1])


@pytest.mark.parametrize("kind", RUNS)
def test_to_the_back_end(workdir, pktcheck, kind):
    frames, words = RUNS[kind]
    result = to_back_end(workdir, pktcheck, frames, words)
    if "--queues" in words:
        assert each_queue(result, words[words.index("--queues") + 1])


@pytest.mark.parametrize("bits", [64, 512])
def test_vectors(switch, pktcheck, bits):
    """None, and the widest; the tests above have what is between."""
    through_switch(switch, pktcheck, 1_000_000, ["--queues", 2], options=[f"--force-max-simd-bitwidth={bits}"])


def test_receive_data_ring(switch, pktcheck):
    """Small frames come by it, unlike large ones."""
    through_switch(switch, pktcheck, 500_000, ["--queues", 2], arguments={"rx_data_size": 256})


def test_a_core_for_each_port(switch, workdir, pktcheck):
    """The two directions of a port are on one core, those of a device on two."""
    through_switch(switch, pktcheck, 300_000, ["--queues", 2], cores=2)
    to_back_end(workdir, pktcheck, 300_000, ["--queues", 2], cores=2)


def test_full_rings(switch, workdir, pktcheck):
    """A transmit ring that is too short for a burst takes a part of it, says so, and nothing is lost."""
    words = ["--txd", 32, "--burst", 64]
    assert through_switch(switch, pktcheck, 500_000, words).sum("refused") > 1000
    assert to_back_end(workdir, pktcheck, 500_000, words).sum("refused") > 1000


@pytest.mark.parametrize("kind", LARGE)
def test_large_through_the_switch(switch, pktcheck, kind):
    result = through_switch(switch, pktcheck, JUMBO_FRAMES, LARGE[kind], JUMBO)
    assert (result.sum("scattered") > JUMBO_FRAMES // 20) == ("--segments" in LARGE[kind])


@pytest.mark.parametrize("kind", LARGE)
def test_large_to_the_back_end(workdir, pktcheck, kind):
    result = to_back_end(workdir, pktcheck, JUMBO_FRAMES, LARGE[kind], JUMBO)
    assert (result.sum("scattered") > JUMBO_FRAMES // 20) == ("--segments" in LARGE[kind])
