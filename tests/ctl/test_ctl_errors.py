# SPDX-License-Identifier: BSD-3-Clause
"""Mistakes: exit status, a sentence that names the mistake, what is allowed and the nearest."""
import os
import socket
import struct
import threading

import pytest

from .ctl_cli import Cli

USAGE = [
    (["prot", "list"], ["'prot'", "did you mean 'port'?", "bridge"]),
    (["port", "lst"], ["'port lst'", "did you mean 'list'?", "capture"]),
    (["zzzzzzz"], ["'zzzzzzz'", "Allowed: port"]),
    (["completion"], ["needs a verb", "bash"]),
    (["port", "list", "--fast"], ["'port list' has no option '--fast'"]),
    (["port", "add", "x", "device", "--mtuu", "5"], ["'--mtuu'", "did you mean '--mtu'?", "--max-queues"]),
    (["port", "add", "x", "devise"], ["'devise'", "did you mean 'device'?", "af_xdp"]),
    (["port", "add", "x", "device", "--link", "sideways"], ["--link 'sideways'", "up, down"]),
    (["port", "add", "x", "device", "--mtu"], ["--mtu needs a value"]),
    (["port", "del", "x", "--force=yes"], ["--force takes no value"]),
    (["port", "add", "x"], ["TYPE is missing"]),
    (["port", "show"], ["NAME is missing"]),
    (["port", "show", "vm1", "vm2"], ["'vm2' is one word too many"]),
    (["port", "set", "vm1"], ["KEY VALUE is missing"]),
    (["port", "set", "vm1", "link"], ["value of link is missing"]),
    (["port", "set", "vm1", "link", "dwn"], ["'dwn'", "did you mean 'down'?"]),
    (["port", "set", "vm1", "colour", "red"], ["'colour'", "link, mtu, affinity, vlan-mode, tag, trunks, qinq-ethtype"]),
    (["port", "set", "vm1", "vlan-mode", "acces"], ["'acces'", "did you mean 'access'?"]),
    (["port", "set", "vm1", "tag", "x"], ["tag 'x' is no whole number"]),
    (["port", "set", "vm1", "mtu", "-5"], ["'-5'"]),
    (["port", "set", "vm1", "mtu", "15o0"], ["'15o0' is no whole number"]),
    (["fdb", "list", "--limit", "1k"], ["--limit '1k' is no whole number"]),
    (["stats", "--interval", "0"], ["at least 1 second"]),
    (["stats", "--count", "3"], ["--count goes with --interval"]),
    (["-x"], ["'-x'", "-s SOCKET"]),
    (["port", "list", "-x"], ["'-x'"]),
    (["log", "set", b"\xff\xfe"], ["LEVEL is no valid UTF-8"]),
    (["port", "capture", "vm1", "/dev/null", "--count", "0"], ["--count is at least 1"]),
]


@pytest.mark.parametrize("words, expected", USAGE, ids=lambda value: "-".join(map(str, value[:3])))
def test_usage(cli, words, expected):
    words = [os.fsdecode(word) for word in words]
    message = cli.fails(2, *words)
    for text in expected:
        assert text in message


def test_nothing_at_all(cli):
    done = cli()
    assert done.returncode == 2
    assert "what shall be done" in done.stderr


