# SPDX-License-Identifier: BSD-3-Clause
"""Commands that change the switch: each one's effect is looked at."""
import json
import os
import stat

import yaml
from lib import paths

EXAMPLE = {
    "socket": None, "mode": "0600", "mac": "52:54:00:00:00:77", "max-queues": "4", "revisions": "0x7", "mtu": "1500",
    "link-speed": "25000", "doorbell": "message", "interrupt-rate": "1000", "latency": "low", "local-checksum": "skip", "tunnel-tso": "whole", "link": "down",
}


def port(cli, name):
    return json.loads(cli.ok("-j", "port", "show", name))


def test_port_add_and_del(cli, daemon):
    path = daemon.socket("new")
    words = [word for key, value in {**EXAMPLE, "socket": path}.items() for word in (f"--{key}", value)]
    assert cli.ok("port", "add", "new", "device", *words) == ""
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    shown = port(cli, "new")
    assert shown["bridge"] is None and shown["link"] == "down"
    conf = shown["conf"]
    assert {key: str(conf[key]) for key in EXAMPLE} == {**EXAMPLE, "socket": path}
    assert cli.ok("port", "del", "new") == ""
    assert not os.path.exists(path)
    assert "new" in cli.fails(1, "port", "show", "new")


def test_json_of_a_change_is_empty(cli, daemon):
    assert cli.ok("-j", "port", "add", "j1", "device", f"--socket={daemon.socket('j1')}") == "{}\n"
    assert cli.ok("port", "del", "j1", "--force", "-j") == "{}\n"


def test_port_set(cli):
    cli.ok("port", "set", "vm1", "link", "down")
    assert port(cli, "vm1")["link"] == "down"
    cli.ok("port", "set", "vm1", "link", "up", "mtu", "1400")
    shown = port(cli, "vm1")
    assert (shown["link"], shown["mtu"], shown["device"]["max_mtu"]) == ("up", 1400, 1400)
    cli.ok("port", "set", "vm1", "mtu", "9000")
    assert port(cli, "vm1")["mtu"] == 9000


def test_port_set_vlan(cli):
    cli.ok("port", "set", "vm1", "vlan-mode", "trunk", "tag", "7", "trunks", "10,20-29", "mtu", "8000")
    conf = port(cli, "vm1")["conf"]
    assert (conf["vlan-mode"], conf["tag"], conf["trunks"], conf["mtu"]) == ("trunk", 7, "10,20-29", 8000)
    text = cli.ok("port", "show", "vm1")
    assert "trunk" in text and "10,20-29" in text
    cli.ok("port", "set", "vm1", "vlan-mode", "transparent", "mtu", "9000")
    conf = port(cli, "vm1")["conf"]
    assert (conf["vlan-mode"], conf["tag"], conf.get("trunks")) == ("transparent", 0, None)


def test_bridge(cli):
    cli.ok("bridge", "add", "br1", "--type", "switch", "--link-local", "drop", "--fdb-size", "64", "--fdb-ageing", "5",
           "--ports", "lone")
    shown = json.loads(cli.ok("-j", "bridge", "show", "br1"))
    assert shown["ports"] == ["lone"]
    assert shown["fdb_size"] == 64
    assert (shown["conf"]["link-local"], shown["conf"]["fdb-ageing"]) == ("drop", 5)
    assert "drop" in cli.ok("bridge", "show", "br1")
    cli.ok("bridge", "detach", "br1", "lone")
    assert port(cli, "lone")["bridge"] is None
    cli.ok("bridge", "attach", "br1", "lone")
    assert port(cli, "lone")["bridge"] == "br1"
    cli.ok("bridge", "del", "br1")
    assert port(cli, "lone")["bridge"] is None
    assert [bridge["name"] for bridge in json.loads(cli.ok("-j", "bridge"))] == ["br0"]


def test_log(cli):
    cli.ok("log", "set", "device=debug,port=err")
    levels = json.loads(cli.ok("-j", "log", "show"))["levels"]
    assert (levels["device"], levels["port"], levels["main"]) == ("debug", "err", "info")
    cli.ok("log", "set", "info")
    assert set(json.loads(cli.ok("-j", "log"))["levels"].values()) == {"info"}


def test_flush(cli):
    for words in ([], ["br0"], ["--port", "vm1"], ["br0", "--port", "vm1"]):
        assert cli.ok("fdb", "flush", *words) == ""


def test_port_add_knows_every_key(cli):
    """The options of port add are the keys of a port in the sample configuration's schema."""
    done = cli("port", "add", "x", "device", "--nonsense", "1")
    allowed = set(done.stderr.split("Allowed: ")[1].replace("--", "").strip().split(", "))
    sample = yaml.safe_load((paths.REPO / "config" / "vswitchd.yaml").read_text())
    used = {key for entry in sample["ports"] for key in entry} - {"name", "type"}
    assert used <= allowed
    for key in allowed:
        # A key that the daemon does not know would be told as such.
        assert "unknown" not in cli("port", "add", "x", "device", f"--{key}", "1").stderr.replace("is unknown", "")
        cli("port", "del", "x")
