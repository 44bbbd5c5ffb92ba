#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Makes the seeds of fuzz_offload_csum: offload_csum_seeds.py DIR"""
import struct
import sys
from pathlib import Path

from scapy.contrib.geneve import GENEVE
from scapy.layers.inet import IP, TCP, UDP, IPOption_RR
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrRouting, PadN
from scapy.layers.l2 import GRE, Dot1Q, Ether
from scapy.layers.sctp import SCTP, SCTPChunkData
from scapy.layers.vxlan import VXLAN
from scapy.packet import Raw

INNER, OUTER, PLAUSIBLE, ROOM, WHOLE = 1, 2, 4, 8, 16
ETHER = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
V4, V6 = IP(src="10.0.0.1", dst="10.0.0.2"), IPv6(src="fd00::1", dst="fd00::2")
SCTP_DATA = SCTP(sport=1, dport=2) / SCTPChunkData(data=b"abcdefg")
TCP_DATA, UDP_DATA = TCP(sport=1, dport=2) / Raw(b"abcdefghi"), UDP(sport=3, dport=4) / Raw(b"abcdefgh")

FRAMES = {
    "tcp4": ETHER / V4 / TCP_DATA,
    "tcp6": ETHER / V6 / TCP_DATA,
    "udp4": ETHER / V4 / UDP_DATA,
    "udp6": ETHER / V6 / UDP_DATA,
    "udp4-none": ETHER / V4 / UDP(sport=3, dport=4, chksum=0) / Raw(b"abc"),
    "udp6-none": ETHER / V6 / UDP(sport=3, dport=4, chksum=0) / Raw(b"abc"),
    "sctp4": ETHER / V4 / SCTP_DATA,
    "sctp6": ETHER / V6 / SCTP_DATA,
    "tagged": ETHER / Dot1Q(vlan=5) / V4 / TCP_DATA,
    "padded": ETHER / V4 / UDP(sport=3, dport=4) / Raw(b"x"),
    "options": ETHER / IP(src="10.0.0.1", dst="10.0.0.2", options=[IPOption_RR(routers=["0.0.0.0"])]) / TCP_DATA,
    "extensions": ETHER / V6 / IPv6ExtHdrRouting(addresses=["fd00::3"], segleft=1)
    / IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(4))]) / UDP_DATA,
    "fragment": ETHER / IP(src="10.0.0.1", dst="10.0.0.2", flags="MF") / UDP_DATA,
    "vxlan": ETHER / V4 / UDP(sport=50000, dport=4789) / VXLAN(vni=1) / ETHER / V4 / TCP_DATA,
    "vxlan-none": ETHER / V4 / UDP(sport=50000, dport=4789, chksum=0) / VXLAN(vni=1) / ETHER / V6 / UDP_DATA,
    "geneve6": ETHER / V6 / UDP(sport=50000, dport=6081) / GENEVE(vni=1, proto=0x6558) / ETHER / V4 / UDP_DATA,
    "nvgre": ETHER / V4 / GRE(key_present=1, key=256, proto=0x6558) / ETHER / V4 / TCP_DATA,
    "ipip": ETHER / V4 / V4 / UDP_DATA,
}


def seed(options, frame, cuts=b"", stretch=0, path=0, piece=(80, 3), start=34, field=50):
    head = struct.pack(">6B2H", options, len(cuts), stretch, path, *piece, start, field)
    return head + cuts + frame


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for index, (name, packet) in enumerate(FRAMES.items()):
        frame = bytes(packet) + (bytes(17) if name == "padded" else b"")
        inner = INNER | (OUTER if index % 2 else 0) if name in ("vxlan", "vxlan-none", "geneve6", "nvgre", "ipip") else 0
        (folder / name).write_bytes(seed(PLAUSIBLE | inner, frame, path=index % 3))
        (folder / f"{name}-cut").write_bytes(seed(PLAUSIBLE | ROOM | WHOLE | inner, frame, bytes([60, 200, 1, 2]),
                                                  stretch=index % 4, path=index % 3, piece=(index * 11 % 90, index)))
    (folder / "given").write_bytes(seed(0, bytes(FRAMES["tcp4"]), bytes([69])))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
