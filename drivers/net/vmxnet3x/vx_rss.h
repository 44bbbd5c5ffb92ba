/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Receive side scaling. */
#ifndef VX_RSS_H
#define VX_RSS_H

#include "vx_dev.h"

/** RTE_ETH_RSS_* that a device with limits @p lim hashes by. */
uint64_t vx_rss_types(const struct vx_limits *lim);

/** Whether the application wants anything hashed: the level of headers alone is nothing. */
bool vx_rss_is_on(const struct vx_dev *dev);

/** The key of a port whose application gives none. */
void vx_rss_init(struct vx_dev *dev);

/** Takes what rte_eth_dev_configure() was given; an even table for the number of queues. @return 0 or -EINVAL, logged */
int vx_rss_configure(struct vx_dev *dev);

/* ---- for activation; ctl held ---- */

/** Writes RSSConf. @return whether the device is to hash: misc.uptFeatures */
bool vx_rss_fill(struct vx_dev *dev);

/** Tells an active device which fields to hash (revision 4 on). A refusal is a warning: it hashes what it can. */
void vx_rss_apply_fields(struct vx_dev *dev);

/* ---- ethdev operations ---- */

int vx_rss_hash_update(struct rte_eth_dev *eth_dev, struct rte_eth_rss_conf *conf);
int vx_rss_hash_conf_get(struct rte_eth_dev *eth_dev, struct rte_eth_rss_conf *conf);
int vx_reta_update(struct rte_eth_dev *eth_dev, struct rte_eth_rss_reta_entry64 *conf, uint16_t size);
int vx_reta_query(struct rte_eth_dev *eth_dev, struct rte_eth_rss_reta_entry64 *conf, uint16_t size);

#endif /* VX_RSS_H */
