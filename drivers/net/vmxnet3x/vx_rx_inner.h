/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Frames of which a completion describes the headers inside of a tunnel. */
#ifndef VX_RX_INNER_H
#define VX_RX_INNER_H

#include "vx_rxq.h"

/**
 * Completes what vx_rx_describe() said of a frame whose completion has VMXNET3_RCD_INNER: packet types are those of all
 * layers, checksums those of the inner packet. The completion says nothing of the outer headers, so these are read, and their
 * checksums judged if the application wants that; of all that is behind them not a byte is looked at.
 */
void vx_rx_describe_inner(const struct vx_rxq *q, struct rte_mbuf *m);

#endif /* VX_RX_INNER_H */
