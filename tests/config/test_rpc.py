# SPDX-License-Identifier: BSD-3-Clause
"""The control socket: the protocol, with everything that is no request, and the methods about the daemon."""
import json
import os
import random
import re
import socket
import time

import pytest

from config.rpc import Rpc, RpcError, request
from config.test_daemon import TWO, Daemon
from lib import paths, proc
from lib.patience import Deadline

# AddressSanitizer keeps freed memory for a while; it finds what is never freed by itself.
SANITIZED = bool(os.environ.get("VMXNET3X_WRAPPER"))
PARSE, INVALID, NO_METHOD, PARAMS = -32700, -32600, -32601, -32602


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    """One daemon for all: what a test does to it must not harm the next one."""
    folder = tmp_path_factory.mktemp("rpc")
    with Daemon(folder, {**TWO, "log": "info"}) as one:
        one.rpc().sock.close()
        yield one
        assert one.stop() == 0, one.log()


@pytest.fixture
def rpc(daemon):
    with Rpc(daemon.socket) as connection:
        yield connection


def refused(rpc, method, code, words, **params):
    with pytest.raises(RpcError) as error:
        rpc.call(method, **params)
    assert error.value.code == code
    assert words in error.value.message


# ---- framing ----

def test_answers_are_lines_in_order(rpc):
    rpc.send(b"".join(json.dumps(request("log.get", id=i)).encode() for i in range(50)))
    assert [rpc.answer()["id"] for _ in range(50)] == list(range(50))


def test_blanks_between_and_inside(rpc):
    rpc.send(b"\n\n \t" + json.dumps(request("log.get", id=1), indent=8).encode() + b"\r\n" * 1000 + json.dumps(request("log.get", id=2)).encode())
    assert [rpc.answer()["id"], rpc.answer()["id"]] == [1, 2]


def test_byte_by_byte(rpc):
    for byte in json.dumps(request("log.set", {"level": 'a"}]\\{'})).encode():
        rpc.send(bytes([byte]))
    assert rpc.answer()["error"]["code"] == PARAMS


def test_half_closed_connection_is_answered(rpc):
    rpc.send(request("log.get"))
    rpc.sock.shutdown(socket.SHUT_WR)
    assert "levels" in rpc.answer()["result"]
    assert rpc.answer() is None


@pytest.mark.parametrize("data", [b"hello\n", b"GET / HTTP/1.1\r\n\r\n", b"\0", b"\xff\xfe", b'"x"', b"5", b"null", b"}", b'{"jsonrpc":}', b"{]",
                                  b'{"a":1,"a":2}', b'{"a":"\xff"}', b'{"a":"\\u0000"}', b'{"a":123456789012345678901234567890}', b"{'a':1}", b'{"a":1,}',
                                  b"[" * 33, b'{"a":' * 33, b"[" * 100000, b'{"a":"' + b"x" * (1 << 20) + b'"}', b'{"a":"' + b"x" * (3 << 20)])
def test_what_is_no_json_closes_the_connection(rpc, data):
    try:
        rpc.send(data)
    except OSError:
        pass  # closed before all was sent
    try:
        answer = rpc.answer()
    except ConnectionResetError:
        pytest.skip("the answer went with the connection") if len(data) > 1 << 20 else pytest.fail("no answer")
    assert answer["id"] is None
    assert answer["error"]["code"] == PARSE
    try:
        assert rpc.answer() is None
    except ConnectionResetError:
        pass


def test_longest_request(rpc):
    text = json.dumps(request("log.set", {"level": "x"})).encode()
    rpc.send(text.replace(b'"x"', b'"' + b"x" * ((1 << 20) - len(text) + 1) + b'"'))
    assert rpc.answer()["error"]["code"] == PARAMS, "1 MiB is not too long"


@pytest.mark.parametrize("message", [{}, [1], {"jsonrpc": "1.0", "id": 1, "method": "log.get"}, {"id": 1, "method": "log.get"}, {"jsonrpc": "2.0", "id": 1},
                                     {"jsonrpc": "2.0", "id": 1, "method": 5}, {"jsonrpc": "2.0", "id": [], "method": "log.get"},
                                     {"jsonrpc": "2.0", "id": {}, "method": "log.get"}, {"jsonrpc": 2.0, "id": 1, "method": "log.get"}])
def test_what_is_no_request(rpc, message):
    answer = rpc.ask(message)
    answer = answer[0] if isinstance(message, list) else answer
    assert answer["id"] is None
    assert answer["error"]["code"] == INVALID
    assert rpc.call("log.get"), "and the connection goes on"


