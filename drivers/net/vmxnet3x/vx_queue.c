/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_queue.h"

#include <sched.h>

#include <rte_pause.h>

#include "vx_queue_setup.h"
#include "vx_rx_fill.h"
#include "vx_rx_frame.h"
#include "vx_rx_meta.h"
#include "vx_tx_free.h"
#include "vx_vec.h"

static struct vx_rxq *
rxq_of(struct vx_dev *dev, uint16_t queue)
{
	return dev->eth_dev->data->rx_queues[queue];
}

static struct vx_txq *
txq_of(struct vx_dev *dev, uint16_t queue)
{
	return dev->eth_dev->data->tx_queues[queue];
}

/* ---- bursts in and out ---- */

/* Spins first: bursts are short, unless their thread is not running. */
static void
gate_close(struct vx_gate *g)
{
	unsigned int spins;

	for (spins = 0; !vx_gate_try(g); spins++) {
		if (spins < 1000)
			rte_pause();
		else
			sched_yield();
	}
}

static void
for_each_gate(struct vx_dev *dev, void (*what)(struct vx_gate *g))
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	uint16_t i;

	for (i = 0; i < data->nb_rx_queues; i++) {
		if (rxq_of(dev, i) != NULL)
			what(&rxq_of(dev, i)->gate);
	}
	for (i = 0; i < data->nb_tx_queues; i++) {
		if (txq_of(dev, i) != NULL)
			what(&txq_of(dev, i)->gate);
	}
}

void
vx_queues_pause(struct vx_dev *dev)
{
	for_each_gate(dev, gate_close);
	dev->paused = true;
}

void
vx_queues_resume(struct vx_dev *dev)
{
	dev->paused = false;
	for_each_gate(dev, vx_gate_leave);
}

/* ---- rings ---- */

/* Receive queues have one vector each when interrupts are wanted; what needs none shares one that stays masked. */
static uint8_t
rx_vector(const struct vx_dev *dev, uint16_t queue)
{
	if (!dev->intr)
		return VX_VECTOR_EVENT;
	return (uint8_t)VX_VECTOR_RXQ(dev->rx_intr ? queue : 0);
}

static uint8_t
tx_vector(const struct vx_dev *dev)
{
	return rx_vector(dev, dev->rx_intr ? dev->eth_dev->data->nb_rx_queues : 0);
}

static void
rx_ring_init(struct vx_rxq *q, unsigned int i, bool used)
{
	struct vx_rx_ring *r = &q->ring[i];

	memset(r->desc, 0, q->nb_desc * sizeof(*r->desc));
	r->fill = r->done = 0;
	r->mask = used ? q->nb_desc - 1 : 0;
	r->log2 = rte_log2_u32(q->nb_desc);
	r->chunk = used ? RTE_MIN(q->nb_desc / 8, VX_RX_CHUNK) : UINT32_MAX;
	r->kind = i == VX_RX_BODY ? VMXNET3_RXD_BODY : 0;
	r->doorbell = (i == VX_RX_BODY ? VMXNET3_REG_RXPROD2 : VMXNET3_REG_RXPROD) +
		q->id * VMXNET3_REG_STRIDE;
}

static void
rx_rings_init(struct vx_rxq *q, bool scattered)
{
	struct vx_dev *dev = q->dev;
	uint32_t nb_comp = scattered ? 2 * q->nb_desc : q->nb_desc;

	rx_ring_init(q, VX_RX_HEAD, true);
	rx_ring_init(q, VX_RX_BODY, scattered);
	memset((void *)(uintptr_t)q->comp, 0, nb_comp * sizeof(*q->comp));
	q->next = 0;
	q->comp_mask = nb_comp - 1;
	q->comp_log2 = rte_log2_u32(nb_comp);
	q->nb_rxq = dev->eth_dev->data->nb_rx_queues;
	q->whole = VX_RX_WHOLE(q->id);
	q->skip = false;
	q->rearm = vx_rx_rearm_of(dev->eth_dev->data->port_id);
	q->data_size = q->data_mz != NULL && dev->rev->data_desc_var ? dev->args.rx_data_size : 0;
	q->filter = dev->filter;
	q->vec = vx_vec_choose();
}

