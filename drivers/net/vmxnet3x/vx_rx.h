/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The receive burst. */
#ifndef VX_RX_H
#define VX_RX_H

#include "vx_rxq.h"

/** @return frames received; 0 also while the queue is paused */
uint16_t vx_rx_burst(void *rxq, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* VX_RX_H */
