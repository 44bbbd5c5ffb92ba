# SPDX-License-Identifier: BSD-3-Clause
"""DEVICE_SET_IRQS: all its forms, and what it takes for an eventfd."""
import errno
import os
import select
import socket

import pytest

import vfio_user as vu
from vfio_user import DATA_BOOL, DATA_EVENTFD, DATA_NONE, INTX, MASK, MSIX, TRIGGER, UNMASK

ATTACH = DATA_EVENTFD | TRIGGER
RAISE = DATA_NONE | TRIGGER


@pytest.fixture
def events():
    fds = [os.eventfd(0) for _ in range(16)]
    yield fds
    for fd in fds:
        os.close(fd)


@pytest.fixture
def vectors(client):
    """How many MSI-X vectors the card has."""
    return client.irq_info(MSIX).count


def fired(fd):
    """How often an eventfd was signalled since the last look."""
    if not select.select([fd], [], [], 0)[0]:
        return 0
    return os.eventfd_read(fd)


def test_attach_and_raise(client, events):
    for vector in range(2):
        client.set_irqs(MSIX, ATTACH, vector, 1, [events[vector]])
    client.set_irqs(MSIX, RAISE, 1, 1)
    assert [fired(fd) for fd in events[:2]] == [0, 1]
    client.set_irqs(MSIX, RAISE, 0, 2)
    client.set_irqs(MSIX, DATA_BOOL | TRIGGER, 0, 2, bools=b"\1\0")
    assert [fired(fd) for fd in events[:2]] == [2, 1]


def test_several_at_once(client, events, vectors):
    count = min(vectors, 8)
    client.set_irqs(MSIX, ATTACH, vectors - count, count, events[:count])
    client.set_irqs(MSIX, RAISE, vectors - 1, 1)
    assert [fired(fd) for fd in events[:count]] == [0] * (count - 1) + [1]


def test_replace_and_detach(server, client, events):
    before = server.fds()
    client.set_irqs(MSIX, ATTACH, 0, 1, [events[0]])
    client.set_irqs(MSIX, ATTACH, 0, 1, [events[1]])
    assert server.fds() == before + 1
    client.set_irqs(MSIX, RAISE, 0, 1)
    assert (fired(events[0]), fired(events[1])) == (0, 1)
    client.set_irqs(MSIX, ATTACH, 0, 1)  # no descriptor: this is how QEMU begins
    assert server.fds() == before
    client.set_irqs(MSIX, RAISE, 0, 1)
    assert fired(events[1]) == 0
    client.set_irqs(MSIX, ATTACH, 0, 1, [events[0]])
    client.set_irqs(MSIX, RAISE)  # count 0: the whole index off
    assert server.fds() == before


def test_a_full_counter_does_not_stop_the_server(client, events):
    client.set_irqs(MSIX, ATTACH, 0, 1, [events[0]])
    os.eventfd_write(events[0], 2 ** 64 - 2)
    client.set_irqs(MSIX, RAISE, 0, 1)
    client.info()


def test_intx(client, events):
    client.set_irqs(INTX, ATTACH, 0, 1, [events[0]])
    client.set_irqs(INTX, DATA_NONE | UNMASK, 0, 1)  # QEMU's end of interrupt
    client.set_irqs(INTX, RAISE, 0, 1)
    assert fired(events[0]) == 1
    client.set_irqs(INTX, DATA_NONE | MASK, 0, 1)
    client.set_irqs(INTX, RAISE, 0, 1)
    assert fired(events[0]) == 0
    client.set_irqs(INTX, DATA_BOOL | UNMASK, 0, 1, bools=b"\0")
    client.set_irqs(INTX, RAISE, 0, 1)
    assert fired(events[0]) == 0
    client.set_irqs(INTX, DATA_BOOL | UNMASK, 0, 1, bools=b"\1")
    client.set_irqs(INTX, RAISE, 0, 1)
    assert fired(events[0]) == 1
    client.set_irqs(INTX, RAISE)


def test_resample_by_eventfd_is_not_offered(client, events):
    client.set_irqs(INTX, DATA_EVENTFD | UNMASK, 0, 1, [events[0]], expect=errno.ENOTSUP)


def test_masks_are_intx_only(client):
    for action in (MASK, UNMASK):
        client.set_irqs(MSIX, DATA_NONE | action, 0, 1, expect=errno.ENOTSUP)


