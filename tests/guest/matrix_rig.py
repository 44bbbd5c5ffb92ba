# SPDX-License-Identifier: BSD-3-Clause
"""Three stations, made to fit one case of the matrix after the other. a and b are guests on one bridge, with a card for each mask
of revisions. Whoever is far is beyond an uplink: a namespace in the second guest with a card on another bridge, whose uplink
is wired to the first one's. (Not the host itself: not every kernel has VLAN and Geneve devices, the guests' have.)"""
import contextlib
import re

from lab import Lab, card_counters, mac
from matrix import FEATURES, MASKS, REVISION, SIDES, TUNNELS, WHOLE, has_tunnels
from wire import PortCapture, Tcpdump

KERNELS = {"a": "6.12", "b": "6.1"}
STATIONS = ("a", "b", "far")
NUMBER = {"a": 1, "b": 2, "far": 3, "host": 254}
PLAIN, VLAN = 0, 7
# An odd number, so that last frames have odd lengths.
FILE_BYTES = 1_000_003
FAR = "ip netns exec far"
# Bytes that a tunnel puts before the inner IP packet, by the version of IP under it.
TUNNEL_BYTES = {"4": 20 + 8 + 8 + 14, "6": 40 + 8 + 8 + 14}
PORTS = {"vxlan": 4789, "geneve": 6081}
# Reasons that say that a frame was not as its sender meant it, or that the switch could not do what it must.
WRONG = {"tx_bad_desc", "tx_bad_address", "tx_bad_offload", "tx_too_long", "rx_bad_address", "rx_bad_desc",
         "rx_bad_offload", "rx_too_long", "rx_runt", "eth_bad_offload", "eth_no_mbuf", "eth_too_long", "eth_runt"}


def address(net, side, version):
    """The address of a side in one of the networks, which are numbered."""
    return f"10.9.{net}.{NUMBER[side]}" if version == 4 else f"fd00:9:0:{net:x}::{NUMBER[side]:x}"


def in_url(text):
    return f"[{text}]" if ":" in text else text


def tunnel_net(one, other):
    """The number of the network between two sides; also the tunnel's."""
    return 10 + sum({"a": 1, "b": 2, "far": 4}[side] for side in (one, other))


