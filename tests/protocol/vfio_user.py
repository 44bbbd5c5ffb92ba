# SPDX-License-Identifier: BSD-3-Clause
"""A vfio-user client for tests: every structure once, every call with the errno it expects.

    with Client(path) as card:
        card.version()
        card.dma_map(0, 4096, fd=memory, expect=errno.EINVAL)
"""
import array
import collections
import ctypes as c
import errno
import json
import os
import select
import socket
import time

VERSION = 1
DMA_MAP = 2
DMA_UNMAP = 3
DEVICE_GET_INFO = 4
DEVICE_GET_REGION_INFO = 5
DEVICE_GET_REGION_IO_FDS = 6
DEVICE_GET_IRQ_INFO = 7
DEVICE_SET_IRQS = 8
REGION_READ = 9
REGION_WRITE = 10
DMA_READ = 11
DMA_WRITE = 12
DEVICE_RESET = 13
DIRTY_PAGES = 14
REGION_WRITE_MULTI = 15
DEVICE_FEATURE = 16
MIG_DATA_READ = 17
MIG_DATA_WRITE = 18

REPLY = 0x01
NO_REPLY = 0x10
ERROR = 0x20

READ, WRITE = 1, 2  # of a mapping, and of a region
DMA_BY_MMAP, DMA_BY_FILE_IO = 4, 8
UNMAP_ALL = 2
REGION_MMAP, REGION_CAPS = 4, 8

DATA_NONE, DATA_BOOL, DATA_EVENTFD = 0x01, 0x02, 0x04
MASK, UNMASK, TRIGGER = 0x08, 0x10, 0x20

BAR0, BAR1, BAR2, ROM, CONFIG = 0, 1, 2, 6, 7
INTX, MSI, MSIX, ERR = 0, 1, 2, 3

PAGE = 4096
MAX_XFER = 1 << 20

# What QEMU 11.1 says of itself.
QEMU_CAPABILITIES = {"capabilities": {
    "pgsizes": 4096, "max_msg_fds": 16, "max_dma_maps": 65535, "max_data_xfer_size": MAX_XFER,
    "migration": {"pgsize": 4096, "max_bitmap_size": 268435456}, "write_multiple": True}}


def structure(name, **fields):
    """A structure of the wire: fields in order, no gaps."""
    return type(name, (c.Structure,), {"_pack_": 1, "_fields_": list(fields.items())})


Header = structure("Header", msg_id=c.c_uint16, command=c.c_uint16, size=c.c_uint32, flags=c.c_uint32,
                   error=c.c_uint32)
VersionHead = structure("VersionHead", major=c.c_uint16, minor=c.c_uint16)
DmaMap = structure("DmaMap", argsz=c.c_uint32, flags=c.c_uint32, offset=c.c_uint64, address=c.c_uint64,
                   size=c.c_uint64)
DmaUnmap = structure("DmaUnmap", argsz=c.c_uint32, flags=c.c_uint32, address=c.c_uint64, size=c.c_uint64)
DeviceInfo = structure("DeviceInfo", argsz=c.c_uint32, flags=c.c_uint32, num_regions=c.c_uint32,
                       num_irqs=c.c_uint32)
RegionInfo = structure("RegionInfo", argsz=c.c_uint32, flags=c.c_uint32, index=c.c_uint32,
                       cap_offset=c.c_uint32, size=c.c_uint64, offset=c.c_uint64)
SparseCap = structure("SparseCap", id=c.c_uint16, version=c.c_uint16, next=c.c_uint32, nr_areas=c.c_uint32,
                      reserved=c.c_uint32)
Area = structure("Area", offset=c.c_uint64, size=c.c_uint64)
IrqInfo = structure("IrqInfo", argsz=c.c_uint32, flags=c.c_uint32, index=c.c_uint32, count=c.c_uint32)
IrqSet = structure("IrqSet", argsz=c.c_uint32, flags=c.c_uint32, index=c.c_uint32, start=c.c_uint32,
                   count=c.c_uint32)
