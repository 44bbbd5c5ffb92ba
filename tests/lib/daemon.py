# SPDX-License-Identifier: BSD-3-Clause
"""vswitchd, started from a configuration and watched from outside."""
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import yaml

from . import paths, proc
from .ctl import Ctl, CtlError
from .patience import Deadline


DEFAULT_SOCKET = "/run/vswitchd/vswitchd.sock"


class DaemonError(RuntimeError):
    """vswitchd did not start, died, or did not end cleanly; the message has the end of its log."""


class Vswitchd:
    """with Vswitchd({"ports": [...]}) as daemon: daemon.ctl.json("port", "list")

    config     YAML text, or a dictionary. A dictionary gets the control socket and a small memory by default
    netns      a NetNs to run in
    wrapper    words to put before the command, such as ["setarch", "-R"]
    """

    def __init__(self, config, netns=None, options=(), wrapper=(), env=None):
        self.dir = Path(tempfile.mkdtemp(prefix="vx-d-"))
        self.netns = netns
        self.options = list(options)
        self.wrapper = list(wrapper) or shlex.split(os.environ.get("VMXNET3X_WRAPPER", ""))
        self.env = {**os.environ, **(env or {})}
        self.log_file = self.dir / "vswitchd.log"
        self.config_file = self.dir / "vswitchd.yaml"
        self.process = None
        self.started = False  # and nobody has stopped or killed it since
        self.configure(config)

    def configure(self, config):
        """Write the configuration file anew."""
        if not isinstance(config, str):
            config = yaml.safe_dump(self._with_defaults(config), sort_keys=False)
        self.config_file.write_text(config)
        try:
            control = (yaml.safe_load(config) or {}).get("control") or {}
        except (yaml.YAMLError, AttributeError):  # tests of wrong YAML
            control = {}
        self.ctl = Ctl(control.get("socket", DEFAULT_SOCKET) if isinstance(control, dict) else DEFAULT_SOCKET)

    def _with_defaults(self, config):
        return {"control": {"socket": str(self.dir / "ctl.sock")}, "dpdk": {"memory": 128}, **config}

    def socket(self, port):
        """Where this daemon's device `port` shall listen, for the configuration and the guest."""
        return str(self.dir / f"{port}.sock")

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

    @property
    def pid(self):
        """The daemon's process id."""
        return self.process.pid

    def command(self):
        """The daemon's command line."""
        return [*self.wrapper, paths.need(paths.VSWITCHD), "-c", self.config_file, *self.options]

    def start(self, timeout=60):
        """Start the daemon and wait until its control socket answers."""
        with open(self.log_file, "ab") as log:
            self.process = proc.spawn(self.command(), netns=self.netns, env=self.env,
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            Deadline(timeout, self.pid).wait_for(self._answers, "vswitchd's control socket answers")
        except TimeoutError as error:
            raise DaemonError(f"{error}\n{self.log_tail()}") from None
        self.started = True
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise DaemonError(f"vswitchd ended with status {self.process.returncode}:\n{self.log_tail()}")
        try:
            self.ctl.json("port", "list", timeout=5)
            return True
        except (CtlError, subprocess.TimeoutExpired):
            return False

    @property
    def alive(self):
        """Whether the daemon runs."""
        return self.process is not None and self.process.poll() is None

    def stats(self):
        """The daemon's memory (rss_kib), open descriptors (fds), CPU time (cpu_seconds) and threads."""
        return proc.stats(self.pid)

    def log(self):
        """All it has logged."""
        return self.log_file.read_text(errors="replace")

    def log_tail(self, lines=40):
        """The end of its log."""
        return proc.tail(self.log_file, lines)

    def stop(self, timeout=30):
        """SIGTERM; an error when the daemon died before, does not end, or ends with another status than 0."""
        self.started = False
        if not self.alive:
            raise DaemonError(f"vswitchd died with status {self.process.returncode}:\n{self.log_tail()}")
        self.process.send_signal(signal.SIGTERM)
        try:
            Deadline(timeout, self.pid).wait_for(lambda: not self.alive, "vswitchd ends after SIGTERM")
        except TimeoutError as error:
            raise DaemonError(f"{error}\n{self.log_tail()}") from None
        if self.process.returncode != 0:
            raise DaemonError(f"vswitchd ended with status {self.process.returncode}:\n{self.log_tail()}")

    def kill9(self):
        """Kill the daemon as a crash would."""
        self.started = False
        self.process.kill()
        self.process.wait()

    def close(self):
        """End the daemon if it runs and remove its files."""
        if self.alive:
            self.kill9()
        shutil.rmtree(self.dir, ignore_errors=True)
