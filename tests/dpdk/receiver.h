/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Receives a direction's frames and checks every byte of them, their order and their number. */
#ifndef PKTCHECK_RECEIVER_H
#define PKTCHECK_RECEIVER_H

#include "lane.h"

/** So far back a late frame of a flow is told from a repeated one. More than may be on the way. */
#define RECEIVER_WINDOW 65536u

struct receiver {
	struct lane *lane;
	uint32_t next[MAX_FLOWS];
	uint64_t *missing;   /**< bit per flow and recent number: passed over, not come yet */
	uint64_t *sizes;     /**< bit per length: has come */

	uint64_t good;       /**< in order and unaltered */
	uint64_t bytes;
	uint64_t altered;
	uint64_t reordered;  /**< unaltered, after one that was sent later */
	uint64_t repeated;
	uint64_t foreign;    /**< frames of somebody else */
	uint64_t scattered;  /**< good ones in more than one buffer */
	unsigned int said;   /**< how many wrong frames have been described */
};

int receiver_init(struct receiver *r, struct lane *lane);
void receiver_fini(struct receiver *r);

/** Takes a burst of each queue of the port. @return frames that came */
uint32_t receiver_step(struct receiver *r);

/** How many different lengths have come. */
uint32_t receiver_sizes(const struct receiver *r);

/** Frames that of @p sent ones are missing. */
uint64_t receiver_lost(const struct receiver *r, uint64_t sent);

#endif /* PKTCHECK_RECEIVER_H */
