# SPDX-License-Identifier: BSD-3-Clause
"""Servers that go and come back under a running application, and devices that come and go by the thousand."""
import pytest

from lib import paths

from . import lab

BOTH = [paths.PMD_VMXNET3X, paths.PMD_VMXNET3_HOST]
CYCLES = 500
FLOWGEN_MAC = "00:01:02:03:04:01"  # where testpmd's flowgen sends to
TAG = 4  # bytes that the driver asks for beyond the MTU
MODES = ("mtu", "rx_mode", "features")


def flows(pmd, port):
    """Whether frames come in at a port."""
    before = pmd.stats_of(port)["rx_packets"]
    pmd.wait_for(lambda: pmd.stats_of(port)["rx_packets"] > before + 10_000, f"frames come in at port {port}", 20)


def modes(one, port):
    """What the device has been told."""
    device = one.ctl.json("port", "show", f"d{port}")["device"]
    return {key: device[key] for key in MODES}


def end(one, how):
    """End a server, by asking or without."""
    if how == "stop":
        one.stop()
    else:
        one.kill9()


def set_tag(pmd, port, vlan):
    """What a port sends carries this VLAN."""
    pmd.cmds(f"port stop {port}", f"tx_vlan reset {port}", f"tx_vlan set {port} {vlan}", f"port start {port}")


@pytest.mark.parametrize("how", ["stop", "kill -9"])
def test_traffic_resumes(switch, testpmd, how):
    """Twice; modes, MTU, address and VLAN filter are as before. (A promiscuous port gets all VLANs.)"""
    one = switch(wire=True)
    pmd = testpmd(one.fronts(), args=["--rxq=2", "--txq=2", "--max-pkt-len=4000", "--mbuf-size=4352"])
    pmd.cmds("set promisc 0 off", "set allmulti 0 on", "set promisc 1 off", f"mac_addr set 1 {FLOWGEN_MAC}",
             "vlan set filter on 1", "rx_vlan add 100 1",
             "port stop all", "port config mtu 0 3000", "port config mtu 1 2000", "port start all")
    set_tag(pmd, 0, 100)
    pmd.forward("flowgen")
    flows(pmd, 1)
    told = [modes(one, port) for port in (0, 1)]
    assert [each["mtu"] for each in told] == [3000 + TAG, 2000 + TAG]
    assert "all-multicast" in told[0]["rx_mode"] and "promiscuous" not in told[0]["rx_mode"]
    assert "promiscuous" not in told[1]["rx_mode"] and "unicast" in told[1]["rx_mode"]
    for _ in range(2):
        after = len(pmd.log())
        end(one, how)
        for port in (0, 1):
            pmd.wait_link(port, up=False)
        pmd.wait_log("net_vmxnet3x0: lost the server at .*; reconnecting", after=after)
        sent = pmd.stats_of(0)["tx_packets"]
        assert pmd.stats_of(0)["tx_packets"] == sent
        one.start()
        for port in (0, 1):
            pmd.wait_link(port)
            pmd.wait_log(f"net_vmxnet3x{port}: back on the server at ", after=after)
        flows(pmd, 1)
        assert [modes(one, port) for port in (0, 1)] == told
    assert pmd.port_info(0)["MTU"] == "3000"
    pmd.halt()
    set_tag(pmd, 0, 200)  # this one the filter, which the new server has been told, does not let in
    pmd.forward("flowgen")
    pmd.wait_for(lambda: pmd.stats_of(0)["tx_packets"] > sent + 100_000, "frames are sent")
    come = pmd.stats_of(1)["rx_packets"]
    tags = pmd.stats_of(0)["tx_packets"]
    pmd.wait_for(lambda: pmd.stats_of(0)["tx_packets"] > tags + 10_000, "more frames are sent")
    assert pmd.stats_of(1)["rx_packets"] == come
    pmd.halt()


