# SPDX-License-Identifier: BSD-3-Clause
"""What the offload matrix combines, and which combinations there are."""
from lib.cover import Cover

# The revisions that a card offers. With 0x3f tunnels go by the mode of revisions 4 to 6, which these kernels would
# otherwise never choose.
REVISION = {"6.1": {0x07: 3, 0x3f: 6, 0x47: 7, 0x7f: 7, 0x1ff: 7},
            "6.12": {0x07: 3, 0x3f: 6, 0x47: 7, 0x7f: 7, 0x1ff: 9}}
MASKS = tuple(REVISION["6.1"])
# To the card with this one large frames inside of tunnels go whole.
WHOLE = 0x7f
TUNNELS = ("vxlan", "geneve")
SIDES = ("a", "b")

# Our names of the features: what ethtool -K takes, and what ethtool -k shows.
FEATURES = {
    "tx": {"tx": "tx-checksum-ip-generic"},
    "tso": {"tx-tcp-segmentation": "tx-tcp-segmentation"},
    "tso6": {"tx-tcp6-segmentation": "tx-tcp6-segmentation"},
    "lro": {"lro": "large-receive-offload"},
    "gro": {"gro": "generic-receive-offload"},
    "rx": {"rx": "rx-checksumming"},
    "rxvlan": {"rxvlan": "rx-vlan-offload"},
    "txvlan": {"txvlan": "tx-vlan-offload"},
    "tnl": {name: name for name in ("tx-udp_tnl-segmentation", "tx-udp_tnl-csum-segmentation")},
}


def has_tunnels(mask):
    """Whether the kernels' drivers offer segmentation inside tunnels on such a card."""
    return mask != 0x07


def offload_matrix():
    """The factors of the matrix and what the kernel's driver makes of them."""
    factors, rules = {}, []
    for side in SIDES:
        factors[f"{side}_mask"] = MASKS
        factors.update({f"{side}_{name}": (True, False) for name in FEATURES})
        factors[f"{side}_mtu"] = (1500, 9000)
        for segmentation in ("tso", "tso6"):
            rules.append(((f"{side}_{segmentation}", f"{side}_tx"), lambda tso, tx: tx or not tso))
        rules.append(((f"{side}_lro", f"{side}_rx"), lambda lro, rx: rx or not lro))
        rules.append(((f"{side}_tnl", f"{side}_mask"), lambda tnl, mask: has_tunnels(mask) or not tnl))
    # What is under a tunnel: the version of IP, and whether the outer UDP has a checksum.
    factors.update(far_mtu=(1500, 9000), net=("plain", "vlan", *TUNNELS), ip=(4, 6), under=("4", "4+sum", "6+sum"))
    # A VLAN device does not take large receives, and the kernel turns LRO off in the card below it.
    rules += [((f"{side}_lro", "net"), lambda lro, net: net != "vlan" or not lro) for side in SIDES]
    rules.append((("net", "under"), lambda net, under: net in TUNNELS or under == "4"))
    return Cover(factors, rules)


def seeds():
    """What most people have: everything that a driver turns on by itself, over each kind of network."""
    on = {f"{side}_{name}": True for side in SIDES for name in FEATURES}
    on = [{**on, **{f"{side}_lro": net != "vlan" for side in SIDES}, "net": net} for net in ("plain", "vlan", *TUNNELS)]
    return [{**case, "a_mask": 0x47, "b_mask": 0x47, "a_mtu": 1500, "b_mtu": 1500, "ip": 4} for case in on]


def title(case):
    """A case in one word: of each side mask, MTU and what is off; then the network."""
    words = []
    for side in SIDES:
        off = [name for name in FEATURES if not case[f"{side}_{name}"]]
        words.append(f"{side}:{case[f'{side}_mask']:x}/{case[f'{side}_mtu']}" + "".join(f"-{name}" for name in off))
    net = case["net"] + (f"/{case['under']}" if case["net"] in TUNNELS else "")
    return "_".join(words + [f"far:{case['far_mtu']}", f"{net}:v{case['ip']}"])
