# SPDX-License-Identifier: BSD-3-Clause
"""lib/offload's header parse and RSS hash against what scapy finds in the same bytes."""
import random

import pytest
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting)
from scapy.layers.ipsec import ESP
from scapy.layers.l2 import ARP, GRE, Dot1AD, Dot1Q, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

from offload_tool import HEADER_BYTES, Tool, random_cuts, random_l2, random_l3, random_tcp

# enum offload_tunnel
VXLAN_TUNNEL, GENEVE_TUNNEL, NVGRE_TUNNEL, GRE_TUNNEL, IPIP_TUNNEL = range(1, 6)
# OFFLOAD_H_*
IPV4, IPV6, HAS_TCP, HAS_UDP, FRAGMENT, HAS_SCTP = (1 << bit for bit in range(6))
# OFFLOAD_RSS_*, by IP version
RSS_ADDRESSES, RSS_TCP = {4: 0x01, 6: 0x04}, {4: 0x02, 6: 0x08}
RSS_UDP, RSS_ESP = {4: 0x10, 6: 0x20}, {4: 0x40, 6: 0x80}
ALL_OUTER, ALL = 0xff, 0xffff

KEY = int("6d5a56da255b0ec24167253d43a38fb0d0ca2bcbae7b30b477cb2da38030f20c6a42b73bbeac01fa", 16)
EXTENSIONS = (IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment)


@pytest.fixture(scope="module")
def tool():
    with Tool() as process:
        yield process


@pytest.fixture
def rng(request):
    """The same random numbers in each run of a test, others in each test."""
    return random.Random(request.node.name)


# ---- what scapy says ----


class Found:
    """The headers of one packet, outer or inner, in a dissected frame."""

    def __init__(self, layer, whole):
        self._whole = whole
        self.ether_type = {IP: 0x0800, IPv6: 0x86dd}.get(type(layer), 0)
        self.tci = self.tags = self.l3_len = self.l4_len = self.proto = self.flags = 0
        if isinstance(layer, Ether):
            layer = self._ether(layer)
        self.l3_at = self._offset(layer)
        self.l4 = None
        if isinstance(layer, IP):
            self._ipv4(layer)
        elif isinstance(layer, IPv6):
            self._ipv6(layer)
        if self.l4 is not None and not self.flags & FRAGMENT:
            self._layer4()

    def _offset(self, layer):
        return len(self._whole) - len(layer)

    def _ether(self, layer):
        self.ether_type = layer.type
        layer = layer.payload
        while isinstance(layer, (Dot1Q, Dot1AD)):
            if not self.tags:
                self.tci = int.from_bytes(bytes(layer)[:2], "big")
            self.tags += 1
            self.ether_type = layer.type
            layer = layer.payload
        return layer

    def _ipv4(self, ip):
        self.l3_len, self.proto, self.flags = ip.ihl * 4, ip.proto, IPV4
        self.addresses = bytes(ip)[12:20]
        if ip.frag or ip.flags.MF:
            self.flags |= FRAGMENT
        self.l4 = ip.payload

    def _ipv6(self, ip):
        layer, self.proto, self.flags = ip.payload, ip.nh, IPV6
        self.addresses = bytes(ip)[8:40]
        while isinstance(layer, EXTENSIONS):
            self.proto = layer.nh
            if isinstance(layer, IPv6ExtHdrFragment):
                self.flags |= FRAGMENT
            layer = layer.payload
        self.l3_len = self._offset(layer) - self._offset(ip)
        self.l4 = layer

    def _layer4(self):
        for kind, flag, length in ((TCP, HAS_TCP, lambda tcp: tcp.dataofs * 4), (UDP, HAS_UDP, lambda _: 8),
                                   (SCTP, HAS_SCTP, lambda _: 12)):
            if isinstance(self.l4, kind):
                self.flags |= flag
                self.l4_len = length(self.l4)

    def inside(self):
        """(kind of tunnel, layer in it), or None."""
        if self.l4 is None or self.flags & FRAGMENT:
            return None
        if isinstance(self.l4, (IP, IPv6)):
            return IPIP_TUNNEL, self.l4
        if isinstance(self.l4, GRE):
            gre = self.l4
            nvgre = (isinstance(gre.payload, Ether) and gre.key_present and not gre.chksum_present
                     and not gre.seqnum_present)
            return NVGRE_TUNNEL if nvgre else GRE_TUNNEL, gre.payload
        tunnel = self.l4.payload
        if isinstance(tunnel, (VXLAN, GENEVE)) and isinstance(tunnel.payload, Ether):
            return VXLAN_TUNNEL if isinstance(tunnel, VXLAN) else GENEVE_TUNNEL, tunnel.payload
        return None

    def numbers(self, tunnel=0):
        """As offload_tool prints them."""
        return [tunnel, self.ether_type, self.tci, self.l3_at, self.l3_len, self.l4_len, self.tags, self.proto,
                self.flags]

    def hashed(self):
        """(set, hash) when every set is asked for; set 0: not IP."""
        if not self.l3_len:
            return 0, 0
        version = 4 if self.flags & IPV4 else 6
        four = bytes(self.l4)[:4]
        for kind, sets in ((TCP, RSS_TCP), (UDP, RSS_UDP), (ESP, RSS_ESP)):
            if isinstance(self.l4, kind) and not self.flags & FRAGMENT:
                return sets[version], toeplitz(self.addresses + four)
        return RSS_ADDRESSES[version], toeplitz(self.addresses)


