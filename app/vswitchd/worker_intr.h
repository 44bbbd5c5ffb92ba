/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A polling core's care for the interrupts of the guests. All of it on that core. */
#ifndef VSWITCHD_WORKER_INTR_H
#define VSWITCHD_WORKER_INTR_H

#include "forward.h"

struct worker_intr {
	uint64_t held[(MAX_PORTS + 63) / 64]; /**< ports with an interrupt that moderation holds, or the core */
	/** Ports with one that was due when this core looked last, e.g. because the guest was in its handler. */
	uint64_t waiting[(MAX_PORTS + 63) / 64];
	/** Ports that frames came for since the last look at all, or that did not wait then. */
	uint64_t fresh[(MAX_PORTS + 63) / 64];
	uint64_t resting[(MAX_PORTS + 63) / 64]; /**< of those that wait, those that have done so for long */
	uint64_t recheck_at, look_at;         /**< TSC */
	uint64_t paid_until[MAX_PORTS];       /**< TSC: when a port's interrupts are within their part of the time again */
	uint64_t later_at[MAX_PORTS];         /**< TSC: when one of which all is held for long is looked at again */
	uint64_t gathers[(MAX_PORTS + 63) / 64]; /**< ports for which that is sooner if more comes */
	bool idle;                            /**< nobody waits for anything else */
	struct {
		uint64_t recheck, look, look_most, ahead, later;
	} time;                               /**< TSC: constants */
};

/** @param intr  zeroed */
void worker_intr_init(struct worker_intr *intr, uint64_t tsc_hz);

/**
 * Raises what is due on the ports that frames went to, and on those that had one held. A port's interrupts that take more than
 * their part of the core's time wait while there are frames to move.
 */
void worker_intr_flush(struct worker_intr *intr, struct forward *fwd, const struct topology *topo);

/**
 * The same at the end of a round. Besides, guests unmask without notice: every 20 us it looks again at ports that had one
 * due, or every 1 ms once they had it due for 1 to 2 ms and nothing more came. Every 1 ms it looks at all that are this core's to
 * look after, for what others than polling cores have made due.
 *
 * @param idle  no frame came in this round
 */
void worker_intr_round(struct worker_intr *intr, struct forward *fwd, const struct topology *topo,
	const struct topo_work *work, bool idle);

/** Whether an interrupt waits for its time. */
bool worker_intr_held(const struct worker_intr *intr);

#endif /* VSWITCHD_WORKER_INTR_H */
