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

struct poll_round {
	struct forward *fwd;         /**< its context tells which core this is */
	struct worker_intr intr;
	struct poll_list list;
	uint64_t look_at;                /**< TSC: at silent queues */
	uint64_t look_gap, silent_after; /**< TSC */
};

/** @param fwd  zeroed but for its context, which holds all that ports need */
void poll_round_init(struct poll_round *round, struct forward *fwd, uint64_t tsc_hz);

/** Goes round once. @return frames that were taken */
uint32_t poll_round(struct poll_round *round, const struct topology *topo);

#endif /* VSWITCHD_POLL_ROUND_H */
