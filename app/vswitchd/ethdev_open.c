/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_dev.h>

#include "eth_iface.h"
#include "eth_pool.h"
#include "eth_tap.h"
#include "eth_xdp.h"
#include "ethdev_hw.h"
#include "ethdev_open.h"
#include "log.h"

#define RING_DESCS 1024

/* net_af_xdp holds so many buffers in its fill ring, whatever is asked for. */
#define AF_XDP_FILL_BUFFERS 2048

/* One system call per frame, and one per poll in vain. */
#define TAP_POLL_GAP_US 10

/* For hardware that cuts large frames: buffers that one of 64 KiB takes, and their size. */
#define MAX_CHAIN 17
#define CHAIN_BUF 4096

/* Ethernet header and two tags. */
#define L2_HEADER (14 + 2 * 4)


static int
choose_queues(struct port *port, const struct rte_eth_dev_info *info, struct error *err)
{
	struct eth_port *eth = eth_of(port);
	uint16_t max = RTE_MIN(RTE_MIN(info->max_rx_queues, info->max_tx_queues), ETH_MAX_QUEUES);

	if (port->conf.queues < 1 || port->conf.queues > max)
		return error_set(err, -EINVAL, "port %s: %u queues: %s allows 1 to %u",
			port->conf.name, port->conf.queues, info->driver_name, max);
	eth->nb_rxq = port->conf.queues;
	/* Both of these demand pairs. */
	if (eth->kind == ETH_GENERIC)
		eth->nb_txq = RTE_MIN(RTE_MIN(info->max_tx_queues, port->env->nb_workers),
			ETH_MAX_QUEUES);
	else
		eth->nb_txq = eth->nb_rxq;
	eth->tx_shared = eth->nb_txq < port->env->nb_workers;
	return 0;
}

static uint16_t
rx_descs(const struct eth_port *eth)
{
	/* For net_tap, the buffers that one frame may fill. */
	return eth->kind == ETH_TAP ? 1 : RING_DESCS;
}

/* Frames of 1518 bytes fit whatever the MTU is: others on the wire may not know of it. */
static struct rte_mempool *
make_pool(const struct port *port, uint32_t nb, uint32_t least)
{
	const struct eth_port *eth = eth_of(port);
	uint32_t mtu = eth->kind == ETH_TAP ? ETH_TAP_MAX_MTU : eth->mtu;

	return eth_pool_create(nb, RTE_MAX(mtu + L2_HEADER, least), port->env->nb_workers);
}

static void
free_pools(struct eth_port *eth)
{
	for (uint16_t i = 0; i < eth->nb_pools; i++)
		eth_pool_destroy(eth->pools[i]);
	eth->nb_pools = 0;
}

static struct rte_mempool *
keep_pool(struct eth_port *eth, struct rte_mempool *pool)
{
	if (pool != NULL)
		eth->pools[eth->nb_pools++] = pool;
	return pool;
}

/* One of a queue's own, for both directions: net_af_xdp sends without a copy what comes from it. */
static bool
make_page_pools(struct port *port, uint16_t nb_rxd, uint16_t nb_txd)
{
	struct eth_port *eth = eth_of(port);
	uint32_t nb = AF_XDP_FILL_BUFFERS + nb_rxd + 2 * nb_txd + PORT_BURST;

	for (uint16_t q = 0; q < eth->nb_rxq; q++) {
		struct rte_mempool *pool = keep_pool(eth,
			eth_pool_create_pages(nb, port->env->nb_workers));

		if (pool == NULL)
			return false;
		eth->rxq[q].pool = pool;
		eth->txq[q].pool = pool;
	}
	return true;
}

static bool
make_pools(struct port *port, uint16_t nb_rxd, uint16_t nb_txd)
{
	struct eth_port *eth = eth_of(port);
	uint32_t tx_buf = 2048;
	struct rte_mempool *rx, *tx;

	eth->nb_pools = 0;
	if (eth->kind == ETH_AF_XDP)
		return make_page_pools(port, nb_rxd, nb_txd);
	/* net_tap has sent a frame when it takes it. */
	if (eth->kind == ETH_TAP)
		nb_txd = 0;
	/* A burst may end with a frame in many buffers. */
	if (eth->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) {
		nb_txd += MAX_CHAIN;
		tx_buf = CHAIN_BUF;
	}
	rx = keep_pool(eth, make_pool(port, eth->nb_rxq * (nb_rxd + PORT_BURST), 2048));
	tx = keep_pool(eth, make_pool(port, eth->nb_txq * (nb_txd + PORT_BURST), tx_buf));
	for (uint16_t q = 0; q < eth->nb_rxq; q++)
		eth->rxq[q].pool = rx;
	for (uint16_t q = 0; q < eth->nb_txq; q++)
		eth->txq[q].pool = tx;
	return rx != NULL && tx != NULL;
}

