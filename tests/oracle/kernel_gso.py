# SPDX-License-Identifier: BSD-3-Clause
"""
What the kernel makes of frames that are left for it to finish. Runs in a network namespace of its own: makes
a tap without offloads, sends each frame to it with its request in a virtio header, and reads from the
other end what the kernel's software cut and summed.

Lines on stdin: hex of virtio header and frame, number of frames to expect. On stdout: as many lines of hex.
"""
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000
SOL_PACKET, PACKET_VNET_HDR = 263, 15
VNET_HDR_BYTES = 10
TIMEOUT = 5


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    subprocess.run(["ip", "link", "set", name, "mtu", "65000", "txqueuelen", "5000", "up"], check=True)
    return tap


def open_sender(name):
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sender.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    sender.bind((name, 0))
    return sender


def receive(tap, source, count):
    """The frames from that source; what the kernel says on its own account is passed over."""
    frames = []
    while len(frames) < count and select.select([tap], [], [], TIMEOUT)[0]:
        frame = os.read(tap, 70000)
        if frame[6:12] == source:
            frames.append(frame)
    return frames


def main():
    tap = open_tap("oracle0")
    sender = open_sender("oracle0")
    for line in sys.stdin:
        hexed, count = line.split()
        message = bytes.fromhex(hexed)
        source = message[VNET_HDR_BYTES + 6:VNET_HDR_BYTES + 12]
        sender.send(message)
        frames = receive(tap, source, int(count))
        print(len(frames), flush=False)
        for frame in frames:
            print(frame.hex(), flush=False)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
