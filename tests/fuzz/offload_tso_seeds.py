#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_offload_tso into corpus/offload_tso: all kinds of large frames, and wrong requests."""
from pathlib import Path

from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting, PadN
from scapy.layers.l2 import GRE, Dot1Q, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

HERE = Path(__file__).resolve().parent
TAG, INNER, PLAUSIBLE, RACE, WHOLE, USO, OUTER_CSUM, BY_LAYER = (1 << bit for bit in range(8))
RIGHT = PLAUSIBLE | WHOLE | BY_LAYER


def seed(frame, options=RIGHT, mss=1448, cuts=(191, 40, 7), parts=(20, 37, 0, 1), stretch=12, hdr_len=0):
    """One input."""
    head = bytes([options, len(cuts), len(parts), stretch]) + b"\xe1\x23"
    head += hdr_len.to_bytes(2, "big") + mss.to_bytes(2, "big")
    return head + bytes(cuts) + bytes(parts) + bytes(frame)


ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
IP4, IP6 = IP(src="10.0.0.1", dst="10.0.0.2", id=65535), IPv6(src="fd00::1", dst="fd00::2")
STREAM = TCP(sport=40000, dport=443, seq=0xfffffff0, flags="APFC", options=[("Timestamp", (1, 2))])
STREAM /= Raw(bytes(range(64)))
DATAGRAM = UDP(sport=40000, dport=443) / Raw(bytes(range(64)))
TO_VXLAN, TO_GENEVE = UDP(sport=50000, dport=4789, chksum=0), UDP(sport=50000, dport=6081, chksum=0)
OPTION = GeneveOptions(classid=1, type=2, data=b"abcd")

SEEDS = {
    "tcp4": seed(ETHER / IP4 / STREAM),
    "tcp4-options": seed(ETHER / Dot1Q(vlan=5) / IP(options=[IPOption_NOP()] * 4) / STREAM, mss=536),
    "tcp6": seed(ETHER / IP6 / STREAM, RIGHT | TAG),
    "tcp6-extensions": seed(ETHER / IP6 / IPv6ExtHdrRouting(addresses=["fd00::9"], segleft=1)
                            / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]) / STREAM),
    "tcp4-mss-1": seed(ETHER / IP4 / STREAM, mss=1, stretch=0),
    "tcp4-race": seed(ETHER / IP4 / STREAM, RIGHT | RACE, mss=100),
    "tcp4-largest": seed(ETHER / IP4 / STREAM, stretch=255, mss=8948),
    "tcp4-mss-0": seed(ETHER / IP4 / STREAM, mss=0),
    "tcp4-hdr": seed(ETHER / IP4 / STREAM, WHOLE, hdr_len=0xffff),
    "tcp4-no-payload": seed(ETHER / IP4 / TCP(), stretch=0),
    "udp4": seed(ETHER / IP4 / DATAGRAM, mss=1472),
    "udp6": seed(ETHER / IP6 / DATAGRAM, mss=1000),
    "udp4-as-tcp": seed(ETHER / IP4 / DATAGRAM, PLAUSIBLE | WHOLE),
    "vxlan-tcp4": seed(ETHER / IP4 / TO_VXLAN / VXLAN(vni=5) / ETHER / IP4 / STREAM, RIGHT | INNER),
    "vxlan-tcp6-sum": seed(ETHER / IP4 / TO_VXLAN / VXLAN(vni=5) / ETHER / IP6 / STREAM, RIGHT | INNER | OUTER_CSUM),
    "vxlan6-udp4": seed(ETHER / IP6 / TO_VXLAN / VXLAN(vni=5) / ETHER / Dot1Q(vlan=7) / IP4 / DATAGRAM, RIGHT | INNER),
    "vxlan-stale-sum": seed(ETHER / IP4 / UDP(sport=1, dport=4789, chksum=9) / VXLAN(vni=5) / ETHER / IP4 / STREAM,
                            RIGHT | INNER | RACE),
    "geneve-tcp4": seed(ETHER / IP4 / TO_GENEVE / GENEVE(vni=5, proto=0x6558, options=[OPTION]) / ETHER / IP4 / STREAM,
                        RIGHT | INNER | OUTER_CSUM | TAG),
    "nvgre-tcp6": seed(ETHER / IP4 / GRE(key_present=1, key=77, proto=0x6558) / ETHER / IP6 / STREAM, RIGHT | INNER),
    "gre-sum-tcp4": seed(ETHER / IP6 / GRE(chksum_present=1) / IP4 / STREAM, RIGHT | INNER),
    "gre-sequence": seed(ETHER / IP4 / GRE(seqnum_present=1, seqence_number=3) / IP4 / STREAM, RIGHT | INNER),
    "ipip": seed(ETHER / IP4 / IP6 / STREAM, RIGHT | INNER),
    "inner-of-nothing": seed(ETHER / IP4 / STREAM, RIGHT | INNER),
}

if __name__ == "__main__":
    folder = HERE / "corpus" / "offload_tso"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in SEEDS.items():
        (folder / name).write_bytes(content)
