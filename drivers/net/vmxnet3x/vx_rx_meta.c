/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_rx_meta.h"

struct vx_rx_kind vx_rx_kinds[VX_RX_KINDS] __rte_cache_aligned;

static bool
has(uint32_t kind, uint32_t flag)
{
	return (kind & VX_RX_KIND_MASK) << VX_RX_KIND_SHIFT & flag;
}

static uint32_t
packet_type(uint32_t kind)
{
	uint32_t type = RTE_PTYPE_L2_ETHER;

	if (has(kind, VMXNET3_RCD_V4) == has(kind, VMXNET3_RCD_V6))
		return type;
	type |= has(kind, VMXNET3_RCD_V4) ? RTE_PTYPE_L3_IPV4_EXT_UNKNOWN : RTE_PTYPE_L3_IPV6_EXT_UNKNOWN;
	if (has(kind, VMXNET3_RCD_FRG))
		return type | RTE_PTYPE_L4_FRAG;
	if (has(kind, VMXNET3_RCD_TCP) == has(kind, VMXNET3_RCD_UDP))
		return type;
	return type | (has(kind, VMXNET3_RCD_TCP) ? RTE_PTYPE_L4_TCP : RTE_PTYPE_L4_UDP);
}

/*
 * Nothing is known of layer 4 of a fragment, nor of a protocol that the device does not know, nor after an
 * IPv4 header that is wrong. IPv6 has no checksum of its own.
 */
static uint64_t
checksums(uint32_t kind)
{
	bool v4 = has(kind, VMXNET3_RCD_V4), v6 = has(kind, VMXNET3_RCD_V6);
	bool l4 = has(kind, VMXNET3_RCD_TCP) != has(kind, VMXNET3_RCD_UDP);
	uint64_t flags = 0;

	if (kind & VX_RX_KIND_CNC || v4 == v6)
		return 0;
	if (v4) {
		if (!has(kind, VMXNET3_RCD_IPC))
			return RTE_MBUF_F_RX_IP_CKSUM_BAD;
		flags = RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	}
	if (!l4 || has(kind, VMXNET3_RCD_FRG))
		return flags;
	return flags | (has(kind, VMXNET3_RCD_TUC) ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : RTE_MBUF_F_RX_L4_CKSUM_BAD);
}

static uint64_t
others(uint32_t kind)
{
	return (kind & VX_RX_KIND_TAG ? RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED : 0) |
		(kind & VX_RX_KIND_HASH ? RTE_MBUF_F_RX_RSS_HASH : 0);
}

RTE_INIT(vx_rx_kinds_init)
{
	uint32_t kind;

	for (kind = 0; kind < VX_RX_KINDS; kind++) {
		vx_rx_kinds[kind].packet_type = packet_type(kind);
		vx_rx_kinds[kind].ol_flags = checksums(kind) | others(kind);
	}
}
