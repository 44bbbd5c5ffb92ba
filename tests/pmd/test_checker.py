# SPDX-License-Identifier: BSD-3-Clause
"""The checker itself, on drivers that are not ours: it finds what is wrong, and nothing where all is well."""
import pytest

from lib.testpmd import Testpmd

RING = ["net_ring0"]  # what is sent comes back


def test_all_is_well(pktcheck):
    result = pktcheck(RING, "--frames", 100000, plugins=[]).must_be_good(100000)
    assert result.sum("received") == result.sum("sent") == 100000
    assert result.lanes[0]["sizes"] == 1514 - 60 + 1
    assert result.ports[0]["rx_good_packets"] == 100000


@pytest.mark.parametrize("kind, counter", [
    ("flip", "altered"), ("cut", "altered"), ("drop", "lost"), ("swap", "reordered"), ("repeat", "repeated"),
])
def test_damage_is_found(pktcheck, kind, counter):
    result = pktcheck(RING, "--frames", 50000, "--stall", 1, "--damage", f"{kind}:500", plugins=[])
    assert result.status == 1
    assert result.sum("damaged") >= 90
    assert result.sum(counter) == result.wrong() == result.sum("damaged"), result.output


def echo_through(workdir, pktcheck, mode, *options):
    """What a checker sees whose frames the distribution's testpmd sends back, changed as it does in this mode."""
    socket = workdir / f"{mode}.sock"
    with Testpmd([f"net_memif0,role=server,socket={socket},socket-abstract=no,mac=02:00:00:00:00:09"],
                 plugins=[]) as pmd:
        pmd.forward(mode)
        result = pktcheck([f"net_memif0,role=client,socket={socket},socket-abstract=no"], "--echo", "02:00:00:00:00:09",
                          *options, plugins=[])
        # Its memif driver frees the rings of a client that has left while its core may be reading them: it is not asked any more.
        pmd.kill9()
    return result


def test_other_bytes_are_found(workdir, pktcheck):
    """A program in between that exchanges addresses, as --echo expects it; and one that writes others."""
    echo_through(workdir, pktcheck, "macswap", "--frames", 20000).must_be_good(20000)
    wrong = echo_through(workdir, pktcheck, "mac", "--frames", 100, "--stall", 1)
    assert (wrong.status, wrong.sum("received"), wrong.sum("altered")) == (1, 0, 100), wrong.output


@pytest.mark.parametrize("cores", [1, 2])
def test_two_ports_in_segments(workdir, pktcheck, cores):
    ends = [f"net_memif{end},role={role},socket={workdir}/memif.sock,socket-abstract=no"
            for end, role in enumerate(("server", "client"))]
    pktcheck(ends, "--frames", 100000, "--segments", 8, plugins=[], cores=cores).must_be_good(100000)


def test_queues_and_interrupts(workdir, pktcheck):
    """Between two processes, through a testpmd with vhost ports."""
    with Testpmd([f"net_vhost{port},iface={workdir}/vh{port}.sock,queues=2" for port in (0, 1)],
                 args=["--rxq=2", "--txq=2"], plugins=[]) as pmd:
        pmd.forward("io")
        vdevs = [f"net_virtio_user{port},path={workdir}/vh{port}.sock,queues=2" for port in (0, 1)]
        common = {"plugins": [], "cores": 2}
        # Their links are up before the other side has seen all queues.
        rings = ["--queues", 2, "--rxd", 256, "--txd", 256, "--settle", 1000]
        result = pktcheck(vdevs, "--frames", 20000, "--flows", 16, *rings, **common).must_be_good(20000)
        assert all(port[f"rx_q{queue}_good_packets"] > 0 for port in result.ports.values() for queue in (0, 1))
        result = pktcheck(vdevs, "--frames", 0, "--seconds", 3, "--interval", 50, "--rx-interrupts", *rings, **common)
        result.must_be_good()
        assert result.interrupts["wakeups"] > 20
        assert result.interrupts["missed"] < result.sum("received") / 4
        assert result.cpu < result.seconds / 4
        pmd.halt()


@pytest.mark.parametrize("words, sentence", [
    (["--nonsense"], "nonsense"),
    (["--frames", "-1"], "not a value for it"),
    (["--min", 100, "--max", 99], "--min is more than --max"),
    (["--max", 9014], "more --segments"),
    (["--queues", 4, "--flows", 2], "each queue needs a flow"),
    (["--damage", "everything:1"], "not a value for it"),
    (["--csum"], "cannot do"),
    (["--rx-interrupts"], "no receive interrupts"),
])
def test_what_it_refuses(pktcheck, words, sentence):
    result = pktcheck(RING, *words, plugins=[])
    assert result.status == 2
    assert sentence in result.output
