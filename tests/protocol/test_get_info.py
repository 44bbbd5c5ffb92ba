# SPDX-License-Identifier: BSD-3-Clause
"""DEVICE_GET_INFO."""
import errno

import pytest

import vfio_user as vu


@pytest.mark.parametrize("argsz", [16, 32, 4096, 0xffffffff])
def test_answer(client, argsz):
    info = client.info(argsz)
    assert (info.argsz, info.flags, info.num_regions, info.num_irqs) == (16, 3, 9, 5)


@pytest.mark.parametrize("argsz", [0, 15])
def test_wrong_argsz(client, argsz):
    client.info(argsz, expect=errno.EINVAL)


@pytest.mark.parametrize("length", [0, 15, 17, 32])
def test_wrong_sizes(client, length):
    client.call(vu.DEVICE_GET_INFO, bytes(vu.DeviceInfo(argsz=16)).ljust(length, b"\0")[:length], expect=errno.EINVAL)
