/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to receive: a queue's room, and the step from a frame to packet buffers. */
#ifndef VH_RX_FRAME_H
#define VH_RX_FRAME_H

#include <offload_tso.h>

#include "vh_port.h"

/** Frames taken at once. */
#define VH_RX_STEP 32

/** Bursts without a frame after which a queue gives its stock of packet buffers back. */
#define VH_RX_IDLE 64

/** Pieces kept for later at most; a power of two. 32 frames of 64 KiB with an MSS of 1448 fit. */
#define VH_RX_KEPT 2048

struct vh_rx {
	struct vmxnet3_burst *burst;
	uint16_t step;        /**< frames to take next; 1: the last ones were cut */
	uint16_t next_queue;  /**< of the guest's that this one polls, where to begin */
	uint16_t empty;       /**< bursts that brought nothing, one after the other; VH_RX_IDLE: that many or more */

	/* Of the burst that runs. */
	struct rte_mbuf **out;
	uint16_t nb_out, max_out;
	uint64_t offloads;
	uint32_t mtu, ptypes, room;
	bool cut_one;

	uint16_t nb_stock;
	struct rte_mbuf *stock[VH_RX_STEP];
	uint32_t head, tail;
	struct rte_mbuf *kept[VH_RX_KEPT];
	struct offload_tso tso;
};

/** @return how many of @p want packet buffers, at most VH_RX_STEP, there are in stock now. */
uint16_t vh_rx_stock(struct vh_rxq *q, uint16_t want);

/** Makes packet buffers of a frame, for this burst or those after it, or counts why not. */
void vh_rx_take(struct vh_rxq *q, struct offload_frame *f);

#endif /* VH_RX_FRAME_H */
