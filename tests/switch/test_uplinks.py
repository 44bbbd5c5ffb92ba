# SPDX-License-Identifier: BSD-3-Clause
"""Ways out through the kernel: taps, and AF_XDP on a veth. Real protocol stacks at both ends."""
import re

import pytest

from lib.ctl import CtlError
from lib.daemon import DaemonError

from .conftest import drops, plug, until
from .traffic import Iperf, ping
from .wires import BROADCAST, Wire, host

XDP_MAX_MTU = 3498


@pytest.fixture
def taps(switch_ns, vswitchd, stations):
    """taps(mtu): a station behind each of two taps: (daemon, left, right)"""
    def start(mtu=1500):
        daemon = vswitchd({
            "ports": [{"name": name, "type": "tap", "interface": name, "mtu": mtu} for name in ("t0", "t1")],
            "bridges": [{"name": "br0", "ports": ["t0", "t1"]}],
        }, netns=switch_ns)
        left, right = stations(2)
        plug(switch_ns, left, "t0", "10.1.0.1/24", "fd00::1/64")
        plug(switch_ns, right, "t1", "10.1.0.2/24", "fd00::2/64")
        return daemon, left, right
    return start


@pytest.fixture
def xdp(switch_ns, vswitchd, stations):
    """xdp(mtu): one station behind a veth that the switch has by AF_XDP, one behind a tap"""
    def start(mtu=1500, **config):
        left, right = stations(2)
        switch_ns.veth("x0", "v0", left)
        daemon = vswitchd({
            **config,
            "ports": [{"name": "x0", "type": "af_xdp", "interface": "x0", "mtu": mtu},
                      {"name": "t1", "type": "tap", "interface": "t1", "mtu": mtu}],
            "bridges": [{"name": "br0", "ports": ["x0", "t1"]}],
        }, netns=switch_ns)
        left.run(f"ip link set v0 mtu {mtu}")
        left.address("v0", "10.1.0.1/24", "fd00::1/64")
        plug(switch_ns, right, "t1", "10.1.0.2/24", "fd00::2/64")
        return daemon, left, right
    return start


def all_kinds_of_traffic(left, right, mtu):
    """Both address families, to the last byte of the MTU, both ways."""
    assert ping(left, "10.1.0.2") == 3
    for station, four, six in ((left, "10.1.0.2", "fd00::2"), (right, "10.1.0.1", "fd00::1")):
        assert ping(station, four, size=mtu - 28) == 3
        assert ping(station, six, size=mtu - 48) == 3
        assert ping(station, four, size=4 * mtu, dont_fragment=False) == 3
    for address in ("10.1.0.2", "fd00::2"):
        iperf = Iperf(right, address)
        assert iperf.tcp(left) > 5
        assert iperf.tcp(left, "-R") > 5
        sent, arrived = iperf.udp(left)
        assert arrived > sent / 2
        sent, arrived = iperf.udp(left, "-R")
        assert arrived > sent / 2
        iperf.server.terminate()
        iperf.server.wait()


def test_two_cores_and_two_queues(xdp):
    """The queue of one port is read by one core and written by another; a tap's flows go to either."""
    daemon, left, right = xdp(workers={"cores": "0,1"})
    assert {worker["queues"] for worker in daemon.ctl.json("worker", "list")} == {1}
    iperf = Iperf(right, "10.1.0.2")
    assert iperf.tcp(left, "-P", "4") > 5
    assert iperf.tcp(left, "-P", "4", "-R") > 5
    assert bad_checksums(left) == bad_checksums(right) == 0
    assert not any(drop["reason"] in ("bad_source", "eth_runt") for drop in daemon.ctl.json("drops"))


def test_af_xdp_comes_and_goes(xdp):
    daemon, left, _ = xdp()
    before = daemon.stats()
    for _ in range(5):
        daemon.ctl.text("port", "del", "x0")
        daemon.ctl.text("port", "add", "x0", "af_xdp", "--interface", "x0")
        daemon.ctl.text("bridge", "attach", "br0", "x0")
        assert ping(left, "10.1.0.2") == 3
    # A control connection that has just been hung up on may be open for a moment, at either count.
    until(daemon, lambda: daemon.stats().fds <= before.fds, "no descriptor is left")


def bad_checksums(station):
    """How many the station's kernel has found."""
    said = station.run("nstat -az TcpInCsumErrors UdpInCsumErrors Udp6InCsumErrors")
    return sum(int(line.split()[1]) for line in said.splitlines() if "InCsumErrors" in line)


@pytest.mark.parametrize("mtu", [1500, 9000])
def test_tap_to_tap(taps, mtu):
    _, left, right = taps(mtu)
    all_kinds_of_traffic(left, right, mtu)
    assert bad_checksums(left) == bad_checksums(right) == 0