static int
rx_rings_fill(struct vx_rxq *q)
{
	unsigned int i;

	for (i = 0; i < VX_RX_RINGS; i++) {
		struct vx_rx_ring *r = &q->ring[i];

		if (r->mask == 0 || vx_rx_fill(q, r))
			continue;
		VX_LOG(ERR, q->dev, "receive queue %u: pool \"%s\" has only %u of the %u buffers that ring %u needs",
			q->id, q->pool->name, r->fill, r->mask + 1 - r->chunk, i);
		return -ENOMEM;
	}
	return 0;
}

static void
rx_desc_init(struct vx_rxq *q)
{
	const struct vx_dev *dev = q->dev;
	struct vmxnet3_rx_queue_desc *d = q->desc = &dev->rxqd[q->id];
	uint64_t at = vx_dma_of(dev, q->rings_mz);
	size_t bytes = q->nb_desc * sizeof(struct vx_entry);
	unsigned int i;

	memset(d, 0, sizeof(*d));
	for (i = 0; i < VX_RX_RINGS; i++) {
		if (q->ring[i].mask == 0)
			continue;
		d->rx_ring_pa[i] = rte_cpu_to_le_64(at + i * bytes);
		d->rx_ring_size[i] = rte_cpu_to_le_32(q->nb_desc);
	}
	d->comp_ring_pa = rte_cpu_to_le_64(at + VX_RX_RINGS * bytes);
	d->comp_ring_size = rte_cpu_to_le_32(q->comp_mask + 1);
	if (q->data_size != 0) {
		d->data_ring_pa = rte_cpu_to_le_64(vx_dma_of(dev, q->data_mz));
		d->data_ring_desc_size = rte_cpu_to_le_16(q->data_size);
	}
	d->intr_idx = rx_vector(dev, q->id);
	d->status.stopped = 1;
}

static void
tx_rings_init(struct vx_txq *q)
{
	size_t bytes = q->nb_desc * sizeof(struct vx_entry);

	memset(q->ring, 0, 2 * bytes);
	q->caps = (struct vx_tx_caps){
		.tunnels = q->dev->lim.tunnels,
		.encap = q->dev->rev->encap,
		.tso = !(q->dev->lim.disabled & VMXNET3_DISABLED_TSO),
	};
	q->next = q->sent = q->done = q->comp_next = q->odd = q->look = 0;
	q->pool = NULL;
	q->vec = vx_vec_choose();
}

static void
tx_desc_init(struct vx_txq *q)
{
	const struct vx_dev *dev = q->dev;
	struct vmxnet3_tx_queue_desc *d = q->desc = &dev->txqd[q->id];
	uint64_t at = vx_dma_of(dev, q->rings_mz);

	memset(d, 0, sizeof(*d));
	d->tx_ring_pa = rte_cpu_to_le_64(at);
	d->tx_ring_size = rte_cpu_to_le_32(q->nb_desc);
	d->comp_ring_pa = rte_cpu_to_le_64(at + q->nb_desc * sizeof(struct vx_entry));
	d->comp_ring_size = rte_cpu_to_le_32(q->nb_desc);
	d->tx_data_ring_desc_size = rte_cpu_to_le_16(dev->lim.tx_data_size);
	/* Until the device says otherwise it wants to hear of each frame. */
	d->tx_threshold = rte_cpu_to_le_32(1);
	d->intr_idx = tx_vector(dev);
	d->status.stopped = 1;
}

/* ---- all queues ---- */

/*
 * Whether frames may come in several buffers. Without need there is no second ring, for it would have half of all
 * buffers. Two tags may be in line.
 */
static int
decide_scattered(const struct vx_dev *dev, const struct vx_rxq *q, bool *scattered)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	uint64_t offloads = data->dev_conf.rxmode.offloads | q->conf.offloads;
	uint32_t frame = data->mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;

	*scattered = offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO ||
		(offloads & RTE_ETH_RX_OFFLOAD_SCATTER && frame + RTE_VLAN_HLEN > q->buf_len);
	if (*scattered || frame <= q->buf_len)
		return 0;
	VX_LOG(ERR, dev, "receive queue %u: frames of MTU %u have %u bytes, buffers of pool \"%s\" %u; "
		"enable scattered reception or use larger ones",
		q->id, data->mtu, frame, q->pool->name, q->buf_len);
	return -EINVAL;
}

