/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A receive queue. Structures only. */
#ifndef VX_RXQ_H
#define VX_RXQ_H

#include <offload_filter.h>

#include "vx_dev.h"
#include "vx_ring.h"

/** Distance in frames at which the mbufs that will be filled in are fetched into the cache. */
#define VX_RX_AHEAD 8

/** vx_rxq::distance when each mbuf has to be asked for the address of its buffer. */
#define VX_NO_DISTANCE UINT64_MAX

struct vx_vec;

/** A command ring. Its entries from done to fill are the device's, and have buffers. */
struct vx_rx_ring {
	struct vx_entry *desc;
	struct rte_mbuf **buf; /**< VX_RX_AHEAD more, which nobody uses, may be looked at */
	uint32_t fill; /**< to be filled next */
	uint32_t done; /**< oldest entry that the device has */
	uint32_t mask; /**< 0: the ring is not in use */
	uint32_t log2;
	uint32_t chunk; /**< so many free entries are filled at once */
	uint32_t kind;	/**< VMXNET3_RXD_BODY or 0 */
	uint32_t doorbell;
};

enum { VX_RX_HEAD, VX_RX_BODY, VX_RX_RINGS };

struct vx_rxq {
	struct vx_gate gate;

	/* All that a burst of whole frames needs. */
	const struct vx_entry *comp;
	uint32_t next; /**< completion to be read next */
	uint32_t comp_mask, comp_log2;
	uint32_t whole; /**< word 0 of a whole frame in a buffer of the first ring; impossible inside a frame */
	uint16_t buf_len;
	uint16_t addr_field; /**< VX_ADDR_* */
	uint64_t rearm;	     /**< mbuf::rearm_data of a received buffer */
	uint64_t distance;   /**< from an mbuf to where the device puts its frame; VX_NO_DISTANCE: they differ */
	const struct vx_vec *vec; /**< NULL: no vectors are used */
	const struct offload_filter *filter; /**< NULL: takes everything */
	struct vx_rx_ring ring[VX_RX_RINGS];
	struct vx_queue_stats stats;

	/* The frame that has begun but not ended. */
	struct rte_mbuf *first, *last; /**< NULL: there is none */
	bool skip; /**< the rest of it is to be thrown away */
	uint16_t mss; /**< 0: no large frame */

	uint16_t id; /**< index of the queue */
	uint16_t nb_rxq;
	uint8_t *data; /**< receive data ring */
	uint16_t data_size; /**< of its entries; 0: not in use */
	struct vmxnet3_rx_queue_desc *desc;
	struct rte_mempool *pool;
	struct vx_dev *dev;

	/* Control's. */
	uint16_t nb_desc;
	const struct rte_memzone *rings_mz, *data_mz;
	struct rte_eth_rxconf conf;
	struct vx_queue_stats stats_base;
};

#endif /* VX_RXQ_H */