RegionAccess = structure("RegionAccess", offset=c.c_uint64, region=c.c_uint32, count=c.c_uint32)

Reply = collections.namedtuple("Reply", "header payload fds")


class Gone(ConnectionError):
    """The server has ended the connection."""


class Client:
    """One connection. Nothing is sent that was not asked for; call start() for a working card."""

    def __init__(self, path, timeout=60):
        self.timeout = timeout
        self.msg_id = 0
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Leave."""
        self.sock.close()

    # --- messages

    def send_raw(self, data, fds=()):
        """Bytes as they are, with descriptors on the first of them."""
        anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        data = bytes(data)
        try:
            sent = self.sock.sendmsg([data], anc)
            if sent < len(data):
                self.sock.sendall(data[sent:])
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None

    def send(self, command, payload=b"", fds=(), flags=0, size=None):
        """A message; `size` replaces the true one in its header."""
        self.msg_id = (self.msg_id + 1) & 0xffff
        payload = bytes(payload)
        size = 16 + len(payload) if size is None else size
        self.send_raw(bytes(Header(self.msg_id, command, size, flags, 0)) + payload, fds)

    def _read(self, size):
        data, fds, end = b"", [], time.monotonic() + self.timeout
        while len(data) < size:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                raise TimeoutError(f"{len(data)} of {size} bytes after {self.timeout} s")
            try:
                part, new, _, _ = socket.recv_fds(self.sock, size - len(data), 16)
            except ConnectionResetError:
                raise Gone from None
            fds += new
            if not part:
                raise Gone
            data += part
        return data, fds

    def receive(self):
        """The next message from the server."""
        data, fds = self._read(16)
        header = Header.from_buffer_copy(data)
        assert 16 <= header.size <= 64 << 20
        payload, late = self._read(header.size - 16)
        assert not late, "descriptors belong to the first byte of a message"
        return Reply(header, payload, fds)

    def reply(self, command, expect=0):
        """The reply to the last message, which must have this errno."""
        reply = self.receive()
        header = reply.header
        assert (header.msg_id, header.command) == (self.msg_id, command)
        assert header.flags & 0xf == REPLY
        got = header.error if header.flags & ERROR else 0
        assert got == expect, f"{errno.errorcode.get(got, got)}, not {errno.errorcode.get(expect, expect)}"
        if header.flags & ERROR:
            assert got > 0 and header.size == 16 and not reply.fds
        else:
            assert header.error == 0
        return reply

    def call(self, command, payload=b"", fds=(), expect=0, **options):
        """A message and its reply."""
        self.send(command, payload, fds, **options)
        return self.reply(command, expect)

    def gone(self, within=None):
        """Wait until the server has ended the connection; whatever it still says is dropped."""
        self.timeout = within or self.timeout
        try:
            while True:
                for fd in self.receive().fds:
                    os.close(fd)
        except Gone:
            return True

    # --- one method per command

    def version(self, major=0, minor=0, text=QEMU_CAPABILITIES, expect=0):
        """Agree on a version; returns what the server says, or None."""
        if isinstance(text, dict):
            text = json.dumps(text).encode() + b"\0"
        reply = self.call(VERSION, bytes(VersionHead(major, minor)) + (text or b""), expect=expect)
        if expect:
            return None
        head = VersionHead.from_buffer_copy(reply.payload)
        assert (head.major, head.minor) == (0, 0)
        assert not reply.fds
        assert reply.payload.endswith(b"\0")
        return json.loads(reply.payload[4:-1])

    def dma_map(self, address, size, fd=None, offset=0, flags=READ | WRITE, expect=0, **options):
        """Map a range of a file, or of nothing."""
        fields = {"argsz": 32, "flags": flags, "offset": offset, "address": address, "size": size, **options}
        reply = self.call(DMA_MAP, DmaMap(**fields), [] if fd is None else [fd], expect)
        assert not reply.payload

    def dma_unmap(self, address, size, flags=0, expect=0, **options):
        """Unmap what was mapped in just this way."""
        fields = {"argsz": 24, "flags": flags, "address": address, "size": size, **options}
        reply = self.call(DMA_UNMAP, DmaUnmap(**fields), expect=expect)
        if not expect:
            assert reply.payload == bytes(DmaUnmap(24, flags, address, size))

    def info(self, argsz=16, expect=0):
        """The device's facts."""
        reply = self.call(DEVICE_GET_INFO, DeviceInfo(argsz=argsz), expect=expect)
        return None if expect else DeviceInfo.from_buffer_copy(reply.payload)

    def region_info(self, index, argsz=32, expect=0):
        """A region's facts, its mappable areas (None: no capability) and its descriptor (or None)."""
        reply = self.call(DEVICE_GET_REGION_INFO, RegionInfo(argsz=argsz, index=index), expect=expect)
        if expect:
            return None
        info = RegionInfo.from_buffer_copy(reply.payload)
        areas = None
        if info.flags & REGION_CAPS:
            cap = SparseCap.from_buffer_copy(reply.payload, info.cap_offset)
            assert (cap.id, cap.version, cap.next) == (1, 1, 0)
            at = info.cap_offset + c.sizeof(SparseCap)
            areas = [Area.from_buffer_copy(reply.payload, at + i * c.sizeof(Area)) for i in range(cap.nr_areas)]
        assert len(reply.fds) <= 1
        return info, areas, (reply.fds or [None])[0]

    def region_size(self, index):
        """Bytes of a region."""
        info, _, fd = self.region_info(index)
        if fd is not None:
            os.close(fd)
        return info.size

    def irq_info(self, index, argsz=16, expect=0):
        """An interrupt index's facts."""
        reply = self.call(DEVICE_GET_IRQ_INFO, IrqInfo(argsz=argsz, index=index), expect=expect)
        return None if expect else IrqInfo.from_buffer_copy(reply.payload)

    def set_irqs(self, index, flags, start=0, count=0, fds=(), bools=b"", expect=0, argsz=20):
        """Attach, detach, mask, unmask or raise vectors."""
        payload = bytes(IrqSet(argsz, flags, index, start, count)) + bools
        assert not self.call(DEVICE_SET_IRQS, payload, fds, expect).payload

    def read(self, region, offset, count, expect=0):
        """Bytes of a region."""
        reply = self.call(REGION_READ, RegionAccess(offset, region, count), expect=expect)
        if expect:
            return None
        assert reply.payload[:16] == bytes(RegionAccess(offset, region, count))
        assert len(reply.payload) == 16 + count
        return reply.payload[16:]

    def write(self, region, offset, data, expect=0, count=None):
        """Write bytes to a region; `count` replaces the true number in the message."""
        access = bytes(RegionAccess(offset, region, len(data) if count is None else count))
        reply = self.call(REGION_WRITE, access + data, expect=expect)
        if not expect:
            assert reply.payload == access

    def read_int(self, region, offset, size=4):
        """A register."""
        return int.from_bytes(self.read(region, offset, size), "little")

    def write_int(self, region, offset, value, size=4, expect=0):
        """Set a register."""
        self.write(region, offset, value.to_bytes(size, "little"), expect=expect)

    def reset(self):
        """Reset the device."""
        assert not self.call(DEVICE_RESET).payload


class Memory:
    """Guest memory: a memfd, which the tests can read and write."""

    def __init__(self, size=1 << 20, flags=0):
        self.size = size
        self.fd = os.memfd_create("guest", os.MFD_CLOEXEC | flags)
        os.ftruncate(self.fd, size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.fd)

    def put(self, offset, data):
        """Write bytes."""
        assert os.pwrite(self.fd, data, offset) == len(data)

    def get(self, offset, size):
        """Read bytes."""
        return os.pread(self.fd, size, offset)

    def get_int(self, offset, size=8):
        """Read a number."""
        return int.from_bytes(self.get(offset, size), "little")
