/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The transmit burst and its queue. */
#ifndef VX_TX_H
#define VX_TX_H

#include "vx_dev.h"
#include "vx_ring.h"
#include "vx_tx_prepare.h"

struct vx_txq {
	struct vx_gate gate;

	/* The ring's entries from sent to next are the device's, as far as anybody has looked. */
	struct vx_entry *ring;
	/** By entry: the frame that ends there, which is freed with it; NULL: none does. */
	struct rte_mbuf **buf;
	uint32_t next; /**< to be filled next */
	uint32_t sent; /**< oldest entry that is not known to be sent */
	uint32_t done; /**< oldest entry whose frame is not freed */
	uint32_t mask;
	uint32_t log2;
	uint16_t addr_field; /**< VX_ADDR_* */
	uint32_t span; /**< entries that share one completion, about */
	uint32_t busy; /**< entries in use from which on completions are looked for */
	bool fast_free;
	const struct vx_entry *comp;
	uint32_t comp_next;
	/** Before it (and not before done) there may be frames of more than one descriptor or mbuf. */
	uint32_t odd;
	struct vmxnet3_tx_queue_desc *desc;
	struct vx_queue_stats stats;

	uint16_t id; /**< index of the queue */
	struct vx_dev *dev;

	/* Control's. */
	uint16_t nb_desc;
	const struct rte_memzone *rings_mz;
	struct rte_eth_txconf conf;
	struct vx_queue_stats stats_base;
};

/**
 * Sends frames as they are, as rte_eth_tx_prepare() leaves them: where a checksum is to be computed the pseudo-header's sum must be
 * there. An IPv4 header checksum that is still asked for is computed here.
 *
 * @return frames taken, among them those that can never be sent, which are dropped and counted; fewer than @p nb_pkts when the
 *         ring is full; 0 also while the queue is paused
 */
uint16_t vx_tx_burst(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* VX_TX_H */
