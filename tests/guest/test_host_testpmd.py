# SPDX-License-Identifier: BSD-3-Clause
"""The back-end driver in the distribution's testpmd, between two Linux guests."""
import contextlib
import re

import pytest
from host_lab import HostLab
from lab import configure_card, ipv4, ipv6, mac, ping, ping_until, same_file, serve_iperf, tcp, udp
from lib.guest import Guest


# Where testpmd shall send what it has put its own address into.
REWRITING = [f"set eth-peer 0 {mac(1)}", f"set eth-peer 1 {mac(2)}"]


@pytest.fixture(name="module_lab", scope="module")
def fixture_module_lab():
    with HostLab(vcpus=2) as lab:
        serve_iperf(lab.guests[2])
        yield lab


@pytest.fixture(name="lab")
def fixture_lab(module_lab, log_sources):
    log_sources.append(module_lab.logs)
    return module_lab


def drops(lab):
    """Frames that the driver dropped, by port and reason; those that a guest did not want do not count."""
    return {(port, name): value for port in (0, 1) for name, value in lab.pmd.xstats(port).items()
            if "drop" in name and value and not name.endswith(("not_mine", "inactive", "not_taken"))}


def test_link_follows_the_guest(lab):
    assert lab.pmd.link(0) and lab.pmd.link(1)
    lab.guests[1].run("ip link set eth0 down")
    lab.pmd.wait_link(0, False)
    assert lab.pmd.link(1)
    lab.guests[1].run("ip link set eth0 up")
    lab.pmd.wait_link(0, True)
    assert re.search("link state change event", lab.pmd.log())
    # It has lost its IPv6 address.
    configure_card(lab.guests[1], 1)
    ping_until(lab.guests[1], ipv4(2))


def test_everyday(lab):
    """All of the guests' offloads are on, as Linux has them."""
    lab.pmd.clear()
    one, two = lab.guests[1], lab.guests[2]
    features = one.run("ethtool -k eth0")
    assert "tcp-segmentation-offload: on" in features and "tx-checksumming: on" in features
    for address in (ipv4(2), ipv6(2)):
        ping(one, address)
        ping(one, address, size=1400)
        tcp(one, address)
        tcp(one, address, "-R")
        udp(one, address)
        same_file(one, two, address)
    stats = [lab.pmd.xstats(port) for port in (0, 1)]
    # The guests left segmentation to us; the application got what fits, and the other guest that joined again.
    assert all(s["guest_tx_tso"] > 0 and s["guest_rx_lro"] > 0 for s in stats)
    assert all(sum(value for name, value in s.items() if name.endswith("_cut")) > 0 for s in stats)
    assert not drops(lab)


def test_vlan(lab):
    lab.both("ip link add link eth0 name eth0.7 type vlan id 7; ip link set eth0.7 up")
    for number in (1, 2):
        lab.guests[number].run(f"ip addr add 10.9.7.{number}/24 dev eth0.7")
    try:
        assert "tx-vlan-offload: on" in lab.guests[1].run("ethtool -k eth0")
        ping(lab.guests[1], "10.9.7.2")
        tcp(lab.guests[1], "10.9.7.2")
    finally:
        lab.both("ip link del eth0.7")


def test_stopping_keeps_the_guests(lab):
    for _ in range(5):
        lab.reconfigure()
        lab.pmd.wait_link(0)
    lab.pmd.halt()
    lab.pmd.cmds("port stop 0")
    # The guest sees that, and has its card when it is over.
    lab.guests[1].run("for i in $(seq 100); do grep -q 0 /sys/class/net/eth0/carrier && exit 0; sleep 0.1; done; exit 1")
    lab.pmd.cmds("port start 0")
    lab.pmd.forward("io")
    ping_until(lab.guests[1], ipv4(2))
    tcp(lab.guests[1], ipv4(2))