@pytest.mark.parametrize("good, bad, mtu, sentence", [
    ("max-queues: 32", "max-queues: 1", 1500, "the port has 2 transmit and 2 receive queues, the device allows 1 and 1"),
    ("revisions: 0x47", "revisions: 0x7", 9100, "the port's MTU is 9100, the device allows 9000"),
], ids=["queues", "mtu"])
def test_a_worse_server(switch, testpmd, good, bad, mtu, sentence):
    """The link stays down and the log says why, until a server comes that is as good as the first."""
    one = switch(wire=True, revisions=0x47)
    config = one.config_file.read_text().replace("revisions: 71", "revisions: 0x47")
    assert good in config
    pmd = testpmd(one.fronts(), args=["--rxq=2", "--txq=2", "--mbuf-size=9472", "--total-num-mbufs=8192"])
    pmd.cmds("port stop all", f"port config mtu 0 {mtu}", f"port config mtu 1 {mtu}", "port start all")
    pmd.forward("flowgen")
    flows(pmd, 1)
    one.stop()
    after = len(pmd.log())
    one.configure(config.replace(good, bad))
    one.start()
    for port in (0, 1):
        pmd.wait_log(f"net_vmxnet3x{port}: {sentence}", after=after)
        pmd.wait_log(f"net_vmxnet3x{port}: the port stays down until there is another server", after=after)
        assert not pmd.link(port)
        assert not one.ctl.json("port", "show", f"d{port}")["active"]
    one.stop()
    one.configure(config)
    one.start()
    for port in (0, 1):
        pmd.wait_link(port)
    flows(pmd, 1)
    pmd.halt()


def test_no_reconnection(switch, testpmd):
    """reconnect=0: the port stays down, and can still be stopped, detached and attached to the new server."""
    one = switch()
    pmd = testpmd([one.front(0, reconnect=0), one.front(1)])
    pmd.wait_link(0)
    after = len(pmd.log())
    end(one, "stop")
    pmd.wait_log("net_vmxnet3x0: lost the server at [^;]*$", after=after)
    one.start()
    pmd.wait_link(1)
    assert not pmd.link(0)
    assert not one.ctl.json("port", "show", "d0")["attached"]
    pmd.cmds("port stop 0", "port detach 0", f"port attach {one.front(0)}")
    pmd.cmd("port start 0")
    pmd.wait_link(0)


def test_the_end_without_server(switch, testpmd):
    """An application ends cleanly while its server is away."""
    one = switch()
    pmd = testpmd(one.fronts())
    pmd.forward("flowgen")
    end(one, "kill -9")
    pmd.wait_link(0, up=False)
    pmd.halt()
    pmd.stop()


@pytest.mark.parametrize("started", [False, True], ids=["attached", "started"])
@pytest.mark.parametrize("driver", ["front", "back"])
def test_nothing_leaks(switch, testpmd, workdir, driver, started):
    """Devices come and go; descriptors, threads and memory of application and server are what they were."""
    one = switch(ports=1)
    pmd = testpmd(plugins=BOTH)
    devargs = one.front(0) if driver == "front" else lab.back(0, workdir / "card.sock")
    cycle = [f"port attach {devargs}", *(["port start 0", "port stop 0"] if started else []), "port detach 0"]

    def repeat(times):
        for _ in range(times):
            said = pmd.cmds(*cycle)
            assert "Device is detached" in said, said

    cycles = CYCLES // 10 if started else CYCLES
    repeat(20)
    # The server sees a little later that its client has left.
    pmd.wait_for(lambda: driver == "back" or not one.ctl.json("port", "show", "d0")["attached"], "it has left")
    before = pmd.stats(), one.stats()
    repeat(cycles)
    pmd.wait_for(lambda: driver == "back" or not one.ctl.json("port", "show", "d0")["attached"], "it has left")
    for old, new in zip(before, (pmd.stats(), one.stats())):
        assert (new.fds, new.threads) == (old.fds, old.threads)
        assert new.rss_kib < old.rss_kib + 2 * cycles  # 2 KiB each would be a leak
    assert list(workdir.iterdir()) == []
