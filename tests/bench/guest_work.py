# SPDX-License-Identifier: BSD-3-Clause
"""What guests do with their own CPU in a case of the offload matrix, and which case is a fair measure for another."""
from matrix import TUNNELS, WHOLE, has_tunnels

# Levels, more work is higher; all of them for one way from a sender to a receiver.
WORDS = ("net", "cuts", "sums", "takes", "verifies", "small")
NETS = {"plain": 0, "vlan": 1, "vxlan": 2, "geneve": 2}
WHOLE_FRAMES, MERGED, EACH = range(3)


class _Side:
    """A station's part in a case. Who is far has what a driver turns on by itself."""

    def __init__(self, case, station):
        self._case, self._station = case, station
        self.mask = case.get(f"{station}_mask", 0x47)
        self.mtu = case[f"{station}_mtu"]

    def has(self, name):
        return self._case.get(f"{self._station}_{name}", True)


def _takes(case, to, cuts):
    """How frames reach the receiver's TCP. What comes over the uplink has been cut; a tunnel's device merges by itself."""
    tunnel = case["net"] in TUNNELS
    if to.has("lro") and not cuts and "far" not in case["way"] and (to.mask == WHOLE if tunnel else case["net"] == "plain"):
        return WHOLE_FRAMES
    return MERGED if tunnel or to.has("gro") or to.has("lro") else EACH


def work(case, sender, receiver):
    """The levels of WORDS."""
    case = {**case, "way": (sender, receiver)}
    one, to, tunnel = _Side(case, sender), _Side(case, receiver), case["net"] in TUNNELS
    sums = not one.has("tx") or (tunnel and not has_tunnels(one.mask))
    cuts = sums or not one.has("tso" if case["ip"] == 4 else "tso6") or (tunnel and not one.has("tnl"))
    verifies = not to.has("rx") or (tunnel and not has_tunnels(to.mask))
    return (NETS[case["net"]], int(cuts), int(sums), _takes(case, to, cuts), int(verifies), int(min(one.mtu, to.mtu) < 9000))


def fair_base(rates, works):
    """For each case the best rate of those in which the guests do at least the same work: nothing that guests do keeps the case
    from reaching it. Both by case; the result, too."""
    return {name: max(rates[other] for other in rates if all(more >= same for more, same in zip(works[other], works[name])))
            for name in rates}
