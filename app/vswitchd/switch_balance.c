/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>

#include "affinity.h"
#include "log.h"
#include "numa_place.h"
#include "queue_plan.h"
#include "switch_balance.h"
#include "switch_state.h"
#include "worker.h"
#include "worker_plan.h"

/* How often loads are measured when nothing is to be moved by them. */
#define MEASURE_SECONDS 5

/* Periods that a queue stays where it has been moved to. */
#define REST_PERIODS 6

/*
 * Before the next core sends frames of a queue, a NIC with several transmit queues gets the time to send what the
 * last one left in its ring: a thousand frames of 1500 bytes at 10 Gbit/s.
 */
#define DRAIN_NS 1500000

static struct {
	bool moves;
	uint64_t period;      /* TSC */
	uint64_t measured_at; /* TSC */
	uint64_t moved_to[MAX_WORKERS];
} balance;

/* The queues of all ports, for a plan. */
struct queues {
	uint32_t nb;
	struct plan_queue *plan;
	struct port_queue **queue;
	int16_t node[MAX_WORKERS];
};

/* ---- plan ---- */

static void
add_queues(struct queues *all, struct port *port)
{
	for (uint16_t i = 0; i < port->nb_queues; i++) {
		struct port_queue *q = &port->queue[i];

		all->plan[all->nb] = (struct plan_queue){
			.port = port->id,
			.queue = i,
			.core = q->worker == PORT_NO_WORKER ? PLAN_NO_CORE : q->worker,
			.pinned = q->pinned == PORT_NO_WORKER ? PLAN_NO_CORE : q->pinned,
			.node = q->node,
			.rests = q->rest > 0,
			.load = q->load,
		};
		all->queue[all->nb++] = q;
	}
}

/* @param extra  a port that is not in the switch yet, or NULL */
static int
gather(struct queues *all, struct port *extra)
{
	uint32_t nb = extra == NULL ? 0 : extra->nb_queues;

	memset(all, 0, sizeof(*all));
	for (uint32_t i = 0; i < the_switch.nb_ports; i++)
		nb += the_switch.ports[i]->nb_queues;
	all->plan = calloc(nb + 1, sizeof(*all->plan));
	all->queue = calloc(nb + 1, sizeof(struct port_queue *));
	if (all->plan == NULL || all->queue == NULL) {
		free(all->plan);
		free(all->queue);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < the_switch.nb_ports; i++)
		add_queues(all, the_switch.ports[i]);
	if (extra != NULL)
		add_queues(all, extra);
	for (uint16_t w = 0; w < the_switch.env.nb_workers; w++)
		all->node[w] = worker_node(w);
	return 0;
}

static void
discard(struct queues *all)
{
	free(all->plan);
	free(all->queue);
}

/* ---- moves ---- */

static void
set_worker(struct port_queue *q, uint16_t worker)
{
	__atomic_store_n(&q->worker, worker, __ATOMIC_RELAXED);
}

static void
let_drain(void)
{
	const struct timespec nap = {.tv_nsec = DRAIN_NS};

	for (uint32_t i = 0; i < the_switch.nb_ports; i++) {
		struct port *port = the_switch.ports[i];

		if (port->ops->sends_apart != NULL && port->ops->sends_apart(port)) {
			nanosleep(&nap, NULL);
			return;
		}
	}
}

/* Takes queues that are to move from their cores. @p from gets those. @return how many */
static uint32_t
release(const struct queues *all, uint16_t *from)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < all->nb; i++) {
		from[i] = all->queue[i]->worker;
		if (from[i] == all->plan[i].core || from[i] == PORT_NO_WORKER)
			continue;
		set_worker(all->queue[i], PORT_NO_WORKER);
		n++;
	}
	return n;
}

static void
restore(const struct queues *all, const uint16_t *from)
{
	for (uint32_t i = 0; i < all->nb; i++)
		set_worker(all->queue[i], from[i]);
}

static void
assign(const struct queues *all, const uint16_t *from)
{
	for (uint32_t i = 0; i < all->nb; i++) {
		struct port_queue *q = all->queue[i];
		uint16_t to = all->plan[i].core;

		if (from[i] == to)
			continue;
		set_worker(q, to);
		if (from[i] == PORT_NO_WORKER)
			continue;
		q->load = all->plan[i].load;
		if (all->plan[i].rests)
			q->rest = REST_PERIODS;
		q->moves++;
		balance.moved_to[to]++;
	}
}

/* Makes the plan so. New queues get their cores, but are polled from the next topology on. */
static int
apply(const struct queues *all, struct error *err)
{
	uint16_t *from = calloc(all->nb + 1, sizeof(*from));
	uint32_t moves;
	int ret = 0;

	if (from == NULL)
		return error_set(err, -ENOMEM, "switch: no memory");
	moves = release(all, from);
	if (moves > 0)
		ret = publish(err);
	if (ret < 0) {
		restore(all, from);
		free(from);
		return ret;
	}
	if (moves > 0)
		let_drain();
	assign(all, from);
	if (moves > 0) {
		ret = publish(err);
		for (uint16_t w = 0; w < the_switch.env.nb_workers; w++)
			worker_wake(w);
	}
	free(from);
	return ret;
}

/* ---- pins ---- */

