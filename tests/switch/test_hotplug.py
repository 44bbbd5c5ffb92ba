# SPDX-License-Identifier: BSD-3-Clause
"""Ports and bridges come and go while traffic flows."""
import re
import subprocess

import pytest

from lib.ctl import CtlError

from .conftest import bridge, fdb, plug, until
from .traffic import Iperf, ping
from .wires import BROADCAST, Lan, Wire, host


@pytest.fixture
def pair(switch_ns, vswitchd, stations):
    """Two stations behind taps of one switch: (daemon, left, right)"""
    daemon = vswitchd({
        "ports": [{"name": name, "type": "tap", "interface": name} for name in ("t0", "t1")],
        "bridges": [{"name": "br0", "ports": ["t0", "t1"]}],
    }, netns=switch_ns)
    left, right = stations(2)
    plug(switch_ns, left, "t0", "10.1.0.1/24")
    plug(switch_ns, right, "t1", "10.1.0.2/24")
    assert ping(left, "10.1.0.2") == 3
    return daemon, left, right


def come_and_go(daemon, switch_ns, number):
    """A tap and a device are added, bridged, moved to a bridge of their own, and deleted."""
    ctl = daemon.ctl
    tap, device, own = f"x{number}", f"vm{number}", f"own{number}"
    ctl.text("port", "add", tap, "tap", "--interface", tap)
    ctl.text("port", "add", device, "device", "--socket", daemon.socket(device))
    ctl.text("bridge", "attach", "br0", tap)
    ctl.text("bridge", "attach", "br0", device)
    wire = Wire(switch_ns, tap)
    wire.send(host(100 + number), BROADCAST, b"hello")
    until(daemon, lambda: fdb(daemon).get(host(100 + number)) == tap, "the new port's station is learnt")
    ctl.text("bridge", "detach", "br0", tap)
    assert host(100 + number) not in fdb(daemon)
    ctl.text("bridge", "add", own, "--ports", tap)
    ctl.text("bridge", "del", own)
    ctl.text("port", "del", device)
    ctl.text("port", "del", tap)
    wire.close()


def test_others_come_and_go_under_traffic(pair, switch_ns):
    daemon, left, right = pair
    come_and_go(daemon, switch_ns, 0)
    before = daemon.stats()
    iperf = Iperf(right, "10.1.0.2")
    flow = iperf.start(left, seconds=5)
    pings = left.spawn(["ping", "-n", "-q", "-i", "0.01", "-c", "400", "10.1.0.2"], text=True, stdout=subprocess.PIPE)
    for number in range(1, 16):
        come_and_go(daemon, switch_ns, number)
    assert iperf.result(flow)["end"]["sum_received"]["bytes"] > 1e6
    # The others lost nothing (but for what a busy machine's full queues may lose).
    assert int(re.search(r"(\d+) received", pings.communicate()[0]).group(1)) >= 390
    after = daemon.stats()
    assert after.fds == before.fds
    assert after.rss_kib < before.rss_kib + 16 * 1024  # the buffers of one of these taps are two MiB


def test_flowing_port_is_detached_and_attached(pair):
    daemon, left, right = pair
    iperf = Iperf(right, "10.1.0.2")
    flow = iperf.start(left, seconds=6)
    for _ in range(20):
        daemon.ctl.text("bridge", "detach", "br0", "t1")
        daemon.ctl.text("bridge", "attach", "br0", "t1")
        until(daemon, lambda: ping(left, "10.1.0.2", count=1, attempts=1), "traffic flows again")
    assert iperf.result(flow)["end"]["sum_received"]["bytes"] > 1e6
    assert {port["name"]: port["bridge"] for port in daemon.ctl.json("port", "list")} == {"t0": "br0", "t1": "br0"}


def test_flowing_port_is_moved_between_bridges(pair):
    daemon, left, right = pair
    daemon.ctl.text("bridge", "add", "br1")
    iperf = Iperf(right, "10.1.0.2")
    flow = iperf.start(left, seconds=4)
    for target, source in (("br1", "br0"), ("br0", "br1")):
        for port in ("t0", "t1"):
            daemon.ctl.text("bridge", "detach", source, port)
            daemon.ctl.text("bridge", "attach", target, port)
        until(daemon, lambda: ping(left, "10.1.0.2", count=1, attempts=1), "traffic flows again")
        assert bridge(daemon, source)["ports"] == []
        assert bridge(daemon, source)["fdb_used"] == 0
    assert iperf.result(flow)["end"]["sum_received"]["bytes"] > 1e6


def test_deleted_port_is_forgotten(switch_ns, vswitchd):
    names = ["t0", "t1", "t2"]
    daemon = vswitchd({
        "ports": [{"name": name, "type": "tap", "interface": name} for name in names],
        "bridges": [{"name": "br0", "ports": names}],
    }, netns=switch_ns)
    wires = {name: Wire(switch_ns, name) for name in names}
    wires["t1"].send(host(1), BROADCAST, b"here")
    wires["t0"].wait(b"here")
    daemon.ctl.text("port", "del", "t1")
    assert host(1) not in fdb(daemon)
    # A new port may get the number of the old one; it does not inherit its stations.
    daemon.ctl.text("port", "add", "t3", "tap", "--interface", "t3")
    daemon.ctl.text("bridge", "attach", "br0", "t3")
    wires["t3"] = Wire(switch_ns, "t3")
    lan = Lan([wires["t0"], wires["t2"], wires["t3"]])
    lan.heard()
    lan[0].send(host(2), host(1), b"where are you?")
    assert lan.counts(b"where are you?") == [0, 1, 1]