@pytest.mark.parametrize("flags", [0, DATA_NONE, TRIGGER, DATA_NONE | DATA_BOOL | TRIGGER, DATA_NONE | MASK | UNMASK,
                                   0x7 | TRIGGER, 0x3f, RAISE | 0x40, RAISE | 0x80000000])
def test_flags_that_cannot_be(client, flags):
    client.set_irqs(MSIX, flags, 0, 1, expect=errno.EINVAL)


@pytest.mark.parametrize("index", [3, 4, 5, 0xffffffff])
def test_no_such_index(client, events, index):
    client.set_irqs(index, ATTACH, 0, 1, [events[0]], expect=errno.EINVAL)
    client.set_irqs(index, RAISE, expect=errno.EINVAL)


def test_vectors_that_are_not_there(client, events, vectors):
    for start, count in [(vectors, 1), (vectors - 1, 2), (0, vectors + 1), (0xffffffff, 1), (0xffffffff, 2),
                         (1, 0xffffffff), (0, 0xffffffff)]:
        client.set_irqs(MSIX, RAISE, start, count, expect=errno.EINVAL)
        client.set_irqs(MSIX, ATTACH, start, count, expect=errno.EINVAL)
        client.set_irqs(MSIX, ATTACH, start, count, events[:min(count, 2)], expect=errno.EINVAL)


def test_nothing_that_is_not_everything(client):
    client.set_irqs(MSIX, RAISE, 1, 0, expect=errno.EINVAL)
    client.set_irqs(MSIX, ATTACH, 0, 0, expect=errno.EINVAL)
    client.set_irqs(INTX, DATA_NONE | UNMASK, 0, 0, expect=errno.EINVAL)


def test_wrong_number_of_descriptors(client, events):
    client.set_irqs(MSIX, ATTACH, 0, 2, events[:1], expect=errno.EINVAL)
    client.set_irqs(MSIX, ATTACH, 0, 1, events[:2], expect=errno.EINVAL)
    client.set_irqs(MSIX, ATTACH, 0, 1, events, expect=errno.EINVAL)
    client.set_irqs(MSIX, RAISE, 0, 1, events[:1], expect=errno.EINVAL)
    client.set_irqs(MSIX, RAISE, fds=events[:1], expect=errno.EINVAL)


def test_only_eventfds(server, client, events, memory):
    before = server.fds()
    others = [memory.fd, *os.pipe(), os.open("/dev/null", os.O_RDWR), select.epoll().fileno(), client.sock.fileno()]
    pair = socket.socketpair()
    for fd in others + [end.fileno() for end in pair]:
        client.set_irqs(MSIX, ATTACH, 0, 1, [fd], expect=errno.EINVAL)
        client.set_irqs(MSIX, ATTACH, 0, 2, [events[0], fd], expect=errno.EINVAL)
    client.set_irqs(MSIX, RAISE, 0, 2)
    assert fired(events[0]) == 0, "nothing of a message that was refused is kept"
    assert server.fds() == before
    for fd in others[1:4]:
        os.close(fd)


@pytest.mark.parametrize("bools", [b"", b"\1", b"\1" * 3])
def test_wrong_number_of_bools(client, bools):
    client.set_irqs(MSIX, DATA_BOOL | TRIGGER, 0, 2, bools=bools, expect=errno.EINVAL)


@pytest.mark.parametrize("length", [0, 19, 21, 3000])
def test_wrong_sizes(client, length):
    payload = bytes(vu.IrqSet(20, RAISE, MSIX, 0, 0)).ljust(length, b"\0")[:length]
    client.call(vu.DEVICE_SET_IRQS, payload, expect=errno.EINVAL)


@pytest.mark.parametrize("argsz", [0, 19])
def test_wrong_argsz(client, argsz):
    client.set_irqs(MSIX, RAISE, argsz=argsz, expect=errno.EINVAL)


def test_the_device_raises_it(test_server, events):
    with test_server.start() as client:
        client.set_irqs(MSIX, ATTACH, 3, 1, [events[3]])
        client.write_int(vu.BAR1, 0x128, 3, 8)
        assert fired(events[3]) == 1
        client.write_int(vu.BAR1, 0x128, 4, 8, expect=errno.ENXIO)
