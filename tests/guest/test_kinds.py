# SPDX-License-Identifier: BSD-3-Clause
"""One guest each of the other kinds: interrupts, queues, IOMMU, revisions, doorbells, many cards, AF_XDP."""
import os
import re
import signal
from pathlib import Path

import pytest
from lab import HOST, Lab, configure_card, counters, iperf, ipv4, ipv6, ping, serve_iperf, tcp
from lib.guest import Guest
from lib.netns import NetNs
from lib.patience import Deadline


@pytest.fixture(name="make_lab")
def fixture_make_lab(log_sources):
    """make_lab(...) opens a Lab for one test."""
    labs = []

    def start(**options):
        labs.append(Lab(**options))
        return labs[-1].__enter__()

    log_sources.append(lambda: [log for lab in labs for log in lab.logs()])
    yield start
    for lab in labs:
        lab.__exit__(None, None, None)


# The ports of a lab that tests share: those of machine 1, then two that machines come to.
REVISIONS = {0x1: 1, 0x3: 2, 0x7: 3}
CARDS = [{"revisions": revisions} for revisions in REVISIONS] + [{"doorbell": "message"}, {}]
MESSAGE, USUAL = len(REVISIONS), len(REVISIONS) + 1
VISITORS = len(CARDS) + 1, len(CARDS) + 2


@pytest.fixture(name="open_kinds", scope="module")
def fixture_open_kinds(open_lab):
    lab = open_lab(ports=VISITORS[-1], port=lambda number: CARDS[number - 1] if number <= len(CARDS) else {})
    lab.guest(1, cards=len(CARDS), kernel="6.1", boot=False).wait_boot()
    return lab


@pytest.fixture(name="kinds")
def fixture_kinds(open_kinds):
    """The lab that is shared; use_card() chooses a card of its machine 1."""
    yield open_kinds
    open_kinds.netns.run(f"ip link set {open_kinds.host} mtu 1500")
    open_kinds.guests[1].run("for i in /sys/class/net/eth*; do ip link set ${i##*/} mtu 1500 down; done")


def use_card(lab, index, mtu=1500):
    """Machine 1 lives on this of its cards."""
    configure_card(lab.guests[1], 1, card=f"eth{index}", mtu=mtu)
    lab.netns.run(f"ip neigh flush dev {lab.host}")  # the address was another card's


def exercise(lab, number=1):
    """Small and large frames, both ways, both protocols, between a guest and the host."""
    guest = lab.guests[number]
    serve_iperf(lab.netns)
    for there in (ipv4(HOST), ipv6(HOST)):
        ping(guest, there)
        tcp(guest, there)
        tcp(guest, there, options="-R")


def test_intx(make_lab):
    lab = make_lab(ports=1)
    guest = lab.guest(1, nomsi=True)
    assert lab.port("vm1")["device"]["interrupt"] == "intx"
    exercise(lab)
    lines = [line for line in guest.run("cat /proc/interrupts").splitlines() if "eth0" in line]
    assert lines and "IO-APIC" in lines[0], lines
    assert int(lines[0].split()[1]) > 0
    guest.run("ip link set eth0 down; ip link set eth0 up")
    lab.configure(1)
    exercise(lab)


def test_one_queue_for_four_cpus(make_lab):
    """As many queues as the port allows; test_rss_queues.py has more of them."""
    lab = make_lab(ports=1, port={"max-queues": 1})
    guest = lab.guest(1, vcpus=4)
    assert lab.port("vm1")["queues"] == {"tx": 1, "rx": 1}
    exercise(lab)
    serve_iperf(guest)
    iperf(lab.netns, ipv4(1), "-t 1 -P 16")
    assert len(re.findall(r"ucast pkts rx: \d+", guest.run("ethtool -S eth0"))) == 1


