# SPDX-License-Identifier: BSD-3-Clause
"""Segmentation against scapy: each piece is as scapy builds it with all lengths and checksums made anew, and all are
what large send offload must make of the frame, in every tunnel and of both layer 4 protocols."""
import errno
import random

import pytest
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from offload_tool import (CSUM_GOOD, OffloadError, Tool, random_cuts, random_frame, random_l2, random_l3, random_tcp,
                          with_seed)

TUNNELS = ["none", "vxlan", "geneve", "nvgre", "gre", "ipip"]


@pytest.fixture(scope="module")
def tool():
    with Tool() as process:
        yield process


@pytest.fixture
def rng(request):
    """The same random numbers in each run of a test, others in each test."""
    return random.Random(request.node.name)


def tunnel_headers(rng, kind):
    """What is between the outer IP header and the inner packet; UDP checksums are not there."""
    udp = UDP(sport=rng.randint(49152, 65535), dport={"vxlan": 4789, "geneve": 6081}.get(kind, 0), chksum=0)
    if kind == "vxlan":
        return udp / VXLAN(vni=rng.randrange(1 << 24))
    if kind == "geneve":
        options = [GeneveOptions(classid=0x102, type=1, data=rng.randbytes(4 * rng.randrange(4)))
                   for _ in range(rng.randrange(3))]
        return udp / GENEVE(vni=rng.randrange(1 << 24), proto=0x6558, options=options)
    if kind == "nvgre":
        return GRE(key_present=1, key=rng.randrange(1 << 32), proto=0x6558)
    return GRE(chksum_present=rng.randrange(2))


def large(rng, kind):
    """(frame as a sender leaves it, offset of the inner frame's layer 4, packet) of a large frame."""
    l4 = random_tcp(rng) if rng.random() < 0.6 else UDP(sport=rng.randint(40000, 49000), dport=5001)
    inner = random_frame(rng, l4, rng.randrange(2, 9000), tags=kind == "none")
    raw, start, _ = with_seed(inner)
    if kind == "none":
        return raw, start, inner
    outer = random_l2(rng) / random_l3(rng)
    if kind == "ipip":
        inner, raw, start = inner.payload, raw[14:], start - 14
        last = outer.lastlayer()
        last.setfieldval("proto" if isinstance(last, IP) else "nh", 4 if IP in inner else 41)
    else:
        outer /= tunnel_headers(rng, kind)
        if kind == "gre":
            outer[GRE].proto = 0x800 if IP in inner else 0x86dd
            inner, raw, start = inner.payload, raw[14:], start - 14
    whole = bytes(outer / Raw(raw))
    return whole, len(whole) - len(raw) + start, Ether(whole)


def rebuilt(raw, keep_zero):
    """The frame with every length and checksum made anew by scapy; outer UDP checksums of zero stay."""
    packet = Ether(raw)
    layer = packet
    while layer:
        for name in ("chksum", "len", "plen"):
            if name in layer.fields and not (keep_zero and layer.fields[name] == 0 and isinstance(layer, UDP)):
                del layer.fields[name]
        layer = layer.payload
    return bytes(packet)


def ip_ids(packet):
    """Identifications of all IPv4 headers, outer first."""
    found, number = [], 1
    while packet.getlayer(IP, number):
        found.append(packet.getlayer(IP, number).id)
        number += 1
    return found


def check_tcp(original, pieces):
    tcp = original[TCP]
    for index, piece in enumerate(pieces):
        at = sum(len(p[TCP].payload) for p in pieces[:index])
        assert piece[TCP].seq == (tcp.seq + at) % (1 << 32)
        flags = str(tcp.flags)
        if index:
            flags = flags.replace("C", "")
        if index + 1 < len(pieces):
            flags = flags.replace("F", "").replace("P", "")
        assert str(piece[TCP].flags) == flags
        assert piece[TCP].options == tcp.options and piece[TCP].ack == tcp.ack


@pytest.mark.parametrize("kind", TUNNELS)
def test_large_send(tool, rng, kind):
    for _ in range(100):
        frame, start, packet = large(rng, kind)
        tcp = TCP in packet
        header = start + ((frame[start + 12] >> 4) * 4 if tcp else 8)
        payload = frame[header:]
        mss = rng.choice([1448, 1472, rng.randint(60, 4000), max(1, len(payload) // 3)])
        wants_sum = kind in ("vxlan", "geneve") and rng.random() < 0.5
        operation = ("tso" if tcp else "uso") + ("+inner" if kind != "none" else "") + ("+csum" if wants_sum else "")

        answers = tool.ask(operation, frame, header, mss, cuts=random_cuts(rng, len(frame), max(192, header)))
        raw = [piece for _, piece in answers]
        assert b"".join(piece[header:] for piece in raw) == payload
        assert [len(piece) - header for piece in raw[:-1]] == [mss] * (len(raw) - 1)
        assert all(rebuilt(piece, kind != "none" and not wants_sum) == piece for piece in raw), packet.summary()
        if kind in ("vxlan", "geneve"):
            assert all((Ether(piece)[UDP].chksum != 0) == wants_sum for piece in raw)
        for index, piece in enumerate(raw):
            assert ip_ids(Ether(piece)) == [(number + index) % 65536 for number in ip_ids(packet)]
        if tcp:
            check_tcp(packet, [Ether(piece) for piece in raw])
        known = kind not in ("vxlan", "geneve") or wants_sum or outer_is_ipv4(frame)
        assert all(bool(flags & CSUM_GOOD) == known for flags, _ in answers)


def outer_is_ipv4(frame):
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    return frame[at:at + 2] == b"\x08\x00"


@pytest.mark.parametrize("kind", TUNNELS)
def test_refusals(tool, rng, kind):
    frame, start, packet = large(rng, kind)
    header = start + ((frame[start + 12] >> 4) * 4 if TCP in packet else 8)
    inner = "+inner" if kind != "none" else ""
    right, wrong = ("tso", "uso") if TCP in packet else ("uso", "tso")
    for operation, length, mss in ((right + inner, header, 0), (right + inner, header + 4, 100),
                                   (right + inner, len(frame) + 1, 100), (wrong + inner, header, 100)):
        with pytest.raises(OffloadError) as refused:
            tool.ask(operation, frame, length, mss, cuts=random_cuts(rng, len(frame), max(192, header)))
        assert refused.value.errno == errno.EINVAL
