/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A port: from the bus's probing up, to its end. */
#ifndef VX_ETHDEV_H
#define VX_ETHDEV_H

#include "vx_dev.h"

/**
 * Makes a port of a device that @p bus reaches: identifies it, sets up its operations. The caller has allocated
 * @p eth_dev with sizeof(struct vx_dev) of zeroed private data and filled in name, eth_dev, args, bus, bus_priv, dma_is_va, bar0.
 * @return 0 (the caller finishes probing), or a negative errno with a line in the log; nothing is left then but what the caller made
 */
int vx_ethdev_init(struct rte_eth_dev *eth_dev);

/**
 * The server is gone: bursts stay outside, link down, the application is told. Idempotent. No lock held.
 */
void vx_ethdev_lost(struct vx_dev *dev);

/**
 * A server is back, registers and memory can be reached again: identifies it, and if the port was started activates,
 * lets bursts in, link up. No lock held.
 * @return 0; -ENOTSUP its limits do not suffice (logged): the port stays down; another negative errno: try again
 */
int vx_ethdev_back(struct vx_dev *dev);

#endif /* VX_ETHDEV_H */
