# SPDX-License-Identifier: BSD-3-Clause
"""DEVICE_RESET."""
import errno

import pytest

import vfio_user as vu
from vfio_user import PAGE


def test_reset(client):
    for _ in range(100):
        client.reset()


def test_mappings_survive(server, client, memory):
    client.dma_map(0, 1 << 20, memory.fd)
    client.reset()
    assert server.mapped(memory) == 1
    client.dma_unmap(0, 1 << 20)


def test_the_device_has_stopped(test_server, memory):
    with test_server.start() as client:
        client.dma_map(PAGE, PAGE, memory.fd)
        client.write_int(vu.BAR1, 0x110, PAGE, 8)
        test_server.wait_for(lambda: memory.get_int(0) > 0, "the device stores")
        client.reset()
        memory.put(0, bytes(8))
        client.info()
        assert memory.get_int(0) == 0


@pytest.mark.parametrize("length", [1, 16, 4096])
def test_wrong_sizes(client, length):
    client.call(vu.DEVICE_RESET, bytes(length), expect=errno.EINVAL)
