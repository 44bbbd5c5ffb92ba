# SPDX-License-Identifier: BSD-3-Clause
"""lib/offload against scapy, which builds the frames and makes every checksum on its own."""
import errno
import random

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from offload_tool import (CSUM_BAD, CSUM_GOOD, OffloadError, Tool, l4_offset, random_cuts, random_frame,
                          random_tcp, rebuilt, with_seed)


@pytest.fixture(scope="module")
def tool():
    with Tool() as process:
        yield process


@pytest.fixture
def rng(request):
    """The same random numbers in each run of a test, others in each test."""
    return random.Random(request.node.name)


def random_l4(rng):
    return random_tcp(rng) if rng.random() < 0.5 else UDP(sport=rng.randint(40000, 49000), dport=5001)


def test_checksum_completion(tool, rng):
    for _ in range(600):
        packet = random_frame(rng, random_l4(rng), rng.choice([0, 1, rng.randrange(1500), rng.randrange(9000)]))
        unfinished, start, field = with_seed(packet)
        cuts = random_cuts(rng, len(unfinished))
        assert tool.ask("csum", unfinished, start, field, cuts=cuts) == [
            (CSUM_GOOD | 0x10, bytes(packet))], packet.summary()


def test_completion_with_a_tag_beside_the_frame(tool, rng):
    for _ in range(50):
        packet = random_frame(rng, random_l4(rng), rng.randrange(3000), tags=False)
        unfinished, start, field = with_seed(packet)
        tci = rng.randrange(65536)
        [(_, done)] = tool.ask("csum", unfinished, start, field, tci=tci)
        tag = Dot1Q(bytes(Ether(done))[14:18])
        assert (tag.prio << 13 | tag.id << 12 | tag.vlan) == tci
        assert done[:12] + done[16:] == bytes(packet) and done[12:14] == b"\x81\x00"


def test_inner_checksum_of_a_tunnel(tool, rng):
    for _ in range(100):
        inner = random_frame(rng, random_l4(rng), rng.randrange(1400), tags=False, extras=False)
        outer = bytes(Ether(src="02:00:00:00:00:03", dst="02:00:00:00:00:04")
                      / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=40000, dport=4789, chksum=0)
                      / VXLAN(vni=5) / Raw(bytes(inner)))
        unfinished, start, field = with_seed(inner)
        base = len(outer) - len(unfinished)
        frame = outer[:base] + unfinished
        [(flags, done)] = tool.ask("csum", frame, base + start, base + field,
                                   cuts=random_cuts(rng, len(frame)))
        assert done == outer and not flags & (CSUM_GOOD | CSUM_BAD)


def test_verification(tool, rng):
    for _ in range(400):
        packet = random_frame(rng, random_l4(rng), rng.randrange(2000))
        padding = rng.randbytes(rng.choice([0, 0, rng.randrange(40)]))
        frame = bytearray(bytes(packet) + padding)
        cuts = random_cuts(rng, len(frame))
        [(flags, _)] = tool.ask("verify", frame, cuts=cuts)
        assert flags & (CSUM_GOOD | CSUM_BAD) == CSUM_GOOD, packet.summary()

        # Somewhere in what only the checksum of layer 4 covers: payload, or else the port.
        start = l4_offset(packet)
        at = rng.randrange(start + 24, len(packet)) if len(packet) > start + 24 else start
        frame[at] ^= 1 << rng.randrange(8)
        if TCP in packet and at < start + packet[TCP].dataofs * 4:
            continue
        [(flags, _)] = tool.ask("verify", frame, cuts=cuts)
        assert not flags & CSUM_GOOD, packet.summary()
        plain = packet[IP].ihl == 5 if IP in packet else packet[IPv6].nh in (6, 17)
        assert bool(flags & CSUM_BAD) == plain, packet.summary()


def test_repair(tool, rng):
    for _ in range(200):
        packet = random_frame(rng, random_l4(rng), rng.randrange(2000))
        unfinished, _, _ = with_seed(packet)
        padding = rng.randbytes(rng.choice([0, 0, rng.randrange(40)]))
        [(flags, done)] = tool.ask("repair", unfinished + padding, cuts=random_cuts(rng, len(unfinished)))
        assert flags & CSUM_GOOD and done == bytes(packet) + padding, packet.summary()


def check_pieces(packet, pieces, mss):
    """Each piece is what scapy would have built, and together they carry the payload."""
    header = l4_offset(packet) + packet[TCP].dataofs * 4
    whole = bytes(packet)
    payload = b""
    for index, (flags, raw) in enumerate(pieces):
        assert flags & CSUM_GOOD
        assert rebuilt(raw) == raw, f"piece {index} of {packet.summary()}"
        piece = Ether(raw)
        last = index == len(pieces) - 1
        assert len(raw) - header == mss or last
        assert piece[TCP].seq == (packet[TCP].seq + len(payload)) % (1 << 32)
        expected = set(str(packet[TCP].flags))
        if index:
            expected -= {"C"}
        if not last:
            expected -= {"F", "P"}
        assert set(str(piece[TCP].flags)) == expected
        if IP in packet:
            assert piece[IP].id == (packet[IP].id + index) % 65536
        l2 = len(packet) - len(packet[IP] if IP in packet else packet[IPv6])
        assert raw[:l2] == whole[:l2]
        payload += raw[header:]
    assert payload == whole[header:]


def test_segmentation(tool, rng):
    for _ in range(200):
        mss = rng.choice([1448, 1428, 536, 8948, rng.randint(50, 9000)])
        length = rng.choice([0, 1, mss, mss + 1, rng.randrange(1, 20 * mss)])
        packet = random_frame(rng, random_tcp(rng), min(length, 64000))
        header = l4_offset(packet) + packet[TCP].dataofs * 4
        frame, _, _ = with_seed(packet)
        pieces = tool.ask("tso", frame, header, mss, cuts=random_cuts(rng, len(frame), max(192, header)))
        check_pieces(packet, pieces, mss)


def test_refusals(tool, rng):
    packet = random_frame(rng, random_tcp(rng), 3000)
    header = l4_offset(packet) + packet[TCP].dataofs * 4
    for first, second in ((header, 0), (header + 4, 1000), (header - 4, 1000), (0, 1000), (4000, 1000)):
        with pytest.raises(OffloadError) as refusal:
            tool.ask("tso", bytes(packet), first, second)
        assert refusal.value.errno == errno.EINVAL
    for first, second in ((len(packet), len(packet)), (50, 49), (34, len(packet) - 1)):
        with pytest.raises(OffloadError) as refusal:
            tool.ask("csum", bytes(packet), first, second)
        assert refusal.value.errno == errno.EINVAL
