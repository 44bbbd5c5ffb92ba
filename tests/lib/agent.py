# SPDX-License-Identifier: BSD-3-Clause
"""The host's end of the command protocol that tools/setup/guest-init serves on the guest's second serial port."""
import base64
import select

from .patience import Deadline

# The guest's terminal buffers 4,096 characters of a line.
LINE_MAX = 4000


class GuestDied(RuntimeError):
    """QEMU ended, or the guest started over while a command was running in it."""


class GuestError(RuntimeError):
    """A command in the guest ended with a status that is not 0."""

    def __init__(self, command, status, output):
        super().__init__(f"in the guest, '{command}' ended with status {status}:\n{output}")
        self.status = status
        self.output = output


class Job:
    """A command running in the guest."""

    def __init__(self, agent, ident, command):
        self.agent = agent
        self.ident = ident
        self.command = command
        self.status = None
        self.output = None
        self._boot = agent.boot

    @property
    def done(self):
        """Whether the command has ended, as far as is known without waiting."""
        self.agent.pump(0)
        return self.status is not None

    def wait(self, timeout=60, check=True):
        """Wait for the end of the command and return what it printed, errors included."""
        deadline = Deadline(timeout, self.agent.pid)
        while self.status is None:
            self.agent.pump(0.5)
            if self.status is None and self.agent.boot != self._boot:
                raise GuestDied(f"the guest started over during '{self.command}'")
            if self.status is None and deadline.expired():
                self.kill()
                raise TimeoutError(f"in the guest, '{self.command}' did not end within {timeout} s ({deadline})")
        if check and self.status != 0:
            raise GuestError(self.command, self.status, self.output)
        return self.output

    def kill(self, signal="KILL"):
        """Send a signal to the command and all that it started."""
        self.agent.start(f"kill -{signal} -$(cat /run/{self.ident}.pid)")


class Agent:
    """Starts commands in the guest and collects their replies."""

    def __init__(self, sock, pid):
        sock.setblocking(False)
        self.pid = pid
        self.boot = None
        self.kernel = None
        self.boots = 0
        self._sock = sock
        self._pending = b""
        self._jobs = {}
        self._next = 0
        self._reply = None

    def start(self, command):
        """Start shell text in the guest and return its Job."""
        self._next += 1
        job = Job(self, f"c{self._next}", command)
        line = f"{job.ident} {base64.b64encode(command.encode()).decode()}\n"
        if len(line) > LINE_MAX:
            raise ValueError(f"command too long for the guest's terminal ({len(line)} > {LINE_MAX})")
        self._jobs[job.ident] = job
        self._sock.setblocking(True)
        try:
            self._sock.sendall(line.encode())
        except OSError as error:
            raise GuestDied(f"QEMU is gone ({error})") from None
        finally:
            self._sock.setblocking(False)
        return job

    def close(self):
        """Let go of the socket."""
        self._sock.close()

    def pump(self, seconds):
        """Take in what the guest says, waiting for something at most so long."""
        while select.select([self._sock], [], [], seconds)[0]:
            try:
                data = self._sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise GuestDied("QEMU ended")
            seconds = 0
            *lines, self._pending = (self._pending + data).split(b"\n")
            for line in lines:
                self._line(line.decode(errors="replace").strip())

    def _line(self, line):
        words = line.split()
        if line.startswith("@ready ") and len(words) == 3:
            _, self.boot, self.kernel = words
            self.boots += 1
            self._reply = None
            self._jobs.clear()
        elif line.startswith("@reply ") and len(words) == 3:
            self._reply = (words[1], int(words[2]), [])
        elif line.startswith("@end ") and self._reply:
            ident, status, text = self._reply
            self._reply = None
            job = self._jobs.pop(ident, None)
            if job:
                job.output = base64.b64decode("".join(text)).decode(errors="replace")
                job.status = status
        elif self._reply:
            self._reply[2].append(line)
