/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_queue_setup.h"

#include <rte_malloc.h>

#include "vx_rx_fill.h"
#include "vx_tx_free.h"

#define MIN_BUF 128 /* the device takes no smaller HEAD */
/* Entries in use, at most, before completions are looked for when the application does not say. */
#define TX_BUSY 64

/* ---- both directions ---- */

static int
check_size(const struct vx_dev *dev, const char *direction, uint16_t queue, uint16_t nb_desc)
{
	if (rte_is_power_of_2(nb_desc) && nb_desc >= VX_MIN_RING && nb_desc <= VMXNET3_RING_MAX)
		return 0;
	VX_LOG(ERR, dev, "%s queue %u: %u descriptors; a power of two from %u to %u is allowed", direction, queue,
		nb_desc, VX_MIN_RING, VMXNET3_RING_MAX);
	return -EINVAL;
}

static int
check_start(const struct vx_dev *dev, const char *direction, uint16_t queue, bool deferred)
{
	if (!deferred)
		return 0;
	VX_LOG(ERR, dev, "%s queue %u: queues start with the port, not later", direction, queue);
	return -EINVAL;
}

static int
no_memory(const struct vx_dev *dev, const char *direction, uint16_t queue)
{
	VX_LOG(ERR, dev, "%s queue %u: no memory for its rings", direction, queue);
	return -ENOMEM;
}

static const struct rte_memzone *
reserve(struct rte_eth_dev *eth_dev, const char *name, uint16_t queue, size_t bytes, int socket)
{
	return rte_eth_dma_zone_reserve(eth_dev, name, queue, bytes, VMXNET3_RING_ALIGN, socket);
}

static uint16_t
addr_field(const struct vx_dev *dev)
{
	return dev->dma_is_va ? VX_ADDR_VA : VX_ADDR_IOVA;
}

/* ---- receive ---- */

static int
check_pool(struct vx_dev *dev, uint16_t queue, struct rte_mempool *pool)
{
	uint32_t room = rte_pktmbuf_data_room_size(pool), least = dev->args.rx_data_size;

	least = RTE_MAX(least, MIN_BUF) + RTE_PKTMBUF_HEADROOM;
	if (room < least) {
		VX_LOG(ERR, dev, "receive queue %u: buffers of pool \"%s\" have room for %u bytes; at least %u are needed",
			queue, pool->name, room, least);
		return -EINVAL;
	}
	if (dev->bus->can_reach != NULL && !dev->bus->can_reach(dev, pool))
		return -EINVAL;
	return 0;
}

struct survey {
	uint16_t field;
	uint64_t distance;
};

static void
look_at_mbuf(struct rte_mempool *pool __rte_unused, void *arg, void *obj, unsigned int i)
{
	struct survey *s = arg;
	uint64_t distance = vx_buf_dma(obj, s->field) + RTE_PKTMBUF_HEADROOM - (uintptr_t)obj;

	if (i == 0)
		s->distance = distance;
	else if (distance != s->distance)
		s->distance = VX_NO_DISTANCE;
}

/*
 * Most pools have each mbuf just before its buffer, so that refills need not look into the mbuf. An mbuf in its pool has
 * the buffer it was made with: what is true of all of them now stays so.
 */
static uint64_t
distance_of(struct rte_mempool *pool, uint16_t field)
{
	struct survey s = { .field = field, .distance = VX_NO_DISTANCE };

	rte_mempool_obj_iter(pool, look_at_mbuf, &s);
	return s.distance;
}

static int
rx_alloc(struct rte_eth_dev *eth_dev, struct vx_rxq *q, int socket)
{
	size_t bytes = q->nb_desc * sizeof(struct vx_entry);
	uint16_t data_size = q->dev->args.rx_data_size;
	unsigned int i;

	/* The completion ring is as long as both others. */
	q->rings_mz = reserve(eth_dev, "rx_rings", q->id, 2 * VX_RX_RINGS * bytes, socket);
	if (q->rings_mz == NULL)
		return -ENOMEM;
	for (i = 0; i < VX_RX_RINGS; i++) {
		q->ring[i].desc = RTE_PTR_ADD(q->rings_mz->addr, i * bytes);
		q->ring[i].chunk = UINT32_MAX;
		q->ring[i].buf = rte_zmalloc_socket("vx_rx_bufs",
			(q->nb_desc + VX_RX_AHEAD) * sizeof(struct rte_mbuf *), RTE_CACHE_LINE_SIZE, socket);
		if (q->ring[i].buf == NULL)
			return -ENOMEM;
	}
	q->comp = RTE_PTR_ADD(q->rings_mz->addr, VX_RX_RINGS * bytes);
	if (data_size == 0)
		return 0;
	q->data_mz = reserve(eth_dev, "rx_data", q->id, (size_t)data_size * q->nb_desc, socket);
	if (q->data_mz == NULL)
		return -ENOMEM;
	q->data = q->data_mz->addr;
	return 0;
}

