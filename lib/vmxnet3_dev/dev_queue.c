/* SPDX-License-Identifier: BSD-3-Clause */
/* What the device tells the driver in each queue's descriptor: status, statistics, failure. */
#include "dev_queue.h"

#include "dev_intr.h"
#include "dev_mem.h"

/* ---- status and statistics ---- */

static void
write_status(struct vmxnet3_dev *dev, uint64_t desc_pa, const uint32_t *stopped,
	const uint32_t *error)
{
	struct vmxnet3_queue_status status = {
		.stopped = __atomic_load_n(stopped, __ATOMIC_ACQUIRE) != 0,
		.error = __atomic_load_n(error, __ATOMIC_RELAXED),
	};

	dev_mem_write(dev, desc_pa + offsetof(struct vmxnet3_tx_queue_desc, status), &status,
		sizeof(status));
}

void
dev_write_queue_status(struct vmxnet3_dev *dev)
{
	const struct dev_state *st = dev->st;
	uint32_t i;

	for (i = 0; i < st->cfg.nb_txq; i++)
		write_status(dev, dev_txq_desc_pa(dev, i), &st->txq[i].stopped,
			&st->txq[i].error);
	for (i = 0; i < st->cfg.nb_rxq; i++)
		write_status(dev, dev_rxq_desc_pa(dev, i), &st->rxq[i].stopped,
			&st->rxq[i].error);
}

#define NB_STATS (sizeof(struct vmxnet3_tx_stats) / sizeof(uint64_t))
static_assert(sizeof(struct vmxnet3_rx_stats) == sizeof(struct vmxnet3_tx_stats) &&
	offsetof(struct vmxnet3_rx_queue_desc, stats) ==
		offsetof(struct vmxnet3_tx_queue_desc, stats) &&
	offsetof(struct vmxnet3_rx_queue_desc, status) ==
		offsetof(struct vmxnet3_tx_queue_desc, status), "queue descriptors");

/* The datapath counts on: each counter is read whole, the ten are not of one instant. */
static void
write_stats(struct vmxnet3_dev *dev, uint64_t desc_pa, const void *stats)
{
	const uint64_t *counter = stats;
	uint64_t copy[NB_STATS];
	unsigned int i;

	for (i = 0; i < NB_STATS; i++)
		copy[i] = __atomic_load_n(&counter[i], __ATOMIC_RELAXED);
	dev_mem_write(dev, desc_pa + offsetof(struct vmxnet3_tx_queue_desc, stats), copy,
		sizeof(copy));
}

void
dev_write_queue_stats(struct vmxnet3_dev *dev)
{
	const struct dev_state *st = dev->st;
	uint32_t i;

	for (i = 0; i < st->cfg.nb_txq; i++)
		write_stats(dev, dev_txq_desc_pa(dev, i), &st->txq[i].stats);
	for (i = 0; i < st->cfg.nb_rxq; i++)
		write_stats(dev, dev_rxq_desc_pa(dev, i), &st->rxq[i].stats);
}

/* ---- a queue that its driver broke ---- */

static void
fail_queue(struct vmxnet3_dev *dev, uint64_t desc_pa, uint32_t *stopped, uint32_t *code,
	uint32_t error, uint32_t event)
{
	struct vmxnet3_queue_status status = { .stopped = 1, .error = error };

	__atomic_store_n(code, error, __ATOMIC_RELAXED);
	__atomic_store_n(stopped, 1, __ATOMIC_RELEASE);
	dev_mem_write(dev, desc_pa + offsetof(struct vmxnet3_tx_queue_desc, status), &status,
		sizeof(status));
	dev_event(dev, event);
}

void
dev_txq_fail(struct vmxnet3_dev *dev, struct dev_txq *q, uint32_t error)
{
	uint32_t i = (uint32_t)(q - dev->txq);

	if (atomic_exchange(&q->failed, true))
		return;
	dev_log(dev, VMXNET3_LOG_WARNING,
		"transmit queue %u stopped at descriptor %u: driver broke its rules (error 0x%x)",
		i, q->st->ring.next, error);
	fail_queue(dev, dev_txq_desc_pa(dev, i), &q->st->stopped, &q->st->error, error,
		VMXNET3_ECR_TQERR);
}

void
dev_rxq_fail(struct vmxnet3_dev *dev, struct dev_rxq *q, uint32_t error)
{
	uint32_t i = (uint32_t)(q - dev->rxq);

	if (atomic_exchange(&q->failed, true))
		return;
	dev_log(dev, VMXNET3_LOG_WARNING,
		"receive queue %u stopped: driver broke its rules (error 0x%x)", i, error);
	fail_queue(dev, dev_rxq_desc_pa(dev, i), &q->st->stopped, &q->st->error, error,
		VMXNET3_ECR_RQERR);
}
