# SPDX-License-Identifier: BSD-3-Clause
"""DEVICE_GET_REGION_INFO: sizes, flags, what can be mapped."""
import errno
import mmap
import os

import pytest

import vfio_user as vu
from vfio_user import PAGE


@pytest.mark.parametrize("index", range(9))
def test_every_region_answers(client, index):
    info, areas, fd = client.region_info(index, 4096)
    assert info.index == index
    assert info.argsz >= 32
    if info.size == 0:
        assert info.flags == 0 and fd is None
    elif index < vu.ROM:
        assert info.size & (info.size - 1) == 0, "BAR sizes are powers of two"
    assert (fd is not None) == bool(info.flags & vu.REGION_MMAP)
    for area in areas or []:
        assert area.offset % PAGE == 0 and area.size % PAGE == 0 and area.offset + area.size <= info.size
    if fd is not None:
        assert info.offset % PAGE == 0
        assert os.fstat(fd).st_size >= info.offset + info.size or areas
        os.close(fd)


def test_config_space(client):
    info, _, fd = client.region_info(vu.CONFIG)
    assert info.size == 256 and info.flags == vu.READ | vu.WRITE and fd is None


def test_bar0_can_be_mapped(client):
    info, areas, fd = client.region_info(vu.BAR0, 4096)
    assert info.flags & (vu.REGION_MMAP | vu.READ | vu.WRITE) == vu.REGION_MMAP | vu.READ | vu.WRITE
    offset, size = (areas[0].offset, areas[0].size) if areas else (0, info.size)
    with mmap.mmap(fd, size, offset=info.offset + offset) as page:
        page[size - 4:] = bytes(4)
        assert len(page[:]) == size
    os.close(fd)


def test_the_mapped_page_is_the_register_page(test_server):
    with test_server.start() as client:
        info, _, fd = client.region_info(vu.BAR0)
        with mmap.mmap(fd, info.size, offset=info.offset) as page:
            page[8:12] = b"abcd"
            assert client.read(vu.BAR0, 8, 4) == b"abcd"
            client.write(vu.BAR0, 8, b"efgh")
            assert page[8:12] == b"efgh"
        os.close(fd)


def test_areas_need_room(test_server):
    """Without it the reply says how much, and has no descriptor."""
    with test_server.start() as client:
        for argsz in (32, 63):
            info, areas, fd = client.region_info(vu.BAR2, argsz)
            assert (info.argsz, info.cap_offset, areas, fd) == (64, 0, None, None)
        for argsz in (64, 65, 0xffffffff):
            info, areas, fd = client.region_info(vu.BAR2, argsz)
            assert (info.argsz, info.cap_offset) == (64, 32)
            assert [(area.offset, area.size) for area in areas] == [(PAGE, PAGE)]
            os.close(fd)


@pytest.mark.parametrize("index", [9, 10, 255, 0xffffffff])
def test_no_such_region(client, index):
    client.region_info(index, expect=errno.EINVAL)


@pytest.mark.parametrize("argsz", [0, 31])
def test_wrong_argsz(client, argsz):
    client.region_info(0, argsz, expect=errno.EINVAL)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_wrong_sizes(client, length):
    client.call(vu.DEVICE_GET_REGION_INFO, bytes(vu.RegionInfo(argsz=32)).ljust(length, b"\0")[:length],
                expect=errno.EINVAL)
