/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Queues come and go: ethdev operations. */
#ifndef VX_QUEUE_SETUP_H
#define VX_QUEUE_SETUP_H

#include "vx_dev.h"

/** Receive buffers that go into a ring at once, at most. */
#define VX_RX_CHUNK 32u

/** @return 0; -EINVAL size no power of two, buffers too small, pool out of the device's reach (says which); -ENOMEM */
int vx_rx_queue_setup(struct rte_eth_dev *eth_dev, uint16_t queue, uint16_t nb_desc,
	unsigned int socket_id, const struct rte_eth_rxconf *conf, struct rte_mempool *pool);
int vx_tx_queue_setup(struct rte_eth_dev *eth_dev, uint16_t queue, uint16_t nb_desc,
	unsigned int socket_id, const struct rte_eth_txconf *conf);
void vx_rx_queue_release(struct rte_eth_dev *eth_dev, uint16_t queue);
void vx_tx_queue_release(struct rte_eth_dev *eth_dev, uint16_t queue);

#endif /* VX_QUEUE_SETUP_H */
