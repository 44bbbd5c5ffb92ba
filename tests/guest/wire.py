# SPDX-License-Identifier: BSD-3-Clause
"""Captures of what went by, and what tshark says about them: checksums, outer and inner, and lengths."""
import dataclasses
import signal
import subprocess

from lib import paths, proc
from lib.patience import Deadline

FIELDS = ("frame.interface_id", "frame.len", "eth.src", "vlan.id", "ip.checksum.status", "tcp.checksum.status",
          "udp.checksum.status", "_ws.malformed", "frame.protocols")
CHECKSUMS = FIELDS[4:7]
# Wireshark's names of a checksum's status.
BAD, GOOD = "0", "1"
# By the number of a port tshark may take random bytes for a protocol above these, and find that malformed.
JUDGED = {"eth", "ethertype", "vlan", "arp", "ip", "ipv6", "icmp", "icmpv6", "tcp", "udp", "vxlan", "geneve", "data"}
# Nothing beyond the headers is of interest, and a stream need not be put together.
OPTIONS = ("ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE",
           "tcp.desegment_tcp_streams:FALSE", "tcp.analyze_sequence_numbers:FALSE", "ip.defragment:FALSE",
           "ipv6.defragment:FALSE")


@dataclasses.dataclass
class Frame:
    """What tshark knows of one frame; of a tunnel's frame there are several checksums of a kind."""

    capture: int      # index of the capture it is in
    length: int       # of what follows the Ethernet header and its tags
    tags: int
    source: str       # the (outer) sender's MAC address
    good: int         # checksums that are right
    bad: list         # names of those that are wrong
    malformed: bool


def _frame(line):
    values = line.rstrip("\n").split("\t")
    words = dict(zip(FIELDS, values))
    tags = len(words["vlan.id"].split(",")) if words["vlan.id"] else 0
    status = {name: words[name].split(",") for name in CHECKSUMS}
    return Frame(capture=int(words["frame.interface_id"]), length=int(words["frame.len"]) - 14 - 4 * tags, tags=tags,
                 source=words["eth.src"].split(",")[0], good=sum(all_.count(GOOD) for all_ in status.values()),
                 bad=[name for name, all_ in status.items() if BAD in all_],
                 malformed=bool(words["_ws.malformed"]) and words["frame.protocols"].split(":")[-1] in JUDGED)


def dissect(files, workdir, timeout=240):
    """The frames of captures, told apart by their index; one run of tshark for all, because its start costs most."""
    if not files:
        return []
    merged = workdir / "merged.pcapng"
    subprocess.run(["mergecap", "-a", "-I", "none", "-w", merged, *files], check=True, timeout=timeout)
    words = ["tshark", "-n", "-r", str(merged), "-T", "fields", "-E", "occurrence=a", "-E", "aggregator=,",
             "--disable-protocol", "http"]
    words += [word for option in OPTIONS for word in ("-o", option)]
    words += [word for field in FIELDS for word in ("-e", field)]
    done = subprocess.run(words, text=True, check=True, timeout=timeout, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    merged.unlink()
    return [_frame(line) for line in done.stdout.splitlines()]


class Tcpdump:
    """with Tcpdump(netns, "host0", file): what comes in at an interface of a namespace, seen by the kernel."""

    def __init__(self, netns, interface, file, direction="in"):
        self.file = file
        self._process = netns.spawn(["tcpdump", "-n", "-p", "-Z", "root", "-i", interface, "-Q", direction, "-s", "0",
                                     "-B", "16384", "-U", "-w", file], stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        line = self._process.stderr.readline()
        while line and "listening on" not in line:
            line = self._process.stderr.readline()
        assert line, "tcpdump did not start"
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)
        said = self._process.communicate(timeout=30)[1]
        assert "0 packets dropped by kernel" in said, said


class PortCapture:
    """with PortCapture(lab, "vm1", file): vswitchctl port capture, all frames both ways."""

    def __init__(self, lab, port, file):
        self._lab, self.port, self.file = lab, port, file

    def __enter__(self):
        self._process = proc.spawn([paths.need(paths.VSWITCHCTL), "-s", self._lab.ctl.socket, "port", "capture", self.port,
                                    self.file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        Deadline(30, self._lab.daemon.pid).wait_for(lambda: self.file.exists() and self.file.stat().st_size,
                                                    f"the capture of {self.port} begins")
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGINT)
        said = self._process.communicate(timeout=60)[0]
        assert self._process.returncode == 0 and " captured, 0 could not be kept" in said, said
