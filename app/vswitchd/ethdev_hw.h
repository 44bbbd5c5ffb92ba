/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What an ethdev does itself of what frames ask for. Only what its hardware does, or passes on to somebody who
 * may leave it: drivers that would do it in software, after our copy, are not asked.
 */
#ifndef VSWITCHD_ETHDEV_HW_H
#define VSWITCHD_ETHDEV_HW_H

#include <offload_frame.h>

#include "ethdev.h"

/** The transmit offloads to enable, of those that the driver has: RTE_ETH_TX_OFFLOAD_*. */
uint64_t eth_hw_choose(const struct eth_port *eth, const struct rte_eth_dev_info *info);

/** Whether there are checksums that it makes. */
static inline bool
eth_hw_has_csum(const struct eth_port *eth)
{
	return eth->tx_offloads & (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM);
}

/** Leaves the tag that is out of band to the ethdev. @return whether it takes it (or there is none) */
bool eth_hw_vlan(const struct eth_port *eth, struct rte_mbuf *m, struct offload_frame *f);

/** Leaves an OFFLOAD_CSUM request to the ethdev. @param f  as it lies in @p m @return whether it takes it */
bool eth_hw_csum(const struct eth_port *eth, struct rte_mbuf *m, struct offload_frame *f);

/**
 * Makes a chain of buffers of a large frame that the ethdev cuts.
 *
 * @param f  a request that has been found good (offload_tso_begin())
 * @return NULL: it does not take that one, or there are not enough buffers
 */
struct rte_mbuf *eth_hw_large(const struct eth_port *eth, struct rte_mempool *pool,
	const struct offload_frame *f);

#endif /* VSWITCHD_ETHDEV_HW_H */
