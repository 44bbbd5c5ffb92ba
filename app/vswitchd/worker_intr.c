/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_common.h>

#include "worker_intr.h"

/*
 * How often a core looks again at ports with an interrupt due. It does so for those that it delivered to, whosever they are:
 * the core whose port it is may sleep, and the guest may have been in its handler when the last frame came.
 */
#define RECHECK_US 20

/*
 * How often it looks at all that are its own (links change, queues fail), and at those that had something due at the last
 * such look already and got nothing since: no handler takes so long. These guests poll, and may never want an interrupt.
 */
#define LOOK_US 1000

/*
 * An interrupt is a system call of a microsecond or, if it wakes a guest, of 15: much more than a frame. So that a guest with
 * many vectors, all of which it always unmasks, takes no time that others need:
 * - as many are raised in a look, then the core goes on;
 * - while there are frames to move, those of a port may take one part in so many of the core's time (what runs after a system
 *   call finds the caches changed, which costs about as much again). What is over waits for its time, or for a round without
 *   frames, whichever comes first. After a pause, work for so long is done at once.
 */
#define LOOK_VECTORS    4
#define BUDGET_PARTS    64
#define BUDGET_AHEAD_US 1000

/* A look that takes more has lost its CPU. */
#define LOOK_MOST_US    100

void
worker_intr_init(struct worker_intr *intr, uint64_t tsc_hz)
{
	const uint64_t us = tsc_hz / 1000000;

	intr->time.recheck = RECHECK_US * us;
	intr->time.look = LOOK_US * us;
	intr->time.look_most = LOOK_MOST_US * us;
	intr->time.ahead = BUDGET_AHEAD_US * us;
	intr->time.later = VMXNET3_DEV_INTR_LATER_NS * us / 1000;
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

static bool
is_in(const uint64_t *set, const struct port *port)
{
	return set[port->id / 64] >> (port->id % 64) & 1;
}

/* How many vectors of a port may be raised now. */
static uint32_t
allowance(const struct worker_intr *intr, const struct forward *fwd, const struct port *port)
{
	if (intr->idle || intr->paid_until[port->id] <= fwd->ctx.tsc + intr->time.ahead)
		return LOOK_VECTORS;
	return 0;
}

static void
pay(struct worker_intr *intr, const struct forward *fwd, const struct port *port, uint64_t took)
{
	uint64_t *until = &intr->paid_until[port->id];

	*until = RTE_MAX(*until, fwd->ctx.tsc) + RTE_MIN(took, intr->time.look_most) * BUDGET_PARTS;
}

/*
 * Whether nothing of a port is to be raised now. What waits has been counted. A look for each burst that comes for it meanwhile
 * would cost others as much as the interrupts do.
 */
static inline bool
is_vain(const struct worker_intr *intr, const struct forward *fwd, const struct port *port, uint32_t most, bool touched)
{
	if (intr->idle || !is_in(intr->held, port))
		return false;
	return most == 0 || (fwd->ctx.tsc < intr->later_at[port->id] && !(touched && is_in(intr->gathers, port)));
}

static void
poll_port(struct worker_intr *intr, struct forward *fwd, struct port *port, bool touched)
{
	uint32_t most = allowance(intr, fwd, port), left = most;
	enum vmxnet3_dev_intr_held held;
	uint64_t took;

	if (is_vain(intr, fwd, port, most, touched))
		return;
	held = port->ops->intr_poll(port, &left);
	set_bit(intr->held, port, held != VMXNET3_DEV_INTR_NONE);
	set_bit(intr->gathers, port, held == VMXNET3_DEV_INTR_MORE);
	intr->later_at[port->id] = held == VMXNET3_DEV_INTR_SOON ? 0 : fwd->ctx.tsc + intr->time.later;
	set_bit(intr->waiting, port, port->ops->intr_due(port));
	took = cost_lap(&fwd->ctx.clock);
	port_cost_charge(&port->cost, fwd->ctx.worker, port_cost_intr(&port->cost), took, 1);
	if (left < most && !intr->idle)
		pay(intr, fwd, port, took);
}

/* Ports of one word of a set, and of these those that something came for. */
static void
poll_ports(struct worker_intr *intr, struct forward *fwd, const struct topology *topo, uint32_t word, uint64_t bits,
	uint64_t touched)
{
	for (; bits != 0; bits &= bits - 1) {
		struct port *port = topo->port[word * 64 + __builtin_ctzll(bits)].port;

		if (port != NULL && port->ops->intr_poll != NULL) {
			poll_port(intr, fwd, port, (bits & -bits & touched) != 0);
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
		intr->fresh[i] |= touched;
		intr->resting[i] &= ~touched;
		poll_ports(intr, fwd, topo, i, touched | intr->held[i], touched);
	}
}

/* Those of one word that have nothing due any more are not worth a look at the clock. */
static void
recheck(struct worker_intr *intr, struct forward *fwd, const struct topology *topo, uint32_t word, uint64_t ports)
{
	for (uint64_t bits = ports; bits != 0; bits &= bits - 1) {
		const struct port *port = topo->port[word * 64 + __builtin_ctzll(bits)].port;

		if (port != NULL && port->ops->intr_due != NULL && !port->ops->intr_due(port))
			set_bit(intr->waiting, port, false);
	}
	poll_ports(intr, fwd, topo, word, ports & intr->waiting[word], 0);
}

static void
look_at_all(struct worker_intr *intr, struct forward *fwd, const struct topology *topo, const struct topo_work *work)
{
	for (uint32_t i = 0; i < RTE_DIM(intr->waiting); i++) {
		intr->resting[i] = intr->waiting[i] & ~intr->fresh[i];
		intr->fresh[i] = ~intr->waiting[i];
	}
	for (uint32_t i = 0; i < work->nb_owned; i++) {
		if (work->owned[i]->ops->intr_due(work->owned[i]))
			set_bit(intr->waiting, work->owned[i], true);
	}
	for (uint32_t i = 0; i < RTE_DIM(intr->waiting); i++)
		recheck(intr, fwd, topo, i, intr->waiting[i]);
}

void
worker_intr_round(struct worker_intr *intr, struct forward *fwd, const struct topology *topo,
	const struct topo_work *work, bool idle)
{
	const uint64_t tsc = fwd->ctx.tsc;

	intr->idle = idle;
	if (tsc >= intr->look_at) {
		look_at_all(intr, fwd, topo, work);
		intr->look_at = tsc + intr->time.look;
		intr->recheck_at = tsc + intr->time.recheck;
	} else if (tsc >= intr->recheck_at) {
		for (uint32_t i = 0; i < RTE_DIM(intr->waiting); i++)
			recheck(intr, fwd, topo, i, intr->waiting[i] & ~intr->resting[i]);
		intr->recheck_at = tsc + intr->time.recheck;
	}
	worker_intr_flush(intr, fwd, topo);
	intr->idle = false;
}

bool
worker_intr_held(const struct worker_intr *intr)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < RTE_DIM(intr->held); i++)
		any |= intr->held[i];
	return any != 0;
}
