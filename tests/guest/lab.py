# SPDX-License-Identifier: BSD-3-Clause
"""A switch with virtual machines on it, and the host's end of an uplink, all in one network namespace."""
import contextlib
import json
import re
import time

from lib.ctl import CtlError
from lib.daemon import Vswitchd
from lib.guest import Guest
from lib.netns import NetNs
from lib.patience import Deadline

HOST = 254


def ipv4(number):
    """The address of machine `number`; the host has number 254."""
    return f"10.9.0.{number}"


def ipv6(number):
    """The same in IPv6."""
    return f"fd00:9::{number:x}"


def mac(number):
    """The MAC address of the card of machine `number`."""
    return f"52:54:00:00:09:{number:02x}"


class Lab:
    """A daemon with the device ports vm1..vmN and the tap `host0`, and guests that are plugged in as asked.

    ports     number of device ports
    port      keys added to each device port, or a function of its number that returns them
    uplink    "tap", or "af_xdp": one end of a veth pair whose other end is the host's
    """

    def __init__(self, ports=2, port=None, uplink="tap", config=None, options=()):
        self.stack = contextlib.ExitStack()
        self.netns = self.stack.enter_context(NetNs("lab"))
        self.guests = {}
        self.host = "host0"
        uplink_port = {"name": "up0", "type": uplink, "interface": self.host, "mtu": 9000}
        if uplink == "af_xdp":
            self.netns.veth(self.host, "switch0")
            uplink_port.update(interface="switch0", mtu=1500)
        names = [f"vm{number}" for number in range(1, ports + 1)]
        keys = port if callable(port) else lambda number: port or {}
        self.daemon = Vswitchd({"ports": [], **(config or {})}, netns=self.netns, options=options)
        text = {
            "control": {"socket": str(self.daemon.dir / "ctl.sock")},
            "dpdk": {"memory": 128},
            "run-dir": str(self.daemon.dir),
            "ports": [{"name": name, "type": "device", "socket": self.daemon.socket(name),
                       "mac": mac(number), **keys(number)} for number, name in enumerate(names, 1)] + [uplink_port],
            "bridges": [{"name": "br0", "ports": names + ["up0"]}],
            **(config or {}),
        }
        self.daemon.config_file.write_text(json.dumps(text))
        self.daemon.ctl.socket = text["control"]["socket"]
        self.ctl = self.daemon.ctl

    def __enter__(self):
        try:
            self.stack.enter_context(self.daemon)
            self.netns.address(self.host, ipv4(HOST) + "/24", ipv6(HOST) + "/64")
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *exc):
        return self.stack.__exit__(*exc)

    def guest(self, number, cards=1, boot=True, **options):
        """Start machine `number` with the port vm<number> (and, with more cards, the ports after it)."""
        nics = [self.daemon.socket(f"vm{port}") for port in range(number, number + cards)]
        guest = Guest(f"g{number}", nics=nics, **options)
        self.stack.callback(self._close_guest, guest)
        guest.start()
        self.guests[number] = guest
        return self.configure(number) if boot else guest

    @staticmethod
    def _close_guest(guest):
        errors = guest.console_errors()
        guest.close()
        assert not errors, f"the kernel of {guest.name} complained:\n" + "\n".join(errors)

    def configure(self, number, mtu=1500, boots=1):
        """Wait for machine `number` and give its first card addresses."""
        guest = self.guests[number].wait_boot(boots=boots)
        configure_card(guest, number, mtu=mtu)
        return guest

    def logs(self):
        """(title, text) of everything a failed test wants to show."""
        logs = [("vswitchd's log", self.daemon.log_tail())]
        for words in (["stats"], ["drops"], ["port", "list"]):
            with contextlib.suppress(CtlError):
                logs.append((f"vswitchctl {' '.join(words)}", self.ctl.text(*words)))
        return logs + [(f"console of {guest.name}", guest.console()[-3000:]) for guest in self.guests.values()]

    def drops(self):
        """Non-zero drop counters: {(port, reason): count}."""
        return {(row["port"], row["reason"]): row["count"] for row in self.ctl.json("drops")}

    def port(self, name):
        """What `port show` tells."""
        return self.ctl.json("port", "show", name)

    def wait_port(self, name, timeout=30, **wanted):
        """Wait until `port show` tells these values."""
        Deadline(timeout, self.daemon.pid).wait_for(
            lambda: all(self.port(name).get(key) == value for key, value in wanted.items()), f"{name}: {wanted}")


