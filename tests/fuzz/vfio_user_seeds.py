#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_vfio_user into corpus/vfio_user: what QEMU says, in its order, and what it never says."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "protocol"))
import vfio_user as vu  # noqa: E402

NO_REPLY, RAW, LONGER, STRETCH, TRUNCATE, LATE_FDS, SEND_FAIL = (1 << bit for bit in range(7))
MEMORY, READ_ONLY, EVENT, EVENT_2, PIPE, PIPE_OUT, NULL, OTHER_MEMORY = range(8)
ATTACH = vu.DATA_EVENTFD | vu.TRIGGER
OFF = vu.DATA_NONE | vu.TRIGGER


def record(command, payload=b"", fds=0, first=0, options=0):
    """One message; `fds` descriptors are taken from the pool, beginning with `first`."""
    payload = bytes(payload)
    return bytes([command & 0xff, options, fds | first << 4, len(payload)]) + payload


def dma_map(address, size, offset=0, flags=3, fds=1, first=MEMORY, options=0):
    """DMA_MAP."""
    return record(vu.DMA_MAP, vu.DmaMap(32, flags, offset, address, size), fds, first, options)


def dma_unmap(address, size, flags=0, options=0):
    """DMA_UNMAP."""
    return record(vu.DMA_UNMAP, vu.DmaUnmap(24, flags, address, size), options=options)


def set_irqs(index, flags, start=0, count=0, fds=0, first=EVENT, bools=b""):
    """DEVICE_SET_IRQS."""
    return record(vu.DEVICE_SET_IRQS, bytes(vu.IrqSet(20, flags, index, start, count)) + bools, fds, first)


def read(region, offset, count):
    """REGION_READ."""
    return record(vu.REGION_READ, vu.RegionAccess(offset, region, count))


def write(region, offset, data, options=0):
    """REGION_WRITE."""
    return record(vu.REGION_WRITE, bytes(vu.RegionAccess(offset, region, len(data))) + data, options=options)


VERSION = record(vu.VERSION, bytes(4) + b'{"capabilities":{"pgsizes":4096,"max_msg_fds":16,"twin_socket":false}}\0')
INFO = record(vu.DEVICE_GET_INFO, vu.DeviceInfo(argsz=16))
RESET = record(vu.DEVICE_RESET)
PAGE = vu.PAGE


def region_info(index, argsz=32):
    """DEVICE_GET_REGION_INFO."""
    return record(vu.DEVICE_GET_REGION_INFO, vu.RegionInfo(argsz=argsz, index=index))


SEEDS = {
    "start": VERSION + dma_map(0, 32 * PAGE) + dma_map(0xfffc0000, 16 * PAGE, fds=0, flags=1) + INFO
    + b"".join(region_info(i) for i in range(9)) + region_info(2, 4096)
    + record(vu.DEVICE_GET_IRQ_INFO, vu.IrqInfo(argsz=16, index=3))
    + record(vu.DEVICE_GET_IRQ_INFO, vu.IrqInfo(argsz=16, index=2)) + read(7, 0, 256)
    + write(7, 0x30, b"\0\xf8\xff\xff")
    + set_irqs(vu.INTX, ATTACH, 0, 1, 1) + set_irqs(vu.INTX, OFF) + RESET,
    "msix": VERSION + set_irqs(vu.MSIX, ATTACH, 0, 1) + set_irqs(vu.MSIX, ATTACH, 0, 2, 2)
    + set_irqs(vu.MSIX, ATTACH, 1, 1, 1) + set_irqs(vu.MSIX, OFF, 0, 25)
    + set_irqs(vu.MSIX, vu.DATA_BOOL | vu.TRIGGER, 0, 4, bools=b"\1\0\1\1") + set_irqs(vu.MSIX, OFF),
    "intx": VERSION + set_irqs(vu.INTX, ATTACH, 0, 1, 1) + set_irqs(vu.INTX, vu.DATA_NONE | vu.MASK, 0, 1)
    + set_irqs(vu.INTX, vu.DATA_NONE | vu.UNMASK, 0, 1) + set_irqs(vu.INTX, vu.DATA_EVENTFD | vu.UNMASK, 0, 1, 1),
    "remap": VERSION + dma_map(0, 64 * PAGE) + dma_unmap(0, 64 * PAGE) + dma_map(0, 4 * PAGE)
    + dma_map(4 * PAGE, 60 * PAGE, 4 * PAGE, flags=1, first=READ_ONLY) + dma_unmap(0, 0, vu.UNMAP_ALL)
    + dma_map(0xffffffff000, PAGE, first=OTHER_MEMORY) + dma_map(1 << 47, PAGE, 63 * PAGE),
    "registers": VERSION + write(1, 0x20, b"\0\0\xfe\xca") + read(1, 0x20, 4) + write(0, 0, bytes(4), NO_REPLY)
    + write(4, 0, bytes(200), STRETCH) + read(4, 0, 1 << 20) + read(3, 0, 1) + read(1, 0xffe, 4),
    "descriptors": VERSION + dma_map(0, PAGE, first=PIPE) + dma_map(0, PAGE, first=EVENT) + dma_map(0, PAGE, fds=2)
    + set_irqs(vu.MSIX, ATTACH, 0, 2, 2, PIPE) + set_irqs(vu.MSIX, ATTACH, 0, 15, 15, NULL)
    + dma_map(0, PAGE, options=LATE_FDS) + record(vu.DEVICE_RESET, fds=15),
    "truncated": VERSION + dma_map(0, 64 * PAGE) + dma_map(1 << 20, PAGE, 60 * PAGE, first=OTHER_MEMORY)
    + record(vu.DEVICE_RESET, options=TRUNCATE) + dma_map(1 << 30, 2 * PAGE) + dma_unmap(0, 64 * PAGE)
    + dma_map(0, PAGE),
    "headers": VERSION + record(99) + record(vu.DEVICE_FEATURE, bytes(16)) + record(vu.DEVICE_RESET, options=NO_REPLY)
    + record(0, vu.Header(9, vu.DEVICE_RESET, 16, 0x40, 0), options=RAW)
    + record(0, vu.Header(9, vu.DEVICE_RESET, 15, 0, 0), options=RAW),
    "half": VERSION + record(vu.DEVICE_GET_INFO, vu.DeviceInfo(argsz=16), options=LONGER),
    "unread": VERSION + record(vu.DEVICE_RESET, options=SEND_FAIL),
    "no-version": INFO + dma_map(0, PAGE) + record(vu.VERSION, b"\1\0\0\0") + record(vu.VERSION, b"\0\0\1\0") + INFO,
}

if __name__ == "__main__":
    folder = HERE / "corpus" / "vfio_user"
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in SEEDS.items():
        (folder / name).write_bytes(seed)
