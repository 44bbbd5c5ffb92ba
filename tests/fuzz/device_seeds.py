#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_device into corpus/device: drivers that work, each a way into the datapath."""
from pathlib import Path

HERE = Path(__file__).resolve().parent

V7, V3, V2, V1, V4, V5, V6, V8, V9 = range(9)
CSUM_RX, RSS, VLAN, LRO, INNER, DATA_RING = 1, 2, 4, 8, 0x10, 0x80
UCAST, MCAST, BCAST, ALL_MULTI, PROMISC = 1, 2, 4, 8, 16
IPV6, UDP, BROADCAST, VXLAN, GENEVE = 1, 2, 4, 8, 16
EOP, CQ, TAG = 1 << 12, 1 << 13, 1 << 15
ENCAP, CSUM, TSO = 1 << 10, 2 << 10, 3 << 10
OCO, EXT1 = 1 << 15, 1 << 17
BODY = 0x4000
GET = 0x80
QUIESCE, RESET, RX_MODE, MAC_FILTERS, VLAN_FILTERS, RSSIDT, FEATURE = 1, 2, 3, 4, 5, 6, 9
SET_COALESCE, SET_RSS_FIELDS = 0x0e, 0x10
STATUS, STATS, LINK, COALESCE = 0, 1, 2, 0x0b
DCR = 0x48


def num(value, size):
    """Big-endian number."""
    return (value & (1 << 8 * size) - 1).to_bytes(size, "big")


def set_up(revision=V7, tx=1, rx=1, features=CSUM_RX, mtu=1500, scatter=0, auto_mask=1,
           mode=UCAST | BCAST, size=32):
    """A shared area, its address, bus master, MSI-X."""
    return bytes([0, revision, tx, rx, features]) + num(mtu, 2) + bytes([scatter, auto_mask, mode, size - 1])


def command(code):
    return bytes([2, code])


def buffers(queue=0, count=16, length=1536, at=0x4000, ring=0):
    """Receive descriptors."""
    return bytes([3, ring << 7 | queue, count]) + num(length, 2) + num(at, 2)


def desc(at=0, length=60, flags=EOP | CQ, queue=0, mss=0, hlen=0, tci=0, bits=0):
    """A transmit descriptor."""
    return (bytes([4, queue]) + num(at, 2) + num(mss << 18 | bits | length & 0x3fff, 4)
            + num(tci << 16 | flags | hlen, 4))


def packet(kind=0, at=0, l3_len=46):
    return bytes([5, kind]) + num(at, 2) + num(l3_len, 2)


def begin(queue=0, most=64):
    return bytes([6, queue, most])


def deliver(data, length=60, kind=0, tci=0):
    return bytes([9, kind]) + num(length - 1, 2) + bytes([len(data)]) + data + (num(tci, 2) if kind & 1 else b"")


def reg(bar, at, value, code=0):
    return bytes([11, bar]) + num(at, 2) + num(value, 4) + bytes([code])


def pci(at, value):
    return bytes([13, at]) + num(value, 4)


def poke(at, value):
    """A 32-bit word in the shared area or the queue descriptors."""
    return bytes([16]) + num(at, 2) + num(value, 4)


def remap(page, file_page, access=2):
    return bytes([18, page, file_page, access])


def wait(microseconds):
    return bytes([20]) + num(microseconds, 2)


def host(what):
    return bytes([21, what])


ACTIVATE, LOOP, END, POLL = b"\1", b"\7", b"\10", b"\12"
UNMASK = b"".join(reg(0, 8 * vector, 0) for vector in range(4))
ROUND = begin() + LOOP + END + POLL
GO = ACTIVATE + UNMASK + buffers() + buffers(ring=1, length=BODY | 4095, at=0x8000)
ETHERNET = bytes([0, 0x50, 0x56, 1, 2, 3, 2, 0, 0, 0, 0, 1, 8, 0])


