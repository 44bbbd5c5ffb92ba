/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The transmit burst. */
#ifndef VX_TX_H
#define VX_TX_H

#include "vx_tx_prepare.h"
#include "vx_txq.h"

/**
 * Sends frames as they are, as rte_eth_tx_prepare() leaves them: where a checksum is to be computed the
 * pseudo-header's sum must be there. Checksums that are still asked for and left to software are computed here.
 *
 * @return frames taken, among them those that can never be sent, which are dropped and counted; fewer than
 *         @p nb_pkts when the ring is full; 0 also while the queue is paused
 */
uint16_t vx_tx_burst(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* VX_TX_H */
