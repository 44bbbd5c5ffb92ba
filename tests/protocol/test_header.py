# SPDX-License-Identifier: BSD-3-Clause
"""What goes around every message: sizes, flags, descriptors, time."""
import errno
import os
import time

import pytest

import vfio_user as vu


@pytest.mark.parametrize("size, error", [(0, errno.EINVAL), (15, errno.EINVAL), (1 << 22, errno.EMSGSIZE),
                                         (0xffffffff, errno.EMSGSIZE)])
def test_impossible_sizes_end_the_connection(client, size, error):
    """Where the next message would start cannot be known."""
    client.call(vu.DEVICE_RESET, size=size, expect=error)
    assert client.gone()


@pytest.mark.parametrize("command", [0, vu.DMA_READ, vu.DMA_WRITE, 19, 99, 0xffff])
@pytest.mark.parametrize("length", [0, 8, 5000])
def test_unknown_commands(client, command, length):
    client.call(command, bytes(length), expect=errno.ENOSYS)
    client.info()


@pytest.mark.parametrize("command", [vu.DEVICE_GET_REGION_IO_FDS, vu.DIRTY_PAGES, vu.REGION_WRITE_MULTI,
                                     vu.DEVICE_FEATURE, vu.MIG_DATA_READ, vu.MIG_DATA_WRITE])
@pytest.mark.parametrize("length", [0, 16, 5000])
def test_known_commands_that_are_not_offered(client, command, length):
    client.call(command, bytes(length), expect=errno.ENOTSUP)
    client.info()


@pytest.mark.parametrize("flags", [vu.ERROR, 0x40, 0x80000000])
def test_unknown_flags(client, flags):
    client.call(vu.DEVICE_GET_INFO, vu.DeviceInfo(argsz=16), flags=flags, expect=errno.EINVAL)
    client.info()


@pytest.mark.parametrize("kind", [vu.REPLY, 0x2, 0xf])
def test_what_is_not_a_command_ends_the_connection(client, kind):
    client.send(vu.DEVICE_RESET, flags=kind)
    assert client.gone()


def test_no_reply_flag_silences_errors_too(client):
    client.send(99, flags=vu.NO_REPLY)
    client.send(vu.DEVICE_GET_INFO, b"short", flags=vu.NO_REPLY)
    client.info()  # the next reply is this one's


def test_pipelined_messages_are_answered_in_order(client):
    wanted = [vu.Header(n, vu.DEVICE_GET_INFO, 32, 0, 0) for n in range(500, 700)]
    client.send_raw(b"".join(bytes(header) + bytes(vu.DeviceInfo(argsz=16)) for header in wanted))
    assert [client.receive().header.msg_id for _ in wanted] == [header.msg_id for header in wanted]


def test_a_message_byte_by_byte(client):
    message = bytes(vu.Header(77, vu.DEVICE_GET_INFO, 32, 0, 0)) + bytes(vu.DeviceInfo(argsz=16))
    for i in range(len(message)):
        client.send_raw(message[i:i + 1])
    assert client.receive().header.msg_id == 77


@pytest.mark.parametrize("sent", [1, 15, 16, 31])
def test_half_a_message_stalls_only_its_sender(server, sent):
    message = bytes(vu.Header(1, vu.DEVICE_GET_INFO, 32, 0, 0)) + bytes(vu.DeviceInfo(argsz=16))
    with server.start(0) as stalled, server.start(1) as other:
        stalled.send_raw(message[:sent])
        other.info()
        other.reset()
        assert stalled.gone(within=60)
        other.info()


@pytest.mark.parametrize("sent", [1, 15, 16, 31])
def test_end_in_the_middle_of_a_message(server, sent):
    message = bytes(vu.Header(1, vu.DEVICE_GET_INFO, 32, 0, 0)) + bytes(vu.DeviceInfo(argsz=16))
    with server.start() as client:
        client.send_raw(message[:sent])


def test_silence_between_messages_is_no_stall(client):
    time.sleep(3)
    client.info()


def test_replies_that_nobody_takes(server):
    """A client that asks and never reads is cut off, and its neighbour does not notice."""
    with server.start(0) as greedy, server.start(1) as other:
        greedy.sock.setblocking(False)
        with pytest.raises((vu.Gone, BlockingIOError, BrokenPipeError, ConnectionResetError)):
            for _ in range(100000):
                greedy.send(vu.DEVICE_GET_INFO, vu.DeviceInfo(argsz=16))
        other.info()
        greedy.sock.setblocking(True)
        greedy.sock.settimeout(60)
        with pytest.raises((vu.Gone, BrokenPipeError, ConnectionResetError)):
            while True:
                greedy.sock.sendall(bytes(16))
        other.info()


@pytest.mark.parametrize("count", [17, 64, 253])
def test_more_descriptors_than_any_message_may_have(server, count):
    """Some of them are lost on the way, so what was meant cannot be known."""
    with server.start() as client:
        try:
            client.send(vu.DEVICE_SET_IRQS, vu.IrqSet(20, vu.DATA_EVENTFD | vu.TRIGGER, vu.MSIX, 0, count),
                        fds=[0] * count)
        except vu.Gone:
            pass
        assert client.gone()


@pytest.mark.parametrize("command", [vu.DMA_UNMAP, vu.DEVICE_GET_INFO, vu.DEVICE_GET_REGION_INFO,
                                     vu.DEVICE_GET_IRQ_INFO, vu.REGION_READ, vu.REGION_WRITE, vu.DEVICE_RESET])
def test_descriptors_where_none_belong(client, command):
    payload = {vu.DMA_UNMAP: vu.DmaUnmap(argsz=24), vu.DEVICE_GET_INFO: vu.DeviceInfo(argsz=16),
               vu.DEVICE_GET_REGION_INFO: vu.RegionInfo(argsz=32), vu.DEVICE_GET_IRQ_INFO: vu.IrqInfo(argsz=16),
               vu.REGION_READ: vu.RegionAccess(0, vu.CONFIG, 4),
               vu.REGION_WRITE: bytes(vu.RegionAccess(0x3c, vu.CONFIG, 1)) + b"\1"}
    for fds in ([0], [0] * 16):
        client.call(command, payload.get(command, b""), fds=fds, expect=errno.EINVAL)
    client.info()


def test_descriptors_in_the_middle_of_a_message(client):
    """They count, wherever they come; none is lost."""
    client.send_raw(bytes(vu.Header(5, vu.DEVICE_GET_INFO, 32, 0, 0)))
    client.send_raw(bytes(vu.DeviceInfo(argsz=16)), fds=[0, 1, 2])
    reply = client.receive().header
    assert (reply.msg_id, reply.error) == (5, errno.EINVAL)


def test_noise(server):
    for size in (1, 16, 17, 1000, 100000):
        with server.connect() as client:
            try:
                client.send_raw(os.urandom(size))
            except vu.Gone:
                pass
