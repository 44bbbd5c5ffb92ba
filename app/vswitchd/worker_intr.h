/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A polling core's care for the interrupts of the guests. All of it on that core. */
#ifndef VSWITCHD_WORKER_INTR_H
#define VSWITCHD_WORKER_INTR_H

#include "forward.h"

struct worker_intr {
	uint64_t held[(MAX_PORTS + 63) / 64]; /**< ports with an interrupt that moderation holds */
	/** Ports that frames went to of late, in two generations. */
	uint64_t recent[(MAX_PORTS + 63) / 64], older[(MAX_PORTS + 63) / 64];
	uint64_t recheck_at, age_at;          /**< TSC */
};

/** Raises what is due on the ports that frames went to, and on those that had one held. */
void worker_intr_flush(struct worker_intr *intr, struct forward *fwd, const struct topology *topo);

/**
 * The same at the end of a round; and, once in a while, on all ports that are this core's to look after: guests unmask
 * without notice.
 */
void worker_intr_round(struct worker_intr *intr, struct forward *fwd, const struct topology *topo,
	const struct topo_work *work);

/** Whether an interrupt waits for its time. */
bool worker_intr_held(const struct worker_intr *intr);

#endif /* VSWITCHD_WORKER_INTR_H */
