# SPDX-License-Identifier: BSD-3-Clause
"""Frames by hand: a packet socket on an interface in a network namespace."""
import select
import socket
import struct
import time

from lib.netns import in_netns
from lib.packets import PACKET_AUXDATA, SOL_PACKET, with_tag

ETH_P_ALL = 3
PACKET_OUTGOING = 4
TAGS = (b"\x81\x00", b"\x88\xa8")
ETHER_TYPE = b"\x88\xb5"  # for experiments: no protocol stack answers
BROADCAST = "ff:ff:ff:ff:ff:ff"


def mac_bytes(mac):
    """Six bytes of 02:00:00:00:00:01."""
    return bytes.fromhex(mac.replace(":", ""))


def host(number):
    """The address of a station that exists in these tests only."""
    return f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"


def tag(tci, tpid=0x8100):
    """A VLAN tag, in line."""
    return struct.pack("!HH", tpid, tci)


def ether_type(frame):
    """What the frame is, behind its tags."""
    at = 12
    while frame[at:at + 2] in TAGS:
        at += 4
    return frame[at:at + 2]


class Wire:
    """An interface, as seen by who is plugged into it. Only frames of ETHER_TYPE are heard, behind whatever tags, unless all=True."""

    def __init__(self, netns, interface, hear_all=False):
        self.name = interface
        self.hear_all = hear_all
        self.sock = in_netns(netns, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL)))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.bind((interface, ETH_P_ALL))

    def send(self, src, dst, payload=b"", kind=ETHER_TYPE):
        """Send one frame."""
        self.send_bytes((mac_bytes(dst) + mac_bytes(src) + kind + payload).ljust(60, b"\0"))

    def send_bytes(self, frame):
        """Send one frame, given whole."""
        # That the interface was down in between is told once.
        self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.sock.send(frame)

    def _next(self, timeout):
        if not select.select([self.sock], [], [], max(timeout, 0))[0]:
            return None
        frame, ancillary, _, (_, _, kind, _, _) = self.sock.recvmsg(65536, socket.CMSG_SPACE(20))
        frame = with_tag(frame, ancillary)
        if kind == PACKET_OUTGOING or not (self.hear_all or ether_type(frame) == ETHER_TYPE):
            return b""
        return frame

    def heard(self, timeout=0.0):
        """The frames that have come, after at most so many seconds of silence."""
        frames = []
        while (frame := self._next(timeout)) is not None:
            if frame:
                frames.append(frame)
        return frames

    def wait(self, payload, timeout=5):
        """Wait for the frame that has this in it; returns all that came until then."""
        frames = []
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            frame = self._next(end - time.monotonic())
            if frame:
                frames.append(frame)
                if payload in frame:
                    return frames
        raise TimeoutError(f"{self.name} did not hear {payload!r}, only {frames!r}")

    def close(self):
        """Pull the plug."""
        self.sock.close()


class Lan:
    """Wires on the ports of one bridge. A marker tells when everything sent before has arrived everywhere."""

    def __init__(self, wires):
        self.wires = wires
        self._marks = 0

    def __getitem__(self, index):
        return self.wires[index]

    def heard(self):
        """What each wire has heard of all that was sent so far."""
        self._marks += 1
        mark = f"mark {self._marks}.".encode()
        heard = [[] for _ in self.wires]
        # From each wire, as frames from different ports may overtake each other; two wires hear all marks.
        for sender, wire in enumerate(self.wires):
            wire.send(host(0xff00 + sender), BROADCAST, mark)
            for listener, other in enumerate(self.wires):
                if listener != sender:
                    heard[listener] += other.wait(mark)
        return [[frame for frame in frames if b"mark " not in frame] for frames in heard]

    def counts(self, payload):
        """How often each wire has heard a payload."""
        return [sum(payload in frame for frame in frames) for frames in self.heard()]
