/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * One round of a polling core: over its queues, through the switch, to the guests' interrupts. It knows no threads: a
 * measurement may go round by itself. The only clock that decides anything is port_ctx::tsc, which the caller sets.
 */
#ifndef VSWITCHD_POLL_ROUND_H
#define VSWITCHD_POLL_ROUND_H

#include "forward.h"
#include "poll_list.h"
#include "worker_intr.h"

/** What a unit of the core's part of the topology has had, and where it had to stop. */
struct poll_turn {
	uint64_t used;    /**< TSC: a guest's time; 0: somebody who is not held to his share, such as an uplink */
	uint32_t stopped; /**< number of the round in which it had to stop last */
	uint16_t next;    /**< 1 + the queue that it goes on with; 0: with the first */
};

/** How a core's time is shared among those that want more of it than there is. */
struct poll_share {
	struct poll_turn turn[MAX_PORTS]; /**< by unit */
	uint64_t least;  /**< TSC: the least of those that wanted more in the last round */
	uint64_t most;   /**< TSC: who has had more waits */
	uint64_t ahead;  /**< TSC: between the two */
	uint64_t dearest; /**< TSC: that a burst is charged with at most */
	uint32_t round;
	bool waits;      /**< somebody did so in this round, or the last */
};

struct poll_round {
	struct forward *fwd;         /**< its context tells which core this is */
	struct worker_intr intr;
	struct poll_list list;
	struct poll_share share;
	uint64_t look_at;                /**< TSC: at silent queues */
	uint64_t look_gap, silent_after; /**< TSC */
};

/** @param fwd  zeroed but for its context, which holds all that ports need */
void poll_round_init(struct poll_round *round, struct forward *fwd, uint64_t tsc_hz);

/** Goes round once. @return frames that were taken */
uint32_t poll_round(struct poll_round *round, const struct topology *topo);

#endif /* VSWITCHD_POLL_ROUND_H */
