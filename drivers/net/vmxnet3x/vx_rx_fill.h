/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Receive buffers: into the rings, and back to their pool. */
#ifndef VX_RX_FILL_H
#define VX_RX_FILL_H

#include "vx_rxq.h"

/** Entries that can be filled. One stays empty, so that no entry ever shows the generation of the next round. */
static inline uint32_t
vx_rx_room(const struct vx_rx_ring *r)
{
	return r->mask - (r->fill - r->done);
}

/**
 * Fills a ring chunk by chunk, as far as the pool goes.
 * @return whether as many entries were filled as could be
 */
bool vx_rx_fill(struct vx_rxq *q, struct vx_rx_ring *r);

/** Tells the device how far a ring is filled. */
void vx_rx_doorbell(struct vx_rxq *q, const struct vx_rx_ring *r);

/** Frees the buffers of all rings and that of the unfinished frame. */
void vx_rx_drop(struct vx_rxq *q);

#endif /* VX_RX_FILL_H */
