/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "port_cost.h"

int
port_cost_init(struct port_cost *cost, uint16_t nb_workers, uint16_t nb_queues)
{
	size_t size;

	cost->nb_workers = nb_workers;
	cost->nb_queues = nb_queues;
	cost->row = RTE_ALIGN_CEIL(nb_queues + 1u, (uint32_t)(RTE_CACHE_LINE_SIZE / sizeof(struct cost)));
	size = (size_t)nb_workers * cost->row * sizeof(struct cost);
	cost->cell = aligned_alloc(RTE_CACHE_LINE_SIZE, size);
	if (cost->cell == NULL)
		return -ENOMEM;
	memset(cost->cell, 0, size);
	return 0;
}

void
port_cost_fini(struct port_cost *cost)
{
	free(cost->cell);
	cost->cell = NULL;
}

struct cost
port_cost_get(const struct port_cost *cost, uint16_t worker, uint16_t column)
{
	const struct cost *c = &cost->cell[worker * cost->row + column];

	return (struct cost){
		.cycles = __atomic_load_n(&c->cycles, __ATOMIC_RELAXED),
		.frames = __atomic_load_n(&c->frames, __ATOMIC_RELAXED),
	};
}

static void
add(struct cost *sum, struct cost one)
{
	sum->cycles += one.cycles;
	sum->frames += one.frames;
}

struct cost
port_cost_of(const struct port_cost *cost, uint16_t column)
{
	struct cost sum = {0};

	for (uint16_t w = 0; w < cost->nb_workers; w++)
		add(&sum, port_cost_get(cost, w, column));
	return sum;
}

struct cost
port_cost_on(const struct port_cost *cost, uint16_t worker)
{
	struct cost sum = {0};

	for (uint16_t q = 0; q < cost->nb_queues; q++)
		add(&sum, port_cost_get(cost, worker, q));
	return sum;
}
