/* SPDX-License-Identifier: BSD-3-Clause */
/* Management of bridges. */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "switch_bridge.h"
#include "switch_link.h"
#include "switch_state.h"
#include "worker.h"

/* By name: which is what there is when a configuration is read. */
static int
check_ports(const struct bridge_conf *conf, struct error *err)
{
	if (conf->type == BRIDGE_WIRE && conf->nb_ports > 2)
		return error_set(err, -EINVAL, "bridge %s: a wire has two ports, not %u",
			conf->name, conf->nb_ports);
	for (uint32_t i = 0; i < conf->nb_ports; i++) {
		const struct port *port = find_port(conf->ports[i], err);
		const struct bridge *other;

		if (port == NULL)
			return -ENOENT;
		other = bridge_of(port);
		if (other != NULL)
			return error_set(err, -EBUSY, "bridge %s: port %s belongs to bridge %s",
				conf->name, conf->ports[i], other->conf.name);
		for (uint32_t k = 0; k < i; k++) {
			if (strcmp(conf->ports[k], conf->ports[i]) == 0)
				return error_set(err, -EINVAL, "bridge %s: port %s is listed twice",
					conf->name, conf->ports[i]);
		}
	}
	return 0;
}

static int
name_is_free(const char *name, struct error *err)
{
	for (uint32_t i = 0; name != NULL && i < the_switch.nb_bridges; i++) {
		if (strcmp(the_switch.bridges[i]->conf.name, name) == 0)
			return error_set(err, -EEXIST, "a bridge is called '%s' already", name);
	}
	return 0;
}

int
switch_bridge_add(const struct bridge_conf *conf, struct error *err)
{
	struct bridge *bridge;
	int ret = name_is_free(conf->name, err);

	if (ret == 0)
		ret = check_ports(conf, err);
	if (ret < 0)
		return ret;
	if (the_switch.nb_bridges == MAX_BRIDGES)
		return error_set(err, -ENOSPC,
			"bridge %s: there are %d bridges already, more are not possible",
			conf->name, MAX_BRIDGES);
	ret = bridge_create(conf, the_switch.env.nb_workers, workers_quiesce, &bridge, err);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; ret == 0 && i < conf->nb_ports; i++)
		ret = bridge_attach(bridge, find_port(conf->ports[i], err), err);
	the_switch.bridges[the_switch.nb_bridges++] = bridge;
	if (ret == 0)
		ret = publish(err);
	if (ret < 0) {
		the_switch.nb_bridges--;
		bridge_destroy(bridge);
		return ret;
	}
	links_update();
	log_info(BRIDGE, "bridge %s: added", bridge->conf.name);
	return 0;
}

int
switch_bridge_del(const char *name, struct error *err)
{
	struct bridge *bridge = find_bridge(name, err);
	uint32_t i = 0;
	int ret;

	if (bridge == NULL)
		return -ENOENT;
	while (the_switch.bridges[i] != bridge)
		i++;
	the_switch.nb_bridges--;
	memmove(&the_switch.bridges[i], &the_switch.bridges[i + 1],
		(the_switch.nb_bridges - i) * sizeof(the_switch.bridges[0]));
	ret = publish(err);
	if (ret < 0) {
		/* The cores still use it. */
		the_switch.bridges[the_switch.nb_bridges++] = bridge;
		return ret;
	}
	log_info(BRIDGE, "bridge %s: deleted", bridge->conf.name);
	bridge_destroy(bridge);
	links_update();
	return 0;
}

int
switch_bridge_attach(const char *name, const char *port_name, struct error *err)
{
	struct bridge *bridge = find_bridge(name, err);
	struct port *port = bridge == NULL ? NULL : find_port(port_name, err);
	const struct bridge *other;
	int ret;

	if (port == NULL)
		return -ENOENT;
	other = bridge_of(port);
	if (other != NULL)
		return error_set(err, other == bridge ? -EALREADY : -EBUSY,
			other == bridge ? "port %s belongs to bridge %s already"
					: "port %s belongs to bridge %s: detach it there first",
			port->conf.name, other->conf.name);
	ret = bridge_attach(bridge, port, err);
	if (ret < 0)
		return ret;
	ret = publish(err);
	if (ret < 0) {
		bridge_detach(bridge, port);
		return ret;
	}
	links_update();
	return 0;
}

