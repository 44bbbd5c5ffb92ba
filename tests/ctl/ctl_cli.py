# SPDX-License-Identifier: BSD-3-Clause
"""vswitchctl, for tests of vswitchctl."""
import json
import subprocess

from lib import paths


class Cli:
    """vswitchctl on a socket; nothing is raised: status and messages are what is tested."""

    def __init__(self, socket):
        self.socket = str(socket)

    def command(self, *words):
        """The command line."""
        return [str(paths.need(paths.VSWITCHCTL)), "-s", self.socket, *[str(word) for word in words]]

    def __call__(self, *words, timeout=60, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        return subprocess.run(self.command(*words), timeout=timeout, stdin=subprocess.DEVNULL, **options)

    def ok(self, *words):
        """What it prints; status 0 and no message."""
        done = self(*words)
        assert (done.returncode, done.stderr) == (0, ""), f"{words}: {done}"
        return done.stdout

    def json(self, *words):
        """What it prints with -j, as Python data."""
        return json.loads(self.ok("-j", *words))

    def fails(self, status, *words):
        """The message of a command that ends with this status and prints nothing else."""
        done = self(*words)
        assert done.returncode == status, f"{words}: {done}"
        assert done.stdout == ""
        assert done.stderr.startswith("vswitchctl: "), done.stderr
        return done.stderr
