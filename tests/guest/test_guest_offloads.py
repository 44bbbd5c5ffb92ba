# SPDX-License-Identifier: BSD-3-Clause
"""Offloads in every combination: a cover of all pairs of what guests turn on and off, of their MTUs, of IP's versions, of the
networks inside the guests, and of the card's revisions; of all triples with --long.

Each case sends files between two guests and a third station beyond an uplink, all ways at once. They must arrive as they are; the
kernels count no wrong checksum; and the captures, which tshark judges when all cases are done, show no wrong checksum and no frame that is too
long: on the uplink, where everything must be final; in the receiving guest, where it merges nothing; on the switch's ports,
if the sender left nothing to do.
"""
import dataclasses
import itertools
from pathlib import Path

import pytest
from lab import counters
from matrix import FEATURES, WHOLE, offload_matrix, seeds, title
from matrix_rig import FILE_BYTES, STATIONS, MatrixRig, address, in_url, tunnel_net
from overlay import CALICO, FLANNEL, Node, pod
from scapy.all import IP, TCP, UDP, Dot1Q, Ether, IPv6, wrpcap  # pylint: disable=no-name-in-module
from scapy.contrib.geneve import GENEVE
from scapy.layers.vxlan import VXLAN
from wire import Tcpdump, dissect

MATRIX = offload_matrix()
# Captures that one run of tshark reads.
CHUNK = 120


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        strength = 3 if metafunc.config.getoption("--long") else 2
        cases = MATRIX.cases(strength, seeds())
        metafunc.parametrize("case", cases, ids=title)


@pytest.fixture(name="rig", scope="module")
def fixture_rig():
    with MatrixRig() as rig:
        yield rig


@pytest.fixture(name="folder", scope="module")
def fixture_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("captures")


@dataclasses.dataclass
class Capture:
    """A file of frames, and what must hold of those of some senders: they are final, and at most so long."""

    title: str
    file: Path
    limits: dict  # {sender's MAC address: bytes behind the Ethernet header}


@pytest.fixture(name="taken", scope="module")
def fixture_taken():
    """The captures of all cases."""
    return []


def captures_of(rig, case, files):
    """What the captures of a case must show."""
    limits = {what: {} for what in files}
    for side in STATIONS:
        for what in files:
            place, _, owner = what.partition(" ")
            if place == "port":
                limit = rig.mtu(side) if rig.is_final(side) else None
            else:
                limit = min(rig.mtu(side), rig.mtu(owner or "far"))
            if limit:
                limits[what][rig.mac(side)] = limit
    return [Capture(f"{title(case)} {what}", file, limits[what]) for what, file in files.items()]


def faults(capture, frames):
    """What is wrong with the frames of a capture, a line each."""
    found = []
    for number, frame in enumerate(frames, 1):
        limit = capture.limits.get(frame.source)
        if limit is None:
            continue
        if frame.bad or frame.malformed or frame.length > limit:
            found.append(f"{capture.title}: frame {number} of {frame.source}: {frame.length} bytes of {limit}, "
                         f"wrong: {frame.bad}{' malformed' if frame.malformed else ''}")
    return found


def test_a_wrong_frame_would_be_found(folder):
    """Wrong inner and outer checksums and a long frame; else the captures' silence would mean nothing."""
    outer = Ether(src="02:00:00:00:00:01") / IP(dst="192.0.2.1")
    inner = Ether() / IP(dst="192.0.2.2")
    frames = [outer / TCP() / bytes(1460), outer / TCP(chksum=1) / b"x", outer / UDP(dport=4789) / VXLAN() / inner / TCP(chksum=1),
              outer / UDP(sport=50000, dport=6081) / GENEVE(proto=0x6558) / inner / UDP(chksum=1) / b"x",
              outer / UDP(dport=4789, chksum=1) / VXLAN() / inner / TCP(),
              outer / UDP(dport=4789) / VXLAN() / Ether() / IPv6() / TCP(chksum=1), outer / TCP() / bytes(1461),
              Ether(src="02:00:00:00:00:01") / Dot1Q(vlan=7) / IP(chksum=1) / TCP(), outer / TCP(flags="S")]
    wrpcap(str(folder / "wrong.pcap"), frames)
    capture = Capture("wrong", folder / "wrong.pcap", {"02:00:00:00:00:01": 1500})
    dissected = dissect([capture.file], folder)
    assert [number for number in range(1, 10) if faults(capture, [dissected[number - 1]])] == [2, 3, 4, 5, 6, 7, 8]


