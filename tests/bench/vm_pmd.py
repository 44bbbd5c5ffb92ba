# SPDX-License-Identifier: BSD-3-Clause
"""The front end in a virtual machine against DPDK's net_vmxnet3, on the same devices: instructions per frame.

The guest has one CPU, emulated with counted instructions: QEMU's -icount makes its time stamp counter go one step for each
instruction, so vm_pmd.c counts them inside of the guest, and what else the machine does changes nothing.
"""
import json

from lib import paths
from lib.daemon import Vswitchd
from lib.guest_dpdk import OUR_PLUGIN, DpdkGuest, eal_words, slot
from lib.opened import Opened

PROGRAM = paths.BUILD / "tests/bench/vm_pmd"
MAKES = OURS, QEMUS = "our device", "QEMU's device"
DRIVERS = MINE, DPDKS = "net_vmxnet3x", "net_vmxnet3"


def _mac(make, number):
    return f"52:54:00:00:{0x0c + MAKES.index(make):02x}:0{number}"


class Machine(Opened):
    """A guest with two cards of either make; those of a make are connected with each other."""

    def __init__(self):
        super().__init__()
        self.guest = None

    def _open(self):
        daemon = Vswitchd({"ports": []})
        self.stack.callback(daemon.close)
        names = ["vm0", "vm1"]
        daemon.configure({
            "run-dir": str(daemon.dir),
            "ports": [{"name": name, "type": "device", "socket": daemon.socket(name), "mac": _mac(OURS, number)}
                      for number, name in enumerate(names)],
            "bridges": [{"name": "br0", "ports": names}],
        })
        self.stack.enter_context(daemon)
        nics = [{"driver": "vfio-user-pci", "socket": {"type": "unix", "path": daemon.socket(name)},
                 "x-msg-timeout": 60000} for name in names]
        nics += [{"driver": "vmxnet3", "netdev": f"q{number}", "mac": _mac(QEMUS, number)} for number in range(2)]
        cables = [word for number in range(2) for word in ("-netdev", f"hubport,id=q{number},hubid=0")]
        self.guest = DpdkGuest("vmpmd", nics, plugins=[paths.PMD_VMXNET3X], programs=[PROGRAM], vcpus=1,
                               extra_args=["-icount", "shift=0,sleep=on", *cables])
        self.stack.enter_context(self.guest)
        self.guest.wait_boot(timeout=200)

    def measure(self, make, driver, bursts, fast_free=False):
        """What vm_pmd.c prints."""
        first = 2 * MAKES.index(make)
        choice = "" if driver == MINE else ",vmxnet3x=0"
        words = eal_words([slot(number)[0] + choice for number in (first, first + 1)], [OUR_PLUGIN], lcores="0")
        words += ["--log-level", "*:error", "--", str(bursts), *(["fast-free"] if fast_free else [])]
        said = self.guest.run(" ".join([PROGRAM.name, *words]), timeout=180)
        result = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
        if result["driver"] != driver:
            raise RuntimeError(f"{result['driver']} took the devices, not {driver}")
        return result


def vm_pmd(report, bursts=600):
    """A table of instructions per frame, and the ratios."""
    title = "net_vmxnet3x in a guest against DPDK's net_vmxnet3, instructions per 64-byte frame, bursts of 32"
    with report.section("vm_pmd", title) as data:
        rows, ratios = [], {}
        with Machine() as machine:
            for make, goal in zip(MAKES, ("front/cycles-ours", "front/cycles-qemu")):
                results = data[make] = {driver: machine.measure(make, driver, bursts) for driver in DRIVERS}
                results[f"{MINE}, fast free"] = machine.measure(make, MINE, bursts, fast_free=True)
                rows += [[f"{make}, {name}", *(f"{figure:.1f}" for figure in _figures(result)), result["rx_mode"] or "-"]
                         for name, result in results.items()]
                ratios[goal] = [_figures(results[MINE])[2] / _figures(results[DPDKS])[2]]
        report.table(["", "rx", "tx", "both", "rx burst mode"], rows)
        report.against(data, ratios)


def _figures(result):
    return result["rx"], result["tx"], result["rx"] + result["tx"]