int
vx_rx_queue_setup(struct rte_eth_dev *eth_dev, uint16_t queue, uint16_t nb_desc,
	unsigned int socket_id, const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	struct vx_rxq *q;

	if (check_size(dev, "receive", queue, nb_desc) != 0 ||
			check_start(dev, "receive", queue, conf->rx_deferred_start) != 0 ||
			check_pool(dev, queue, pool) != 0)
		return -EINVAL;
	q = rte_zmalloc_socket("vx_rxq", sizeof(*q), RTE_CACHE_LINE_SIZE, (int)socket_id);
	if (q == NULL)
		return no_memory(dev, "receive", queue);
	q->dev = dev;
	q->id = queue;
	q->nb_desc = nb_desc;
	q->pool = pool;
	q->conf = *conf;
	q->conf.rx_drop_en = 1;
	q->buf_len = (uint16_t)RTE_MIN(rte_pktmbuf_data_room_size(pool) - RTE_PKTMBUF_HEADROOM,
		VMXNET3_RXD_LEN_MASK);
	q->addr_field = addr_field(dev);
	q->distance = distance_of(pool, q->addr_field);
	q->gate.held = dev->paused;
	eth_dev->data->rx_queues[queue] = q;
	if (rx_alloc(eth_dev, q, (int)socket_id) != 0) {
		vx_rx_queue_release(eth_dev, queue);
		return no_memory(dev, "receive", queue);
	}
	return 0;
}

void
vx_rx_queue_release(struct rte_eth_dev *eth_dev, uint16_t queue)
{
	struct vx_rxq *q = eth_dev->data->rx_queues[queue];
	unsigned int i;

	if (q == NULL)
		return;
	eth_dev->data->rx_queues[queue] = NULL;
	vx_rx_drop(q);
	for (i = 0; i < VX_RX_RINGS; i++)
		rte_free(q->ring[i].buf);
	rte_memzone_free(q->rings_mz);
	rte_memzone_free(q->data_mz);
	rte_free(q);
}

/* ---- transmit ---- */

int
vx_tx_queue_setup(struct rte_eth_dev *eth_dev, uint16_t queue, uint16_t nb_desc,
	unsigned int socket_id, const struct rte_eth_txconf *conf)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	size_t bytes = nb_desc * sizeof(struct vx_entry);
	uint64_t offloads = eth_dev->data->dev_conf.txmode.offloads | conf->offloads;
	uint16_t thresh = conf->tx_free_thresh;
	struct vx_txq *q;

	if (check_size(dev, "transmit", queue, nb_desc) != 0 ||
			check_start(dev, "transmit", queue, conf->tx_deferred_start) != 0)
		return -EINVAL;
	q = rte_zmalloc_socket("vx_txq", sizeof(*q), RTE_CACHE_LINE_SIZE, (int)socket_id);
	if (q == NULL)
		return no_memory(dev, "transmit", queue);
	q->dev = dev;
	q->id = queue;
	q->nb_desc = nb_desc;
	q->conf = *conf;
	q->mask = nb_desc - 1;
	q->log2 = rte_log2_u32(nb_desc);
	q->addr_field = addr_field(dev);
	q->span = nb_desc / 4;
	q->busy = thresh != 0 && thresh < nb_desc ? (uint32_t)(nb_desc - thresh) :
		RTE_MIN(nb_desc / 4, TX_BUSY);
	q->fast_free = offloads & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	q->gate.held = dev->paused;
	eth_dev->data->tx_queues[queue] = q;
	q->rings_mz = reserve(eth_dev, "tx_rings", queue, 2 * bytes, (int)socket_id);
	q->buf = rte_zmalloc_socket("vx_tx_bufs", nb_desc * sizeof(*q->buf), RTE_CACHE_LINE_SIZE,
		(int)socket_id);
	if (q->rings_mz == NULL || q->buf == NULL) {
		vx_tx_queue_release(eth_dev, queue);
		return no_memory(dev, "transmit", queue);
	}
	q->ring = q->rings_mz->addr;
	q->comp = q->ring + nb_desc;
	return 0;
}

void
vx_tx_queue_release(struct rte_eth_dev *eth_dev, uint16_t queue)
{
	struct vx_txq *q = eth_dev->data->tx_queues[queue];

	if (q == NULL)
		return;
	eth_dev->data->tx_queues[queue] = NULL;
	vx_tx_drop(q);
	rte_free(q->buf);
	rte_memzone_free(q->rings_mz);
	rte_free(q);
}
