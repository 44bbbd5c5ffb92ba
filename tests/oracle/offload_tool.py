# SPDX-License-Identifier: BSD-3-Clause
"""lib/offload from Python, by way of tests/unit/offload_tool.c, and random frames to give it."""
import subprocess

from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP, IPOption_RR, in4_chksum
from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop, IPv6ExtHdrRouting, PadN,
                                in6_chksum)
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from lib.paths import BUILD, need

HEADER_BYTES = 192
CSUM_GOOD = 0x02
CSUM_BAD = 0x04
SOURCE = "02:76:78:00:00:01"


class OffloadError(Exception):
    """The library refused; .errno says why."""

    def __init__(self, errno):
        super().__init__(f"refused with errno {errno}")
        self.errno = errno


class Tool:
    """One process that answers request after request."""

    def __init__(self):
        path = need(BUILD / "tests/unit/offload_tool")
        self._process = subprocess.Popen([path], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        assert self._process.wait(10) == 0

    def ask(self, operation, frame, first=0, second=0, tci=None, cuts=()):
        """[(flags, frame)] that come of the request."""
        answers = self._ask(operation, frame, first, second, tci, cuts)
        return [(int(flags, 16), bytes.fromhex(hexed)) for flags, hexed in answers]

    def ask_numbers(self, operation, frame, first=0, cuts=()):
        """[[number, ...]] that are found in the frame."""
        return [[int(word) for word in words] for words in self._ask(operation, frame, first, 0, None, cuts)]

    def _ask(self, operation, frame, first, second, tci, cuts):
        tag = "-" if tci is None else tci
        places = ",".join(str(cut) for cut in cuts) or "-"
        self._process.stdin.write(f"{operation} {first} {second} {tag} {places} {frame.hex()}\n")
        self._process.stdin.flush()
        word, number = self._process.stdout.readline().split()
        if word == "error":
            raise OffloadError(int(number))
        return [self._process.stdout.readline().split() for _ in range(int(number))]


def random_cuts(rng, length, first=HEADER_BYTES):
    """Offsets of up to ten segments after a first one that holds at least the headers."""
    if length <= first:
        return []
    return sorted(rng.sample(range(first, length), rng.randint(0, min(10, length - first))))


def random_l2(rng, tags=True):
    ether = Ether(src=SOURCE, dst="02:76:78:00:00:02")
    kind = rng.randrange(5) if tags else 0
    if kind == 3:
        ether /= Dot1Q(vlan=rng.randrange(4096), prio=rng.randrange(8))
    elif kind == 4:
        ether /= Dot1AD(vlan=rng.randrange(4096)) / Dot1Q(vlan=rng.randrange(4096))
    return ether


def random_address6(rng):
    return ":".join(f"{rng.randrange(65536):x}" for _ in range(8))


def random_l3(rng, extras=True):
    """IPv4, some with options, or IPv6, some with extension headers."""
    if rng.random() < 0.5:
        options = []
        if extras and rng.random() < 0.4:
            options = [IPOption_RR(routers=["0.0.0.0"] * rng.randint(1, 8)), IPOption_NOP()]
        return IP(src=".".join(str(rng.randint(1, 223)) for _ in range(4)),
                  dst=".".join(str(rng.randint(1, 223)) for _ in range(4)),
                  id=rng.choice([0, 65535, rng.randrange(65536)]), tos=rng.randrange(256),
                  flags=rng.choice(["", "DF"]), ttl=rng.randint(1, 255), options=options)
    packet = IPv6(src=random_address6(rng), dst=random_address6(rng), fl=rng.randrange(1 << 20),
                  tc=rng.randrange(256), hlim=rng.randint(1, 255))
    if not extras:
        return packet
    if rng.random() < 0.3:
        packet /= IPv6ExtHdrHopByHop(options=[PadN(optdata=bytes(4))])
    if rng.random() < 0.2:
        packet /= IPv6ExtHdrRouting(addresses=[random_address6(rng) for _ in range(rng.randint(1, 3))],
                                    segleft=rng.randrange(2))
    if rng.random() < 0.3:
        packet /= IPv6ExtHdrDestOpt(options=[PadN(optdata=bytes(rng.choice([4, 12, 20])))])
    return packet


def random_tcp(rng):
    options = []
    if rng.random() < 0.7:
        options = [("NOP", None), ("NOP", None), ("Timestamp", (rng.randrange(1 << 32), 7))]
    if rng.random() < 0.2:
        options += [("SAck", (1, 2, 3, 4))]
    return TCP(sport=rng.randint(40000, 49000), dport=5001, seq=rng.choice([0xffffff00, rng.randrange(1 << 32)]),
               ack=rng.randrange(1 << 32), window=rng.randrange(65536),
               flags="A" + "".join(flag for flag in "FPUEC" if rng.random() < 0.3), options=options)


def random_frame(rng, l4, payload, tags=True, extras=True):
    """A frame as scapy makes it, checksums done."""
    frame = random_l2(rng, tags) / random_l3(rng, extras) / l4 / Raw(rng.randbytes(payload))
    return Ether(bytes(frame))


def l4_offset(packet):
    """Where TCP or UDP begins."""
    l4 = packet[TCP] if TCP in packet else packet[UDP]
    return len(packet) - len(l4)


def with_seed(packet):
    """The bytes of the frame with the pseudo-header's sum for a checksum, as a sender leaves it for hardware;
    and the offsets of layer 4 and of the checksum."""
    proto, field = (6, 16) if TCP in packet else (17, 6)
    l4 = packet[TCP] if TCP in packet else packet[UDP]
    zeros = bytes(len(l4))
    if IPv6 in packet:
        seed = in6_chksum(proto, l4.underlayer, zeros) ^ 0xffff
    else:
        seed = in4_chksum(proto, packet[IP], zeros) ^ 0xffff
    start = l4_offset(packet)
    raw = bytearray(bytes(packet))
    raw[start + field:start + field + 2] = seed.to_bytes(2, "big")
    return bytes(raw), start, start + field


def rebuilt(raw):
    """The frame with every length and checksum made anew by scapy."""
    packet = Ether(raw)
    layer = packet
    while layer:
        for name in ("chksum", "len", "plen"):
            if name in layer.fields:
                del layer.fields[name]
        layer = layer.payload
    return bytes(packet)
