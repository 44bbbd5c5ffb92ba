# SPDX-License-Identifier: BSD-3-Clause
"""Debian's Open vSwitch with DPDK, with a database, sockets and logs of its own: nothing of the machine's is touched."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from . import eal, paths, proc
from .patience import Deadline

ROOT = paths.CACHE / "ovs/usr"
SCHEMA = ROOT / "share/openvswitch/vswitch.ovsschema"
OVSDB_SERVER = ROOT / "sbin/ovsdb-server"
VSWITCHD = ROOT / "lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
BRIDGE = "br0"

# OVS adds --in-memory unless it finds --legacy-mem, which --no-huge means anyhow.
NO_HUGE = ["--no-huge", "--legacy-mem", "-m", "768"]


def hugepages(mebibytes):
    """EAL options for so much memory in hugepages, and not more."""
    return ["--in-memory", "--socket-mem", str(mebibytes), "--socket-limit", str(mebibytes)]


class OvsError(RuntimeError):
    """A command failed, a port was refused, or the switch died; the message has the end of its log."""


class Ovs:
    """with Ovs(netns) as ovs: ovs.add_port("p0", "dpdk", dpdk_devargs="net_null0")

    The bridge is br0, whose port of the same name is a tap in the namespace. There can be one switch in a namespace.

    memory         EAL options
    plugins        drivers for -d
    core           the CPU of the polling thread
    other_config   further keys of the table Open_vSwitch; what has to do with polling or memory
    """

    def __init__(self, netns, memory=None, plugins=(), core=None, other_config=None):
        cpus = sorted(os.sched_getaffinity(0))
        self.netns = netns
        # Not below /tmp: plugins and sockets live here, and everybody may write there.
        self.dir = Path(tempfile.mkdtemp(prefix="vx-ovs-", dir="/run"))
        self.prefix = self.dir.name
        memory = NO_HUGE if memory is None else memory
        extra = [*memory, "--no-pci", "--no-telemetry", f"--file-prefix={self.prefix}"]
        for plugin in plugins:
            extra += ["-d", str(eal.plugin(plugin))]
        self.other_config = {
            "dpdk-init": "true", "dpdk-lcore-mask": hex(1 << cpus[0]),
            "pmd-cpu-mask": hex(1 << (cpus[-1] if core is None else core)),
            "dpdk-extra": " ".join(extra), **(other_config or {}),
        }
        self.log_file = self.dir / "vswitchd.log"
        self.env = {**os.environ, "OVS_RUNDIR": str(self.dir), "OVS_LOGDIR": str(self.dir), "OVS_DBDIR": str(self.dir),
                    "OVS_SYSCONFDIR": str(self.dir), "OVS_PKGDATADIR": str(SCHEMA.parent)}
        self.process = None
        self._database = None
        self.started = False  # and nobody has stopped or killed it since

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

    # Start and end

    def _spawn(self, program, *words):
        with open(self.dir / "output", "ab") as out:
            return proc.spawn([program, *words], netns=self.netns, env=self.env, cwd=self.dir,
                              stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def start(self, timeout=60):
        """Start the database, then the switch, and make the bridge."""
        self._run(ROOT / "bin/ovsdb-tool", "create", self.dir / "conf.db", paths.need(SCHEMA))
        self._database = self._spawn(OVSDB_SERVER, f"--remote=punix:{self.dir}/db.sock", f"--unixctl={self.dir}/db.ctl",
                                     "-vconsole:warn", self.dir / "conf.db")
        self._wait(self._database, (self.dir / "db.sock").exists, "the database listens", timeout)
        settings = (f"other_config:{key}={json.dumps(value)}" for key, value in self.other_config.items())
        self.vsctl("--no-wait", "init", "--", "set", "Open_vSwitch", ".", *settings)
        self.process = self._spawn(VSWITCHD, f"unix:{self.dir}/db.sock", f"--unixctl={self.dir}/ctl",
                                   f"--log-file={self.log_file}", "-vconsole:off")
        self._wait(self.process, self._initialised, "the switch has started DPDK", timeout)
        self.started = True
        self.vsctl("add-br", BRIDGE, "--", "set", "bridge", BRIDGE, "datapath_type=netdev")
        self.ofctl("show")  # fails when the bridge could not be made
        return self

    def _initialised(self):
        return self.vsctl("get", "Open_vSwitch", ".", "dpdk_initialized").strip() == "true"

    def _wait(self, process, condition, what, timeout):
        def watched():
            if process.poll() is not None:
                raise OvsError(f"ended with status {process.returncode} before {what}:\n{self.log_tail()}")
            return condition()

        try:
            return Deadline(timeout, process.pid).wait_for(watched, what)
        except TimeoutError as error:
            raise OvsError(f"{error}\n{self.log_tail()}") from None

    def wait_for(self, condition, what, timeout=30):
        """Wait in time that the switch could run; its death ends the wait."""
        return self._wait(self.process, condition, what, timeout)

    def stop(self, timeout=60):
        """End the switch in the orderly way; an error when it died before, or ends with another status than 0."""
        self.started = False
        self._need_alive()
        self.appctl("exit", "--cleanup")
        try:
            Deadline(timeout, self.pid).wait_for(lambda: not self.alive, "the switch ends")
        except TimeoutError as error:
            raise OvsError(f"{error}\n{self.log_tail()}") from None
        if self.process.returncode != 0:
            raise OvsError(f"the switch ended with status {self.process.returncode}:\n{self.log_tail()}")

    def close(self):
        """End what runs, and remove its files."""
        for process in (self.process, self._database):
            if process:
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)  # a stopped one takes no other
                    process.kill()
                process.wait()
        shutil.rmtree(eal.RUNTIME_DIR / self.prefix, ignore_errors=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def pid(self):
        """The switch's process id."""
        return self.process.pid

    @property
    def alive(self):
        """Whether the switch runs."""
        return self.process is not None and self.process.poll() is None

    def _need_alive(self):
        if not self.alive:
            raise OvsError(f"the switch died with status {self.process.returncode}:\n{self.log_tail()}")

    def log(self):
        """All the switch has logged."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def log_tail(self, lines=40):
        """The end of its log, and of what it printed."""
        return proc.tail(self.log_file, lines) + "\n" + proc.tail(self.dir / "output", lines)

    # Commands

    def _run(self, program, *words, timeout=60):
        done = subprocess.run([*self.netns.enter, str(paths.need(program)), *(str(word) for word in words)], text=True,
                              env=self.env, timeout=timeout, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if done.returncode != 0:
            raise OvsError(f"{program.name} {' '.join(str(word) for word in words)}: status {done.returncode}: "
                           f"{done.stderr.strip()}\n{self.log_tail()}")
        return done.stdout

    def vsctl(self, *words):
        """ovs-vsctl. It returns when the switch has done what it was told."""
        if self.started:
            self._need_alive()
        return self._run(ROOT / "bin/ovs-vsctl", "--timeout=50", f"--db=unix:{self.dir}/db.sock", *words)

    def ofctl(self, command, *words, options=()):
        """ovs-ofctl on the bridge."""
        self._need_alive()
        return self._run(ROOT / "bin/ovs-ofctl", "-OOpenFlow13", *options, command, f"{self.dir}/{BRIDGE}.mgmt", *words)

    def appctl(self, *words):
        """ovs-appctl to the switch."""
        self._need_alive()
        return self._run(ROOT / "bin/ovs-appctl", "-t", self.dir / "ctl", *words)

    # Ports

    def add_port(self, name, kind, mtu=None, **options):
        """Add a port of an OVS type; options have _ for -. It is an error when the switch refuses it."""
        self.vsctl("add-port", BRIDGE, name, "--", "set", "Interface", name, f"type={kind}",
                   *([f"mtu_request={mtu}"] if mtu else []),
                   *(f"options:{key.replace('_', '-')}={json.dumps(str(value))}" for key, value in options.items()))
        self._check(name)

    def set_interface(self, name, **columns):
        """Set columns such as mtu_request=9000, or keys such as options__n_rxq=2 (options:n_rxq)."""
        self.vsctl("set", "Interface", name, *(f"{key.replace('__', ':')}={value}" for key, value in columns.items()))
        self._check(name)

    def del_port(self, name):
        """Delete a port."""
        self.vsctl("del-port", BRIDGE, name)

    def _check(self, name):
        error = self.interface(name)["error"]
        if error:
            raise OvsError(f"{name}: {error}\n{self.log_tail()}")

    def interface(self, name):
        """The row of the table Interface; maps are dictionaries, what is not set is an empty list."""
        table = json.loads(self.vsctl("--format=json", "list", "Interface", name))
        return {key: _plain(value) for key, value in zip(table["headings"], table["data"][0])}

    def polled(self):
        """The receive queues that polling threads have, as (port, queue)."""
        text = self.appctl("dpif-netdev/pmd-rxq-show")
        return sorted((port, int(queue)) for port, queue in
                      re.findall(r"port: (\S+)\s+queue-id:\s*(\d+)\s+\(enabled\)", text))


def _plain(value):
    if isinstance(value, list) and len(value) == 2 and value[0] == "map":
        return dict(value[1])
    if isinstance(value, list) and len(value) == 2 and value[0] == "set":
        return value[1]
    return value
