/* SPDX-License-Identifier: BSD-3-Clause */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "queue_plan.h"

/* What a frame costs more when its memory belongs to another node: half as much again, roughly. */
#define AWAY_NUM 3
#define AWAY_DEN 2

/* A new queue number 0 counts for as many others: it is the one that will have work. */
#define FIRST_QUEUE_WEIGHT 16

struct core {
	int16_t node;
	uint32_t load;
	uint32_t weight; /* of queues, whether they have work or not */
};

struct plan {
	uint16_t nb_cores;
	struct core core[MAX_WORKERS];
	struct plan_queue *queue;
	uint32_t nb_queues;
};

static uint32_t
weight_of(const struct plan_queue *q)
{
	return q->queue == 0 ? FIRST_QUEUE_WEIGHT : 1;
}

static void
plan_init(struct plan *p, const int16_t *core_node, uint16_t nb_cores, struct plan_queue *queues, uint32_t nb_queues)
{
	memset(p, 0, sizeof(*p));
	p->nb_cores = nb_cores;
	p->queue = queues;
	p->nb_queues = nb_queues;
	for (uint16_t c = 0; c < nb_cores; c++)
		p->core[c].node = core_node[c];
}

static bool
is_away(const struct plan *p, const struct plan_queue *q, uint16_t core)
{
	return q->node != PLAN_NO_NODE && p->core[core].node != PLAN_NO_NODE && q->node != p->core[core].node;
}

/* What a queue would cost on another core than the one that it was measured on. */
static uint32_t
load_on(const struct plan *p, const struct plan_queue *q, uint16_t core)
{
	bool was_away = is_away(p, q, q->core), away = is_away(p, q, core);

	if (was_away == away)
		return q->load;
	return away ? q->load * AWAY_NUM / AWAY_DEN : q->load * AWAY_DEN / AWAY_NUM;
}

static void
put(struct plan *p, struct plan_queue *q, uint16_t core)
{
	q->core = core;
	p->core[core].load += q->load;
	p->core[core].weight += weight_of(q);
}

/* ---- new queues, pins ---- */

/* Whether @p a is a better place than @p b, given how many queues of its port each has. */
static bool
is_better(const struct plan *p, const struct plan_queue *q, uint16_t a, uint16_t b, const uint16_t *own)
{
	const struct core *ca = &p->core[a], *cb = &p->core[b];

	if (is_away(p, q, a) != is_away(p, q, b))
		return is_away(p, q, b);
	if (own[a] != own[b])
		return own[a] < own[b];
	if (ca->load / PLAN_GAIN != cb->load / PLAN_GAIN)
		return ca->load < cb->load;
	return ca->weight < cb->weight;
}

static uint16_t
place_for(const struct plan *p, const struct plan_queue *q)
{
	uint16_t own[MAX_WORKERS] = {0}, best = 0;

	for (uint32_t i = 0; i < p->nb_queues; i++) {
		if (p->queue[i].port == q->port && p->queue[i].core != PLAN_NO_CORE)
			own[p->queue[i].core]++;
	}
	for (uint16_t c = 1; c < p->nb_cores; c++) {
		if (is_better(p, q, c, best, own))
			best = c;
	}
	return best;
}

void
queue_plan_place(const int16_t *core_node, uint16_t nb_cores, struct plan_queue *queues, uint32_t nb_queues)
{
	struct plan p;

	plan_init(&p, core_node, nb_cores, queues, nb_queues);
	/* What is fixed first. */
	for (uint32_t i = 0; i < nb_queues; i++) {
		struct plan_queue *q = &queues[i];

		if (q->pinned != PLAN_NO_CORE) {
			if (q->core != PLAN_NO_CORE)
				q->load = load_on(&p, q, q->pinned);
			put(&p, q, q->pinned);
		} else if (q->core != PLAN_NO_CORE) {
			put(&p, q, q->core);
		}
	}
	for (uint32_t i = 0; i < nb_queues; i++) {
		if (queues[i].core == PLAN_NO_CORE)
			put(&p, &queues[i], place_for(&p, &queues[i]));
	}
}

/* ---- balance ---- */

static uint32_t
max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* What is gained by moving a queue to a core; 0: nothing that is worth it. */
static uint32_t
gain_of(const struct plan *p, const struct plan_queue *q, uint16_t to)
{
	const struct core *from = &p->core[q->core], *core = &p->core[to];
	uint32_t load = load_on(p, q, to);
	uint32_t before = max_u32(from->load, core->load);
	uint32_t after = max_u32(from->load - q->load, core->load + load);

	if (from->load >= PLAN_BUSY && after + PLAN_GAIN <= before)
		return before - after;
	/* Home, if there is room. */
	if (is_away(p, q, q->core) && !is_away(p, q, to) && after <= max_u32(before, PLAN_BUSY))
		return 1 + q->load - load;
	return 0;
}

static bool
best_move(const struct plan *p, struct plan_queue **which, uint16_t *to)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < p->nb_queues; i++) {
		struct plan_queue *q = &p->queue[i];

		if (q->pinned != PLAN_NO_CORE || q->rests)
			continue;
		for (uint16_t c = 0; c < p->nb_cores; c++) {
			uint32_t gain = c == q->core ? 0 : gain_of(p, q, c);

			if (gain > best) {
				best = gain;
				*which = q;
				*to = c;
			}
		}
	}
	return best > 0;
}

uint32_t
queue_plan_balance(const int16_t *core_node, uint16_t nb_cores, struct plan_queue *queues, uint32_t nb_queues)
{
	struct plan_queue *q;
	struct plan p;
	uint32_t moves;
	uint16_t to;

	plan_init(&p, core_node, nb_cores, queues, nb_queues);
	for (uint32_t i = 0; i < nb_queues; i++)
		put(&p, &queues[i], queues[i].core);
	for (moves = 0; moves < PLAN_MOVES && best_move(&p, &q, &to); moves++) {
		uint32_t load = load_on(&p, q, to);

		p.core[q->core].load -= q->load;
		q->load = load;
		q->rests = true;
		put(&p, q, to);
	}
	return moves;
}
