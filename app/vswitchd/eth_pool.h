/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Packet buffers of ethdev ports. */
#ifndef VSWITCHD_ETH_POOL_H
#define VSWITCHD_ETH_POOL_H

#include <stdint.h>

#include <rte_mempool.h>

/** Buffers that a polling core may keep for itself: few, so that they stay in its cache. */
#define ETH_POOL_CACHE 32

/**
 * @param nb     buffers that must be available at any time, beside what polling cores keep
 * @param frame  longest frame that must fit into one
 * @return NULL: no memory
 */
struct rte_mempool *eth_pool_create(uint32_t nb, uint32_t frame, uint16_t nb_workers);

/**
 * One buffer per page, in memory of its own: what AF_XDP can map. (net_af_xdp takes a pool's
 * memory for one array without gaps, which pools made the common way are not when a buffer would
 * cross a page; and a buffer within one page suits every mode of the kernel.)
 */
struct rte_mempool *eth_pool_create_pages(uint32_t nb, uint16_t nb_workers);

/** Bytes for a frame, behind the headroom, that a buffer of eth_pool_create_pages() has. */
uint32_t eth_page_room(void);

/** NULL is allowed. */
void eth_pool_destroy(struct rte_mempool *pool);

#endif /* VSWITCHD_ETH_POOL_H */
