# SPDX-License-Identifier: BSD-3-Clause
"""DMA_MAP: ranges, files, descriptors."""
import errno
import os
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

import vfio_user as vu
from vfio_user import PAGE

GIB = 1 << 30
END = 1 << 48


def test_a_file_is_mapped_once(server, client, memory):
    for i in range(100):
        client.dma_map(i * 2 * PAGE, PAGE, memory.fd, offset=i * PAGE)
    assert server.mapped(memory) == 1
    for i in range(100):
        client.dma_unmap(i * 2 * PAGE, PAGE)
    assert server.mapped(memory) == 0


def test_no_descriptor_is_kept(server, client, memory):
    before = server.fds()
    for i in range(50):
        client.dma_map(i * PAGE, PAGE, memory.fd)
    assert server.fds() == before


@pytest.mark.parametrize("flags", [vu.READ, vu.WRITE, vu.READ | vu.WRITE, vu.READ | vu.DMA_BY_MMAP])
def test_access(client, memory, flags):
    client.dma_map(0, PAGE, memory.fd, flags=flags)


def test_without_a_file(client):
    """Other devices' BARs and firmware flash come like this."""
    client.dma_map(GIB, PAGE, flags=vu.READ)
    client.dma_map(GIB, PAGE, flags=vu.READ, expect=errno.EEXIST)
    client.dma_unmap(GIB, PAGE)


@pytest.mark.parametrize("address, size", [
    (0x10000, 0x10000), (0x10000, PAGE), (0x1f000, PAGE), (0x1f000, 2 * PAGE), (0xf000, 2 * PAGE), (0, GIB),
    (0x18000, PAGE), (0, END)])
def test_overlaps(client, memory, address, size):
    client.dma_map(0x10000, 0x10000, memory.fd)
    client.dma_map(address, size, expect=errno.EEXIST)
    client.dma_unmap(0x10000, 0x10000)
    client.dma_map(address, size)


def test_neighbours_do_not_overlap(client, memory):
    for page in (1, 3, 2, 0, 4):
        client.dma_map(page * PAGE, PAGE, memory.fd)


@pytest.mark.parametrize("address, size", [
    (0, 0), (1, PAGE), (512, PAGE), (0, 1), (0, PAGE + 1), (0, 2 ** 64 - 1),
    (2 ** 64 - PAGE, PAGE), (2 ** 64 - PAGE, 2 * PAGE), (PAGE, 2 ** 64 - PAGE), (PAGE, 2 ** 64 - PAGE - PAGE),
    (END, PAGE), (END - PAGE, 2 * PAGE), (0, END + PAGE)])
@pytest.mark.parametrize("with_file", [True, False])
def test_ranges_that_cannot_be(client, memory, address, size, with_file):
    client.dma_map(address, size, memory.fd if with_file else None, expect=errno.EINVAL)


@pytest.mark.parametrize("offset, size", [
    (1, PAGE), (512, PAGE), (1 << 20, PAGE), ((1 << 20) - PAGE, 2 * PAGE), (0, (1 << 20) + PAGE),
    (2 ** 64 - PAGE, PAGE), (2 ** 63, PAGE), (2 ** 64 - PAGE, 2 * PAGE)])
def test_parts_of_the_file_that_are_not_there(server, client, memory, offset, size):
    client.dma_map(0, size, memory.fd, offset=offset, expect=errno.EINVAL)
    assert server.mapped(memory) == 0


@pytest.mark.parametrize("flags", [0, 0x10, 0x80000003, vu.READ | vu.DMA_BY_MMAP | vu.DMA_BY_FILE_IO])
def test_flags_that_cannot_be(client, memory, flags):
    client.dma_map(0, PAGE, memory.fd, flags=flags, expect=errno.EINVAL)


def test_access_modes(client, memory):
    client.dma_map(0, PAGE, flags=vu.READ | vu.DMA_BY_MMAP, expect=errno.EINVAL)
    client.dma_map(0, PAGE, flags=vu.READ | vu.DMA_BY_FILE_IO, expect=errno.EINVAL)
    client.dma_map(0, PAGE, memory.fd, flags=vu.READ | vu.DMA_BY_FILE_IO, expect=errno.ENOTSUP)


@pytest.mark.parametrize("length", [0, 4, 31, 33, 64, 5000])
def test_wrong_sizes(client, memory, length):
    payload = bytes(vu.DmaMap(32, 3, 0, 0, PAGE)).ljust(length, b"\0")[:length]
    client.call(vu.DMA_MAP, payload, [memory.fd], expect=errno.EINVAL)


@pytest.mark.parametrize("argsz", [0, 31])
def test_wrong_argsz(client, memory, argsz):
    client.dma_map(0, PAGE, memory.fd, argsz=argsz, expect=errno.EINVAL)


@pytest.mark.parametrize("count", [2, 8, 16])
def test_too_many_descriptors(client, memory, count):
    client.call(vu.DMA_MAP, vu.DmaMap(32, 3, 0, 0, PAGE), [memory.fd] * count, expect=errno.EINVAL)


