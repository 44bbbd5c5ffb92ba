/* SPDX-License-Identifier: BSD-3-Clause */
#include "vh_stats.h"

#include <stddef.h>
#include <stdio.h>

static const char *const rx_names[] = {
#define X(symbol, name, text) name,
	VH_RX_COUNTS(X)
#undef X
#define X(symbol, name, text) "drop_" name,
	VH_RX_DROPS(X)
#undef X
};

static const char *const tx_names[] = {
#define X(symbol, name, text) name,
	VH_TX_COUNTS(X)
#undef X
#define X(symbol, name, text) "drop_" name,
	VH_TX_DROPS(X)
#undef X
};

/* What the device counts, in the guest's words: its tx is our rx. */
static const struct {
	const char *name;
	size_t at;
} device_names[] = {
#define FIELD(name) { "guest_" #name, offsetof(struct vmxnet3_dev_stats, name) }
	FIELD(tx_frames), FIELD(tx_bytes), FIELD(tx_tso),
	FIELD(rx_frames), FIELD(rx_bytes), FIELD(rx_lro),
	FIELD(interrupts), FIELD(interrupts_held),
#undef FIELD
#define X(symbol, name, text) { "guest_drop_" name, \
	offsetof(struct vmxnet3_dev_stats, drops) + VMXNET3_DROP_##symbol * sizeof(uint64_t) },
	VMXNET3_DROPS(X)
#undef X
};

static uint64_t
rx_count(const struct vh_rxq *q, unsigned int i)
{
	return vh_count_read(&q->count[i]) - q->base[i];
}

static uint64_t
tx_count(const struct vh_txq *q, unsigned int i)
{
	return vh_count_read(&q->count[i]) - q->base[i];
}

static uint64_t
field(const struct vmxnet3_dev_stats *stats, size_t at)
{
	return *(const uint64_t *)((const char *)stats + at);
}

/* ---- basic ---- */

static void
add_rxq(const struct vh_rxq *q, struct rte_eth_stats *s, struct pmd_queue_stats *queues)
{
	uint64_t dropped = 0;

	s->ipackets += rx_count(q, VH_RX_PACKETS);
	s->ibytes += rx_count(q, VH_RX_BYTES);
	s->rx_nombuf += rx_count(q, VH_RX_ALLOC_FAILED);
	s->imissed += rx_count(q, VH_RX_NO_MBUF) + rx_count(q, VH_RX_TOO_MANY) +
		rx_count(q, VH_RX_STOPPED);
	dropped = rx_count(q, VH_RX_NO_ROOM) + rx_count(q, VH_RX_TOO_LONG) +
		rx_count(q, VH_RX_BAD_OFFLOAD);
	s->ierrors += dropped;
	if (queues == NULL || q->id >= RTE_ETHDEV_QUEUE_STAT_CNTRS)
		return;
	queues->q_ipackets[q->id] = rx_count(q, VH_RX_PACKETS);
	queues->q_ibytes[q->id] = rx_count(q, VH_RX_BYTES);
	queues->q_errors[q->id] = dropped;
}

static void
add_txq(const struct vh_txq *q, struct rte_eth_stats *s, struct pmd_queue_stats *queues)
{
	s->opackets += tx_count(q, VH_TX_PACKETS);
	s->obytes += tx_count(q, VH_TX_BYTES);
	s->oerrors += tx_count(q, VH_TX_BAD_MBUF) + tx_count(q, VH_TX_BAD_OFFLOAD);
	if (queues == NULL || q->id >= RTE_ETHDEV_QUEUE_STAT_CNTRS)
		return;
	queues->q_opackets[q->id] = tx_count(q, VH_TX_PACKETS);
	queues->q_obytes[q->id] = tx_count(q, VH_TX_BYTES);
}

