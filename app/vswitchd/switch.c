/* SPDX-License-Identifier: BSD-3-Clause */
/* The switch as a whole: its life, its clock, its links. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "link.h"
#include "log.h"
#include "switch_priv.h"
#include "topology.h"
#include "worker.h"

/* What the link of a physical port may take to come up again. */
#define SETTLE_SECONDS 5

struct the_switch the_switch;

static void
quiesce(void *ctx __rte_unused)
{
	workers_quiesce();
}

/* The device does not say which of its queues has work. */
static void
wake(void *ctx)
{
	const struct port *port = ctx;

	for (uint16_t u = 0; u < port->nb_units; u++)
		worker_wake(port->unit_worker[u]);
}

static uint32_t
now_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint32_t)ts.tv_sec;
}

int
switch_start(const struct daemon_conf *conf, struct error *err)
{
	int ret;

	memset(&the_switch, 0, sizeof(the_switch));
	the_switch.run_dir = strdup(conf->run_dir);
	if (the_switch.run_dir == NULL)
		return error_set(err, -ENOMEM, "switch: no memory");
	ret = workers_start(&conf->workers, err);
	if (ret < 0) {
		free(the_switch.run_dir);
		return ret;
	}
	the_switch.env = (struct port_env){
		.run_dir = the_switch.run_dir,
		.nb_workers = workers_nb(),
		.quiesce = quiesce,
		.wake = wake,
	};
	workers_set_clock(now_seconds());
	the_switch.running = true;
	return 0;
}

void
switch_stop(void)
{
	struct error err;

	if (!the_switch.running)
		return;
	while (the_switch.nb_bridges > 0)
		switch_bridge_del(the_switch.bridges[the_switch.nb_bridges - 1]->conf.name, &err);
	while (the_switch.nb_ports > 0)
		switch_port_del(the_switch.ports[the_switch.nb_ports - 1]->conf.name, true, &err);
	workers_stop();
	free(the_switch.run_dir);
	memset(&the_switch, 0, sizeof(the_switch));
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

/* ---- links ---- */

static struct link_end
end_of(struct port *port)
{
	return (struct link_end){
		.plugged = port->conf.link_up,
		.own = port->own,
		.hidden = port->ops->link_hidden != NULL && port->ops->link_hidden(port),
		.offered = port->offered,
		.settling = now_seconds() - port->offered_at < SETTLE_SECONDS,
	};
}

static bool
carrier_of(struct port *port)
{
	const struct bridge *bridge = bridge_of(port);
	struct link_end end, other;
	struct port *peer;

	if (!port->conf.link_up)
		return false;
	if (bridge == NULL)
		return !port->ops->link_when_attached;
	if (bridge->conf.type != BRIDGE_WIRE)
		return true;
	peer = bridge_wire_peer(bridge, port);
	end = end_of(port);
	if (peer != NULL)
		other = end_of(peer);
	return link_wire_carrier(&end, peer == NULL ? NULL : &other);
}

/* Asking a device stops at its lock: only where the answer is used. */
static bool
own_matters(const struct port *port)
{
	const struct bridge *bridge = bridge_of(port);

	return port->ops != &port_device_ops ||
	       (bridge != NULL && bridge->conf.type == BRIDGE_WIRE);
}

/* Whether frames may pass. A device sees to its own carrier. */
static void
set_up(struct port *port, bool up)
{
	struct bridge *bridge = bridge_of(port);
	bool was = port->up;

	__atomic_store_n(&port->up, up, __ATOMIC_RELAXED);
	/* Who was behind it may come back elsewhere. */
	if (was && !up && bridge != NULL && bridge->fdb != NULL)
		fdb_flush(bridge->fdb, port->id);
}

static void
update_port(struct port *port)
{
	bool carrier = carrier_of(port);

	if (carrier != port->offered) {
		port->offered = carrier;
		port->offered_at = now_seconds();
		port->ops->link_offer(port, carrier);
		log_info(PORT, "port %s: carrier %s", port->conf.name, carrier ? "up" : "down");
	}
	if (port->ops == &port_device_ops)
		set_up(port, port->conf.link_up);
	else
		set_up(port, carrier && port->own);
}

void
links_update(void)
{
	for (uint32_t i = 0; i < the_switch.nb_ports; i++) {
		struct port *port = the_switch.ports[i];

		port->own = !own_matters(port) || port->ops->link_own(port);
	}
	/* One state, seen by all, before it is changed. */
	for (uint32_t i = 0; i < the_switch.nb_ports; i++)
		update_port(the_switch.ports[i]);
}

/* ---- the clock ---- */

static void
age(void)
{
	uint32_t now = now_seconds();

	workers_set_clock(now);
	for (uint32_t i = 0; i < the_switch.nb_bridges; i++) {
		struct bridge *bridge = the_switch.bridges[i];

		if (bridge->fdb != NULL && bridge->conf.fdb_ageing != 0)
			fdb_age(bridge->fdb, now, bridge->conf.fdb_ageing);
	}
}

void
switch_tick(void)
{
	if (!the_switch.running)
		return;
	age();
	links_update();
}

/* ---- polling cores ---- */

uint32_t
switch_worker_list(struct worker_info info[MAX_WORKERS])
{
	return workers_info(info);
}
