/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "poll_round.h"

/*
 * Busy queues after which interrupts are raised, so that the first guest need not wait for the
 * last.
 */
#define INTR_FLUSH_UNITS 8

/*
 * How often a core looks at queues that have been silent for so long. While others are busy, the first frame of such a
 * queue waits this long at most, and one round.
 */
#define LOOK_US         50
#define SILENT_AFTER_US 100

/*
 * A guest may be so much ahead of those that have had less of the core's time and want more: the time of a few bursts. With
 * equal loads nobody ever is. Who floods by many queues, or with long frames, does not get more than the others for it.
 */
#define SHARE_AHEAD_US 20

/* A burst that takes more has lost its CPU meanwhile, for which its guest is not to blame. */
#define SHARE_BURST_US 500

/* Frames in a burst from which on a queue has more to send than it is let. Who sends less holds nobody back. */
#define SHARE_BURST (PORT_BURST / 2)

static void
share_reset(struct poll_share *s)
{
	memset(s->turn, 0, sizeof(s->turn));
	s->least = 0;
	s->most = UINT64_MAX;
	s->waits = false;
}

void
poll_round_init(struct poll_round *round, struct forward *fwd, uint64_t tsc_hz)
{
	round->fwd = fwd;
	worker_intr_init(&round->intr, tsc_hz);
	round->look_gap = tsc_hz / 1000000 * LOOK_US;
	round->silent_after = tsc_hz / 1000000 * SILENT_AFTER_US;
	round->share.ahead = tsc_hz / 1000000 * SHARE_AHEAD_US;
	round->share.dearest = tsc_hz / 1000000 * SHARE_BURST_US;
	share_reset(&round->share);
}

/* @return frames that were taken */
static uint32_t
poll_queue(struct forward *fwd, const struct topology *topo, const struct topo_port *tp, uint16_t queue)
{
	struct port *port = tp->port;
	struct offload_frame *frames;
	uint16_t n = port->ops->rx_begin(port, queue, &fwd->ctx, &frames);

	if (n == 0)
		return 0;
	forward_burst(fwd, topo, tp, frames, n);
	port->ops->rx_end(port, queue, &fwd->ctx);
	/* Its completions may be due to be announced. */
	fwd->touched[port->id / 64] |= UINT64_C(1) << (port->id % 64);
	port_cost_charge(&port->cost, fwd->ctx.worker, queue, cost_lap(&fwd->ctx.clock), n);
	return n;
}

/* While one queue is worked on, the next one's descriptors are on their way. */
static inline void
prefetch_queue(const struct topo_work *work, const struct poll_entry *e)
{
	const struct port *port = work->unit[e->unit].tp->port;

	if (port->ops->rx_prefetch != NULL)
		port->ops->rx_prefetch(port, e->queue);
}

/* Adds to what a unit has had. Who had nothing for a while has no claim to what it left to others. */
static inline void
share_charge(struct poll_share *s, const struct topo_unit *unit, uint16_t i, uint64_t cycles)
{
	if (unit->tp->port->ops->intr_poll != NULL)
		s->turn[i].used = RTE_MAX(s->turn[i].used, s->least) + RTE_MIN(cycles, s->dearest);
}

/* Whether a unit has to stop before this queue. It goes on with it later, unless nothing is heard of the queue meanwhile. */
static __rte_noinline bool
share_stops(struct poll_share *s, const struct poll_entry *e)
{
	struct poll_turn *turn = &s->turn[e->unit];

	if (turn->next != 0 && turn->next != e->queue + 1u && s->round - turn->stopped <= 1) {
		s->waits = true;
		return true;
	}
	turn->next = 0;
	if (turn->used <= s->most)
		return false;
	turn->next = (uint16_t)(e->queue + 1);
	turn->stopped = s->round;
	s->waits = true;
	return true;
}