static int
no_memory(const struct port *port, struct error *err)
{
	return error_set(err, -ENOMEM, "port %s: no memory for packet buffers: raise dpdk/memory",
		port->conf.name);
}

static int
queue_failed(const struct port *port, int ret, struct error *err)
{
	const struct eth_port *eth = eth_of(port);

	if (eth->kind == ETH_AF_XDP)
		return error_set(err, ret,
			"port %s: no AF_XDP socket on %s: is the MTU of a veth's other end above "
			"%u, does the driver know XDP? DPDK's lines in the log tell more",
			port->conf.name,
			eth->interface, ethdev_max_mtu(eth));
	return error_set(err, ret, "port %s: %s cannot set its queues up: %s", port->conf.name,
		eth->driver, strerror(-ret));
}

static int
setup_rx(struct port *port, uint16_t nb_rxd)
{
	struct eth_port *eth = eth_of(port);
	int ret = 0;

	for (uint16_t q = 0; ret == 0 && q < eth->nb_rxq; q++)
		ret = rte_eth_rx_queue_setup(eth->id, q, nb_rxd, SOCKET_ID_ANY, NULL,
			eth->rxq[q].pool);
	return ret;
}

static uint64_t
tx_offloads(const struct eth_port *eth, const struct rte_eth_dev_info *info)
{
	/* One pool per queue and nobody else holds its buffers. */
	return eth->tx_offloads | (info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE);
}

static int
setup_queues(struct port *port, const struct rte_eth_dev_info *info, struct error *err)
{
	struct eth_port *eth = eth_of(port);
	struct rte_eth_txconf txconf = info->default_txconf;
	uint16_t nb_rxd = rx_descs(eth), nb_txd = RING_DESCS;
	int ret = 0;

	if (eth->kind == ETH_GENERIC)
		ret = rte_eth_dev_adjust_nb_rx_tx_desc(eth->id, &nb_rxd, &nb_txd);
	if (ret < 0)
		return queue_failed(port, ret, err);
	if (!make_pools(port, nb_rxd, nb_txd))
		return no_memory(port, err);
	ret = setup_rx(port, nb_rxd);
	if (ret < 0)
		return queue_failed(port, ret, err);
	txconf.offloads = tx_offloads(eth, info);
	for (uint16_t q = 0; q < eth->nb_txq; q++) {
		rte_spinlock_init(&eth->txq[q].lock);
		ret = rte_eth_tx_queue_setup(eth->id, q, nb_txd, SOCKET_ID_ANY, &txconf);
		if (ret < 0)
			return queue_failed(port, ret, err);
	}
	return 0;
}

static void
make_conf(const struct eth_port *eth, const struct rte_eth_dev_info *info,
	struct rte_eth_conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->txmode.offloads = tx_offloads(eth, info);
	if (eth->kind == ETH_GENERIC) {
		conf->rxmode.mtu = eth->mtu;
		conf->rxmode.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_CHECKSUM;
	}
	if (eth->kind == ETH_GENERIC && eth->nb_rxq > 1) {
		conf->rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf->rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP);
	}
}

static int
start(struct port *port, struct error *err)
{
	struct eth_port *eth = eth_of(port);
	int ret = rte_eth_dev_start(eth->id);

	if (ret < 0)
		return error_set(err, ret, "port %s: %s cannot start: %s", port->conf.name,
			eth->driver, strerror(-ret));
	/* A bridge's port hears all; a tap does anyhow. */
	if (eth->kind != ETH_TAP && rte_eth_promiscuous_enable(eth->id) < 0)
		log_warning(PORT, "port %s: %s knows no promiscuous mode: it may not hear all",
			port->conf.name, eth->driver);
	if (eth->kind == ETH_AF_XDP && iface_set_up(eth->interface, true) < 0)
		log_warning(PORT, "port %s: cannot set %s up", port->conf.name, eth->interface);
	return 0;
}

static int
setup(struct port *port, struct error *err)
{
	struct eth_port *eth = eth_of(port);
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf;
	int ret = rte_eth_dev_info_get(eth->id, &info);

	if (ret == 0)
		ret = choose_queues(port, &info, err);
	if (ret < 0)
		return ret;
	eth->tx_offloads = eth_hw_choose(eth, &info);
	eth->max_segs = info.tx_desc_lim.nb_seg_max != 0 ? info.tx_desc_lim.nb_seg_max : UINT16_MAX;
	make_conf(eth, &info, &conf);
	ret = rte_eth_dev_configure(eth->id, eth->nb_rxq, eth->nb_txq, &conf);
	if (ret < 0)
		return error_set(err, ret, "port %s: %s refuses %u queues and an MTU of %u: %s",
			port->conf.name, eth->driver, eth->nb_rxq, eth->mtu, strerror(-ret));
	ret = setup_queues(port, &info, err);
	if (ret < 0)
		return ret;
	if (eth->kind == ETH_TAP)
		eth->poll_gap = TAP_POLL_GAP_US * (rte_get_tsc_hz() / 1000000);
	eth->repair_csum = eth->kind == ETH_AF_XDP && eth_xdp_is_veth(eth->interface);
	return start(port, err);
}

