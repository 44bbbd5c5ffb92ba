/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The ethdev's operations. */
#ifndef VH_OPS_H
#define VH_OPS_H

#include "vh_port.h"

extern const struct eth_dev_ops vh_ops;

/** eth_dev_close_t, for remove. */
int vh_ops_close(struct rte_eth_dev *eth);

#endif /* VH_OPS_H */
