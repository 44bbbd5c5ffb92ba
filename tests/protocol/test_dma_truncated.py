# SPDX-License-Identifier: BSD-3-Clause
"""A client that cuts off its memory while the device uses it costs only itself."""
import os

import vfio_user as vu
from vfio_user import PAGE


def test_file_truncated_before_the_map(client, memory):
    os.ftruncate(memory.fd, PAGE)
    client.dma_map(0, PAGE, memory.fd)


def test_file_truncated_after_the_map(server, client, memory):
    client.dma_map(0, 1 << 20, memory.fd)
    os.ftruncate(memory.fd, 0)
    client.info()
    client.dma_unmap(0, 1 << 20)


def test_file_truncated_during_traffic(test_server, memory):
    with vu.Memory() as other_memory, test_server.start(0) as victim, test_server.start(1) as other:
        for card, ram in ((victim, memory), (other, other_memory)):
            card.dma_map(0, 1 << 20, ram.fd)
            card.write_int(vu.BAR1, 0x110, 100 * PAGE, 8)
            test_server.wait_for(lambda ram=ram: ram.get_int(100 * PAGE) > 0, "the device stores")
        os.ftruncate(memory.fd, PAGE)
        test_server.wait_for(lambda: victim.read_int(vu.BAR1, 0x120, 8) == 1, "the device notices")

        # The victim still answers; the other's device still stores and is not called broken.
        victim.reset()
        assert other.read_int(vu.BAR1, 0x120, 8) == 0
        stores = other_memory.get_int(100 * PAGE)
        test_server.wait_for(lambda: other_memory.get_int(100 * PAGE) > stores, "the other device stores")
        # And what the victim has left is not lost on it.
        victim.dma_unmap(0, 1 << 20)

    with vu.Memory() as fresh, test_server.start(0) as card:
        card.dma_map(0, 1 << 20, fresh.fd)
        assert card.read_int(vu.BAR1, 0x120, 8) == 0
        card.write_int(vu.BAR1, 0x110, 100 * PAGE, 8)
        test_server.wait_for(lambda: fresh.get_int(100 * PAGE) > 0, "the device stores for the next client")


def test_file_truncated_and_read_by_a_command(test_server, memory):
    """The control thread stumbles over the hole, too."""
    with test_server.start() as card:
        card.dma_map(0, 1 << 20, memory.fd)
        os.ftruncate(memory.fd, PAGE)
        card.write_int(vu.BAR1, 0x100, 50 * PAGE, 8)
        assert card.read_int(vu.BAR1, 0x108, 8) == 0
        assert card.read_int(vu.BAR1, 0x120, 8) == 1
