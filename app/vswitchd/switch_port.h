/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The ports of the switch, as management sees them. */
#ifndef VSWITCHD_SWITCH_PORT_H
#define VSWITCHD_SWITCH_PORT_H

#include "error.h"
#include "port_info.h"

struct capture;

int switch_port_add(const struct port_conf *conf, struct error *err);
/** @param force  delete a device although a machine uses it: its card is dead until it restarts */
int switch_port_del(const char *name, bool force, struct error *err);
int switch_port_set_link(const char *name, bool up, struct error *err);
/** Takes over the VLAN keys of @p conf, which fit together; the port's link and guest notice nothing. */
int switch_port_set_vlan(const char *name, const struct port_conf *conf, struct error *err);
/** @param affinity  as in the configuration; "none": no queue is pinned */
int switch_port_set_affinity(const char *name, const char *affinity, struct error *err);
int switch_port_set_mtu(const char *name, uint16_t mtu, struct error *err);

int switch_port_info(const char *name, struct port_info *info, struct error *err);
/** What it costs, and whom. */
int switch_port_cost(const char *name, struct port_cost_info *info, struct error *err);
int switch_port_stats(const char *name, struct port_stats *stats, struct error *err);
/** Names of all ports in the order of their creation. @return how many. */
uint32_t switch_port_names(const char *names[MAX_PORTS]);

/**
 * Attaches @p capture (capture.h) to a port or, with NULL, takes away what is there. When it
 * returns, no polling core uses the previous one.
 */
int switch_port_set_capture(const char *name, struct capture *capture, struct error *err);

#endif /* VSWITCHD_SWITCH_PORT_H */
