/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The order in which a polling core looks at its queues: those that had frames lately in each round, the silent ones
 * in a pass of their own, now and then. So a silent queue costs busy ones next to nothing, and what its first frame
 * waits for is bounded by the time between two such passes. Of one polling core.
 */
#ifndef VSWITCHD_POLL_LIST_H
#define VSWITCHD_POLL_LIST_H

#include "topology.h"

/** Queues in each round; more are visited as silent ones are. */
#define POLL_BUSY_MAX 1024

struct poll_entry {
	uint64_t seen;  /**< TSC of the round that found a frame last */
	uint16_t unit;  /**< index in the core's part of the topology */
	uint16_t queue;
	uint16_t burst; /**< frames that the last round took */
};

struct poll_list {
	uint64_t generation;        /**< of the topology that it was made for; 0: none */
	uint32_t nb_busy;
	struct poll_entry busy[POLL_BUSY_MAX];
	uint64_t queues[MAX_PORTS]; /**< of each unit, those that are in @c busy */
};

/** All queues are silent, until they are found not to be. */
void poll_list_reset(struct poll_list *list, uint64_t generation);

/** A silent queue had frames. */
void poll_list_add(struct poll_list *list, uint16_t unit, uint16_t queue, uint64_t tsc);

/** Makes those silent that had their last frame before @p since. */
void poll_list_age(struct poll_list *list, uint64_t since);

/** The silent queues of a unit of which @p nb_queues are in use, a bit each. */
static inline uint64_t
poll_list_silent(const struct poll_list *list, uint16_t unit, uint64_t queues, uint16_t nb_queues)
{
	uint64_t in_use = nb_queues >= 64 ? UINT64_MAX : (UINT64_C(1) << nb_queues) - 1;

	return queues & in_use & ~list->queues[unit];
}

#endif /* VSWITCHD_POLL_LIST_H */
