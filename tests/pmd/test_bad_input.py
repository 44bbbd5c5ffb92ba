# SPDX-License-Identifier: BSD-3-Clause
"""Wrong device arguments and wrong servers: a sentence that names argument and cure, and nothing left of the attempt."""
import os
import socket
import stat
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib import paths, pktcheck
from lib.testpmd import Testpmd

from . import lab

BOTH = [paths.PMD_VMXNET3X, paths.PMD_VMXNET3_HOST]
LONG = "/run/" + "x" * 120

# Arguments behind path=, and what is said of them.
FRONT_ARGUMENTS = {
    "nonsense=1": "there is no device argument 'nonsense'; there are: path, mac, revision, rx_data_size, reconnect",
    "queues=2": "there is no device argument 'queues'",
    "vmxnet3x=0": "device argument 'vmxnet3x' is for PCI devices only",
    "path=/run/other.sock": "device argument 'path' is given more than once",
    "reconnect=1,reconnect=2": "device argument 'reconnect' is given more than once",
    "mac=01:00:00:00:00:01": "device argument 'mac': '01:00:00:00:00:01' is not allowed; it is a unicast address",
    "mac=00:00:00:00:00:00": "device argument 'mac': '00:00:00:00:00:00' is not allowed",
    "mac=02:00:00:00:00": "device argument 'mac': '02:00:00:00:00' is not allowed",
    "mac=": "device argument 'mac': '' is not allowed",
    "revision=0": "device argument 'revision': '0' is not allowed; it is the highest revision to use, 1 to 9",
    "revision=10": "device argument 'revision': '10' is not allowed",
    "revision=-1": "device argument 'revision': '-1' is not allowed",
    "revision=3x": "device argument 'revision': '3x' is not allowed",
    "rx_data_size=100": "device argument 'rx_data_size': '100' is not allowed; it is 0, or a multiple of 64",
    "rx_data_size=2112": "device argument 'rx_data_size': '2112' is not allowed",
    "reconnect=600001": "device argument 'reconnect': '600001' is not allowed; it is the longest pause",
    "reconnect=soon": "device argument 'reconnect': 'soon' is not allowed",
    "reconnect=99999999999999999999": "device argument 'reconnect': '99999999999999999999' is not allowed",
}
BACK_ARGUMENTS = {
    "nonsense=1": "argument nonsense is unknown; there are path, guest-mac, queues, revisions, speed, mtu, doorbell",
    "mac=02:00:00:00:00:01": "argument mac is unknown",
    "path=/run/other.sock": "argument path is there twice; leave one of them out",
    "mtu=1500,mtu=9000": "argument mtu is there twice",
    "queues=0": "argument queues=0: 1 to 32 is allowed",
    "queues=33": "argument queues=33: 1 to 32 is allowed",
    "queues=two": "argument queues=two: a number is expected",
    "queues=-1": "argument queues=-1: a number is expected",
    "queues=": "argument queues has no value; queues=... is expected",
    "guest-mac=03:00:00:00:00:01": "argument guest-mac=03:00:00:00:00:01: not the address of a single card",
    "guest-mac=nobody": "argument guest-mac=nobody: an address like 02:00:00:12:34:56 is expected",
    "revisions=0": "argument revisions=0: a mask of revisions 1 to 9 is expected",
    "revisions=0x200": "argument revisions=0x200: a mask of revisions 1 to 9 is expected",
    "queues=32,revisions=0x1": "arguments queues=32 and revisions=0x1 contradict each other",
    "speed=0": "argument speed=0: 1 to 1000000 is allowed",
    "mtu=59": "argument mtu=59: 60 to 9190 is allowed",
    "mtu=9191": "argument mtu=9191: 60 to 9190 is allowed",
    "doorbell=bell": "argument doorbell=bell: memory or message is expected",
    "interrupt-rate=1000001": "argument interrupt-rate=1000001: 0 to 1000000 is allowed",
    "mode=0888": "argument mode=0888: a number is expected",
    "mode=01777": "argument mode=01777: 0200 to 0777 is allowed",
    "owner=nobody-like-this": "nobody-like-this",
    "group=nobody-like-this": "nobody-like-this",
}


@pytest.fixture(scope="module", name="program")
def _program():
    """A testpmd without ports: what is attached to it, or not, comes and goes."""
    with Testpmd(plugins=BOTH) as one:
        yield one


def descriptors(pid):
    """What a process has open."""
    return sorted(os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir())


def refuse(program, devargs, *sentences, folder=None):
    """It is not attached, each sentence is said, and nothing is left."""
    opened, threads, after = descriptors(program.pid), program.stats().threads, len(program.log())
    files = sorted(folder.iterdir()) if folder else []
    program.cmd(f"port attach {devargs}")
    program.wait_log("Failed to attach port|Port .* is attached", after=after)
    said = program.log()[after:]
    assert "Failed to attach port" in said, said
    for sentence in sentences:
        assert sentence in said, said
    assert program.ports() == []
    assert descriptors(program.pid) == opened
    assert program.stats().threads == threads
    assert not folder or sorted(folder.iterdir()) == files


@pytest.mark.parametrize("arguments", FRONT_ARGUMENTS)
def test_front_end_arguments(program, workdir, arguments):
    refuse(program, f"net_vmxnet3x0,path={workdir}/card.sock,{arguments}", "net_vmxnet3x0: ",
           FRONT_ARGUMENTS[arguments], folder=workdir)


@pytest.mark.parametrize("arguments", BACK_ARGUMENTS)
def test_back_end_arguments(program, workdir, arguments):
    refuse(program, f"net_vmxnet3_host0,path={workdir}/card.sock,{arguments}", "net_vmxnet3_host0: ",
           BACK_ARGUMENTS[arguments], folder=workdir)


