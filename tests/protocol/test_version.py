# SPDX-License-Identifier: BSD-3-Clause
"""VERSION: what is accepted, what is answered, what is refused."""
import errno
import json
import os

import pytest

import vfio_user as vu


@pytest.fixture
def fresh(server):
    """A client that has said nothing yet."""
    with server.connect() as client:
        yield client


def test_reply_suits_qemu(fresh):
    answer = fresh.version()
    capabilities = answer["capabilities"]
    assert 1 <= capabilities["max_msg_fds"] <= 16
    assert 4096 <= capabilities["max_data_xfer_size"] <= vu.MAX_XFER
    assert "twin_socket" not in capabilities and "write_multiple" not in capabilities


def test_reply_is_no_longer_than_qemus_request(fresh):
    text = json.dumps(vu.QEMU_CAPABILITIES).encode() + b"\0"
    reply = fresh.call(vu.VERSION, bytes(vu.VersionHead(0, 0)) + text)
    assert reply.header.size <= 214


@pytest.mark.parametrize("text", [None, b"\0", b"{}\0", b'{"capabilities":{}}\0', b'{"capabilities":{"x":1}}\0',
                                  b'{"capabilities":{"max_msg_fds":1,"migration":{"pgsize":4096}}}\0'])
def test_tolerates_what_other_clients_say(fresh, text):
    assert "capabilities" in fresh.version(text=text)


def test_lower_minor_is_answered(fresh):
    fresh.version(minor=1)  # checks that the answer is 0.0


@pytest.mark.parametrize("major, minor", [(1, 0), (0xffff, 0xffff)])
def test_other_majors_are_refused(fresh, major, minor):
    fresh.version(major, minor, expect=errno.EINVAL)
    fresh.version()


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0\0\0", bytes(4) + b" " * 5000])
def test_wrong_sizes(fresh, payload):
    fresh.call(vu.VERSION, payload, expect=errno.EINVAL)
    fresh.version()


def test_only_once(fresh):
    fresh.version()
    fresh.version(expect=errno.EINVAL)
    fresh.info()


def test_descriptors_are_refused(fresh):
    fresh.call(vu.VERSION, bytes(4), fds=[0], expect=errno.EINVAL)
    fresh.version()


@pytest.mark.parametrize("command", [c for c in range(20) if c != vu.VERSION] + [1000, 0xffff])
def test_nothing_goes_before_it(fresh, command, memory):
    fresh.call(command, bytes(32), fds=[memory.fd], expect=errno.EINVAL)
    fresh.call(command, expect=errno.EINVAL)
    fresh.version()


def test_no_reply_when_none_is_wanted(fresh):
    fresh.send(vu.VERSION, bytes(4), flags=vu.NO_REPLY)
    fresh.info()


def test_text_is_not_interpreted(fresh):
    fresh.version(text=os.urandom(4000))
