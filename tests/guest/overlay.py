# SPDX-License-Identifier: BSD-3-Clause
"""Overlay networks as container platforms set them up: pods in namespaces of their own, a VXLAN device without learning, routes
and static neighbours. Nothing of a card's settings is touched."""
import dataclasses


@dataclasses.dataclass
class Kind:
    """What differs between the platforms."""

    device: str
    ident: int
    port: int
    bridged: bool  # the pods' cables end in a bridge, else routes lead to each


FLANNEL = Kind("flannel.1", 1, 8472, True)
CALICO = Kind("vxlan.calico", 4096, 4789, False)
UNDERLAY_BYTES = 50


def pod(number):
    """The address of the pod on a node."""
    return f"10.42.{number}.2"


def tunnel_mac(number):
    return f"02:42:0a:2a:{number:02x}:00"


class Node:
    """A node of the overlay: its number, its card and that one's address."""

    def __init__(self, number, card, address, mtu=1500):
        self.number, self.card, self.address = number, card, address
        self.mtu = mtu - UNDERLAY_BYTES
        self.pod = f"pod{number}"

    def join(self, kind, others):
        """Shell text that sets the node up among others; the pod's namespace is there."""
        subnet = f"10.42.{self.number}"
        lines = [
            "set -e; sysctl -qw net.ipv4.ip_forward=1",
            f"ip link add {kind.device} type vxlan id {kind.ident} dev {self.card} local {self.address} dstport {kind.port} nolearning",
            f"ip link set {kind.device} address {tunnel_mac(self.number)} mtu {self.mtu} up",
            f"ip addr add {subnet}.0/32 dev {kind.device}",
            f"ip link add cable0 mtu {self.mtu} type veth peer name eth0 mtu {self.mtu} netns {self.pod}",
            f"ip -n {self.pod} addr add {pod(self.number)}/{24 if kind.bridged else 32} dev eth0",
            f"ip -n {self.pod} link set eth0 up; ip link set cable0 up",
        ]
        if kind.bridged:
            lines += [f"ip link add cni0 type bridge; ip link set cni0 mtu {self.mtu} up; ip link set cable0 master cni0",
                      f"ip addr add {subnet}.1/24 dev cni0; ip -n {self.pod} route add default via {subnet}.1"]
        else:
            # Calico answers for this address itself; a neighbour that is known does as well.
            lines += [f"ip link set cable0 address ee:ee:ee:ee:ee:ee; ip route add {pod(self.number)} dev cable0",
                      f"ip -n {self.pod} route add 169.254.1.1 dev eth0; ip -n {self.pod} route add default via 169.254.1.1",
                      f"ip -n {self.pod} neigh add 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent"]
        for other in others:
            lines += [f"ip neigh replace 10.42.{other.number}.0 lladdr {tunnel_mac(other.number)} dev {kind.device} nud permanent",
                      f"bridge fdb append {tunnel_mac(other.number)} dev {kind.device} dst {other.address}",
                      f"ip route add 10.42.{other.number}.0/24 via 10.42.{other.number}.0 dev {kind.device} onlink"]
        return "\n".join(lines)

    def inside(self, command):
        """Shell text that runs in the pod."""
        return f"ip netns exec {self.pod} {command}"

    def leave(self, kind):
        """Shell text that takes the node down."""
        bridge = "ip link del cni0;" if kind.bridged else ""
        return f"ip link del {kind.device}; {bridge} ip link del cable0; sysctl -qw net.ipv4.ip_forward=0"
