# SPDX-License-Identifier: BSD-3-Clause
"""Which frames a front-end port takes: addresses, groups, VLANs; and that a change of the MTU keeps all of it."""
import pytest

from scapy.all import Dot1Q, Ether, raw  # pylint: disable=no-name-in-module

from .taps import BROADCAST, ETHER_TYPE, MACS, STATIONS, STRANGER, Rig, filling, frame

GROUP, OTHER_GROUP = "01:00:5e:01:02:03", "01:00:5e:01:02:04"


@pytest.fixture(name="open_rig", scope="module")
def fixture_open_rig():
    with Rig(args=["--mbuf-size=2176"]) as rig:
        yield rig


@pytest.fixture(name="rig")
def fixture_rig(open_rig, log_sources):
    """Forwards; its ports take what is for them and for all."""
    log_sources.append(open_rig.logs)
    open_rig.forward("io", "port config mtu # 1500", "set promisc # off", "set allmulti # off", "vlan set filter off #",
                     "vlan set strip off #")
    return open_rig


def taken(rig, *addresses):
    """Those of the addresses to which port 0 takes a frame."""
    came = rig.cross(*(frame(70, dst=address) for address in addresses))
    heard = [Ether(one).dst for one in came]
    assert heard == [address for address in addresses if address in heard], "each once, and in order"
    return set(heard)


def taken_vlans(rig, *vlans):
    """Those of the VLANs of which port 0 takes a frame; None is no VLAN."""
    header = Ether(src=STATIONS[0], dst=BROADCAST, type=ETHER_TYPE)
    tagged = {None: raw(header / filling(60))}
    for vlan in set(vlans) - {None}:
        tagged[vlan] = raw(Ether(src=STATIONS[0], dst=BROADCAST) / Dot1Q(vlan=vlan, prio=5, type=ETHER_TYPE) / filling(60))
    came = rig.cross(*(tagged[vlan] for vlan in vlans))
    return [vlan for vlan in vlans if tagged[vlan] in came]


def test_promiscuous(rig):
    assert taken(rig, MACS[0], STRANGER) == {MACS[0]}
    rig.pmd.cmd("set promisc 0 on")
    assert rig.pmd.port_info(0)["Promiscuous mode"] == "enabled"
    assert taken(rig, MACS[0], STRANGER, GROUP) == {MACS[0], STRANGER, GROUP}
    rig.pmd.cmd("set promisc 0 off")
    assert rig.pmd.port_info(0)["Promiscuous mode"] == "disabled"
    assert taken(rig, MACS[0], STRANGER, GROUP) == {MACS[0]}


def test_all_multicast(rig):
    assert taken(rig, GROUP, BROADCAST) == {BROADCAST}
    rig.pmd.cmd("set allmulti 0 on")
    assert rig.pmd.port_info(0)["Allmulticast mode"] == "enabled"
    assert taken(rig, GROUP, OTHER_GROUP, STRANGER) == {GROUP, OTHER_GROUP}
    rig.pmd.cmd("set allmulti 0 off")
    assert taken(rig, GROUP, OTHER_GROUP, MACS[0]) == {MACS[0]}


def test_multicast_list(rig):
    rig.pmd.cmd(f"mcast_addr add 0 {GROUP}")
    assert GROUP in rig.pmd.cmd("show port 0 mcast_macs").lower()
    assert taken(rig, GROUP, OTHER_GROUP, STRANGER) == {GROUP}
    rig.pmd.cmd(f"mcast_addr add 0 {OTHER_GROUP}")
    assert taken(rig, GROUP, OTHER_GROUP) == {GROUP, OTHER_GROUP}
    rig.pmd.cmd(f"mcast_addr remove 0 {GROUP}")
    assert taken(rig, GROUP, OTHER_GROUP) == {OTHER_GROUP}
    rig.pmd.cmd(f"mcast_addr remove 0 {OTHER_GROUP}")
    assert taken(rig, GROUP, OTHER_GROUP, MACS[0]) == {MACS[0]}


