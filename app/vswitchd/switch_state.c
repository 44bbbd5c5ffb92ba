/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "switch_state.h"
#include "topology.h"
#include "worker.h"

struct the_switch the_switch;

struct port *
find_port(const char *name, struct error *err)
{
	for (uint32_t i = 0; i < the_switch.nb_ports; i++) {
		if (strcmp(the_switch.ports[i]->conf.name, name) == 0)
			return the_switch.ports[i];
	}
	error_set(err, -ENOENT, "no port is called '%.40s': see 'vswitchctl port list'", name);
	return NULL;
}

struct bridge *
find_bridge(const char *name, struct error *err)
{
	for (uint32_t i = 0; i < the_switch.nb_bridges; i++) {
		if (strcmp(the_switch.bridges[i]->conf.name, name) == 0)
			return the_switch.bridges[i];
	}
	error_set(err, -ENOENT, "no bridge is called '%.40s': see 'vswitchctl bridge list'", name);
	return NULL;
}

struct bridge *
bridge_of(const struct port *port)
{
	for (uint32_t i = 0; i < the_switch.nb_bridges; i++) {
		if (bridge_has(the_switch.bridges[i], port))
			return the_switch.bridges[i];
	}
	return NULL;
}

int
publish(struct error *err)
{
	struct topology *topo = topology_create(the_switch.ports, the_switch.nb_ports,
		the_switch.bridges, the_switch.nb_bridges, the_switch.env.nb_workers);

	if (topo == NULL)
		return error_set(err, -ENOMEM, "switch: no memory");
	workers_publish(topo);
	return 0;
}

uint32_t
now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint32_t)ts.tv_sec;
}
