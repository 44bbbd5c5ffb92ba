/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_stats.h"

#include <stdio.h>
#include <string.h>

#include <rte_malloc.h>

#include "vx_cmd.h"
#include "vx_queue.h"

/* Both directions have ten counters of 64 bits. */
#define NB_DEV_COUNTERS 10

static_assert(sizeof(struct vmxnet3_tx_stats) == NB_DEV_COUNTERS * 8 &&
	sizeof(struct vmxnet3_rx_stats) == NB_DEV_COUNTERS * 8, "counters of a device");

struct dev_counters {
	uint64_t v[NB_DEV_COUNTERS];
};

struct vx_stats_base {
	struct {
		struct dev_counters tx[VX_MAX_QUEUES], rx[VX_MAX_QUEUES];
	} kept, reset;
};

/* A counter of a queue: where it is, in the device's or in the driver's. */
struct counter {
	const char *name;
	size_t offset;
};

#define TX(field) offsetof(struct vmxnet3_tx_stats, field)
#define RX(field) offsetof(struct vmxnet3_rx_stats, field)
#define QUEUE(field) offsetof(struct vx_queue_stats, field)

static const struct counter rx_device[] = {
	{ "lro_packets", RX(lro_pkts) },
	{ "lro_bytes", RX(lro_bytes) },
	{ "unicast_packets", RX(ucast_pkts) },
	{ "unicast_bytes", RX(ucast_bytes) },
	{ "multicast_packets", RX(mcast_pkts) },
	{ "multicast_bytes", RX(mcast_bytes) },
	{ "broadcast_packets", RX(bcast_pkts) },
	{ "broadcast_bytes", RX(bcast_bytes) },
	{ "out_of_buffers", RX(out_of_buf_pkts) },
	{ "device_errors", RX(error_pkts) },
};

static const struct counter tx_device[] = {
	{ "tso_packets", TX(tso_pkts) },
	{ "tso_bytes", TX(tso_bytes) },
	{ "unicast_packets", TX(ucast_pkts) },
	{ "unicast_bytes", TX(ucast_bytes) },
	{ "multicast_packets", TX(mcast_pkts) },
	{ "multicast_bytes", TX(mcast_bytes) },
	{ "broadcast_packets", TX(bcast_pkts) },
	{ "broadcast_bytes", TX(bcast_bytes) },
	{ "device_errors", TX(error_pkts) },
	{ "device_discards", TX(discard_pkts) },
};

static const struct counter rx_driver[] = {
	{ "packets", QUEUE(packets) },
	{ "bytes", QUEUE(bytes) },
	{ "errors", QUEUE(errors) },
	{ "no_mbuf", QUEUE(no_mbuf) },
	{ "bad_completions", QUEUE(bad_completions) },
	{ "filtered", QUEUE(filtered) },
};

static const struct counter tx_driver[] = {
	{ "packets", QUEUE(packets) },
	{ "bytes", QUEUE(bytes) },
	{ "errors", QUEUE(errors) },
	{ "bad_completions", QUEUE(bad_completions) },
	{ "ring_full", QUEUE(ring_full) },
};

int
vx_stats_init(struct vx_dev *dev)
{
	dev->stats_base = rte_zmalloc("vx_stats", sizeof(*dev->stats_base), 0);
	return dev->stats_base == NULL ? -ENOMEM : 0;
}

void
vx_stats_free(struct vx_dev *dev)
{
	rte_free(dev->stats_base);
	dev->stats_base = NULL;
}

/* ---- the device's ---- */

/* Counters that the device is writing. */
static void
add(struct dev_counters *sum, const void *stats)
{
	const volatile uint64_t *now = stats;
	unsigned int i;

	for (i = 0; i < NB_DEV_COUNTERS; i++)
		sum->v[i] += rte_le_to_cpu_64(now[i]);
}

