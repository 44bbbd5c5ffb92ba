# SPDX-License-Identifier: BSD-3-Clause
"""DMA_UNMAP: whole mappings, and not before the device has let go of it."""
import errno

import pytest

import vfio_user as vu
from vfio_user import PAGE


def test_unmap_cuts_nothing(server, client, memory):
    client.dma_map(0x10000, 0x10000, memory.fd)
    for address, size in [(0x10000, PAGE), (0x11000, 0xf000), (0x18000, 0x10000), (0, 0x18000), (0x10000, 0),
                          (0x10001, 0x10000), (0x10000, 0xffff), (2 ** 64 - PAGE, 2 * PAGE), (0, 2 ** 64 - 1)]:
        client.dma_unmap(address, size, expect=errno.EINVAL)
    for address, size in [(0, 0x10000), (0x20000, 2 ** 63), (2 ** 64 - PAGE, PAGE)]:
        client.dma_unmap(address, size)  # nothing is there
    assert server.mapped(memory) == 1
    client.dma_unmap(0x10000, 0x10000)
    assert server.mapped(memory) == 0
    client.dma_unmap(0x10000, 0x10000)


def test_unmap_of_an_address_space(server, client, memory):
    """As QEMU does when a guest gives a device to another driver; what is mapped there afterwards is what counts."""
    for address in (0, PAGE, 0x5000, 2 ** 32, 2 ** 32 + PAGE, 2 ** 47 - PAGE):
        client.dma_map(address, PAGE, memory.fd)
    client.dma_unmap(0, PAGE)
    for shift in range(12, 64):
        client.dma_unmap(1 << shift, 1 << shift)
    assert server.mapped(memory) == 0
    client.dma_map(0, 2 * PAGE, memory.fd)
    client.dma_map(2 ** 32, 2 * PAGE, memory.fd)


def test_unmap_all(server, client, memory):
    for page in range(0, 64, 2):
        client.dma_map(page * PAGE, PAGE, memory.fd)
    client.dma_unmap(0, 0, vu.UNMAP_ALL)
    assert server.mapped(memory) == 0
    client.dma_map(0, 64 * PAGE, memory.fd)
    client.dma_unmap(0, 0, vu.UNMAP_ALL)
    client.dma_unmap(0, 0, vu.UNMAP_ALL)


@pytest.mark.parametrize("flags, address, size", [
    (vu.UNMAP_ALL, PAGE, 0), (vu.UNMAP_ALL, 0, PAGE), (vu.UNMAP_ALL, 0x10000, 0x10000),
    (1, 0x10000, 0x10000), (4, 0x10000, 0x10000), (0x80000000, 0x10000, 0x10000)])
def test_flags_that_cannot_be(client, memory, flags, address, size):
    client.dma_map(0x10000, 0x10000, memory.fd)
    client.dma_unmap(address, size, flags, expect=errno.EINVAL)
    client.dma_unmap(0x10000, 0x10000)


@pytest.mark.parametrize("length", [0, 23, 25, 32])
def test_wrong_sizes(client, length):
    client.call(vu.DMA_UNMAP, bytes(vu.DmaUnmap(24, 0, 0, PAGE)).ljust(length, b"\0")[:length], expect=errno.EINVAL)


@pytest.mark.parametrize("argsz", [0, 23])
def test_wrong_argsz(client, argsz):
    client.dma_unmap(0, PAGE, argsz=argsz, expect=errno.EINVAL)


def test_map_and_unmap_during_traffic(test_server, memory):
    """A thread of the device stores to the page all the time. After the reply it must not, ever again."""
    with test_server.start() as client:
        client.dma_map(PAGE, PAGE, memory.fd)
        client.write_int(vu.BAR1, 0x110, PAGE, 8)
        for _ in range(300):
            client.dma_unmap(PAGE, PAGE)
            assert test_server.mapped(memory) == 0
            memory.put(0, bytes(8))
            client.info()
            assert memory.get_int(0) == 0
            client.dma_map(PAGE, PAGE, memory.fd)
            test_server.wait_for(lambda: memory.get_int(0) > 0, "the device stores again")


def test_disconnect_during_traffic(test_server, memory):
    for _ in range(20):
        with test_server.start() as client:
            client.dma_map(PAGE, PAGE, memory.fd)
            client.write_int(vu.BAR1, 0x110, PAGE, 8)
            test_server.wait_for(lambda: memory.get_int(0) > 0, "the device stores")
        test_server.wait_for(lambda: test_server.mapped(memory) == 0, "the memory is let go")
        memory.put(0, bytes(8))
