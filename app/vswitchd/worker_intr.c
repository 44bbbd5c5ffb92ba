/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_cycles.h>

#include "worker_intr.h"

/* How often a core looks after all interrupts of its devices. */
#define RECHECK_US 20

/*
 * The core that delivered to a port looks after its interrupts for a while, too: the one whose port it is may sleep, and
 * the guest may have been in its handler when the last frame came.
 */
#define RECENT_US 1000

static uint64_t
us_to_tsc(uint64_t us)
{
	return rte_get_tsc_hz() / 1000000 * us;
}

static void
poll_port(struct worker_intr *intr, struct forward *fwd, struct port *port)
{
	uint64_t bit = UINT64_C(1) << (port->id % 64);

	if (port->ops->intr_poll(port))
		intr->held[port->id / 64] |= bit;
	else
		intr->held[port->id / 64] &= ~bit;
	port_cost_charge(&port->cost, fwd->ctx.worker, port_cost_intr(&port->cost), cost_lap(&fwd->ctx.clock), 1);
}

/* Ports of one word of a set. */
static void
poll_ports(struct worker_intr *intr, struct forward *fwd, const struct topology *topo, uint32_t word, uint64_t bits)
{
	for (; bits != 0; bits &= bits - 1) {
		struct port *port = topo->port[word * 64 + __builtin_ctzll(bits)].port;

		if (port != NULL && port->ops->intr_poll != NULL)
			poll_port(intr, fwd, port);
		else
			intr->held[word] &= ~(bits & -bits);
	}
}

void
worker_intr_flush(struct worker_intr *intr, struct forward *fwd, const struct topology *topo)
{
	for (uint32_t i = 0; i < RTE_DIM(intr->held); i++) {
		uint64_t touched = fwd->touched[i];

		fwd->touched[i] = 0;
		intr->recent[i] |= touched;
		poll_ports(intr, fwd, topo, i, touched | intr->held[i]);
	}
}

static void
recheck(struct worker_intr *intr, struct forward *fwd, const struct topology *topo, const struct topo_work *work)
{
	for (uint32_t i = 0; i < work->nb_owned; i++) {
		struct port *port = work->owned[i];

		/* Most have nothing: those are not worth a look at the clock. */
		if (port->ops->intr_due(port))
			poll_port(intr, fwd, port);
	}
	/* One core alone has all ports. */
	if (topo->nb_workers == 1)
		return;
	for (uint32_t i = 0; i < RTE_DIM(intr->held); i++)
		poll_ports(intr, fwd, topo, i, intr->recent[i] | intr->older[i]);
	if (fwd->ctx.tsc < intr->age_at)
		return;
	memcpy(intr->older, intr->recent, sizeof(intr->older));
	memset(intr->recent, 0, sizeof(intr->recent));
	intr->age_at = fwd->ctx.tsc + us_to_tsc(RECENT_US);
}

void
worker_intr_round(struct worker_intr *intr, struct forward *fwd, const struct topology *topo,
	const struct topo_work *work)
{
	if (fwd->ctx.tsc >= intr->recheck_at) {
		recheck(intr, fwd, topo, work);
		intr->recheck_at = fwd->ctx.tsc + us_to_tsc(RECHECK_US);
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