static void
subtract(struct dev_counters *sum, const struct dev_counters *what)
{
	unsigned int i;

	for (i = 0; i < NB_DEV_COUNTERS; i++)
		sum->v[i] -= what->v[i];
}

/* All that was ever counted for a queue. */
static void
tx_total(const struct vx_dev *dev, unsigned int queue, struct dev_counters *total)
{
	*total = dev->stats_base->kept.tx[queue];
	if (dev->active && queue < dev->eth_dev->data->nb_tx_queues)
		add(total, &dev->txqd[queue].stats);
}

static void
rx_total(const struct vx_dev *dev, unsigned int queue, struct dev_counters *total)
{
	*total = dev->stats_base->kept.rx[queue];
	if (dev->active && queue < dev->eth_dev->data->nb_rx_queues)
		add(total, &dev->rxqd[queue].stats);
}

static void
tx_since_reset(const struct vx_dev *dev, unsigned int queue, struct dev_counters *counters)
{
	tx_total(dev, queue, counters);
	subtract(counters, &dev->stats_base->reset.tx[queue]);
}

static void
rx_since_reset(const struct vx_dev *dev, unsigned int queue, struct dev_counters *counters)
{
	rx_total(dev, queue, counters);
	subtract(counters, &dev->stats_base->reset.rx[queue]);
}

/* Has the device write its counters. */
static void
refresh(struct vx_dev *dev)
{
	if (dev->active)
		vx_cmd_get(dev, VMXNET3_CMD_GET_STATS);
}

void
vx_stats_keep(struct vx_dev *dev)
{
	unsigned int i;

	refresh(dev);
	for (i = 0; i < VX_MAX_QUEUES; i++) {
		tx_total(dev, i, &dev->stats_base->kept.tx[i]);
		rx_total(dev, i, &dev->stats_base->kept.rx[i]);
	}
}

static uint64_t
value(const void *counters, const struct counter *c)
{
	return *(const uint64_t *)((const uint8_t *)counters + c->offset);
}

static uint64_t
device_value(const struct dev_counters *counters, size_t offset)
{
	return counters->v[offset / sizeof(uint64_t)];
}

/* ---- statistics of the port ---- */

static void
add_rx_queue(struct vx_dev *dev, unsigned int queue, struct rte_eth_stats *stats,
	struct pmd_queue_stats *queues)
{
	struct dev_counters device;
	struct vx_queue_stats own;

	rx_since_reset(dev, queue, &device);
	vx_rx_queue_stats(dev, queue, &own);
	stats->ipackets += own.packets;
	stats->ibytes += own.bytes;
	stats->imissed += device_value(&device, RX(out_of_buf_pkts));
	stats->ierrors += own.errors + device_value(&device, RX(error_pkts));
	stats->rx_nombuf += own.no_mbuf;
	if (queues != NULL && queue < RTE_ETHDEV_QUEUE_STAT_CNTRS) {
		queues->q_ipackets[queue] = own.packets;
		queues->q_ibytes[queue] = own.bytes;
		queues->q_errors[queue] = own.errors;
	}
}

/* What the device discards on its way is no error of the port: only xstats show it. */
static void
add_tx_queue(struct vx_dev *dev, unsigned int queue, struct rte_eth_stats *stats,
	struct pmd_queue_stats *queues)
{
	struct dev_counters device;
	struct vx_queue_stats own;

	tx_since_reset(dev, queue, &device);
	vx_tx_queue_stats(dev, queue, &own);
	stats->opackets += own.packets;
	stats->obytes += own.bytes;
	stats->oerrors += own.errors + device_value(&device, TX(error_pkts));
	if (queues != NULL && queue < RTE_ETHDEV_QUEUE_STAT_CNTRS) {
		queues->q_opackets[queue] = own.packets;
		queues->q_obytes[queue] = own.bytes;
	}
}