def test_all_combinations_are_covered(pytestconfig):
    strength = 3 if pytestconfig.getoption("--long") else 2
    cases = MATRIX.cases(strength, seeds())
    assert all(MATRIX.allowed(case) for case in cases)
    for names in itertools.combinations(MATRIX.names, strength):
        have = {tuple(case[name] for name in names) for case in cases}
        for values in itertools.product(*(MATRIX.factors[name] for name in names)):
            assert values in have or MATRIX.complete(dict(zip(names, values))) is None, (names, values)


def test_case(rig, case, folder, taken, log_sources):
    log_sources.append(rig.lab.logs)
    rig.use(case)
    with rig.captures(folder, f"case{len(taken)}") as files:
        rig.exchange()
    rig.check_counters()
    taken.extend(captures_of(rig, case, files))


def test_no_wrong_frame_in_any_capture(taken, folder):
    found, seen = [], 0
    for start in range(0, len(taken), CHUNK):
        captures = taken[start:start + CHUNK]
        frames = dissect([capture.file for capture in captures], folder)
        for index, capture in enumerate(captures):
            mine = [frame for frame in frames if frame.capture == index]
            good = sum(frame.good for frame in mine if frame.source in capture.limits)
            seen += good
            assert good > 100 or not capture.limits, f"{capture.title} shows nothing: {len(mine)} frames"
            found += faults(capture, mine)
    assert not found, f"{len(found)} wrong frames:\n" + "\n".join(found[:100])
    print(f"{seen} checksums were right")


# ---- what users ran into, by name ----

def usual(**other):
    """A case of guests as they come, but for `other`."""
    return MATRIX.complete({**seeds()[0], **other})


def judge(rig, case, files, folder):
    """Nothing in these captures is wrong; returns {what: frames}."""
    captures = captures_of(rig, case, files)
    frames = dissect([capture.file for capture in captures], folder)
    by_capture = [[frame for frame in frames if frame.capture == index] for index in range(len(captures))]
    found = [line for capture, mine in zip(captures, by_capture) for line in faults(capture, mine)]
    assert not found, "\n".join(found[:50])
    return dict(zip(files, by_capture))


def test_frames_of_16_kib_to_a_receiver_with_an_mtu_of_9000(rig, folder, log_sources):
    """A Solaris driver's large frames of 16 KiB once vanished on their way to receivers with jumbo frames and without LRO: all
    that is sent must arrive, in frames that fit."""
    log_sources.append(rig.lab.logs)
    case = usual(a_mtu=9000, b_mtu=9000, far_mtu=9000, b_lro=False, b_gro=False)
    rig.use(case)
    rig.run("a", f"ip link set {rig.card('a')} gso_max_size 16384 gso_ipv4_max_size 16384 2>/dev/null || "
                 f"ip link set {rig.card('a')} gso_max_size 16384")
    try:
        with rig.captures(folder, "lso") as files:
            rig.exchange()
    finally:
        rig.run("a", f"ip link set {rig.card('a')} gso_max_size 65536 gso_ipv4_max_size 65536 2>/dev/null || "
                     f"ip link set {rig.card('a')} gso_max_size 65536")
    rig.check_counters()
    seen = judge(rig, case, files, folder)
    sent = [frame.length for frame in seen["port a"] if frame.source == rig.mac("a")]
    arrived = [frame.length for frame in seen["guest b"] if frame.source == rig.mac("a")]
    assert 9000 < max(sent) <= 16384 and max(arrived) == 9000, (max(sent), max(arrived))


@pytest.mark.parametrize("kind", [FLANNEL, CALICO], ids=["flannel", "calico"])
def test_container_overlay_with_default_settings(rig, kind, folder, log_sources):
    """"Ping works, TCP does not": pods of three nodes over VXLAN, all settings left alone; full frames both ways, on the wire
    with right checksums inside and outside."""
    log_sources.append(rig.lab.logs)
    case = usual(far_mtu=1500)
    rig.use(case)
    nodes = {station: Node(number, rig.card(station), address(0, station, 4)) for number, station in enumerate(STATIONS, 1)}
    try:
        for station, node in nodes.items():
            rig.guest(station).run(f"ip netns add {node.pod}")  # not from within another's view of such names
            rig.run(station, node.join(kind, [other for other in nodes.values() if other is not node]))
            rig.run(station, node.inside(f"busybox httpd -p 8080 -h /tmp/{'far' if station == 'far' else 'www'}"))
        with Tcpdump(rig.lab.netns, rig.lab.host, folder / f"{kind.device}.pcap"):
            jobs = {}
            for station, node in nodes.items():
                fetch = [node.inside(f"busybox wget -q -O - http://{pod(other.number)}:8080/file") + " | md5sum"
                         for other in nodes.values() if other is not node]
                jobs[station] = rig.start(station, "\n".join(fetch))
            for station, job in jobs.items():
                assert job.wait(timeout=90).splitlines() == [rig.sums[other] for other in STATIONS if other != station]
    finally:
        for station, node in nodes.items():
            rig.run(station, node.leave(kind), check=False)
            rig.guest(station).run(f"ip netns del {node.pod}", check=False)
    rig.check_counters()
    uplink = judge(rig, case, {"uplink": folder / f"{kind.device}.pcap"}, folder)["uplink"]
    for station in ("a", "b"):
        assert max(frame.length for frame in uplink if frame.source == rig.mac(station)) == 1500


