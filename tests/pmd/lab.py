# SPDX-License-Identifier: BSD-3-Clause
"""A switch of devices for DPDK programs, and how these name the devices."""
import os

from lib.daemon import Vswitchd


def front(number, path, **arguments):
    """The front end on a socket, for --vdev or `port attach`."""
    return ",".join([f"net_vmxnet3x{number}", f"path={path}",
                     *(f"{key}={value}" for key, value in arguments.items())])


def back(number, path, **arguments):
    """The back end on a socket."""
    return ",".join([f"net_vmxnet3_host{number}", f"path={path}",
                     *(f"{key.replace('_', '-')}={value}" for key, value in arguments.items())])


class Switch(Vswitchd):
    """vswitchd with the device ports d0, d1, ... on br0, polled by the last CPU; DPDK programs begin with the first.

    ports    how many
    wire     whether br0 is a wire rather than a switch
    taps     names of taps that are on br0, too (they need a netns)
    workers  keys of the polling cores, instead of that CPU
    port     further keys of each device port
    """

    def __init__(self, ports=2, wire=False, taps=(), workers=None, netns=None, options=(), **port):
        super().__init__({}, netns=netns, options=options)
        names = [f"d{number}" for number in range(ports)]
        self.configure({
            "workers": workers or {"cores": str(max(os.sched_getaffinity(0)))},
            "ports": [{"name": name, "type": "device", "socket": self.socket(name), "max-queues": 32, **port}
                      for name in names] +
                     [{"name": tap, "type": "tap", "interface": tap, "mtu": 9000} for tap in taps],
            "bridges": [{"name": "br0", "type": "wire" if wire else "switch", "ports": [*names, *taps]}],
        })

    def front(self, number, device=None, **arguments):
        """The front end on port d<number>."""
        return front(number if device is None else device, self.socket(f"d{number}"), **arguments)

    def fronts(self, ports=2, **arguments):
        """One for each of the first ports."""
        return [self.front(number, **arguments) for number in range(ports)]

    def drops(self, port):
        """{reason: count} of a port."""
        return {drop["reason"]: drop["count"] for drop in self.ctl.json("drops") if drop["port"] == port}
