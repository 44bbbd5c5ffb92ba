/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Sends a direction's frames, as many as are wanted on their way at once. Loses none. */
#ifndef PKTCHECK_SENDER_H
#define PKTCHECK_SENDER_H

#include <rte_mempool.h>

#include "lane.h"

struct sender {
	struct lane *lane;
	struct rte_mempool *pool;
	uint32_t segments;      /**< at most, of a frame */
	uint64_t limit;         /**< frames to send */
	uint64_t random;
	uint32_t queue;         /**< of the burst at hand */
	struct rte_mbuf *burst[MAX_BURST];
	uint16_t first, end;    /**< what of the burst the port has not taken yet */
	uint64_t next_due;      /**< TSC cycles; when the next burst may go */
	uint64_t interval;      /**< TSC cycles */
	uint32_t next[MAX_FLOWS];

	uint64_t sent;          /**< frames, with those damaged on purpose */
	uint64_t bytes;
	uint64_t damaged;
	uint64_t refused;       /**< times that the port took less than it was given */
};

void sender_init(struct sender *s, struct lane *lane, struct rte_mempool *pool, uint32_t segments,
	uint64_t limit);

/**
 * Hands the port what it has not taken yet, or a new burst if one may go.
 * @return frames that the port took
 */
uint16_t sender_step(struct sender *s, uint64_t now);

/** TSC cycles of when the next burst is due. UINT64_MAX: not before a frame has arrived, or never. */
uint64_t sender_due(const struct sender *s);

/** No new burst from now on. */
void sender_end(struct sender *s);

/** Frees what the port never took. */
void sender_fini(struct sender *s);

#endif /* PKTCHECK_SENDER_H */
