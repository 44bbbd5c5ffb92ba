/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>

#include "port.h"

static int
complain(uint16_t port, const char *what, int err)
{
	fprintf(stderr, "pktcheck: port %u: %s: %s\n", port, what, rte_strerror(-err));
	return err;
}

static uint64_t
tx_offloads(const struct options *opt)
{
	uint64_t offloads = 0;

	if (opt->segments > 1)
		offloads |= RTE_ETH_TX_OFFLOAD_MULTI_SEGS;
	if (opt->csum)
		offloads |= RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	return offloads;
}

static int
check_capable(uint16_t port, const struct options *opt, const struct rte_eth_dev_info *info)
{
	uint64_t missing = tx_offloads(opt) & ~info->tx_offload_capa;

	if (missing != 0) {
		fprintf(stderr, "pktcheck: port %u cannot do %s\n", port,
			rte_eth_dev_tx_offload_name(missing & -missing));
		return -ENOTSUP;
	}
	if (info->tx_desc_lim.nb_mtu_seg_max != 0 &&
	    opt->segments > info->tx_desc_lim.nb_mtu_seg_max) {
		fprintf(stderr, "pktcheck: port %u sends frames of at most %u segments\n", port,
			info->tx_desc_lim.nb_mtu_seg_max);
		return -ENOTSUP;
	}
	return 0;
}

static int
configure(uint16_t port, const struct options *opt, const struct rte_eth_dev_info *info)
{
	struct rte_eth_conf conf = {.txmode.offloads = tx_offloads(opt),
		.intr_conf.rxq = opt->rx_interrupts};

	if (opt->max > opt->mbuf_size)
		conf.rxmode.offloads = info->rx_offload_capa & RTE_ETH_RX_OFFLOAD_SCATTER;
	/* Some drivers take no larger frames than those of 1500 bytes and take no larger MTU, either. */
	conf.rxmode.mtu = RTE_MAX(opt->max - RTE_ETHER_HDR_LEN, (uint32_t)RTE_ETHER_MTU);
	if (opt->queues > 1 && info->flow_type_rss_offloads != 0) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = info->flow_type_rss_offloads &
			(RTE_ETH_RSS_IPV4 | RTE_ETH_RSS_NONFRAG_IPV4_UDP);
	}
	return rte_eth_dev_configure(port, opt->queues, opt->queues, &conf);
}

static int
set_up_queues(uint16_t port, const struct options *opt, struct rte_mempool *pool)
{
	uint16_t rxd = opt->rxd, txd = opt->txd;
	uint32_t q;
	int rc;

	rc = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rxd, &txd);
	for (q = 0; rc == 0 && q < opt->queues; q++) {
		rc = rte_eth_rx_queue_setup(port, q, rxd, rte_eth_dev_socket_id(port), NULL, pool);
		if (rc == 0)
			rc = rte_eth_tx_queue_setup(port, q, txd, rte_eth_dev_socket_id(port), NULL);
	}
	return rc;
}

int
port_start(uint16_t port, const struct options *opt, struct rte_mempool *pool)
{
	struct rte_eth_dev_info info;
	int rc;

	rc = rte_eth_dev_info_get(port, &info);
	if (rc != 0)
		return complain(port, "no information", rc);
	rc = check_capable(port, opt, &info);
	if (rc != 0)
		return rc;
	rc = configure(port, opt, &info);
	if (rc != 0)
		return complain(port, "cannot be configured", rc);
	rc = set_up_queues(port, opt, pool);
	if (rc != 0)
		return complain(port, "its queues cannot be set up", rc);
	rc = rte_eth_dev_start(port);
	if (rc != 0)
		return complain(port, "cannot be started", rc);
	if (opt->promiscuous)
		rc = rte_eth_promiscuous_enable(port);
	return rc == 0 ? 0 : complain(port, "does not become promiscuous", rc);
}

int
port_wait_link(uint16_t port, double seconds)
{
	uint64_t end = rte_get_tsc_cycles() + seconds * rte_get_tsc_hz();
	struct rte_eth_link link;

	while (rte_eth_link_get_nowait(port, &link) != 0 || link.link_status == RTE_ETH_LINK_DOWN) {
		if (rte_get_tsc_cycles() > end)
			return complain(port, "its link does not come up", -ETIMEDOUT);
		rte_delay_us_sleep(1000);
	}
	return 0;
}

void
port_print_stats(uint16_t port)
{
	struct rte_eth_xstat_name *names;
	struct rte_eth_xstat *stats;
	int n = rte_eth_xstats_get(port, NULL, 0), i;

	if (n <= 0)
		return;
	names = calloc(n, sizeof(*names));
	stats = calloc(n, sizeof(*stats));
	if (names != NULL && stats != NULL && rte_eth_xstats_get_names(port, names, n) == n &&
	    rte_eth_xstats_get(port, stats, n) == n) {
		printf("port %u:", port);
		for (i = 0; i < n; i++)
			if (stats[i].value != 0)
				printf(" %s=%" PRIu64, names[i].name, stats[i].value);
		printf("\n");
	}
	free(names);
	free(stats);
}

int
port_close(uint16_t port)
{
	int rc = rte_eth_dev_stop(port);

	if (rc != 0)
		complain(port, "cannot be stopped", rc);
	if (rte_eth_dev_close(port) != 0)
		rc = complain(port, "cannot be closed", -EIO);
	return rc;
}
