# SPDX-License-Identifier: BSD-3-Clause
"""An ethdev port whose device computes checksums, cuts large frames and inserts tags: the front end on another switch.

    tap t0 --- device d0 --- testpmd --- device d1 --- ethdev port x ... device e0 --- tap t1
    \\------------- the switch under test ---------------/              \\--- the other switch
"""
import contextlib
import os
import subprocess

import pytest

from scapy.all import IP, TCP, UDP, Dot1Q, Ether, IPv6, PcapNgReader, raw  # pylint: disable=no-name-in-module

from lib import paths
from lib.daemon import Vswitchd
from lib.eal import plugin
from lib.netns import NetNs
from lib.packets import PacketSocket
from lib.patience import Deadline
from lib.testpmd import Testpmd

from .lab import front
from .taps import BROADCAST, STATIONS, filling

NETWORKS = (IP(src="198.18.0.1", dst="198.18.0.2", id=7), IPv6(src="2001:db8::1", dst="2001:db8::2"))


class Exit:
    """What stands above."""

    def __init__(self, stack):
        self.netns = stack.enter_context(NetNs("exit"))
        self.netns.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        workers = {"cores": str(max(os.sched_getaffinity(0))), "idle": {"steps": [{"after-us": 1000, "sleep-us": 200}]}}
        self.other = Vswitchd({}, netns=self.netns)
        self.other.configure({
            "workers": workers, "ports": [{"name": "e0", "type": "device", "socket": self.other.socket("e0")},
                                          {"name": "t1", "type": "tap", "interface": "t1"}],
            "bridges": [{"name": "br0", "ports": ["e0", "t1"]}]})
        stack.enter_context(self.other)
        self.switch = Vswitchd({}, netns=self.netns)
        self.switch.configure({
            "workers": workers, "dpdk": {"memory": 192, "drivers": str(plugin(paths.PMD_VMXNET3X))},
            "ports": [{"name": "t0", "type": "tap", "interface": "t0", "mtu": 9000},
                      {"name": "d0", "type": "device", "socket": self.switch.socket("d0")},
                      {"name": "d1", "type": "device", "socket": self.switch.socket("d1")},
                      {"name": "x", "type": "ethdev", "devargs": front(0, self.other.socket("e0"))}],
            "bridges": [{"name": "br0", "ports": ["t0", "d0"]}, {"name": "br1", "ports": ["d1", "x"]}]})
        stack.enter_context(self.switch)
        self.pmd = stack.enter_context(Testpmd([front(n, self.switch.socket(f"d{n}")) for n in (0, 1)],
                                               args=["--enable-scatter"], plugins=[paths.PMD_VMXNET3X]))
        self.netns.run("ip link set t0 mtu 9000 up; ip link set t1 up")
        pids = (self.switch.pid, self.other.pid, self.pmd.pid)
        self.inside, self.outside = (PacketSocket(self.netns, name, pids=pids) for name in ("t0", "t1"))
        for tap in (self.inside, self.outside):
            stack.callback(tap.close)

    def forward(self, *settings):
        """testpmd forwards, with these settings, and frames pass."""
        self.pmd.cmds("stop", "port stop all", *settings)
        self.pmd.cmd("port start all")
        self.pmd.forward("csum")
        deadline = Deadline(20, self.switch.pid, self.pmd.pid)
        probe = raw(Ether(src=STATIONS[0], dst=BROADCAST, type=0x88b5) / filling(50))
        while not self.outside.receive(1, 0.3, silence=0.1):
            assert not deadline.expired(), "no frame passes"
            self.inside.send(probe)
        self.outside.receive(0, 1, silence=0.3)

    @contextlib.contextmanager
    def arriving(self, tmp_path):
        """A list that gets the frames as the other switch got them."""
        file, frames = tmp_path / "e0.pcapng", []
        capture = subprocess.Popen([paths.VSWITCHCTL, "-s", self.other.ctl.socket, "port", "capture", "e0", file, "--direction", "in"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            Deadline(20, self.other.pid).wait_for(lambda: file.exists() and file.stat().st_size > 0, "the capture has begun")
            yield frames
        finally:
            capture.terminate()
            capture.wait()
        with PcapNgReader(str(file)) as reader:
            frames += [raw(frame) for frame in reader]


@pytest.fixture(name="exit_", scope="module")
def fixture_exit():
    with contextlib.ExitStack() as stack:
        yield Exit(stack)


@pytest.fixture(name="rig")
def fixture_rig(exit_, log_sources):
    log_sources.append(lambda: [("testpmd", exit_.pmd.log_tail()), ("the switch", exit_.switch.log_tail()), ("the other", exit_.other.log_tail()),
                                ("drops", exit_.switch.ctl.text("drops") + exit_.other.ctl.text("drops"))])
    return exit_


def test_port_show_tells(rig):
    show = rig.switch.ctl.json("port", "show", "x")
    assert show["offloads"] == {"checksum": "hardware", "tso": "hardware", "vlan": "hardware"}
    assert show["ethdev"]["driver"] == "net_vmxnet3x"
    assert rig.switch.ctl.json("port", "show", "t0")["offloads"] == {"checksum": "software", "tso": "cut", "vlan": "in-line"}
    text = rig.switch.ctl.text("port", "show", "x")
    assert "hardware" in text and "net_vmxnet3x" in text


def test_port_show_follows_the_guest(rig):
    """What a guest's driver takes, at once when it changes."""
    def offloads():
        return rig.switch.ctl.json("port", "show", "d0")["offloads"]

    rig.forward("vlan set strip on 0")
    assert offloads() == {"checksum": "software", "tso": "cut", "vlan": "stripped"}
    rig.pmd.cmd("vlan set strip off 0")
    assert offloads()["vlan"] == "in-line"
    rig.forward("port config 0 rx_offload tcp_lro on", "port config 0 rx_offload tcp_cksum on", "port config 0 rx_offload udp_cksum on",
                "port config 0 rx_offload ipv4_cksum on")
    assert offloads()["tso"] == "whole"
    rig.forward(*(f"port config 0 rx_offload {what} off" for what in ("tcp_lro", "tcp_cksum", "udp_cksum", "ipv4_cksum")))
    assert offloads()["tso"] == "cut"


def test_checksums_are_left_to_the_device(rig, tmp_path):
    """They arrive at the other switch as they were asked for, and leave it complete."""
    rig.forward(*(f"csum set {what} {n}" for n in (0, 1) for what in ("ip sw", "tcp hw", "udp hw")), "tso set 0 0", "tso set 0 1")
    sent = [raw(Ether(src=STATIONS[0], dst=BROADCAST) / network / transport / filling(size))
            for network in NETWORKS for transport in (TCP(sport=1, dport=2, flags="A"), UDP(sport=1, dport=2)) for size in (99, 1400)]
    with rig.arriving(tmp_path) as arrived:
        rig.inside.send(*sent)
        assert [frame[12:] for frame in rig.outside.receive(len(sent))] == [frame[12:] for frame in sent]
    assert len(arrived) == len(sent)
    differing = [(a, b) for a, b in zip(arrived, sent) if a[12:] != b[12:]]
    assert len(differing) == len(sent), "no checksum was complete yet"
    assert not rig.switch.ctl.json("drops", "x") and not rig.other.ctl.json("drops", "e0")


@pytest.mark.parametrize("network", NETWORKS, ids=["ipv4", "ipv6"])
def test_large_frames_are_left_to_the_device(rig, network):
    rig.forward(*(f"csum set {what} {n}" for n in (0, 1) for what in ("ip sw", "tcp hw", "udp hw")),
                "port config mtu 0 9000", "port config mtu 1 9000", "tso set 1000 0", "tso set 1000 1")
    data = filling(8500)
    whole = raw(Ether(src=STATIONS[0], dst=BROADCAST) / network / TCP(sport=1000, dport=2000, seq=5, flags="PA") / data)

    def large():
        return next(port["rx_tso"] for port in rig.other.ctl.json("stats") if port["port"] == "e0")

    before = large()
    rig.inside.send(whole)
    parts = rig.outside.receive(9)
    assert large() == before + 1, "it went there whole"
    assert len(parts) == 9
    for index, part in enumerate(parts):
        layer = Ether(part)[1].copy()
        expect = network.copy()
        if layer.version == 4:
            expect.id = layer.id
        expect /= TCP(sport=1000, dport=2000, seq=5 + 1000 * index, flags="PA" if index == 8 else "A")
        assert part[14:] == raw(expect / data[1000 * index:1000 * (index + 1)]), index


def test_tags_are_left_to_the_device(rig, tmp_path):
    """An access port's frames, on their way to a transparent ethdev."""
    rig.switch.ctl.text("port", "set", "d1", "vlan-mode", "access", "tag", "10")
    try:
        rig.forward(*(f"csum set {what} {n}" for n in (0, 1) for what in ("ip sw", "tcp hw", "udp hw")), "tso set 0 0", "tso set 0 1")
        plain = Ether(src=STATIONS[0], dst=BROADCAST) / NETWORKS[0] / UDP(sport=1, dport=2) / filling(500)
        with rig.arriving(tmp_path):
            rig.inside.send(raw(plain))
            came, = rig.outside.receive(1)
        want = raw(Ether(src=STATIONS[0], dst=BROADCAST) / Dot1Q(vlan=10) / NETWORKS[0] / UDP(sport=1, dport=2) / filling(500))
        assert came[12:] == want[12:]
    finally:
        rig.switch.ctl.text("port", "set", "d1", "vlan-mode", "transparent")
