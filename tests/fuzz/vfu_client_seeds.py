#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_vfu_client into corpus/vfu_client: what a server answers to the calls that it makes, and worse."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "protocol"))
import vfio_user as vu  # noqa: E402

RAW, REQUEST, ERROR, LONGER, STRETCH, NO_ID, NO_WAIT = (1 << bit for bit in range(7))
MEMORY, SHORT_MEMORY, PIPE, NULL = range(4)
PAGE = vu.PAGE
LIMITS = b'{"capabilities":{"max_msg_fds":8,"max_data_xfer_size":1048576}}\0'


def record(command, payload=b"", fds=0, first=MEMORY, options=0):
    """One message of the server; `fds` descriptors are taken from the pool, beginning with `first`."""
    payload = bytes(payload)
    return bytes([command, options, fds | first << 5, len(payload)]) + payload


def error(command, errno):
    """An error reply."""
    return bytes([command, ERROR, 0, errno])


def version(text=LIMITS, major=0, minor=0):
    """VERSION."""
    return record(vu.VERSION, bytes(vu.VersionHead(major, minor)) + text)


def info(flags=3, regions=9, irqs=5):
    """DEVICE_GET_INFO."""
    return record(vu.DEVICE_GET_INFO, vu.DeviceInfo(16, flags, regions, irqs))


def region(index, size=0, flags=0, argsz=32, offset=0, fds=0, first=MEMORY):
    """DEVICE_GET_REGION_INFO without capabilities."""
    return record(vu.DEVICE_GET_REGION_INFO, vu.RegionInfo(argsz, flags, index, 0, size, offset), fds, first)


def areas(index, size, *pairs, offset=0, first=MEMORY, before=b""):
    """DEVICE_GET_REGION_INFO: the first answer, that has no room, and the second with these areas."""
    caps = before + bytes(vu.SparseCap(1, 1, 0, len(pairs), 0))
    caps += b"".join(bytes(vu.Area(*pair)) for pair in pairs)
    head = vu.RegionInfo(32 + len(caps), 15, index, 32, size, offset)
    return region(index, size, 7, 32 + len(caps)) + record(vu.DEVICE_GET_REGION_INFO, bytes(head) + caps, 1, first)


def irqs(index, count):
    """DEVICE_GET_IRQ_INFO."""
    return record(vu.DEVICE_GET_IRQ_INFO, vu.IrqInfo(16, 1, index, count))


def access(command, index, offset, count, data=b"", options=0):
    """REGION_READ or REGION_WRITE."""
    return record(command, bytes(vu.RegionAccess(offset, index, count)) + data, options=options)


def regions(first):
    """All of them; the first as given, BAR2 with two areas."""
    return (first + region(1, PAGE, 3) + areas(2, 4 * PAGE, (PAGE, PAGE), (3 * PAGE, PAGE), offset=PAGE) + region(3)
            + region(4) + region(5) + region(6) + region(7, 256, 3) + region(8))


def use():
    """What the client does with the device."""
    return (access(vu.REGION_READ, 1, 0x20, 4, b"\1\2\3\4") + access(vu.REGION_READ, 7, 0, 200, bytes(200))
            + access(vu.REGION_WRITE, 1, 0, 200)
            + record(vu.DMA_MAP) + record(vu.DMA_UNMAP, vu.DmaUnmap(24, 0, PAGE, PAGE))
            + 4 * record(vu.DEVICE_SET_IRQS) + record(vu.DEVICE_RESET))


BAR0 = region(0, PAGE, 7, fds=1)
ASKED = record(vu.DMA_READ, bytes(16), options=REQUEST)
IRQS = irqs(0, 1) + irqs(1, 0) + irqs(2, 25) + error(vu.DEVICE_GET_IRQ_INFO, 22) + irqs(4, 0)
START = version() + info() + regions(BAR0) + IRQS

SEEDS = {
    "good": START + use(),
    "asked": ASKED + version() + ASKED + info() + record(vu.DMA_WRITE, bytes(200), options=REQUEST | STRETCH)
    + record(99, options=REQUEST | NO_WAIT) + regions(BAR0) + IRQS,
    "refused": version() + info() + b"".join(error(vu.DEVICE_GET_REGION_INFO, i) for i in range(9))
    + b"".join(error(vu.DEVICE_GET_IRQ_INFO, 107) for _ in range(5)) + error(vu.REGION_READ, 0),
    "version": version(b'{"capabilities":{"max_msg_fds":0') + info(),
    "version-text": version(b'"max_data_xfer_size" : 8,"max_msg_fds":1') + info() + regions(BAR0) + IRQS + use(),
    "version-long": record(vu.VERSION, bytes(63), options=STRETCH) + info(0, 0xffffffff, 0xffffffff),
    "version-1": version(major=1),
    "areas": version() + info() + areas(0, 8 * PAGE, (0, 0), (PAGE, 2 * PAGE), before=bytes([9, 0, 1, 0, 40, 0, 0, 0])),
    "areas-outside": version() + info() + areas(0, PAGE, (PAGE, PAGE)),
    "areas-short": version() + info() + areas(0, 4 * PAGE, (PAGE, PAGE), first=SHORT_MEMORY),
    "argsz": version() + info() + region(0, PAGE, 7, argsz=0xffffffff, fds=1),
    "pipe": version() + info() + region(0, PAGE, 7, fds=1, first=PIPE) + region(1, PAGE, 7, fds=1, first=NULL)
    + region(2, 1 << 63, 7, offset=PAGE, fds=1),
    "descriptors": version() + info() + region(0, PAGE, 7, fds=17),
    "unasked-descriptor": version() + record(vu.DEVICE_GET_INFO, vu.DeviceInfo(16, 3, 9, 5), fds=1),
    "half": version() + info() + record(vu.DEVICE_GET_REGION_INFO, vu.RegionInfo(32, 7, 0, 0, PAGE, 0), 1, options=LONGER),
    "id": version() + record(vu.DEVICE_GET_INFO, bytes(16), options=NO_ID),
    "header": version() + record(0, vu.Header(1, vu.DEVICE_GET_INFO, 15, 1, 0), options=RAW),
}

if __name__ == "__main__":
    folder = HERE / "corpus" / "vfu_client"
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in SEEDS.items():
        (folder / name).write_bytes(seed)
