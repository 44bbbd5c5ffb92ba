/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The receive burst and its queue. */
#ifndef VX_RX_H
#define VX_RX_H

#include "vx_dev.h"

/* FRONT-DATA: struct vx_rxq here */

uint16_t vx_rx_burst(void *rxq, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* VX_RX_H */
