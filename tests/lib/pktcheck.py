# SPDX-License-Identifier: BSD-3-Clause
"""pktcheck (tests/dpdk): sends frames of all sizes both ways between two ports and checks every byte that arrives."""
import os
import re
import shlex
import tempfile

from . import paths, proc
from .eal import Eal
from .patience import Deadline

WRONG = ("altered", "reordered", "repeated", "lost")


class PktCheckError(RuntimeError):
    """pktcheck could not run, or found something wrong; the message has its output."""


class Result:
    """What pktcheck printed.

    status      its exit status: 0, all is well; 1, frames went wrong; 2, it could not run
    lanes       counters of each direction
    ports       extended counters of each port, those that are not 0
    seconds, cpu, rate      of the whole run; rate in frames per second
    interrupts  {"wakeups", "timeouts", "missed"} with --rx-interrupts
    """

    def __init__(self, status, output):
        self.status = status
        self.output = output
        self.lanes = [self._numbers(line) for line in re.findall(r"^\d+->\d+: sent=.*$", output, re.MULTILINE)]
        self.ports = {int(port): self._numbers(line)
                      for port, line in re.findall(r"^port (\d+): (.*=.*)$", output, re.MULTILINE)}
        self.interrupts = self._numbers("".join(re.findall(r"^interrupts: .*$", output, re.MULTILINE)))
        total = re.search(r"^total: seconds=([\d.]+) cpu=([\d.]+) rate=(\d+)", output, re.MULTILINE)
        self.seconds, self.cpu, self.rate = map(float, total.groups()) if total else (0.0, 0.0, 0.0)

    @staticmethod
    def _numbers(line):
        return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)(?![.\d])", line)}

    def sum(self, key):
        """A counter over all directions."""
        return sum(lane[key] for lane in self.lanes)

    def wrong(self):
        """Frames that were altered, reordered, repeated or lost."""
        return sum(self.sum(key) for key in WRONG)

    def must_be_good(self, frames=None):
        """Raise unless every frame arrived as it was sent; returns the result."""
        sent = self.sum("sent") if self.lanes else 0
        if self.status != 0 or self.wrong() or not sent or (frames is not None and sent < frames):
            raise PktCheckError(f"pktcheck ended with status {self.status}:\n{self.output}")
        return self


class PktCheck:
    """with PktCheck(vdevs, "--frames", 1000) as check: check.result().must_be_good()

    vdevs, memory, plugins, cores, options    as of lib.eal.Eal, by keyword
    words      pktcheck's own options
    """

    def __init__(self, vdevs, *words, netns=None, wrapper=(), env=None, **eal):
        self.eal = Eal(vdevs, **{"memory": ["--no-huge", "-m", "384"], **eal})
        wrapper = list(wrapper) or shlex.split(os.environ.get("VMXNET3X_PMD_WRAPPER", ""))
        self.output = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        self.process = proc.spawn([*self.eal.wrapper(), *wrapper, paths.need(paths.PKTCHECK), *self.eal.words(),
                                   "--log-level", "*:notice", "--", *words],
                                  netns=netns, env={**os.environ, **(env or {})}, stdout=self.output,
                                  stderr=self.output)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.output.close()
        self.eal.clean_up()

    @property
    def pid(self):
        """Its process id."""
        return self.process.pid

    def said(self):
        """What it has printed so far."""
        size = os.fstat(self.output.fileno()).st_size
        return os.pread(self.output.fileno(), size, 0).decode(errors="replace")

    def result(self, timeout=120):
        """Wait for its end."""
        try:
            Deadline(timeout, self.pid).wait_for(lambda: self.process.poll() is not None, "pktcheck ends")
        except TimeoutError as error:
            raise PktCheckError(f"{error}\n{self.said()}") from None
        return Result(self.process.returncode, self.said())


def run(vdevs, *words, timeout=120, **options):
    """Run it to its end; a Result."""
    with PktCheck(vdevs, *words, **options) as check:
        return check.result(timeout)
