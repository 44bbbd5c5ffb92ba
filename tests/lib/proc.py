# SPDX-License-Identifier: BSD-3-Clause
"""Processes that never outlive the test run, and what the kernel knows about them."""
import collections
import ctypes
import os
import signal
import subprocess
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

# Guests' memory counts as resident once it is touched: what the process itself holds is anon_kib.
Stats = collections.namedtuple("Stats", "rss_kib anon_kib fds cpu_seconds threads")


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def spawn(args, netns=None, **options):
    """Popen, in a NetNs if given; the process is killed when this one ends."""
    args = [*(netns.enter if netns else []), *(str(arg) for arg in args)]
    return subprocess.Popen(args, preexec_fn=_die_with_parent, **options)


def stats(pid):
    """Memory, descriptors, CPU time and threads of a process."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    # The second field is the program's name in parentheses, and may hold spaces.
    times = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return Stats(rss_kib=int(status["VmRSS"].split()[0]), anon_kib=int(status["RssAnon"].split()[0]),
                 fds=len(os.listdir(f"/proc/{pid}/fd")),
                 cpu_seconds=(int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK"),
                 threads=int(status["Threads"]))


def end(process, timeout=10):
    """SIGTERM, then SIGKILL; returns the exit status."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def tail(path, lines=40):
    """The end of a log file, for messages."""
    try:
        return "\n".join(Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError as error:
        return f"({error})"
