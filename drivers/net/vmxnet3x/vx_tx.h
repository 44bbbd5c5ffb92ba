/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The transmit burst, its preparation, and its queue. */
#ifndef VX_TX_H
#define VX_TX_H

#include "vx_dev.h"

/* FRONT-DATA: struct vx_txq here */

uint16_t vx_tx_burst(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);
uint16_t vx_tx_prepare(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* VX_TX_H */
