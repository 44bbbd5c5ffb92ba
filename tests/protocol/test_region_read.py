# SPDX-License-Identifier: BSD-3-Clause
"""REGION_READ: inside the region, or an error."""
import errno

import pytest

import vfio_user as vu

OUTSIDE = [(vu.CONFIG, 256, 1), (vu.CONFIG, 255, 2), (vu.CONFIG, 0, 257), (vu.CONFIG, 2 ** 64 - 1, 1),
           (vu.CONFIG, 2 ** 64 - 4, 8), (vu.CONFIG, 2 ** 32, 4), (vu.CONFIG, 0, 0), (vu.CONFIG, 0, 0xffffffff),
           (vu.CONFIG, 0, vu.MAX_XFER + 1), (vu.BAR1, 4096, 4), (vu.BAR1, 4094, 4), (vu.BAR0, 4096, 1),
           (3, 0, 4), (vu.ROM, 0, 4), (8, 0, 4), (9, 0, 4), (0xffffffff, 0, 4)]


def test_config_space_in_one_go(client):
    data = client.read(vu.CONFIG, 0, 256)
    assert len(data) == 256
    for offset in range(0, 256, 4):
        assert client.read(vu.CONFIG, offset, 4) == data[offset:offset + 4]


@pytest.mark.parametrize("size", [1, 2, 4])
def test_sizes(client, size):
    assert len(client.read(vu.CONFIG, 0x3c, size)) == size


@pytest.mark.parametrize("region", [vu.BAR0, vu.BAR1, vu.BAR2])
def test_every_register_can_be_read(client, region):
    for offset in range(0, client.region_size(region), 4):
        client.read(region, offset, 4)


@pytest.mark.parametrize("region, offset, count", OUTSIDE)
def test_outside(client, region, offset, count):
    client.read(region, offset, count, expect=errno.EINVAL)


@pytest.mark.parametrize("length", [0, 15, 17, 20])
def test_wrong_sizes(client, length):
    client.call(vu.REGION_READ, bytes(vu.RegionAccess(0, vu.CONFIG, 4)).ljust(length, b"\0")[:length],
                expect=errno.EINVAL)
