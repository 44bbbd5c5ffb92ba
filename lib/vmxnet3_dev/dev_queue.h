/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Queue descriptors in guest memory. */
#ifndef DEV_QUEUE_H
#define DEV_QUEUE_H

#include "dev_base.h"

/** Transmit queues' descriptors stand first; both kinds have the same size. */
#define DEV_QUEUE_DESC_BYTES sizeof(struct vmxnet3_tx_queue_desc)

static inline uint64_t
dev_txq_desc_pa(const struct vmxnet3_dev *dev, uint32_t i)
{
	return dev->st->cfg.queue_desc_pa + DEV_QUEUE_DESC_BYTES * i;
}

static inline uint64_t
dev_rxq_desc_pa(const struct vmxnet3_dev *dev, uint32_t i)
{
	return dev->st->cfg.queue_desc_pa + DEV_QUEUE_DESC_BYTES * (dev->st->cfg.nb_txq + i);
}

/** The position of a transmit ring has moved, or its pages have. Only while they are there. */
static inline void
dev_txq_find_next(struct dev_txq *q)
{
	q->next = dev_ring_entry(&q->ring, q->st->ring.next);
	q->next_gen = q->st->ring.gen;
}

/** Writes status and statistics of every queue into the guest's queue descriptors. */
void dev_write_queue_status(struct vmxnet3_dev *dev);
void dev_write_queue_stats(struct vmxnet3_dev *dev);

/**
 * Datapath: the guest broke the queue's protocol. Stops this queue, writes its status into the guest's
 * queue descriptor, raises TQERR or RQERR. The driver answers with a reset.
 */
void dev_txq_fail(struct vmxnet3_dev *dev, struct dev_txq *q, uint32_t error);
void dev_rxq_fail(struct vmxnet3_dev *dev, struct dev_rxq *q, uint32_t error);

#endif /* DEV_QUEUE_H */
