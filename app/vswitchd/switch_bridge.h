/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The bridges of the switch and what they have learnt, as management sees them. */
#ifndef VSWITCHD_SWITCH_BRIDGE_H
#define VSWITCHD_SWITCH_BRIDGE_H

#include "conf.h"
#include "error.h"

int switch_bridge_add(const struct bridge_conf *conf, struct error *err);
/** Its ports are detached, not deleted. */
int switch_bridge_del(const char *name, struct error *err);
int switch_bridge_attach(const char *bridge, const char *port, struct error *err);
int switch_bridge_detach(const char *bridge, const char *port, struct error *err);

struct bridge_info {
	const struct bridge_conf *conf; /**< own copy; ports and nb_ports are not kept up to date */
	const char *ports[MAX_PORTS];   /**< attached now */
	uint32_t nb_ports;
	uint32_t fdb_used;
	uint64_t flooded;    /**< frames sent to every other port */
	uint64_t fdb_full;   /**< addresses not learnt because the table is full */
	uint64_t fdb_moves;  /**< addresses that came up on another port */
};

int switch_bridge_info(const char *name, struct bridge_info *info, struct error *err);
uint32_t switch_bridge_names(const char *names[MAX_BRIDGES]);

struct fdb_entry {
	uint8_t mac[6];
	uint16_t vlan;       /**< 0: untagged */
	const char *port;
	uint32_t age;        /**< seconds since last seen */
};

/** Calls @p fn for each address of a bridge. */
int switch_fdb_foreach(const char *bridge, void (*fn)(const struct fdb_entry *e, void *arg),
	void *arg, struct error *err);
/** @param port  only this port's addresses; NULL: all */
int switch_fdb_flush(const char *bridge, const char *port, struct error *err);

#endif /* VSWITCHD_SWITCH_BRIDGE_H */
