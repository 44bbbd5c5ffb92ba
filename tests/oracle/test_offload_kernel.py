# SPDX-License-Identifier: BSD-3-Clause
"""lib/offload against the kernel's own segmentation and checksum completion, byte by byte."""
import json
import platform
import random
import struct
import subprocess
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP

from lib import proc
from lib.paths import BUILD, need
from offload_tool import CSUM_GOOD, Tool, l4_offset, random_cuts, random_frame, random_tcp, with_seed

NEEDS_CSUM = 1
GSO_NONE, GSO_TCPV4, GSO_TCPV6, GSO_ECN = 0, 1, 4, 0x80


class Kernel:
    """tests/oracle/kernel_gso.py in a namespace."""

    def __init__(self, netns):
        self._process = proc.spawn(["/usr/bin/python3", Path(__file__).with_name("kernel_gso.py")],
                                   netns=netns, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        self._process.stdin.close()
        assert self._process.wait(10) == 0

    def ask(self, frame, count, gso_type, header, mss, start, field):
        """The frames that the kernel makes of one; count says how many to wait for."""
        vnet = struct.pack("=BBHHHH", NEEDS_CSUM, gso_type, header, mss, start, field - start)
        self._process.stdin.write(f"{(vnet + frame).hex()} {count}\n")
        self._process.stdin.flush()
        number = int(self._process.stdout.readline())
        return [bytes.fromhex(self._process.stdout.readline()) for _ in range(number)]


@pytest.fixture
def kernel(netns):
    oracle = Kernel(netns)
    yield oracle
    oracle.close()


@pytest.fixture
def tool():
    with Tool() as process:
        yield process


@pytest.fixture
def rng(request):
    """The same random numbers in each run of a test, others in each test."""
    return random.Random(request.node.name)


def test_segmentation(tool, kernel, rng):
    pieces_in_all = 0
    for _ in range(400):
        mss = rng.choice([1448, 1428, 536, 8948, rng.randint(200, 9000)])
        # Always more than one piece: the kernel drops a large frame that is none.
        length = min(rng.choice([mss + 1, 2 * mss, rng.randrange(mss + 1, 30 * mss)]), 64000)
        packet = random_frame(rng, random_tcp(rng), length)
        frame, start, field = with_seed(packet)
        header = start + packet[TCP].dataofs * 4
        gso_type = GSO_TCPV4 if IP in packet else GSO_TCPV6
        if "C" in str(packet[TCP].flags):
            gso_type |= GSO_ECN

        ours = tool.ask("tso", frame, header, mss, cuts=random_cuts(rng, len(frame), max(192, header)))
        theirs = kernel.ask(frame, len(ours), gso_type, header, mss, start, field)
        assert [piece for _, piece in ours] == theirs, packet.summary()
        pieces_in_all += len(ours)
    assert pieces_in_all > 1000


def test_checksum_completion(tool, kernel, rng):
    for _ in range(300):
        l4 = random_tcp(rng) if rng.random() < 0.5 else UDP(sport=rng.randint(40000, 49000), dport=5001)
        packet = random_frame(rng, l4, rng.randrange(9000))
        frame, start, field = with_seed(packet)
        [(flags, ours)] = tool.ask("csum", frame, start, field, cuts=random_cuts(rng, len(frame)))
        assert flags & CSUM_GOOD
        assert kernel.ask(frame, 1, GSO_NONE, 0, 0, start, field) == [ours], packet.summary()


def in_bulk(netns, *args):
    """tests/oracle/gso_kernel.c: what it counted, and what it said of frames that came out different."""
    process = proc.spawn([need(BUILD / "tests/oracle/gso_kernel"), *args], netns=netns, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    told, differences = process.communicate(timeout=1500)
    assert process.returncode in (0, 1), differences
    return json.loads(told), differences


def check_bulk(netns, frames, seed):
    told, differences = in_bulk(netns, frames, seed)
    assert told["differing"] == 0, differences
    assert told["frames"] == frames and told["pieces"] > 3 * frames
    # Plain, VXLAN, Geneve: a fair part of each, if this kernel can be asked for the latter two.
    kinds = [count for layer in ("tcp", "udp") for count in told[layer]]
    release = tuple(int(part) for part in platform.release().split(".")[:2])
    assert told["tunnels"] or release < (6, 17)
    assert all(count > frames // 20 for count in (kinds if told["tunnels"] else kinds[::3])), told


def test_segmentation_in_bulk(netns):
    check_bulk(netns, 150_000, 1)


@pytest.mark.long
def test_segmentation_in_bulk_at_length(netns):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    check_bulk(netns, 20_000_000, seed)


def test_a_difference_is_seen(netns):
    told, differences = in_bulk(netns, 500, 2, "spoil")
    assert told["differing"] == 1 and told["frames"] == 500
    assert "ours: " in differences and "kernel's: " in differences
