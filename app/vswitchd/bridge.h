/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A bridge: which ports are attached to it, and what it has learnt. Main thread, but for its
 * table and its counters, which polling cores use.
 */
#ifndef VSWITCHD_BRIDGE_H
#define VSWITCHD_BRIDGE_H

#include <rte_common.h>

#include "fdb.h"
#include "port.h"

/** Of one bridge on one polling core: written by that core alone. */
struct bridge_counters {
	uint64_t flooded, fdb_full, fdb_moves;
} __rte_cache_aligned;

struct bridge {
	struct bridge_conf conf;          /**< own copy of the name; ports is NULL */
	struct fdb *fdb;                  /**< NULL: a wire */
	struct bridge_counters *counters; /**< [nb_workers] */
	uint16_t nb_workers;
	uint32_t nb_ports;
	struct port *ports[MAX_PORTS];
};

int bridge_create(const struct bridge_conf *conf, uint16_t nb_workers, void (*quiesce)(void),
	struct bridge **bridge, struct error *err);
void bridge_destroy(struct bridge *bridge);

/** @return 0 or a negative errno: a wire has two ports, and they know no VLANs. */
int bridge_attach(struct bridge *bridge, struct port *port, struct error *err);
/** Says that a wire passes all VLANs. @return -EINVAL */
int bridge_refuse_vlans(const struct bridge *bridge, const struct port *port, struct error *err);
/** The port is one of its ports. Polling cores may go on learning it until the next topology. */
void bridge_detach(struct bridge *bridge, const struct port *port);
bool bridge_has(const struct bridge *bridge, const struct port *port);

/** The other end of a wire; NULL: there is none. */
struct port *bridge_wire_peer(const struct bridge *bridge, const struct port *port);

/** Sums up. */
void bridge_counters_get(const struct bridge *bridge, struct bridge_counters *sum);

#endif /* VSWITCHD_BRIDGE_H */
