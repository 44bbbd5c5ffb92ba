# SPDX-License-Identifier: BSD-3-Clause
"""VLANs: who hears a frame, and with which tags, bit for bit."""
import pytest

from lib.ctl import CtlError

from .conftest import drops, fdb, until
from .wires import BROADCAST, ETHER_TYPE, Wire, host, mac_bytes, tag

S_TAG = 0x88a8

# name: (configuration, what it is: see Model)
PORTS = {
    "a10": {"vlan-mode": "access", "tag": 10},
    "b10": {"vlan-mode": "access", "tag": 10},
    "a20": {"vlan-mode": "access", "tag": 20},
    "trunk": {"vlan-mode": "trunk", "trunks": "10,20-29"},
    "every": {"vlan-mode": "trunk"},
    "native": {"vlan-mode": "trunk", "tag": 10, "trunks": "20,100"},
    "native20": {"vlan-mode": "trunk", "tag": 20, "trunks": "10-19"},
    "q100": {"vlan-mode": "tunnel", "tag": 100},
    "r100": {"vlan-mode": "tunnel", "tag": 100, "qinq-ethtype": "802.1q"},
    "plain": {},
}
VLANS = {"trunk": {10, *range(20, 30)}, "every": set(range(1, 4095)), "native": {10, 20, 100}, "native20": set(range(10, 21))}

# Tags of a frame, outermost first, as (tpid, tci); with PCP and DEI in all their bits.
SENT = {
    "untagged": [], "priority": [(0x8100, 0xe000)], "priority-dei": [(0x8100, 0x7000)], "10": [(0x8100, 10)], "10-pcp": [(0x8100, 0xb00a)],
    "20": [(0x8100, 0x5014)], "29": [(0x8100, 29)], "30": [(0x8100, 0xe01e)], "1": [(0x8100, 1)], "4094": [(0x8100, 0x3ffe)],
    "4095": [(0x8100, 0xffff)], "100": [(0x8100, 0x2064)], "s100": [(S_TAG, 0xf064)], "s10": [(S_TAG, 0x100a)], "s0": [(S_TAG, 0x6000)],
    "10-in-100": [(S_TAG, 0x4064), (0x8100, 0x900a)], "20-in-10": [(0x8100, 0x200a), (0x8100, 0x4014)], "10-in-20": [(0x8100, 20), (0x8100, 10)],
    "20-in-priority": [(0x8100, 0xc000), (0x8100, 20)], "three": [(S_TAG, 100), (0x8100, 10), (0x8100, 20)],
    "four": [(S_TAG, 100), (S_TAG, 0x5065), (0x8100, 0xe00a), (0x8100, 20)],
}


class Model:
    """What the manual page says, in the fewest words."""

    def __init__(self, config):
        self.mode, self.own = config.get("vlan-mode", "transparent"), config.get("tag", 0)
        self.vlans, self.config = None, config

    def enter(self, tags):
        """(VLAN, its tag, the tags that are not of the switch) or the name of a drop."""
        if self.mode == "tunnel":
            return self.own, (0x8100 if "qinq-ethtype" in self.config else S_TAG, self.own), tags
        first, rest = (tags[0], tags[1:]) if tags else (None, [])
        if self.mode == "transparent":
            return (first[1] & 0xfff, first, rest) if first else (0, None, [])
        plain = first is None or (first[0] == 0x8100 and first[1] & 0xfff == 0)
        if self.mode == "access":
            if not plain or rest:
                return "vlan_tagged"
        elif not plain:
            vlan = first[1] & 0xfff
            return (vlan, first, rest) if vlan in self.vlans else "vlan_ingress"
        elif not self.own:
            return "vlan_ingress"
        return self.own, (0x8100, (first[1] & 0xf000 if first else 0) | self.own), rest

    def leave(self, vlan, own_tag, rest):
        """The tags of the frame as it leaves, None: not by this port, or "vlan_second_tag"."""
        if self.mode == "transparent":
            return ([own_tag] if own_tag else []) + rest
        if vlan == 0 or vlan not in (self.vlans or {self.own}):
            return None
        if self.mode == "tunnel":
            return rest
        if self.mode == "trunk" and vlan != self.own:
            return [own_tag] + rest
        return "vlan_second_tag" if rest else []


