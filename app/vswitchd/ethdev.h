/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A port that is an ethdev: what its configuration (port_ethdev.c) and its packet path
 * (ethdev_rx.c, ethdev_tx.c) share.
 */
#ifndef VSWITCHD_ETHDEV_H
#define VSWITCHD_ETHDEV_H

#include <rte_ethdev.h>
#include <rte_spinlock.h>

#include "eth_xdp.h"
#include "port.h"

#define ETH_MAX_QUEUES 16

enum eth_kind { ETH_GENERIC, ETH_TAP, ETH_AF_XDP };

struct eth_rxq {
	uint64_t poll_at;          /**< TSC; not polled before */
	struct rte_mempool *pool;
} __rte_cache_aligned;

struct eth_txq {
	rte_spinlock_t lock;       /**< taken if there are more polling cores than queues */
	struct rte_mempool *pool;
} __rte_cache_aligned;

struct eth_port {
	uint16_t id;               /**< of the ethdev */
	uint16_t nb_rxq, nb_txq;
	uint16_t mtu;
	bool tx_shared;
	bool repair_csum;          /**< frames come with checksums left to hardware (veth) */
	uint64_t poll_gap;         /**< TSC to the next poll of a queue found empty */
	uint64_t tx_offloads;      /**< that its hardware does: RTE_ETH_TX_OFFLOAD_* */
	uint16_t max_segs;         /**< buffers that a frame may lie in */
	uint32_t max_pkt_len;      /**< the longest frame that its driver believes in; 0: no limit */
	struct eth_rxq rxq[ETH_MAX_QUEUES];
	struct eth_txq txq[ETH_MAX_QUEUES];

	/* Configuration */
	uint16_t nb_pools;
	struct rte_mempool *pools[2 * ETH_MAX_QUEUES]; /**< all that the queues use */
	enum eth_kind kind;
	struct rte_device *device;
	const char *driver;
	char interface[32];        /**< of the kernel; "": none that is known */
	struct eth_xdp_fds xdp_fds;
	bool gone;                 /**< it has been told that the interface is not there any more */
	bool has_carrier;          /**< a carrier was offered */
};

static inline struct eth_port *
eth_of(const struct port *port)
{
	return port->priv;
}

/** Room for the bursts of one polling core. NULL: no memory. */
struct eth_scratch *eth_scratch_create(void);
void eth_scratch_destroy(struct eth_scratch *scratch);

/** Parts of the scratch, each known to one file. */
struct eth_rx;
struct eth_tx;
struct eth_scratch {
	struct eth_rx *rx;
	struct eth_tx *tx;
};
struct eth_rx *eth_rx_create(void);
struct eth_tx *eth_tx_create(void);

/* port_ops of these names */
uint16_t eth_rx_begin(struct port *port, uint16_t queue, struct port_ctx *ctx,
	struct offload_frame **frames);
void eth_rx_end(struct port *port, uint16_t queue, struct port_ctx *ctx);
void eth_deliver(struct port *port, struct port_ctx *ctx, struct offload_frame *const *frames,
	uint16_t n);

#endif /* VSWITCHD_ETHDEV_H */
