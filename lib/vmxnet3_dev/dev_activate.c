/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a driver's shared area to running queues and back. Whatever the guest wrote is copied once,
 * checked, and used from the copy. Nothing is allocated here: a guest may activate as often as it
 * likes.
 */
#include "dev_activate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "dev_intr.h"
#include "dev_load.h"
#include "dev_mem.h"
#include "dev_pci.h"
#include "dev_queue.h"

/* A driver rings for every packet, or (the rings are polled anyway) practically never. */
#define TX_THRESHOLD_EACH  1u
#define TX_THRESHOLD_NEVER 0x7fffffffu

/* DriverShared as far as it may be read at any time: drivers fill cmdInfo only for a command. */
#define SHARED_SNAPSHOT_BYTES offsetof(struct vmxnet3_shared, cmd_info)

#define NOT_SHARED_HINT "guest RAM is not shared: give QEMU memory-backend-memfd,share=on"

static bool __attribute__((format(printf, 2, 3)))
refuse(struct vmxnet3_dev *dev, const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	dev_log(dev, VMXNET3_LOG_WARNING, "activation refused: %s", why);
	return false;
}

bool
dev_shared_read(struct vmxnet3_dev *dev, struct vmxnet3_shared *shared)
{
	memset(shared, 0, sizeof(*shared));
	return dev_dma_allowed(dev) &&
		dev_mem_read(dev, dev->st->shared_pa, shared, SHARED_SNAPSHOT_BYTES);
}

/* A 32-bit word in guest memory. @return NULL: not mapped for @p prot, or not aligned. */
static uint8_t *
guest_word(struct vmxnet3_dev *dev, uint64_t iova, uint32_t prot)
{
	struct vfu_dma_range range;
	uint64_t at;

	if (iova % 4 != 0 || !vfu_dma_lookup(dev->dma, iova, &range))
		return NULL;
	at = iova - range.iova;
	if ((range.prot & prot) != prot || range.len < 4 || at > range.len - 4)
		return NULL;
	return range.host + at;
}

static _Atomic(uint32_t) *
guest_ctrl(struct vmxnet3_dev *dev)
{
	return (_Atomic(uint32_t) *)guest_word(dev,
		dev->st->shared_pa + dev->st->cfg.intr_ctrl_offset, VFU_DMA_READ);
}

static _Atomic(uint32_t) *
guest_ecr(struct vmxnet3_dev *dev)
{
	return (_Atomic(uint32_t) *)guest_word(dev,
		dev->st->shared_pa + offsetof(struct vmxnet3_shared, ecr),
		VFU_DMA_READ | VFU_DMA_WRITE);
}

/* ---- rings in host pointers ---- */

static bool
map_ring(struct vmxnet3_dev *dev, struct dev_ring *ring, uint32_t prot)
{
	return ring->pos->size == 0 || dev_ring_map(dev, ring, prot);
}

static bool
ring_moved(struct vmxnet3_dev *dev, const struct dev_ring *ring, uint32_t prot)
{
	struct dev_ring now = { .pos = ring->pos };

	if (ring->pos->size == 0)
		return false;
	dev_ring_map(dev, &now, prot);
	return memcmp(now.page, ring->page, sizeof(now.page)) != 0;
}

/* No thread is inside this queue. */
static bool
map_txq(struct vmxnet3_dev *dev, uint32_t i)
{
	struct dev_txq *q = &dev->txq[i];
	bool there = map_ring(dev, &q->ring, VFU_DMA_READ);

	there &= map_ring(dev, &q->comp, VFU_DMA_WRITE);
	if (there)
		dev_txq_find_next(q);
	q->deferred = guest_word(dev, dev_txq_desc_pa(dev, i), VFU_DMA_WRITE);
	atomic_store_explicit(&q->ready, there, memory_order_release);
	return there;
}

static bool
map_rxq(struct vmxnet3_dev *dev, uint32_t i)
{
	struct dev_rxq *q = &dev->rxq[i];
	bool there = map_ring(dev, &q->ring[0], VFU_DMA_READ);

	there &= map_ring(dev, &q->ring[1], VFU_DMA_READ);
	there &= map_ring(dev, &q->comp, VFU_DMA_WRITE);
	atomic_store_explicit(&q->ready, there, memory_order_release);
	return there;
}

