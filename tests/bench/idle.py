# SPDX-License-Identifier: BSD-3-Clause
"""What a daemon costs that has nothing to do, and what its rest costs the first packet."""
import contextlib
import time

from lib.guest import Guest
from lib.patience import Deadline

from . import guests, idle_steps
from . import report as rep

PORTS = 64
LAST_STEP_S = 5  # a core is in its last step after so long without work
LAST_SLEEP_MS = 5.0
MACHINES = 4
CARDS = 16
GOAL_PERCENT = 2.0


def _address(number):
    return f"{guests.SUBNET[guests.OURS]}.{number}"


def _wait_last_step(daemon):
    """Until every polling core is in its last step."""
    last = 3

    def rests():
        return all(worker["step"] >= last for worker in daemon.ctl.json("worker", "list"))

    Deadline(60, daemon.pid).wait_for(rests, "all polling cores are in their last step", interval=0.5)


def _measure(report, data, daemon, title, seconds=10):
    _wait_last_step(daemon)
    before, workers, begin = idle_steps.cpu_seconds(daemon.pid), daemon.ctl.json("worker", "list"), time.monotonic()
    time.sleep(seconds)
    passed, after = time.monotonic() - begin, idle_steps.cpu_seconds(daemon.pid)
    slept = sum(new["sleeps"] - old["sleeps"] for old, new in zip(workers, daemon.ctl.json("worker", "list")))
    spent = {name: 100 * (after[name] - before.get(name, 0)) / passed for name in after}
    percent = sum(spent.values())
    top = sorted(spent.items(), key=lambda item: -item[1])[:3]
    data[title] = {"percent": percent, "by_thread": spent, "sleeps_per_second": slept / passed,
                   "workers": len(workers)}
    report.say(f"    {title}: {percent:.2f} % of a core (goal: at most {GOAL_PERCENT:g} %: "
               f"{'met' if percent <= GOAL_PERCENT else 'NOT met'}), {slept / passed:.0f} sleeps/s of {len(workers)} "
               f"polling core(s); " + ", ".join(f"{name} {share:.2f} %" for name, share in top))


def _boot(stack, daemon):
    machines = []
    for first in range(1, MACHINES * CARDS, CARDS):
        nics = [daemon.socket(f"vm{number}") for number in range(first, first + CARDS)]
        machines.append(stack.enter_context(Guest(f"idle{first}", kernel=guests.KERNEL, nics=nics)))
    for number, machine in enumerate(machines, 1):
        machine.wait_boot(240)
        # A silent machine: nothing is sent but what the measurement sends.
        machine.run("sysctl -qw net.ipv6.conf.all.disable_ipv6=1; "
                    f"for i in $(seq 0 {CARDS - 1}); do ip link set eth$i up; done", timeout=120)
        guests.configure(machine, "eth0", _address(number))
        for other in range(1, MACHINES + 1):
            if other != number:
                machine.run(f"ip neigh replace {_address(other)} lladdr {guests.mac(1 + (other - 1) * CARDS)} dev eth0 "
                            "nud permanent")
    return machines


def idle(report, with_guests, pings):
    """CPU of an idle daemon with 64 ports; then with 64 cards in use, and the first packet after a silence."""
    with report.section("idle", f"An idle daemon with {PORTS} device ports") as data, contextlib.ExitStack() as stack:
        idle_steps.steps(report, data)
        daemon = guests.start_daemon(stack, PORTS)
        _measure(report, data, daemon, "no guests")
        if not with_guests:
            return
        machines = _boot(stack, daemon)
        usual = guests.ping_times(machines[0], _address(2), 50, 0.05)
        _measure(report, data, daemon, f"{MACHINES} guests with {CARDS} cards each, all up")
        first = guests.ping_times(machines[0], _address(2), pings, LAST_STEP_S + 1.2, timeout=60 + 8 * pings)
        # Of a ping -i, the first one follows on the measurement above: 10 s of silence and more.
        data["ping_ms"] = {"usual": rep.summary(usual), "after_silence": rep.summary(first)}
        extra = rep.quantile(first, 0.5) - rep.quantile(usual, 0.5)
        report.say(f"    ping every 50 ms: median {rep.quantile(usual, 0.5):.2f} ms, at most {max(usual):.2f}; "
                   f"after {LAST_STEP_S + 1} s of silence: median {rep.quantile(first, 0.5):.2f} ms, "
                   f"{min(first):.2f} to {max(first):.2f}, {len(first)} of {pings} answered")
        report.say(f"    the silence costs {extra:.2f} ms in the middle; the last step sleeps at most "
                   f"{LAST_SLEEP_MS:g} ms")
