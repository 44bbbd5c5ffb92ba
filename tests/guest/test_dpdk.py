# SPDX-License-Identifier: BSD-3-Clause
"""DPDK in a guest: the distribution's testpmd on our device and on QEMU's, with DPDK's driver and with ours."""
import re

import pytest
from dpdk_rig import DEVICES, ETHER_TYPE, OURS, QEMUS, SOURCE4, SOURCE6, TARGET4, TARGET6, Rig
from lab import iperf, serve_iperf
from lib.guest_dpdk import OUR_PLUGIN, GuestTestpmd
from scapy.all import IP, TCP, UDP, Dot1Q, Ether, IPv6, raw  # pylint: disable=no-name-in-module

SIZES = (60, 61, 64, 65, 127, 128, 129, 255, 256, 511, 1024, 1513, 1514)
JUMBO_SIZES = (60, 1514, 1515, 2048, 2049, 4095, 4096, 4097, 8191, 9000, 9013, 9014)
# (whose device, whether with our driver)
PAIRS = {"vmxnet3-on-ours": (OURS, False), "vmxnet3x-on-ours": (OURS, True),
         "vmxnet3x-on-qemu": (QEMUS, True), "vmxnet3-on-qemu": (QEMUS, False)}
# QEMU's register tells no events, and DPDK's driver looks there only: it never hears of the link.
LINK_PAIRS = [name for name in PAIRS if name != "vmxnet3-on-qemu"]
CHECKSUM_HW = ["csum set tcp hw #", "csum set udp hw #", "csum set ip sw #"]


@pytest.fixture(name="open_rig", scope="module")
def fixture_open_rig():
    with Rig() as rig:
        yield rig


# Where neither the driver nor the device is ours, only the rig is tested.
@pytest.fixture(name="pair", scope="module", params=[
    pytest.param(pair, id=name, marks=[pytest.mark.long] if name == "vmxnet3-on-qemu" else [])
    for name, pair in PAIRS.items()])
def fixture_pair(request):
    return request.param


def on_devices(request, rig, log_sources, *what):
    """testpmd on some devices, the one that the last test had if that may be."""
    log_sources.append(rig.logs)
    failed = request.session.testsfailed
    rig.use(*what)
    yield rig
    if request.session.testsfailed > failed:
        rig.stop()  # it may be in any state


@pytest.fixture(name="rig")
def fixture_rig(request, open_rig, pair, log_sources):
    """testpmd on a pair of devices of one make, with one driver."""
    yield from on_devices(request, open_rig, log_sources, *pair)


