# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures that every stage may use. Each cleans up behind itself and fails the test that left trouble."""
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from lib.daemon import Vswitchd
from lib.guest import Guest
from lib.netns import NetNs


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests marked 'long' too")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; runs in `make check-long` only")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        items[:] = [item for item in items if item not in long]
        config.hook.pytest_deselected(items=long)


def pytest_sessionstart():
    if os.geteuid() != 0:
        pytest.exit("these tests make network namespaces and interfaces: run them as root", 2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows the ends of the logs of what ran in it."""
    report = (yield).get_result()
    if report.failed:
        for title, text in (log for logs in getattr(item, "log_sources", []) for log in logs()):
            report.sections.append((title, text))


@pytest.fixture
def workdir():
    """A folder with a path short enough for sockets."""
    path = Path(tempfile.mkdtemp(prefix="vx-t-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def netns():
    """A network namespace."""
    with NetNs("test") as namespace:
        yield namespace


@pytest.fixture
def log_sources(request):
    """Functions that return (title, text) pairs to show when the test fails."""
    request.node.log_sources = []
    return request.node.log_sources


@pytest.fixture
def vswitchd(log_sources):
    """vswitchd(config, ...) starts a daemon, and stops it after the test, which fails if that is not clean."""
    daemons = []

    def start(config, **options):
        daemon = Vswitchd(config, **options)
        daemons.append(daemon)
        return daemon.start()

    log_sources.append(lambda: [("vswitchd's log", daemon.log_tail()) for daemon in daemons])
    yield start
    try:
        for daemon in daemons:
            if daemon.started:
                daemon.stop()
    finally:
        for daemon in daemons:
            daemon.close()


@pytest.fixture
def guest(log_sources):
    """guest(name, ...) starts a virtual machine (not yet booted); afterwards its console must be free of errors."""
    guests = []

    def start(name, **options):
        machine = Guest(name, **options)
        guests.append(machine)
        return machine.start()

    log_sources.append(lambda: [(f"console of {machine.name}", machine.console()[-4000:]) for machine in guests])
    yield start
    errors = []
    for machine in guests:
        errors += [f"{machine.name}: {line}" for line in machine.console_errors()]
        machine.close()
    assert not errors, "the guests' kernels complained:\n" + "\n".join(errors)