class MatrixRig:
    """with MatrixRig() as rig: rig.use(case); rig.exchange(); rig.check_counters()"""

    def __init__(self):
        cards = 2 * len(MASKS)
        keys = [{"revisions": mask, "tunnel-tso": "whole" if mask == WHOLE else "cut"} for mask in (*MASKS, *MASKS, 0x47)]
        self.lab = Lab(ports=cards + 1, port=lambda number: keys[number - 1])
        self.far_port = f"vm{cards + 1}"
        self.case = None
        self._stack = contextlib.ExitStack()
        self._before = {}
        self.sums = {}

    def __enter__(self):
        try:
            self._stack.enter_context(self.lab)
            self._wire_far_bridge()
            for side in SIDES:
                self.lab.guest(self._first(side), cards=len(MASKS) + (side == "b"), boot=False, kernel=KERNELS[side],
                               mem="384M")
            for side in SIDES:
                self.guest(side).wait_boot().run(
                    "sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "
                    "net.core.rmem_default=8388608; mkdir /tmp/www /tmp/far; "
                    f"for i in www far; do head -c {FILE_BYTES} /dev/urandom >/tmp/$i/file; done")
            self.guest("b").run(f"ip netns add far; ip link set eth{len(MASKS)} netns far name far0; {FAR} ip link set lo up")
            for station in STATIONS:
                www = "/tmp/far" if station == "far" else "/tmp/www"
                self.run(station, f"busybox httpd -p 8080 -h {www}; iperf3 -s -D")
                self.sums[station] = self.run(station, f"md5sum <{www}/file").strip()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *exc):
        return self._stack.__exit__(*exc)

    def _wire_far_bridge(self):
        ctl, netns, near = self.lab.ctl, self.lab.netns, self.lab.host
        ctl.text("port", "add", "up1", "tap", "--interface", "far0", "--mtu", "9000")
        ctl.text("bridge", "add", "br1")
        ctl.text("bridge", "detach", "br0", self.far_port)
        for port in ("up1", self.far_port):
            ctl.text("bridge", "attach", "br1", port)
        netns.run(f"ip addr flush dev {near}; ip link add cable type bridge; ip link set cable mtu 9000; "
                  f"for i in {near} far0; do ip link set $i mtu 9000 master cable up addrgenmode none; done")
        netns.address("cable", *(f"{address(PLAIN, 'host', version)}/{bits}" for version, bits in ((4, 24), (6, 64))))

    @staticmethod
    def _first(side):
        return 1 if side == "a" else 1 + len(MASKS)

    def guest(self, station):
        """The virtual machine that a station is in."""
        return self.lab.guests[self._first(station)]

    def start(self, station, command):
        """Start shell text on a station; returns its Job."""
        if station == "far":
            command = f"{FAR} sh <<'END'\n{command}\nEND"
        return self.guest(station).spawn(command)

    def run(self, station, command, **options):
        """Run shell text on a station and return what it printed."""
        return self.start(station, command).wait(**options)

    def card(self, station):
        """The interface that the case uses."""
        return "far0" if station == "far" else f"eth{MASKS.index(self.case[f'{station}_mask'])}"

    def port(self, side):
        """The switch's port of that interface."""
        return f"vm{self._first(side) + MASKS.index(self.case[f'{side}_mask'])}"

    def mac(self, station):
        """Its address."""
        return mac(int((self.far_port if station == "far" else self.port(station))[2:]))

    def mtu(self, station):
        return self.case[f"{station}_mtu"]

    # ---- a case ----

    def use(self, case):
        """Make the stations fit a case; everything is as the case says, or this fails."""
        if self.case:
            self._leave()
        self.case = case
        self._before["drops"] = self.lab.drops()
        jobs = {station: self.start(station, self._setup(station)) for station in STATIONS}
        jobs.pop("far").wait(timeout=90)
        for side, job in jobs.items():
            self._check_features(side, job.wait(timeout=90))
            shown = self.lab.port(self.port(side))
            assert shown["revision"] == REVISION[KERNELS[side]][case[f"{side}_mask"]], shown
        self._before.update(self._counters())

    def _setup(self, side):
        card, lines = self.card(side), []
        if side in SIDES:
            words = [f"{keyword} {'on' if self.case[f'{side}_{name}'] else 'off'}" for name, keywords in FEATURES.items()
                     for keyword in keywords if name != "tnl" or has_tunnels(self.case[f"{side}_mask"])]
            lines += [f"ethtool -K {card} {' '.join(words)}"]
        words = [f"link set {card} mtu {self.mtu(side)} up", *self._addresses(card, PLAIN, side)]
        words += self._vlan(side, card) if self.case["net"] == "vlan" else []
        if self.case["net"] in TUNNELS:
            for other in STATIONS:
                words += self._tunnel(side, other) if other != side else []
        # One process for all: an emulated CPU takes long to start one.
        lines += ["ip -b - <<E", *words, "E",
                  f"for i in $(seq 100); do grep -q 1 /sys/class/net/{card}/carrier && break; sleep 0.1; done",
                  f"ethtool -k {card}"]
        return "\n".join(["set -e", *lines])

    @staticmethod
    def _addresses(interface, net, side):
        return [f"addr replace {address(net, side, 4)}/24 dev {interface}",
                f"addr replace {address(net, side, 6)}/64 dev {interface} nodad"]

    def _vlan(self, side, card):
        return [f"link add link {card} name n{VLAN} type vlan id {VLAN}", f"link set n{VLAN} up",
                *self._addresses(f"n{VLAN}", VLAN, side)]

    def _tunnel(self, side, other):
        kind, under = self.case["net"], self.case["under"]
        version = int(under[0])
        net = tunnel_net(side, other)
        check = "udpcsum" if under.endswith("sum") else "noudpcsum"
        check += "" if version == 4 else " noudp6zerocsumtx noudp6zerocsumrx"
        ends = f"remote {address(PLAIN, other, version)}"
        ends += f" local {address(PLAIN, side, version)}" if kind == "vxlan" else ""
        return [f"link add n{net} type {kind} id {net} {ends} dstport {PORTS[kind]} {check}",
                f"link set n{net} mtu {self.mtu(side) - TUNNEL_BYTES[under[0]]} up",
                *self._addresses(f"n{net}", net, side)]

    def _check_features(self, side, shown):
        for name, keywords in FEATURES.items():
            for text in keywords.values():
                state = re.search(rf"^\s*{re.escape(text)}: (on|off)", shown, re.MULTILINE)
                wanted = "on" if self.case[f"{side}_{name}"] else "off"
                assert state and state[1] == wanted, f"{side}: {text} is not {wanted}:\n{shown}"

    def _leave(self):
        """Take the networks of a case away again."""
        jobs = [self.start(station, "for i in /sys/class/net/n[0-9]*; do [ ! -e $i ] || echo link del ${i##*/}; done >/tmp/leave.$$; "
                           f"echo link set {self.card(station)} down >>/tmp/leave.$$; ip -b /tmp/leave.$$; "
                           "rm -f /tmp/leave.$$ /tmp/www/cap") for station in STATIONS]
        for job in jobs:
            job.wait()
        # An address is another card's next time.
        self.lab.netns.run("ip neigh flush dev cable")
        self.case = None

    def to(self, side, other):
        """The address by which a side reaches another in the case's network."""
        net = {"plain": PLAIN, "vlan": VLAN}.get(self.case["net"]) if self.case["net"] not in TUNNELS \
            else tunnel_net(side, other)
        return address(net, other, self.case["ip"])

    # ---- traffic ----

    def exchange(self):
        """Files between all three, all ways at the same time; then full frames that must not be cut, and datagrams."""
        jobs = {station: self.start(station, self._fetch(station)) for station in STATIONS}
        for station, job in jobs.items():
            assert job.wait(timeout=240).splitlines() == [self.sums[other] for other in STATIONS if other != station], \
                f"{station} fetched other bytes than the others have: {job.output}"
        for job in [self.start(one, self._poke(one, other)) for one, other in (("a", "b"), ("b", "far"))]:
            job.wait(timeout=120)

    def _fetch(self, side):
        return "\n".join(f"busybox wget -q -O - http://{in_url(self.to(side, other))}:8080/file | md5sum"
                         for other in STATIONS if other != side)

    def _poke(self, side, other):
        there, largest = self.to(side, other), min(self.mtu(side), self.mtu(other))
        if self.case["net"] in TUNNELS:
            largest -= TUNNEL_BYTES[self.case["under"][0]]
        header = 28 if self.case["ip"] == 4 else 48
        return (f"ping -n -q -c 1 -W 20 -M do -s {largest - header} {there} || exit 1\n"
                # Its server opens its socket anew after each test: only who comes just before that tries again.
                f"for i in 1 2 3 4 5; do iperf3 -u --bidir -c {there} -l {largest - header} -n 200K -b 40M "
                "--connect-timeout 20000 >/tmp/iperf.$$ 2>&1 && exit 0; cat /tmp/iperf.$$; sleep 0.5; done; exit 1")

    # ---- what it left ----

    def _counters(self):
        """Of each side, what its kernel and its card count."""
        jobs = {side: self.start(side, f"cat /proc/net/netstat /proc/net/snmp; cat /proc/net/snmp6; ethtool -S {self.card(side)}")
                for side in SIDES}
        return {side: self._read_counters(*job.wait().split("NIC statistics:\n")) for side, job in jobs.items()}

    @staticmethod
    def _read_counters(text, card):
        values = {name: int(value) for name, value in re.findall(r"^(Udp6InCsumErrors|Icmp6InCsumErrors)\s+(\d+)", text,
                                                                 re.MULTILINE)}
        lines = [line.split() for line in text.splitlines() if re.match(r"\w+: ", line)]
        for names, numbers in zip(lines[::2], lines[1::2]):
            values.update({names[0] + name: int(number) for name, number in zip(names[1:], numbers[1:])
                           if name == "InCsumErrors"})
        return {**values, **card_counters(card)}

    def check_counters(self):
        """Neither the kernels nor the switch saw a wrong frame; large receives only where they are wanted."""
        for side, after in self._counters().items():
            before = self._before[side]
            moved = {name: after[name] - before.get(name, 0) for name in after}
            wrong = {name: count for name, count in moved.items() if count and ("CsumErrors" in name or "err" in name)}
            assert not wrong, f"{side}: {wrong}"
            assert self.case[f"{side}_lro"] or not moved["LRO pkts rx"], f"{side}: large receives without LRO"
            assert not moved["TSO pkts tx"] or self.case[f"{side}_tx"], f"{side}: {moved}"
        drops = {key: count - self._before["drops"].get(key, 0) for key, count in self.lab.drops().items()}
        assert not {key: count for key, count in drops.items() if count and key[1] in WRONG}, drops

    def is_final(self, side):
        """Whether frames leave a side with their checksums complete and uncut."""
        return side == "far" or not self.case[f"{side}_tx"]

    def sees_frames(self, side):
        """Whether a capture in a guest shows the frames as its card delivered them."""
        return not self.case[f"{side}_lro"] and not self.case[f"{side}_gro"]

    @contextlib.contextmanager
    def captures(self, folder, name):
        """Capture a case: yields {what: file}; the files are complete afterwards."""
        files = {"uplink": folder / f"{name}-uplink.pcap"}
        watched = [side for side in SIDES if self.sees_frames(side)]
        jobs = {}
        with contextlib.ExitStack() as stack:
            stack.enter_context(Tcpdump(self.lab.netns, self.lab.host, files["uplink"]))
            for side in SIDES:
                files[f"port {side}"] = folder / f"{name}-port-{side}.pcapng"
                stack.enter_context(PortCapture(self.lab, self.port(side), files[f"port {side}"]))
            for side in watched:
                jobs[side] = self.guest(side).spawn(
                    f"exec tcpdump -n -p -Z root -i {self.card(side)} -Q in -s 0 -B 16384 -w /tmp/www/cap 2>/tmp/tcpdump")
            for side in watched:
                self.guest(side).run("for i in $(seq 200); do grep -q 'listening on' /tmp/tcpdump && exit; sleep 0.1; done; "
                                     "cat /tmp/tcpdump; exit 1")
            yield files
            for side in watched:
                self.guest(side).run("kill -INT $(pidof tcpdump)")
                jobs[side].wait(timeout=30)
        for side in watched:
            files[f"guest {side}"] = folder / f"{name}-guest-{side}.pcap"
            self.lab.netns.run(f"busybox wget -q -O {files[f'guest {side}']} "
                               f"http://{in_url(address(PLAIN, side, self.case['ip']))}:8080/cap", timeout=120)