def test_ids(rpc):
    for id in 0, -5, 1.5, "x", "", None:
        assert rpc.ask(request("log.get", id=id))["id"] == id


def test_notification(rpc, daemon):
    rpc.send({"jsonrpc": "2.0", "method": "log.set", "params": {"level": "main=warning"}})
    rpc.send({"jsonrpc": "2.0", "method": "no.such.method"})
    assert rpc.call("log.get")["levels"]["main"] == "warning"
    rpc.call("log.set", level="info")


def test_batch(rpc):
    answers = rpc.ask([request("log.get", id=1), {"jsonrpc": "2.0", "method": "log.get"}, 5, request("no.such", id="x"), [], request("log.get", id=2)])
    assert [(a["id"], a.get("error", {}).get("code")) for a in answers] == [(1, None), (None, INVALID), ("x", NO_METHOD), (None, INVALID), (2, None)]
    rpc.send([{"jsonrpc": "2.0", "method": "log.get"}])
    assert rpc.ask([])["error"]["code"] == INVALID
    assert rpc.ask([request("log.get")] * 257)["error"]["code"] == INVALID
    assert len(rpc.ask([request("log.get")] * 256)) == 256


# ---- clients ----

def test_many_clients(daemon):
    """64 are served; the others are told; when they leave there is room again."""
    clients = [Rpc(daemon.socket) for _ in range(70)]
    try:
        served = 0
        for client in clients:
            try:
                client.send(request("log.get"))
                answer = client.answer()
            except OSError:
                continue
            if answer and "result" in answer:
                served += 1
            elif answer:
                assert "too many clients" in answer["error"]["message"]
        assert served == 64
    finally:
        for client in clients:
            client.sock.close()
    Deadline(10).wait_for(lambda: serves(daemon), "there is room again")


def serves(daemon):
    try:
        with Rpc(daemon.socket) as rpc:
            return "result" in rpc.ask(request("log.get"))
    except OSError:
        return False


def test_client_that_does_not_read(daemon):
    """It is not read from any more, the daemon's memory is bounded, and the others do not notice."""
    before = proc.stats(daemon.process.pid).rss_kib
    question = json.dumps(request("system.methods")).encode()
    with Rpc(daemon.socket) as lazy, Rpc(daemon.socket) as other:
        lazy.sock.settimeout(1)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 << 20:
                sent += lazy.sock.send(question * 100)
        start = time.monotonic()
        assert other.call("log.get")
        assert time.monotonic() - start < 2
        assert SANITIZED or proc.stats(daemon.process.pid).rss_kib < before + 16384
        lazy.sock.settimeout(10)
        assert lazy.answer()["id"] == 7, "when it reads, it goes on"
        assert all(lazy.answer()["id"] == 7 for _ in range(200))


def test_clients_that_come_and_go(daemon):
    Deadline(10).wait_for(lambda: serves(daemon), "earlier clients are gone")
    before = proc.stats(daemon.process.pid).fds
    for i in range(500):
        with Rpc(daemon.socket) as rpc:
            try:
                rpc.send([b"", b"{", json.dumps(request("port.list")).encode(), b'{"jsonrpc":"2.0"'][i % 4])
            except BrokenPipeError:
                pass  # refused: the daemon has not yet seen that the earlier ones left
    Deadline(10).wait_for(lambda: proc.stats(daemon.process.pid).fds <= before, "no descriptor is left")


def test_random_bytes(daemon):
    """Requests with bytes changed, cut and repeated: an answer or a closed connection, and no harm."""
    chance = random.Random(1)
    texts = [json.dumps(request(m, p)).encode() for m, p in (("port.show", {"name": "vm1"}), ("log.get", {}), ("fdb.list", {"limit": 3}),
                                                             ("drops.get", {"all": True}), ("bridge.show", {"name": "br0"}))]
    for _ in range(400):
        data = bytearray(b"".join(chance.choices(texts, k=3)))
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(data))
            data[at:at + chance.randrange(3)] = bytes(chance.choices(b'{}[]",:\\\0\xffnul01e-.', k=chance.randrange(3)))
        with Rpc(daemon.socket) as rpc:
            try:
                rpc.send(bytes(data))
                rpc.sock.shutdown(socket.SHUT_WR)
                while rpc.answer() is not None:
                    pass
            except ConnectionError:
                pass
    assert serves(daemon)