def test_more_addresses(rig):
    """128, which is what ethdev allows: the device becomes promiscuous, and the driver looks; it counts what it leaves out."""
    more = [f"02:00:00:00:03:{number:02x}" for number in range(127)]
    rig.pmd.cmds(*(f"mac_addr add 0 {address}" for address in more))
    assert taken(rig, *more, MACS[0], STRANGER) == {*more, MACS[0]}
    assert taken(rig, GROUP, OTHER_GROUP) == set(), "as the device did"
    assert rig.pmd.xstats(0)["rx_q0_filtered"] >= 1
    rig.pmd.cmd(f"mac_addr remove 0 {more[1]}")
    assert taken(rig, *more, MACS[0], STRANGER) == {more[0], *more[2:], MACS[0]}
    rig.pmd.cmds(*(f"mac_addr remove 0 {address}" for address in (more[0], *more[2:])))
    filtered = rig.pmd.xstats(0)["rx_q0_filtered"]
    assert taken(rig, *more, MACS[0], STRANGER) == {MACS[0]}
    assert rig.pmd.xstats(0)["rx_q0_filtered"] == filtered, "the device filters again"


def test_own_address_is_changed(rig):
    rig.pmd.cmd(f"mac_addr set 0 {STRANGER}")
    assert rig.pmd.port_info(0)["MAC address"].lower() == STRANGER
    assert taken(rig, MACS[0], STRANGER) == {STRANGER}
    rig.pmd.cmds("stop", "port stop 0", "port start 0", "start")
    rig.wait_ready()
    assert taken(rig, MACS[0], STRANGER) == {STRANGER}, "after a restart"
    rig.pmd.cmd(f"mac_addr set 0 {MACS[0]}")
    assert taken(rig, MACS[0], STRANGER) == {MACS[0]}


def test_vlan_filter(rig):
    assert taken_vlans(rig, 100, 200, None) == [100, 200, None]
    rig.pmd.cmds("vlan set filter on 0", "rx_vlan add 100 0", "rx_vlan add 4094 0")
    assert "filter on" in rig.pmd.cmd("show port info 0")
    assert taken_vlans(rig, 100, 200, 4094, None) == [100, 4094, None]
    rig.pmd.cmd("rx_vlan rm 100 0")
    assert taken_vlans(rig, 100, 200, 4094, None) == [4094, None]
    rig.pmd.cmds("rx_vlan rm 4094 0", "vlan set filter off 0")
    assert taken_vlans(rig, 100, 200) == [100, 200]


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_mtu_keeps_modes(rig, running):
    """Frames of the new length pass at once, and longer ones do not; nothing that was set is forgotten."""
    rig.pmd.cmds("set promisc 0 on", "set allmulti 0 on", f"mcast_addr add 1 {GROUP}", "vlan set filter on 1",
                 "rx_vlan add 7 1")
    for mtu in (2000, 1500):
        if not running:
            rig.pmd.cmds("stop", "port stop all")
        rig.pmd.cmds(f"port config mtu 0 {mtu}", f"port config mtu 1 {mtu}")
        if not running:
            rig.pmd.cmds("port start all", "start")
        rig.wait_ready()
        info = rig.pmd.port_info(0)
        assert (info["MTU"], info["Promiscuous mode"], info["Allmulticast mode"]) == (str(mtu), "enabled", "enabled")
        assert taken(rig, STRANGER, GROUP, MACS[0]) == {STRANGER, GROUP, MACS[0]}
        # There is room for a VLAN tag, whatever is in it.
        sizes = [len(one) for one in rig.cross(*(frame(size) for size in (60, 1514, mtu + 14, mtu + 14 + 4 + 1)))]
        assert sizes == [60, 1514, mtu + 14]
        back = {"source": 1}
        heard = rig.cross(*(frame(70, STATIONS[1], dst) for dst in (GROUP, OTHER_GROUP, STRANGER, MACS[1])), **back)
        assert [Ether(one).dst for one in heard] == [GROUP, MACS[1]]
        header = Ether(src=STATIONS[1], dst=BROADCAST)
        tags = [raw(header / Dot1Q(vlan=vlan, type=ETHER_TYPE) / filling(60)) for vlan in (7, 8)]
        assert rig.cross(*tags, **back) == tags[:1]
    rig.pmd.cmds(f"mcast_addr remove 1 {GROUP}", "rx_vlan rm 7 1", "vlan set filter off 1")