static bool
txq_moved(struct vmxnet3_dev *dev, uint32_t i)
{
	struct dev_txq *q = &dev->txq[i];

	return ring_moved(dev, &q->ring, VFU_DMA_READ) ||
		ring_moved(dev, &q->comp, VFU_DMA_WRITE) ||
		q->deferred != guest_word(dev, dev_txq_desc_pa(dev, i), VFU_DMA_WRITE);
}

static bool
rxq_moved(struct vmxnet3_dev *dev, uint32_t i)
{
	struct dev_rxq *q = &dev->rxq[i];

	return ring_moved(dev, &q->ring[0], VFU_DMA_READ) ||
		ring_moved(dev, &q->ring[1], VFU_DMA_READ) ||
		ring_moved(dev, &q->comp, VFU_DMA_WRITE);
}

void
dev_rings_remap(struct vmxnet3_dev *dev)
{
	const struct dev_config *cfg = &dev->st->cfg;
	uint32_t tx = 0, rx = 0, i; /* bit per queue that has moved */
	_Atomic(uint32_t) *ctrl, *ecr;
	bool wait;

	if (!dev->st->active)
		return;
	ctrl = guest_ctrl(dev);
	ecr = guest_ecr(dev);
	wait = atomic_exchange(&dev->intr.ctrl, ctrl) != ctrl;
	wait |= atomic_exchange(&dev->intr.ecr, ecr) != ecr;
	for (i = 0; i < cfg->nb_txq; i++) {
		if (!txq_moved(dev, i))
			continue;
		atomic_store(&dev->txq[i].ready, false);
		tx |= 1u << i;
	}
	for (i = 0; i < cfg->nb_rxq; i++) {
		if (!rxq_moved(dev, i))
			continue;
		atomic_store(&dev->rxq[i].ready, false);
		rx |= 1u << i;
	}
	if (!wait && (tx | rx) == 0)
		return;
	dev_wait_datapath(dev);
	for (i = 0; i < cfg->nb_txq; i++) {
		if (tx & 1u << i)
			map_txq(dev, i);
	}
	for (i = 0; i < cfg->nb_rxq; i++) {
		if (rx & 1u << i)
			map_rxq(dev, i);
	}
	dev_wake(dev);
}

void
dev_dma_sync(struct vmxnet3_dev *dev)
{
	uint64_t generation;

	dev_lock(dev);
	if (dev->attached) {
		generation = vfu_dma_generation(dev->dma);
		if (generation != dev->rings_generation) {
			dev->rings_generation = generation;
			dev_rings_remap(dev);
		}
	}
	dev_unlock(dev);
}

/* ---- stop and go ---- */

static void
withdraw(struct vmxnet3_dev *dev)
{
	atomic_store(&dev->intr.enabled, false);
	atomic_store(&dev->nb_txq, 0);
	atomic_store(&dev->nb_rxq, 0);
	dev_wait_datapath(dev);
}

static void
forget_rings(struct vmxnet3_dev *dev)
{
	uint32_t i;

	for (i = 0; i < VMXNET3_MAX_TX_QUEUES; i++) {
		atomic_store(&dev->txq[i].ready, false);
		dev->txq[i].deferred = NULL;
	}
	for (i = 0; i < VMXNET3_MAX_RX_QUEUES; i++)
		atomic_store(&dev->rxq[i].ready, false);
	atomic_store(&dev->intr.ctrl, NULL);
	atomic_store(&dev->intr.ecr, NULL);
}

void
dev_run_update(struct vmxnet3_dev *dev)
{
	bool run = dev->st->active && dev_dma_allowed(dev);

	if (run == (atomic_load(&dev->nb_txq) != 0))
		return;
	if (run) {
		atomic_store(&dev->nb_rxq, dev->st->cfg.nb_rxq);
		atomic_store(&dev->nb_txq, dev->st->cfg.nb_txq);
		atomic_store(&dev->intr.enabled, true);
	} else {
		withdraw(dev);
	}
	dev->changed = true;
}

