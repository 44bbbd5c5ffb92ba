/* SPDX-License-Identifier: BSD-3-Clause */
/** @file One direction: what its sender and its receiver, perhaps on two cores, know of each other. */
#ifndef PKTCHECK_LANE_H
#define PKTCHECK_LANE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

#include "frame.h"
#include "options.h"

struct lane {
	uint32_t index;
	uint16_t tx_port, rx_port;
	struct rte_ether_hdr sent, wanted; /**< addresses when it leaves, and when it arrives */
	const struct options *opt;
	const struct frame_rule *rule;

	/* Receive buffers' worth of frames. What is between the two is on its way. */
	_Atomic uint64_t handed_over __rte_cache_aligned;
	_Atomic bool ended; /**< nothing more will be handed over */
	_Atomic uint64_t accounted __rte_cache_aligned;
};

/** Receive buffers that a frame takes. */
static inline uint32_t
lane_buffers(const struct lane *lane, uint32_t len)
{
	return (len + lane->opt->mbuf_size - 1) / lane->opt->mbuf_size;
}

/** Whether all that was sent is accounted for. */
static inline bool
lane_done(const struct lane *lane)
{
	return atomic_load(&lane->ended) &&
		atomic_load(&lane->handed_over) == atomic_load(&lane->accounted);
}

#endif /* PKTCHECK_LANE_H */
