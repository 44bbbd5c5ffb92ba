# SPDX-License-Identifier: BSD-3-Clause
"""Servers to talk to: vswitchd, and the library's own test server, which has registers that touch memory."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lib import paths, proc
from lib.daemon import Vswitchd
from lib.patience import Deadline

sys.path.insert(0, str(Path(__file__).parent))
from vfio_user import Client, Gone, Memory  # noqa: E402

TEST_SERVER = paths.BUILD / "tests/unit/vfu_test_server"
PORTS = 2


class Subject:
    """A running server with a card on each of `sockets`."""

    kind = None
    sockets = ()
    pid = None

    def connect(self, number=0):
        """A client that has said nothing yet."""
        return Client(self.sockets[number])

    def start(self, number=0):
        """A client that has agreed on the version. A server still busy with the last client's end is waited for."""
        deadline = Deadline(30, self.pid)
        while True:
            client = self.connect(number)
            try:
                client.version()
                return client
            except Gone:
                client.close()
                if deadline.expired():
                    raise

    def fds(self):
        """How many descriptors the server has open."""
        return proc.stats(self.pid).fds

    def mapped(self, memory):
        """How often the server has mapped a memory file."""
        inode = f" {os.fstat(memory.fd).st_ino} "
        return sum(inode in line and "memfd:guest" in line
                   for line in Path(f"/proc/{self.pid}/maps").read_text().splitlines())

    def wait_for(self, condition, what):
        """Wait for something that the server does."""
        return Deadline(30, self.pid).wait_for(condition, what)


class TestServer(Subject):
    """tests/unit/vfu_test_server.c"""

    __test__ = False
    kind = "test-server"

    def __init__(self):
        self.dir = tempfile.TemporaryDirectory(prefix="vx-p-")
        self.sockets = [f"{self.dir.name}/p{i}.sock" for i in range(PORTS)]
        self.log_file = Path(self.dir.name, "log")

    def __enter__(self):
        with open(self.log_file, "wb") as log:
            wrapper = os.environ.get("VMXNET3X_WRAPPER", "").split()
            self.process = proc.spawn([*wrapper, paths.need(TEST_SERVER), *self.sockets],
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.process.pid
        self.wait_for(lambda: os.path.exists(self.sockets[-1]) or self.process.poll() is not None, "the server listens")
        return self

    @property
    def alive(self):
        """Whether the server runs."""
        return self.process.poll() is None

    def log_tail(self):
        """The end of what it said."""
        return proc.tail(self.log_file)

    def __exit__(self, *_):
        status = proc.end(self.process, timeout=60)
        log = self.log_tail()
        self.dir.cleanup()
        assert status == 0, log
        assert "Sanitizer" not in log and "runtime error" not in log, log


class Daemon(Subject):
    """vswitchd with two device ports on a bridge."""

    kind = "vswitchd"

    def __init__(self):
        names = [f"p{i}" for i in range(PORTS)]
        self.daemon = Vswitchd({})
        self.sockets = [self.daemon.socket(name) for name in names]
        self.daemon.configure({
            "run-dir": str(self.daemon.dir),
            "ports": [{"name": name, "type": "device", "socket": path}
                      for name, path in zip(names, self.sockets)],
            "bridges": [{"name": "br0", "ports": names}],
        })

    def __enter__(self):
        self.daemon.__enter__()
        self.pid = self.daemon.pid
        return self

    @property
    def alive(self):
        """Whether the daemon runs."""
        return self.daemon.alive

    def log_tail(self):
        """The end of its log."""
        return self.daemon.log_tail()

    def __exit__(self, *exception):
        self.daemon.__exit__(*exception)


SUBJECTS = {subject.kind: subject for subject in (TestServer, Daemon)}


def pytest_collection_modifyitems(items):
    """Keep tests of the test server's registers away from other servers."""
    items[:] = [item for item in items if "test_server" not in getattr(item, "fixturenames", ())
                or item.callspec.params["running"] == TestServer.kind]


@pytest.fixture(scope="module", params=SUBJECTS)
def running(request):
    """One server per test file."""
    with SUBJECTS[request.param]() as subject:
        yield subject


@pytest.fixture
def server(running, log_sources):
    """The server. After each test it must be alive, have given everything back, and serve the next client."""
    log_sources.append(lambda: [(f"log of {running.kind}", running.log_tail())])
    before = running.fds()
    yield running
    assert running.alive, running.log_tail()
    for number in range(PORTS):
        with running.start(number) as client:
            assert client.info().num_regions == 9
    running.wait_for(lambda: running.fds() <= before, f"the server has again {before} descriptors")


@pytest.fixture
def test_server(server):
    """The server whose device does as the test says; such tests are not made for another."""
    assert server.kind == TestServer.kind
    return server


@pytest.fixture
def client(server):
    """A client that has agreed on the version."""
    with server.start() as client:
        yield client


@pytest.fixture
def memory():
    """1 MiB of guest memory."""
    with Memory() as memory:
        yield memory