int
PMD_STATS_GET(vx_stats_get)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	unsigned int i;

	vx_lock(dev);
	refresh(dev);
	for (i = 0; i < eth_dev->data->nb_rx_queues; i++)
		add_rx_queue(dev, i, stats, PMD_STATS_QUEUES);
	for (i = 0; i < eth_dev->data->nb_tx_queues; i++)
		add_tx_queue(dev, i, stats, PMD_STATS_QUEUES);
	vx_unlock(dev);
	return 0;
}

int
vx_stats_reset(struct rte_eth_dev *eth_dev)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	unsigned int i;

	vx_lock(dev);
	refresh(dev);
	for (i = 0; i < VX_MAX_QUEUES; i++) {
		tx_total(dev, i, &dev->stats_base->reset.tx[i]);
		rx_total(dev, i, &dev->stats_base->reset.rx[i]);
	}
	vx_queue_stats_reset(dev);
	vx_unlock(dev);
	return 0;
}

/* ---- all of them by name ---- */

#define NB_RX_XSTATS (RTE_DIM(rx_driver) + RTE_DIM(rx_device))
#define NB_TX_XSTATS (RTE_DIM(tx_driver) + RTE_DIM(tx_device))

static unsigned int
nb_xstats(const struct rte_eth_dev *eth_dev)
{
	return eth_dev->data->nb_rx_queues * NB_RX_XSTATS +
		eth_dev->data->nb_tx_queues * NB_TX_XSTATS;
}

static struct rte_eth_xstat *
put_values(struct rte_eth_xstat *to, const void *counters, const struct counter *c, size_t nb)
{
	for (; nb > 0; nb--, c++)
		(to++)->value = value(counters, c);
	return to;
}

int
vx_xstats_get(struct rte_eth_dev *eth_dev, struct rte_eth_xstat *xstats, unsigned int n)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	unsigned int nb = nb_xstats(eth_dev), i;
	struct dev_counters device;
	struct vx_queue_stats own;

	if (xstats == NULL || n < nb)
		return nb;
	for (i = 0; i < nb; i++)
		xstats[i].id = i;
	vx_lock(dev);
	refresh(dev);
	for (i = 0; i < eth_dev->data->nb_rx_queues; i++) {
		vx_rx_queue_stats(dev, i, &own);
		rx_since_reset(dev, i, &device);
		xstats = put_values(xstats, &own, rx_driver, RTE_DIM(rx_driver));
		xstats = put_values(xstats, &device, rx_device, RTE_DIM(rx_device));
	}
	for (i = 0; i < eth_dev->data->nb_tx_queues; i++) {
		vx_tx_queue_stats(dev, i, &own);
		tx_since_reset(dev, i, &device);
		xstats = put_values(xstats, &own, tx_driver, RTE_DIM(tx_driver));
		xstats = put_values(xstats, &device, tx_device, RTE_DIM(tx_device));
	}
	vx_unlock(dev);
	return nb;
}

static struct rte_eth_xstat_name *
put_names(struct rte_eth_xstat_name *to, const char *direction, unsigned int queue,
	const struct counter *c, size_t nb)
{
	for (; nb > 0; nb--, c++, to++)
		snprintf(to->name, sizeof(to->name), "%s_q%u_%s", direction, queue, c->name);
	return to;
}

int
vx_xstats_get_names(struct rte_eth_dev *eth_dev, struct rte_eth_xstat_name *names, unsigned int n)
{
	unsigned int nb = nb_xstats(eth_dev), i;

	if (names == NULL || n < nb)
		return nb;
	for (i = 0; i < eth_dev->data->nb_rx_queues; i++) {
		names = put_names(names, "rx", i, rx_driver, RTE_DIM(rx_driver));
		names = put_names(names, "rx", i, rx_device, RTE_DIM(rx_device));
	}
	for (i = 0; i < eth_dev->data->nb_tx_queues; i++) {
		names = put_names(names, "tx", i, tx_driver, RTE_DIM(tx_driver));
		names = put_names(names, "tx", i, tx_device, RTE_DIM(tx_device));
	}
	return nb;
}