int
switch_bridge_detach(const char *name, const char *port_name, struct error *err)
{
	struct bridge *bridge = find_bridge(name, err);
	struct port *port = bridge == NULL ? NULL : find_port(port_name, err);
	int ret;

	if (port == NULL)
		return -ENOENT;
	if (!bridge_has(bridge, port))
		return error_set(err, -ENOENT, "port %s does not belong to bridge %s",
			port->conf.name, bridge->conf.name);
	bridge_detach(bridge, port);
	ret = publish(err);
	if (ret < 0) {
		bridge->ports[bridge->nb_ports++] = port;
		return ret;
	}
	if (bridge->fdb != NULL)
		fdb_flush(bridge->fdb, port->id);
	links_update();
	return 0;
}

int
switch_bridge_info(const char *name, struct bridge_info *info, struct error *err)
{
	const struct bridge *bridge = find_bridge(name, err);
	struct bridge_counters sum;

	if (bridge == NULL)
		return -ENOENT;
	memset(info, 0, sizeof(*info));
	bridge_counters_get(bridge, &sum);
	info->conf = &bridge->conf;
	info->nb_ports = bridge->nb_ports;
	for (uint32_t i = 0; i < bridge->nb_ports; i++)
		info->ports[i] = bridge->ports[i]->conf.name;
	info->fdb_used = bridge->fdb == NULL ? 0 : fdb_used(bridge->fdb);
	info->flooded = sum.flooded;
	info->fdb_full = sum.fdb_full;
	info->fdb_moves = sum.fdb_moves;
	return 0;
}

uint32_t
switch_bridge_names(const char *names[MAX_BRIDGES])
{
	for (uint32_t i = 0; i < the_switch.nb_bridges; i++)
		names[i] = the_switch.bridges[i]->conf.name;
	return the_switch.nb_bridges;
}

/* ---- addresses ---- */

struct listing {
	const struct bridge *bridge;
	uint32_t now;
	void (*fn)(const struct fdb_entry *e, void *arg);
	void *arg;
};

static void
list_address(const struct fdb_address *a, void *arg)
{
	const struct listing *l = arg;
	struct fdb_entry e = {.vlan = a->vlan};

	for (uint32_t i = 0; i < l->bridge->nb_ports; i++) {
		if (l->bridge->ports[i]->id == a->port)
			e.port = l->bridge->ports[i]->conf.name;
	}
	if (e.port == NULL)
		return;
	memcpy(e.mac, a->mac, sizeof(e.mac));
	e.age = (int32_t)(l->now - a->seen) > 0 ? l->now - a->seen : 0;
	l->fn(&e, l->arg);
}

int
switch_fdb_foreach(const char *name, void (*fn)(const struct fdb_entry *e, void *arg), void *arg,
	struct error *err)
{
	const struct bridge *bridge = find_bridge(name, err);
	struct listing l = {.bridge = bridge, .fn = fn, .arg = arg};

	if (bridge == NULL)
		return -ENOENT;
	l.now = now_seconds();
	if (bridge->fdb != NULL)
		fdb_foreach(bridge->fdb, list_address, &l);
	return 0;
}

int
switch_fdb_flush(const char *name, const char *port_name, struct error *err)
{
	struct bridge *bridge = find_bridge(name, err);
	uint16_t id = FDB_NO_PORT;

	if (bridge == NULL)
		return -ENOENT;
	if (port_name != NULL) {
		const struct port *port = find_port(port_name, err);

		if (port == NULL)
			return -ENOENT;
		if (!bridge_has(bridge, port))
			return error_set(err, -ENOENT, "port %s does not belong to bridge %s",
				port_name, name);
		id = port->id;
	}
	if (bridge->fdb != NULL)
		fdb_flush(bridge->fdb, id);
	return 0;
}