void
dev_quiesce(struct vmxnet3_dev *dev)
{
	struct dev_state *st = dev->st;

	if (!st->active)
		return;
	withdraw(dev);
	if (dev_dma_allowed(dev)) {
		dev_write_queue_status(dev);
		dev_write_queue_stats(dev);
	}
	forget_rings(dev);
	dev_intr_stop(dev);
	st->active = 0;
	st->cfg.nb_txq = 0;
	st->cfg.nb_rxq = 0;
	if (st->shared_valid)
		st->shared_pa = (uint64_t)st->dsah << 32 | st->dsal;
	dev->changed = true;
	dev_log(dev, VMXNET3_LOG_INFO, "driver stopped");
}

/* ---- ACTIVATE_DEV ---- */

/* @return what is wrong with a ring, or NULL. */
static const char *
set_ring(struct dev_ring_pos *pos, uint64_t pa, uint32_t size, uint32_t max)
{
	memset(pos, 0, sizeof(*pos));
	if (size == 0 || size > max)
		return "size out of range";
	if (pa % VMXNET3_RING_ALIGN != 0)
		return "address not aligned to 512";
	pos->pa = pa;
	pos->size = size;
	pos->gen = 1;
	return NULL;
}

static bool
load_txq(struct vmxnet3_dev *dev, uint32_t i)
{
	struct dev_txq *q = &dev->txq[i];
	struct vmxnet3_tx_queue_desc desc;
	const char *fault;

	if (!dev_mem_read(dev, dev_txq_desc_pa(dev, i), &desc, sizeof(desc)))
		return refuse(dev, "descriptor of transmit queue %u is not in guest memory", i);
	memset(q->st, 0, sizeof(*q->st));
	fault = set_ring(&q->st->ring, desc.tx_ring_pa, desc.tx_ring_size, VMXNET3_RING_MAX);
	if (fault != NULL)
		return refuse(dev, "ring of transmit queue %u: %s", i, fault);
	fault = set_ring(&q->st->comp, desc.comp_ring_pa, desc.comp_ring_size, VMXNET3_RING_MAX);
	if (fault != NULL)
		return refuse(dev, "completion ring of transmit queue %u: %s", i, fault);
	q->st->intr_idx = desc.intr_idx;
	q->noeop_since = 0;
	atomic_store(&q->failed, false);
	if (!map_txq(dev, i))
		return refuse(dev, "a ring of transmit queue %u is not in guest memory", i);
	return true;
}

static void
load_rx_data_ring(struct vmxnet3_dev *dev, struct dev_rxq_state *st,
	const struct vmxnet3_rx_queue_desc *desc)
{
	uint32_t size = desc->data_ring_desc_size;

	if (!dev->rev->data_desc_var || desc->data_ring_pa == 0 || size == 0 || size % 64 != 0 ||
		size > VMXNET3_DATA_DESC_MAX)
		return;
	st->data_pa = desc->data_ring_pa;
	st->data_desc_size = size;
}

static bool
load_rxq(struct vmxnet3_dev *dev, uint32_t i)
{
	struct dev_rxq *q = &dev->rxq[i];
	struct vmxnet3_rx_queue_desc desc;
	const char *fault;

	if (!dev_mem_read(dev, dev_rxq_desc_pa(dev, i), &desc, sizeof(desc)))
		return refuse(dev, "descriptor of receive queue %u is not in guest memory", i);
	memset(q->st, 0, sizeof(*q->st));
	fault = set_ring(&q->st->ring[0], desc.rx_ring_pa[0], desc.rx_ring_size[0],
		VMXNET3_RING_MAX);
	/* Small drivers have no second ring. */
	if (fault == NULL && desc.rx_ring_size[1] != 0)
		fault = set_ring(&q->st->ring[1], desc.rx_ring_pa[1], desc.rx_ring_size[1],
			VMXNET3_RING_MAX);
	if (fault != NULL)
		return refuse(dev, "ring of receive queue %u: %s", i, fault);
	fault = set_ring(&q->st->comp, desc.comp_ring_pa, desc.comp_ring_size,
		VMXNET3_RX_COMP_RING_MAX);
	if (fault != NULL)
		return refuse(dev, "completion ring of receive queue %u: %s", i, fault);
	load_rx_data_ring(dev, q->st, &desc);
	q->st->intr_idx = desc.intr_idx;
	atomic_store(&q->failed, false);
	if (!map_rxq(dev, i))
		return refuse(dev, "a ring of receive queue %u is not in guest memory", i);
	return true;
}

