# SPDX-License-Identifier: BSD-3-Clause
"""VXLAN, Geneve, GRE and IP in IP through a front-end port: checksums and segmentation inside of them, judged by scapy.

testpmd's csum engine asks for everything, by the distribution's own reckoning of headers; what it is given is wrong in
all that it asks for. The device's revision decides how the driver asks, and what it does itself."""
import re

import pytest

from scapy.all import GRE, IP, TCP, UDP, VXLAN, Ether, IPv6, Raw, raw  # pylint: disable=no-name-in-module
from scapy.contrib.geneve import GENEVE

from lib import paths
from lib.testpmd import Testpmd

from .lab import front
from .taps import BROADCAST, STATIONS, Rig, filling

# The device's revisions, and the highest that the driver may take of them.
REVISIONS = {"3": (0x07, 9), "6": (0x7f, 6), "7": (0x7f, 9), "9": (0x1ff, 9)}

OUTER = {"ipv4": lambda: IP(src="198.18.0.1", dst="198.18.0.2", id=9), "ipv6": lambda: IPv6(src="2001:db8::1", dst="2001:db8::2")}
INNER = {"ipv4": lambda: IP(src="10.0.0.1", dst="10.0.0.2", id=3), "ipv6": lambda: IPv6(src="fd00::1", dst="fd00::2")}
ASK = ("csum set ip hw #", "csum set tcp hw #", "csum set udp hw #", "csum set outer-ip hw #", "csum set outer-udp hw #",
       "csum parse-tunnel on #", "tso set 0 #", "tunnel_tso set 0 #")
PLAIN = ("vlan set strip off #", "tx_vlan reset #")


def eth(inner):
    return Ether(src="02:00:00:00:0a:01", dst="02:00:00:00:0a:02") / inner


def around(kind, outer, inner):
    """An IP packet in a tunnel."""
    udp = UDP(sport=50000)
    frame = Ether(src=STATIONS[0], dst=BROADCAST) / OUTER[outer]()
    return {
        "vxlan": lambda: frame / udp / VXLAN(vni=42) / eth(inner),
        "geneve": lambda: frame / udp / GENEVE(vni=42, proto=0x6558) / eth(inner),
        "gre": lambda: frame / GRE() / inner,
        "nvgre": lambda: frame / GRE(proto=0x6558) / eth(inner),
        "ipip": lambda: frame / inner,
    }[kind]()


def spoiled(packet):
    """The same with wrong checksums everywhere."""
    packet = packet.copy()
    layer = packet
    while layer.payload and not isinstance(layer, Raw):
        layer = layer.payload
        if isinstance(layer, (IP, TCP, UDP)):
            layer.chksum = 0x1234
    return packet


def packets(kinds):
    """Each tunnel around TCP and UDP, each IP version in each, of some sizes. testpmd does not look into IPv6 in IP."""
    return [around(kind, outer, INNER[inner]() / transport() / filling(size))
            for kind in kinds for outer in OUTER for inner in INNER if (kind, inner) != ("ipip", "ipv6") for size in (1, 18, 99, 1200)
            for transport in (lambda: TCP(sport=1000, dport=2000, flags="A", options=[("NOP", None)] * 4),
                              lambda: UDP(sport=1000, dport=2000))]


@pytest.fixture(name="open_rig", scope="module", params=REVISIONS)
def fixture_open_rig(request):
    mask, highest = REVISIONS[request.param]
    with Rig(args=["--enable-scatter"], device={"revisions": mask}, revision=highest) as rig:
        rig.revision = int(request.param)
        yield rig


@pytest.fixture(name="rig")
def fixture_rig(open_rig, log_sources):
    log_sources.append(open_rig.logs)
    return open_rig


def beyond_addresses(frames):
    return [one[12:] for one in frames]


def test_revision(rig):
    assert f"vmxnet3 revision {rig.revision}" in rig.pmd.cmd("show port info 0")


def test_checksums(rig):
    """Inner and outer ones, made by the device where it knows the tunnel, by the driver where it does not."""
    rig.forward("csum", *PLAIN, *ASK)
    sent = packets(("vxlan", "geneve", "gre", "nvgre", "ipip"))
    came = rig.cross(*(raw(spoiled(packet)) for packet in sent))
    assert beyond_addresses(came) == beyond_addresses(raw(packet) for packet in sent)


def pieces_of(kind, outer, inner, data, mss, came):
    """What the packet should be cut to. Identifications are as they came: any may do."""
    nb = -(-len(data) // mss)
    made = []
    for index in range(nb):
        tcp = TCP(sport=1000, dport=2000, seq=5 + mss * index, flags="PA" if index == nb - 1 else "A")
        packet = around(kind, outer, INNER[inner]() / tcp / data[mss * index:mss * (index + 1)])
        told = Ether(came[index])
        for number in (1, 2):
            layer, real = packet.getlayer(IP, number), told.getlayer(IP, number)
            if layer and real:
                layer.id = real.id
        made.append(raw(packet))
    return made


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("kind", ["vxlan", "geneve"])
def test_segmentation(rig, kind, inner):
    """Large TCP packets in a tunnel come out cut, with the headers of all layers right in each piece."""
    if rig.revision < 4:
        pytest.skip("no tunnels before revision 4")
    data, mss = filling(8000), 1000
    for outer in OUTER:
        rig.forward("csum", *PLAIN, *ASK[:-1], "port config mtu # 9000", f"tunnel_tso set {mss} #")
        whole = around(kind, outer, INNER[inner]() / TCP(sport=1000, dport=2000, seq=5, flags="PA") / data)
        rig.taps[1].flush()
        rig.taps[0].send(raw(spoiled(whole)))
        came = rig.taps[1].receive(8)
        assert len(came) == 8
        assert beyond_addresses(came) == beyond_addresses(pieces_of(kind, outer, inner, data, mss, came))
        rig.set_up("port config mtu # 1500", "tunnel_tso set 0 #")


def test_what_a_receiver_is_told(rig):
    """Types of all layers, and both checksums as good as the device made them, or found them."""
    rig.forward("csum", *PLAIN, *ASK)
    vdev = front(2, rig.daemon.socket("d2"), revision=REVISIONS[str(rig.revision)][1])
    offloads = 0x2 | 0x4 | 0x8 | (0x40 | 0x40000 if rig.revision >= 4 else 0)
    sent = packets(("vxlan", "geneve"))
    with Testpmd([vdev], args=[f"--rx-offloads={offloads:#x}"], plugins=[paths.PMD_VMXNET3X], cores=2) as other:
        other.cmds("set promisc 0 on", "set verbose 1")
        other.forward("rxonly")
        at = len(other.log())
        rig.taps[0].send(*(raw(spoiled(packet)) for packet in sent))

        def said():
            return re.findall(r"hw ptype: (.*?)  - .*?ol_flags: (.*?)$", other.log()[at:], re.MULTILINE | re.DOTALL)

        other.wait_for(lambda: len(said()) >= len(sent), f"{len(sent)} frames come")
        for packet, (types, flags) in zip(sent, said()):
            if rig.revision < 4:
                assert "TUNNEL" not in types
                continue
            assert ("TUNNEL_VXLAN" in types) == packet.haslayer(VXLAN)
            assert "L4_UDP" in types and "INNER_L2_ETHER" in types
            assert f"INNER_L4_{'TCP' if packet.haslayer(TCP) else 'UDP'}" in types
            assert "RX_L4_CKSUM_GOOD" in flags.replace("OUTER_L4", "") and "RX_OUTER_L4_CKSUM_GOOD" in flags
        other.cmd("stop")