/* The device's reasons that are errors, too. What the guest's filter does not want is none. */
static void
add_device(const struct vh_port *port, struct rte_eth_stats *s)
{
	static const enum vmxnet3_drop in[] = { VMXNET3_DROP_TX_RUNT, VMXNET3_DROP_TX_TOO_LONG,
		VMXNET3_DROP_TX_BAD_OFFLOAD, VMXNET3_DROP_TX_BAD_ADDRESS, VMXNET3_DROP_TX_BAD_DESC };
	static const enum vmxnet3_drop out[] = { VMXNET3_DROP_RX_INACTIVE, VMXNET3_DROP_RX_LINK_DOWN,
		VMXNET3_DROP_RX_RUNT, VMXNET3_DROP_RX_TOO_LONG, VMXNET3_DROP_RX_NO_BUFFER,
		VMXNET3_DROP_RX_BAD_ADDRESS, VMXNET3_DROP_RX_BAD_DESC, VMXNET3_DROP_RX_BAD_OFFLOAD };
	struct vmxnet3_dev_stats stats;
	unsigned int i;

	vmxnet3_dev_stats_get(port->dev, &stats);
	for (i = 0; i < RTE_DIM(in); i++)
		s->ierrors += stats.drops[in[i]] - port->base.drops[in[i]];
	for (i = 0; i < RTE_DIM(out); i++)
		s->oerrors += stats.drops[out[i]] - port->base.drops[out[i]];
}

/* Also of queues that are not set up now: they have counted, perhaps. */
int
PMD_STATS_GET(vh_stats_get)
{
	const struct vh_port *port = vh_port_of(eth_dev);

	for (uint16_t q = 0; q < VH_MAX_QUEUES; q++) {
		add_rxq(&port->rxq[q], stats, PMD_STATS_QUEUES);
		add_txq(&port->txq[q], stats, PMD_STATS_QUEUES);
	}
	add_device(port, stats);
	return 0;
}

int
vh_stats_reset(struct rte_eth_dev *eth)
{
	struct vh_port *port = vh_port_of(eth);
	unsigned int i;

	for (uint16_t q = 0; q < VH_MAX_QUEUES; q++) {
		for (i = 0; i < VH_RX_COUNT_MAX; i++)
			port->rxq[q].base[i] = vh_count_read(&port->rxq[q].count[i]);
		for (i = 0; i < VH_TX_COUNT_MAX; i++)
			port->txq[q].base[i] = vh_count_read(&port->txq[q].count[i]);
	}
	vmxnet3_dev_stats_get(port->dev, &port->base);
	return 0;
}

/* ---- extended ---- */

static unsigned int
nb_xstats(const struct rte_eth_dev *eth)
{
	return RTE_DIM(device_names) + eth->data->nb_rx_queues * (unsigned int)VH_RX_COUNT_MAX +
		eth->data->nb_tx_queues * (unsigned int)VH_TX_COUNT_MAX;
}

int
vh_xstats_get_names(struct rte_eth_dev *eth, struct rte_eth_xstat_name *names, unsigned int n)
{
	unsigned int q, i, at = 0;

	if (names == NULL || n < nb_xstats(eth))
		return (int)nb_xstats(eth);
	for (q = 0; q < eth->data->nb_rx_queues; q++) {
		for (i = 0; i < VH_RX_COUNT_MAX; i++)
			snprintf(names[at++].name, sizeof(names->name), "rx_q%u_%s", q, rx_names[i]);
	}
	for (q = 0; q < eth->data->nb_tx_queues; q++) {
		for (i = 0; i < VH_TX_COUNT_MAX; i++)
			snprintf(names[at++].name, sizeof(names->name), "tx_q%u_%s", q, tx_names[i]);
	}
	for (i = 0; i < RTE_DIM(device_names); i++)
		snprintf(names[at++].name, sizeof(names->name), "%s", device_names[i].name);
	return (int)at;
}

static void
put(struct rte_eth_xstat *xstats, unsigned int *at, uint64_t value)
{
	xstats[*at].id = *at;
	xstats[(*at)++].value = value;
}

int
vh_xstats_get(struct rte_eth_dev *eth, struct rte_eth_xstat *xstats, unsigned int n)
{
	const struct vh_port *port = vh_port_of(eth);
	struct vmxnet3_dev_stats stats;
	unsigned int q, i, at = 0;

	if (xstats == NULL || n < nb_xstats(eth))
		return (int)nb_xstats(eth);
	for (q = 0; q < eth->data->nb_rx_queues; q++) {
		for (i = 0; i < VH_RX_COUNT_MAX; i++)
			put(xstats, &at, rx_count(&port->rxq[q], i));
	}
	for (q = 0; q < eth->data->nb_tx_queues; q++) {
		for (i = 0; i < VH_TX_COUNT_MAX; i++)
			put(xstats, &at, tx_count(&port->txq[q], i));
	}
	vmxnet3_dev_stats_get(port->dev, &stats);
	for (i = 0; i < RTE_DIM(device_names); i++)
		put(xstats, &at, field(&stats, device_names[i].at) -
			field(&port->base, device_names[i].at));
	return (int)at;
}
