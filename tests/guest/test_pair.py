# SPDX-License-Identifier: BSD-3-Clause
"""Two machines and the host, with each kernel: the everyday things."""
import pytest
from lab import HOST, counters, ipv4, ipv6, mac, ping, same_file, serve_iperf, tcp, udp


# One of the two machines of the offload matrix has the older kernel always.
@pytest.fixture(scope="module", params=[pytest.param("6.1", marks=pytest.mark.long), "6.12"])
def lab(request, open_lab):
    lab = open_lab(ports=2)
    for number in (1, 2):
        lab.guest(number, boot=False, kernel=request.param)
    for number in (1, 2):
        serve_iperf(lab.configure(number))
    serve_iperf(lab.netns)
    yield lab
    open_lab.labs.remove(lab)
    lab.__exit__(None, None, None)


def set_mtu(lab, mtu):
    for number in (1, 2):
        lab.guests[number].run(f"ip link set eth0 mtu {mtu}")
        lab.configure(number, mtu=mtu)


def test_driver_is_debians_own(lab):
    driver = lab.guests[1].run("ethtool -i eth0")
    assert "driver: vmxnet3" in driver
    assert f"{mac(1)}" in lab.guests[1].run("ip link show eth0")
    assert "10000Mb/s" in lab.guests[1].run("ethtool eth0")
    show = lab.port("vm1")
    assert show["attached"] and show["active"]
    assert show["revision"] == 7


@pytest.mark.parametrize("mtu", [1500, 9000])
def test_traffic_between_guests(lab, mtu):
    set_mtu(lab, mtu)
    one, two = lab.guests[1], lab.guests[2]
    for there in (ipv4(2), ipv6(2)):
        ping(one, there)
        ping(one, there, size=mtu - (48 if ":" in there else 28), df=True)
        tcp(one, there)
        tcp(one, there, options="-R")
    ping(two, ipv4(1))
    udp(one, ipv4(2))
    udp(one, ipv6(2), options="-R")


@pytest.mark.parametrize("mtu", [1500, 9000])
def test_traffic_with_the_host_through_tap(lab, mtu):
    set_mtu(lab, mtu)
    lab.netns.run(f"ip link set {lab.host} mtu {mtu}")
    for there in (ipv4(HOST), ipv6(HOST)):
        ping(lab.guests[1], there)
        ping(lab.guests[1], there, size=mtu - (48 if ":" in there else 28), df=True)
        tcp(lab.guests[1], there)
        tcp(lab.guests[1], there, options="-R")
    udp(lab.guests[1], ipv4(HOST))
    ping(lab.netns, ipv4(2))


def test_streams_arrive_as_they_were_sent(lab):
    """Byte for byte: large frames whole, cut for a guest without LRO, cut for the host."""
    set_mtu(lab, 1500)
    one, two = lab.guests[1], lab.guests[2]
    for address in (ipv4(2), ipv6(2)):
        same_file(one, two, address)
        one.run("ethtool -K eth0 lro off")
        same_file(one, two, address)
        one.run("ethtool -K eth0 lro on")
        same_file(lab.netns, two, address)


def test_counters_move_as_they_should(lab):
    set_mtu(lab, 1500)
    one = lab.guests[1]
    before = counters(one)
    ping(one, ipv4(2), count=20)
    after = counters(one)
    assert after["ucast pkts tx"] - before["ucast pkts tx"] >= 20
    assert after["ucast pkts rx"] - before["ucast pkts rx"] >= 20
    assert after["ucast bytes tx"] - before["ucast bytes tx"] >= 20 * 98
    tcp(one, ipv4(2))
    later = counters(one)
    assert later["TSO pkts tx"] > after["TSO pkts tx"]
    assert later["TSO bytes tx"] > after["TSO bytes tx"]
    one.run("ping -c 3 -i 0.05 -W 1 -b 10.9.0.255 || true")  # nobody answers
    assert counters(one)["bcast pkts tx"] >= later["bcast pkts tx"] + 3
    for name in ("pkts tx err", "pkts rx err"):
        assert later.get(name, 0) == 0


def test_large_frames_go_whole_between_guests(lab):
    """TSO towards a guest with LRO: one large receive, not 44 small ones."""
    set_mtu(lab, 1500)
    before = counters(lab.guests[2])
    tcp(lab.guests[1], ipv4(2))
    after = counters(lab.guests[2])
    assert after["LRO pkts rx"] > before["LRO pkts rx"]


def test_without_lro_large_frames_are_cut(lab):
    set_mtu(lab, 1500)
    two = lab.guests[2]
    two.run("ethtool -K eth0 lro off")
    try:
        before = counters(two)
        tcp(lab.guests[1], ipv4(2))
        tcp(lab.guests[1], ipv6(2))
        assert counters(two)["LRO pkts rx"] == before["LRO pkts rx"]
    finally:
        two.run("ethtool -K eth0 lro on")


def test_small_frames_are_joined(lab):
    """For a guest with LRO: what comes in from the host, and what the other guest sends without TSO."""
    set_mtu(lab, 1500)
    one, two = lab.guests[1], lab.guests[2]
    one.run("ethtool -K eth0 tso off gso off")
    try:
        for source, address in ((lab.netns, ipv4(2)), (one, ipv6(2))):
            before = counters(two)["LRO pkts rx"]
            tcp(source, address)
            assert counters(two)["LRO pkts rx"] > before
            same_file(source, two, address)
    finally:
        one.run("ethtool -K eth0 tso on gso on")


def test_vlan_device_in_the_guests(lab):
    set_mtu(lab, 1500)
    for number in (1, 2):
        lab.guests[number].run(f"ip link add link eth0 name v7 type vlan id 7; ip addr add 10.9.7.{number}/24 dev v7; "
                               "ip link set v7 up")
    ping(lab.guests[1], "10.9.7.2", size=1472, df=True)
    tcp(lab.guests[1], "10.9.7.2")
    lab.guests[1].run("ethtool -K eth0 txvlan off rxvlan off")
    tcp(lab.guests[1], "10.9.7.2")
    tcp(lab.guests[1], "10.9.7.2", options="-R")
    for number in (1, 2):
        lab.guests[number].run("ip link del v7")
    lab.guests[1].run("ethtool -K eth0 txvlan on rxvlan on")


def test_mac_change_and_multicast(lab):
    one = lab.guests[1]
    one.run("ip link set eth0 address 52:54:00:00:09:77")
    lab.configure(1)
    lab.guests[2].run("ip neigh flush dev eth0")  # nobody told it of the new address
    ping(lab.guests[2], ipv4(1))
    assert lab.port("vm1")["mac"] == "52:54:00:00:09:77"
    one.run(f"ip link set eth0 address {mac(1)}")
    lab.configure(1)
    lab.guests[2].run("ip neigh flush dev eth0")
    ping(lab.guests[2], ipv4(1))
    # A group that nobody joined is filtered by the card; one that is joined arrives.
    one.run("ip maddr add 01:00:5e:01:02:03 dev eth0; sleep 0.2; ip maddr show dev eth0 | grep -q 01:00:5e:01:02:03")
    ping(one, ipv4(2))


def test_nothing_was_dropped_for_a_bad_reason(lab):
    bad = {"tx_bad_desc", "tx_bad_address", "tx_bad_offload", "tx_too_long", "rx_bad_address", "rx_bad_desc",
           "rx_bad_offload", "eth_bad_offload", "eth_no_mbuf"}
    assert not {key: count for key, count in lab.drops().items() if key[1] in bad}
