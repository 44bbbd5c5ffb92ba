# SPDX-License-Identifier: BSD-3-Clause
"""What `ethtool -C` in a guest does: interrupts that the guest gets for the frames that come to it."""
import re
import socket
import time

import pytest
from lab import HOST, ipv4, mac
from lib.netns import in_netns
from scapy.all import IP, UDP, Ether, raw  # pylint: disable=no-name-in-module

# One every 500 µs: an emulated guest is done with a frame before the next one comes.
FRAMES, INTERVAL = 2000, 0.0005
# A busy machine sends and takes frames in clumps, and then they have an interrupt together whatever the setting.
ATTEMPTS = 4

# ethtool -C, the mode that the device tells, interrupts per frame.
SETTINGS = {
    "nothing asked": (None, "adaptive", (0.7, 1.05)),
    "disabled": ("adaptive-rx off rx-usecs 0 rx-frames 0 tx-frames 0", "disabled", (0.7, 1.05)),
    "static, 2 frames": ("adaptive-rx off rx-frames 2 tx-frames 2", "static", (0.35, 0.65)),
    # 1 ms bounds the wait for the 64th.
    "static, 64 frames": ("adaptive-rx off rx-frames 64 tx-frames 64", "static", (0.15, 0.55)),
    "rate": ("adaptive-rx off rx-frames 0 tx-frames 0 rx-usecs 10000", "rate", (0.01, 0.07)),
    "adaptive": ("adaptive-rx on rx-usecs 0", "adaptive", (0.7, 1.05)),
}


@pytest.fixture(name="lab", scope="module")
def fixture_lab(open_lab):
    lab = open_lab(ports=1)
    lab.guest(1)
    lab.guests[1].run("sysctl -qw net.ipv4.icmp_ratelimit=100000 net.ipv6.conf.all.disable_ipv6=1")
    return lab


def send(lab):
    """Frames for nobody, that the guest does not answer."""
    frame = raw(Ether(dst=mac(1), src="02:00:00:00:00:fe") / IP(src=ipv4(HOST), dst=ipv4(1), ttl=1) / UDP(sport=9, dport=9, chksum=1) / bytes(18))

    def pace():
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
            sock.bind((lab.host, 0))
            begin = time.monotonic()
            for number in range(FRAMES):
                sock.send(frame)
                time.sleep(max(0, begin + (number + 1) * INTERVAL - time.monotonic()))

    in_netns(lab.netns, pace)


def counts(lab):
    """Frames and interrupts as the guest's kernel counts them, interrupts as the switch does."""
    out = lab.guests[1].run("cat /proc/interrupts; ethtool -S eth0")
    interrupts = sum(int(number) for number in re.findall(r"^\s*\d+:\s+(\d+).*\seth0-", out, re.MULTILINE))
    frames = sum(int(number) for number in re.findall(r"^\s+ucast pkts rx:\s+(\d+)", out, re.MULTILINE))
    return frames, interrupts, lab.port("vm1")["device"]["moderation"]["interrupts"]


def measure(lab):
    """Interrupts per frame."""
    before = counts(lab)
    send(lab)
    time.sleep(0.1)
    frames, interrupts, raised = (new - old for new, old in zip(counts(lab), before))
    assert frames >= FRAMES
    # Two signals of an eventfd may become one interrupt; none is made up.
    assert interrupts <= raised + 1
    return interrupts / frames


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_takes_effect(lab, name):
    """In the order above: "adaptive" comes back from the others."""
    words, mode, (least, most) = SETTINGS[name]
    if words is not None:
        lab.guests[1].run(f"ethtool -C eth0 {words}")
    assert lab.port("vm1")["device"]["moderation"]["mode"] == mode
    seen = []
    for _ in range(ATTEMPTS):
        seen.append(measure(lab))
        if least <= seen[-1] <= most:
            return
    raise AssertionError(f"{name}: interrupts per frame are {seen}, {least} to {most} wanted")


def test_setting_survives_down_and_up(lab):
    lab.guests[1].run("ethtool -C eth0 adaptive-rx off rx-frames 5 tx-frames 7 rx-usecs 0; ip link set eth0 down; ip link set eth0 up")
    moderation = lab.port("vm1")["device"]["moderation"]
    assert (moderation["mode"], moderation["rx_frames"], moderation["tx_frames"]) == ("static", 5, 7)
    text = lab.ctl.text("port", "show", "vm1")
    assert "static, 5 frames received or 7 sent" in text
