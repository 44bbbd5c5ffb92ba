# SPDX-License-Identifier: BSD-3-Clause
"""Start, stop and what can go wrong with both."""
import os
import pty
import re
import shlex
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest
import yaml

from config.rpc import Rpc, RpcError
from lib import paths, proc
from lib.patience import Deadline


class Daemon:
    """vswitchd in a folder of its own, without vswitchctl."""

    def __init__(self, workdir, config=None, options=(), env=None, wrapper=(), **popen):
        self.dir = workdir
        self.socket = workdir / "ctl.sock"
        self.file = workdir / "vswitchd.yaml"
        self.log_file = workdir / "log"
        if config is not None:
            config = {"run-dir": str(workdir), "control": {"socket": str(self.socket)}, "dpdk": {"memory": 64}, **config}
            self.file.write_text(yaml.safe_dump(config, sort_keys=False))
        wrapper = list(wrapper) + shlex.split(os.environ.get("VMXNET3X_WRAPPER", ""))
        popen.setdefault("stderr", open(self.log_file, "ab"))
        self.process = proc.spawn([*wrapper, paths.need(paths.VSWITCHD), "-c", self.file, *options],
                                  env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, **popen)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def log(self):
        return self.log_file.read_text(errors="replace")

    def rpc(self):
        """A connection, once the daemon serves it."""
        Deadline(60, self.process.pid).wait_for(self._serves, "the control socket answers")
        return Rpc(self.socket)

    def _serves(self):
        assert self.process.poll() is None, self.log()
        try:
            with Rpc(self.socket) as rpc:
                return rpc.call("port.list") is not None
        except OSError:
            return False

    def stop(self, sig=signal.SIGTERM):
        self.process.send_signal(sig)
        return self.process.wait(30)

    def fails(self):
        """Its log, after it has ended with an error."""
        assert self.process.wait(60) == 1, self.log()
        return self.log()


TWO = {"ports": [{"name": "vm1", "type": "device"}, {"name": "vm2", "type": "device"}],
       "bridges": [{"name": "br0", "ports": ["vm1", "vm2"]}]}


def sockets(folder):
    return sorted(path.name for path in folder.iterdir() if stat.S_ISSOCK(path.stat().st_mode))


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_start_and_stop(workdir, sig):
    with Daemon(workdir, TWO) as daemon:
        with daemon.rpc() as rpc:
            assert [port["name"] for port in rpc.call("port.list")] == ["vm1", "vm2"]
            info = rpc.call("system.info")
        assert info["pid"] == daemon.process.pid
        assert info["control_socket"] == str(daemon.socket)
        assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o660
        assert sockets(workdir) == ["ctl.sock", "vm1.sock", "vm2.sock"]
        assert daemon.stop(sig) == 0
        assert sockets(workdir) == []
        assert "stopped" in daemon.log()


def test_sighup_and_sigpipe_do_not_end_it(workdir):
    with Daemon(workdir, {}) as daemon, daemon.rpc() as rpc:
        daemon.process.send_signal(signal.SIGHUP)
        daemon.process.send_signal(signal.SIGPIPE)
        Deadline(10).wait_for(lambda: "SIGHUP ignored" in daemon.log(), "SIGHUP is told in the log")
        assert rpc.call("port.list") == []
        assert daemon.stop() == 0


def test_descriptor_limit_is_raised(workdir):
    with Daemon(workdir, {}, wrapper=["prlimit", "--nofile=64:4096"]) as daemon, daemon.rpc():
        with open(f"/proc/{daemon.process.pid}/limits") as limits:
            line = next(line for line in limits if line.startswith("Max open files"))
        assert line.split()[3] == "4096"


def test_second_daemon_is_refused_and_the_first_lives(workdir):
    with Daemon(workdir, TWO) as first, first.rpc() as rpc:
        with Daemon(workdir, stderr=subprocess.PIPE, text=True) as second:
            _, err = second.process.communicate(timeout=60)
            assert second.process.returncode == 1
        assert "is in use: another vswitchd is running; stop it, or choose another path with -s" in err
        assert len(rpc.call("port.list")) == 2
        assert first.stop() == 0


def test_stale_sockets_are_replaced(workdir):
    with Daemon(workdir, TWO) as daemon:
        daemon.rpc().sock.close()
        daemon.process.kill()
        daemon.process.wait()
        assert "ctl.sock" in sockets(workdir)
    with Daemon(workdir, TWO) as daemon, daemon.rpc() as rpc:
        assert len(rpc.call("port.list")) == 2
        assert "replaced stale socket" in daemon.log()
        assert daemon.stop() == 0


