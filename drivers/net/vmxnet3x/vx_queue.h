/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Queues as a whole, for activation: fill their rings, keep bursts out, count. All with vx_dev::ctl held.
 *
 * Ring memory comes with the queue's set-up and stays until its release. Rings are filled anew before each
 * activation (vx_queues_init()), because a device begins at entry 0 with generation 1 then.
 */
#ifndef VX_QUEUE_H
#define VX_QUEUE_H

#include "vx_dev.h"
#include "vx_queue_setup.h"
#include "vx_queue_state.h"
#include "vx_ring.h"

/**
 * Empties all rings, posts receive buffers, writes rings and vectors into the queue descriptors dev->txqd and
 * dev->rxqd (whose other fields it zeroes). Bursts must be outside: the port is stopped or vx_queues_pause() was
 * called.
 *
 * @return 0; with a line in the log: -ENOMEM a pool has too few buffers, -EINVAL frames of the port's MTU do not
 *         fit into a buffer and scattered reception is not enabled
 */
int vx_queues_init(struct vx_dev *dev);

/** Tells an activated device how far receive rings are filled. */
void vx_queues_ring(struct vx_dev *dev);

/** Frees all buffers that the rings hold. Bursts must be outside. */
void vx_queues_drop(struct vx_dev *dev);

/** Waits until no burst is inside of a queue and keeps them out: they return 0. Not nested. */
void vx_queues_pause(struct vx_dev *dev);
void vx_queues_resume(struct vx_dev *dev);

/** What a queue counted by itself since vx_queue_stats_reset(). */
void vx_rx_queue_stats(struct vx_dev *dev, uint16_t queue, struct vx_queue_stats *stats);
void vx_tx_queue_stats(struct vx_dev *dev, uint16_t queue, struct vx_queue_stats *stats);
void vx_queue_stats_reset(struct vx_dev *dev);

/**
 * What the port takes while the device must be promiscuous for having only one address; receive bursts drop everything
 * else. The one before is not looked at any more when this returns.
 * @param filter  NULL: take everything
 */
void vx_queues_set_filter(struct vx_dev *dev, const struct offload_filter *filter);

#endif /* VX_QUEUE_H */
