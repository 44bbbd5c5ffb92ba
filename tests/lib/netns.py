# SPDX-License-Identifier: BSD-3-Clause
"""A network namespace of the test's own: nothing a test does to interfaces or addresses reaches the machine's."""
import itertools
import os
import signal
import subprocess
import time

from . import proc

_numbers = itertools.count(1)


class NetNs:
    """with NetNs() as ns: ns.run("ip link"), ns.spawn(["iperf3", "-s"])"""

    def __init__(self, label="ns"):
        self.name = f"vx-{label}-{os.getpid()}-{next(_numbers)}"
        self._spawned = []

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        try:
            self.run("ip link set lo up")
            # Addresses are usable at once: nobody else is there to have the same.
            self.run("sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def run(self, command, check=True, timeout=60):
        """Run shell text, or a list of words; returns what it printed, errors included."""
        words = ["sh", "-c", command] if isinstance(command, str) else [str(word) for word in command]
        done = subprocess.run(["ip", "netns", "exec", self.name, *words], text=True, timeout=timeout,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if check and done.returncode != 0:
            raise RuntimeError(f"{self.name}: '{command}' ended with status {done.returncode}:\n{done.stdout}")
        return done.stdout

    def spawn(self, args, **options):
        """Popen in the namespace; ended with it."""
        process = proc.spawn(args, netns=self.name, **options)
        self._spawned.append(process)
        return process

    def veth(self, name, peer, peer_netns=None):
        """A pair of interfaces, both up; the peer stays here or goes to another NetNs."""
        self.run(f"ip link add {name} type veth peer name {peer}")
        self.run(f"ip link set {name} up")
        if peer_netns:
            self.run(f"ip link set {peer} netns {peer_netns.name}")
        (peer_netns or self).run(f"ip link set {peer} up")

    def address(self, interface, *addresses):
        """Give an interface addresses such as 10.0.0.1/24 and set it up."""
        for address in addresses:
            self.run(f"ip address add {address} dev {interface}")
        self.run(f"ip link set {interface} up")

    def close(self):
        """End every process in the namespace and delete it."""
        for process in self._spawned:
            proc.end(process)
        self._spawned.clear()
        for _ in range(50):
            pids = subprocess.run(["ip", "netns", "pids", self.name], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout.split()
            if not pids:
                break
            for pid in pids:
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.1)
        subprocess.run(["ip", "netns", "del", self.name], stderr=subprocess.DEVNULL)
