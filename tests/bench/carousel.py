# SPDX-License-Identifier: BSD-3-Clause
"""The generator of all comparisons of switches, tests/bench/carousel.c: it sends what it gets at one port out at the other."""
import json
import os
import signal
import subprocess
import tempfile

from lib import paths, proc
from lib.eal import Eal
from lib.patience import Deadline

PROGRAM = paths.BUILD / "tests/bench/carousel"


class CarouselError(RuntimeError):
    """It did not start, or died; the message has what it said."""


class Carousel:
    """with Carousel(vdevs, words, netns=..., memory=...) as carousel: carousel.run(1514, frames=256, mss=0, seconds=1)

    It runs on the first CPU, and only during a run. `words` are options of its own, `eal` those of lib.eal.Eal."""

    def __init__(self, vdevs, words=(), netns=None, **eal):
        self.eal = Eal(vdevs, cores=1, **eal)
        self._errors = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        self._answers = tempfile.TemporaryFile()  # pylint: disable=consider-using-with
        self._read_to = 0
        command = [*self.eal.wrapper(), paths.need(PROGRAM), *self.eal.words(), "--log-level", "*:notice", "--", *words]
        self.process = proc.spawn(command, netns=netns, env=dict(os.environ), stdin=subprocess.PIPE,
                                  stdout=self._answers, stderr=self._errors)

    def __enter__(self):
        try:
            self._answer(60, "it is ready")
            return self
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self):
        """Its process id."""
        return self.process.pid

    def close(self):
        """End it."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self._answers.close()
        self._errors.close()
        self.eal.clean_up()

    def _line(self):
        """The next whole line of JSON that it has printed; EAL's own lines are none."""
        text = os.pread(self._answers.fileno(), 65536, self._read_to)
        while b"\n" in text:
            line, _, text = text.partition(b"\n")
            self._read_to += len(line) + 1
            if line.startswith(b"{"):
                return json.loads(line)
        if self.process.poll() is not None:
            said = os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors="replace")
            raise CarouselError(f"carousel ended with status {self.process.returncode}:\n{said[-2000:]}")
        return None

    def _answer(self, timeout, what):
        return Deadline(timeout, self.pid).wait_for(self._line, f"carousel: {what}")

    def run(self, size, frames, mss, seconds):
        """Let so many frames of so many bytes go round each way; the counters of carousel.c's line."""
        self.process.stdin.write(f"{size} {frames} {mss} {seconds}\n".encode())
        self.process.stdin.flush()
        return self._answer(30 + seconds, "the end of a run")
