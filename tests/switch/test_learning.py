# SPDX-License-Identifier: BSD-3-Clause
"""A learning switch, frame by frame."""
import pytest

from .conftest import bridge, drops, fdb, until
from .wires import BROADCAST, host


def test_unknown_unicast_is_flooded_once_to_each_other_port(lan):
    daemon, wire = lan(4)
    before = bridge(daemon)["flooded"]
    wire[0].send(host(1), host(2), b"who is 2?")
    assert wire.counts(b"who is 2?") == [0, 1, 1, 1]
    assert bridge(daemon)["flooded"] == before + 1 + 4  # and the four marks


@pytest.mark.parametrize("group", [BROADCAST, "01:00:5e:00:00:fb", "33:33:00:00:00:01"])
def test_group_addresses_go_once_to_each_other_port(lan, group):
    daemon, wire = lan(4)
    wire[2].send(host(1), group, b"all")
    assert wire.counts(b"all") == [1, 1, 0, 1]
    assert group not in fdb(daemon)


def test_known_unicast_goes_to_its_port_only(lan):
    daemon, wire = lan(4)
    wire[1].send(host(2), BROADCAST, b"here")
    wire.heard()
    assert fdb(daemon)[host(2)] == "t1"
    for _ in range(10):
        wire[0].send(host(1), host(2), b"for 2")
    assert wire.counts(b"for 2") == [0, 10, 0, 0]


def test_frames_of_a_burst_keep_their_order(lan):
    _, wire = lan(3)
    wire[1].send(host(2), BROADCAST, b"here")
    wire.heard()
    for number in range(200):
        wire[0].send(host(1), host(2), b"n%03d" % number)
    numbers = [int(frame[15:18]) for frame in wire.heard()[1] if frame[14:15] == b"n"]
    assert numbers == list(range(200))


def test_station_moves(lan):
    daemon, wire = lan(3)
    wire[1].send(host(2), BROADCAST, b"here")
    wire.heard()
    moves = bridge(daemon)["fdb_moves"]
    wire[2].send(host(2), BROADCAST, b"now here")
    wire.heard()
    assert fdb(daemon)[host(2)] == "t2"
    assert bridge(daemon)["fdb_moves"] == moves + 1
    wire[0].send(host(1), host(2), b"for 2")
    assert wire.counts(b"for 2") == [0, 0, 1]


def test_destination_on_the_port_of_the_sender(lan):
    daemon, wire = lan(3)
    wire[0].send(host(1), BROADCAST, b"here")
    wire.heard()
    wire[0].send(host(2), host(1), b"my neighbour")
    assert wire.counts(b"my neighbour") == [0, 0, 0]
    assert drops(daemon, "t0")["same_port"] == 1


def test_group_source_is_dropped(lan):
    daemon, wire = lan(3)
    wire[0].send("03:00:00:00:00:01", BROADCAST, b"bad")
    assert wire.counts(b"bad") == [0, 0, 0]
    assert drops(daemon, "t0")["bad_source"] == 1
    assert "03:00:00:00:00:01" not in fdb(daemon)


def test_addresses_age(lan):
    daemon, wire = lan(3, **{"fdb-ageing": 1})
    wire[1].send(host(2), BROADCAST, b"here")
    wire.heard()
    assert host(2) in fdb(daemon)
    until(daemon, lambda: not fdb(daemon), "the table is empty", 20)
    wire[0].send(host(1), host(2), b"who is 2?")
    assert wire.counts(b"who is 2?") == [0, 1, 1]


def test_addresses_stay_without_ageing(lan):
    daemon, wire = lan(3, **{"fdb-ageing": 0})
    wire[1].send(host(2), BROADCAST, b"here")
    wire.heard()
    until(daemon, lambda: {entry["mac"]: entry["age"] for entry in daemon.ctl.json("fdb", "list", "br0")}[host(2)] >= 2,
          "two seconds have passed")
    assert fdb(daemon)[host(2)] == "t1"


