# SPDX-License-Identifier: BSD-3-Clause
"""Clients come and go: at every point of the start-up, one after the other, two at a time."""
import os
import socket
import struct

import pytest

import vfio_user as vu

GIB = 1 << 30


def qemu_start(client, memory, eventfds):
    """The calls QEMU makes until a guest's driver runs, one per step."""
    yield lambda: client.version()
    yield lambda: client.dma_map(0, 0xa0000, memory.fd)
    yield lambda: client.dma_map(0xc0000, 0x40000, memory.fd, offset=0xc0000)
    yield lambda: client.dma_map(GIB * 4 - 0x40000, 0x40000, flags=vu.READ)
    yield lambda: client.info()
    for index in (0, 1, 2, 3, 4, 5, 7):
        yield lambda index=index: [os.close(fd) for fd in [client.region_info(index, 4096)[2]] if fd is not None]
    yield lambda: client.irq_info(vu.ERR, expect=22)
    yield lambda: client.read(vu.CONFIG, 0, 256)
    yield lambda: client.irq_info(vu.MSIX)
    yield lambda: client.set_irqs(vu.INTX, vu.DATA_EVENTFD | vu.TRIGGER, 0, 1, [eventfds[0]])
    yield lambda: client.set_irqs(vu.INTX, vu.DATA_NONE | vu.TRIGGER)
    yield lambda: client.reset()
    yield lambda: client.write_int(vu.CONFIG, 4, 0x107, 2)
    yield lambda: client.dma_unmap(0, 0xa0000)
    yield lambda: client.dma_map(0, 0xa0000, memory.fd)
    yield lambda: client.read_int(vu.BAR1, 0)
    yield lambda: client.set_irqs(vu.MSIX, vu.DATA_EVENTFD | vu.TRIGGER, 0, 1)
    for vector in range(3):
        yield lambda vector=vector: client.set_irqs(vu.MSIX, vu.DATA_EVENTFD | vu.TRIGGER, vector, 1,
                                                    [eventfds[vector]])


STEPS = len(list(qemu_start(None, None, None)))


@pytest.fixture
def eventfds():
    fds = [os.eventfd(0) for _ in range(3)]
    yield fds
    for fd in fds:
        os.close(fd)


@pytest.mark.parametrize("steps", range(STEPS + 1))
@pytest.mark.parametrize("how", ["close", "unread", "abort", "half"])
def test_disconnect_after_each_step(server, memory, eventfds, steps, how):
    """close: after the reply. unread: with a reply not taken. abort: with a linger of 0. half: inside a message."""
    with server.connect() as client:
        for number, step in enumerate(qemu_start(client, memory, eventfds), 1):
            if number > steps:
                break
            step()
        if how == "unread":
            client.send(vu.DEVICE_GET_INFO, vu.DeviceInfo(argsz=16))
        elif how == "abort":
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "half":
            client.send(vu.DMA_MAP, vu.DmaMap(argsz=32), [memory.fd], size=4096)
    server.wait_for(lambda: server.mapped(memory) == 0, "the guest's memory is let go")


def test_start_up_as_qemu_does(server, memory, eventfds):
    for _ in range(10):
        with server.connect() as client:
            for step in qemu_start(client, memory, eventfds):
                step()
            assert server.mapped(memory) == 1


def test_second_client_is_turned_away(server):
    with server.start() as first:
        for _ in range(5):
            with server.connect() as second:
                assert second.gone()
            first.info()


def test_two_cards_at_once(server, memory):
    with server.start(0) as one, server.start(1) as two:
        one.dma_map(0, 4096, memory.fd)
        two.dma_map(0, 4096, memory.fd)
        one.close()
        server.wait_for(lambda: server.mapped(memory) == 1, "one of two mappings is let go")
        two.dma_unmap(0, 4096)
        assert server.mapped(memory) == 0


def test_a_client_right_after_the_last_one(server):
    """QEMU killed and started again: the second must not be taken for a rival of the first."""
    for _ in range(50):
        client = server.connect()
        client.version()
        client.close()


def test_shut_down_for_writing(client):
    """What was sent before the end is still answered."""
    client.send(vu.DEVICE_GET_INFO, vu.DeviceInfo(argsz=16))
    client.sock.shutdown(socket.SHUT_WR)
    client.reply(vu.DEVICE_GET_INFO)
    assert client.gone()
