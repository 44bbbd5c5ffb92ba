/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * None of these touches the guest's connection, except close: a guest whose socket is closed has lost its
 * card until its machine restarts.
 */
#include "vh_ops.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <pmd_compat.h>

#include "vh_intr.h"
#include "vh_link.h"
#include "vh_rx.h"
#include "vh_stats.h"
#include "vh_tx.h"

#define RX_OFFLOADS (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
	RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_LRO | \
	RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_SCATTER)

/* A buffer that holds less is of no use to anybody. */
#define MIN_RX_ROOM 64

/* There are no rings of ours: any number of descriptors will do. */
#define DESCS_MIN 1
#define DESCS_MAX 32768
#define DESCS_USUAL 512
#define BURST_USUAL 32

static int
infos_get(struct rte_eth_dev *eth, struct rte_eth_dev_info *info)
{
	const struct vh_port *port = vh_port_of(eth);
	const struct rte_eth_desc_lim lim = { .nb_max = DESCS_MAX, .nb_min = DESCS_MIN, .nb_align = 1,
		.nb_seg_max = VH_TX_MAX_SEGS, .nb_mtu_seg_max = VH_TX_MAX_SEGS };
	const struct rte_eth_dev_portconf usual = { .burst_size = BURST_USUAL,
		.ring_size = DESCS_USUAL, .nb_queues = 1 };

	info->min_mtu = RTE_ETHER_MIN_MTU;
	info->max_mtu = (uint16_t)port->args.mtu;
	info->min_rx_bufsize = MIN_RX_ROOM;
	info->max_rx_pktlen = port->args.mtu + RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
	info->max_lro_pkt_size = OFFLOAD_FRAME_MAX;
	info->max_rx_queues = VH_MAX_QUEUES;
	info->max_tx_queues = VH_MAX_QUEUES;
	info->max_mac_addrs = 1;
	info->rx_offload_capa = RX_OFFLOADS;
	info->tx_offload_capa = VH_TX_OFFLOADS;
	info->rx_desc_lim = lim;
	info->tx_desc_lim = lim;
	info->speed_capa = rte_eth_speed_bitflag(port->args.speed, RTE_ETH_LINK_FULL_DUPLEX);
	info->default_rxportconf = usual;
	info->default_txportconf = usual;
	return 0;
}

/* ---- life ---- */

static int
configure(struct rte_eth_dev *eth __rte_unused)
{
	return 0;
}

/* Told once, where somebody looks for the reason of drops. */
static void
check_room(const struct vh_port *port)
{
	uint32_t need = port->mtu + RTE_ETHER_HDR_LEN;

	if (port->rx_offloads & RTE_ETH_RX_OFFLOAD_SCATTER)
		return;
	for (uint16_t q = 0; q < port->nb_rxq; q++) {
		uint32_t room = (uint32_t)rte_pktmbuf_data_room_size(port->rxq[q].pool) -
			RTE_PKTMBUF_HEADROOM;

		if (room < need)
			VH_LOG(WARNING, port->eth->device->name, "receive queue %u: frames longer than "
				"the %u bytes of its packet buffers will be dropped; use a pool with a "
				"data room of %u or enable scatter", q, room,
				need + RTE_PKTMBUF_HEADROOM);
	}
}

static void
set_queue_states(struct rte_eth_dev *eth, uint8_t state)
{
	memset(eth->data->rx_queue_state, state, eth->data->nb_rx_queues);
	memset(eth->data->tx_queue_state, state, eth->data->nb_tx_queues);
}

static int
start(struct rte_eth_dev *eth)
{
	const struct rte_eth_rxmode *rxmode = &eth->data->dev_conf.rxmode;
	struct vh_port *port = vh_port_of(eth);

	port->nb_rxq = eth->data->nb_rx_queues;
	port->max_lro = rxmode->max_lro_pkt_size;
	atomic_store(&port->mtu, eth->data->mtu);
	atomic_store(&port->rx_offloads, rxmode->offloads);
	eth->data->scattered_rx = (rxmode->offloads & RTE_ETH_RX_OFFLOAD_SCATTER) != 0;
	check_room(port);
	/* Another user of the signal may have come since probe. */
	vfu_dma_install_sigbus_handler();
	atomic_store(&port->running, true);
	set_queue_states(eth, RTE_ETH_QUEUE_STATE_STARTED);
	vh_link_offer(port);
	return 0;
}

