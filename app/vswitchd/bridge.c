/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bridge.h"

static int
conf_check(const struct bridge_conf *conf, struct error *err)
{
	if (!name_valid(conf->name))
		return error_set(err, -EINVAL,
			"bridge name '%.40s': 1 to %d letters, digits, '-', '_', '.' are allowed, "
			"the first no '-' or '.'", conf->name == NULL ? "" : conf->name, NAME_LEN);
	if (conf->fdb_size < FDB_MIN_SIZE || conf->fdb_size > FDB_MAX_SIZE)
		return error_set(err, -EINVAL, "bridge %s: fdb-size %u: %u to %u is allowed",
			conf->name, conf->fdb_size, FDB_MIN_SIZE, FDB_MAX_SIZE);
	return 0;
}

int
bridge_create(const struct bridge_conf *conf, uint16_t nb_workers, void (*quiesce)(void),
	struct bridge **out, struct error *err)
{
	struct bridge *bridge;
	int ret = conf_check(conf, err);

	if (ret < 0)
		return ret;
	bridge = calloc(1, sizeof(*bridge));
	if (bridge == NULL)
		return error_set(err, -ENOMEM, "bridge %s: no memory", conf->name);
	bridge->conf = *conf;
	bridge->conf.ports = NULL;
	bridge->conf.nb_ports = 0;
	bridge->conf.name = strdup(conf->name);
	bridge->nb_workers = nb_workers;
	bridge->counters = aligned_alloc(RTE_CACHE_LINE_SIZE,
		nb_workers * sizeof(*bridge->counters));
	if (bridge->conf.name == NULL || bridge->counters == NULL) {
		ret = error_set(err, -ENOMEM, "bridge %s: no memory", conf->name);
		goto fail;
	}
	memset(bridge->counters, 0, nb_workers * sizeof(*bridge->counters));
	if (conf->type == BRIDGE_SWITCH) {
		bridge->fdb = fdb_create(conf->fdb_size, quiesce);
		if (bridge->fdb == NULL) {
			ret = error_set(err, -ENOMEM,
				"bridge %s: no memory for %u addresses: lower fdb-size or raise "
				"dpdk/memory", conf->name, conf->fdb_size);
			goto fail;
		}
	}
	*out = bridge;
	return 0;

fail:
	bridge_destroy(bridge);
	return ret;
}

void
bridge_destroy(struct bridge *bridge)
{
	fdb_destroy(bridge->fdb);
	free(bridge->counters);
	free((char *)(uintptr_t)bridge->conf.name);
	free(bridge);
}

int
bridge_refuse_vlans(const struct bridge *bridge, const struct port *port, struct error *err)
{
	return error_set(err, -EINVAL,
		"bridge %s is a wire and passes the frames of all VLANs: port %s has to have vlan-mode "
		"transparent there", bridge->conf.name, port->conf.name);
}

int
bridge_attach(struct bridge *bridge, struct port *port, struct error *err)
{
	if (bridge->conf.type == BRIDGE_WIRE && bridge->nb_ports == 2)
		return error_set(err, -EBUSY,
			"bridge %s is a wire and has its two ports, %s and %s: detach one first",
			bridge->conf.name, bridge->ports[0]->conf.name,
			bridge->ports[1]->conf.name);
	if (bridge->conf.type == BRIDGE_WIRE && port->conf.vlan_mode != VLAN_TRANSPARENT)
		return bridge_refuse_vlans(bridge, port, err);
	bridge->ports[bridge->nb_ports++] = port;
	return 0;
}

void
bridge_detach(struct bridge *bridge, const struct port *port)
{
	uint32_t i = 0;

	while (i < bridge->nb_ports && bridge->ports[i] != port)
		i++;
	if (i == bridge->nb_ports)
		return;
	bridge->nb_ports--;
	memmove(&bridge->ports[i], &bridge->ports[i + 1],
		(bridge->nb_ports - i) * sizeof(bridge->ports[0]));
}

bool
bridge_has(const struct bridge *bridge, const struct port *port)
{
	for (uint32_t i = 0; i < bridge->nb_ports; i++) {
		if (bridge->ports[i] == port)
			return true;
	}
	return false;
}

struct port *
bridge_wire_peer(const struct bridge *bridge, const struct port *port)
{
	if (bridge->nb_ports != 2)
		return NULL;
	return bridge->ports[0] == port ? bridge->ports[1] : bridge->ports[0];
}

void
bridge_counters_get(const struct bridge *bridge, struct bridge_counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint16_t w = 0; w < bridge->nb_workers; w++) {
		const struct bridge_counters *c = &bridge->counters[w];

		sum->flooded += __atomic_load_n(&c->flooded, __ATOMIC_RELAXED);
		sum->fdb_full += __atomic_load_n(&c->fdb_full, __ATOMIC_RELAXED);
		sum->fdb_moves += __atomic_load_n(&c->fdb_moves, __ATOMIC_RELAXED);
	}
}
