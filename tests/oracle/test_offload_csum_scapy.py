# SPDX-License-Identifier: BSD-3-Clause
"""Checksums against scapy, made and verified in a copy: TCP, UDP and SCTP, in every tunnel, inside and around it."""
import random

import pytest
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from offload_tool import CSUM_BAD, CSUM_GOOD, Tool, random_cuts, random_frame, random_l2, random_l3, random_tcp, with_seed

INNER_GOOD = 0x40
KNOWN = CSUM_GOOD | CSUM_BAD | INNER_GOOD
FRONT = 400  # bytes that are private: headers, also of the longest tunnel


@pytest.fixture(scope="module")
def tool():
    with Tool() as process:
        yield process


@pytest.fixture
def rng(request):
    """The same random numbers in each run of a test, others in each test."""
    return random.Random(request.node.name)


def variants(rng, frame, payload, field, count):
    """The frame with two other bytes in the payload, which begins at an even distance from the field, and its checksum
    corrected as RFC 1624 has it."""
    for _ in range(count):
        at = payload + rng.randrange((len(frame) - payload) // 2) * 2
        old, new = int.from_bytes(frame[at:at + 2], "big"), rng.randrange(65536)
        total = (int.from_bytes(frame[field:field + 2], "big") ^ 0xffff) + (old ^ 0xffff) + new
        while total >> 16:
            total = (total & 0xffff) + (total >> 16)
        csum = (total ^ 0xffff).to_bytes(2, "big")
        yield frame[:field] + csum + frame[field + 2:at] + new.to_bytes(2, "big") + frame[at + 2:]


def random_l4(rng):
    return random_tcp(rng) if rng.random() < 0.5 else UDP(sport=rng.randint(40000, 49000), dport=5001)


def test_completion_in_the_copy(tool, rng):
    for _ in range(400):
        packet = random_frame(rng, random_l4(rng), rng.choice([0, 1, rng.randrange(1500), rng.randrange(9000)]))
        unfinished, start, field = with_seed(packet)
        cuts = random_cuts(rng, len(unfinished))
        assert tool.ask("copy", unfinished, start, field, cuts=cuts) == [(CSUM_GOOD, bytes(packet))], packet.summary()
        [(flags, copy)] = tool.ask("look", bytes(packet), rng.randrange(1, 300), cuts=cuts)
        assert flags & KNOWN == CSUM_GOOD and copy == bytes(packet), packet.summary()


def random_sctp(rng):
    l4 = SCTP(sport=rng.randrange(65536), dport=rng.randrange(65536), tag=rng.randrange(1 << 32))
    return l4 / SCTPChunkData(tsn=rng.randrange(1 << 32), data=rng.randbytes(rng.randrange(2000)))


def test_sctp(tool, rng):
    for _ in range(300):
        packet = Ether(bytes(random_l2(rng) / random_l3(rng) / random_sctp(rng)))
        whole = bytes(packet)
        start = len(whole) - len(packet[SCTP])
        cuts = random_cuts(rng, len(whole))
        padding = rng.randbytes(rng.choice([0, rng.randrange(30)]))
        [(flags, _)] = tool.ask("verify", whole + padding, cuts=cuts)
        assert flags & KNOWN == CSUM_GOOD, packet.summary()
        unfinished = whole[:start + 8] + rng.randbytes(4) + whole[start + 12:]
        for operation in ("csum", "copy"):
            [(flags, done)] = tool.ask(operation, unfinished, start, start + 8, cuts=cuts)
            assert flags & KNOWN == CSUM_GOOD and done == whole, packet.summary()
        at = rng.randrange(start, len(whole))
        broken = whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1:]
        [(flags, _)] = tool.ask("look", broken, 100, cuts=cuts)
        assert flags & KNOWN == CSUM_BAD, packet.summary()


def around(rng, kind, inner, checksum):
    """The packet in a tunnel, as scapy builds it; without an outer UDP checksum unless it is wanted."""
    outer = random_l2(rng) / random_l3(rng, extras=rng.random() < 0.3)
    udp = UDP(sport=rng.randint(49152, 65535), **({} if checksum else {"chksum": 0}))
    if kind == "vxlan":
        udp.dport = 4789
        outer /= udp / VXLAN(vni=rng.randrange(1 << 24))
    elif kind == "geneve":
        udp.dport = 6081
        options = [GeneveOptions(classid=0x102, type=1, data=rng.randbytes(4 * rng.randrange(4)))]
        outer /= udp / GENEVE(vni=rng.randrange(1 << 24), proto=0x6558, options=options)
    else:
        outer /= GRE(key_present=1, key=rng.randrange(1 << 32), proto=0x6558)
    return bytes(outer / Raw(inner))


@pytest.mark.parametrize("kind", ["vxlan", "geneve", "nvgre"])
def test_tunnels(tool, rng, kind):
    for _ in range(150):
        inner = random_frame(rng, random_l4(rng), rng.randrange(20, 1400), tags=False)
        unfinished, start, field = with_seed(inner)
        both = kind != "nvgre" and rng.random() < 0.5
        whole = around(rng, kind, bytes(inner), both)
        base = len(whole) - len(inner)
        cuts = random_cuts(rng, len(whole), FRONT)
        outer = Ether(whole)
        v4 = IPv6 not in outer or (IP in outer and len(outer[IP]) > len(outer[IPv6]))
        # Without an outer checksum, nothing is known over IPv6 and nothing can be wrong over IPv4; GRE has none.
        known = INNER_GOOD | (CSUM_GOOD if kind != "nvgre" and (both or v4) else 0)

        wanted, frame = whole, whole[:base] + unfinished
        if both:
            udp = len(whole) - len(outer[UDP])
            frame = frame[:udp + 6] + rng.randbytes(2) + frame[udp + 8:]
        operation = "+inner+csum" if both else "+inner"
        for where in ("csum", "copy"):
            [(flags, done)] = tool.ask(where + operation, frame, base + start, base + field, cuts=cuts)
            assert done == wanted and flags & KNOWN == known, (kind, outer.summary())
        [(flags, done)] = tool.ask("look", whole, rng.randrange(1, 300), cuts=cuts)
        assert done == whole and flags & KNOWN == known, (kind, outer.summary())

        # One bit of the inner payload: wrong inside, and outside as well if there is a checksum.
        at = len(whole) - 1 - rng.randrange(20)
        broken = whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1:]
        [(flags, _)] = tool.ask("look", broken, 200, cuts=cuts)
        assert not flags & INNER_GOOD, (kind, outer.summary())
        assert not (both and flags & CSUM_GOOD), (kind, outer.summary())


def bulk(tool, rng, bases, count):
    """Frames made of scapy's by changing two bytes of the payload; what becomes of the sum is arithmetic."""
    for _ in range(bases):
        packet = random_frame(rng, random_tcp(rng), rng.randrange(40, 1400))
        unfinished, start, field = with_seed(packet)
        payload = start + packet[TCP].dataofs * 4
        for whole in variants(rng, bytes(packet), payload, field, count):
            seeded = whole[:field] + unfinished[field:field + 2] + whole[field + 2:]
            [(flags, done)] = tool.ask("copy", seeded, start, field, cuts=random_cuts(rng, len(seeded)))
            assert flags & KNOWN == CSUM_GOOD and done == whole, packet.summary()


def test_many(tool, rng):
    bulk(tool, rng, 200, 100)


@pytest.mark.long
def test_very_many(tool, rng):
    bulk(tool, rng, 2000, 500)