static int
pin(struct port *port, const char *text, struct error *err)
{
	struct worker_cpus cpus;
	struct affinity affinity;
	char problem[256];

	if (!affinity_parse(text, &affinity))
		return error_set(err, -EINVAL, "port %s: '%.60s' is no affinity: write for example 0:1,2-3:2, or none",
			port->conf.name, text);
	if (affinity.nb_queues > port->nb_queues)
		return error_set(err, -EINVAL, "port %s: affinity names queue %d; the port has queues 0 to %d",
			port->conf.name, affinity.nb_queues - 1, port->nb_queues - 1);
	for (cpus.nb = 0; cpus.nb < the_switch.env.nb_workers; cpus.nb++)
		cpus.id[cpus.nb] = worker_cpu((uint16_t)cpus.nb);
	if (!worker_cpus_have(&cpus, &affinity, problem, sizeof(problem)))
		return error_set(err, -EINVAL, "port %s: %s", port->conf.name, problem);
	for (uint16_t q = 0; q < port->nb_queues; q++)
		port->queue[q].pinned = affinity.cpu[q] < 0 ? PORT_NO_WORKER :
			(uint16_t)worker_of_cpu((uint16_t)affinity.cpu[q]);
	return 0;
}

static int
place(struct port *extra, struct error *err)
{
	struct queues all;
	int ret;

	if (gather(&all, extra) < 0)
		return error_set(err, -ENOMEM, "switch: no memory");
	queue_plan_place(all.node, the_switch.env.nb_workers, all.plan, all.nb);
	ret = apply(&all, err);
	discard(&all);
	return ret;
}

int
balance_add(struct port *port, struct error *err)
{
	int ret = pin(port, port->conf.affinity, err);

	return ret < 0 ? ret : place(port, err);
}

int
balance_set_affinity(struct port *port, const char *affinity, struct error *err)
{
	int ret = pin(port, affinity, err);

	if (ret < 0)
		return ret;
	ret = place(NULL, err);
	if (ret == 0 && port_set_affinity(port, affinity) < 0)
		ret = error_set(err, -ENOMEM, "port %s: no memory", port->conf.name);
	if (ret < 0) {
		struct error ignored;

		pin(port, port->conf.affinity, &ignored);
	}
	return ret;
}

/* ---- measure ---- */

static void
measure_queue(struct port *port, uint16_t i, uint64_t period)
{
	struct port_queue *q = &port->queue[i];
	uint64_t cycles = port_cost_of(&port->cost, i).cycles;
	uint32_t measured = (uint32_t)((cycles - q->cycles) * PLAN_CORE / period);

	/* Of two periods: what comes and goes from one to the next is no reason to move. */
	q->load = (q->measured + measured + 1) / 2;
	q->measured = measured;
	q->cycles = cycles;
	q->rest -= q->rest > 0;
}

static void
find_nodes(struct port *port)
{
	const void *address[MAX_PORT_QUEUES] = {NULL};
	int16_t node[MAX_PORT_QUEUES];

	for (uint16_t q = 0; q < port->nb_queues && port->ops->memory != NULL; q++)
		address[q] = port->ops->memory(port, q);
	numa_place_of(address, node, port->nb_queues);
	for (uint16_t q = 0; q < port->nb_queues; q++) {
		if (port->ops->node != NULL)
			node[q] = (int16_t)port->ops->node(port);
		/* A guest that has gone for a moment comes back where it was. */
		if (node[q] >= 0)
			port->queue[q].node = node[q];
	}
}

static void
measure(uint64_t period)
{
	bool numa = numa_place_matters();

	for (uint32_t i = 0; i < the_switch.nb_ports; i++) {
		struct port *port = the_switch.ports[i];

		for (uint16_t q = 0; q < port->nb_queues; q++)
			measure_queue(port, q, period);
		if (numa)
			find_nodes(port);
	}
}

static void
move(void)
{
	struct error err;
	struct queues all;
	uint32_t moves;

	if (gather(&all, NULL) < 0)
		return;
	moves = queue_plan_balance(all.node, the_switch.env.nb_workers, all.plan, all.nb);
	if (moves > 0) {
		if (apply(&all, &err) < 0)
			log_err(WORKER, "%s", err.text);
		else
			log_info(WORKER, "queues moved to other polling cores: %u", moves);
	}
	discard(&all);
}

void
balance_tick(void)
{
	uint64_t now = rte_rdtsc(), period = now - balance.measured_at;

	if (period < balance.period)
		return;
	balance.measured_at = now;
	measure(period);
	if (balance.moves && the_switch.env.nb_workers > 1)
		move();
}

void
balance_start(const struct workers_conf *conf)
{
	memset(&balance, 0, sizeof(balance));
	balance.moves = conf->rebalance > 0;
	balance.period = (conf->rebalance > 0 ? conf->rebalance : MEASURE_SECONDS) * rte_get_tsc_hz();
	balance.measured_at = rte_rdtsc();
}

uint32_t
balance_load(uint16_t worker)
{
	uint32_t load = 0;

	for (uint32_t i = 0; i < the_switch.nb_ports; i++) {
		const struct port *port = the_switch.ports[i];

		for (uint16_t q = 0; q < port->nb_queues; q++)
			load += port->queue[q].worker == worker ? port->queue[q].load : 0;
	}
	return load;
}

uint64_t
balance_moves(uint16_t worker)
{
	return balance.moved_to[worker];
}
