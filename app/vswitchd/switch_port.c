/* SPDX-License-Identifier: BSD-3-Clause */
/* Management of ports. */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "port_device.h"
#include "port_ethdev.h"
#include "switch_balance.h"
#include "switch_link.h"
#include "switch_port.h"
#include "switch_state.h"
#include "worker.h"

/* An id that no living port has. */
static uint16_t
free_id(void)
{
	for (uint16_t id = 0; id < MAX_PORTS; id++) {
		uint32_t i = 0;

		while (i < the_switch.nb_ports && the_switch.ports[i]->id != id)
			i++;
		if (i == the_switch.nb_ports)
			return id;
	}
	return MAX_PORTS;
}

static int
name_is_free(const char *name, struct error *err)
{
	for (uint32_t i = 0; name != NULL && i < the_switch.nb_ports; i++) {
		if (strcmp(the_switch.ports[i]->conf.name, name) == 0)
			return error_set(err, -EEXIST, "a port is called '%s' already", name);
	}
	return 0;
}

int
switch_port_add(const struct port_conf *conf, struct error *err)
{
	uint16_t id = free_id();
	struct port *port;
	int ret = name_is_free(conf->name, err);

	if (ret < 0)
		return ret;
	if (id == MAX_PORTS)
		return error_set(err, -ENOSPC, "port %s: there are %d ports already, more are not "
			"possible", conf->name, MAX_PORTS);
	ret = port_create(conf, conf->type == PORT_DEVICE ? &port_device_ops : &port_ethdev_ops, id,
		&the_switch.env, &port, err);
	if (ret < 0)
		return ret;
	ret = balance_add(port, err);
	if (ret < 0) {
		port_destroy(port);
		return ret;
	}
	the_switch.ports[the_switch.nb_ports++] = port;
	/* As port_create() leaves it. */
	port->offered = !port->ops->link_when_attached;
	links_update();
	ret = publish(err);
	if (ret < 0) {
		the_switch.nb_ports--;
		port_destroy(port);
		return ret;
	}
	log_info(PORT, "port %s: added", port->conf.name);
	return 0;
}

static void
forget(struct port *port)
{
	uint32_t i = 0;

	while (the_switch.ports[i] != port)
		i++;
	the_switch.nb_ports--;
	memmove(&the_switch.ports[i], &the_switch.ports[i + 1],
		(the_switch.nb_ports - i) * sizeof(the_switch.ports[0]));
}

int
switch_port_del(const char *name, bool force, struct error *err)
{
	struct port *port = find_port(name, err);
	struct bridge *bridge;
	int ret;

	if (port == NULL)
		return -ENOENT;
	if (!force && port->ops->in_use(port))
		return error_set(err, -EBUSY,
			"port %s: a machine is connected to it; deleting it takes the card away "
			"until that machine restarts: --force does it all the "
			"same", port->conf.name);
	bridge = bridge_of(port);
	port->suspended = true;
	ret = publish(err);
	if (ret < 0) {
		port->suspended = false;
		return ret;
	}
	/* From here on no polling core knows it or learns it. */
	if (bridge != NULL) {
		bridge_detach(bridge, port);
		if (bridge->fdb != NULL)
			fdb_flush(bridge->fdb, port->id);
	}
	forget(port);
	log_info(PORT, "port %s: deleted", port->conf.name);
	port_destroy(port);
	links_update();
	return 0;
}

int
switch_port_set_link(const char *name, bool up, struct error *err)
{
	struct port *port = find_port(name, err);

	if (port == NULL)
		return -ENOENT;
	port->conf.link_up = up;
	links_update();
	return 0;
}

int
switch_port_set_affinity(const char *name, const char *affinity, struct error *err)
{
	struct port *port = find_port(name, err);

	if (port == NULL)
		return -ENOENT;
	return balance_set_affinity(port, strcmp(affinity, "none") == 0 ? NULL : affinity, err);
}

int
switch_port_set_mtu(const char *name, uint16_t mtu, struct error *err)
{
	struct port *port = find_port(name, err);
	int ret;

	if (port == NULL)
		return -ENOENT;
	if (port->ops->mtu_suspends) {
		port->suspended = true;
		ret = publish(err);
		if (ret < 0) {
			port->suspended = false;
			return ret;
		}
	}
	ret = port->ops->set_mtu(port, mtu, err);
	if (ret == 0)
		port->conf.mtu = mtu;
	if (port->suspended) {
		struct error second;

		port->suspended = false;
		if (publish(&second) < 0) {
			log_err(PORT, "port %s: %s", name, second.text);
			ret = ret < 0 ? ret : error_set(err, -ENOMEM, "port %s: no memory", name);
		}
	}
	return ret;
}

