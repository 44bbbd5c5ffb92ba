# SPDX-License-Identifier: BSD-3-Clause
"""testpmd on front-end ports of the switch: restarts, numbers of queues, and what a port tells of itself."""
import re

import pytest

# Without caches, buffers that are free can be counted. A port of a wire is down while the other one is
# stopped: testpmd need not wait for it.
ARGS = ["--rxd=256", "--txd=256", "--mbcache=0", "--disable-link-check"]


@pytest.fixture(name="lab")
def fixture_lab(switch):
    return switch(wire=True)


@pytest.fixture(name="loop")
def fixture_loop(lab, testpmd):
    """loop("--rxq=2", ...) starts a testpmd with both ends of a wire."""
    def start(*args):
        pmd = testpmd(lab.fronts(), args=[*ARGS, *args])
        for port in (0, 1):
            pmd.wait_link(port)
        return pmd

    return start


def wait_traffic(pmd, ports=(0, 1), packets=500):
    """Wait until each of the ports has received so many more packets."""
    for port in ports:
        before = pmd.stats_of(port)["rx_packets"]
        pmd.wait_for(lambda port=port, before=before: pmd.stats_of(port)["rx_packets"] >= before + packets,
                     f"port {port} receives", interval=0.01)


def free_buffers(pmd):
    """How many packet buffers nobody holds."""
    return int(re.search(r"common_pool_count=(\d+)", pmd.cmd("dump_mempool mb_pool_0")).group(1))


def test_restarts_under_traffic(loop):
    """A hundred times, with frames in all rings: they pass again, and every buffer comes back."""
    pmd = loop()
    pmd.cmds("stop", "port stop all")
    free = free_buffers(pmd)
    pmd.cmds("port start all", "set fwd flowgen")
    for turn in range(100):
        pmd.cmd("start")
        if turn % 2 == 0:
            wait_traffic(pmd)
        pmd.cmd("stop")
        for port in (["all"], [0], [1], [0, 1])[turn % 4]:
            said = pmd.cmds(f"port stop {port}", f"port start {port}")
            assert "Fail" not in said, said
    pmd.cmd("start")
    wait_traffic(pmd)
    pmd.cmds("stop", "port stop all")
    assert free_buffers(pmd) == free


@pytest.mark.parametrize("receive, transmit", [
    (1, 1), (2, 2), (3, 3), (8, 8), (32, 32), (1, 4), (5, 2), (32, 1),
])
def test_queues(loop, lab, receive, transmit):
    """Every receive queue gets its flows, by hash, from every transmit queue. testpmd uses as many as there are of both."""
    pmd = loop(f"--rxq={receive}", f"--txq={transmit}", "--total-num-mbufs=32768", "--rss-ip", "--flowgen-flows=512")
    assert lab.ctl.json("port", "show", "d0")["queues"] == {"tx": transmit, "rx": receive}
    used = min(receive, transmit)
    pmd.forward("flowgen")
    pmd.wait_for(lambda: all(pmd.stats_of(port)["rx_packets"] > 200 * used for port in (0, 1)), "frames pass")
    pmd.cmd("stop")
    for port in (0, 1):
        xstats = pmd.xstats(port)
        for queue in range(receive):
            # What comes to a queue that nobody polls is the device's to count.
            assert xstats[f"rx_q{queue}_unicast_packets"] > 0, (port, queue)
            assert queue >= used or xstats[f"rx_q{queue}_packets"] > 0, (port, queue)
        assert all(xstats[f"tx_q{queue}_packets"] > 0 for queue in range(used)), port
        assert not any(value for name, value in xstats.items() if "bad_completions" in name)