# ---- parameters ----

def test_unknown_method(rpc):
    refused(rpc, "port.lst", NO_METHOD, "unknown method 'port.lst' (did you mean 'port.list'?); system.methods lists them")
    refused(rpc, "x" * 5000, NO_METHOD, "unknown method")
    refused(rpc, "\u00e9" * 100, NO_METHOD, "unknown method")


def test_parameters(rpc):
    refused(rpc, "port.show", PARAMS, "parameter 'name' is missing")
    refused(rpc, "port.show", PARAMS, "parameter 'name' must be a string", name=5)
    refused(rpc, "port.show", PARAMS, "parameter 'name' must be a string", name=None)
    refused(rpc, "port.show", PARAMS, "unknown parameter 'nme'; allowed: name", nme="x")
    refused(rpc, "port.list", PARAMS, "unknown parameter 'x'; allowed: none", x=1)
    refused(rpc, "port.del", PARAMS, "parameter 'force' must be true or false", name="x", force="yes")
    refused(rpc, "port.set", PARAMS, "parameter 'link' is 'off'; allowed: up, down", name="x", link="off")
    refused(rpc, "port.set", PARAMS, "parameter 'mtu' must be a number; allowed: 68 to 9190", name="x", mtu=67)
    refused(rpc, "port.set", PARAMS, "nothing to set", name="vm1")
    refused(rpc, "port.set", PARAMS, "parameter 'tag' must be a number; allowed: 0 to 4094", name="vm1", tag=4095)
    refused(rpc, "port.set", PARAMS, "port 'vm1': key 'tag' has no meaning without vlan-mode", name="vm1", tag=7)
    refused(rpc, "fdb.list", PARAMS, "parameter 'limit' must be a number; allowed: 1 to 1000000", limit=-1)
    refused(rpc, "log.set", PARAMS, "parameter 'level' is too long", level="x" * 5000)
    answer = rpc.ask(request("port.show", ["vm1"]))
    assert answer["error"]["code"] == PARAMS and "by name" in answer["error"]["message"]
    assert rpc.ask(request("port.show", 5))["error"]["code"] == PARAMS


def test_switch_errors_are_errnos(rpc):
    refused(rpc, "port.show", -2, "no-such", name="no-such")
    refused(rpc, "port.del", -2, "no-such", name="no-such")
    refused(rpc, "bridge.show", -2, "no-such", name="no-such")
    refused(rpc, "bridge.attach", -2, "no-such", bridge="no-such", port="vm1")
    refused(rpc, "fdb.list", -2, "no-such", bridge="no-such")
    refused(rpc, "port.add", -17, "vm1", name="vm1", type="device")


def test_port_add_takes_the_keys_of_the_file(rpc):
    refused(rpc, "port.add", PARAMS, "port 'x': unknown type 'devise'; allowed: device, ethdev, tap, af_xdp", name="x", type="devise")
    refused(rpc, "port.add", PARAMS, "unknown key 'max_queues'; allowed: name, type,", name="x", type="device", max_queues=1)
    refused(rpc, "port.add", PARAMS, "mtu '70000' is out of range; allowed: 68 to 9190", name="x", type="device", mtu=70000)
    refused(rpc, "port.add", PARAMS, "must be a string, a whole number or a boolean", name="x", type="device", mtu=[1])
    refused(rpc, "port.add", PARAMS, "key 'name' is missing", type="device")
    refused(rpc, "port.add", PARAMS, "key 'type' is missing", name="x")
    refused(rpc, "port.add", PARAMS, "key 'interface' is missing", name="x", type="tap")
    refused(rpc, "port.add", PARAMS, "key 'devargs' is not for ports of type device", name="x", type="device", devargs="y")
    rpc.call("port.add", **{"name": "x", "type": "device", "max-queues": 4, "mac": "52:54:00:00:00:09", "mode": "0600", "link": "down"})
    try:
        port = rpc.call("port.show", name="x")
        assert port["bridge"] is None and port["link"] == "down" and port["attached"] is False
        assert port["conf"] == {"name": "x", "type": "device", "socket": port["conf"]["socket"], "mode": "0600", "mac": "52:54:00:00:00:09",
                                "max-queues": 4, "revisions": "0x47", "mtu": 9000, "link-speed": 10000, "doorbell": "memory",
                                "interrupt-rate": 50000, "latency": "normal", "local-checksum": "full", "tunnel-tso": "cut", "link": "down",
                                "vlan-mode": "transparent", "tag": 0, "qinq-ethtype": "802.1ad"}
        assert port["device"]["permanent_mac"] == "52:54:00:00:00:09"
        assert os.path.exists(port["conf"]["socket"])
    finally:
        rpc.call("port.del", name="x")
    assert not os.path.exists(port["conf"]["socket"])


