# SPDX-License-Identifier: BSD-3-Clause
"""What vswitchctl shows: tables for people, JSON for machines."""
import json
import re
import signal
import subprocess
import time

import pytest

# Every command that only shows, and words that its table must hold.
SHOWS = [
    (["port", "list"], ["NAME", "vm1", "vm2", "lone", "device", "br0", "52:54:00:00:00:01", "none"]),
    (["port"], ["NAME", "vm1"]),
    (["port", "show", "vm1"], ["vm1", "device", "br0", "no machine is connected", "max-queues", "0660", "0x47"]),
    (["port", "show", "lone"], ["the port is detached"]),
    (["port", "stats"], ["vm1:", "lone:", "received frames"]),
    (["port", "stats", "vm1"], ["received frames", "sent bytes", "interrupts"]),
    (["bridge", "list"], ["br0", "switch", "0 of 8192", "vm1 vm2"]),
    (["bridge", "show", "br0"], ["br0", "vm1 vm2", "forward", "300", "flooded"]),
    (["fdb", "list"], ["BRIDGE", "MAC", "VLAN", "PORT", "AGE"]),
    (["worker", "list"], ["ID", "CPU", "QUEUES", "BUSY", "STEP", "%"]),
    (["worker", "list"], ["NODE", "LOAD", "CYCLES/FRAME", "MOVES"]),
    (["worker", "show", "0"], ["polling core", "busy cycles", "PORT", "SHARE", "PINNED"]),
    (["port", "show", "vm1"], ["cost, by polling core", "INTERRUPTS", "queues, by who polls them"]),
    (["stats"], ["RX-FRAMES", "TX-BYTES", "INTERRUPTS", "vm1", "vm2", "0 B"]),
    (["drops"], ["PORT", "COUNT", "REASON"]),
    (["drops", "--all", "vm1"], ["no_bridge", "port is attached to no bridge", "rx_no_buffer"]),
    (["log"], ["COMPONENT", "LEVEL", "main", "info", "device"]),
    (["config"], ["ports:", "bridges:", "52:54:00:00:00:01"]),
    (["info"], ["version", "DPDK", "up for", "MiB", "control socket"]),
]


@pytest.mark.parametrize("words, expected", SHOWS, ids=lambda value: "-".join(value[:3]))
def test_table(cli, words, expected):
    text = cli.ok(*words)
    for word in expected:
        assert word in text
    assert all(len(line) <= 100 and line == line.rstrip() for line in text.splitlines()), text


@pytest.mark.parametrize("words", [words for words, _ in SHOWS], ids="-".join)
def test_json_is_one_line(cli, words):
    text = cli.ok("-j", *words)
    assert text.count("\n") == 1
    json.loads(text)
    # Options of the program are understood anywhere.
    assert type(json.loads(cli.ok(*words, "--json"))) is type(json.loads(text))


def test_columns_are_aligned(cli):
    for words in (["port", "list"], ["worker", "list"], ["drops", "--all"], ["bridge"]):
        lines = cli.ok(*words).splitlines()
        # Between two columns there is a place that is blank in every line.
        for gap in re.finditer(r"(?<=\S) {2,}(?=\S)", lines[0]):
            assert any(all(line[at:at + 1] in (" ", "") for line in lines) for at in range(*gap.span())), lines


def test_json_tells_what_the_daemon_knows(cli, daemon):
    ports = {port["name"]: port for port in json.loads(cli.ok("-j", "port", "list"))}
    assert list(ports) == ["vm1", "vm2", "lone"]
    assert ports["vm1"]["mac"] == "52:54:00:00:00:01"
    assert (ports["vm1"]["bridge"], ports["lone"]["bridge"]) == ("br0", None)
    show = json.loads(cli.ok("-j", "port", "show", "vm1"))
    assert show["conf"]["socket"] == daemon.socket("vm1")
    assert json.loads(cli.ok("-j", "info"))["pid"] == daemon.pid
    stats = json.loads(cli.ok("-j", "stats"))
    assert [entry["port"] for entry in stats] == ["vm1", "vm2", "lone"]
    reasons = json.loads(cli.ok("-j", "drops", "--all", "vm1"))
    assert all(entry["port"] == "vm1" and entry["count"] == 0 and entry["text"] for entry in reasons)


def test_rates(cli):
    text = cli.ok("stats", "--interval", "1", "--count", "2")
    assert text.count("RX-FRAMES/s") == 2
    assert "bit/s" in text
    lines = cli.ok("-j", "stats", "--interval=1", "--count=2").splitlines()
    assert len(lines) == 2
    for line in lines:
        rates = json.loads(line)
        assert rates["seconds"] > 0.9
        assert [entry["port"] for entry in rates["per_second"]] == ["vm1", "vm2", "lone"]
        assert all(entry["rx_frames"] == 0 for entry in rates["per_second"])


def test_rates_end_with_a_signal(cli):
    process = subprocess.Popen(cli.command("stats", "--interval", "1"), stdout=subprocess.PIPE, text=True)
    assert "RX-FRAMES/s" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0


def test_output_that_cannot_be_written(cli):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = cli("port", "list", stdout=full)
    assert done.returncode == 1
    assert "No space left" in done.stderr


def test_uptime_counts(cli):
    first = json.loads(cli.ok("-j", "info"))["uptime"]
    time.sleep(1.1)
    assert json.loads(cli.ok("-j", "info"))["uptime"] > first
