/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A transmit queue. Structures only. */
#ifndef VX_TXQ_H
#define VX_TXQ_H

#include "vx_dev.h"
#include "vx_ring.h"
#include "vx_tx_plan.h"

struct vx_vec;

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
	const struct vx_vec *vec; /**< NULL: no vectors are used */
	struct vx_tx_caps caps; /**< rte_eth_tx_prepare() reads it outside of the gate */
	const struct vx_entry *comp;
	uint32_t comp_next;
	/** Before it (and not before done) there may be frames of more than one descriptor or mbuf. */
	uint32_t odd;
	/** Before it (and not before done) somebody else may have a share in frames, or they are not of the pool below. */
	uint32_t look;
	struct rte_mempool *pool; /**< of the frame that was sent last */
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

#endif /* VX_TXQ_H */