def test_methods_are_documented(rpc):
    """docs/control-protocol.md has a heading for each method, and no other; its parameters are the real ones."""
    text = (paths.REPO / "docs/control-protocol.md").read_text()
    text = text[text.index("## Methods"):]
    documented = {}
    for heading in re.findall(r"^### (.*)$", text, re.M):
        for name, params in re.findall(r"([a-z]+\.[a-z]+) \{([^}]*)\}", heading):
            documented[name] = {p.split(":")[0].strip().rstrip("?"): p.split(":")[0].strip().endswith("?")
                                for p in params.split(",") if p.strip()}
    methods = {m["name"]: m for m in rpc.call("system.methods")}
    assert set(methods) == set(documented)
    for name, method in methods.items():
        assert method["help"]
        if method["params"] is not None:
            assert {p["name"]: not p["required"] for p in method["params"]} == documented[name], name


# ---- the daemon ----

def test_lists(rpc):
    assert [(p["name"], p["type"], p["bridge"]) for p in rpc.call("port.list")] == [("vm1", "device", "br0"), ("vm2", "device", "br0")]
    bridge, = rpc.call("bridge.list")
    assert bridge == {"name": "br0", "type": "switch", "ports": ["vm1", "vm2"], "fdb_used": 0, "fdb_size": 8192}
    assert rpc.call("bridge.show", name="br0")["conf"]["link-local"] == "forward"
    assert [s["port"] for s in rpc.call("stats.get")] == ["vm1", "vm2"]
    assert rpc.call("port.stats", name="vm1")[0]["drops"] == {}
    assert rpc.call("drops.get") == []
    reasons = [d["reason"] for d in rpc.call("drops.get", port="vm1", all=True)]
    assert len(reasons) == len(set(reasons)) and {"no_bridge", "link_down"} <= set(reasons)
    assert rpc.call("fdb.list") == []
    assert rpc.call("fdb.flush", port="vm1") == {}
    workers = rpc.call("worker.list")
    assert workers and workers[0]["queues"] >= 2 and workers[0]["sleeps"] > 0


def test_link_and_mtu(rpc):
    rpc.call("port.set", name="vm1", link="down", mtu=1500)
    port, _ = rpc.call("port.list")
    assert (port["link"], port["mtu"]) == ("down", 1500)
    rpc.call("port.set", name="vm1", link="up")
    rpc.call("port.set", name="vm1", mtu=9000)
    port, _ = rpc.call("port.list")
    assert (port["link"], port["mtu"]) == ("up", 9000)


def test_affinity(workdir):
    """Queues go where they are pinned to, and nowhere else; what cannot be is refused and changes nothing."""
    cpus = sorted(os.sched_getaffinity(0))[:2]
    config = {"workers": {"cores": ",".join(map(str, cpus))}, "ports": [{"name": "vm1", "type": "device", "max-queues": 4, "affinity": f"0-3:{cpus[-1]}"}]}
    with Daemon(workdir, config) as daemon, daemon.rpc() as rpc:
        def queues():
            return [(queue["cpu"], queue["pinned"]) for queue in rpc.call("port.show", name="vm1")["cost"]["queues"]]

        assert queues() == 4 * [(cpus[-1], True)]
        assert rpc.call("port.list")[0]["workers"] == [len(cpus) - 1]
        rpc.call("port.set", name="vm1", affinity=f"1:{cpus[0]}")
        assert queues() == [(cpus[-1], False), (cpus[0], True), (cpus[-1], False), (cpus[-1], False)]
        assert rpc.call("port.show", name="vm1")["conf"]["affinity"] == f"1:{cpus[0]}"
        refused(rpc, "port.set", -22, "affinity names queue 4; the port has queues 0 to 3", name="vm1", affinity=f"4:{cpus[0]}")
        refused(rpc, "port.set", -22, "affinity names CPU 1023, on which no core polls", name="vm1", affinity="0:1023")
        refused(rpc, "port.set", -32602, "is no list of QUEUE:CPU", name="vm1", affinity="x")
        refused(rpc, "port.add", -22, "affinity names CPU 1023", name="vm2", type="device", affinity="0:1023")
        assert [port["name"] for port in rpc.call("port.list")] == ["vm1"]
        assert queues()[1] == (cpus[0], True)
        rpc.call("port.set", name="vm1", affinity="none")
        assert not any(pinned for _, pinned in queues())
        assert "affinity" not in rpc.call("port.show", name="vm1")["conf"]
        shown = rpc.call("worker.show", id=0)
        assert {queue["port"] for queue in shown["polled"]} == {"vm1"} and shown["cpu"] == cpus[0]
        refused(rpc, "worker.show", -2, "there is no polling core 63", id=63)
        assert daemon.stop() == 0
    bad = {**config, "ports": [{"name": "vm1", "type": "device", "affinity": "0:1023"}]}
    with Daemon(workdir, bad) as daemon:
        assert "affinity names CPU 1023, on which no core polls" in daemon.fails()