REFUSED = [
    (["port", "show", "nobody"], ["nobody"]),
    (["port", "del", "nobody"], ["nobody"]),
    (["port", "add", "vm1", "device"], ["vm1"]),
    (["port", "add", "x", "device", "--mac", "01:00:00:00:00:01"], ["mac"]),
    (["port", "add", "x", "device", "--max-queues", "99"], ["99"]),
    (["port", "add", "x", "tap"], ["interface"]),
    (["port", "set", "vm1", "mtu", "10"], ["mtu", "68", "9190"]),
    (["port", "set", "vm1", "affinity", "0:1023"], ["vm1", "CPU 1023, on which no core polls; pin to", "workers: cores"]),
    (["port", "set", "vm1", "affinity", "32:0"], ["vm1", "affinity names queue 32", "0 to 7"]),
    (["port", "add", "x", "device", "--affinity", "0:1023"], ["port x", "CPU 1023, on which no core polls; pin to"]),
    (["port", "stats", "nobody"], ["nobody"]),
    (["port", "qemu-args", "nobody"], ["nobody"]),
    (["port", "capture", "nobody", "/dev/null"], ["nobody"]),
    (["port", "capture", "vm1", "/dev/null", "--filter", "tcp prt 80"], ["tcp prt 80", "pcap-filter"]),
    (["port", "capture", "vm1", "/dev/null", "--filter", "ip6 protochain 6"], ["protochain"]),
    (["port", "capture", "vm1", "/dev/null", "--snaplen", "10"], ["64", "262144"]),
    (["bridge", "show", "nobr"], ["nobr"]),
    (["bridge", "add", "br0"], ["br0"]),
    (["bridge", "add", "b", "--fdb-size", "3"], ["fdb-size"]),
    (["bridge", "add", "b", "--ports", "vm1,nobody"], ["vm1"]),
    (["bridge", "attach", "br0", "nobody"], ["nobody"]),
    (["bridge", "attach", "br0", "vm1"], ["vm1"]),
    (["bridge", "detach", "br0", "lone"], ["lone"]),
    (["fdb", "list", "nobr"], ["nobr"]),
    (["fdb", "flush", "nobr"], ["nobr"]),
    (["drops", "nobody"], ["nobody"]),
    (["log", "set", "loud"], ["loud", "debug"]),
    (["config", "save", "/nonexistent/file"], ["/nonexistent/file", "No such file"]),
]


@pytest.mark.parametrize("words, expected", REFUSED, ids=lambda value: "-".join(map(str, value[:4])))
def test_refused(cli, words, expected):
    message = cli.fails(1, *words)
    for text in expected:
        assert text in message
    assert message.count("\n") == 1


def test_refusals_change_nothing(cli, daemon):
    before = cli.ok("config", "show")
    for words, _ in USAGE + REFUSED:
        cli(*[os.fsdecode(word) for word in words])
    assert cli.ok("config", "show") == before
    assert daemon.alive


def test_no_daemon(tmp_path):
    message = Cli(tmp_path / "nothing.sock").fails(3, "port", "list")
    assert "Is vswitchd running?" in message and "-s" in message


def test_stale_socket(tmp_path):
    path = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    assert "Is vswitchd running?" in Cli(path).fails(3, "port", "list")


def test_socket_path_too_long():
    assert "File name too long" in Cli("/tmp/" + "x" * 200).fails(3, "info")


def answered_by(path, answer, *words):
    """A command whose request is answered with these bytes, whatever it was."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(1)

        def serve():
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        done = Cli(path)(*words)
        thread.join(10)
    return done


@pytest.mark.parametrize("answer, expected", [
    (b"", "closed the connection"),
    (b"HTTP/1.0 400 Bad Request\r\n", "no JSON"),
    (b'{"jsonrpc":"2.0","id":1}\n', "refused"),
], ids=["closes", "other-protocol", "no-result"])
def test_something_else_answers(tmp_path, answer, expected):
    """Whatever sits on the socket, vswitchctl ends with a sentence."""
    done = answered_by(tmp_path / "other.sock", answer, "port", "list")
    assert done.returncode in (1, 3)
    assert expected in done.stderr


STREAM = b'{"jsonrpc":"2.0","id":1,"result":{}}\n' + struct.pack("=IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28)


@pytest.mark.parametrize("rest, status", [
    (b"", 3),
    (b"\x06\0\0\0", 3),
    (struct.pack("=IIII", 6, 48, 0, 0), 3),
    (struct.pack("=III", 6, 0, 0), 1),
    (struct.pack("=III", 6, 13, 0), 1),
    (struct.pack("=III", 6, 0x7ffffffc, 0), 1),
    (struct.pack("=III", 6, 0xfffffffc, 0), 1),
    (struct.pack("=III", 0x0a0d0d0a, 28, 0x4d3c2b1a), 1),
    (struct.pack("=III", 5, 12, 12), 0),
    (struct.pack("=IIIIIHHI", 5, 28, 0, 0, 0, 5, 0xffff, 28), 0),
    (b"HTTP/1.0 400 Bad Request\r\n", 1),
], ids=lambda value: value[:12].hex() if isinstance(value, bytes) else str(value))
def test_damaged_capture(tmp_path, rest, status):
    """Whatever comes instead of a capture, what was good of it is kept, and the status tells."""
    file = tmp_path / "capture.pcapng"
    done = answered_by(tmp_path / "other.sock", STREAM + rest, "port", "capture", "x", file)
    assert done.returncode == status, done
    assert done.stderr
    if status != 1:
        assert file.read_bytes()[:28] == STREAM[-28:]
