# SPDX-License-Identifier: BSD-3-Clause
"""A bridge of type wire: a cable between two ports."""
import pytest

from lib.ctl import CtlError

from .conftest import drops, until
from .wires import BROADCAST, host


def carrier(namespace, interface):
    """Whether the interface has a carrier."""
    return "NO-CARRIER" not in namespace.run(f"ip link show {interface}")


def test_everything_passes_and_nothing_is_learnt(lan):
    daemon, wire = lan(2, type="wire")
    for dst in (BROADCAST, host(9), "01:80:c2:00:00:02", host(1)):
        wire[0].send(host(1), dst, b"to " + dst.encode())
    wire[0].send("03:00:00:00:00:01", BROADCAST, b"group source")
    heard = wire.heard()
    assert not heard[0]
    assert len(heard[1]) == 5
    assert daemon.ctl.json("fdb", "list", "br0") == []
    assert not drops(daemon, "t0").get("bad_source")


def test_has_two_ports(lan):
    daemon, _ = lan(2, type="wire")
    daemon.ctl.text("port", "add", "t2", "tap", "--interface", "t2")
    with pytest.raises(CtlError, match="is a wire and has its two ports, t0 and t1"):
        daemon.ctl.text("bridge", "attach", "br0", "t2")


@pytest.mark.parametrize("end, other", [("t0", "t1"), ("t1", "t0")])
def test_pulled_cable_is_seen_at_the_other_end(lan, switch_ns, end, other):
    daemon, wire = lan(2, type="wire")
    assert carrier(switch_ns, end) and carrier(switch_ns, other)
    daemon.ctl.text("port", "set", end, "link", "down")
    until(daemon, lambda: not carrier(switch_ns, other), f"{other} has no carrier")
    assert not carrier(switch_ns, end)
    daemon.ctl.text("port", "set", end, "link", "up")
    until(daemon, lambda: carrier(switch_ns, other) and carrier(switch_ns, end), "both have a carrier")
    wire[0].send(host(1), BROADCAST, b"again")
    assert wire.counts(b"again") == [0, 1]


def test_interface_down_is_seen_at_the_other_end(lan, switch_ns):
    daemon, _ = lan(2, type="wire")
    switch_ns.run("ip link set t0 down")
    until(daemon, lambda: not carrier(switch_ns, "t1"), "t1 has no carrier")
    assert {port["name"]: port["link"] for port in daemon.ctl.json("port", "list")}["t1"] == "down"
    switch_ns.run("ip link set t0 up")
    until(daemon, lambda: carrier(switch_ns, "t1"), "t1 has a carrier")


@pytest.mark.parametrize("order", [("t0", "t1"), ("t1", "t0")])
def test_ends_do_not_hold_each_other_down(lan, switch_ns, order):
    daemon, wire = lan(2, type="wire")
    for end in ("t0", "t1"):
        switch_ns.run(f"ip link set {end} down")
    until(daemon, lambda: all(port["link"] == "down" for port in daemon.ctl.json("port", "list")), "both are down")
    for end in order:
        switch_ns.run(f"ip link set {end} up")
    until(daemon, lambda: carrier(switch_ns, "t0") and carrier(switch_ns, "t1"), "both have a carrier")
    wire[1].send(host(1), BROADCAST, b"again")
    assert wire.counts(b"again") == [1, 0]


def test_one_end_alone_is_dark(lan, switch_ns):
    daemon, _ = lan(2, type="wire")
    daemon.ctl.text("bridge", "detach", "br0", "t1")
    until(daemon, lambda: not carrier(switch_ns, "t0"), "t0 has no carrier")
    daemon.ctl.text("bridge", "attach", "br0", "t1")
    until(daemon, lambda: carrier(switch_ns, "t0"), "t0 has a carrier")


def test_device_without_a_guest_is_a_dark_end(switch_ns, vswitchd):
    daemon = vswitchd({
        "ports": [{"name": "t0", "type": "tap", "interface": "t0"}, {"name": "vm1", "type": "device"}],
        "bridges": [{"name": "w", "type": "wire", "ports": ["t0", "vm1"]}],
    }, netns=switch_ns)
    until(daemon, lambda: not carrier(switch_ns, "t0"), "t0 has no carrier")
