# SPDX-License-Identifier: BSD-3-Clause
"""A network namespace of the test's own: nothing a test does to interfaces or addresses reaches the machine's.

It has no name in the file system and thus no mount: a process holds it, and it is gone with that process
and those that run in it, even when the tests are killed.
"""
import ctypes
import os
import signal
import subprocess
import threading
import time

from . import proc

# In the namespace's own mount table, /sys shows the namespace's interfaces.
ANCHOR = "mount -t sysfs sysfs /sys && ip link set lo up && echo ready && exec sleep infinity"


class NetNs:
    """with NetNs() as ns: ns.run("ip link"), ns.spawn(["iperf3", "-s"])"""

    def __init__(self, label="ns"):
        self.label = label
        self._anchor = None
        self._spawned = []

    def __enter__(self):
        self._anchor = proc.spawn(["unshare", "--net", "--mount", "sh", "-c", ANCHOR], text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = self._anchor.stdout.readline()
        if said.strip() != "ready":
            said += self._anchor.stdout.read()
            self.close()
            raise RuntimeError(f"cannot make a network namespace (are you root?): {said}")
        # Addresses are usable at once: nobody else is there to have the same.
        self.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def pid(self):
        """A process in the namespace, as `ip link set NAME netns PID` takes it."""
        return self._anchor.pid

    @property
    def enter(self):
        """Words to put before a command that shall run in the namespace."""
        return ["nsenter", "--target", str(self.pid), "--net", "--mount"]

    def run(self, command, check=True, timeout=60):
        """Run shell text, or a list of words; returns what it printed, errors included."""
        words = ["sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
        done = subprocess.run([*self.enter, *words], text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.label}: '{command}' ended with status {done.returncode}:\n{done.stdout}")
        return done.stdout

    def spawn(self, args, **options):
        """Popen in the namespace; ended with it."""
        process = proc.spawn(args, netns=self, **options)
        self._spawned.append(process)
        return process

    def veth(self, name, peer, peer_netns=None):
        """A pair of interfaces, both up; the peer stays here or goes to another NetNs."""
        self.run(f"ip link add {name} type veth peer name {peer}")
        self.run(f"ip link set {name} up")
        if peer_netns:
            self.run(f"ip link set {peer} netns {peer_netns.pid}")
        (peer_netns or self).run(f"ip link set {peer} up")

    def address(self, interface, *addresses):
        """Give an interface addresses such as 10.0.0.1/24 and set it up."""
        for address in addresses:
            self.run(f"ip address add {address} dev {interface}")
        self.run(f"ip link set {interface} up")

    def close(self):
        """End every process in the namespace, and it with them."""
        for process in self._spawned:
            proc.end(process)
        self._spawned.clear()
        if self._anchor is None:
            return
        for _ in range(50):
            pids = self._inhabitants()
            if not pids:
                break
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.1)
        self._anchor.kill()
        self._anchor.wait()
        self._anchor.stdout.close()
        self._anchor = None

    def _inhabitants(self):
        """The processes in the namespace but for the one that holds it."""
        def namespace(pid):
            try:
                return os.readlink(f"/proc/{pid}/ns/net")
            except OSError:
                return None

        ours = namespace(self.pid)
        others = (int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != self.pid)
        return [pid for pid in others if ours and namespace(pid) == ours and not _zombie(pid)]


def in_netns(netns, function):
    """Run a function on a thread that has entered a NetNs; returns what it returned."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = []

    def run():
        fd = os.open(f"/proc/{netns.pid}/ns/net", os.O_RDONLY)
        try:
            if libc.setns(fd, 0x40000000) < 0:
                raise OSError(ctypes.get_errno(), "setns")
            result.append(function())
        finally:
            os.close(fd)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


def _zombie(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True
