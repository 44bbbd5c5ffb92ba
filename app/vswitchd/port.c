/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "numa_place.h"
#include "port.h"

bool
name_valid(const char *name)
{
	size_t len = name == NULL ? 0 : strlen(name);

	if (len == 0 || len > NAME_LEN || name[0] == '-' || name[0] == '.')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
	       len;
}

static void
conf_free(struct port_conf *conf)
{
	free((char *)(uintptr_t)conf->name);
	free((char *)(uintptr_t)conf->socket);
	free((char *)(uintptr_t)conf->owner);
	free((char *)(uintptr_t)conf->group);
	free((char *)(uintptr_t)conf->devargs);
	free((char *)(uintptr_t)conf->interface);
	free((char *)(uintptr_t)conf->trunks);
	free((char *)(uintptr_t)conf->affinity);
}

static bool
copy_text(const char **to, const char *from)
{
	*to = from == NULL ? NULL : strdup(from);
	return from == NULL || *to != NULL;
}

static int
conf_copy(struct port_conf *to, const struct port_conf *from)
{
	bool ok = true;

	*to = *from;
	ok &= copy_text(&to->name, from->name);
	ok &= copy_text(&to->socket, from->socket);
	ok &= copy_text(&to->owner, from->owner);
	ok &= copy_text(&to->group, from->group);
	ok &= copy_text(&to->devargs, from->devargs);
	ok &= copy_text(&to->interface, from->interface);
	ok &= copy_text(&to->trunks, from->trunks);
	ok &= copy_text(&to->affinity, from->affinity);
	return ok ? 0 : -ENOMEM;
}

static void
port_free(struct port *port)
{
	conf_free(&port->conf);
	port_cost_fini(&port->cost);
	free(port->queue);
	free(port->counters);
	free(port);
}

static int
make_queues(struct port *port)
{
	struct port_queue *queue = calloc(port->nb_queues, sizeof(*queue));

	if (queue == NULL)
		return -ENOMEM;
	for (uint16_t q = 0; q < port->nb_queues; q++) {
		queue[q].worker = PORT_NO_WORKER;
		queue[q].pinned = PORT_NO_WORKER;
		queue[q].node = NUMA_NO_NODE;
	}
	/* The port's own thread may be asking for a polling core already. */
	__atomic_store_n(&port->queue, queue, __ATOMIC_RELEASE);
	return port_cost_init(&port->cost, port->env->nb_workers, port->nb_queues);
}

int
port_create(const struct port_conf *conf, const struct port_ops *ops, uint16_t id,
	const struct port_env *env, struct port **out, struct error *err)
{
	struct port *port;
	int ret;

	if (!name_valid(conf->name))
		return error_set(err, -EINVAL,
			"port name '%.40s': 1 to %d letters, digits, '-', '_', '.' are allowed, "
			"the first no '-' or '.'", conf->name == NULL ? "" : conf->name, NAME_LEN);
	port = calloc(1, sizeof(*port));
	if (port == NULL)
		return error_set(err, -ENOMEM, "port %s: no memory", conf->name);
	port->id = id;
	port->env = env;
	port->ops = ops;
	port->counters = aligned_alloc(RTE_CACHE_LINE_SIZE,
		env->nb_workers * sizeof(*port->counters));
	if (port->counters == NULL || conf_copy(&port->conf, conf) < 0) {
		port_free(port);
		return error_set(err, -ENOMEM, "port %s: no memory", conf->name);
	}
	memset(port->counters, 0, env->nb_workers * sizeof(*port->counters));
	ret = port->ops->open(port, err);
	if (ret < 0) {
		port_free(port);
		return ret;
	}
	if (make_queues(port) < 0) {
		port_destroy(port);
		return error_set(err, -ENOMEM, "port %s: no memory", conf->name);
	}
	*out = port;
	return 0;
}

void
port_destroy(struct port *port)
{
	port->ops->close(port);
	port_free(port);
}

int
port_set_affinity(struct port *port, const char *affinity)
{
	const char *copy;

	if (!copy_text(&copy, affinity))
		return -ENOMEM;
	free((char *)(uintptr_t)port->conf.affinity);
	port->conf.affinity = copy;
	return 0;
}

int
port_set_vlan(struct port *port, const struct port_conf *vlan)
{
	const char *trunks;

	if (!copy_text(&trunks, vlan->trunks))
		return -ENOMEM;
	free((char *)(uintptr_t)port->conf.trunks);
	port->conf.trunks = trunks;
	port->conf.vlan_mode = vlan->vlan_mode;
	port->conf.tag = vlan->tag;
	port->conf.qinq_ethtype = vlan->qinq_ethtype;
	return 0;
}

static uint64_t
get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void
port_stats_get(struct port *port, struct port_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	for (uint16_t w = 0; w < port->env->nb_workers; w++) {
		const struct port_counters *c = &port->counters[w];

		stats->rx_frames += get(&c->rx_frames);
		stats->rx_bytes += get(&c->rx_bytes);
		stats->tx_frames += get(&c->tx_frames);
		stats->tx_bytes += get(&c->tx_bytes);
		stats->rx_tso += get(&c->rx_tso);
		for (unsigned int i = 0; i < SWITCH_DROP_MAX; i++)
			stats->drops[i] += get(&c->drops[i]);
	}
	port->ops->stats(port, stats);
}