def payload(size, seed=0):
    """Bytes that show when they are moved or swapped."""
    return bytes((7 * index + index // 256 + seed) & 0xff for index in range(size))


def raws(packets):
    """Frames as they are on the wire."""
    return [raw(packet).ljust(60, b"\0") for packet in packets]


def frames_of(rig, sizes, back=False, to=None, vlan=None):
    """Frames of no known protocol, of these sizes (without a tag)."""
    header = rig.header(back, type=ETHER_TYPE)
    header.dst = to or header.dst
    if vlan is not None:
        header = Ether(src=header.src, dst=header.dst) / Dot1Q(vlan=vlan, prio=3, type=ETHER_TYPE)
    return raws(header / payload(size - 14, size) for size in sizes)


def datagrams(rig, wrong=False, rewritten=False):
    """TCP and UDP packets of each IP version; with wrong checksums, when so."""
    bad = {"chksum": 0x1234} if wrong else {}
    header = rig.header(rewritten=rewritten)
    return raws(header / network / transport / payload(size)
                # QEMU's checksums are wrong in frames that were padded to 60 bytes.
                for size in ([0, 1] if rig.make == OURS else []) + [18, 99, 1400]
                for network in (IP(src=SOURCE4, dst=TARGET4, **bad), IPv6(src=SOURCE6, dst=TARGET6))
                for transport in (TCP(sport=1000, dport=2000, flags="A", **bad), UDP(sport=1000, dport=2000, **bad)))


def talk(rig, only_ipv6=False):
    """The stations' protocol stacks, through the guest: both ways, both IP versions. Returns what came, of the way with less.

    iperf3 counts as sent what the sender's socket has taken, of which it gives up the rest when it ends.
    """
    came = []
    for client, server in (rig.ends(), rig.ends(back=True)):
        serve_iperf(server.netns)
        came.append(0)
        for address in ([] if only_ipv6 else [server.ipv4(rig.make)]) + [server.ipv6(rig.make)]:
            end = iperf(client.netns, address, "-n 2M")
            assert end["sum_sent"]["bytes"] >= 2_000_000 and end["sum_received"]["bytes"] > 0, end
            came[-1] += end["sum_received"]["bytes"]
    return min(came)


def test_frames_cross_as_they_are(rig):
    rig.forward("io")
    if rig.ours:
        assert "Burst mode: Vector AVX2" in rig.pmd.cmd("show rxq info 0 0")
    for back in (False, True):
        frames = frames_of(rig, SIZES, back)
        assert rig.cross(frames, back=back) == frames
    came = talk(rig)
    rig.pmd.cmd("stop")
    stats = rig.pmd.stats_of(0), rig.pmd.stats_of(1)
    for one, other in (stats, reversed(stats)):
        # What came after the stop counts as received.
        assert other["tx_packets"] <= one["rx_packets"] <= other["tx_packets"] + 50 and one["rx_packets"] > 500
        assert other["tx_bytes"] <= one["rx_bytes"] <= other["tx_bytes"] + 5000 and one["rx_bytes"] > came
        assert not any(one[name] for name in ("rx_errors", "rx_nombuf", "tx_errors"))


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


def seen(rig, frames, port, count=None):
    """(what came of frames, the flags that those had that came in at a port); the mode must be csum"""
    before = len(rig.pmd.log())
    rig.pmd.cmd("set verbose 1")
    got = rig.cross(frames, count)
    rig.pmd.cmd("set verbose 0")
    told = rig.pmd.log()[before:].replace("\r", "")
    return got, re.findall(rf"port={port}, mbuf=.*\nrx: .*flags=(.*)$", told, re.MULTILINE)


def test_receive_checksum(rig):
    rig.forward("csum", "csum set tcp sw #", "csum set udp sw #", "csum set ip sw #",
                "port config # rx_offload tcp_cksum on", "port config # rx_offload udp_cksum on")
    header = rig.header()
    good = datagrams(rig)
    ip4, ip6 = {"src": SOURCE4, "dst": TARGET4}, {"src": SOURCE6, "dst": TARGET6}
    l4 = {"sport": 1000, "dport": 2000, "chksum": 0x1234}
    bad_l4 = raws(header / network / transport / payload(99)
                  for network in (IP(**ip4), IPv6(**ip6)) for transport in (TCP(**l4), UDP(**l4)))
    bad_ip = raws([header / IP(**ip4, chksum=0x1234) / UDP(sport=1000, dport=2000) / payload(99)])
    # Our device verifies what came over a cable; with QEMU's, software must.
    for frames, verdict in ((good, "RX_L4_CKSUM_GOOD"), (bad_l4, "RX_L4_CKSUM_BAD"), (bad_ip, "RX_IP_CKSUM_BAD")):
        got, flags = seen(rig, frames, 0)
        assert len(got) == len(flags) == len(frames)
        if rig.make == OURS:
            assert all(f"RTE_MBUF_F_{verdict}" in line for line in flags), flags
        else:
            assert all(f"RTE_MBUF_F_RX_{what}_CKSUM_UNKNOWN" in line for line in flags for what in ("L4", "IP")), flags


def test_segmentation(rig):
    rig.forward("csum", *CHECKSUM_HW, "tso set 500 #")
    networks = [IPv6(src=SOURCE6, dst=TARGET6)]
    if rig.ours:  # testpmd asks for the IPv4 checksum as well, and then DPDK's driver drops the packet
        networks.append(IP(src=SOURCE4, dst=TARGET4, id=7))
    for network in networks:
        header = rig.header()
        data = payload(1400)
        parts = rig.cross([header / network / TCP(sport=1000, dport=2000, seq=5, flags="PA") / data], 3)
        assert len(parts) == 3
        header = rig.header(rewritten=True)
        for index, part in enumerate(parts):
            layer = Ether(part)[1]
            if layer.version == 4:
                network.id = layer.id  # any may do
            # QEMU's device forgets PSH.
            flags = "PA" if index == 2 and rig.make == OURS else "A"
            expect = header / network / TCP(sport=1000, dport=2000, seq=5 + 500 * index, flags=flags)
            assert part == raw(expect / data[500 * index:500 * (index + 1)])
    talk(rig, only_ipv6=not rig.ours)


def test_vlan_strip(rig):
    rig.forward("io", "port config # rx_offload vlan_strip on")
    tagged, plain = frames_of(rig, (60, 1514), vlan=100), frames_of(rig, (60, 1514))
    assert rig.cross(tagged) == plain
    rig.pmd.cmds("vlan set strip off 0", "vlan set strip off 1")
    assert rig.cross(tagged + plain) == tagged + plain


def test_vlan_insert(rig):
    rig.forward("mac", "tx_vlan set # 77")
    header = rig.header(rewritten=True) / Dot1Q(vlan=77, type=ETHER_TYPE)
    assert rig.cross(frames_of(rig, (60, 1000))) == [raw(header / payload(size - 14, size)) for size in (60, 1000)]


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
    # QEMU's device fills one buffer only unless it is told how many there may be, which DPDK's driver does not do.
    one_buffer = rig.make == QEMUS and not rig.ours
    for back in (False, True):
        frames = frames_of(rig, [size for size in JUMBO_SIZES if size <= 2048 or not one_buffer], back)
        assert rig.cross(frames, back=back) == frames
    if not one_buffer:
        talk(rig)


def test_mtu_of_a_running_port(open_rig, log_sources):
    """Our driver changes it under way, and keeps its modes; DPDK's refuses or forgets them."""
    rig = open_rig
    log_sources.append(rig.logs)
    for make in (OURS, QEMUS):
        rig.use(make, True)
        rig.forward("io", "port config # rx_offload scatter on", "port config # tx_offload multi_segs on")
        small, large = frames_of(rig, SIZES), frames_of(rig, JUMBO_SIZES)
        assert rig.cross(small) == small
        rig.pmd.cmds("port config mtu 0 9000", "port config mtu 1 9000")
        for station in rig.ends():
            station.set_mtu(make, 9000)
        rig.wait_ready()
        assert rig.cross(large) == large
        assert rig.pmd.port_info(0)["MTU"] == "9000" and rig.pmd.port_info(0)["Promiscuous mode"] == "enabled"


def test_queues(rig):
    rig.forward("io", queues=2)
    header = rig.header()
    ip4, ip6 = {"src": SOURCE4}, {"src": SOURCE6}
    flows = raws(header / network / TCP(sport=1000 + flow, dport=flow) / payload(60)
                 for flow in range(64)
                 for network in (IP(**ip4, dst=f"198.18.1.{flow}"), IPv6(**ip6, dst=f"2001:db8:1::{flow:x}")))
    assert sorted(rig.cross(flows)) == sorted(flows)
    xstats = rig.pmd.xstats(0)
    got = [xstats["rx_q0_packets"], xstats["rx_q1_packets"]]
    assert sum(got) >= len(flows)
    if rig.make == OURS:
        assert min(got) > len(flows) // 8, got
    else:
        assert got[1] == 0  # QEMU's device uses the first queue only
    talk(rig)


def test_contents(rig):
    """Frames of all sizes both ways at once: none altered, lost or overtaken."""
    rig.stop()
    words = ["--mbufs", 12288, "--queues", 2 if rig.make == OURS else 1, "--stall", 60]
    segments = ["--segments", 4] if rig.ours else []
    rig.pktcheck("--frames", 20000, *words, *segments).must_be_good(20000)
    # Buffers anywhere, and a driver without vectors.
    for options in (["--iova-mode=pa"], ["--force-max-simd-bitwidth=64"]):
        rig.pktcheck("--frames", 5000, *words, *segments, options=options).must_be_good(5000)
    if rig.ours:
        rig.pktcheck("--frames", 5000, *words, "--csum", "--max", 9014, "--segments", 8).must_be_good(5000)


def test_many_queues(open_rig):
    """As many as our device offers here; not a power of two, either."""
    open_rig.stop()
    open_rig.make, open_rig.ours = OURS, True
    for queues in (5, 8):
        result = open_rig.pktcheck("--frames", 20000, "--queues", queues, "--flows", 64, "--rxd", 256, "--mbufs", 12288,
                                   "--stall", 60)
        result.must_be_good(20000)
        assert all(result.ports[port].get(f"{way}_q{queue}_packets", 0) > 100
                   for port in (0, 1) for way in ("rx", "tx") for queue in range(queues)), result.output


def test_receive_interrupts(rig):
    rig.stop()
    result = rig.pktcheck("--frames", 60, "--mbufs", 12288, "--burst", 1, "--rx-interrupts", "--interval", 20,
                          "--stall", 60)
    result.must_be_good(60)
    # Some come just when the sleeper gives up waiting.
    assert result.interrupts["wakeups"] >= 20 and result.interrupts["missed"] <= 30, result.output


@pytest.mark.parametrize("pair", [PAIRS[name] for name in LINK_PAIRS], ids=LINK_PAIRS, indirect=True)
def test_link(rig):
    """A cable that is pulled and plugged in again; the port tells."""
    def plug(up):
        if rig.make == OURS:
            rig.daemon.ctl.text("port", "set", "vm0", "link", "up" if up else "down")
        else:
            rig.guest.qmp("set_link", name="q0", up=up)

    rig.forward("io")
    assert rig.pmd.link(0)
    try:
        for up in (False, True):
            before = len(rig.pmd.log())
            plug(up)
            rig.pmd.wait_link(0, up)
            rig.pmd.wait_log("Port 0: link state change event", after=before)
    finally:
        plug(True)
    rig.wait_ready()


def test_killed(rig):
    """testpmd dies with its devices active; the next one finds them usable."""
    rig.forward("io")
    rig.pmd.kill9()
    rig.use(rig.make, rig.ours)
    rig.forward("io")
    frames = frames_of(rig, SIZES)
    assert rig.cross(frames) == frames


@pytest.fixture(name="driver", scope="module", params=[False, True], ids=["vmxnet3", "vmxnet3x"])
def fixture_driver(request):
    return request.param


@pytest.fixture(name="chain")
def fixture_chain(request, open_rig, driver, log_sources):
    """testpmd on four of our devices: left - port 0 - port 1 - switch - port 2 - port 3 - right."""
    yield from on_devices(request, open_rig, log_sources, OURS, driver, range(DEVICES))


def test_checksums_from_device_to_device(chain):
    """A request that the switch has done for the receiver, who is told so."""
    rig = chain
    rig.forward("csum", *CHECKSUM_HW, "port config # rx_offload tcp_cksum on", "port config # rx_offload udp_cksum on")
    sent = datagrams(rig, wrong=True)
    got, flags = seen(rig, sent, 2)
    assert got == datagrams(rig, rewritten=True)
    assert len(flags) == len(sent) and all("RTE_MBUF_F_RX_L4_CKSUM_GOOD" in line for line in flags), flags
    talk(rig)


def test_large_frames_from_device_to_device(chain):
    rig = chain
    # Large receives only where what comes in leaves as one frame: who sends on what was joined has to cut it again.
    rig.forward("csum", *CHECKSUM_HW, "port config # rx_offload tcp_cksum on", "port config 2 rx_offload tcp_lro on",
                "tso set 500 1")
    header = rig.header()
    packet = IPv6(src=SOURCE6, dst=TARGET6) / TCP(sport=1000, dport=2000, flags="A") / payload(1400)
    got, flags = seen(rig, [header / packet], 2, 1)
    header = rig.header(rewritten=True)
    assert got == [raw(header / packet)]
    assert len(flags) == 1 and "RTE_MBUF_F_RX_LRO" in flags[0]
    talk(rig, only_ipv6=not rig.ours)


def test_choice(open_rig, log_sources):
    """Which driver takes a device."""
    rig = open_rig
    log_sources.append(rig.logs)
    rig.stop()
    rig.make = OURS
    own, other = rig.address(OURS, 0), rig.address(OURS, 3)

    def names(devices, **options):
        with GuestTestpmd(rig.guest, devices, **options) as pmd:
            return [pmd.port_info(port)["Driver name"] for port in pmd.ports()]

    ours, dpdks = "net_vmxnet3x", "net_vmxnet3"
    assert names([own, other], plugins=[OUR_PLUGIN]) == [ours, ours]
    assert names([own, other]) == [dpdks, dpdks]
    assert names([own + ",vmxnet3x=1", other + ",vmxnet3x=0"], plugins=[OUR_PLUGIN]) == [ours, dpdks]
    # DPDK's was there first.
    first = rig.guest.run("ls /usr/lib/*/dpdk/pmds-*/librte_net_vmxnet3.so").strip()
    assert names([own, other], plugins=[first, OUR_PLUGIN]) == [dpdks, dpdks]


def test_wrong_arguments(open_rig):
    for words, sentence in (("vmxnet3x=2", "0 (leave it to net_vmxnet3) or 1"), ("path=/run/x.sock", "virtual devices"),
                            ("colour=red", "there is no device argument 'colour'")):
        # EAL goes on without the device, and does not offer it to DPDK's driver either.
        with GuestTestpmd(open_rig.guest, [f"{open_rig.address(OURS, 0)},{words}"], plugins=[OUR_PLUGIN]) as pmd:
            assert sentence in pmd.log() and "No probed ethernet devices" in pmd.log()
