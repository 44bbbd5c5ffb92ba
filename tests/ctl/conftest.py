# SPDX-License-Identifier: BSD-3-Clause
"""vswitchctl against a running daemon: device ports without guests, and taps where frames are needed."""
import pytest
from lib.daemon import Vswitchd
from lib.netns import NetNs

from .ctl_cli import Cli
from .lab import Lab


@pytest.fixture(scope="module")
def daemon():
    """A daemon that the tests of a module share: two devices on a bridge, a third beside it."""
    config = {
        "ports": [{"name": "vm1", "type": "device", "mac": "52:54:00:00:00:01"},
                  {"name": "vm2", "type": "device"}, {"name": "lone", "type": "device"}],
        "bridges": [{"name": "br0", "ports": ["vm1", "vm2"]}],
    }
    daemon = Vswitchd(config)
    for port in config["ports"]:
        port["socket"] = daemon.socket(port["name"])
    daemon.configure(config)
    with daemon:
        yield daemon


@pytest.fixture(scope="module")
def cli(daemon):
    """vswitchctl on the shared daemon."""
    return Cli(daemon.ctl.socket)


@pytest.fixture
def quiet_netns():
    """A network namespace in which no interface talks unasked."""
    with NetNs("ctl") as namespace:
        namespace.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        yield namespace


@pytest.fixture
def lab(quiet_netns, vswitchd, tmp_path):
    """A Lab."""
    daemon = vswitchd({
        "ports": [{"name": "t0", "type": "tap", "interface": "t0", "mtu": 9000},
                  {"name": "t1", "type": "tap", "interface": "t1", "mtu": 9000}, {"name": "dev", "type": "device"}],
        "bridges": [{"name": "br0", "ports": ["t0", "t1"]}],
    }, netns=quiet_netns)
    quiet_netns.run("ip link set t0 mtu 9000; ip link set t1 mtu 9000")
    lab = Lab(daemon, quiet_netns, tmp_path)
    yield lab
    lab.close()
