# SPDX-License-Identifier: BSD-3-Clause
"""What is shown of traffic that really passed."""
import json
import subprocess

from .lab import A, B, frame


def rows(text):
    """The words of each line of a table, without the headline."""
    return [line.split() for line in text.splitlines()[1:]]


def test_addresses(lab):
    lab.send(0, [frame(100)])
    lab.send(1, [frame(100, src=B, dst=A)])
    assert {(row[1], row[3]) for row in rows(lab.cli.ok("fdb", "list"))} == {(A, "t0"), (B, "t1")}
    entries = lab.cli.json("fdb", "list", "br0")
    assert all(entry["bridge"] == "br0" and entry["vlan"] == 0 and entry["age"] < 60 for entry in entries)
    assert len(lab.cli.json("fdb", "list", "--limit", "1")) == 1
    assert "2 of 8192" in lab.cli.ok("bridge", "list")
    lab.cli.ok("fdb", "flush", "--port", "t0")
    assert [entry["mac"] for entry in lab.cli.json("fdb", "list")] == [B]
    lab.cli.ok("fdb", "flush", "br0")
    assert lab.cli.json("fdb", "list") == []


def test_counters(lab):
    lab.send(0, [frame(1000, number) for number in range(10)])
    table = {row[0]: row[1:] for row in rows(lab.cli.ok("stats"))}
    assert table["t0"][:3] == ["10", "10.0", "kB"]
    assert "received frames        10\n" in lab.cli.ok("port", "stats", "t0")
    assert "sent bytes             10000\n" in lab.cli.ok("port", "stats", "t1")
    lab.cli.ok("bridge", "del", "br0")
    lab.send(0, [frame(100)] * 3)
    assert ["t0", "3", "no_bridge", "port", "is", "attached", "to", "no", "bridge"] in rows(lab.cli.ok("drops"))
    assert "dropped: no_bridge     3\n" in lab.cli.ok("port", "stats", "t0")
    assert lab.cli.ok("drops", "t1").count("\n") == 1
    assert lab.cli.json("drops", "t0")[0]["count"] == 3


def test_rates_of_traffic(lab):
    """Rates times their intervals are what has passed."""
    process = subprocess.Popen(lab.cli.command("-j", "stats", "--interval", "1", "--count", "60"), stdout=subprocess.PIPE,
                               text=True)
    frames = size = 0
    assert process.stdout.readline()  # from here on every frame is in one of the next intervals
    lab.send(0, [frame(1000, number) for number in range(100)])
    while frames < 99.5:
        rates = json.loads(process.stdout.readline())
        of_t0 = next(entry for entry in rates["per_second"] if entry["port"] == "t0")
        frames += of_t0["rx_frames"] * rates["seconds"]
        size += of_t0["rx_bytes"] * rates["seconds"]
    process.kill()
    process.communicate()
    assert abs(frames - 100) < 0.01
    assert abs(size - 100000) < 10


def test_workers_are_seen_working(lab):
    before, cost = lab.cli.json("worker", "list"), lab.cli.json("port", "show", "t0")["cost"]
    lab.send(0, [frame(100)] * 100)
    after = lab.cli.json("worker", "list")
    assert sum(worker["busy_loops"] for worker in after) > sum(worker["busy_loops"] for worker in before)
    assert sum(worker["frames"] for worker in after) >= sum(worker["frames"] for worker in before) + 100
    # Who sent is charged, on the cores that polled it.
    costs = lab.cli.json("port", "show", "t0")["cost"]
    assert costs["frames"] == cost["frames"] + 100 and costs["cycles"] > cost["cycles"]
    assert sum(core["frames"] for core in costs["cores"]) == sum(queue["frames"] for queue in costs["queues"]) == costs["frames"]
    shown = {port["port"]: port["frames"] for worker in after for port in lab.cli.json("worker", "show", worker["id"])["ports"]}
    assert shown["t0"] == costs["frames"]
    busy = sum(worker["busy_cycles"] for worker in lab.cli.json("worker", "list"))
    assert costs["cycles"] <= busy