@pytest.mark.parametrize("mode", ["lazy", "strict"])
def test_iommu(make_lab, mode):
    lab = make_lab(ports=1)
    guest = lab.guest(1, iommu=mode, mem="384M")
    assert "DMAR: Intel(R) Virtualization Technology for Directed I/O" in guest.run("dmesg")
    serve_iperf(lab.netns)
    ping(guest, ipv4(HOST))
    ping(guest, ipv6(HOST), size=1452, df=True)
    # Each packet makes and breaks mappings through messages here: it works, slowly.
    iperf(guest, ipv4(HOST), "-n 2M", timeout=180)
    iperf(guest, ipv4(HOST), "-n 2M -R", timeout=180)
    guest.run("ip link set eth0 down; ip link set eth0 up")
    lab.configure(1)
    ping(guest, ipv4(HOST))


@pytest.mark.parametrize("revisions", [0x1, 0x3, pytest.param(0x7, marks=pytest.mark.long)])
def test_older_revisions(kinds, revisions):
    index = list(REVISIONS).index(revisions)
    use_card(kinds, index)
    assert kinds.port(f"vm{index + 1}")["revision"] == REVISIONS[revisions]
    exercise(kinds)
    kinds.netns.run(f"ip link set {kinds.host} mtu 9000")
    use_card(kinds, index, mtu=9000)
    ping(kinds.guests[1], ipv4(HOST), size=8972, df=True)
    exercise(kinds)


def test_doorbell_message(kinds):
    use_card(kinds, MESSAGE)
    exercise(kinds)


@pytest.mark.long
def test_ten_cards(make_lab):
    lab = make_lab(ports=10)
    guest = lab.guest(1, cards=10, boot=False, mem="512M").wait_boot()
    for card in range(10):
        guest.run(f"ip netns add n{card}; ip link set eth{card} netns n{card}; ip -n n{card} link set lo up; "
                  f"ip -n n{card} addr add {ipv4(card + 1)}/24 dev eth{card}; ip -n n{card} link set eth{card} up")
    for card in range(10):
        guest.run(f"ip netns exec n{card} ping -n -q -c 1 -W 20 {ipv4(HOST)}")
        guest.run(f"ip netns exec n{card} ping -n -q -c 1 -W 20 {ipv4((card + 1) % 10 + 1)}")


def test_sixty_four_devices(make_lab):
    """All in one daemon, sixteen to a machine; each reaches the host and a card of the next machine."""
    lab = make_lab(ports=64, port={"max-queues": 1})
    first = range(1, 65, 16)
    for number in first:
        lab.guest(number, cards=16, boot=False, mem="384M")
    for number in first:
        guest = lab.guests[number].wait_boot(timeout=240)
        # Few processes: an emulated CPU takes long to start one.
        guest.run("ip -b - <<END\n" + "\n".join(f"netns add n{card}\nlink set eth{card} netns n{card}" for card in range(16)) +
                  "\nEND\n" + "\n".join(f"ip -n n{card} -b - <<END\nlink set lo up\naddr add {ipv4(number + card)}/24 dev eth{card}\n"
                                         f"link set eth{card} up\nEND" for card in range(16)), timeout=240)
    jobs = []
    for number in first:
        there = [ipv4((number + 15 + card) % 64 + 1) for card in range(16)]
        jobs.append(lab.guests[number].spawn("\n".join(
            f"for to in {ipv4(HOST)} {there[card]}; do nsenter --net=/run/netns/n{card} "
            "ping -n -q -c 1 -W 20 $to >/tmp/out || { cat /tmp/out; exit 1; }; done" for card in range(16))))
    for job in jobs:
        job.wait(timeout=300)
    assert sum(1 for row in lab.ctl.json("port", "list") if row.get("active")) == 64


def test_af_xdp_on_veth(make_lab):
    lab = make_lab(ports=1, uplink="af_xdp")
    lab.guest(1)
    exercise(lab)
    ping(lab.guests[1], ipv4(HOST), size=1472, df=True)


