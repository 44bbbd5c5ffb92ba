/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Transmit: frames to the guest. */
#ifndef VH_TX_H
#define VH_TX_H

#include "vh_port.h"

/** Packet buffers that one frame may be in. */
#define VH_TX_MAX_SEGS 64

/** What the application may ask for. */
#define VH_TX_OFFLOADS (RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT | \
	RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
	RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_SCTP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO | \
	RTE_ETH_TX_OFFLOAD_OUTER_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_OUTER_UDP_CKSUM | \
	RTE_ETH_TX_OFFLOAD_VXLAN_TNL_TSO | RTE_ETH_TX_OFFLOAD_GENEVE_TNL_TSO | \
	RTE_ETH_TX_OFFLOAD_GRE_TNL_TSO | RTE_ETH_TX_OFFLOAD_IPIP_TNL_TSO)

/** Room for the bursts of a queue. NULL: no memory. */
struct vh_tx *vh_tx_create(unsigned int socket);
void vh_tx_destroy(struct vh_tx *tx);

/** eth_tx_prep_t, eth_tx_burst_t; the queue is a struct vh_txq. */
uint16_t vh_tx_prepare(void *queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t vh_tx_burst(void *queue, struct rte_mbuf **pkts, uint16_t n);

#endif /* VH_TX_H */
