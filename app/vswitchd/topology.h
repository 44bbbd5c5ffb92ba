/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What polling cores know: which port queues to poll, and which ports are bridged with which.
 * Never changed: every management change makes a new one, publishes it, and frees the old one
 * when no core uses it.
 */
#ifndef VSWITCHD_TOPOLOGY_H
#define VSWITCHD_TOPOLOGY_H

#include "bridge.h"
#include "port.h"
#include "vlan_policy.h"

struct topo_port;

struct topo_bridge {
	struct bridge *bridge;
	bool vlans;                       /**< a port of it knows VLANs: frames are told apart by them */
	uint32_t nb_ports;
	const struct topo_port *ports[MAX_PORTS];
};

struct topo_port {
	struct port *port;                /**< NULL: no port has this id */
	const struct topo_bridge *bridge; /**< NULL: detached */
	struct vlan_policy vlan;
};

/** What a polling core has of a port. */
struct topo_unit {
	const struct topo_port *tp;
	uint64_t queues; /**< a bit for each queue */
	/* Copies of the port's: a look at silent queues leads straight to what it is about. */
	uint64_t (*rx_pending)(const void *look, uint64_t queues);
	const void *look;
};

struct topo_work {
	uint32_t nb_units, nb_queues;
	struct topo_unit unit[MAX_PORTS];
	/** Ports whose interrupts this core looks after. */
	uint32_t nb_owned;
	struct port *owned[MAX_PORTS];
};

struct topology {
	uint64_t generation;              /**< no two topologies have the same; not 0 */
	uint16_t nb_workers;
	uint32_t nb_bridges;
	struct topo_port port[MAX_PORTS]; /**< by id */
	struct topo_work *work;           /**< [nb_workers] */
	struct topo_bridge *bridge;       /**< [nb_bridges] */
};

/** @return NULL: no memory. */
struct topology *topology_create(struct port *const *ports, uint32_t nb_ports,
	struct bridge *const *bridges, uint32_t nb_bridges, uint16_t nb_workers);
void topology_free(struct topology *topo);

#endif /* VSWITCHD_TOPOLOGY_H */
