/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Queues: rings, their memory, what is told of them. The bursts are vx_rx.h's and vx_tx.h's.
 *
 * Ring memory comes with the queue's set-up and stays until its release. Rings are filled anew before each activation
 * (vx_queues_init()), because a device begins at entry 0 with generation 1 then.
 */
#ifndef VX_QUEUE_H
#define VX_QUEUE_H

#include "vx_dev.h"

/* ---- ethdev operations ---- */

/** @return 0; -EINVAL size no power of two, buffers too small, pool out of the device's reach (says which); -ENOMEM */
int vx_rx_queue_setup(struct rte_eth_dev *eth_dev, uint16_t queue, uint16_t nb_desc,
	unsigned int socket_id, const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int vx_tx_queue_setup(struct rte_eth_dev *eth_dev, uint16_t queue, uint16_t nb_desc,
	unsigned int socket_id, const struct rte_eth_txconf *conf);
void vx_rx_queue_release(struct rte_eth_dev *eth_dev, uint16_t queue);
void vx_tx_queue_release(struct rte_eth_dev *eth_dev, uint16_t queue);
void vx_rxq_info_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_rxq_info *info);
void vx_txq_info_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_txq_info *info);
int vx_rx_burst_mode_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_burst_mode *mode);
int vx_tx_burst_mode_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_burst_mode *mode);
uint32_t vx_rx_queue_count(void *rxq);
int vx_rx_descriptor_status(void *rxq, uint16_t offset);
int vx_tx_descriptor_status(void *txq, uint16_t offset);
int vx_tx_done_cleanup(void *txq, uint32_t free_cnt);

/* ---- for activation; ctl held ---- */

/**
 * Empties all rings, posts receive buffers, writes rings and vectors into the queue descriptors dev->txqd and dev->rxqd
 * (whose other fields it zeroes). Bursts must be outside: the port is stopped or vx_queues_pause() was called.
 * @return 0, or -ENOMEM: a pool has too few buffers (logged with the queue, and how many were missing)
 */
int vx_queues_init(struct vx_dev *dev);

/** Tells an activated device how far receive rings are filled. */
void vx_queues_ring(struct vx_dev *dev);

/** Frees all buffers that the rings hold. Bursts must be outside. */
void vx_queues_drop(struct vx_dev *dev);

/** Waits until no burst is inside of a queue and keeps them out: they return 0. Not nested. */
void vx_queues_pause(struct vx_dev *dev);
void vx_queues_resume(struct vx_dev *dev);

/** What a queue counted by itself since stats_reset. */
struct vx_queue_stats {
	uint64_t packets, bytes;
	uint64_t errors;    /**< receive: frames with an error, or a completion that made no sense; transmit: refused frames */
	uint64_t no_mbuf;   /**< receive: refills postponed for want of buffers */
	uint64_t bad_completions; /**< completions with an index, ring, length or order that cannot be */
	uint64_t ring_full; /**< transmit: bursts cut short because the ring was full */
	uint64_t filtered;  /**< receive: unicast frames for none of the port's addresses */
};

void vx_rx_queue_stats(struct vx_dev *dev, uint16_t queue, struct vx_queue_stats *stats);
void vx_tx_queue_stats(struct vx_dev *dev, uint16_t queue, struct vx_queue_stats *stats);
void vx_queue_stats_reset(struct vx_dev *dev);

/**
 * Unicast addresses that the port takes while the device must be promiscuous for having only one; receive bursts drop what is for others.
 * @param nb  0: take everything
 */
void vx_queues_set_mac_filter(struct vx_dev *dev, const struct rte_ether_addr *macs, uint16_t nb);

#endif /* VX_QUEUE_H */