@pytest.mark.parametrize("mtu", [1500, XDP_MAX_MTU])
def test_af_xdp_on_veth_to_tap(xdp, mtu):
    _, left, right = xdp(mtu)
    all_kinds_of_traffic(left, right, mtu)
    # The kernel leaves checksums unfinished on a veth; somebody has to finish them.
    assert bad_checksums(left) == bad_checksums(right) == 0


def test_frame_longer_than_the_mtu_is_dropped_by_name(taps):
    daemon, left, right = taps()
    left.run("ip link set t0 mtu 2000")
    assert ping(left, "10.1.0.2", size=1472) == 3
    assert ping(left, "10.1.0.2", size=1473, count=2, attempts=1) == 0
    assert drops(daemon, "t1")["eth_too_long"] == 2
    assert ping(right, "10.1.0.1") == 3


def test_mtu_changes_while_it_runs(switch_ns, vswitchd, stations):
    daemon = vswitchd({
        "ports": [{"name": name, "type": "tap", "interface": name} for name in ("t0", "t1")],
        "bridges": [{"name": "br0", "ports": ["t0", "t1"]}],
    }, netns=switch_ns)
    for name in ("t0", "t1"):
        daemon.ctl.text("port", "set", name, "mtu", "4000")
        assert "mtu 4000" in switch_ns.run(f"ip link show {name}")
    left, right = stations(2)
    plug(switch_ns, left, "t0", "10.1.0.1/24")
    plug(switch_ns, right, "t1", "10.1.0.2/24")
    assert ping(left, "10.1.0.2", size=3972) == 3
    with pytest.raises(CtlError, match="68 to 9190"):
        daemon.ctl.text("port", "set", "t0", "mtu", "9191")


def test_tap_is_gone_with_the_port(switch_ns, vswitchd):
    daemon = vswitchd({"ports": [{"name": "t0", "type": "tap", "interface": "t0"}]}, netns=switch_ns)
    address = switch_ns.run("cat /sys/class/net/t0/address")
    daemon.ctl.text("port", "del", "t0")
    assert "t0" not in switch_ns.run("ip -o link")
    daemon.ctl.text("port", "add", "t0", "tap", "--interface", "t0")
    assert switch_ns.run("cat /sys/class/net/t0/address") == address  # the same, by its name


def test_persistent_tap_is_kept(switch_ns, vswitchd):
    switch_ns.run("ip tuntap add t0 mode tap multi_queue")
    daemon = vswitchd({"ports": [{"name": "t0", "type": "tap", "interface": "t0"}]}, netns=switch_ns)
    daemon.ctl.text("port", "del", "t0")
    assert "t0" in switch_ns.run("ip -o link")


def test_pulled_cables(switch_ns, vswitchd, stations):
    peer, = stations(1)
    switch_ns.veth("x0", "v0", peer)
    daemon = vswitchd({
        "ports": [{"name": "x0", "type": "af_xdp", "interface": "x0"},
                  {"name": "t0", "type": "tap", "interface": "t0"}],
        "bridges": [{"name": "br0", "ports": ["x0", "t0"]}],
    }, netns=switch_ns)
    wires = {"t0": Wire(switch_ns, "t0"), "x0": Wire(peer, "v0")}
    others = {"t0": "x0", "x0": "t0"}

    def carrier(port):
        return "LOWER_UP" in (switch_ns.run("ip link show t0") if port == "t0" else peer.run("ip link show v0"))

    for port in ("t0", "x0"):
        assert carrier(port)
        wires[others[port]].heard()
        daemon.ctl.text("port", "set", port, "link", "down")
        assert not carrier(port)
        # To the pulled cable nothing is flooded.
        wires[others[port]].send(host(1), BROADCAST, b"into the dark")
        assert not wires[port].heard(0.3)
        daemon.ctl.text("port", "set", port, "link", "up")
        until(daemon, lambda: carrier(port), f"{port} has a carrier")
        until(daemon, lambda: {p["name"]: p["link"] for p in daemon.ctl.json("port", "list")}[port] == "up", "is up")
        wires[others[port]].send(host(1), BROADCAST, b"light")
        wires[port].wait(b"light")
    for wire in wires.values():
        wire.close()


def test_killed_daemon_can_start_again_on_a_veth(switch_ns, vswitchd, stations):
    peer, = stations(1)
    switch_ns.veth("x0", "v0", peer)
    config = {"ports": [{"name": "x0", "type": "af_xdp", "interface": "x0"},
                        {"name": "t0", "type": "tap", "interface": "t0"}],
              "bridges": [{"name": "br0", "ports": ["x0", "t0"]}]}
    vswitchd(config, netns=switch_ns).kill9()
    vswitchd(config, netns=switch_ns)
    left, right = Wire(switch_ns, "t0"), Wire(peer, "v0")
    left.send(host(1), BROADCAST, b"hello")
    right.wait(b"hello")
    right.send(host(2), host(1), b"hello back")
    left.wait(b"hello back")


