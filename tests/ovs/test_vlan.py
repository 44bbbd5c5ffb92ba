# SPDX-License-Identifier: BSD-3-Clause
"""VLANs: the switch does what Open vSwitch does, port by port and frame by frame.

Left out is where it is meant to differ: a frame whose second tag would come to the front where frames of its VLAN go untagged is
dropped, not passed on; a priority tag (VLAN 0) that a transparent port lets in goes out again as it is. Open vSwitch clears the drop
eligible bit, and loses the third tag of a frame (seen with 3.1).
"""
import contextlib

import pytest

from lib.daemon import Vswitchd
from lib.netns import NetNs
from lib.ovs import Ovs
from lib.patience import Deadline
from switch.test_vlan import PORTS, SENT, VlanLan, build
from switch.wires import BROADCAST, TAGS, Wire, host

NAMES = ["a10", "b10", "a20", "trunk", "native", "native20", "q100", "r100", "plain"]
ONE_TAG = ["untagged", "10", "10-pcp", "20", "29", "30", "1", "4094", "100", "s100", "s10"]
# What may come in by a port of each mode.
LABELS = {"access": ONE_TAG + ["priority"], "trunk": ONE_TAG + ["priority"],
          "tunnel": ONE_TAG + ["priority"], "transparent": ONE_TAG}


def as_ovs_says_it(keys):
    """The columns of the table Port for a port's VLAN keys."""
    mode = keys.get("vlan-mode", "transparent")
    trunks = [vlan for part in str(keys.get("trunks", "")).split(",") if part
              for vlan in range(int(part.split("-")[0]), int(part.split("-")[-1]) + 1)]
    columns = []
    if mode != "transparent":
        native = mode == "trunk" and "tag" in keys
        columns.append(f"vlan_mode={'native-untagged' if native else {'tunnel': 'dot1q-tunnel'}.get(mode, mode)}")
    if "tag" in keys:
        columns.append(f"tag={keys['tag']}")
    if trunks:
        columns.append(f"trunks={','.join(map(str, trunks))}")
    if "qinq-ethtype" in keys:
        columns.append(f"other_config:qinq-ethtype={keys['qinq-ethtype']}")
    return columns


@pytest.fixture(name="both")
def fixture_both(log_sources):
    """(a VlanLan on vswitchd, {port: Wire} on Open vSwitch)"""
    with contextlib.ExitStack() as stack:
        spaces = [stack.enter_context(NetNs(name)) for name in ("ours", "ovs")]
        for space in spaces:
            space.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        daemon = Vswitchd({}, netns=spaces[0])
        daemon.configure({"ports": [{"name": name, "type": "tap", "interface": name, **PORTS[name]} for name in NAMES],
                          "bridges": [{"name": "br0", "ports": NAMES}]})
        stack.enter_context(daemon)
        ovs = stack.enter_context(Ovs(spaces[1], other_config={"vlan-limit": "2"}))
        log_sources.append(lambda: [("Open vSwitch", ovs.log_tail()), ("vswitchd", daemon.log_tail())])
        wires = {}
        for name in NAMES:
            ovs.add_port(name, "tap")
            columns = as_ovs_says_it(PORTS[name])
            if columns:
                ovs.vsctl("set", "Port", name, *columns)
            spaces[1].run(f"ip link set {name} up")
            wires[name] = Wire(spaces[1], name)
            stack.callback(wires[name].close)
        lan = VlanLan(daemon, spaces[0], NAMES)
        stack.callback(lan.close)
        yield lan, wires, ovs


def without_dei(frames):
    """The frames, sorted, with no tag drop eligible."""
    def cleared(frame):
        at, frame = 12, bytearray(frame)
        while bytes(frame[at:at + 2]) in TAGS:
            frame[at + 2] &= 0xef
            at += 4
        return bytes(frame)

    return sorted(cleared(frame) for frame in frames)


def hear(wires, frames, deadline):
    """What Open vSwitch lets out, in all: until it is as much as ours, then a while longer."""
    heard = {name: [] for name in wires}
    while not deadline.expired():
        quiet = True
        for name, wire in wires.items():
            came = wire.heard(0.02)
            heard[name] += came
            quiet &= not came
        if quiet and sum(map(len, heard.values())) >= frames:
            break
    return heard


def test_as_open_vswitch_does_it(both):
    lan, wires, ovs = both
    compared = 0
    for sender in NAMES:
        labels = LABELS[PORTS[sender].get("vlan-mode", "transparent")]
        frames = [build(host(100 + number), BROADCAST, SENT[label], f"{label} from {sender}".encode())
                  for number, label in enumerate(labels)]
        lan.send(sender, *frames)
        ours = lan.heard()
        for frame in frames:
            wires[sender].send_bytes(frame)
        theirs = hear(wires, sum(map(len, ours.values())), Deadline(10, ovs.pid))
        for name in NAMES:
            assert without_dei(ours[name]) == without_dei(theirs[name]), (sender, name)
            compared += len(ours[name])
    assert compared > 100
