#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_offload_parse into corpus/offload_parse: frames of every kind, tags and tunnels too."""
from pathlib import Path

from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting,
                                PadN)
from scapy.layers.ipsec import AH, ESP
from scapy.layers.l2 import ARP, GRE, LLC, Dot1AD, Dot1Q, Dot3, Ether
from scapy.layers.sctp import SCTP
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

HERE = Path(__file__).resolve().parent
ALL_TYPES = b"\xff\xff"
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
IP4 = IP(src="66.9.149.187", dst="161.142.100.80")
IP6 = IPv6(src="3ffe:2501:200:1fff::7", dst="3ffe:2501:200:3::1")
TCP4 = IP4 / TCP(sport=2794, dport=1766) / Raw(b"abc")
TCP6 = IP6 / TCP(sport=2794, dport=1766, options=[("Timestamp", (1, 2)), ("NOP", None)]) / Raw(b"abc")
OUTER4 = ETHER / IP(src="10.0.0.1", dst="10.0.0.2")
NVGRE = GRE(key_present=1, key=0x500, proto=0x6558)
OUTER6 = ETHER / IPv6(src="fd00::1", dst="fd00::2")

FRAMES = {
    "tcp4": ETHER / TCP4, "tcp6": ETHER / TCP6, "udp4": ETHER / IP4 / UDP() / Raw(b"x"), "udp6": ETHER / IP6 / UDP(),
    "sctp4": ETHER / IP4 / SCTP(), "sctp6": ETHER / IP6 / SCTP(), "icmp": ETHER / IP4 / ICMP(), "arp": ETHER / ARP(),
    "esp4": ETHER / IP4 / ESP(spi=7, seq=1), "esp6": ETHER / IP6 / ESP(spi=7, seq=1),
    "ah6": ETHER / IP6 / AH(spi=7, nh=6, payloadlen=1) / TCP(),
    "llc": Dot3() / LLC() / Raw(bytes(40)), "options4": ETHER / IP(options=[IPOption_NOP()] * 8) / UDP(),
    "fragment4": ETHER / IP(flags="MF") / UDP(), "fragment6": ETHER / IPv6() / IPv6ExtHdrFragment(m=1) / UDP(),
    "extensions": ETHER / IPv6() / IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))])
    / IPv6ExtHdrRouting(addresses=["fd00::9"]) / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(12))]) / TCP(),
    "tagged": ETHER / Dot1Q(vlan=7) / TCP4, "qinq": ETHER / Dot1AD(vlan=5) / Dot1Q(vlan=7) / TCP6,
    "tags5": ETHER / Dot1Q() / Dot1Q() / Dot1Q() / Dot1Q() / Dot1Q() / TCP4,
    "vxlan": OUTER4 / UDP(dport=4789) / VXLAN(vni=5) / ETHER / TCP4,
    "vxlan-flannel6": OUTER6 / UDP(dport=8472) / VXLAN(vni=5) / ETHER / Dot1Q(vlan=3) / TCP6,
    "geneve": OUTER4 / UDP(dport=6081) / GENEVE(vni=5, proto=0x6558, options=GeneveOptions(length=3, data=bytes(12)))
    / ETHER / TCP4,
    "geneve6-arp": OUTER6 / UDP(dport=6081) / GENEVE(vni=5, proto=0x6558) / ETHER / ARP(),
    "nvgre": OUTER4 / NVGRE / ETHER / TCP4, "nvgre-tagged": ETHER / Dot1Q() / OUTER6.payload / NVGRE / ETHER / TCP6,
    "gre4": OUTER4 / GRE() / TCP4, "gre6": OUTER6 / GRE(key_present=1, seqnum_present=1, chksum_present=1) / TCP6,
    "ipip": OUTER4 / TCP4, "sit": OUTER4 / TCP6, "ip4ip6": OUTER6 / TCP4, "short": Raw(b"\2\0\0"),
}


def seed(frame):
    """The header that the target wants: types, a length to cut at, a tag, what to do with tags; and the frame."""
    return ALL_TYPES + (len(frame) // 2).to_bytes(2, "big") + b"\x20\x64" + b"\x1e\x4b" + frame


if __name__ == "__main__":
    folder = HERE / "corpus" / "offload_parse"
    folder.mkdir(parents=True, exist_ok=True)
    for name, packet in FRAMES.items():
        (folder / name).write_bytes(seed(bytes(packet)))
