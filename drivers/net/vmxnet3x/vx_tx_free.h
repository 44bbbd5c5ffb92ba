/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What the device has sent goes back to its pool. */
#ifndef VX_TX_FREE_H
#define VX_TX_FREE_H

#include "vx_txq.h"

/**
 * Whether an mbuf, a frame by itself, can go back to its pool as it is: nobody has a share in it. What is true when it is
 * sent stays so, for then it is the driver's alone.
 */
static inline bool
vx_tx_is_idle(const struct rte_mbuf *m)
{
	return rte_mbuf_refcnt_read(m) == 1 && RTE_MBUF_DIRECT(m);
}

/** Takes notice of completions. */
void vx_tx_collect(struct vx_txq *q);

/**
 * Takes notice of completions and frees what is sent.
 * @param max  frames to be freed at most
 * @return frames freed
 */
uint32_t vx_tx_reclaim(struct vx_txq *q, uint32_t max);

/** Frees all frames in the ring. */
void vx_tx_drop(struct vx_txq *q);

#endif /* VX_TX_FREE_H */
