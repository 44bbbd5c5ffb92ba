/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Statistics. They count from the last reset on; the device's own go on counting below. */
#ifndef VH_STATS_H
#define VH_STATS_H

#include <pmd_compat.h>

#include "vh_port.h"

/** eth_stats_get_t and so on. */
int PMD_STATS_GET(vh_stats_get);
int vh_stats_reset(struct rte_eth_dev *eth);
int vh_xstats_get(struct rte_eth_dev *eth, struct rte_eth_xstat *xstats, unsigned int n);
int vh_xstats_get_names(struct rte_eth_dev *eth, struct rte_eth_xstat_name *names, unsigned int n);

#endif /* VH_STATS_H */
