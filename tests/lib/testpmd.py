# SPDX-License-Identifier: BSD-3-Clause
"""The distribution's dpdk-testpmd, driven at its prompt."""
import os
import pty
import re
import shlex
import shutil
import tempfile
import threading
import tty
from pathlib import Path

from . import proc
from .eal import Eal
from .patience import Deadline

PROGRAM = "dpdk-testpmd"
# It writes the prompt letter by letter; another thread may tell an event in between, or of that only the empty line before it.
PROMPT = re.compile(b"(?:\\s*\n(?:[^\n]* event[^\n]*\n)?)?".join(re.escape(bytes([byte])) for byte in b"testpmd> "))
# What it prints on the way to a bad end, wherever it says so.
PANIC = re.compile(r"^.*(?:PANIC in|Segmentation fault|AddressSanitizer|runtime error:).*$", re.MULTILINE)


class TestpmdError(RuntimeError):
    """testpmd did not start, died, or said that a command failed; the message has the end of its output."""

    __test__ = False  # its name looks like one to pytest


class Testpmd:
    """with Testpmd(["net_vmxnet3x0,path=/run/x.sock"], args=["--rxq=2", "--txq=2"]) as pmd: pmd.cmd("start")

    vdevs, memory, plugins, cores, options, idle_main    as of lib.eal.Eal; our drivers are loaded unless plugins says else
    args       testpmd's own options. There are 16384 packet buffers unless told otherwise
    netns      a NetNs to run in
    wrapper    words to put before the command
    env        further environment variables
    """

    __test__ = False

    def __init__(self, vdevs=(), args=(), netns=None, wrapper=(), env=None, **eal):
        self.eal = Eal(vdevs, **{"idle_main": True, **eal})
        self.args = [str(arg) for arg in args]
        if not any(arg.startswith("--total-num-mbufs") for arg in self.args):
            self.args.append("--total-num-mbufs=16384")
        self.netns = netns
        self.wrapper = list(wrapper) or shlex.split(os.environ.get("VMXNET3X_PMD_WRAPPER", ""))
        self.env = {**os.environ, **(env or {})}
        self.dir = Path(tempfile.mkdtemp(prefix="vx-p-"))
        self.log_file = self.dir / "testpmd.log"
        self.process = None
        self.started = False  # and nobody has stopped or killed it since
        self._terminal = None
        self._reader = None
        self._said = bytearray()  # all of its output
        self._read_to = 0  # how far cmd() has returned it

    # Start and end

    def command(self):
        """The command line."""
        return [*self.eal.wrapper(), *self.wrapper, PROGRAM, *self.eal.words(), "--", "-i", *self.args]

    def __enter__(self):
        try:
            return self if self.process else self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, kind, *_):
        try:
            if kind is None and self.started:
                self.stop()
        finally:
            self.close()

    def start(self, timeout=60):
        """Start it and wait for the first prompt. Its prompt needs a terminal, or it comes late and out of order."""
        self._terminal, theirs = pty.openpty()
        tty.setraw(theirs)
        try:
            self.process = proc.spawn(self.command(), netns=self.netns, env=self.env,
                                      stdin=theirs, stdout=theirs, stderr=theirs)
        finally:
            os.close(theirs)
        return self._begin(timeout)

    def _begin(self, timeout):
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._wait_prompt("the first prompt", timeout)
        self.started = True
        return self

    def _read(self):
        """It must never wait for us to read, whatever it logs and whenever."""
        with open(self.log_file, "ab", buffering=0) as log:
            while True:
                try:
                    data = os.read(self._terminal, 65536)
                except OSError:  # EIO: the last one that had it open is gone
                    return
                if not data:
                    return
                log.write(data)
                self._said += data

    def stop(self, timeout=60):
        """`quit`; an error when it died before, does not end, or ends with another status than 0."""
        self.started = False
        self._need_alive("before 'quit'")
        self._send("quit")
        status = self.wait_end(timeout)
        if status != 0:
            raise TestpmdError(f"testpmd ended with status {status}:\n{self.log_tail()}")
        panic = PANIC.search(self.log())
        if panic:
            raise TestpmdError(f"testpmd said: {panic.group()}\n{self.log_tail()}")

    def wait_end(self, timeout=60):
        """Wait until it ends by itself; its exit status."""
        try:
            Deadline(timeout, self.pid).wait_for(lambda: not self.alive, "testpmd ends")
        except TimeoutError as error:
            raise TestpmdError(f"{error}\n{self.log_tail()}") from None
        self._reader.join(5)
        return self.process.returncode

    def kill9(self):
        """Kill it as a crash would."""
        self.started = False
        self.process.kill()
        self.process.wait()

    def close(self):
        """End it if it runs, and remove its files."""
        if self.alive:
            self.kill9()
        if self._reader:
            self._reader.join(5)
        if self._terminal is not None:
            os.close(self._terminal)
            self._terminal = None
        self.eal.clean_up()
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def pid(self):
        """Its process id."""
        return self.process.pid

    @property
    def alive(self):
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def stats(self):
        """Its memory (rss_kib), open descriptors (fds), CPU time (cpu_seconds) and threads."""
        return proc.stats(self.pid)

    def log(self):
        """All it has printed."""
        return bytes(self._said).decode(errors="replace")

    def log_tail(self, lines=60):
        """The end of what it printed."""
        return "\n".join(self.log().splitlines()[-lines:])

    # Commands

    def _need_alive(self, what):
        if not self.alive:
            self._reader.join(5)
            raise TestpmdError(f"testpmd died with status {self.process.returncode} {what}:\n{self.log_tail()}")

    def _send(self, text):
        os.write(self._terminal, text.encode() + b"\n")

    def _wait_prompt(self, what, timeout):
        deadline = Deadline(timeout, self.pid)
        while True:
            found = PROMPT.search(self._said, self._read_to)
            if found:
                text, self._read_to = bytes(self._said[self._read_to:found.start()]), found.end()
                return text.decode(errors="replace").replace("\r\n", "\n")
            self._need_alive(f"at {what}")
            if deadline.expired():
                raise TestpmdError(f"{what}: not within {timeout} s ({deadline}):\n{self.log_tail()}")
            self._reader.join(0.005)

    def cmd(self, text, timeout=60):
        """Type a command; what was printed until the next prompt, with what came unasked before it.

        A command that testpmd does not know, or whose arguments it does not take, is an error."""
        self._need_alive(f"before '{text}'")
        self._send(text)
        said = self._wait_prompt(f"the prompt after '{text}'", timeout)
        said = said.replace(text + "\n", "", 1)  # the echo
        wrong = re.search(r"^(Command not found|Bad arguments|Ambiguous command|Incomplete command).*$", said,
                          re.MULTILINE)
        if wrong:
            raise TestpmdError(f"'{text}': {wrong.group()}\n{said}")
        return said

    def cmds(self, *texts):
        """Several commands; their output joined."""
        return "".join(self.cmd(text) for text in texts)

    def wait_for(self, condition, what, seconds=20, interval=0.1):
        """Wait in time that testpmd could run; its death ends the wait."""
        def watched():
            self._need_alive(f"while waiting: {what}")
            return condition()

        try:
            return Deadline(seconds, self.pid).wait_for(watched, what, interval)
        except TimeoutError as error:
            raise TestpmdError(f"{error}\n{self.log_tail()}") from None

    def wait_log(self, pattern, seconds=20, after=0):
        """Wait until a regular expression matches what it printed from offset `after` on; the match."""
        return self.wait_for(lambda: re.search(pattern, self.log()[after:], re.MULTILINE),
                             f"testpmd prints {pattern!r}", seconds)

    # Ports

    def _all_ports(self, what):
        # Two ports may come in one call; a port's text starts at its heading.
        text = self.cmd(what)
        parts = re.split(r"^\s*[#*]+ (?:NIC|Infos|Port)[^\n]*?port (\d+)\s*[#*]+$", text, flags=re.MULTILINE)
        return {int(number): body for number, body in zip(parts[1::2], parts[2::2])}

    def ports(self):
        """The numbers of the ports that there are."""
        return sorted(self._all_ports("show port info all"))

    def port_info(self, port=0):
        """What `show port info` says, such as {"MTU": "1500", "Link status": "up"}."""
        text = self.cmd(f"show port info {port}")
        return dict(re.findall(r"^([A-Z][\w /-]+?): *(.*?) *$", text, re.MULTILINE))

    def stats_of(self, port=0):
        """Basic counters: {"rx_packets": ..., "rx_missed", "rx_bytes", "rx_errors", "rx_nombuf", "tx_..."}."""
        text = self.cmd(f"show port stats {port}")
        return {key.lower().replace("-", "_"): int(value)
                for key, value in re.findall(r"\b([RT]X-[a-z]+): +(\d+)", text)}

    def xstats(self, port=0):
        """Extended counters by name."""
        text = self.cmd(f"show port xstats {port}")
        return {name: int(value) for name, value in re.findall(r"^([a-z]\w*): (\d+)$", text, re.MULTILINE)}

    def clear(self):
        """Zero all counters of all ports."""
        self.cmd("clear port stats all")
        self.cmd("clear port xstats all")

    def link(self, port=0):
        """Whether the link is up."""
        return self.port_info(port).get("Link status") == "up"

    def wait_link(self, port=0, up=True, seconds=20):
        """Wait until the link is up (or down)."""
        self.wait_for(lambda: self.link(port) == up, f"link of port {port} is {'up' if up else 'down'}", seconds)

    def forward(self, mode, first_burst=False, timeout=60):
        """Start forwarding in a mode such as "io" or "rxonly"."""
        self.cmd(f"set fwd {mode}")
        said = self.cmd("start tx_first" if first_burst else "start", timeout)
        if "packet forwarding - ports=" not in said:
            raise TestpmdError(f"forwarding did not start:\n{said}\n{self.log_tail()}")

    def halt(self, timeout=60):
        """Stop forwarding; {port: {"rx_packets", "rx_dropped", "tx_packets", "tx_dropped", ...}} of that time."""
        text = self.cmd("stop", timeout)
        parts = re.split(r"Forward statistics for port (\d+)", text.split("+++ Accumulated")[0])
        return {int(port): {key.lower().replace("-", "_"): int(value)
                            for key, value in re.findall(r"\b([RT]X-\w+): +(\d+)", body)}
                for port, body in zip(parts[1::2], parts[2::2])}