def model(name):
    made = Model(PORTS[name])
    made.vlans = VLANS.get(name)
    return made


def build(src, dst, tags, payload):
    """A frame; long enough that no one pads it."""
    inside = b"".join(tag(tci, tpid) for tpid, tci in tags)
    return mac_bytes(dst) + mac_bytes(src) + inside + ETHER_TYPE + payload.ljust(80, b".")


class VlanLan:
    """Ports by name, each with somebody who hears what comes out of it."""

    def __init__(self, daemon, netns, names):
        self.daemon = daemon
        self.wires = {name: Wire(netns, name) for name in names}

    def settle(self):
        """Wait until all that was sent has gone wherever it goes."""
        def loops():
            return [worker["loops"] for worker in self.daemon.ctl.json("worker", "list")]

        # In a round that begins after now, a core takes what waits, and it counts a round when it has done it.
        before = loops()
        until(self.daemon, lambda: all(now >= then + 3 for now, then in zip(loops(), before)), "each core has looked again")

    def send(self, name, *frames):
        """Send frames and let them arrive."""
        want = self.received(name) + len(frames)
        for frame in frames:
            self.wires[name].send_bytes(frame)
        until(self.daemon, lambda: self.received(name) >= want, f"the switch has the frames of {name}")
        self.settle()

    def received(self, name):
        """Frames that the switch got from a port."""
        return next(port["rx_frames"] for port in self.daemon.ctl.json("stats") if port["port"] == name)

    def heard(self):
        """{port: frames} since the last time."""
        return {name: wire.heard() for name, wire in self.wires.items()}

    def close(self):
        for wire in self.wires.values():
            wire.close()


@pytest.fixture
def vlans(switch_ns, vswitchd):
    """vlans({name: VLAN keys}, **bridge): a VlanLan of taps."""
    opened = []

    def start(ports, **bridge):
        daemon = vswitchd({
            "workers": {"idle": {"steps": [{"after-us": 1000, "sleep-us": 50}]}},
            "ports": [{"name": name, "type": "tap", "interface": name, **keys} for name, keys in ports.items()],
            "bridges": [{"name": "br0", "ports": list(ports), **bridge}],
        }, netns=switch_ns)
        opened.append(VlanLan(daemon, switch_ns, ports))
        return daemon, opened[-1]

    yield start
    for lan in opened:
        lan.close()


def test_every_frame_on_every_port(vlans):
    """All pairings of modes and tags: each port hears exactly what it shall, and nothing else comes out of any."""
    daemon, lan = vlans(PORTS)
    expected_drops = {name: {} for name in PORTS}
    for sender in PORTS:
        frames, expected = [], {name: [] for name in PORTS}
        for number, (label, tags) in enumerate(SENT.items()):
            payload = f"{label} from {sender}".encode()
            # To all, and to a station that nobody knows: both are flooded.
            dst = BROADCAST if number % 2 else host(0x900)
            frames.append(build(host(number), dst, tags, payload))
            way = model(sender).enter(tags)
            if isinstance(way, str):
                expected_drops[sender][way] = expected_drops[sender].get(way, 0) + 1
                continue
            for name in PORTS:
                out = model(name).leave(*way) if name != sender else None
                if out == "vlan_second_tag":
                    expected_drops[name][out] = expected_drops[name].get(out, 0) + 1
                elif out is not None:
                    expected[name].append(build(host(number), dst, out, payload))
        lan.send(sender, *frames)
        assert lan.heard() == expected, sender
        daemon.ctl.text("fdb", "flush")
    for name in PORTS:
        assert {why: n for why, n in drops(daemon, name).items() if why.startswith("vlan")} == expected_drops[name], name
    assert sum(sum(counts.values()) for counts in expected_drops.values()) > 30


