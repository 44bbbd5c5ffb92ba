/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to receive: one call of vmxnet3_dev_deliver(), on its way through the files of receive. */
#ifndef DEV_RX_H
#define DEV_RX_H

#include "dev_rx_ring.h"

#define DEV_RX_CSUM_KNOWN (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD)

/** The device as it was found, and what comes of the frames. */
struct rx_ctx {
	struct vmxnet3_dev *dev;
	const struct offload_filter *filter;
	uint32_t features, mtu, rss_types, nb_rxq;
	bool csum;  /**< the driver wants to know about checksums */
	bool inner; /**< and about those inside of tunnels */
	unsigned int verify; /**< the same for the copy */
	bool large; /**< it takes large frames */
	bool large_inner; /**< and those inside of tunnels */
	bool skip;  /**< a sum that the sender has left open may stay so */
	uint16_t delivered;
	bool dropped; /**< something in @c drops */
	uint32_t drops[VMXNET3_DROP_MAX];

	struct rx_run run;
	struct rx_item item[RX_BURST];
	struct rx_batch batch;
};

static inline void
dev_rx_drop(struct rx_ctx *c, enum vmxnet3_drop reason, uint32_t n)
{
	c->drops[reason] += n;
	c->dropped = true;
}

/** Whether a queue takes frames: it has rings, and its driver keeps to the rules. */
static inline bool
dev_rx_is_ready(const struct dev_rxq *q)
{
	return atomic_load_explicit(&q->ready, memory_order_acquire) &&
		!atomic_load_explicit(&q->failed, memory_order_relaxed);
}

/** Whether the copy shall look at a checksum: nothing is known of it, and the driver wants to know. */
static inline bool
dev_rx_to_be_verified(const struct rx_ctx *c, const struct offload_frame *f)
{
	if (!c->csum || !(f->hdr.flags & (OFFLOAD_H_TCP | OFFLOAD_H_UDP)))
		return false;
	return !(f->flags & DEV_RX_CSUM_KNOWN) ||
		(c->inner && f->hdr.flags & OFFLOAD_H_UDP && !(f->flags & OFFLOAD_F_INNER_GOOD));
}

/** Delivers the first @p n of c->item, each to the queue that is its own: dev_rx_queue.c */
void dev_rx_deliver_items(struct rx_ctx *c, uint16_t n);

/**
 * Delivers the frames that a burst begins with and that need nothing but the copy, to a driver without RSS:
 * dev_rx_plain.c
 *
 * @return number of frames delivered, or dropped because there are no buffers; the next one, if there is one, goes the
 *	general way
 */
uint16_t dev_rx_deliver_plain(struct rx_ctx *c, struct offload_frame *const *frames, uint16_t n);

#endif /* DEV_RX_H */