def configure_card(guest, number, card="eth0", mtu=1500):
    """Give a card of a guest its addresses, set it up and wait for its carrier."""
    # Room for what a starved guest has not read yet: its socket must not be what drops.
    guest.run(f"sysctl -qw net.ipv6.conf.{card}.accept_dad=0 net.core.rmem_default=8388608; ip link set {card} mtu {mtu} up; "
              f"ip addr replace {ipv4(number)}/24 dev {card}; ip addr replace {ipv6(number)}/64 dev {card} nodad; "
              f"for i in $(seq 100); do grep -q 1 /sys/class/net/{card}/carrier && break; sleep 0.1; done; "
              f"grep -q 1 /sys/class/net/{card}/carrier")


def ping(guest, address, count=3, size=None, df=False, timeout=60):
    """Ping from a guest (or a NetNs); fails unless every packet comes back. One at a time: once it had an answer, ping
    waits for the others only as long as that one took, and a starved guest answers later than that."""
    words = "ping -n -q -c 1 -W 20" + (f" -s {size}" if size else "") + (" -M do" if df else "")
    guest.run(f"for i in $(seq {count}); do {words} {address} >/tmp/ping.$$ 2>&1 || {{ cat /tmp/ping.$$; exit 1; }}; done; "
              "rm /tmp/ping.$$", timeout=timeout + count)


def ping_until(guest, address, timeout=30):
    """Ping until an answer comes: traffic flows again."""
    guest.run(f"for i in $(seq {timeout}); do ping -n -q -c 1 -W 1 {address} >/dev/null && exit 0; done; "
              f"echo no answer from {address}; ip addr; ip neigh; exit 1", timeout=4 * timeout)


def serve_iperf(guest):
    """Run an iperf3 server in a guest or NetNs for the rest of its life."""
    if isinstance(guest, NetNs):
        guest.spawn(["iperf3", "-s", "-D"]).wait(10)
    else:
        guest.run("pidof iperf3 >/dev/null || iperf3 -s -D")


def iperf(guest, address, options, timeout=120):
    """Run iperf3 against a server; returns its JSON `end` section."""
    for attempt in range(5):
        # iperf3 ends with status 1 on any error, which its JSON has in words.
        out = guest.run(f"iperf3 -J -c {address} --connect-timeout 20000 {options} || true", timeout=timeout)
        report = json.loads(out[out.index("{"):])
        # After each test its server closes the listening socket and opens it anew; who connects just before that is
        # reset or told that it is busy, before any data flows. Only that is tried again.
        if "error" not in report or report["intervals"]:
            break
        time.sleep(0.5 * (attempt + 1))
    assert "error" not in report, report.get("error")
    return report["end"]


def tcp(guest, address, options=""):
    """20 MB of TCP. An emulated guest moves hundreds of Mbit/s; a broken offload leaves a trickle of retransmissions,
    which does not end in time however slow the machine."""
    end = iperf(guest, address, f"-n 20M {options}")
    # What is in socket buffers at the end is not counted as received.
    assert end["sum_sent"]["bytes"] >= 20_000_000 and end["sum_received"]["bytes"] >= 4_000_000, end


def same_file(reader, writer, address):
    """A file of random bytes that `writer` serves and `reader` fetches, over HTTP; it must arrive as it is."""
    writer.run("[ -f /tmp/file ] || { head -c 4000000 /dev/urandom >/tmp/file; md5sum </tmp/file >/tmp/file.md5; "
               "busybox httpd -p 8080 -h /tmp; }")
    url = f"http://[{address}]:8080/file" if ":" in address else f"http://{address}:8080/file"
    assert reader.run(f"busybox wget -q -O - {url} | md5sum", timeout=120) == writer.run("cat /tmp/file.md5")


def udp(guest, address, options=""):
    """A UDP stream at a modest rate; fails when more than a tenth is lost."""
    total = iperf(guest, address, f"-u -b 10M -t 1 {options}")["sum"]
    assert total["packets"] > 0 and total["lost_packets"] <= total["packets"] / 10, total


def card_counters(text):
    """What ethtool -S says, repeated names summed over the queues."""
    result = {}
    for line in text.splitlines():
        match = re.match(r"\s+(.*?):\s+(\d+)$", line)
        if match:
            result[match[1]] = result.get(match[1], 0) + int(match[2])
    return result


def counters(guest, card="eth0"):
    """The counters of a guest's card."""
    return card_counters(guest.run(f"ethtool -S {card}"))
