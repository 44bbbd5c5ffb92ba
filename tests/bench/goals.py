# SPDX-License-Identifier: BSD-3-Clause
"""What this project means to reach: ratios of two things measured turn by turn in one run."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    """`what` is measured against `peer`; a goal below its floor is one where less is better."""

    what: str
    peer: str
    goal: float
    floor: float

    def verdict(self, value):
        """Where a figure stands: "goal" (reached), "floor" (reached, the goal is not) or "below" the floor."""
        sign = 1 if self.goal > self.floor else -1
        if sign * value >= sign * self.goal:
            return "goal"
        return "floor" if sign * value >= sign * self.floor else "below"


OVS, TESTPMD, THE_LIMIT, QEMU = "OVS-DPDK", "testpmd io", "the limit", "QEMU's vmxnet3"

# The one place of these numbers. The keys are what sections name them by.
GOALS = {
    "64/ovs": Goal("64 B, Mpps", OVS, 2.5, 1.7),
    "64/testpmd": Goal("64 B, Mpps", TESTPMD, 2.0, 1.3),
    "64/limit": Goal("64 B, Mpps", THE_LIMIT, 0.5, 0.3),
    "1518/ovs": Goal("1518 B, Mpps", OVS, 1.7, 1.3),
    "1518/limit": Goal("1518 B, Mpps", THE_LIMIT, 0.9, 0.7),
    "9014/ovs": Goal("9014 B, Mpps", OVS, 2.0, 1.3),
    "9014/limit": Goal("9014 B, Mpps", THE_LIMIT, 0.9, 0.75),
    "tso/ovs": Goal("TSO of 64 KB, payload", OVS, 2.0, 1.3),
    "tso/limit": Goal("TSO of 64 KB, payload", THE_LIMIT, 0.9, 0.75),
    "guests/tcp-there": Goal("TCP there, emulated guests", QEMU, 1.3, 1.0),
    "guests/tcp-back": Goal("TCP back, emulated guests", QEMU, 1.3, 1.0),
    "guests/ping": Goal("ping round trip, emulated guests", QEMU, 0.7, 1.0),
    "front/cycles-ours": Goal("front end in a VM, counted, on our device", "net_vmxnet3", 0.6, 0.8),
    "front/cycles-qemu": Goal("front end in a VM, counted, on QEMU's device", "net_vmxnet3", 0.6, 0.8),
    "scale/idle-ports": Goal("cost per packet, 2 busy and 26 idle ports", "2 ports", 1.05, 1.15),
    "scale/busy-ports": Goal("cost per packet, 28 busy ports", "2 ports", 1.2, 1.5),
    "scale/macs": Goal("cost per packet, 100,000 MACs in use", "10 MACs", 1.2, 1.5),
    "isolation/buffers": Goal("round beside ports that never receive", "ports that behave", 1.0, 1.05),
    "isolation/flood": Goal("round beside ports that flood", "ports that behave", 1.0, 1.05),
    "isolation/storm": Goal("round beside ports that unmask all the time", "ports that behave", 1.0, 1.05),
    "isolation/storm-32": Goal("the same, with 32 vectors each", "ports that behave", 1.0, 1.05),
    "scale/cores": Goal("busy cycles per packet, two polling cores", "one core", 1.05, 1.2),
    "scale/cores-shared": Goal("the same, on the same two CPUs", "nothing shared", 1.05, 1.2),
}
