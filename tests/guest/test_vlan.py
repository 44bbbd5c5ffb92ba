# SPDX-License-Identifier: BSD-3-Clause
"""A guest with VLAN devices on a trunk port, one on an access port, and what an uplink sees of it."""
import pytest
from lab import Lab, iperf, mac, ping, ping_until, same_file, serve_iperf, tcp
from lib.packets import PacketSocket


@pytest.fixture(name="lab")
def fixture_lab(log_sources):
    lab = Lab(ports=2)
    log_sources.append(lab.logs)
    with lab:
        lab.ctl.text("port", "set", "vm1", "vlan-mode", "trunk", "trunks", "10,20-29")
        lab.ctl.text("port", "set", "vm2", "vlan-mode", "access", "tag", "10")
        for number in (1, 2):
            lab.guest(number, boot=False)
        one, two = (lab.configure(number) for number in (1, 2))
        for vlan in (10, 20):
            one.run(f"ip link add link eth0 name eth0.{vlan} type vlan id {vlan} egress-qos-map 0:5; ip link set eth0.{vlan} up; "
                    f"ip address add 10.{vlan}.0.1/24 dev eth0.{vlan}; ip address add fd00:{vlan}::1/64 dev eth0.{vlan} nodad")
        two.run("ip address add 10.10.0.2/24 dev eth0; ip address add 10.20.0.2/24 dev eth0; ip address add fd00:10::2/64 dev eth0 nodad")
        yield lab


def sender_and_tci(frame):
    """(address, tag control information or None) of a frame."""
    tagged = frame[12:14] == b"\x81\x00"
    return frame[6:12].hex(":"), int.from_bytes(frame[14:16], "big") if tagged else None


def test_trunk_and_access(lab):
    one, two = lab.guests[1], lab.guests[2]
    uplink = PacketSocket(lab.netns, lab.host)
    for guest in (one, two):
        serve_iperf(guest)
    for rxvlan in ("on", "off"):
        one.run(f"ethtool -K eth0 rxvlan {rxvlan} || true")
        assert lab.port("vm1")["offloads"]["vlan"] == ("stripped" if rxvlan == "on" else "in-line")
        for there in ("10.10.0.2", "fd00:10::2"):
            ping(one, there)
            ping(one, there, size=1500 - (48 if ":" in there else 28), df=True)
            tcp(one, there)
            tcp(one, there, options="-R")
        same_file(one, two, "10.10.0.2")
        same_file(two, one, "10.10.0.1")
    # The other VLAN is another network.
    two.run("! ping -n -q -c 1 -W 2 10.20.0.1")
    drops = lab.drops()
    assert drops[("vm1", "vlan_ingress")] > 0, "what the guest sent without a tag, its IPv6 to begin with"
    assert not {why for _, why in drops} & {"vlan_tagged", "vlan_second_tag", "rx_vlan"}
    # Whatever reached the transparent uplink had the tag of its VLAN, and the trunk's the priority it was sent with.
    heard = {sender_and_tci(frame) for frame in uplink.receive(0, 2)}
    uplink.close()
    assert {tci for address, tci in heard if address == mac(2)} == {10}
    # (What the kernel says itself has a priority of its own, which is not mapped.)
    assert {0xa00a} <= {tci for address, tci in heard if address == mac(1)} <= {10, 20, 0xa00a, 0xa014}

    # Into the other VLAN while it runs: the guest's card notices nothing.
    activations = lab.port("vm2")["device"]["activations"]
    lab.ctl.text("port", "set", "vm2", "tag", "20")
    two.run("ip neigh flush all")
    ping_until(two, "10.20.0.1")
    two.run("! ping -n -q -c 1 -W 2 10.10.0.1")
    assert iperf(two, "10.20.0.1", "-n 5M")["sum_sent"]["bytes"] >= 5_000_000
    assert lab.port("vm2")["device"]["activations"] == activations