/* Whether the polling cores tell the frames of a bridge apart by their VLANs. */
static bool
knows_vlans(const struct bridge *bridge)
{
	for (uint32_t i = 0; i < bridge->nb_ports; i++) {
		if (bridge->ports[i]->conf.vlan_mode != VLAN_TRANSPARENT)
			return true;
	}
	return false;
}

int
switch_port_set_vlan(const char *name, const struct port_conf *conf, struct error *err)
{
	struct port *port = find_port(name, err);
	struct bridge *bridge;
	bool knew;
	int ret;

	if (port == NULL)
		return -ENOENT;
	bridge = bridge_of(port);
	if (bridge != NULL && bridge->conf.type == BRIDGE_WIRE && conf->vlan_mode != VLAN_TRANSPARENT)
		return bridge_refuse_vlans(bridge, port, err);
	knew = bridge != NULL && knows_vlans(bridge);
	if (port_set_vlan(port, conf) < 0)
		return error_set(err, -ENOMEM, "port %s: no memory", name);
	ret = publish(err);
	/* What was learnt by other rules. */
	if (bridge != NULL && bridge->fdb != NULL)
		fdb_flush(bridge->fdb, knew == knows_vlans(bridge) ? port->id : FDB_NO_PORT);
	return ret;
}

/* Polling cores that have a queue, whether it is in use or not. */
static void
list_workers(const struct port *port, struct port_info *info)
{
	for (uint16_t q = 0; q < port->nb_queues; q++) {
		uint32_t i = 0;

		while (i < info->nb_workers && info->workers[i] != port->queue[q].worker)
			i++;
		if (i == info->nb_workers)
			info->workers[info->nb_workers++] = port->queue[q].worker;
	}
}

int
switch_port_info(const char *name, struct port_info *info, struct error *err)
{
	struct port *port = find_port(name, err);
	const struct bridge *bridge;

	if (port == NULL)
		return -ENOENT;
	memset(info, 0, sizeof(*info));
	bridge = bridge_of(port);
	info->conf = &port->conf;
	info->bridge = bridge == NULL ? NULL : bridge->conf.name;
	info->link_up = port->offered && (port->ops == &port_device_ops || port->own);
	list_workers(port, info);
	port->ops->info(port, info);
	return 0;
}

static struct port_queue_info
queue_info(const struct port *port, uint16_t i)
{
	const struct port_queue *q = &port->queue[i];
	struct cost cost = port_cost_of(&port->cost, i);

	return (struct port_queue_info){
		.queue = i,
		.worker = q->worker,
		.cpu = worker_cpu(q->worker),
		.pinned = q->pinned != PORT_NO_WORKER,
		.used = i < port->ops->rx_queues(port),
		.node = q->node,
		.load = q->load,
		.moves = q->moves,
		.cycles = cost.cycles,
		.frames = cost.frames,
	};
}

int
switch_port_cost(const char *name, struct port_cost_info *info, struct error *err)
{
	const struct port *port = find_port(name, err);

	if (port == NULL)
		return -ENOENT;
	info->nb_queues = port->nb_queues;
	for (uint16_t q = 0; q < port->nb_queues; q++)
		info->queue[q] = queue_info(port, q);
	info->nb_cores = port->env->nb_workers;
	for (uint16_t w = 0; w < port->env->nb_workers; w++) {
		struct cost cost = port_cost_on(&port->cost, w);

		info->core[w] = (struct port_core_info){
			.worker = w,
			.cycles = cost.cycles,
			.frames = cost.frames,
			.intr_cycles = port_cost_get(&port->cost, w, port_cost_intr(&port->cost)).cycles,
		};
	}
	return 0;
}

int
switch_port_stats(const char *name, struct port_stats *stats, struct error *err)
{
	struct port *port = find_port(name, err);

	if (port == NULL)
		return -ENOENT;
	port_stats_get(port, stats);
	return 0;
}

uint32_t
switch_port_names(const char *names[MAX_PORTS])
{
	for (uint32_t i = 0; i < the_switch.nb_ports; i++)
		names[i] = the_switch.ports[i]->conf.name;
	return the_switch.nb_ports;
}

int
switch_port_set_capture(const char *name, struct capture *capture, struct error *err)
{
	struct port *port = find_port(name, err);

	if (port == NULL)
		return -ENOENT;
	if (capture != NULL && port->capture != NULL)
		return error_set(err, -EBUSY, "port %s: there is a capture on it already", name);
	__atomic_store_n(&port->capture, capture, __ATOMIC_RELEASE);
	workers_quiesce();
	return 0;
}