def test_bridge_is_deleted_its_ports_stay(switch_ns, vswitchd):
    daemon = vswitchd({
        "ports": [{"name": "t0", "type": "tap", "interface": "t0"}],
        "bridges": [{"name": "br0", "ports": ["t0"]}],
    }, netns=switch_ns)
    daemon.ctl.text("bridge", "del", "br0")
    port, = daemon.ctl.json("port", "list")
    assert (port["name"], port["bridge"]) == ("t0", None)


def test_many_devices(switch_ns, vswitchd):
    """More than DPDK has ethdevs for."""
    daemon = vswitchd({}, netns=switch_ns)
    before = daemon.stats()
    for number in range(70):
        daemon.ctl.text("port", "add", f"vm{number}", "device", "--socket", daemon.socket(f"vm{number}"))
    daemon.ctl.text("bridge", "add", "br0", "--ports", ",".join(f"vm{number}" for number in range(70)))
    ports = daemon.ctl.json("port", "list")
    assert len({port["mac"] for port in ports}) == 70
    for port in ports:
        assert int(port["mac"][:2], 16) & 3 == 2  # locally administered, not a group
    for number in range(70):
        daemon.ctl.text("port", "del", f"vm{number}")
    # A control connection that has just been hung up on may be open for a moment, at either count.
    until(daemon, lambda: daemon.stats().fds <= before.fds, "no descriptor is left")
    assert daemon.stats().threads == before.threads


def test_ethdevs_are_limited_with_a_sentence(switch_ns, vswitchd):
    daemon = vswitchd({}, netns=switch_ns)
    with pytest.raises(CtlError, match="allows 32 ethdev ports, and all are taken"):
        for number in range(33):
            daemon.ctl.text("port", "add", f"n{number}", "ethdev", "--devargs", f"net_null{number}")
    assert len(daemon.ctl.json("port", "list")) == 32


REFUSALS = [
    ("port add t0 tap --interface t1", "a port is called 't0' already"),
    ("port del nope", "no port is called 'nope'"),
    ("port set nope link up", "no port is called 'nope'"),
    ("bridge add br0", "a bridge is called 'br0' already"),
    ("bridge add br1 --ports t0", "port t0 belongs to bridge br0"),
    ("bridge add br1 --ports nope", "no port is called 'nope'"),
    ("bridge add br1 --ports free,free", "port free is listed twice"),
    ("bridge attach nope t0", "no bridge is called 'nope'"),
    ("bridge attach br0 t0", "port t0 belongs to bridge br0 already"),
    ("bridge detach br0 free", "port free does not belong to bridge br0"),
    ("fdb flush nope", "no bridge is called 'nope'"),
]


def test_refusals(switch_ns, vswitchd):
    daemon = vswitchd({
        "ports": [{"name": "t0", "type": "tap", "interface": "t0"}, {"name": "free", "type": "device"}],
        "bridges": [{"name": "br0", "ports": ["t0"]}],
    }, netns=switch_ns)
    before = daemon.ctl.json("config", "show")
    for words, sentence in REFUSALS:
        with pytest.raises(CtlError) as error:
            daemon.ctl.text(*words.split())
        assert sentence in error.value.message
    assert daemon.ctl.json("config", "show") == before


def test_idle_cores_sleep_in_steps_and_wake_for_traffic(switch_ns, vswitchd):
    daemon = vswitchd({
        "workers": {"idle": {"steps": [{"after-us": 1000, "sleep-us": 50}, {"after-us": 100000, "sleep-us": 500},
                                       {"after-us": 1000000, "sleep-us": 5000}]}},
        "ports": [{"name": name, "type": "tap", "interface": name} for name in ("t0", "t1")],
        "bridges": [{"name": "br0", "ports": ["t0", "t1"]}],
    }, netns=switch_ns)

    def worker():
        return daemon.ctl.json("worker", "list")[0]

    until(daemon, lambda: worker()["step"] == 3, "the core is in its last step")
    before, cpu = worker(), daemon.stats().cpu_seconds
    wires = [Wire(switch_ns, name) for name in ("t0", "t1")]
    until(daemon, lambda: worker()["sleeps"] > before["sleeps"] + 200, "it has slept")
    after = worker()
    # It is mostly asleep, not mostly awake.
    assert after["slept_us"] - before["slept_us"] > 0.8 * 200 * 5000
    assert daemon.stats().cpu_seconds - cpu < 0.5
    wires[0].send(host(1), BROADCAST, b"wake up")
    wires[1].wait(b"wake up")
    # The core counts a round after it has done it.
    until(daemon, lambda: worker()["busy_loops"] > after["busy_loops"], "the core has had work")


def test_core_that_shall_not_sleep_does_not(switch_ns, vswitchd):
    daemon = vswitchd({"workers": {"idle": {"sleep": False}}}, netns=switch_ns)
    until(daemon, lambda: daemon.ctl.json("worker", "list")[0]["loops"] > 1000000, "it goes round")
    assert daemon.ctl.json("worker", "list")[0]["sleeps"] == 0