int
ethdev_setup(struct port *port, struct error *err)
{
	struct eth_port *eth = eth_of(port);
	struct eth_xdp_fds before;
	struct eth_tap_quiet quiet;
	int ret;

	if (eth->kind == ETH_AF_XDP)
		eth_xdp_fds_list(&before, NULL);
	eth_tap_quiet_begin(&quiet);
	ret = setup(port, err);
	eth_tap_quiet_end(&quiet);
	if (eth->kind == ETH_AF_XDP)
		eth_xdp_fds_list(&eth->xdp_fds, &before);
	return ret;
}

/* Closes the ethdev, and what its driver forgets to close or opens meanwhile. */
static void
close_device(struct port *port)
{
	struct eth_port *eth = eth_of(port);
	struct eth_xdp_fds before, forgotten;
	struct eth_tap_quiet quiet;

	if (eth->kind == ETH_AF_XDP)
		eth_xdp_fds_list(&before, NULL);
	eth_tap_quiet_begin(&quiet);
	rte_eth_dev_stop(eth->id);
	rte_eth_dev_close(eth->id);
	if (rte_dev_remove(eth->device) < 0)
		log_warning(PORT, "port %s: %s does not go away", port->conf.name, eth->driver);
	eth_tap_quiet_end(&quiet);
	if (eth->kind == ETH_AF_XDP) {
		eth_xdp_fds_list(&forgotten, &before);
		eth_xdp_fds_close(&forgotten);
		eth_xdp_fds_close(&eth->xdp_fds);
	}
}

void
ethdev_remove(struct port *port)
{
	struct eth_port *eth = eth_of(port);

	if (eth->device != NULL)
		close_device(port);
	free_pools(eth);
}

/* ---- MTU ---- */

uint16_t
ethdev_max_mtu(const struct eth_port *eth)
{
	struct rte_eth_dev_info info;

	if (eth->kind == ETH_TAP)
		return ETH_TAP_MAX_MTU;
	/* Its own figure leaves no room for tags. */
	if (eth->kind == ETH_AF_XDP)
		return eth_xdp_max_mtu();
	if (rte_eth_dev_info_get(eth->id, &info) < 0)
		return ETH_DEFAULT_MTU;
	return RTE_MIN(info.max_mtu, ETH_TAP_MAX_MTU);
}

/* Other buffers, hence other queues; what the old ones hold goes when the new ones are there. */
static int
setup_again(struct port *port, uint16_t mtu, struct error *err)
{
	struct eth_port *eth = eth_of(port);
	struct eth_port was = *eth;
	struct error ignored;
	int ret;

	rte_eth_dev_stop(eth->id);
	eth->mtu = mtu;
	eth->nb_pools = 0;
	ret = ethdev_setup(port, err);
	if (ret < 0) {
		rte_eth_dev_stop(eth->id);
		free_pools(eth);
		eth->mtu = was.mtu;
		if (ethdev_setup(port, &ignored) < 0)
			log_err(PORT, "port %s: %s does not start again: %s", port->conf.name,
				eth->driver, ignored.text);
	}
	free_pools(&was);
	return ret;
}

int
ethdev_apply_mtu(struct port *port, uint16_t mtu, struct error *err)
{
	struct eth_port *eth = eth_of(port);
	int ret;

	if (mtu < ETH_MIN_MTU || mtu > ethdev_max_mtu(eth))
		return error_set(err, -EINVAL, "port %s: MTU %u: %s allows %u to %u",
			port->conf.name, mtu, eth->driver, ETH_MIN_MTU, ethdev_max_mtu(eth));
	switch (eth->kind) {
	case ETH_TAP:
		/* Its own limit, of 1504 bytes, is one of the ethdev API's checks only. */
		ret = iface_set_mtu(eth->interface, mtu);
		break;
	case ETH_AF_XDP:
		ret = rte_eth_dev_set_mtu(eth->id, mtu);
		break;
	default:
		if (mtu != eth->mtu)
			return setup_again(port, mtu, err);
		ret = 0;
	}
	if (ret < 0)
		return error_set(err, ret, "port %s: MTU %u: %s refuses it: %s", port->conf.name,
			mtu, eth->interface[0] != '\0' ? eth->interface : eth->driver,
			strerror(-ret));
	eth->mtu = mtu;
	return 0;
}