static int
stop(struct rte_eth_dev *eth)
{
	struct vh_port *port = vh_port_of(eth);

	atomic_store(&port->running, false);
	/* A thread that still polls finds nothing from now on. */
	vh_port_quiesce(port);
	for (uint16_t q = 0; q < eth->data->nb_rx_queues; q++) {
		if (port->rxq[q].rx != NULL)
			vh_rx_drain(&port->rxq[q]);
	}
	set_queue_states(eth, RTE_ETH_QUEUE_STATE_STOPPED);
	vh_link_offer(port);
	return 0;
}

static void rx_queue_release(struct rte_eth_dev *eth, uint16_t id);
static void tx_queue_release(struct rte_eth_dev *eth, uint16_t id);

int
vh_ops_close(struct rte_eth_dev *eth)
{
	struct vh_port *port = vh_port_of(eth);

	if (port == NULL || port->dev == NULL)
		return 0;
	if (atomic_load(&port->running))
		stop(eth);
	vh_intr_end_chase(port);
	vh_port_close(port);
	vh_link_close(port);
	for (uint16_t q = 0; q < VH_MAX_QUEUES; q++) {
		rx_queue_release(eth, q);
		tx_queue_release(eth, q);
	}
	/* Part of what is freed with the port. */
	eth->data->mac_addrs = NULL;
	return 0;
}

/* ---- queues ---- */

static int
rx_queue_setup(struct rte_eth_dev *eth, uint16_t id, uint16_t nb_desc, unsigned int socket,
	const struct rte_eth_rxconf *conf __rte_unused, struct rte_mempool *pool)
{
	struct vh_rxq *q = &vh_port_of(eth)->rxq[id];

	q->rx = vh_rx_create(socket);
	if (q->rx == NULL) {
		VH_LOG(ERR, eth->device->name, "no memory for receive queue %u", id);
		return -ENOMEM;
	}
	q->pool = pool;
	q->nb_desc = nb_desc;
	eth->data->rx_queues[id] = q;
	return 0;
}

static void
rx_queue_release(struct rte_eth_dev *eth, uint16_t id)
{
	struct vh_rxq *q = &vh_port_of(eth)->rxq[id];

	if (q->rx == NULL)
		return;
	vh_rx_drain(q);
	vh_rx_destroy(q->rx);
	q->rx = NULL;
	q->pool = NULL;
}

static int
tx_queue_setup(struct rte_eth_dev *eth, uint16_t id, uint16_t nb_desc, unsigned int socket,
	const struct rte_eth_txconf *conf __rte_unused)
{
	struct vh_txq *q = &vh_port_of(eth)->txq[id];

	q->tx = vh_tx_create(socket);
	if (q->tx == NULL) {
		VH_LOG(ERR, eth->device->name, "no memory for transmit queue %u", id);
		return -ENOMEM;
	}
	q->nb_desc = nb_desc;
	eth->data->tx_queues[id] = q;
	return 0;
}

static void
tx_queue_release(struct rte_eth_dev *eth, uint16_t id)
{
	struct vh_txq *q = &vh_port_of(eth)->txq[id];

	vh_tx_destroy(q->tx);
	q->tx = NULL;
}

static void
rxq_info_get(struct rte_eth_dev *eth, uint16_t id, struct rte_eth_rxq_info *info)
{
	const struct vh_rxq *q = &vh_port_of(eth)->rxq[id];

	info->mp = q->pool;
	info->nb_desc = q->nb_desc;
	info->conf.offloads = eth->data->dev_conf.rxmode.offloads;
	info->scattered_rx = eth->data->scattered_rx;
}

static void
txq_info_get(struct rte_eth_dev *eth, uint16_t id, struct rte_eth_txq_info *info)
{
	info->nb_desc = vh_port_of(eth)->txq[id].nb_desc;
	info->conf.offloads = eth->data->dev_conf.txmode.offloads;
}