@contextlib.contextmanager
def jumbo(lab, scatter):
    """Ports and guests with an MTU of 9000. The packet buffers hold 2 KiB."""
    offloads = ["port config 0 rx_offload scatter {}", "port config 1 rx_offload scatter {}",
                "port config 0 tx_offload multi_segs {}", "port config 1 tx_offload multi_segs {}"]
    lab.reconfigure("port config mtu 0 9000", "port config mtu 1 9000",
                    *([text.format("on") for text in offloads] if scatter else []))
    lab.both("ip link set eth0 mtu 9000")
    ping_until(lab.guests[1], ipv4(2))
    try:
        yield
    finally:
        lab.both("ip link set eth0 mtu 1500")
        lab.reconfigure("port config mtu 0 1500", "port config mtu 1 1500",
                        *([text.format("off") for text in offloads] if scatter else []))
        ping_until(lab.guests[1], ipv4(2))


def test_jumbo_frames(lab):
    with jumbo(lab, scatter=True):
        lab.pmd.clear()
        for size in (1473, 2020, 8972):
            ping(lab.guests[1], ipv4(2), size=size, df=True)
        tcp(lab.guests[1], ipv4(2))
        tcp(lab.guests[1], ipv6(2), "-R")
        assert not drops(lab)


def test_jumbo_frames_without_scatter(lab):
    """What does not fit a packet buffer is dropped by name, and nothing else is."""
    with jumbo(lab, scatter=False):
        lab.pmd.clear()
        ping(lab.guests[1], ipv4(2), size=1900, df=True)
        assert not drops(lab)
        lab.guests[1].run(f"ping -c 2 -W 1 -M do -s 8000 {ipv4(2)}", check=False)
        assert set(drops(lab)) <= {(0, "rx_q0_drop_no_room"), (0, "rx_q1_drop_no_room")} and drops(lab)


@pytest.mark.parametrize("queues", [3, 1])
def test_queues(lab, queues):
    """More than the guests have, and fewer: they have two."""
    lab.reconfigure(f"port config all rxq {queues}", f"port config all txq {queues}")
    ping_until(lab.guests[1], ipv4(2))
    lab.pmd.clear()
    tcp(lab.guests[1], ipv4(2), "-P 4")
    stats = lab.pmd.xstats(0)
    received = [stats[f"rx_q{queue}_packets"] for queue in range(queues)]
    assert sum(received) == stats["rx_good_packets"] > 0
    assert received[2:] == [0] * len(received[2:])


@pytest.mark.parametrize("mode", ["io", "mac", "csum", "noisy"])
def test_modes_that_carry_traffic(lab, mode):
    with lab.forwarding(mode, *REWRITING):
        for number in (1, 2):
            lab.guests[number].run("ip neigh flush all")
        ping(lab.guests[1], ipv4(2))
        ping(lab.guests[2], ipv6(1), size=1400)
        tcp(lab.guests[1], ipv4(2))


def test_checksums_by_the_port(lab):
    """testpmd leaves checksums to the port, and segments again what the guests' TCP sends."""
    offloads = [f"csum set {layer} hw {port}" for layer in ("ip", "udp", "tcp") for port in (0, 1)]
    lab.reconfigure("port config 0 rx_offload udp_cksum on", *offloads, "tso set 1000 0", "tso set 1000 1")
    try:
        lab.pmd.clear()
        with lab.forwarding("csum", *REWRITING):
            for address in (ipv4(2), ipv6(2)):
                tcp(lab.guests[1], address)
                tcp(lab.guests[1], address, "-R")
                udp(lab.guests[1], address)
        stats = lab.pmd.xstats(0)
        assert sum(value for name, value in stats.items() if re.fullmatch(r"tx_q\d+_tso", name)) > 0
        assert not drops(lab)
    finally:
        lab.reconfigure("port config 0 rx_offload udp_cksum off", "tso set 0 0", "tso set 0 1",
                        *[text.replace("hw", "sw") for text in offloads])


def received(guest):
    """Frames that the guest's kernel got from its card."""
    return int(guest.run("cat /sys/class/net/eth0/statistics/rx_packets"))


