# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures for tests of the drivers: a switch, testpmd, and the checker of frames, each cleaned up behind a test."""
import pytest

from lib import paths
from lib import pktcheck as checker
from lib.netns import NetNs
from lib.testpmd import Testpmd

from .lab import Switch

FRONT = [paths.PMD_VMXNET3X]


@pytest.fixture
def switch(log_sources):
    """switch(...) starts a lab.Switch, and stops it after the test, which fails if that is not clean."""
    switches = []

    def start(ports=2, **options):
        switches.append(Switch(ports, **options))
        return switches[-1].start()

    log_sources.append(lambda: [("vswitchd's log", one.log_tail()) for one in switches])
    yield start
    try:
        for one in switches:
            if one.started:
                one.stop()
    finally:
        for one in switches:
            one.close()


@pytest.fixture
def switch_ns():
    """A namespace for a switch with taps. Nothing in it talks unasked."""
    with NetNs("pmd") as namespace:
        namespace.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1")
        yield namespace


@pytest.fixture
def testpmd(switch, log_sources):
    """testpmd(vdevs, ...) starts a testpmd with the front end's plugin; it must end cleanly, before the switch does."""
    # pylint: disable=unused-argument
    programs = []

    def start(vdevs=(), **options):
        programs.append(Testpmd(vdevs, **{"plugins": FRONT, **options}))
        return programs[-1].start()

    log_sources.append(lambda: [("testpmd's output", one.log_tail()) for one in programs])
    yield start
    try:
        for one in programs:
            if one.started:
                one.stop()
    finally:
        for one in programs:
            one.close()


@pytest.fixture
def pktcheck():
    """pktcheck(vdevs, "--frames", 1000, ...) runs the checker with the front end's plugin: a Result."""
    def run(vdevs, *words, **options):
        return checker.run(vdevs, *words, **{"plugins": FRONT, "cores": 1, **options})

    return run
