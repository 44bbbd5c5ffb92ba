# SPDX-License-Identifier: BSD-3-Clause
"""The running configuration, saved and started again."""
import os
import stat

import pytest
import yaml

from .ctl_cli import Cli


@pytest.fixture
def changed(vswitchd):
    """A daemon whose switch is not any more what it was started with."""
    daemon = vswitchd({"ports": [{"name": "a", "type": "device"}, {"name": "b", "type": "device"}], "log": "device=debug",
                       "bridges": [{"name": "old", "ports": ["a", "b"]}]})
    cli = Cli(daemon.ctl.socket)
    cli.ok("port", "add", "c", "device", "--socket", daemon.socket("c"), "--mac", "52:54:00:00:00:0c", "--max-queues", "3",
           "--link", "down", "--interrupt-rate", "0", "--mode", "0640")
    cli.ok("bridge", "detach", "old", "b")
    cli.ok("bridge", "add", "new", "--type", "wire", "--ports", "b,c")
    cli.ok("port", "set", "a", "mtu", "1600")
    return daemon, cli


def state(cli):
    """All that the daemon tells about its switch, without counters."""
    ports = {port["name"]: cli.json("port", "show", port["name"]) for port in cli.json("port", "list")}
    bridges = {bridge["name"]: cli.json("bridge", "show", bridge["name"]) for bridge in cli.json("bridge", "list")}
    return ports, bridges, cli.json("log", "show")


def restart(daemon, file):
    """The same daemon from another file."""
    daemon.stop()
    daemon.config_file = file
    daemon.start()


def test_saved_and_started_again(changed, tmp_path):
    daemon, cli = changed
    file = tmp_path / "saved.yaml"
    assert cli.ok("config", "save", file) == f"saved to {file}\n"
    before = state(cli)
    assert before[0]["c"]["conf"]["max-queues"] == 3
    assert before[1]["new"]["ports"] == ["b", "c"]
    restart(daemon, file)
    assert state(cli) == before
    # And what is saved again is the same text.
    assert cli.ok("config", "save", "-") == cli.ok("config", "show") == file.read_text()


def test_without_name_the_daemons_file_is_meant(changed):
    daemon, cli = changed
    os.chmod(daemon.config_file, 0o600)
    before = state(cli)
    assert cli.ok("config", "save") == f"saved to {daemon.config_file}\n"
    assert stat.S_IMODE(os.stat(daemon.config_file).st_mode) == 0o600
    restart(daemon, daemon.config_file)
    assert state(cli) == before


def test_a_link_stays_a_link(cli, tmp_path):
    (tmp_path / "real.yaml").write_text("old")
    (tmp_path / "link.yaml").symlink_to("real.yaml")
    cli.ok("config", "save", tmp_path / "link.yaml")
    assert (tmp_path / "link.yaml").is_symlink()
    assert yaml.safe_load((tmp_path / "real.yaml").read_text())["bridges"][0]["name"] == "br0"


def test_what_cannot_be_written_leaves_the_old_file(cli, tmp_path):
    assert "No space left" in cli.fails(1, "config", "save", "/dev/full")
    assert "directory" in cli.fails(1, "config", "save", tmp_path)
    assert "No such file" in cli.fails(1, "config", "save", tmp_path / "none" / "file")
    assert not list(tmp_path.iterdir())
    assert cli.ok("config", "save", "/dev/null") == "saved to /dev/null\n"


def test_json_names_the_file(cli, tmp_path):
    assert cli.json("config", "save", tmp_path / "x") == {"file": str(tmp_path / "x")}