@pytest.mark.parametrize("mode", ["macswap", "5tswap"])
def test_modes_that_swap(lab, mode):
    """What comes out is for nobody, so a guest has to listen to everything."""
    one, two = lab.guests[1], lab.guests[2]
    two.run("ip link set eth0 promisc on")
    one.run(f"ip neigh replace {ipv4(2)} lladdr {mac(2)} dev eth0 nud permanent")
    try:
        with lab.forwarding(mode):
            before = received(two)
            one.run(f"ping -q -c 20 -i 0.01 -W 1 {ipv4(2)}", check=False)
            lab.pmd.wait_for(lambda: received(two) >= before + 20, f"20 frames reach {two.name}")
    finally:
        one.run(f"ip neigh del {ipv4(2)} dev eth0")
        two.run("ip link set eth0 promisc off")


@pytest.mark.parametrize("mode", ["txonly", "flowgen"])
def test_modes_that_send(lab, mode):
    """More than a guest can take: it loses some, and lives."""
    lab.both("ip link set eth0 promisc on")
    before = [received(lab.guests[number]) for number in (1, 2)]
    with lab.forwarding(mode, *REWRITING):
        lab.pmd.wait_for(lambda: all(received(lab.guests[number]) > before[number - 1] + 1000 for number in (1, 2)),
                         "1,000 frames reach each guest", 60)
    lab.both("ip link set eth0 promisc off")
    ping_until(lab.guests[1], ipv4(2), timeout=60)


def test_rxonly(lab):
    lab.pmd.clear()
    with lab.forwarding("rxonly"):
        lab.guests[1].run(f"ping -q -c 20 -i 0.01 -W 1 {ipv4(2)}", check=False)
        lab.pmd.wait_for(lambda: lab.pmd.stats_of(0)["rx_packets"] > 0, "testpmd gets a frame")
        assert lab.pmd.stats_of(1)["tx_packets"] == 0
    ping_until(lab.guests[1], ipv4(2))


def test_icmpecho(lab):
    """testpmd itself answers, for whatever address."""
    with lab.forwarding("icmpecho"):
        ping(lab.guests[1], "10.9.0.77")
        ping(lab.guests[2], "10.9.0.78", size=1000)


def test_hot_attach_and_detach(lab, workdir):
    """Ports come and go while others forward."""
    load = lab.guests[1].spawn(f"iperf3 -t 300 -c {ipv4(2)}")
    for _ in range(3):
        detach(lab, attach(lab, workdir / "third.sock"))
    assert not load.done
    load.kill()
    tcp(lab.guests[1], ipv4(2))


@pytest.mark.long
def test_guest_on_an_attached_port(lab, workdir):
    """Another machine, on a port that comes late and goes before the machine does."""
    port = attach(lab, workdir / "third.sock")
    with Guest("h3", nics=[workdir / "third.sock"]) as guest:
        guest.wait_boot().run("ip link set eth0 up")
        lab.pmd.wait_link(port)
        detach(lab, port)
        ping_until(lab.guests[1], ipv4(2))


def attach(lab, socket):
    """A third port, started; its number."""
    assert "is attached" in lab.pmd.cmd(f"port attach net_vmxnet3_host2,path={socket}")
    port = max(lab.pmd.ports())
    assert socket.exists() and lab.pmd.ports() == [0, 1, port]
    lab.pmd.cmd(f"port start {port}")
    return port


def detach(lab, port):
    """Stop a port and end it. testpmd stops none of those that it forwards between."""
    lab.pmd.halt()
    assert "is detached" in lab.pmd.cmds(f"port stop {port}", f"port detach {port}")
    assert lab.pmd.ports() == [0, 1]
    lab.pmd.forward("io")


def test_guest_restarts(lab):
    """A machine that reboots, and one that dies and comes anew, find their card again."""
    configure_card(lab.guests[1].reboot(), 1)
    ping_until(lab.guests[1], ipv4(2))
    lab.guests[1].kill9()
    lab.pmd.wait_link(0, False)
    lab.guests[1].start()
    configure_card(lab.guests[1].wait_boot(), 1)
    ping_until(lab.guests[1], ipv4(2))
