# SPDX-License-Identifier: BSD-3-Clause
"""vswitchctl, as a user calls it."""
import json
import subprocess

from . import paths


class CtlError(RuntimeError):
    """vswitchctl ended with a status that is not 0."""

    def __init__(self, words, status, message):
        super().__init__(f"vswitchctl {' '.join(words)}: status {status}: {message.strip()}")
        self.status = status
        self.message = message


class Ctl:
    """Calls vswitchctl on one control socket."""

    def __init__(self, socket):
        self.socket = str(socket)

    def _call(self, options, words, timeout):
        words = [str(word) for word in words]
        done = subprocess.run([str(paths.need(paths.VSWITCHCTL)), "-s", self.socket, *options, *words],
                              text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise CtlError(words, done.returncode, done.stderr)
        return done.stdout

    def json(self, *words, timeout=30):
        """The answer of `vswitchctl -j words...` as Python data (None when it prints nothing)."""
        text = self._call(["-j"], words, timeout)
        return json.loads(text) if text.strip() else None

    def text(self, *words, timeout=30):
        """What `vswitchctl words...` prints for people."""
        return self._call([], words, timeout)