# ---- large frames inside of tunnels, whole ----

@pytest.mark.parametrize("mask", [pytest.param(WHOLE, id="whole"), pytest.param(0x47, id="cut", marks=pytest.mark.long)])
@pytest.mark.parametrize("net,ip,under", [("vxlan", 4, "4"), ("geneve", 6, "6+sum")], ids=["vxlan", "geneve"])
def test_large_frames_inside_of_tunnels(rig, net, ip, under, mask, log_sources):
    """They come whole where the port says so, else cut; the data is the same."""
    log_sources.append(rig.lab.logs)
    rig.use(usual(net=net, ip=ip, under=under, a_mask=mask, b_mask=mask))
    before = counters(rig.guest("b"), rig.card("b"))
    rig.exchange()
    rig.check_counters()
    after = counters(rig.guest("b"), rig.card("b"))
    frames, size = (after[f"LRO {what} rx"] - before[f"LRO {what} rx"] for what in ("pkts", "byte"))
    assert (size > FILE_BYTES / 2 and size / frames > 5000) if mask == WHOLE else frames == 0, (frames, size)


def test_large_frames_from_a_tunnel_into_a_bridge(rig, log_sources):
    """The tunnel ends in a bridge, behind which somebody else lives, to whom the guest has to send on what it got."""
    log_sources.append(rig.lab.logs)
    rig.use(usual(net="vxlan", ip=4, under="4+sum", a_mask=WHOLE, b_mask=WHOLE))
    tunnel = tunnel_net("a", "b")
    guest, there = rig.guest("b"), address(tunnel, "b", 4)
    guest.run(f"ip netns add inside; ip link add br1 type bridge; ip link set br1 up; ip addr flush dev n{tunnel}; "
              f"ip link add inside0 type veth peer name eth0 netns inside; ip link set inside0 mtu 1450 master br1 up; "
              f"ip link set n{tunnel} master br1; ip -n inside link set eth0 mtu 1450 up; "
              f"ip -n inside addr add {there}/24 dev eth0; ip netns exec inside busybox httpd -p 8080 -h /tmp/www")
    try:
        before = counters(guest, rig.card("b"))["LRO pkts rx"]
        fetch = f"busybox wget -q -O - http://{in_url(address(tunnel, 'a', 4))}:8080/file | md5sum"
        assert guest.run(f"ip netns exec inside sh -c '{fetch}'", timeout=60).strip() == rig.sums["a"]
        assert rig.run("a", f"busybox wget -q -O - http://{in_url(there)}:8080/file | md5sum").strip() == rig.sums["b"]
        assert counters(guest, rig.card("b"))["LRO pkts rx"] > before, "nothing large came: the bridge had nothing to do"
    finally:
        guest.run("kill $(ip netns pids inside); ip netns del inside; ip link del br1")
    rig.check_counters()


# ---- changes during a transfer ----

@pytest.mark.parametrize("net,switched", [("plain", ("lro", "rx")), ("vlan", ("rxvlan", "rx", "txvlan"))])
def test_features_change_during_a_transfer(rig, net, switched, log_sources):
    """ethtool -K while data flows: the data stays intact, and the switch knows at once what the driver wants."""
    log_sources.append(rig.lab.logs)
    rig.use(usual(net=net, a_lro=net == "plain", b_lro=False))
    card, url = rig.card("a"), f"http://{in_url(rig.to('a', 'b'))}:8080/file"
    transfer = rig.start("a", f"until [ -e /tmp/enough ]; do busybox wget -q -O - {url} | md5sum; done; rm /tmp/enough")
    try:
        for _ in range(3):
            for name in switched:
                for state in ("off", "on"):
                    rig.run("a", f"ethtool -K {card} {next(iter(FEATURES[name]))} {state}")
                    shown = rig.lab.port(rig.port("a"))["device"]["features"]
                    bit = {"rx": "rxcsum"}.get(name, name)
                    assert name == "txvlan" or (bit in shown) == (state == "on"), (name, state, shown)
                if name == "rx" and net == "plain":  # the kernel has turned LRO off with it, and back on
                    rig.run("a", f"ethtool -K {card} lro on")
    finally:
        rig.run("a", "touch /tmp/enough")
    sums = transfer.wait(timeout=120).split("\n")[:-1]
    assert len(sums) >= 2 and set(sums) == {rig.sums["b"]}, sums
