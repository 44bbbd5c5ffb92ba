# SPDX-License-Identifier: BSD-3-Clause
"""DPDK in a guest: the distribution's testpmd on our device and on QEMU's, with DPDK's driver and with ours."""
import re

import pytest
from dpdk_rig import OURS, QEMUS, SOURCE4, SOURCE6, TARGET4, TARGET6, Rig
from lab import iperf, serve_iperf
from scapy.all import IP, TCP, UDP, Dot1Q, Ether, IPv6, raw  # pylint: disable=no-name-in-module

SIZES = (60, 61, 64, 65, 127, 128, 129, 255, 256, 511, 1024, 1513, 1514)
JUMBO_SIZES = (60, 1514, 1515, 2048, 2049, 4095, 4096, 4097, 8191, 9000, 9013, 9014)
CHECKSUM_HW = ["csum set tcp hw #", "csum set udp hw #", "csum set ip sw #"]


@pytest.fixture(name="open_rig", scope="module")
def fixture_open_rig():
    with Rig() as rig:
        yield rig


@pytest.fixture(name="rig", params=[(OURS, False), (OURS, True), (QEMUS, True), (QEMUS, False)],
                ids=["vmxnet3-on-ours", "vmxnet3x-on-ours", "vmxnet3x-on-qemu", "vmxnet3-on-qemu"])
def fixture_rig(request, open_rig, log_sources):
    """testpmd on a pair of devices of one make, with one driver."""
    log_sources.append(open_rig.logs)
    open_rig.use(*request.param)
    yield open_rig
    open_rig.stop()


