# SPDX-License-Identifier: BSD-3-Clause
"""DEVICE_GET_IRQ_INFO."""
import errno

import pytest

import vfio_user as vu


def test_msix(client):
    info = client.irq_info(vu.MSIX)
    assert info.index == vu.MSIX and info.count >= 2
    assert info.flags & 1, "by eventfd"
    assert not info.flags & 8, "vectors can be added one by one"


def test_intx(client):
    info = client.irq_info(vu.INTX)
    assert info.count == 1 and info.flags & 3 == 3


def test_error_index_is_an_error(client):
    """QEMU always asks; this is the answer that keeps it silent."""
    client.irq_info(vu.ERR, expect=errno.EINVAL)


@pytest.mark.parametrize("index", [5, 255, 0xffffffff])
def test_no_such_index(client, index):
    client.irq_info(index, expect=errno.EINVAL)


@pytest.mark.parametrize("argsz", [0, 15])
def test_wrong_argsz(client, argsz):
    client.irq_info(vu.MSIX, argsz, expect=errno.EINVAL)


@pytest.mark.parametrize("length", [0, 15, 17])
def test_wrong_sizes(client, length):
    client.call(vu.DEVICE_GET_IRQ_INFO, bytes(vu.IrqInfo(argsz=16, index=2)).ljust(length, b"\0")[:length],
                expect=errno.EINVAL)