def snapshot(rpc):
    return ([p["conf"] for p in (rpc.call("port.show", name=p["name"]) for p in rpc.call("port.list"))],
            [(b["conf"], b["ports"]) for b in (rpc.call("bridge.show", name=b["name"]) for b in rpc.call("bridge.list"))],
            rpc.call("log.get"), {k: v for k, v in rpc.call("system.info").items() if k in ("memory_mb", "control_socket", "run_dir")},
            [w["cpu"] for w in rpc.call("worker.list")])


def test_config_round_trip(workdir):
    """What changed at run time is in the saved configuration, and loading that gives the same switch."""
    config = {**TWO, "log": "notice,device=debug",
              "workers": {"cores": "0", "idle": {"steps": [{"after-us": 10, "sleep-us": 20}, {"after-us": 30, "sleep-us": 40}]}}}
    with Daemon(workdir, config) as daemon, daemon.rpc() as rpc:
        rpc.call("port.add", **{"name": "x", "type": "device", "max-queues": 2, "revisions": 7, "mode": "0600", "owner": "root", "group": 0,
                                "doorbell": "message", "interrupt-rate": 0, "latency": "low", "link-speed": 25000, "mac": "52:54:00:00:00:77"})
        rpc.call("port.add", name="n", type="ethdev", devargs="net_null0", queues=1)
        rpc.call("bridge.add", **{"name": "w", "type": "wire", "ports": ["x", "n"]})
        rpc.call("bridge.add", **{"name": "b2", "link-local": "drop", "fdb-size": 16, "fdb-ageing": 0})
        rpc.call("bridge.detach", bridge="br0", port="vm1")
        rpc.call("bridge.attach", bridge="b2", port="vm1")
        rpc.call("port.set", name="vm2", link="down", mtu=2000)
        rpc.call("port.set", **{"name": "vm2", "vlan-mode": "trunk", "tag": 5, "trunks": "10,20-29"})
        rpc.call("port.set", **{"name": "vm1", "vlan-mode": "tunnel", "tag": 6, "qinq-ethtype": "802.1q"})
        rpc.call("port.set", name="x", affinity="0-1:0")
        rpc.call("log.set", level="port=err")
        before, text = snapshot(rpc), rpc.call("config.get")["yaml"]
        refused(rpc, "port.del", -2, "gone", name="gone")
        assert daemon.stop() == 0
    (workdir / "vswitchd.yaml").write_text(text)
    with Daemon(workdir) as daemon, daemon.rpc() as rpc:
        assert snapshot(rpc) == before
        assert rpc.call("config.get")["yaml"] == text
        rpc.call("bridge.detach", bridge="w", port="n")
        refused(rpc, "config.get", -22, "wire 'w' has 1 of 2 ports")
        assert daemon.stop() == 0


def test_nothing_leaks(daemon):
    """Ports, bridges and requests come and go; memory and descriptors stay."""
    with Rpc(daemon.socket) as rpc:
        def round_trip():
            rpc.call("port.add", name="x", type="device")
            rpc.call("bridge.add", name="b2", ports=["x"])
            for method in "port.list", "config.get", "system.methods", "worker.list", "bridge.list", "stats.get":
                rpc.call(method)
            rpc.call("bridge.del", name="b2")
            rpc.call("port.del", name="x")

        for _ in range(20):
            round_trip()
        before = proc.stats(daemon.process.pid)
        for _ in range(200):
            round_trip()
        after = proc.stats(daemon.process.pid)
    assert after.fds == before.fds and after.threads == before.threads
    assert SANITIZED or after.rss_kib < before.rss_kib + 2048