def test_full_table_still_floods(lan):
    daemon, wire = lan(3, **{"fdb-size": 16})
    for number in range(100):
        wire[1].send(host(number), BROADCAST, b"here")
    # Before anything comes in at another port, which has its own queue: an address there is learned, too, if there is room.
    until(daemon, lambda: bridge(daemon)["fdb_full"] >= 100 - 16, "all 100 addresses are seen")
    info = bridge(daemon)
    assert (info["fdb_used"], info["fdb_size"]) == (16, 16)
    wire.heard()
    known = fdb(daemon)
    assert set(known) == {host(number) for number in range(16)}
    wire[0].send(host(200), host(3), b"known")
    wire[0].send(host(200), host(99), b"unknown")
    heard = wire.heard()
    assert [sum(b"\0known" in b"\0" + frame[14:] for frame in frames) for frames in heard] == [0, 1, 0]
    assert [sum(b"unknown" in frame for frame in frames) for frames in heard] == [0, 1, 1]


def test_flush(lan):
    daemon, wire = lan(3)
    wire[1].send(host(2), BROADCAST, b"here")
    wire[0].send(host(1), BROADCAST, b"here")
    wire.heard()
    daemon.ctl.text("fdb", "flush", "br0")
    assert host(2) not in fdb(daemon)
    wire[0].send(host(1), host(2), b"who is 2?")
    assert wire.counts(b"who is 2?") == [0, 1, 1]


@pytest.mark.parametrize("last", ["00", "01", "02", "03", "0e", "0f"])
def test_link_local_is_forwarded_as_by_a_cable(lan, last):
    _, wire = lan(3)
    wire[0].send(host(1), "01:80:c2:00:00:" + last, b"lacp")
    assert wire.counts(b"lacp") == [0, 1, 1]


def test_link_local_is_dropped_on_demand(lan):
    daemon, wire = lan(3, **{"link-local": "drop"})
    for last in range(16):
        wire[0].send(host(1), f"01:80:c2:00:00:{last:02x}", b"lacp")
    wire[0].send(host(1), "01:80:c2:00:00:10", b"not local")
    heard = wire.heard()
    assert [sum(b"lacp" in frame for frame in frames) for frames in heard] == [0, 0, 0]
    assert [sum(b"not local" in frame for frame in frames) for frames in heard] == [0, 1, 1]
    assert drops(daemon, "t0")["link_local"] == 16


def test_bridges_are_apart(switch_ns, vswitchd):
    from .wires import Lan, Wire
    daemon = vswitchd({
        "ports": [{"name": name, "type": "tap", "interface": name} for name in ("a0", "a1", "b0", "b1")],
        "bridges": [{"name": "bra", "ports": ["a0", "a1"]}, {"name": "brb", "ports": ["b0", "b1"]}],
    }, netns=switch_ns)
    wires = {name: Wire(switch_ns, name) for name in ("a0", "a1", "b0", "b1")}
    wires["a0"].send(host(1), BROADCAST, b"in a")
    wires["b0"].send(host(1), BROADCAST, b"in b")
    a, b = Lan([wires["a0"], wires["a1"]]), Lan([wires["b0"], wires["b1"]])
    heard_a, heard_b = a.heard(), b.heard()
    assert [len(frames) for frames in heard_a + heard_b] == [0, 1, 0, 1]
    assert b"in a" in heard_a[1][0] and b"in b" in heard_b[1][0]
    assert daemon.ctl.json("fdb", "list", "bra") and daemon.ctl.json("fdb", "list", "brb")
    for wire in wires.values():
        wire.close()


def test_vlan_tags_pass_unchanged(lan):
    _, wire = lan(3)
    for w in wire.wires:
        w.hear_all = True
    frame = bytes.fromhex("ffffffffffff020000000001") + b"\x81\x00\x20\x7b" + b"\x88\xb5" + b"tagged".ljust(46, b"\0")
    wire[0].sock.send(frame)
    # The kernel hands tags to packet sockets out of band; the length tells that it was there.
    assert wire.counts(b"tagged") == [0, 1, 1]