static int
burst_mode_get(struct rte_eth_dev *eth __rte_unused, uint16_t id __rte_unused,
	struct rte_eth_burst_mode *mode)
{
	snprintf(mode->info, sizeof(mode->info), "Scalar, copying");
	return 0;
}

/* ---- what may change while it runs ---- */

static int
mtu_set(struct rte_eth_dev *eth, uint16_t mtu)
{
	atomic_store(&vh_port_of(eth)->mtu, mtu);
	return 0;
}

static int
set_link_up(struct rte_eth_dev *eth)
{
	atomic_store(&vh_port_of(eth)->admin_up, true);
	vh_link_offer(vh_port_of(eth));
	return 0;
}

static int
set_link_down(struct rte_eth_dev *eth)
{
	atomic_store(&vh_port_of(eth)->admin_up, false);
	vh_link_offer(vh_port_of(eth));
	return 0;
}

static int
vlan_offload_set(struct rte_eth_dev *eth, int mask __rte_unused)
{
	atomic_store(&vh_port_of(eth)->rx_offloads, eth->data->dev_conf.rxmode.offloads);
	return 0;
}

static const uint32_t *
supported_ptypes_get(PMD_PTYPES_PARAMS)
{
	static const uint32_t types[] = {
		RTE_PTYPE_L2_ETHER,
		RTE_PTYPE_L2_ETHER_ARP,
		RTE_PTYPE_L2_ETHER_VLAN,
		RTE_PTYPE_L2_ETHER_QINQ,
		RTE_PTYPE_L3_IPV4_EXT_UNKNOWN,
		RTE_PTYPE_L3_IPV6_EXT_UNKNOWN,
		RTE_PTYPE_L4_FRAG,
		RTE_PTYPE_L4_TCP,
		RTE_PTYPE_L4_UDP,
		RTE_PTYPE_L4_SCTP,
		PMD_PTYPES_END
	};

	PMD_PTYPES_RETURN(types);
}

static int
ptypes_set(struct rte_eth_dev *eth, uint32_t mask)
{
	atomic_store(&vh_port_of(eth)->ptypes, mask);
	return 0;
}

static int
mac_addr_set(struct rte_eth_dev *eth __rte_unused, struct rte_ether_addr *mac __rte_unused)
{
	return 0; /* ethdev stores it; frames to every address come in */
}

static int
set_mc_addr_list(struct rte_eth_dev *eth __rte_unused, struct rte_ether_addr *list __rte_unused,
	uint32_t n __rte_unused)
{
	return 0;
}

/* The port of a switch gets everything, whatever the mode. */
static int
mode_set(struct rte_eth_dev *eth __rte_unused)
{
	return 0;
}

const struct eth_dev_ops vh_ops = {
	.dev_configure = configure,
	.dev_start = start,
	.dev_stop = stop,
	.dev_close = vh_ops_close,
	.dev_infos_get = infos_get,
	.dev_set_link_up = set_link_up,
	.dev_set_link_down = set_link_down,
	.link_update = vh_link_update,
	.rx_queue_setup = rx_queue_setup,
	.rx_queue_release = rx_queue_release,
	.tx_queue_setup = tx_queue_setup,
	.tx_queue_release = tx_queue_release,
	.rxq_info_get = rxq_info_get,
	.txq_info_get = txq_info_get,
	.rx_burst_mode_get = burst_mode_get,
	.tx_burst_mode_get = burst_mode_get,
	.mtu_set = mtu_set,
	.vlan_offload_set = vlan_offload_set,
	.dev_supported_ptypes_get = supported_ptypes_get,
	.dev_ptypes_set = ptypes_set,
	.mac_addr_set = mac_addr_set,
	.set_mc_addr_list = set_mc_addr_list,
	.promiscuous_enable = mode_set,
	.promiscuous_disable = mode_set,
	.allmulticast_enable = mode_set,
	.allmulticast_disable = mode_set,
	.stats_get = vh_stats_get,
	.stats_reset = vh_stats_reset,
	.xstats_get = vh_xstats_get,
	.xstats_get_names = vh_xstats_get_names,
	.xstats_reset = vh_stats_reset,
};