static int
rx_queue_init(struct vx_dev *dev, struct vx_rxq *q)
{
	bool scattered;
	int ret;

	ret = decide_scattered(dev, q, &scattered);
	if (ret != 0)
		return ret;
	rx_rings_init(q, scattered);
	ret = rx_rings_fill(q);
	if (ret != 0)
		return ret;
	rx_desc_init(q);
	if (scattered)
		dev->eth_dev->data->scattered_rx = 1;
	return 0;
}

int
vx_queues_init(struct vx_dev *dev)
{
	struct rte_eth_dev_data *data = dev->eth_dev->data;
	uint16_t i;
	int ret;

	vx_queues_drop(dev);
	data->scattered_rx = 0;
	for (i = 0; i < data->nb_rx_queues; i++) {
		ret = rx_queue_init(dev, rxq_of(dev, i));
		if (ret != 0) {
			vx_queues_drop(dev);
			return ret;
		}
	}
	for (i = 0; i < data->nb_tx_queues; i++) {
		tx_rings_init(txq_of(dev, i));
		tx_desc_init(txq_of(dev, i));
	}
	return 0;
}

void
vx_queues_ring(struct vx_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->eth_dev->data->nb_rx_queues; i++) {
		struct vx_rxq *q = rxq_of(dev, i);

		vx_rx_doorbell(q, &q->ring[VX_RX_HEAD]);
		if (q->ring[VX_RX_BODY].mask != 0)
			vx_rx_doorbell(q, &q->ring[VX_RX_BODY]);
	}
}

void
vx_queues_drop(struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	uint16_t i;

	for (i = 0; i < data->nb_rx_queues; i++) {
		if (rxq_of(dev, i) != NULL)
			vx_rx_drop(rxq_of(dev, i));
	}
	for (i = 0; i < data->nb_tx_queues; i++) {
		if (txq_of(dev, i) != NULL)
			vx_tx_drop(txq_of(dev, i));
	}
}

void
vx_queues_set_filter(struct vx_dev *dev, const struct offload_filter *filter)
{
	bool paused = dev->paused;
	uint16_t i;

	if (!paused)
		vx_queues_pause(dev);
	dev->filter = filter;
	for (i = 0; i < dev->eth_dev->data->nb_rx_queues; i++) {
		if (rxq_of(dev, i) != NULL)
			rxq_of(dev, i)->filter = filter;
	}
	if (!paused)
		vx_queues_resume(dev);
}

/* ---- counters ---- */

/* Only a burst writes its counters, so they are not reset: what they had then is remembered. */
#define NB_COUNTERS (sizeof(struct vx_queue_stats) / sizeof(uint64_t))

static void
read_counters(const struct vx_queue_stats *now, uint64_t out[NB_COUNTERS])
{
	const uint64_t *from = (const uint64_t *)now;
	unsigned int i;

	for (i = 0; i < NB_COUNTERS; i++)
		out[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static void
counters_since(const struct vx_queue_stats *now, const struct vx_queue_stats *base,
	struct vx_queue_stats *out)
{
	const uint64_t *from = (const uint64_t *)base;
	uint64_t *to = (uint64_t *)out;
	unsigned int i;

	read_counters(now, to);
	for (i = 0; i < NB_COUNTERS; i++)
		to[i] -= from[i];
}

void
vx_rx_queue_stats(struct vx_dev *dev, uint16_t queue, struct vx_queue_stats *stats)
{
	const struct vx_rxq *q = rxq_of(dev, queue);

	*stats = (struct vx_queue_stats){ .packets = 0 };
	if (q != NULL)
		counters_since(&q->stats, &q->stats_base, stats);
}

void
vx_tx_queue_stats(struct vx_dev *dev, uint16_t queue, struct vx_queue_stats *stats)
{
	const struct vx_txq *q = txq_of(dev, queue);

	*stats = (struct vx_queue_stats){ .packets = 0 };
	if (q != NULL)
		counters_since(&q->stats, &q->stats_base, stats);
}

void
vx_queue_stats_reset(struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	uint16_t i;

	for (i = 0; i < data->nb_rx_queues; i++) {
		if (rxq_of(dev, i) != NULL)
			read_counters(&rxq_of(dev, i)->stats, (uint64_t *)&rxq_of(dev, i)->stats_base);
	}
	for (i = 0; i < data->nb_tx_queues; i++) {
		if (txq_of(dev, i) != NULL)
			read_counters(&txq_of(dev, i)->stats, (uint64_t *)&txq_of(dev, i)->stats_base);
	}
}
