# SPDX-License-Identifier: BSD-3-Clause
"""REGION_WRITE: inside the region, and as many bytes as announced."""
import errno

import pytest

import vfio_user as vu
from test_region_read import OUTSIDE

LINE = 0x3c  # the interrupt line register: a byte that every device keeps


def test_write_and_read_back(client):
    for value in (0x5a, 0xa5, 11):
        client.write_int(vu.CONFIG, LINE, value, 1)
        assert client.read_int(vu.CONFIG, LINE, 1) == value


def test_posted(client):
    """Without a reply, and done before the next message is looked at."""
    access = bytes(vu.RegionAccess(LINE, vu.CONFIG, 1))
    for value in (1, 2, 3):
        client.send(vu.REGION_WRITE, access + bytes([value]), flags=vu.NO_REPLY)
        assert client.read_int(vu.CONFIG, LINE, 1) == value
    client.send(vu.REGION_WRITE, bytes(vu.RegionAccess(256, vu.CONFIG, 1)) + b"\0", flags=vu.NO_REPLY)
    assert client.read_int(vu.CONFIG, LINE, 1) == 3


@pytest.mark.parametrize("region, offset, count", OUTSIDE)
def test_outside(client, region, offset, count):
    client.write(region, offset, bytes(min(count, vu.MAX_XFER)), count=count, expect=errno.EINVAL)


@pytest.mark.parametrize("length, count", [(0, 1), (1, 2), (2, 1), (4, 0), (3, 4), (5, 4), (0, 0xffffffff)])
def test_other_than_announced(client, length, count):
    before = client.read(vu.CONFIG, LINE, 4)
    client.write(vu.CONFIG, LINE, b"\xee" * length, count=count, expect=errno.EINVAL)
    assert client.read(vu.CONFIG, LINE, 4) == before


@pytest.mark.parametrize("length", [0, 15])
def test_wrong_sizes(client, length):
    client.call(vu.REGION_WRITE, bytes(length), expect=errno.EINVAL)


def test_noise_in_every_register(server):
    """Of a card without memory: whatever is written, it answers."""
    with server.start() as client:
        for region in (vu.BAR0, vu.BAR1, vu.BAR2, vu.CONFIG):
            for offset in range(0, client.region_size(region), 4):
                for value in (0, 0xffffffff, 0xcafe0000 + offset % 64):
                    access = bytes(vu.RegionAccess(offset, region, 4)) + value.to_bytes(4, "little")
                    client.send(vu.REGION_WRITE, access)
                    client.receive()
        client.reset()
