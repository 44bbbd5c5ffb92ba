# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the switch's tests: a vswitchd in a network namespace of its own, and what is plugged into it."""
import pytest

from lib.netns import NetNs
from lib.patience import Deadline

from . import wires


@pytest.fixture
def switch_ns():
    """The namespace that vswitchd runs in. Nothing in it talks unasked."""
    with NetNs("sw") as namespace:
        namespace.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        yield namespace


@pytest.fixture
def lan(switch_ns, vswitchd):
    """lan(ports, **bridge) starts a switch with taps t0, t1, ...: (daemon, Lan)"""
    opened = []

    def start(nb_ports=3, **bridge):
        names = [f"t{i}" for i in range(nb_ports)]
        daemon = vswitchd({
            "ports": [{"name": name, "type": "tap", "interface": name} for name in names],
            "bridges": [{"name": "br0", "ports": names, **bridge}],
        }, netns=switch_ns)
        opened.extend(wires.Wire(switch_ns, name) for name in names)
        return daemon, wires.Lan(list(opened))

    yield start
    for wire in opened:
        wire.close()


@pytest.fixture
def stations():
    """stations(n): namespaces with a protocol stack each."""
    opened = []

    def make(number):
        for index in range(number):
            opened.append(NetNs(f"st{index}").__enter__())
            # Others (BBR) take a machine whose CPUs are busy for a slow path, and remember it.
            opened[-1].run("sysctl -qw net.ipv4.tcp_congestion_control=reno")
        return opened[-number:]

    yield make
    for namespace in opened:
        namespace.close()


def fdb(daemon):
    """{address: port} of br0."""
    return {entry["mac"]: entry["port"] for entry in daemon.ctl.json("fdb", "list", "br0")}


def bridge(daemon, name="br0"):
    """What `bridge show` says."""
    return daemon.ctl.json("bridge", "show", name)


def drops(daemon, port):
    """{reason: count} of a port."""
    return {drop["reason"]: drop["count"] for drop in daemon.ctl.json("drops") if drop["port"] == port}


def until(daemon, condition, what, seconds=10):
    """Wait for a condition, in time that the daemon could run."""
    return Deadline(seconds, daemon.pid).wait_for(condition, what)


def plug(switch_ns, station, interface, *addresses, mtu=None):
    """Move a tap of the switch to a station and give it addresses."""
    switch_ns.run(f"ip link set {interface} netns {station.pid}")
    if mtu:
        station.run(f"ip link set {interface} mtu {mtu}")
    station.address(interface, *addresses)
