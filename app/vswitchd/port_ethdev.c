/* SPDX-License-Identifier: BSD-3-Clause */
/* A port that is an ethdev: its life, its link, its MTU. */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "eth_iface.h"
#include "ethdev_open.h"
#include "log.h"
#include "port_ethdev.h"

/*
 * net_tap believes that no frame is longer than 1500 bytes, an Ethernet header, a tag and a
 * checksum.
 */
#define TAP_MAX_PKT_LEN (1500 + 14 + 4 + 4)

static int
eth_open(struct port *port, struct error *err)
{
	struct eth_port *eth = aligned_alloc(RTE_CACHE_LINE_SIZE, sizeof(*eth));
	int ret;

	if (eth == NULL)
		return error_set(err, -ENOMEM, "port %s: no memory", port->conf.name);
	memset(eth, 0, sizeof(*eth));
	port->priv = eth;
	if (port->conf.mtu == 0)
		port->conf.mtu = ETH_DEFAULT_MTU;
	if (port->conf.queues == 0)
		port->conf.queues = 1;
	ret = ethdev_probe(port, err);
	if (ret < 0)
		goto fail;
	eth->mtu = port->conf.mtu;
	eth->has_carrier = true;
	if (eth->kind == ETH_TAP)
		eth->max_pkt_len = TAP_MAX_PKT_LEN;
	ret = ethdev_setup(port, err);
	if (ret == 0)
		ret = ethdev_apply_mtu(port, port->conf.mtu, err);
	if (ret < 0)
		goto fail;
	port->nb_queues = eth->nb_rxq;
	return 0;

fail:
	ethdev_remove(port);
	free(eth);
	return ret;
}

static void
eth_close(struct port *port)
{
	struct eth_port *eth = eth_of(port);

	/* What was taken down only for our sake. */
	if (!eth->has_carrier)
		port->ops->link_offer(port, true);
	ethdev_remove(port);
	free(eth);
}

static uint16_t
eth_rx_queues(const struct port *port)
{
	return eth_of(port)->nb_rxq;
}

/* An interface that has been moved away works on, if it is a tap; others end when they leave. */
static bool
iface_own(struct port *port)
{
	struct eth_port *eth = eth_of(port);
	uint32_t flags;
	int ret = iface_flags(eth->interface, &flags);
	bool gone = ret == -ENODEV;

	if (gone != eth->gone) {
		eth->gone = gone;
		log_notice(PORT, gone ? "port %s: interface %s has left this network namespace"
				      : "port %s: interface %s is back",
			port->conf.name, eth->interface);
	}
	if (eth->kind == ETH_TAP)
		return gone || (flags & IFF_UP);
	return (flags & IFF_UP) && (flags & IFF_RUNNING);
}

static bool
eth_link_own(struct port *port)
{
	struct eth_port *eth = eth_of(port);
	struct rte_eth_link link;

	if (eth->interface[0] != '\0' && eth->kind != ETH_GENERIC)
		return iface_own(port);
	if (rte_eth_link_get_nowait(eth->id, &link) < 0)
		return true;
	return link.link_status == RTE_ETH_LINK_UP;
}

static bool
eth_link_hidden(const struct port *port)
{
	return eth_of(port)->kind != ETH_TAP;
}

static void
eth_link_offer(struct port *port, bool up)
{
	struct eth_port *eth = eth_of(port);
	int ret;

	if (eth->has_carrier == up)
		return;
	eth->has_carrier = up;
	switch (eth->kind) {
	case ETH_TAP:
		ret = iface_set_carrier(eth->interface, up);
		break;
	case ETH_AF_XDP:
		/* The other end of a veth, or of a cable, sees this. */
		ret = iface_set_up(eth->interface, up);
		break;
	default:
		ret = up ? rte_eth_dev_set_link_up(eth->id) : rte_eth_dev_set_link_down(eth->id);
	}
	/* Frames are dropped anyhow, so the other side of a driver without it sees silence. */
	if (ret < 0 && ret != -ENOTSUP)
		log_notice(PORT, "port %s: cannot set the link of %s %s: %s", port->conf.name,
			eth->interface[0] != '\0' ? eth->interface : eth->driver,
			up ? "up" : "down", strerror(-ret));
}

static int
eth_set_mtu(struct port *port, uint16_t mtu, struct error *err)
{
	return ethdev_apply_mtu(port, mtu, err);
}

static bool
eth_in_use(struct port *port __rte_unused)
{
	return false;
}

static void
eth_stats(struct port *port, struct port_stats *stats)
{
	struct rte_eth_stats eth;

	if (rte_eth_stats_get(eth_of(port)->id, &eth) < 0)
		return;
	stats->drops[SWITCH_DROP_ETH_RX_MISSED] += eth.imissed;
	stats->drops[SWITCH_DROP_ETH_NO_MBUF] += eth.rx_nombuf;
}

static void
eth_info(struct port *port, struct port_info *info)
{
	const struct eth_port *eth = eth_of(port);

	info->ethdev_id = eth->id;
	info->driver = eth->driver;
	if (eth->tx_offloads & (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM))
		info->offloads.checksum = PORT_EXIT_HARDWARE;
	if (eth->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO)
		info->offloads.tso = PORT_EXIT_HARDWARE;
	if (eth->tx_offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT)
		info->offloads.vlan = PORT_EXIT_HARDWARE;
}

static int
eth_node(const struct port *port)
{
	return rte_eth_dev_socket_id(eth_of(port)->id);
}

/* Each polling core has its transmit queue, and a NIC empties several as it likes. */
static bool
eth_sends_apart(const struct port *port)
{
	return eth_of(port)->nb_txq > 1;
}

const struct port_ops port_ethdev_ops = {
	.open = eth_open,
	.close = eth_close,
	.rx_queues = eth_rx_queues,
	.rx_begin = eth_rx_begin,
	.rx_end = eth_rx_end,
	.deliver = eth_deliver,
	.link_own = eth_link_own,
	.link_hidden = eth_link_hidden,
	.link_offer = eth_link_offer,
	.set_mtu = eth_set_mtu,
	.mtu_suspends = true,
	.in_use = eth_in_use,
	.stats = eth_stats,
	.info = eth_info,
	.node = eth_node,
	.sends_apart = eth_sends_apart,
};