/* After a round: who may go on. Unless two want more than they got, nobody has to wait. */
static void
share_settle(struct poll_round *r)
{
	struct poll_share *s = &r->share;
	uint64_t least = UINT64_MAX;
	bool rivals = false;
	uint16_t one = 0;

	for (uint32_t i = 0; i < r->list.nb_busy; i++) {
		const struct poll_entry *e = &r->list.busy[i];

		if (e->burst < SHARE_BURST || s->turn[e->unit].used == 0)
			continue;
		rivals |= least != UINT64_MAX && e->unit != one;
		one = e->unit;
		least = RTE_MIN(least, s->turn[e->unit].used);
	}
	if (least != UINT64_MAX)
		s->least = least;
	s->most = least != UINT64_MAX && (rivals || s->waits) ? least + s->ahead : UINT64_MAX;
}

/* Queues that had frames lately. */
static uint32_t
poll_busy(struct poll_round *r, const struct topology *topo)
{
	const struct topo_work *work = &topo->work[r->fwd->ctx.worker];
	uint32_t total = 0, busy = 0;

	r->share.waits = false;
	r->share.round++;
	for (uint32_t i = 0; i < r->list.nb_busy; i++) {
		struct poll_entry *e = &r->list.busy[i];
		const struct poll_turn *turn = &r->share.turn[e->unit];
		const uint64_t begin = r->fwd->ctx.clock.mark;
		uint32_t n;

		if (i + 1 < r->list.nb_busy)
			prefetch_queue(work, e + 1);
		if (unlikely(turn->next != 0 || turn->used > r->share.most) && share_stops(&r->share, e)) {
			/* It is not silent. */
			e->seen = r->fwd->ctx.tsc;
			e->burst = 0;
			continue;
		}
		n = poll_queue(r->fwd, topo, work->unit[e->unit].tp, e->queue);
		e->burst = (uint16_t)n;
		if (n == 0)
			continue;
		total += n;
		e->seen = r->fwd->ctx.tsc;
		share_charge(&r->share, &work->unit[e->unit], e->unit, r->fwd->ctx.clock.mark - begin);
		if (++busy % INTR_FLUSH_UNITS == 0)
			worker_intr_flush(&r->intr, r->fwd, topo);
	}
	share_settle(r);
	return total;
}

/* Of the silent queues of a unit those that may have a frame. */
static inline uint64_t
pending_queues(const struct poll_list *list, const struct topo_unit *unit, uint16_t i)
{
	if (unit->rx_pending != NULL)
		return unit->rx_pending(unit->look, poll_list_silent(list, i, unit->queues, MAX_PORT_QUEUES));
	return poll_list_silent(list, i, unit->queues, unit->tp->port->ops->rx_queues(unit->tp->port));
}

/* All others. */
static uint32_t
poll_silent(struct poll_round *r, const struct topology *topo)
{
	const struct topo_work *work = &topo->work[r->fwd->ctx.worker];
	uint32_t total = 0;

	for (uint16_t i = 0; i < work->nb_units; i++) {
		uint64_t queues = pending_queues(&r->list, &work->unit[i], i);

		for (; queues != 0; queues &= queues - 1) {
			uint16_t q = (uint16_t)__builtin_ctzll(queues);
			uint32_t n = poll_queue(r->fwd, topo, work->unit[i].tp, q);

			if (n > 0)
				poll_list_add(&r->list, i, q, r->fwd->ctx.tsc);
			total += n;
		}
	}
	/* Looking for work is nobody's. */
	cost_lap(&r->fwd->ctx.clock);
	return total;
}

uint32_t
poll_round(struct poll_round *r, const struct topology *topo)
{
	const uint64_t tsc = r->fwd->ctx.tsc;
	bool look = tsc >= r->look_at;
	uint32_t total;

	if (unlikely(r->list.generation != topo->generation)) {
		poll_list_reset(&r->list, topo->generation);
		share_reset(&r->share);
	}
	total = poll_busy(r, topo);
	if (unlikely(total == 0 && r->share.waits))
		total = poll_busy(r, topo);
	/* Who has nothing to do has time to look. */
	if (look || total == 0)
		total += poll_silent(r, topo);
	if (look) {
		poll_list_age(&r->list, tsc - r->silent_after);
		r->look_at = tsc + r->look_gap;
	}
	worker_intr_round(&r->intr, r->fwd, topo, &topo->work[r->fwd->ctx.worker], total == 0);
	return total;
}
