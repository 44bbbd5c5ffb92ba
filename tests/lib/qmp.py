# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's machine protocol over a connected socket."""
import json


class QmpError(RuntimeError):
    """QEMU refused a command."""


class Qmp:
    """One QMP session. `events` holds the names of the events seen so far."""

    def __init__(self, sock, timeout=60):
        sock.settimeout(timeout)
        self._file = sock.makefile("rw", encoding="utf-8")
        self.events = []
        self._file.readline()  # the greeting
        self.command("qmp_capabilities")

    def command(self, name, /, **arguments):
        """Run a command and return its result."""
        json.dump({"execute": name, "arguments": arguments}, self._file)
        self._file.write("\n")
        self._file.flush()
        for line in self._file:
            answer = json.loads(line)
            if "event" in answer:
                self.events.append(answer["event"])
            elif "error" in answer:
                raise QmpError(f"{name}: {answer['error']['desc']}")
            else:
                return answer["return"]
        raise EOFError(f"QEMU closed its monitor during '{name}'")