def manual_recipe():
    """The commands of the user guide's section on the Internet, for this lab's interface and addresses."""
    text = (Path(__file__).parents[2] / "docs/user-guide.md").read_text()
    section = text.split("### The Internet", 1)[1].split("\n#", 1)[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    assert len(lines) >= 3
    return "\n".join(lines).replace("vsw0", "host0").replace("192.0.2.0/24", "10.9.0.0/24")


def test_nat_recipe_of_the_manual(kinds):
    """A guest reaches an address beyond the host, which knows nothing of the guest's."""
    lab, guest = kinds, kinds.guests[1]
    use_card(lab, USUAL)
    with NetNs("internet") as internet:
        lab.netns.veth("wan0", "net0", internet)
        lab.netns.address("wan0", "203.0.113.2/24")
        internet.address("net0", "203.0.113.1/24")
        lab.netns.run(manual_recipe())
        guest.run(f"ip route add default via {ipv4(HOST)}")
        serve_iperf(internet)
        ping(guest, "203.0.113.1")
        tcp(guest, "203.0.113.1")
        tcp(guest, "203.0.113.1", options="-R")


def test_memory_that_is_not_shared(kinds):
    """A machine without share=on is told what to do, and nobody else notices."""
    lab, number = kinds, VISITORS[0]
    use_card(lab, USUAL)
    private = lab.guest(number, boot=False, share=False).wait_boot()
    assert "Failed" in private.run("ip link set eth0 up 2>&1; dmesg | grep -i vmxnet3", check=False) or \
        not lab.port(f"vm{number}")["active"]
    assert "guest RAM is not shared" in lab.daemon.log() and "share=on" in lab.daemon.log()
    ping(lab.guests[1], ipv4(HOST))
    private.console_log.write_text("")
    private.quit()


def test_memory_truncated_by_its_owner(kinds):
    """A machine's memory file shrinks under the polling core: its device breaks, all else goes on."""
    lab, number = kinds, VISITORS[1]
    name = f"vm{number}"
    memory = Path("/dev/shm") / f"vx-{os.getpid()}"
    use_card(lab, USUAL)
    try:
        victim = lab.guest(number, mem_file=memory)
        ping(lab.guests[1], ipv4(number))
        victim.process.send_signal(signal.SIGSTOP)  # else it dies of the same, and its connection with it
        os.truncate(memory, 0)
        # The polling core looks at the rings all the time.
        Deadline(20, lab.daemon.pid).wait_for(lambda: lab.port(name)["device"]["broken"], f"{name} is broken")
        exercise(lab)
        victim.kill9()
        lab.wait_port(name, attached=False)
        os.unlink(memory)
        victim.start()
        lab.configure(number)
        ping(lab.guests[1], ipv4(number))
        assert not lab.port(name)["device"]["broken"]
        victim.quit()
    finally:
        memory.unlink(missing_ok=True)


@pytest.mark.long
def test_two_polling_cores(make_lab):
    """Queues spread over both; several cores deliver to one guest."""
    lab = make_lab(ports=3, config={"workers": {"cores": "0-1"}})
    for number in (1, 2):
        lab.guest(number, vcpus=2, boot=False)
    for number in (1, 2):
        serve_iperf(lab.configure(number))
    assert len(lab.ctl.json("worker", "list")) == 2
    exercise(lab)
    iperf(lab.guests[1], ipv4(2), "-t 3 -P 4")
    tcp(lab.guests[1], ipv4(2))
    tcp(lab.guests[1], ipv4(2), options="-R")
    ping(lab.guests[2], ipv4(HOST), count=50)


def test_socket_in_use_by_another_machine(kinds):
    """A second QEMU on a port that has one ends at once; the first goes on."""
    lab, name = kinds, f"vm{USUAL + 1}"
    use_card(lab, USUAL)
    with Guest("second", nics=[lab.daemon.socket(name)], x_msg_timeout=5000) as second:
        assert second.process.wait(60) != 0
    ping(lab.guests[1], ipv4(HOST))
    assert name in lab.daemon.log() and counters(lab.guests[1], f"eth{USUAL}")["ucast pkts rx"] > 0