def refused(client, fd, expect=errno.EINVAL, flags=vu.READ | vu.WRITE):
    client.dma_map(0, PAGE, fd, flags=flags, expect=expect)
    client.dma_map(0, PAGE)
    client.dma_unmap(0, PAGE)


def test_pipe(client):
    for fd in os.pipe():
        refused(client, fd)
        os.close(fd)


def test_socket(client):
    with socket.socket(socket.AF_UNIX) as sock:
        refused(client, sock.fileno())
    refused(client, client.sock.fileno())


@pytest.mark.parametrize("path", ["/dev/null", "/dev/zero", "/dev/shm", "/proc/self/mem", "/etc/passwd"])
def test_what_is_not_memory(client, path):
    fd = os.open(path, os.O_RDONLY)
    refused(client, fd)
    os.close(fd)


def test_eventfd(client):
    fd = os.eventfd(0)
    refused(client, fd)
    os.close(fd)


@pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="this kernel has no FUSE")
def test_fuse(client):
    """Its owner could make whoever touches it wait for ever, though the file below is memory."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as below, tempfile.TemporaryDirectory() as mount:
        Path(below, "ram").write_bytes(bytes(2 * PAGE))
        subprocess.run(["bindfs", below, mount], check=True)
        try:
            fd = os.open(f"{mount}/ram", os.O_RDWR)
            refused(client, fd)
            os.close(fd)
        finally:
            subprocess.run(["umount", mount], check=True)


def test_empty_file(client):
    with vu.Memory(0) as memory:
        refused(client, memory.fd)


def test_write_only(client):
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.truncate(PAGE)
        fd = os.open(file.name, os.O_WRONLY)
        refused(client, fd, errno.EACCES)
        os.close(fd)


def test_read_only(client):
    with tempfile.NamedTemporaryFile(dir="/dev/shm") as file:
        file.truncate(PAGE)
        fd = os.open(file.name, os.O_RDONLY)
        client.dma_map(0, PAGE, fd)
        client.dma_map(PAGE, PAGE, fd, flags=vu.WRITE, expect=errno.EACCES)
        os.close(fd)


def test_more_address_space_than_there_is(client):
    """A file of 32 TiB costs its owner nothing."""
    with vu.Memory(1 << 45) as memory:
        refused(client, memory.fd, errno.ENOSPC)


def test_a_file_that_grew(server, client, memory):
    client.dma_map(0, 1 << 20, memory.fd)
    os.ftruncate(memory.fd, 2 << 20)
    client.dma_map(1 << 20, 1 << 20, memory.fd, offset=1 << 20)
    assert server.mapped(memory) == 2
    client.dma_unmap(0, 1 << 20)
    client.dma_unmap(1 << 20, 1 << 20)
    assert server.mapped(memory) == 0


def test_a_viommus_worth(client, memory):
    """Many small mappings, pipelined as QEMU does it."""
    pages = range(20000)
    for start in range(0, len(pages), 100):
        for page in pages[start:start + 100]:
            client.send(vu.DMA_MAP, vu.DmaMap(32, 3, page % 256 * PAGE, 4 * GIB - (page + 1) * PAGE, PAGE), [memory.fd])
        for _ in range(100):
            assert client.receive().header.error == 0
    client.dma_unmap(0, 0, vu.UNMAP_ALL)


def test_scattered_addresses_are_bounded(client):
    """Each costs the server more than the client; there is an end to that."""
    for i in range(65536):
        client.send(vu.DMA_MAP, vu.DmaMap(32, 3, 0, i * 4 * GIB - i // 4096 % 2 * PAGE, PAGE))
        error = client.receive().header.error
        if error:
            break
    assert error in (errno.ENOSPC, errno.EINVAL) and 1000 < i < 65536
    client.dma_unmap(0, 0, vu.UNMAP_ALL)
    client.dma_map(0, PAGE)


def test_the_device_reads_and_writes_it(test_server, memory):
    memory.put(5 * PAGE + 8, (0x1122334455667788).to_bytes(8, "little"))
    with test_server.start() as client:
        client.dma_map(7 * PAGE, 8 * PAGE, memory.fd, offset=4 * PAGE)
        client.write_int(vu.BAR1, 0x100, 8 * PAGE + 8, 8)
        assert client.read_int(vu.BAR1, 0x108, 8) == 0x1122334455667788
        client.write_int(vu.BAR1, 0x100, 15 * PAGE, 8, expect=errno.EFAULT)
        client.write_int(vu.BAR1, 0x110, 9 * PAGE + 16, 8)
        test_server.wait_for(lambda: memory.get_int(6 * PAGE + 16) > 1000, "the device stores")


def test_it_does_not_write_where_it_may_not(test_server, memory):
    with test_server.start() as client:
        client.dma_map(PAGE, PAGE, memory.fd, flags=vu.READ)
        client.dma_map(2 * PAGE, PAGE, memory.fd, flags=vu.WRITE)
        client.write_int(vu.BAR1, 0x110, PAGE, 8)
        client.write_int(vu.BAR1, 0x100, 2 * PAGE, 8, expect=errno.EFAULT)
        client.write_int(vu.BAR1, 0x100, PAGE, 8)
        assert client.read_int(vu.BAR1, 0x118, 8) == 0
    assert memory.get_int(0) == 0
