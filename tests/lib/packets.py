# SPDX-License-Identifier: BSD-3-Clause
"""Frames as they are on an interface: a packet socket that tells VLAN tags as well."""
import select
import socket
import struct

from .netns import in_netns
from .patience import Deadline

ETH_P_ALL = 3
SOL_PACKET, PACKET_AUXDATA = 263, 8
PACKET_OUTGOING = 4
TP_STATUS_VLAN_VALID = 1 << 4
RECEIVE_BUFFER = 8 << 20
# Frames to take between two looks at the clock, which cost more than a frame: they ask about each thread that is watched.
BATCH = 256


def with_tag(frame, ancillary):
    """The frame as it was on the wire: the kernel takes the outermost tag out, and tells of it beside the frame."""
    for level, kind, data in ancillary:
        if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
            status, _, _, _, _, tci, protocol = struct.unpack("IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                return frame[:12] + struct.pack("!HH", protocol or 0x8100, tci) + frame[12:]
    return frame


class PacketSocket:
    """An interface in a NetNs, seen by who is plugged into it.

    wanted     function of a frame: whether it is one of the test's
    pids       processes on the frames' way; time in which they get no CPU counts little
    """

    def __init__(self, netns, interface, wanted=lambda frame: True, pids=()):
        self.name = interface
        self.wanted = wanted
        self.pids = pids
        self.sock = in_netns(netns, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        self.sock.bind((interface, ETH_P_ALL))

    def send(self, *frames):
        """Send frames as they are."""
        for frame in frames:
            self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # the interface was down: told once
            self.sock.send(bytes(frame))

    def _next(self):
        frame, ancillary, _, address = self.sock.recvmsg(65536, socket.CMSG_SPACE(20))
        if address[2] == PACKET_OUTGOING:
            return None
        frame = with_tag(frame, ancillary)
        return frame if self.wanted(frame) else None

    def receive(self, count, seconds=10, silence=0.2):
        """Wait for `count` wanted frames; those, and what comes within `silence` seconds after them or instead."""
        frames = []
        deadline = Deadline(seconds, *self.pids)
        while not deadline.expired():
            if not self._ready(silence) and len(frames) >= count:
                break
            for _ in range(BATCH):
                if not self._ready(0):
                    break
                frame = self._next()
                frames += [frame] if frame else []
        return frames

    def _ready(self, seconds):
        return bool(select.select([self.sock], [], [], seconds)[0])

    def flush(self):
        """Forget what has come."""
        while self._ready(0):
            self.sock.recv(1)

    def close(self):
        """Let go of it."""
        self.sock.close()
