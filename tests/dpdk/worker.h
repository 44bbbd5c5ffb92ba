/* SPDX-License-Identifier: BSD-3-Clause */
/** @file One core's share: it sends what leaves some ports and receives what comes in at them. */
#ifndef PKTCHECK_WORKER_H
#define PKTCHECK_WORKER_H

#include "receiver.h"
#include "sender.h"
#include "sleeper.h"

#define MAX_LANES 2

/** What all workers look at. */
struct run {
	const struct options *opt;
	struct lane lanes[MAX_LANES];
	uint32_t nb_lanes;
	_Atomic uint32_t gone; /**< workers that could not begin */
	_Atomic bool stop;     /**< at once: nothing moves, or somebody wants it */
	_Atomic uint64_t moved; /**< grows while anything moves */
};

struct worker {
	struct run *run;
	struct sender senders[MAX_LANES];
	struct receiver receivers[MAX_LANES];
	uint32_t nb; /**< senders, receivers */
	struct sleeper sleeper;
	uint64_t after_wakeup; /**< frames that came after an interrupt or while awake */
	uint64_t after_timeout; /**< frames that a time-out found: without an interrupt */
};

/** Runs until all directions are done or the run is stopped. */
int worker_run(void *worker);

#endif /* PKTCHECK_WORKER_H */