def tso(kind, length, mss, features):
    """A large TCP frame in three descriptors, to a driver that takes it whole or in pieces."""
    headers = 74 if kind & IPV6 else 54
    return (set_up(features=features, mtu=9000) + GO + packet(kind, l3_len=length - 14)
            + desc(length=headers, flags=TSO, mss=mss, hlen=headers)
            + desc(at=headers, length=(length - headers) // 2, flags=0)
            + desc(at=0x800, length=(length - headers + 1) // 2) + ROUND)


def tunnel(revision, kind, length, mode, mss, bits=0, features=CSUM_RX | INNER | LRO):
    """A TCP frame in a tunnel, its headers in a descriptor of their own."""
    outer = 58 if kind & GENEVE else 50
    headers = outer + (74 if kind & IPV6 else 54)
    return (set_up(revision=revision, features=features, mtu=9000) + reg(1, DCR, 0xffff) + GO
            + packet(kind, l3_len=length - outer - (54 if kind & IPV6 else 14))
            + desc(length=headers, flags=mode, mss=mss, hlen=headers, bits=bits)
            + desc(at=headers, length=length - headers) + ROUND)


SEEDS = {
    "plain": set_up() + GO + packet() + desc() + desc(length=1514) + ROUND + command(GET | STATS) + command(QUIESCE),
    "csum4": set_up() + GO + packet(l3_len=86) + desc(length=100, flags=EOP | CQ | CSUM, hlen=34, mss=50) + ROUND,
    "csum6-udp": set_up(revision=V3) + GO + packet(IPV6 | UDP, l3_len=46)
                 + desc(length=100, flags=EOP | CQ | CSUM, hlen=54, mss=60) + ROUND,
    "tso4-whole": tso(0, 6000, 1448, CSUM_RX | LRO),
    "tso4-cut": tso(0, 6000, 1448, CSUM_RX),
    "tso6-cut": tso(IPV6, 4000, 100, CSUM_RX),
    "tso6-whole": tso(IPV6, 9000, 1428, CSUM_RX | LRO | VLAN),
    "inner": set_up() + GO + packet(UDP, l3_len=86)
             + desc(length=120, flags=EOP | CQ | CSUM, mss=84, hlen=86, bits=EXT1) + ROUND,
    "encap-csum": tunnel(V4, VXLAN, 400, ENCAP, 0),
    "encap-tso": tunnel(V6, GENEVE | IPV6, 6000, ENCAP, 1300, OCO),
    "encap-tso-vxlan": tunnel(V5, VXLAN, 3000, ENCAP, 500),
    "ext1-csum": tunnel(V7, VXLAN | IPV6, 400, CSUM, 50 + 54 + 16, EXT1 | OCO),
    "ext1-tso": tunnel(V9, VXLAN, 6000, TSO, 1398, EXT1 | OCO),
    "ext1-tso-geneve": tunnel(V8, GENEVE, 6000, TSO, 1390, EXT1, CSUM_RX),
    "inner-results": set_up(features=CSUM_RX | INNER) + GO + packet(VXLAN) + desc(length=110) + ROUND
                     + packet(GENEVE | UDP) + desc(length=118) + ROUND + poke(0x18, CSUM_RX) + command(FEATURE) + desc()
                     + ROUND,
    "inner-rss": set_up(rx=4, features=CSUM_RX | RSS) + reg(1, DCR, 0xfff) + ACTIVATE + b"".join(
                     buffers(queue) for queue in range(4)) + poke(0x2c0, 0x3f3f) + command(SET_RSS_FIELDS)
                 + packet(VXLAN) + desc(length=110) + ROUND + packet(GENEVE | IPV6 | UDP) + desc(length=130) + ROUND
                 + reg(1, DCR, 0) + desc(length=110) + ROUND,
    "revision-9": set_up(revision=V9) + b"".join(command(GET | code) for code in range(0x15)) + GO
                  + command(GET | LINK) + packet() + desc() + ROUND,
    "vlan": set_up(features=CSUM_RX | VLAN) + GO + packet(BROADCAST)
            + desc(flags=EOP | CQ | TAG, tci=5) + ROUND + poke(0x88, 0x20) + command(VLAN_FILTERS)
            + desc(flags=EOP | CQ | TAG, tci=6) + ROUND,
    "scatter": set_up(mtu=9000, scatter=18) + ACTIVATE + buffers(length=200, count=4)
               + buffers(ring=1, length=BODY | 256, count=31) + packet()
               + b"".join(desc(at=300 * i, length=300, flags=0) for i in range(11)) + desc(at=3300, length=300) + ROUND,
    "body-in-ring0": set_up(revision=V3, mtu=9000) + ACTIVATE
                     + (buffers(count=1, length=1000) + buffers(count=2, length=BODY | 1000)) * 4
                     + packet() + desc(length=2500) + desc() + ROUND,
    "queues": set_up(tx=4, rx=4, features=CSUM_RX | RSS) + ACTIVATE + UNMASK
              + b"".join(buffers(queue) for queue in range(4))
              + b"".join(packet(kind) + desc(queue=queue) + begin(queue) + LOOP + END for queue, kind in enumerate(
                  (0, UDP, IPV6, IPV6 | UDP)))
              + poke(0x2c0, 15) + command(SET_RSS_FIELDS) + command(RSSIDT) + desc() + ROUND,
    "many-queues": set_up(tx=9, rx=17, size=8) + ACTIVATE + buffers(count=7) + packet() + desc() + ROUND,
    "data-ring": set_up(revision=V3, features=CSUM_RX | DATA_RING) + GO + deliver(ETHERNET, 128)
                 + deliver(ETHERNET, 129) + POLL,
    "deliver": set_up(mode=PROMISC, features=CSUM_RX | VLAN) + GO
               + deliver(ETHERNET + b"E\0\0.") + deliver(ETHERNET, 1514, 3, 100) + deliver(ETHERNET, 9018) + POLL,
    "revision-1": set_up(revision=V1, features=0) + GO + packet() + desc() + ROUND,
    "revision-2-lro": set_up(revision=V2, features=CSUM_RX | LRO) + GO + packet(l3_len=2000)
                      + desc(length=2014, flags=TSO | EOP | CQ, mss=500, hlen=54) + ROUND,
    "intx": set_up() + pci(0x9c, 0x00400011) + GO + host(0xff) + host(7) + POLL + bytes([12, 1, 0, 0x38, 4]) + host(4),
    "msi": set_up() + pci(0x9c, 0x00400011) + pci(0x84, 0x00819c05) + GO + host(7) + POLL,
    "bad-descs": set_up() + GO + desc(flags=CQ) * 20 + ROUND + wait(20000) + ROUND + command(GET | STATUS),
    "bad-addresses": set_up() + GO + desc(at=0xfffe, length=16383) + desc(length=1) + ROUND,
    "bad-bodies": set_up() + ACTIVATE + buffers(length=BODY | 1000) + buffers(length=0xd000)
                  + packet() + desc() + ROUND,
    "unmap-in-burst": set_up() + GO + packet() + desc() * 3 + begin() + bytes([17, 24]) + LOOP
                      + desc() + begin() + bytes([17, 6]) + LOOP + remap(6, 40) + remap(24, 24) + ROUND,
    "reset-in-burst": set_up() + GO + packet() + desc() * 3 + begin() + command(RESET) + LOOP + set_up() + GO
                      + desc() + begin() + host(0) + LOOP,
    "activate-in-burst": set_up() + GO + packet() + desc() * 3 + begin() + ACTIVATE + buffers() + LOOP + desc() + ROUND,
    "detach-in-burst": set_up() + GO + packet() + desc() * 3 + begin() + host(1) + set_up() + GO + desc() + ROUND,
    "bus-master": set_up() + GO + packet() + desc() + pci(4, 2) + ROUND + pci(4, 6) + ROUND + pci(0x44, 3)
                  + pci(0x44, 0),
    "filters": set_up(mode=MCAST | ALL_MULTI) + GO + poke(0x7c, 601) + poke(0x80, 0x40006000) + poke(0x84, 1)
               + command(MAC_FILTERS) + poke(0x78, 31) + command(RX_MODE) + reg(1, 0x28, 2) + reg(1, 0x30, 0)
               + packet(BROADCAST) + desc() + ROUND,
    "features": set_up(features=15) + GO + poke(0x18, 0) + command(FEATURE) + packet() + desc() + ROUND
                + poke(0x288 + 4, 176) + poke(0x18, 15) + command(FEATURE) + desc() + ROUND,
    "coalesce": set_up() + GO + poke(0x2c4, 16) + poke(0x2c8, 0x40000400) + poke(0x2cc, 1) + poke(0x400, 3)
                + poke(0x404, 1000) + command(SET_COALESCE) + packet() + desc() + ROUND + desc() + ROUND
                + wait(2000) + POLL + command(GET | COALESCE),
    "link": set_up() + GO + host(5) + POLL + command(GET | LINK) + host(0x85) + POLL + reg(1, 0x40, 4),
}


def main():
    folder = HERE / "corpus" / "device"
    folder.mkdir(parents=True, exist_ok=True)
    for name, program in SEEDS.items():
        (folder / name).write_bytes(program)


if __name__ == "__main__":
    main()
