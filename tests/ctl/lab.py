# SPDX-License-Identifier: BSD-3-Clause
"""A daemon with frames passing through it, captures of them, and readers of captures that are not ours."""
import os
import re
import signal
import subprocess

from lib.patience import Deadline
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapNgReader
from switch.wires import Wire

from .ctl_cli import Cli

A, B = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


def frame(length, number=0, src=A, dst=B):
    """A frame of a protocol that nobody speaks, of this length."""
    head = bytes(Ether(src=src, dst=dst, type=0x88b5)) + number.to_bytes(4, "big")
    return head + bytes(i * 7 + number & 255 for i in range(length - len(head)))


def tshark(file, *fields, display=None):
    """A list per frame with these fields."""
    words = ["tshark", "-n", "-r", str(file), "-T", "fields"]
    for name in fields:
        words += ["-e", name]
    if display:
        words += ["-Y", display]
    done = subprocess.run(words, text=True, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


def contents(file):
    """The bytes of each frame, as scapy reads them."""
    reader = RawPcapNgReader(str(file))
    try:
        return [data for data, _ in reader]
    finally:
        reader.close()


def said(text):
    """(captured, not kept) from the last words of a capture."""
    counts = re.fullmatch(r"(\d+) frames captured, (\d+) could not be kept", text.strip().splitlines()[-1])
    assert counts, text
    return int(counts[1]), int(counts[2])


class Capture:
    """`vswitchctl port capture` in the background, started and writing."""

    def __init__(self, lab, port, file, *options):
        self.file = file
        self.process = subprocess.Popen(lab.cli.command("port", "capture", port, file, *options), text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        Deadline(20, lab.daemon.pid).wait_for(self._writes, f"the capture writes {file}")

    def _writes(self):
        assert self.process.poll() is None, self.process.communicate()
        return os.path.exists(self.file) and os.path.getsize(self.file) > 0

    def end(self, status=0, how=signal.SIGINT):
        """Ends it (None: it does so itself), returns what it said."""
        if how is not None:
            self.process.send_signal(how)
        stdout, stderr = self.process.communicate(timeout=60)
        assert self.process.returncode == status, stderr
        assert stdout == ""
        return stderr


class Lab:
    """Two taps on a bridge and what is plugged into them."""

    def __init__(self, daemon, netns, tmp_path):
        self.daemon = daemon
        self.cli = Cli(daemon.ctl.socket)
        self.wire = [Wire(netns, "t0"), Wire(netns, "t1")]
        self.tmp_path = tmp_path
        self.captures = []

    def capture(self, port, *options, name="capture.pcapng"):
        """A running capture into a file."""
        self.captures.append(Capture(self, port, self.tmp_path / name, *options))
        return self.captures[-1]

    def port(self, name):
        """Counters of a port."""
        return self.cli.json("port", "stats", name)[0]

    def send(self, wire, frames):
        """Send, and wait until the daemon has taken all of them."""
        name = f"t{wire}"
        before = self.port(name)["rx_frames"]
        for number, data in enumerate(frames):
            # A socket that is ahead of the daemon would fill the queue of the tap, which drops.
            if number % 200 == 199:
                self.taken(name, before + number)
            self.wire[wire].sock.send(data)
        self.taken(name, before + len(frames))

    def taken(self, name, count):
        """Wait until a port has taken so many frames."""
        Deadline(30, self.daemon.pid).wait_for(lambda: self.port(name)["rx_frames"] >= count,
                                               f"{name} takes {count} frames", interval=0.01)

    def settled(self, name):
        """Counters of a port once they stand still."""
        seen = [None]

        def still():
            before, seen[0] = seen[0], self.port(name)
            return before == seen[0]

        Deadline(30, self.daemon.pid).wait_for(still, f"the counters of {name} stand still", interval=0.2)
        return seen[0]

    def close(self):
        """End what is left."""
        for capture in self.captures:
            if capture.process.poll() is None:
                capture.process.kill()
                capture.process.communicate()
        for wire in self.wire:
            wire.close()
