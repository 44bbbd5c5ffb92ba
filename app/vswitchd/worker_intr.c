/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_cycles.h>

#include "worker_intr.h"

/* How often a core looks after all interrupts of its devices. */
#define RECHECK_US 20

static void
poll_port(struct worker_intr *intr, struct port *port)
{
	uint64_t bit = UINT64_C(1) << (port->id % 64);

	if (port->ops->intr_poll(port))
		intr->held[port->id / 64] |= bit;
	else
		intr->held[port->id / 64] &= ~bit;
}

void
worker_intr_flush(struct worker_intr *intr, struct forward *fwd, const struct topology *topo)
{
	for (unsigned int i = 0; i < RTE_DIM(intr->held); i++) {
		uint64_t bits = fwd->touched[i] | intr->held[i];

		fwd->touched[i] = 0;
		while (bits != 0) {
			struct port *port = topo->port[i * 64 + __builtin_ctzll(bits)].port;

			if (port != NULL && port->ops->intr_poll != NULL)
				poll_port(intr, port);
			else
				intr->held[i] &= ~(bits & -bits);
			bits &= bits - 1;
		}
	}
}

void
worker_intr_round(struct worker_intr *intr, struct forward *fwd, const struct topology *topo,
	const struct topo_work *work)
{
	if (fwd->ctx.tsc >= intr->recheck_at) {
		for (uint32_t i = 0; i < work->nb_owned; i++)
			poll_port(intr, work->owned[i]);
		intr->recheck_at = fwd->ctx.tsc + rte_get_tsc_hz() / 1000000 * RECHECK_US;
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
