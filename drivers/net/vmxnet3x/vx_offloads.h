/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What a device with given limits can do to frames. */
#ifndef VX_OFFLOADS_H
#define VX_OFFLOADS_H

#include "vx_dev.h"

/** RTE_ETH_RX_OFFLOAD_*, all for the whole port. */
uint64_t vx_rx_offloads(const struct vx_limits *lim);

/** RTE_ETH_TX_OFFLOAD_*, with those that are done in software. */
uint64_t vx_tx_offloads(const struct vx_limits *lim);

#endif /* VX_OFFLOADS_H */
