# SPDX-License-Identifier: BSD-3-Clause
"""Captures: what Wireshark's and scapy's readers make of them, held against the frames that were sent."""
import os
import pty
import signal
import subprocess
import threading
import time

import pytest
from lib.patience import Deadline
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Dot1Q, Ether

from .lab import A, B, contents, frame, said, tshark

LENGTHS = [60, 61, 62, 63, 64, 65, 128, 590, 1513, 1514, 9014]


def test_every_byte(lab):
    """Frames of all lengths arrive in the file as they were sent, in order, with time, port and direction."""
    frames = [frame(length, number) for number, length in enumerate(LENGTHS)]
    before = time.time()
    capture = lab.capture("t0")
    lab.send(0, frames)
    assert said(capture.end()) == (len(frames), 0)
    assert contents(capture.file) == frames
    rows = tshark(capture.file, "frame.len", "frame.interface_name", "frame.packet_flags_direction", "frame.time_epoch")
    assert [int(row[0]) for row in rows] == LENGTHS
    assert {row[1] for row in rows} == {"t0"}
    assert {int(row[2], 0) for row in rows} == {1}
    times = [float(row[3]) for row in rows]
    assert before - 1 <= times[0] and times == sorted(times) and times[-1] <= time.time() + 1


def test_file_names_what_it_is(lab):
    capture = lab.capture("t0", "--filter", "ether proto 0x88b5", "--snaplen", "1000")
    lab.send(0, [frame(60)])
    capture.end()
    text = subprocess.run(["capinfos", str(capture.file)], text=True, check=True, stdout=subprocess.PIPE).stdout
    for expected in ("pcapng", "vswitchd", "port t0, both directions", "Name = t0", "ether proto 0x88b5",
                     "Capture length = 1000", "nanoseconds", "Number of packets = 1"):
        assert expected in text, text


@pytest.mark.parametrize("direction, expected", [("in", ["in"]), ("out", ["out"]), ("both", ["in", "out"]), (None, ["in", "out"])])
def test_direction(lab, direction, expected):
    capture = lab.capture("t0", *(["--direction", direction] if direction else []))
    lab.send(0, [frame(100, 1)])
    lab.send(1, [frame(100, 2, src=B, dst=A)])
    capture.end()
    sent = {"in": frame(100, 1), "out": frame(100, 2, src=B, dst=A)}
    assert contents(capture.file) == [sent[way] for way in expected]
    flags = [int(row[0], 0) for row in tshark(capture.file, "frame.packet_flags_direction")]
    assert flags == [{"in": 1, "out": 2}[way] for way in expected]


def test_filter(lab):
    base = Ether(src=A, dst=B)
    wanted = [base / IP(dst="192.0.2.1") / UDP(sport=9, dport=53) / b"one", base / IP(dst="192.0.2.2") / UDP(sport=53, dport=9) / b"two"]
    others = [base / IP() / UDP(sport=9, dport=54) / b"no", base / IP() / TCP(dport=53) / b"no", frame(60)]
    capture = lab.capture("t0", "--filter", "udp port 53")
    lab.send(0, [bytes(packet) for pair in zip(others, wanted) for packet in pair])
    assert said(capture.end()) == (2, 0)
    assert contents(capture.file) == [bytes(packet).ljust(60, b"\0")[:len(packet)] for packet in wanted]
    assert tshark(capture.file, "udp.payload") == [[b"one".hex()], [b"two".hex()]]


def test_filter_on_vlan_and_on_payload(lab):
    base = Ether(src=A, dst=B)
    tagged = [bytes(base / Dot1Q(vlan=vlan) / IP() / UDP() / bytes(400)) for vlan in (5, 6)]
    capture = lab.capture("t0", "--filter", "vlan 5")
    lab.send(0, [*tagged, frame(100)])
    capture.end()
    assert contents(capture.file) == tagged[:1]
    # A place far behind the headers, and one that the frame does not have.
    deep = lab.capture("t0", "--filter", "ether[800:2] == 0xbeef", name="deep.pcapng")
    special = frame(1000)[:800] + b"\xbe\xef" + frame(1000)[802:]
    lab.send(0, [frame(1000, 1), special, frame(700)])
    deep.end()
    assert contents(deep.file) == [special]


def test_snaplen(lab):
    capture = lab.capture("t0", "--snaplen", "64")
    lab.send(0, [frame(60, 1), frame(1514, 2)])
    capture.end()
    assert contents(capture.file) == [frame(60, 1), frame(1514, 2)[:64]]
    assert tshark(capture.file, "frame.len", "frame.cap_len") == [["60", "60"], ["1514", "64"]]