def toeplitz(data):
    """By the definition: the 32 bits of the key that begin at each bit that is set."""
    value = 0
    for i in range(8 * len(data)):
        if data[i // 8] >> (7 - i % 8) & 1:
            value ^= KEY >> (320 - 32 - i) & 0xffffffff
    return value


# ---- what it is asked about ----


def random_l4(rng):
    kind = rng.randrange(6)
    if kind == 0:
        return UDP(sport=rng.randint(40000, 49000), dport=5001)
    if kind == 1:
        return SCTP(sport=rng.randrange(65536), dport=rng.randrange(65536), tag=1) / SCTPChunkData(data=b"abc")
    if kind == 2:
        return ESP(spi=rng.randrange(1 << 32), seq=1, data=rng.randbytes(40))
    if kind == 3:
        return ICMP()
    return random_tcp(rng)


def random_ip(rng, l4):
    packet = random_l3(rng)
    if isinstance(packet, IP) and rng.random() < 0.1:
        packet.flags = "MF"
        packet.frag = rng.choice([0, 100])
    elif isinstance(packet, IPv6) and rng.random() < 0.1:
        packet /= IPv6ExtHdrFragment(m=1, id=7)
    return packet / l4 / Raw(rng.randbytes(rng.randrange(100)))


def random_packet(rng):
    """A frame; IP of every kind, some ARP."""
    if rng.random() < 0.05:
        return random_l2(rng) / ARP()
    return random_l2(rng) / random_ip(rng, random_l4(rng))


def in_tunnel(rng):
    """The layers that hold a frame or an IP packet, and that."""
    sport = rng.randint(40000, 49000)
    kind = rng.randrange(5)
    if kind == 0:
        return UDP(sport=sport, dport=rng.choice([4789, 8472])) / VXLAN(vni=5) / random_packet(rng)
    if kind == 1:
        words = rng.choice([0, 0, 1, rng.randrange(31)])
        options = GeneveOptions(length=words - 1, data=rng.randbytes(4 * (words - 1))) if words else []
        # scapy makes optionlen, but not right above 15.
        geneve = GENEVE(vni=5, proto=0x6558, optionlen=words, options=options)
        return UDP(sport=sport, dport=6081) / geneve / random_packet(rng)
    if kind == 2:
        return GRE(key_present=1, key=rng.randrange(1 << 32), proto=0x6558) / random_packet(rng)
    if kind == 3:
        fields = {name: rng.randrange(2) for name in ("chksum_present", "key_present", "seqnum_present")}
        if rng.random() < 0.3:
            return GRE(proto=0x6558, **fields) / random_packet(rng)
        return GRE(**fields) / random_ip(rng, random_l4(rng))
    return random_ip(rng, random_l4(rng))


def in_segments(rng, frame):
    """Offsets of further segments, with all that can be a header in the first one."""
    return random_cuts(rng, len(frame), max(HEADER_BYTES, 600))


def hash_of(tool, frame, sets):
    """(set, hash)."""
    [answer] = tool.ask_numbers("hash", frame, sets)
    return tuple(answer)


def hash_of_both(outer, inner):
    """What is hashed when inner headers may be; None where the library has not the whole frame to look at."""
    if inner.l3_at + inner.l3_len + max(inner.l4_len, 8) > HEADER_BYTES:
        return None
    kind, value = inner.hashed()
    return (kind << 8, value) if kind else outer.hashed()


def check(tool, rng, packet):
    """@return whether there was a tunnel."""
    frame = bytes(packet)
    dissected = Ether(frame)
    outer = Found(dissected, frame)
    want = [outer.numbers()]
    both = outer.hashed()
    inside = outer.inside()
    if inside:
        inner = Found(inside[1], frame)
        want.append(inner.numbers(inside[0]))
        both = hash_of_both(outer, inner)
    assert tool.ask_numbers("parse", frame, cuts=in_segments(rng, frame)) == want, dissected.summary()
    assert hash_of(tool, frame, ALL_OUTER) == outer.hashed(), dissected.summary()
    assert both is None or hash_of(tool, frame, ALL) == both, dissected.summary()
    return bool(inside)


def test_plain(tool, rng):
    for _ in range(400):
        check(tool, rng, random_packet(rng))


def test_tunnels(tool, rng):
    tunnels = 0
    for _ in range(600):
        outer = random_l2(rng) / random_l3(rng)
        if rng.random() < 0.05:
            outer /= IPv6ExtHdrFragment() if outer.haslayer(IPv6) else Raw()
        tunnels += check(tool, rng, outer / in_tunnel(rng))
    assert tunnels > 500
