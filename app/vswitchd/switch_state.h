/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What the switch is made of now, which all its management works on. Main thread only. */
#ifndef VSWITCHD_SWITCH_STATE_H
#define VSWITCHD_SWITCH_STATE_H

#include "bridge.h"
#include "port.h"

/** The switch of this process. */
struct the_switch {
	bool running;
	char *run_dir;
	struct port_env env;
	uint32_t nb_ports;
	struct port *ports[MAX_PORTS];       /**< in the order of creation */
	uint32_t nb_bridges;
	struct bridge *bridges[MAX_BRIDGES];
};

extern struct the_switch the_switch;

/** NULL, with a sentence, if there is none. */
struct port *find_port(const char *name, struct error *err);
struct bridge *find_bridge(const char *name, struct error *err);
/** NULL: detached. */
struct bridge *bridge_of(const struct port *port);

/**
 * Makes the polling cores work by what the structures say now; they have let go of all else on
 * return.
 */
int publish(struct error *err);

/** The clock that addresses and links go by. */
uint32_t now_seconds(void);

#endif /* VSWITCHD_SWITCH_STATE_H */
