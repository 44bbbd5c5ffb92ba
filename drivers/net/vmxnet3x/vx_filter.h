/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the port receives: addresses, multicast, VLANs.
 *
 * A vmxnet3 knows one address of its own. Further ones cost promiscuous mode: while there are any, receive bursts look at each
 * frame and drop what the device would not have let in.
 */
#ifndef VX_FILTER_H
#define VX_FILTER_H

#include "vx_dev.h"

/* ---- for activation; ctl held ---- */

/** Writes the port's address to the device's registers. */
void vx_filter_write_mac(struct vx_dev *dev);

/** Writes rxFilterConf, and tells an active device. */
void vx_filter_apply(struct vx_dev *dev);

void vx_filter_free(struct vx_dev *dev);

/* ---- ethdev operations ---- */

int vx_promiscuous_enable(struct rte_eth_dev *eth_dev);
int vx_promiscuous_disable(struct rte_eth_dev *eth_dev);
int vx_allmulticast_enable(struct rte_eth_dev *eth_dev);
int vx_allmulticast_disable(struct rte_eth_dev *eth_dev);
int vx_mac_addr_set(struct rte_eth_dev *eth_dev, struct rte_ether_addr *addr);
int vx_mac_addr_add(struct rte_eth_dev *eth_dev, struct rte_ether_addr *addr, uint32_t index, uint32_t pool);
void vx_mac_addr_remove(struct rte_eth_dev *eth_dev, uint32_t index);
int vx_set_mc_addr_list(struct rte_eth_dev *eth_dev, struct rte_ether_addr *list, uint32_t nb);
int vx_vlan_filter_set(struct rte_eth_dev *eth_dev, uint16_t vlan_id, int on);

#endif /* VX_FILTER_H */