def test_control_socket_path_is_a_file(workdir):
    (workdir / "ctl.sock").write_text("precious")
    with Daemon(workdir, TWO) as daemon:
        assert "there is a file that is no socket; remove it or choose another path" in daemon.fails()
    assert (workdir / "ctl.sock").read_text() == "precious"


def test_control_socket_folder_is_missing(workdir):
    with Daemon(workdir, {"control": {"socket": str(workdir / "no/ctl.sock")}}) as daemon:
        assert "no: No such file or directory" in daemon.fails()


def test_run_dir_cannot_be_made(workdir):
    with Daemon(workdir, {"run-dir": str(workdir / "a/b")}) as daemon:
        assert "run directory" in daemon.fails()
        assert "set run-dir" in daemon.log()


def test_socket_option_wins(workdir):
    with Daemon(workdir, {}, options=["-s", str(workdir / "other.sock")]) as daemon:
        daemon.socket = workdir / "other.sock"
        daemon.rpc().sock.close()
        assert sockets(workdir) == ["other.sock"]


def test_failing_port_leaves_nothing(workdir):
    config = {"ports": TWO["ports"] + [{"name": "bad", "type": "ethdev", "devargs": "net_nosuchdriver0"}]}
    with Daemon(workdir, config) as daemon:
        log = daemon.fails()
    assert re.search(r"err +main: .*bad", log)
    assert sockets(workdir) == []


def test_no_such_cpu(workdir):
    with Daemon(workdir, {"workers": {"cores": "1000"}}) as daemon:
        assert "no such CPU 1000" in daemon.fails()
    assert sockets(workdir) == []


def test_hugepages_demanded_and_missing(workdir):
    with Daemon(workdir, {"dpdk": {"memory": 1000000, "hugepages": True}}) as daemon:
        assert "reserve some with 'sysctl vm.nr_hugepages=" in daemon.fails()
        assert "or set dpdk: hugepages: auto" in daemon.log()
    assert sockets(workdir) == []


def test_hugepages_missing(workdir):
    """More memory than there are hugepages: plain pages, a line that says so, and it works."""
    free = sum(int(open(f"/sys/kernel/mm/hugepages/{size}/free_hugepages").read()) * int(re.sub(r"\D", "", size)) // 1024
               for size in os.listdir("/sys/kernel/mm/hugepages"))
    with Daemon(workdir, {**TWO, "dpdk": {"memory": free + 64}}) as daemon, daemon.rpc() as rpc:
        assert rpc.call("system.info")["hugepages"] is False
        assert f"of {free + 64} MiB): using plain pages, which costs" in daemon.log()
        assert daemon.stop() == 0


def test_hugepages_not_wanted(workdir):
    with Daemon(workdir, TWO, options=["--hugepages", "no"]) as daemon, daemon.rpc() as rpc:
        assert rpc.call("system.info")["hugepages"] is False
        assert "plain pages" not in daemon.log(), "the user knows"


def test_two_daemons_side_by_side(workdir):
    for name in "a", "b":
        (workdir / name).mkdir()
    with Daemon(workdir / "a", TWO) as a, Daemon(workdir / "b", TWO, options=["--hugepages", "no"]) as b:
        with a.rpc() as one, b.rpc() as other:
            assert one.call("system.info")["pid"] != other.call("system.info")["pid"]
        assert a.stop() == 0 and b.stop() == 0


def test_as_ordinary_user(workdir):
    """With device ports alone and plain pages nothing needs root."""
    os.chown(workdir, 65534, 65534)
    with Daemon(workdir, {**TWO, "dpdk": {"memory": 64, "hugepages": False}},
                wrapper=["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--bounding-set", "-all"]) as daemon:
        with daemon.rpc() as rpc:
            assert len(rpc.call("port.list")) == 2
        assert daemon.stop() == 0


def test_systemd_notification(workdir):
    """READY only when the ports are there, a watchdog's beats, STOPPING."""
    path = str(workdir / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(60)
        with Daemon(workdir, TWO, env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}) as daemon:
            assert notify.recv(4096) == b"READY=1"
            assert sockets(workdir) == ["ctl.sock", "notify", "vm1.sock", "vm2.sock"]
            assert notify.recv(4096) == b"WATCHDOG=1"
            start = time.monotonic()
            assert notify.recv(4096) == b"WATCHDOG=1"
            assert time.monotonic() - start < 2
            daemon.process.terminate()
            rest = []
            while b"STOPPING=1" not in rest:
                rest.append(notify.recv(4096))
            assert daemon.process.wait(30) == 0