/* What the device writes into each queue descriptor when it starts. */
static bool
greet_queues(struct vmxnet3_dev *dev)
{
	const struct dev_config *cfg = &dev->st->cfg;
	uint32_t threshold = dev->conf.doorbell == VMXNET3_DOORBELL_MESSAGE ? TX_THRESHOLD_EACH
									    : TX_THRESHOLD_NEVER;
	/*
	 * Linux bypasses GRO for a device that aggregates and wants no RXPROD; the write is free.
	 */
	uint8_t update_rx_prod = 1;
	uint32_t i;

	for (i = 0; i < cfg->nb_txq; i++) {
		if (!dev_mem_write(dev, dev_txq_desc_pa(dev, i) +
				offsetof(struct vmxnet3_tx_queue_desc, tx_threshold),
			    &threshold, sizeof(threshold)))
			return refuse(dev, "descriptor of transmit queue %u cannot be written", i);
	}
	for (i = 0; i < cfg->nb_rxq; i++) {
		if (!dev_mem_write(dev, dev_rxq_desc_pa(dev, i) +
				offsetof(struct vmxnet3_rx_queue_desc, update_rx_prod),
			    &update_rx_prod, sizeof(update_rx_prod)))
			return refuse(dev, "descriptor of receive queue %u cannot be written", i);
	}
	dev_write_queue_status(dev);
	return true;
}

static bool
load_queues(struct vmxnet3_dev *dev, const struct vmxnet3_misc_conf *misc)
{
	struct dev_config *cfg = &dev->st->cfg;
	uint32_t max_tx = RTE_MIN(dev->conf.max_tx_queues, dev->rev->max_tx_queues);
	uint32_t max_rx = RTE_MIN(dev->conf.max_rx_queues, dev->rev->max_rx_queues);
	uint32_t nb_tx = misc->num_tx_queues, nb_rx = misc->num_rx_queues, i;

	if (nb_tx < 1 || nb_tx > max_tx || nb_rx < 1 || nb_rx > max_rx)
		return refuse(dev,
			"%u transmit and %u receive queues, 1 to %u and 1 to %u are possible",
			nb_tx, nb_rx, max_tx, max_rx);
	if (misc->queue_desc_pa % VMXNET3_QUEUE_DESC_ALIGN != 0)
		return refuse(dev, "queue descriptors are not aligned to 128");
	if (misc->queue_desc_len < DEV_QUEUE_DESC_BYTES * (nb_tx + nb_rx))
		return refuse(dev, "%u bytes of queue descriptors for %u queues",
			misc->queue_desc_len, nb_tx + nb_rx);
	cfg->queue_desc_pa = misc->queue_desc_pa;
	cfg->nb_txq = nb_tx;
	cfg->nb_rxq = nb_rx;
	for (i = 0; i < nb_tx; i++) {
		if (!load_txq(dev, i))
			return false;
	}
	for (i = 0; i < nb_rx; i++) {
		if (!load_rxq(dev, i))
			return false;
	}
	return greet_queues(dev);
}

