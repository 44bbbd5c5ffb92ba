/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What a port costs: cycles of the TSC, on each polling core, for each of its queues and for its interrupts. The one
 * place where that is counted. Only bursts that brought frames are charged: a look at an empty queue is nobody's, and
 * costs no look at the clock. Each core writes cache lines of its own.
 */
#ifndef VSWITCHD_PORT_COST_H
#define VSWITCHD_PORT_COST_H

#include <stdint.h>

#include <rte_cycles.h>

/** A polling core's clock: all that was done before @c mark has been charged to somebody, or to nobody. */
struct cost_clock {
	uint64_t mark; /**< TSC */
};

/** Cycles since the mark, which is moved on. */
static inline uint64_t
cost_lap(struct cost_clock *clock)
{
	uint64_t now = rte_rdtsc(), took = now - clock->mark;

	clock->mark = now;
	return took;
}

struct cost {
	uint64_t cycles;
	uint64_t frames; /**< of interrupts: looks at them */
};

struct port_cost {
	uint16_t nb_workers, nb_queues;
	uint32_t row;      /**< columns, padded: a queue each, and then one for interrupts */
	struct cost *cell; /**< [nb_workers][row] */
};

/** @return 0 or -ENOMEM */
int port_cost_init(struct port_cost *cost, uint16_t nb_workers, uint16_t nb_queues);
void port_cost_fini(struct port_cost *cost);

/** The column of interrupts. */
static inline uint16_t
port_cost_intr(const struct port_cost *cost)
{
	return cost->nb_queues;
}

/** Charges a column. The polling core of that number only. */
static inline void
port_cost_charge(const struct port_cost *cost, uint16_t worker, uint16_t column, uint64_t cycles, uint64_t frames)
{
	struct cost *c = &cost->cell[worker * cost->row + column];

	/* One writer, many readers. */
	__atomic_store_n(&c->cycles, c->cycles + cycles, __ATOMIC_RELAXED);
	__atomic_store_n(&c->frames, c->frames + frames, __ATOMIC_RELAXED);
}

/** One cell. Any thread. */
struct cost port_cost_get(const struct port_cost *cost, uint16_t worker, uint16_t column);
/** A column on all cores. */
struct cost port_cost_of(const struct port_cost *cost, uint16_t column);
/** All queues on one core. */
struct cost port_cost_on(const struct port_cost *cost, uint16_t worker);

#endif /* VSWITCHD_PORT_COST_H */