def test_program_of_somebody_else_is_left_alone(switch_ns, vswitchd, stations, workdir):
    peer, = stations(1)
    switch_ns.veth("x0", "v0", peer)
    (workdir / "pass.c").write_text('__attribute__((section("xdp"), used)) int let_pass(void *c) { return 2; }\n'
                                    'char _license[] __attribute__((section("license"), used)) = "BSD";\n')
    switch_ns.run(f"cd {workdir} && clang -O2 -target bpf -g -c pass.c -o pass.o && "
                  "ip link set x0 xdpgeneric obj pass.o sec xdp")
    daemon = vswitchd({}, netns=switch_ns)
    with pytest.raises(CtlError, match="interface x0 has an XDP program, let_pass, on it: 'ip link set x0 xdp off'"):
        daemon.ctl.text("port", "add", "x0", "af_xdp", "--interface", "x0")
    assert "let_pass" in switch_ns.run("ip -d link show x0") or "xdp" in switch_ns.run("ip link show x0")


def test_veth_with_too_large_an_mtu(switch_ns, vswitchd):
    switch_ns.run("ip link add x0 type veth peer name v0 && ip link set v0 mtu 9000 && ip link set x0 mtu 9000")
    daemon = vswitchd({}, netns=switch_ns)
    with pytest.raises(CtlError, match=re.escape(f"'ip link set v0 mtu {XDP_MAX_MTU}' (it has 9000)")):
        daemon.ctl.text("port", "add", "x0", "af_xdp", "--interface", "x0")
    switch_ns.run(f"ip link set v0 mtu {XDP_MAX_MTU}")
    daemon.ctl.text("port", "add", "x0", "af_xdp", "--interface", "x0")


IMPOSSIBLE = [
    ("tap --interface a/b", "interface 'a/b' has other characters than letters"),
    ("tap --interface abcdefghijklmnop", "too long; at most 15 characters"),
    ("tap --interface lo", "an interface lo exists and is no tap"),
    ("tap --interface single", "the tap single exists without multi_queue: make it with 'ip tuntap add"),
    ("tap --interface t8 --queues 17", "17 queues: net_tap allows 1 to 16"),
    ("tap --interface t8 --mtu 9191", "allowed: 68 to 9190"),
    ("af_xdp --interface nope", "there is no interface nope here"),
    ("af_xdp --interface x0 --queues 64", "interface x0 has no queue 1 (ethtool -l)"),
    ("af_xdp --interface x0 --mtu 9000", f"MTU 9000: AF_XDP allows {XDP_MAX_MTU} at most"),
    ("af_xdp --interface taken", "interface taken is used by another port"),
    ("ethdev --devargs net_nonsense0", "no ethdev comes of devargs 'net_nonsense0'"),
]


def test_what_cannot_be_is_told_with_its_cure(switch_ns, vswitchd):
    switch_ns.run("ip tuntap add single mode tap")
    switch_ns.veth("x0", "v0")
    switch_ns.veth("taken", "v1")
    daemon = vswitchd({"ports": [{"name": "x1", "type": "af_xdp", "interface": "taken"}]}, netns=switch_ns)
    before = daemon.ctl.json("port", "list")
    for words, sentence in IMPOSSIBLE:
        with pytest.raises(CtlError) as error:
            daemon.ctl.text("port", "add", "new", *words.split())
        assert sentence in error.value.message
        assert daemon.ctl.json("port", "list") == before
    # Nothing is left that would be in the way of the next attempt, or of who was there before.
    daemon.ctl.text("port", "add", "new", "tap", "--interface", "t8")
    daemon.ctl.text("port", "add", "x0", "af_xdp", "--interface", "x0")
    assert "xdp" in switch_ns.run("ip link show taken")


def test_missing_interface_ends_the_start_with_a_sentence(switch_ns, vswitchd):
    with pytest.raises(DaemonError, match="there is no interface nope here"):
        vswitchd({"ports": [{"name": "x0", "type": "af_xdp", "interface": "nope"}]}, netns=switch_ns)


def test_ring_of_two_ethdevs(switch_ns, vswitchd):
    """Any DPDK port will do: here one whose sent frames come back."""
    daemon = vswitchd({
        "ports": [{"name": "loop", "type": "ethdev", "devargs": "net_ring0"},
                  {"name": "t0", "type": "tap", "interface": "t0"}],
        "bridges": [{"name": "br0", "ports": ["loop", "t0"]}],
    }, netns=switch_ns)
    wire = Wire(switch_ns, "t0")
    wire.send(host(1), host(2), b"echo")
    wire.wait(b"echo")
    daemon.ctl.text("port", "del", "loop")
    wire.close()