/* The extended area exists only under the condition that drivers have for writing it. */
static bool
load_intr_conf(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared)
{
	struct dev_config *cfg = &dev->st->cfg;
	struct vmxnet3_intr_conf_ext ext;

	if (!dev->rev->intr_ext || (cfg->nb_txq <= VMXNET3_MAX_TX_QUEUES_V1 &&
					   cfg->nb_rxq <= VMXNET3_MAX_RX_QUEUES_V1)) {
		cfg->auto_mask = shared->intr.auto_mask != 0;
		cfg->nb_intrs = shared->intr.num_intrs;
		cfg->event_intr_idx = shared->intr.event_intr_idx;
		cfg->intr_ctrl_offset = offsetof(struct vmxnet3_shared, intr.intr_ctrl);
	} else {
		if (!dev_mem_read(dev,
			    dev->st->shared_pa + offsetof(struct vmxnet3_shared, intr_ext), &ext,
			    sizeof(ext)))
			return refuse(dev, "the extended interrupt area is not in guest memory");
		cfg->auto_mask = ext.auto_mask != 0;
		cfg->nb_intrs = ext.num_intrs;
		cfg->event_intr_idx = ext.event_intr_idx;
		cfg->intr_ctrl_offset = offsetof(struct vmxnet3_shared, intr_ext.intr_ctrl);
	}
	atomic_store(&dev->intr.ctrl, guest_ctrl(dev));
	atomic_store(&dev->intr.ecr, guest_ecr(dev));
	if (atomic_load(&dev->intr.ctrl) == NULL || atomic_load(&dev->intr.ecr) == NULL)
		return refuse(dev, "the shared area is not aligned, or not writable");
	return true;
}

/*
 * The first look at what the driver gave. A wrong magic number is a virtual machine set up wrongly.
 */
static bool
take_shared(struct vmxnet3_dev *dev, struct vmxnet3_shared *shared)
{
	struct dev_state *st = dev->st;

	if (!dev_dma_allowed(dev))
		return refuse(dev, "no machine, or bus master is off");
	if (!st->shared_valid)
		return refuse(dev, "the driver gave no address of its shared area");
	st->shared_pa = (uint64_t)st->dsah << 32 | st->dsal;
	if (!dev_shared_read(dev, shared))
		return refuse(dev, "no memory at 0x%llx, where the driver's shared area is said to "
			"be; if no card of this machine works: " NOT_SHARED_HINT,
			(unsigned long long)st->shared_pa);
	if (shared->magic != VMXNET3_MAGIC)
		return refuse(dev,
			NOT_SHARED_HINT " (0x%x instead of the driver's magic number at 0x%llx)",
			shared->magic, (unsigned long long)st->shared_pa);
	return true;
}

static bool
load(struct vmxnet3_dev *dev)
{
	struct dev_config *cfg = &dev->st->cfg;
	struct vmxnet3_shared shared;
	uint32_t max_mtu;

	memset(cfg, 0, sizeof(*cfg));
	if (!take_shared(dev, &shared) || !load_queues(dev, &shared.misc) ||
		!load_intr_conf(dev, &shared))
		return false;
	max_mtu = RTE_MIN(dev->conf.mtu, dev->rev->max_mtu);
	cfg->mtu = RTE_MAX(RTE_MIN(shared.misc.mtu, max_mtu), (uint32_t)VMXNET3_MTU_MIN);
	cfg->max_num_rx_sg = shared.misc.max_num_rx_sg;
	cfg->driver_version = shared.misc.driver_version;
	cfg->gos = shared.misc.gos;
	dev_load_features(dev, &shared);
	dev_load_rx_mode(dev, &shared);
	dev_load_mac_filters(dev, &shared);
	dev_load_vlan_filters(dev, &shared);
	dev_filter_publish(dev);
	return true;
}

uint32_t
dev_activate(struct vmxnet3_dev *dev)
{
	struct dev_state *st = dev->st;

	dev_quiesce(dev);
	if (!load(dev)) {
		forget_rings(dev);
		memset(&st->cfg, 0, sizeof(st->cfg));
		return 1;
	}
	dev_intr_stop(dev);
	dev_moderation_set(dev);
	dev->rings_generation = vfu_dma_generation(dev->dma);
	st->active = 1;
	dev->activations++;
	dev->changed = true;
	dev_run_update(dev);
	dev_log(dev, VMXNET3_LOG_INFO,
		"driver active: revision %u, %u transmit and %u receive queues, MTU %u",
		st->revision != 0 ? st->revision : 1, st->cfg.nb_txq, st->cfg.nb_rxq, st->cfg.mtu);
	return 0;
}
