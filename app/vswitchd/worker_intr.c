/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>

#include "worker_intr.h"

/*
 * How often a core looks again at ports with an interrupt due. It does so for those that it delivered to, whosever they are:
 * the core whose port it is may sleep, and the guest may have been in its handler when the last frame came.
 */
#define RECHECK_US 20

/* How often it looks at all that are its own: links change, queues fail. */
#define LOOK_US 1000

static uint64_t
us_to_tsc(uint64_t us)
{
	return rte_get_tsc_hz() / 1000000 * us;
}

static void
set_bit(uint64_t *set, const struct port *port, bool value)
{
	uint64_t bit = UINT64_C(1) << (port->id % 64);

	if (value)
		set[port->id / 64] |= bit;
	else
		set[port->id / 64] &= ~bit;
}

static void
poll_port(struct worker_intr *intr, struct forward *fwd, struct port *port)
{
	set_bit(intr->held, port, port->ops->intr_poll(port));
	set_bit(intr->waiting, port, port->ops->intr_due(port));
	port_cost_charge(&port->cost, fwd->ctx.worker, port_cost_intr(&port->cost), cost_lap(&fwd->ctx.clock), 1);
}

/* Ports of one word of a set. */
static void
poll_ports(struct worker_intr *intr, struct forward *fwd, const struct topology *topo, uint32_t word, uint64_t bits)
{
	for (; bits != 0; bits &= bits - 1) {
		struct port *port = topo->port[word * 64 + __builtin_ctzll(bits)].port;

		if (port != NULL && port->ops->intr_poll != NULL) {
			poll_port(intr, fwd, port);
		} else {
			intr->held[word] &= ~(bits & -bits);
			intr->waiting[word] &= ~(bits & -bits);
		}
	}
}

void
worker_intr_flush(struct worker_intr *intr, struct forward *fwd, const struct topology *topo)
{
	for (uint32_t i = 0; i < RTE_DIM(intr->held); i++) {
		uint64_t touched = fwd->touched[i];

		fwd->touched[i] = 0;
		poll_ports(intr, fwd, topo, i, touched | intr->held[i]);
	}
}

/* Those that have nothing due any more are not worth a look at the clock. */
static void
recheck(struct worker_intr *intr, struct forward *fwd, const struct topology *topo)
{
	for (uint32_t i = 0; i < RTE_DIM(intr->waiting); i++) {
		for (uint64_t bits = intr->waiting[i]; bits != 0; bits &= bits - 1) {
			const struct port *port = topo->port[i * 64 + __builtin_ctzll(bits)].port;

			if (port != NULL && port->ops->intr_due != NULL && !port->ops->intr_due(port))
				set_bit(intr->waiting, port, false);
		}
		poll_ports(intr, fwd, topo, i, intr->waiting[i]);
	}
}

static void
look_at_all(struct worker_intr *intr, const struct topo_work *work)
{
	for (uint32_t i = 0; i < work->nb_owned; i++) {
		if (work->owned[i]->ops->intr_due(work->owned[i]))
			set_bit(intr->waiting, work->owned[i], true);
	}
}

void
worker_intr_round(struct worker_intr *intr, struct forward *fwd, const struct topology *topo,
	const struct topo_work *work)
{
	const uint64_t tsc = fwd->ctx.tsc;

	if (tsc >= intr->recheck_at) {
		if (tsc >= intr->look_at) {
			look_at_all(intr, work);
			intr->look_at = tsc + us_to_tsc(LOOK_US);
		}
		recheck(intr, fwd, topo);
		intr->recheck_at = tsc + us_to_tsc(RECHECK_US);
	}
	worker_intr_flush(intr, fwd, topo);
}

bool
worker_intr_held(const struct worker_intr *intr)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < RTE_DIM(intr->held); i++)
		any |= intr->held[i];
	return any != 0;
}
