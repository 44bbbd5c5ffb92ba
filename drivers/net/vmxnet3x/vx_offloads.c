/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_offloads.h"

#define RX_ALWAYS                                                                                  \
	(RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_VLAN_STRIP | RTE_ETH_RX_OFFLOAD_VLAN_FILTER | \
		RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_RSS_HASH)

/* IPv4 header checksums are made in tx_prepare, and what the device does not do in tunnels. */
#define TX_ALWAYS                                                                                  \
	(RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM | \
		RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_OUTER_IPV4_CKSUM |                \
		RTE_ETH_TX_OFFLOAD_OUTER_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_MULTI_SEGS |                \
		RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE)

uint64_t
vx_rx_offloads(const struct vx_limits *lim)
{
	uint64_t offloads = RX_ALWAYS;

	if (vmxnet3_rev_get(lim->rev)->lro_type4 && !(lim->disabled & VMXNET3_DISABLED_LRO))
		offloads |= RTE_ETH_RX_OFFLOAD_TCP_LRO;
	/* Results of inner headers; those of outer ones follow from them. */
	if (lim->tunnels != 0)
		offloads |= RTE_ETH_RX_OFFLOAD_OUTER_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM;
	return offloads;
}

uint64_t
vx_tx_offloads(const struct vx_limits *lim)
{
	uint64_t offloads = TX_ALWAYS;

	if (!(lim->disabled & VMXNET3_DISABLED_TSO))
		offloads |= RTE_ETH_TX_OFFLOAD_TCP_TSO;
	if (lim->tunnels & VMXNET3_CAP_VXLAN_TSO)
		offloads |= RTE_ETH_TX_OFFLOAD_VXLAN_TNL_TSO;
	if (lim->tunnels & VMXNET3_CAP_GENEVE_TSO)
		offloads |= RTE_ETH_TX_OFFLOAD_GENEVE_TNL_TSO;
	return offloads;
}
