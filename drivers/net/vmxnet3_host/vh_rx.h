/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Receive: frames from the guest. */
#ifndef VH_RX_H
#define VH_RX_H

#include "vh_port.h"

/** Room for the bursts of a queue. NULL: no memory. */
struct vh_rx *vh_rx_create(unsigned int socket);

/** Gives packet buffers back that the queue has in stock or keeps for later. No burst is inside. */
void vh_rx_drain(struct vh_rxq *q);

/** After a vh_rx_drain(). NULL is allowed. */
void vh_rx_destroy(struct vh_rx *rx);

/** eth_rx_burst_t; the queue is a struct vh_rxq. */
uint16_t vh_rx_burst(void *queue, struct rte_mbuf **pkts, uint16_t n);

#endif /* VH_RX_H */
