/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "topology.h"

/* Ports are added one after the other. */
static void
add_queue(struct topo_work *work, const struct topo_port *tp, uint16_t queue)
{
	if (work->nb_units == 0 || work->unit[work->nb_units - 1].tp != tp)
		work->unit[work->nb_units++] = (struct topo_unit){
			.tp = tp,
			.rx_pending = tp->port->ops->rx_pending,
			.look = tp->port->look,
		};
	work->unit[work->nb_units - 1].queues |= UINT64_C(1) << queue;
	work->nb_queues++;
}

static void
add_port(struct topology *topo, struct port *port)
{
	struct topo_port *tp = &topo->port[port->id];
	uint16_t owner = PORT_NO_WORKER;

	tp->port = port;
	vlan_policy_init(&tp->vlan, &port->conf);
	for (uint16_t q = 0; q < port->nb_queues; q++) {
		uint16_t worker = port_worker(port, q);

		if (worker == PORT_NO_WORKER)
			continue;
		add_queue(&topo->work[worker], tp, q);
		if (owner == PORT_NO_WORKER)
			owner = worker;
	}
	if (port->ops->intr_poll != NULL && owner != PORT_NO_WORKER) {
		struct topo_work *work = &topo->work[owner];

		work->owned[work->nb_owned++] = port;
	}
}

static void
add_bridge(struct topology *topo, struct bridge *bridge)
{
	struct topo_bridge *tb = &topo->bridge[topo->nb_bridges++];

	tb->bridge = bridge;
	for (uint32_t i = 0; i < bridge->nb_ports; i++) {
		struct topo_port *tp = &topo->port[bridge->ports[i]->id];

		if (bridge->ports[i]->suspended)
			continue;
		tp->bridge = tb;
		tb->ports[tb->nb_ports++] = tp;
		/* A wire passes all as it is. */
		if (tp->vlan.mode != VLAN_TRANSPARENT && bridge->conf.type == BRIDGE_SWITCH)
			tb->vlans = true;
	}
}

struct topology *
topology_create(struct port *const *ports, uint32_t nb_ports, struct bridge *const *bridges,
	uint32_t nb_bridges, uint16_t nb_workers)
{
	static uint64_t generation; /* main thread only */
	struct topology *topo = calloc(1, sizeof(*topo));

	if (topo == NULL)
		return NULL;
	topo->generation = ++generation;
	topo->nb_workers = nb_workers;
	topo->work = calloc(nb_workers, sizeof(*topo->work));
	topo->bridge = calloc(nb_bridges + 1, sizeof(*topo->bridge));
	if (topo->work == NULL || topo->bridge == NULL) {
		topology_free(topo);
		return NULL;
	}
	for (uint32_t i = 0; i < nb_ports; i++) {
		if (!ports[i]->suspended)
			add_port(topo, ports[i]);
	}
	for (uint32_t i = 0; i < nb_bridges; i++)
		add_bridge(topo, bridges[i]);
	return topo;
}

void
topology_free(struct topology *topo)
{
	if (topo == NULL)
		return;
	free(topo->work);
	free(topo->bridge);
	free(topo);
}