def payload(size, seed=0):
    """Bytes that show when they are moved or swapped."""
    return bytes((7 * index + index // 256 + seed) & 0xff for index in range(size))


def raws(packets):
    """Frames as they are on the wire."""
    return [raw(packet).ljust(60, b"\0") for packet in packets]


def frames_of(rig, sizes, back=False, to=None, vlan=None):
    """Frames of no known protocol, of these sizes (without a tag)."""
    header = rig.header(back)
    header.dst = to or header.dst
    if vlan is not None:
        header = Ether(src=header.src, dst=header.dst) / Dot1Q(vlan=vlan, prio=3, type=header.type)
    return raws(header / payload(size - 14, size) for size in sizes)


def datagrams(rig, wrong=False, rewritten=False):
    """TCP and UDP packets of each IP version; with wrong checksums, when so."""
    bad = {"chksum": 0x1234} if wrong else {}
    header = rig.header(rewritten=rewritten)
    del header.type
    return raws(header / network / transport / payload(size)
                # QEMU's checksums are wrong in frames that were padded to 60 bytes.
                for size in ([0, 1] if rig.make == OURS else []) + [18, 99, 1400]
                for network in (IP(src=SOURCE4, dst=TARGET4, **bad), IPv6(src=SOURCE6, dst=TARGET6))
                for transport in (TCP(sport=1000, dport=2000, flags="A", **bad), UDP(sport=1000, dport=2000, **bad)))


def talk(rig):
    """The stations' protocol stacks, through the guest: both ways, both IP versions."""
    for client, server in (rig.ends(), rig.ends(back=True)):
        serve_iperf(server.netns)
        for address in (server.ipv4(rig.make), server.ipv6(rig.make)):
            end = iperf(client.netns, address, "-n 2M")
            assert end["sum_sent"]["bytes"] >= 2_000_000 and end["sum_sent"]["retransmits"] < 300, end["sum_sent"]


def test_frames_cross_as_they_are(rig):
    rig.forward("io")
    for back in (False, True):
        frames = frames_of(rig, SIZES, back)
        assert rig.cross(frames, back=back) == frames
    stats = rig.pmd.stats_of(0), rig.pmd.stats_of(1)
    for one in stats:
        assert one["rx_packets"] == one["tx_packets"] > len(SIZES) and not one["rx_errors"] and not one["rx_missed"]
    talk(rig)


def test_restart(rig):
    rig.forward("io")
    for _ in range(10):
        rig.pmd.cmds("stop", "port stop all", "port start all", "start")
    rig.wait_ready()
    frames = frames_of(rig, SIZES)
    assert rig.cross(frames) == frames


def test_transmit_checksum(rig):
    rig.forward("csum", *CHECKSUM_HW)
    assert rig.cross(datagrams(rig, wrong=True)) == datagrams(rig, rewritten=True)
    talk(rig)


def test_receive_checksum(rig):
    rig.forward("csum", "csum set tcp sw #", "csum set udp sw #", "csum set ip sw #",
                "port config # rx_offload tcp_cksum on", "port config # rx_offload udp_cksum on")
    good = datagrams(rig)
    assert len(rig.cross(good)) == len(good)
    said = rig.pmd.cmd("stop")
    assert re.search(r"port 0 .*\n.*RX-packets: (\d+)", said)
    print(said)
    rig.pmd.cmd("start")
    wrong = datagrams(rig, wrong=True)
    assert len(rig.cross(wrong)) == len(wrong)
    said = rig.pmd.cmd("stop")
    print(said)


def test_segmentation(rig):
    rig.forward("csum", *CHECKSUM_HW, "tso set 500 #")
    networks = [IPv6(src=SOURCE6, dst=TARGET6)]
    if rig.ours:  # testpmd asks for the IPv4 checksum as well, and then DPDK's driver drops the packet
        networks.append(IP(src=SOURCE4, dst=TARGET4, id=7))
    for network in networks:
        header = rig.header()
        del header.type
        data = payload(1400)
        parts = rig.cross([header / network / TCP(sport=1000, dport=2000, seq=5, flags="PA") / data], 3)
        assert len(parts) == 3
        header = rig.header(rewritten=True)
        del header.type
        for index, part in enumerate(parts):
            layer = Ether(part)[1]
            if layer.version == 4:
                network.id = layer.id  # any may do
            expect = header / network / TCP(sport=1000, dport=2000, seq=5 + 500 * index, flags="PA" if index == 2 else "A")
            assert part == raw(expect / data[500 * index:500 * (index + 1)])
    talk(rig)


def test_vlan_strip(rig):
    rig.forward("io", "port config # rx_offload vlan_strip on")
    tagged, plain = frames_of(rig, (60, 1514), vlan=100), frames_of(rig, (60, 1514))
    assert rig.cross(tagged) == plain
    rig.pmd.cmds("vlan set strip off 0", "vlan set strip off 1")
    assert rig.cross(tagged + plain) == tagged + plain


def test_vlan_insert(rig):
    rig.forward("mac", "tx_vlan set # 77")
    frames = rig.cross(frames_of(rig, (60, 1000)))
    rig.pmd.cmds("stop", "port stop all", "tx_vlan reset 0", "tx_vlan reset 1", "port start all")
    header = rig.header(rewritten=True)
    header = Ether(src=header.src, dst=header.dst) / Dot1Q(vlan=77, type=header.type)
    assert frames == [raw(header / payload(size - 14, size)) for size in (60, 1000)]


def test_vlan_filter(rig):
    rig.forward("io", "set promisc # off")
    rig.pmd.cmds("vlan set filter on 0", "rx_vlan add 100 0")
    sent = [frames_of(rig, (100,), to=rig.mac(rig.make, 0), vlan=vlan)[0] for vlan in (99, 100, 0, 101, None)]
    got = rig.cross(sent, 3)
    rig.pmd.cmds("rx_vlan rm 100 0", "vlan set filter off 0")
    got += rig.cross(sent, 5)
    rig.pmd.cmds("set promisc all on")
    assert got == sent[1:3] + sent[4:] + sent


def test_addresses(rig):
    """Which frames come without promiscuous mode; a new address; all multicast."""
    rig.forward("io", "set promisc # off", "set allmulti # off")
    own, new, other, multicast = rig.mac(rig.make, 0), "02:00:00:00:00:77", "02:00:00:00:00:78", "01:00:5e:00:00:77"
    to = {address: frames_of(rig, (64,), to=address) for address in (own, new, other, multicast, "ff:ff:ff:ff:ff:ff")}
    sent = [frame for frames in to.values() for frame in frames]
    assert rig.cross(sent, 2) == to[own] + to["ff:ff:ff:ff:ff:ff"]
    rig.pmd.cmds("set allmulti 0 on")
    assert rig.cross(sent, 3) == to[own] + to[multicast] + to["ff:ff:ff:ff:ff:ff"]
    rig.pmd.cmds("set allmulti 0 off", f"mac_addr set 0 {new}")
    got = rig.cross(sent, 2)
    rig.pmd.cmds(f"mac_addr set 0 {own}")
    assert got == to[new] + to["ff:ff:ff:ff:ff:ff"]
    rig.pmd.cmds("set promisc all on")
    assert rig.cross(sent) == sent


def test_jumbo(rig):
    rig.forward("io", "port config # rx_offload scatter on", "port config # tx_offload multi_segs on", mtu=9000)
    for back in (False, True):
        frames = frames_of(rig, JUMBO_SIZES, back)
        assert rig.cross(frames, back=back) == frames
    talk(rig)


def test_queues(rig):
    queues = 2
    rig.forward("io", queues=queues)
    header = rig.header()
    del header.type
    flows = raws(header / IP(src=SOURCE4, dst=TARGET4) / UDP(sport=1000 + flow, dport=flow) / payload(60)
                 for flow in range(64))
    flows += raws(header / IP(src=f"198.18.0.1", dst=f"198.18.1.{flow}") / TCP(sport=1000 + flow, dport=flow) / payload(60)
                 for flow in range(64))
    assert sorted(rig.cross(flows)) == sorted(flows)
    xstats = rig.pmd.xstats(0)
    print(xstats)
    talk(rig)