@pytest.mark.parametrize("devargs, sentence", [
    ("net_vmxnet3x0", "device argument 'path' is missing; it is the path of the server's socket"),
    ("net_vmxnet3x0,path=", "device argument 'path': '' is not allowed; it is the path of the server's socket"),
    (f"net_vmxnet3x0,path={LONG}", "it is the path of the server's socket, of 1 to 107 characters"),
    ("net_vmxnet3_host0", "argument path is missing: path=/run/... says where to make the socket"),
    ("net_vmxnet3_host0,path=", "argument path has no value; path=... is expected"),
    (f"net_vmxnet3_host0,path={LONG}", "argument path: a socket's path has at most 107 characters"),
])
def test_path(program, devargs, sentence):
    refuse(program, devargs, sentence)


def a_file(path):
    path.write_text("mine")


@contextmanager
def listening(path, answer, kind=socket.SOCK_STREAM):
    """Somebody who listens, and does what answer(connection) does with who comes."""
    with socket.socket(socket.AF_UNIX, kind) as listener:
        listener.bind(str(path))
        if kind == socket.SOCK_DGRAM:
            yield
            return
        listener.listen()

        def serve():
            with listener.accept()[0] as connection:
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("make, sentence", [
    (lambda path: None, "there is no such socket; start the server, or correct the path"),
    (a_file, "nobody listens there; start the server, or correct the path"),
    (Path.mkdir, "nobody listens there; start the server, or correct the path"),
], ids=["none", "file", "folder"])
def test_front_end_without_server(program, workdir, make, sentence):
    make(workdir / "card.sock")
    refuse(program, lab.front(0, workdir / "card.sock"), f"socket {workdir}/card.sock: {sentence}", folder=workdir)


def test_front_end_below_a_file(program, workdir):
    a_file(workdir / "file")
    refuse(program, lab.front(0, workdir / "file/card.sock"), "there is no such socket; correct the path")


def wait_for_end(connection):
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:  # it left without reading all
        pass


def garbage(connection):
    connection.sendall(bytes(range(1, 256)) * 8)
    wait_for_end(connection)


def http(connection):
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.shutdown(socket.SHUT_WR)
    wait_for_end(connection)


@pytest.mark.parametrize("answer, sentence", [
    (lambda connection: None, "the server hung up at once, as it does when its device is in use"),
    (garbage, "what answers there does not speak vfio-user 0.0; correct the path"),
    (http, "what answers there does not speak vfio-user 0.0; correct the path"),
    (wait_for_end, "the server does not answer; see whether it runs, and its log"),
], ids=["closes", "garbage", "http", "silence"])
def test_front_end_with_another_server(program, workdir, answer, sentence):
    with listening(workdir / "card.sock", answer):
        refuse(program, lab.front(0, workdir / "card.sock"), sentence, folder=workdir)


def test_front_end_with_datagrams(program, workdir):
    with listening(workdir / "card.sock", None, socket.SOCK_DGRAM):
        refuse(program, lab.front(0, workdir / "card.sock"), "it is not a stream socket; correct the path")


def test_front_end_with_a_device_in_use(program, workdir, switch):
    one = switch(ports=1)
    with Testpmd([one.front(0)], plugins=BOTH):
        refuse(program, one.front(0), "end the other client")
    program.cmd(f"port attach {one.front(0)}")
    assert program.ports() == [0]
    program.cmds("port stop 0", "port detach 0")
    assert program.ports() == []


@pytest.mark.parametrize("make, sentence", [
    (a_file, "the path exists and is not a socket; remove it or choose another path"),
    (Path.mkdir, "the path exists and is not a socket; remove it or choose another path"),
], ids=["file", "folder"])
def test_back_end_on_what_is_not_its_own(program, workdir, make, sentence):
    make(workdir / "card.sock")
    refuse(program, lab.back(0, workdir / "card.sock"), f"{workdir}/card.sock: {sentence}", folder=workdir)
    assert (workdir / "card.sock").exists()


def test_back_end_without_folder(program, workdir):
    refuse(program, lab.back(0, workdir / "nowhere/card.sock"), f"{workdir}/nowhere/card.sock", "its folder does not exist; create it",
           folder=workdir)


def test_back_end_on_a_path_in_use(program, workdir):
    """Also by itself; a socket that nobody listens at is taken over."""
    path = workdir / "card.sock"
    with Testpmd([lab.back(0, path)], plugins=BOTH) as other:
        refuse(program, lab.back(1, path), f"{path}: ", "choose another path", folder=workdir)
        other.kill9()
    assert stat.S_ISSOCK(path.stat().st_mode)
    program.cmd(f"port attach {lab.back(0, path)}")
    assert program.ports() == [0]
    after = len(program.log())
    program.cmd(f"port attach {lab.back(1, path)}")
    program.wait_log("choose another path", after=after)
    assert program.ports() == [0]
    program.cmds("port stop 0", "port detach 0")
    assert not path.exists()


@pytest.mark.parametrize("devargs, sentence", [
    ("net_vmxnet3x0,path=/run/vx-nobody.sock", "there is no such socket; start the server, or correct the path"),
    ("net_vmxnet3x0,path=/run/vx-nobody.sock,revision=99", "device argument 'revision': '99' is not allowed"),
    ("net_vmxnet3_host0,path=/run/vx-nobody.sock,queues=99", "argument queues=99: 1 to 32 is allowed"),
])
def test_at_the_start(devargs, sentence):
    """On the command line EAL goes on without the port; an application that needs one says so and ends."""
    result = pktcheck.run([devargs], plugins=BOTH, cores=1)
    assert result.status == 2
    assert sentence in result.output
    assert "pktcheck: 0 ports" in result.output
    assert not Path("/run/vx-nobody.sock").exists()
