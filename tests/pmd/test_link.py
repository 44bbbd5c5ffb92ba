# SPDX-License-Identifier: BSD-3-Clause
"""The link of a front-end port: its speed is the device's, and a change of it is told."""
import pytest

EVENT = r"Port {}: link state change event"


@pytest.mark.parametrize("mbits, revision, shown", [
    (50000, 7, "50 Gbps"), (2500, 3, "2.5 Gbps"), (100, 1, "100 Mbps"),
])
def test_link_speed(switch, testpmd, mbits, revision, shown):
    lab = switch(1, **{"link-speed": mbits})
    pmd = testpmd([lab.front(0, revision=revision)])
    pmd.wait_link()
    info = pmd.port_info()
    assert (info["Link speed"], info["Firmware-version"]) == (shown, f"vmxnet3 revision {revision}")

def test_link(switch, testpmd):
    """The cable is pulled and plugged in at the switch; testpmd is told, and frames pass again."""
    lab = switch(wire=True)
    pmd = testpmd(lab.fronts())
    for port in (0, 1):
        pmd.wait_link(port)
    pmd.forward("io", first_burst=True)
    for _ in range(3):
        for state in ("down", "up"):
            at = len(pmd.log())
            lab.ctl.text("port", "set", "d0", "link", state)
            pmd.wait_log(EVENT.format(0), after=at)
            pmd.wait_link(0, up=state == "up")
    # The other end of a wire is down as well, until both are up.
    at = len(pmd.log())
    lab.ctl.text("port", "set", "d0", "link", "down")
    pmd.wait_log(EVENT.format(1), after=at)
    pmd.wait_link(1, up=False)
    lab.ctl.text("port", "set", "d0", "link", "up")
    pmd.wait_link(1)
    pmd.wait_link(0)
    pmd.cmd("stop")
    pmd.clear()
    pmd.forward("io", first_burst=True)
    pmd.wait_for(lambda: pmd.stats_of(0)["rx_packets"] > 1000, "frames pass")
    pmd.cmd("stop")


def test_link_without_interrupt(switch, testpmd):
    """A program that wants no events sees the same when it asks."""
    lab = switch()
    pmd = testpmd([lab.front(0)], args=["--no-lsc-interrupt"])
    pmd.wait_link()
    lab.ctl.text("port", "set", "d0", "link", "down")
    pmd.wait_link(up=False)
    lab.ctl.text("port", "set", "d0", "link", "up")
    pmd.wait_link()
    assert "link state change" not in pmd.log()
