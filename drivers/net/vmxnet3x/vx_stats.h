/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Counters: the queues' own, and the device's. A device begins at zero with each activation; what it
 * counted before is kept and added. It has no reset either: a reset remembers what to subtract.
 */
#ifndef VX_STATS_H
#define VX_STATS_H

#include <pmd_compat.h>

#include "vx_dev.h"

/** @return 0 or -ENOMEM */
int vx_stats_init(struct vx_dev *dev);
void vx_stats_free(struct vx_dev *dev);

/** Keeps what an active device has counted, before it stops; also of a device that has gone. With ctl held. */
void vx_stats_keep(struct vx_dev *dev);

/* ---- ethdev operations ---- */

int PMD_STATS_GET(vx_stats_get);
int vx_stats_reset(struct rte_eth_dev *eth_dev);
int vx_xstats_get(struct rte_eth_dev *eth_dev, struct rte_eth_xstat *xstats, unsigned int n);
int vx_xstats_get_names(struct rte_eth_dev *eth_dev, struct rte_eth_xstat_name *names, unsigned int n);

#endif /* VX_STATS_H */