def test_same_address_in_two_vlans(vlans):
    """Learning is per VLAN: a station in each, with one address, behind different ports."""
    daemon, lan = vlans({name: PORTS[name] for name in ("a10", "a20", "every", "trunk")})
    lan.send("a10", build(host(1), BROADCAST, [], b"I am in 10"))
    lan.send("a20", build(host(1), BROADCAST, [], b"I am in 20"))
    lan.heard()
    known = {(entry["mac"], entry["vlan"]): entry["port"] for entry in daemon.ctl.json("fdb", "list", "br0")}
    assert known == {(host(1), 10): "a10", (host(1), 20): "a20"}
    assert daemon.ctl.json("bridge", "show", "br0")["fdb_moves"] == 0
    for vlan, port in ((10, "a10"), (20, "a20")):
        lan.send("every", build(host(2), host(1), [(0x8100, 0xe000 | vlan)], b"for one"))
        heard = lan.heard()
        assert heard.pop(port) == [build(host(2), host(1), [], b"for one")]
        assert not any(heard.values()), "it is known, so nobody else hears it"
    lan.send("every", build(host(2), host(1), [(0x8100, 21)], b"unknown in 21"))
    assert {name: len(frames) for name, frames in lan.heard().items()} == {"a10": 0, "a20": 0, "every": 0, "trunk": 1}


def test_without_vlans_tags_pass_and_addresses_are_one_table(vlans):
    daemon, lan = vlans({"x": {}, "y": {}, "z": {}})
    lan.send("x", build(host(1), BROADCAST, [(0x8100, 0xb00a)], b"one"))
    assert lan.heard() == {"x": [], "y": [build(host(1), BROADCAST, [(0x8100, 0xb00a)], b"one")],
                           "z": [build(host(1), BROADCAST, [(0x8100, 0xb00a)], b"one")]}
    assert [(entry["mac"], entry["vlan"]) for entry in daemon.ctl.json("fdb", "list")] == [(host(1), 0)]
    lan.send("y", build(host(2), host(1), [(S_TAG, 7), (0x8100, 8)], b"two"))
    assert lan.heard() == {"x": [build(host(2), host(1), [(S_TAG, 7), (0x8100, 8)], b"two")], "y": [], "z": []}


def test_change_at_run_time(vlans):
    daemon, lan = vlans({"x": {}, "y": {}, "z": {}})

    def hears(tags, *ports):
        lan.send("x", build(host(1), BROADCAST, tags, b"who?"))
        assert {name for name, frames in lan.heard().items() if frames} == set(ports)

    def set_port(*words):
        daemon.ctl.text("port", "set", *words)

    hears([], "y", "z")
    set_port("y", "vlan-mode", "access", "tag", "10")
    hears([], "z")
    hears([(0x8100, 10)], "y", "z")
    set_port("y", "tag", "11")
    hears([(0x8100, 10)], "z")
    hears([(0x8100, 11)], "y", "z")
    set_port("y", "vlan-mode", "trunk", "trunks", "12-13")
    hears([(0x8100, 11)], "z")
    hears([(0x8100, 13)], "y", "z")
    set_port("x", "vlan-mode", "access", "tag", "13", "link", "up")
    hears([], "y", "z")
    conf = daemon.ctl.json("port", "show", "y")["conf"]
    assert (conf["vlan-mode"], conf["tag"], conf["trunks"]) == ("trunk", 0, "12-13")
    # An address that was learnt by the old rules is not believed by the new ones.
    lan.send("z", build(host(3), BROADCAST, [(0x8100, 13)], b"here"))
    lan.heard()
    set_port("z", "vlan-mode", "access", "tag", "14")
    assert host(3) not in fdb(daemon)
    lan.send("x", build(host(1), host(3), [], b"to 3"))
    assert {name: len(frames) for name, frames in lan.heard().items()} == {"x": 0, "y": 1, "z": 0}
    for port in ("x", "y", "z"):
        set_port(port, "vlan-mode", "transparent")
    hears([(0x8100, 99)], "y", "z")
    assert daemon.ctl.json("port", "show", "y")["conf"].get("trunks") is None