def test_systemd_is_told_of_failure(workdir):
    path = str(workdir / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(60)
        with Daemon(workdir, {"workers": {"cores": "1000"}}, env={"NOTIFY_SOCKET": path}) as daemon:
            message = notify.recv(4096)
            daemon.fails()
    assert b"STATUS=" in message and b"no such CPU 1000" in message and b"READY" not in message


# ---- log ----

LINE = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} (err|warning|notice|info|debug) +[a-z]+: ")


def test_log_lines(workdir):
    with Daemon(workdir, {**TWO, "log": "debug"}) as daemon, daemon.rpc():
        assert daemon.stop() == 0
        lines = daemon.log().splitlines()
    assert len(lines) > 5
    assert [line for line in lines if not LINE.match(line)] == []
    assert any("EAL arguments: vswitchd --lcores=" in line for line in lines)


def test_log_in_the_journal(workdir):
    """With JOURNAL_STREAM naming standard error: priorities, no time stamps. Naming something else: time stamps."""
    with open(workdir / "journal", "wb") as journal:
        st = os.fstat(journal.fileno())
        with Daemon(workdir, {}, env={"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"}, stderr=journal) as daemon:
            daemon.rpc().sock.close()
            assert daemon.stop() == 0
    lines = (workdir / "journal").read_text().splitlines()
    assert lines and all(re.match(r"<[3-7]>[a-z]+: ", line) for line in lines)
    with Daemon(workdir, {}, env={"JOURNAL_STREAM": f"{st.st_dev}:{st.st_ino}"}) as daemon:
        daemon.rpc().sock.close()
        assert daemon.stop() == 0
        assert all(LINE.match(line) for line in daemon.log().splitlines())


def test_log_to_a_pipe_that_nobody_reads(workdir):
    """Lines are lost and counted; the daemon goes on."""
    read, write = os.pipe()
    with Daemon(workdir, {"log": "debug"}, stderr=write) as daemon:
        os.close(write)
        # The control socket shows when it is ready; nobody reads the log.
        with daemon.rpc() as rpc:
            for _ in range(3000):
                rpc.call("log.get")
            os.set_blocking(read, False)
            while True:
                try:
                    os.read(read, 1 << 20)
                except BlockingIOError:
                    break
            rpc.call("log.get")
            Deadline(10).wait_for(lambda: b"log lines lost" in os.read(read, 1 << 20), "the loss is told")
        os.set_blocking(read, True)
        reader = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(read, 65536), b"")])
        reader.start()
        assert daemon.stop() == 0
        reader.join()
    os.close(read)


def test_log_reader_gone(workdir):
    read, write = os.pipe()
    with Daemon(workdir, {"log": "debug"}, stderr=write) as daemon:
        os.close(write)
        with daemon.rpc() as rpc:
            os.close(read)
            for _ in range(10):
                rpc.call("log.get")
        assert daemon.stop() == 0


def test_log_to_a_terminal(workdir):
    master, slave = pty.openpty()
    with Daemon(workdir, {}, stderr=slave) as daemon:
        daemon.rpc().sock.close()
        os.close(slave)
        assert b"control socket" in os.read(master, 65536)
        assert daemon.stop() == 0
    os.close(master)


def test_closed_standard_descriptors(workdir):
    with Daemon(workdir, TWO, wrapper=["sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"]) as daemon, daemon.rpc() as rpc:
        assert [os.readlink(f"/proc/{daemon.process.pid}/fd/{fd}") for fd in range(3)] == ["/dev/null"] * 3
        assert len(rpc.call("port.list")) == 2
        assert daemon.stop() == 0


def test_log_level_at_run_time(workdir):
    with Daemon(workdir, {"log": "warning,port=info"}) as daemon, daemon.rpc() as rpc:
        levels = rpc.call("log.get")["levels"]
        assert levels["port"] == "info" and levels["device"] == "warning"
        rpc.call("system.info")
        assert "system.info: done" not in daemon.log()
        levels = rpc.call("log.set", level="control=debug")["levels"]
        assert levels["control"] == "debug" and levels["device"] == "warning"
        rpc.call("system.info")
        Deadline(10).wait_for(lambda: "system.info: done" in daemon.log(), "the debug line is there")
        assert set(rpc.call("log.set", level="err")["levels"].values()) == {"err"}
        with pytest.raises(RpcError, match="unknown log level 'loud'; allowed: err, warning") as error:
            rpc.call("log.set", level="main=debug,port=loud")
        assert error.value.code == -32602
        assert set(rpc.call("log.get")["levels"].values()) == {"err"}, "nothing of it was done"
