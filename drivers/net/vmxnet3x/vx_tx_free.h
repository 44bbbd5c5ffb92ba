/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What the device has sent goes back to its pool. */
#ifndef VX_TX_FREE_H
#define VX_TX_FREE_H

#include "vx_tx.h"

/** Whether a completion is there. */
static inline bool
vx_tx_is_done(const struct vx_txq *q)
{
	uint64_t hi = vx_load_gen(&q->comp[q->comp_next & q->mask]);

	return hi >> 63 == vx_gen(q->comp_next, q->log2);
}

/**
 * Takes completions and frees what they cover.
 * @param enough  frames freed after which it stops, a whole completion at a time
 * @return frames freed
 */
uint32_t vx_tx_reclaim(struct vx_txq *q, uint32_t enough);

/** Frees all frames in the ring. */
void vx_tx_drop(struct vx_txq *q);

#endif /* VX_TX_FREE_H */