REFUSED = [
    ("vlan-mode access", "key 'tag' is missing; vlan-mode access needs a VLAN, 1 to 4094"),
    ("vlan-mode tunnel", "key 'tag' is missing; vlan-mode tunnel needs a VLAN"),
    ("vlan-mode access tag 10 trunks 1-2", "key 'trunks' has no meaning without vlan-mode trunk"),
    ("vlan-mode trunk qinq-ethtype 802.1q", "key 'qinq-ethtype' has no meaning without vlan-mode tunnel"),
    ("tag 10", "key 'tag' has no meaning without vlan-mode access, trunk or tunnel"),
    ("vlan-mode trunk trunks 10-", "trunks '10-' is no list of VLANs; allowed: numbers from 1 to 4094 and ranges, such as 10,20-29"),
    ("vlan-mode trunk trunks 0", "trunks '0' is no list of VLANs"),
    ("vlan-mode trunk trunks 4095", "is no list of VLANs"),
    ("vlan-mode trunk trunks 29-20", "is no list of VLANs"),
    ("vlan-mode trunk trunks 1,,2", "is no list of VLANs"),
    ("vlan-mode trunk trunks 99999999999999999999", "is no list of VLANs"),
    ("vlan-mode access tag 4095", "parameter 'tag' must be a number; allowed: 0 to 4094"),
    ("vlan-mode hybrid", "hybrid"),
]


def test_wrong_settings_are_refused_and_change_nothing(vlans):
    daemon, lan = vlans({"x": {}, "y": {}})
    before = daemon.ctl.json("config", "show")
    for words, sentence in REFUSED:
        with pytest.raises(CtlError) as error:
            daemon.ctl.text("port", "set", "y", *words.split())
        assert sentence in error.value.message
    assert daemon.ctl.json("config", "show") == before


def test_wire_passes_all_vlans(vlans):
    daemon, lan = vlans({"x": {}, "y": {}}, type="wire")
    for tags in SENT.values():
        lan.send("x", build(host(1), BROADCAST, tags, b"through"))
        assert lan.heard() == {"x": [], "y": [build(host(1), BROADCAST, tags, b"through")]}
    with pytest.raises(CtlError, match="is a wire and passes the frames of all VLANs: port x has to have vlan-mode transparent"):
        daemon.ctl.text("port", "set", "x", "vlan-mode", "access", "tag", "10")
    daemon.ctl.text("bridge", "detach", "br0", "x")
    daemon.ctl.text("port", "set", "x", "vlan-mode", "access", "tag", "10")
    with pytest.raises(CtlError, match="is a wire and passes the frames of all VLANs"):
        daemon.ctl.text("bridge", "attach", "br0", "x")


def test_saved_configuration_has_the_vlans(vlans):
    daemon, _ = vlans(PORTS)
    import yaml  # pylint: disable=import-outside-toplevel

    text = daemon.ctl.json("config", "show")["yaml"]
    ports = {port["name"]: port for port in yaml.safe_load(text)["ports"]}
    for name, keys in PORTS.items():
        assert {key: str(ports[name][key]) for key in keys} == {key: str(value) for key, value in keys.items()}
        assert set(ports[name]) == {"name", "type", "interface", *keys}


def test_link_local_frames_stay_in_their_vlan(vlans):
    daemon, lan = vlans({name: PORTS[name] for name in ("a10", "b10", "a20")})
    lan.send("a10", build(host(1), "01:80:c2:00:00:0e", [], b"LLDP"))
    assert {name: len(frames) for name, frames in lan.heard().items()} == {"a10": 0, "b10": 1, "a20": 0}
    assert not drops(daemon, "a10")