def test_count(lab):
    capture = lab.capture("t0", "--count", "7")
    lab.send(0, [frame(200, number) for number in range(20)])
    assert said(capture.end(how=None))[0] == 7
    assert contents(capture.file) == [frame(200, number) for number in range(7)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_well(lab, how):
    capture = lab.capture("t0")
    lab.send(0, [frame(300, number) for number in range(50)])
    assert said(capture.end(how=how)) == (50, 0)
    assert len(contents(capture.file)) == 50


def test_pipe_into_tshark(lab):
    """As people use it: live, through a pipe. (The copy on the way tells when it has begun.)"""
    copy = lab.tmp_path / "copy.pcapng"
    ctl = subprocess.Popen(lab.cli.command("port", "capture", "t0", "-", "--count", "10"), stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    tee = subprocess.Popen(["tee", copy], stdin=ctl.stdout, stdout=subprocess.PIPE)
    shark = subprocess.Popen(["tshark", "-n", "-l", "-i", "-", "-T", "fields", "-e", "frame.len"], text=True,
                             stdin=tee.stdout, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    ctl.stdout.close()
    tee.stdout.close()
    Deadline(30, lab.daemon.pid).wait_for(lambda: copy.exists() and copy.stat().st_size > 0, "the capture begins")
    lab.send(0, [frame(100 + number, number) for number in range(12)])
    lines, messages = shark.communicate(timeout=60)
    assert lines.split() == [str(100 + number) for number in range(10)], messages
    assert ctl.wait(30) == 0 and tee.wait(30) == 0
    assert said(ctl.stderr.read().decode())[0] == 10
    ctl.stderr.close()


def test_reader_that_leaves_a_quiet_port(lab):
    """Nothing is written that could fail, and yet the capture ends."""
    process = subprocess.Popen(lab.cli.command("port", "capture", "t0", "-"), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.read(4) == b"\x0a\x0d\x0d\x0a"
    process.stdout.close()
    assert process.wait(30) == 0
    assert said(process.stderr.read().decode()) == (0, 0)
    process.stderr.close()


def test_one_capture_for_each_port(lab):
    first = lab.capture("t0", name="first.pcapng")
    second = lab.capture("t1", name="second.pcapng")
    third = lab.tmp_path / "third.pcapng"
    third.write_text("precious")
    assert "already" in lab.cli.fails(1, "port", "capture", "t0", third)
    # What could not be started has not touched the file.
    assert third.read_text() == "precious"
    lab.send(0, [frame(100, number) for number in range(30)])
    assert said(first.end()) == said(second.end()) == (30, 0)
    assert contents(first.file) == contents(second.file)


def test_client_killed(lab):
    """The port is free again, the descriptors are gone, traffic never noticed."""
    lab.send(0, [frame(100)])
    before = lab.daemon.stats().fds
    for _ in range(5):
        capture = lab.capture("t0")
        lab.wire[0].sock.send(frame(100))
        capture.process.kill()
        capture.process.communicate()
        lab.send(0, [frame(500, number) for number in range(50)])
        capture.file.unlink()
        Deadline(10, lab.daemon.pid).wait_for(lambda: lab.daemon.stats().fds == before, "descriptors are closed")
    assert lab.port("t1")["tx_frames"] == lab.port("t0")["rx_frames"]
    assert lab.port("t0")["drops"] == {} and lab.port("t1")["drops"] == {}


def test_slow_reader(lab):
    """A reader that stops costs frames of the capture, counted, and no frame of the traffic."""
    process = subprocess.Popen(lab.cli.command("port", "capture", "t0", "-"), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    head = process.stdout.read(4)
    sent = 3000
    lab.send(0, [frame(9000, number) for number in range(sent)])  # 27 MB; 16 MiB are kept at most
    assert lab.port("t1")["tx_frames"] == lab.port("t0")["rx_frames"] == sent
    process.send_signal(signal.SIGINT)
    file = lab.tmp_path / "slow.pcapng"
    with open(file, "wb") as out:
        out.write(head)
        while data := process.stdout.read(1 << 20):
            out.write(data)
    assert process.wait(30) == 0
    captured, lost = said(process.stderr.read().decode())
    process.stdout.close()
    process.stderr.close()
    assert captured + lost == sent
    assert lost > sent / 10 and captured > sent / 10
    kept = contents(file)
    assert kept == [frame(9000, number) for number in range(captured)]
    text = subprocess.run(["tshark", "-n", "-r", str(file), "-V", "-c", "1"], check=True, stdout=subprocess.PIPE).stdout
    assert text


def test_starts_and_stops_do_not_disturb(lab):
    """Frames pass while captures come and go: none is lost, and each capture is whole."""
    stop = threading.Event()

    def talk():
        number = 0
        while not stop.wait(0.001):
            for _ in range(20):
                lab.wire[0].sock.send(frame(200, number))
                number += 1

    thread = threading.Thread(target=talk, daemon=True)
    thread.start()
    try:
        for number in range(15):
            capture = lab.capture("t0", "--direction", "in", name=f"{number}.pcapng")
            Deadline(20, lab.daemon.pid).wait_for(lambda: capture.file.stat().st_size > 100000, "the capture grows")
            captured, lost = said(capture.end())
            kept = contents(capture.file)
            assert lost == 0 and len(kept) == captured
            # In order and as sent; a gap would be one of the tap's queue, before the switch.
            numbers = [int.from_bytes(data[14:18], "big") for data in kept]
            assert numbers == sorted(set(numbers))
            assert kept == [frame(200, i) for i in numbers]
    finally:
        stop.set()
        thread.join()
    received = lab.settled("t0")["rx_frames"]
    assert lab.port("t1")["tx_frames"] == received
    assert lab.port("t0")["drops"] == {} and lab.port("t1")["drops"] == {}


def test_full_disk(lab):
    before = lab.daemon.stats().fds
    done = lab.cli("port", "capture", "t0", "/dev/full")
    assert done.returncode == 1
    assert "/dev/full: No space left on device" in done.stderr
    Deadline(10, lab.daemon.pid).wait_for(lambda: lab.daemon.stats().fds == before, "the capture is over")
    assert said(lab.capture("t0").end()) == (0, 0)


def test_no_such_folder(lab):
    assert "No such file" in lab.cli.fails(1, "port", "capture", "t0", "/nonexistent/capture")


def test_not_on_a_terminal(lab):
    leader, follower = pty.openpty()
    try:
        for file in ("-", os.ttyname(follower)):
            done = lab.cli("port", "capture", "t0", file, stdout=follower)
            assert done.returncode == 2
            assert "tshark -i -" in done.stderr
    finally:
        os.close(leader)
        os.close(follower)


def test_port_deleted(lab):
    capture = lab.capture("t0")
    lab.send(0, [frame(100, number) for number in range(5)])
    lab.cli.ok("port", "del", "t0")
    message = capture.end(how=None)
    assert "'t0' was deleted" in message
    assert said(message) == (5, 0)
    assert len(contents(capture.file)) == 5


def test_port_detached_and_attached(lab):
    """A capture belongs to the port, not to its place in a bridge."""
    capture = lab.capture("t0")
    lab.cli.ok("bridge", "detach", "br0", "t0")
    lab.send(0, [frame(100, 1)])
    lab.cli.ok("bridge", "attach", "br0", "t0")
    lab.send(0, [frame(100, 2)])
    capture.end()
    assert contents(capture.file) == [frame(100, 1), frame(100, 2)]


def test_device_port(lab):
    """A device without a guest: what would go to the guest is seen."""
    lab.cli.ok("bridge", "attach", "br0", "dev")
    capture = lab.capture("dev")
    lab.send(0, [frame(1000, number, dst="ff:ff:ff:ff:ff:ff") for number in range(10)])
    capture.end()
    assert contents(capture.file) == [frame(1000, number, dst="ff:ff:ff:ff:ff:ff") for number in range(10)]
    assert {int(row[0], 0) for row in tshark(capture.file, "frame.packet_flags_direction")} == {2}


def test_daemon_stops(lab):
    """A daemon that ends closes the file well; a client that does not read holds it up for a moment only."""
    capture = lab.capture("t0")
    stuck = subprocess.Popen(lab.cli.command("port", "capture", "t1", "-"), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert stuck.stdout.read(4)
    lab.send(0, [frame(9000, number) for number in range(400)])
    start = time.monotonic()
    lab.daemon.stop()
    assert time.monotonic() - start < 20
    message = capture.end(how=None)
    assert "the daemon stopped" in message
    assert said(message) == (400, 0)
    assert len(contents(capture.file)) == 400
    stuck.kill()
    stuck.communicate()


def test_daemon_killed(lab):
    capture = lab.capture("t0")
    lab.send(0, [frame(100, number) for number in range(5)])
    Deadline(10).wait_for(lambda: len(tshark(capture.file, "frame.len")) == 5, "the frames are in the file")
    lab.daemon.kill9()
    assert "5 frames captured, then vswitchd went away" in capture.end(status=3, how=None)
    assert len(contents(capture.file)) == 5
