# SPDX-License-Identifier: BSD-3-Clause
"""The report says where a figure stands against its goal, and plots are XML of the right heights."""
import json
import xml.etree.ElementTree as xml

import pytest

from bench import plot
from bench import report as rep
from bench.goals import GOALS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("key, value, verdict", [
    ("64/ovs", 2.5, "goal"), ("64/ovs", 2.49, "floor"), ("64/ovs", 1.7, "floor"), ("64/ovs", 1.69, "below"),
    ("guests/ping", 0.7, "goal"), ("guests/ping", 1.0, "floor"), ("guests/ping", 1.01, "below")])
def test_verdict(key, value, verdict):
    """More is better, unless the goal lies below the floor."""
    assert GOALS[key].verdict(value) == verdict


def test_against_goals(tmp_path, capsys):
    """A ratio stands beside its goal in its section and at the end, and in the JSON file."""
    report = rep.Report(tmp_path, limit=60)
    with report.section("some", "Some section") as data:
        report.against(data, {"64/ovs": rep.ratios([2.0, 4.0, 6.0, 5.0], [1.0, 2.0, 2.0, 0.0])})
    report.write()
    assert report.broken == 0, capsys.readouterr().out
    lines = [line.split() for line in (tmp_path / "report.txt").read_text().splitlines() if line.startswith("    64 B, Mpps")]
    assert len(lines) == 2 and all(line[-3:] == ["2.5", "1.7", "floor"] and "2.00" in line for line in lines)
    kept = json.loads((tmp_path / "report.json").read_text())["sections"]["some"]["goals"]["64/ovs"]
    assert (kept["median"], kept["goal"], kept["floor"], kept["runs"]) == (2.0, 2.5, 1.7, [2.0, 2.0, 3.0])


def test_doubt(tmp_path):
    """What a busy machine says is marked."""
    report, data = rep.Report(tmp_path, limit=60), {}
    report.against(data, {"64/ovs": [3.0], "1518/ovs": [1.0]}, doubtful={"64/ovs"})
    assert [data["goals"][key]["reached"] for key in ("64/ovs", "1518/ovs")] == ["goal?", "below"]


def test_bars(tmp_path):
    """One rectangle a bar, its height in proportion to its median."""
    plot.bars(tmp_path / "bars.svg", "A & B", "Mpps", {"ours": {"64 B": [1, 4, 9]}, "peer <1>": {"64 B": [2], "1518 B": [1]}})
    root = xml.parse(tmp_path / "bars.svg").getroot()
    bars = [float(bar.get("height")) for bar in root.iter(f"{SVG}rect")][1:4]  # the first one is the background
    assert bars[0] == pytest.approx(2 * bars[1], rel=0.01) and bars[1] == pytest.approx(2 * bars[2], rel=0.01)
    assert {"A & B", "peer <1>", "1518 B"} <= {text.text for text in root.iter(f"{SVG}text")}


def test_lines(tmp_path):
    """A curve has a line between each two neighbours."""
    plot.lines(tmp_path / "lines.svg", "title", "cycles", "ports", {"ours": {2: [100], 16: [104], 28: [120]}})
    root = xml.parse(tmp_path / "lines.svg").getroot()
    assert sum(line.get("stroke") == plot.COLOURS[0] for line in root.iter(f"{SVG}line")) == 2
