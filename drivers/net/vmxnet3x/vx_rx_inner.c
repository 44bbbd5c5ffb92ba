/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_rx_inner.h"

#include <stddef.h>

#include <rte_ip.h>
#include <rte_udp.h>

#include <offload_parse.h>

#include "vx_csum.h"

#define CHECKSUMS ((uint64_t)(RTE_MBUF_F_RX_IP_CKSUM_MASK | RTE_MBUF_F_RX_L4_CKSUM_MASK))

/* The layers of a frame with a tunnel. */
struct layers {
	struct offload_headers outer, inner;
	enum offload_tunnel tunnel;
};

/* ---- types ---- */

static uint32_t
outer_type(const struct layers *l)
{
	static const uint32_t tunnels[] = {
		[OFFLOAD_TUNNEL_VXLAN] = RTE_PTYPE_L4_UDP | RTE_PTYPE_TUNNEL_VXLAN | RTE_PTYPE_INNER_L2_ETHER,
		[OFFLOAD_TUNNEL_GENEVE] = RTE_PTYPE_L4_UDP | RTE_PTYPE_TUNNEL_GENEVE | RTE_PTYPE_INNER_L2_ETHER,
		[OFFLOAD_TUNNEL_NVGRE] = RTE_PTYPE_TUNNEL_NVGRE | RTE_PTYPE_INNER_L2_ETHER,
		[OFFLOAD_TUNNEL_GRE] = RTE_PTYPE_TUNNEL_GRE,
		[OFFLOAD_TUNNEL_IPIP] = RTE_PTYPE_TUNNEL_IP,
	};

	return RTE_PTYPE_L2_ETHER | tunnels[l->tunnel] |
		(l->outer.flags & OFFLOAD_H_IPV4 ? RTE_PTYPE_L3_IPV4_EXT_UNKNOWN : RTE_PTYPE_L3_IPV6_EXT_UNKNOWN);
}

static uint32_t
inner_type(uint8_t flags)
{
	uint32_t type = 0;

	if (flags & OFFLOAD_H_IPV4)
		type = RTE_PTYPE_INNER_L3_IPV4_EXT_UNKNOWN;
	else if (flags & OFFLOAD_H_IPV6)
		type = RTE_PTYPE_INNER_L3_IPV6_EXT_UNKNOWN;
	if (flags & OFFLOAD_H_FRAG)
		return type | RTE_PTYPE_INNER_L4_FRAG;
	if (flags & OFFLOAD_H_TCP)
		return type | RTE_PTYPE_INNER_L4_TCP;
	return flags & OFFLOAD_H_UDP ? type | RTE_PTYPE_INNER_L4_UDP : type;
}

/* Whether the device found the same inner layers. If not, its checksums are of something else. */
static bool
agrees(uint32_t packet_type, uint8_t flags)
{
	uint32_t l4 = packet_type & RTE_PTYPE_L4_MASK;

	if (!RTE_ETH_IS_IPV4_HDR(packet_type) != !(flags & OFFLOAD_H_IPV4))
		return false;
	return (l4 == RTE_PTYPE_L4_TCP) == !!(flags & OFFLOAD_H_TCP) && (l4 == RTE_PTYPE_L4_UDP) == !!(flags & OFFLOAD_H_UDP);
}

/* ---- outer checksums ---- */

/* Whether a UDP header has the length that the IP header before it has. */
static bool
is_whole(const uint8_t *data, const struct vx_l4 *l4)
{
	return vx_load16(data + l4->at + offsetof(struct rte_udp_hdr, dgram_len)) == rte_cpu_to_be_16((uint16_t)l4->len);
}

/* Whether all that the outer UDP header counts is headers and what the inner checksum is about. */
static bool
is_full(const uint8_t *data, const struct vx_l4 *outer, const struct vx_l4 *inner)
{
	return inner->at > outer->field && outer->at + outer->len == inner->at + inner->len && is_whole(data, outer) &&
		(!inner->udp || is_whole(data, inner));
}

static uint64_t
outer_udp(const struct rte_mbuf *m, const uint8_t *data, const struct layers *l)
{
	struct vx_l4 outer, inner;

	if (!vx_l4_find(data, m->data_len, l->outer.l2_len, l->outer.l3_len, l->outer.flags & OFFLOAD_H_IPV4, true,
			&outer))
		return 0;
	if (vx_load16(data + outer.field) == 0)
		return l->outer.flags & OFFLOAD_H_IPV4 ? RTE_MBUF_F_RX_OUTER_L4_CKSUM_GOOD : 0;
	/* The inner checksum stands for all that it covers: there must be one, and it right. */
	if ((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) != RTE_MBUF_F_RX_L4_CKSUM_GOOD ||
			!vx_l4_find(data, m->data_len, l->inner.l2_len, l->inner.l3_len,
				l->inner.flags & OFFLOAD_H_IPV4, l->inner.flags & OFFLOAD_H_UDP, &inner) ||
			vx_load16(data + inner.field) == 0 || !is_full(data, &outer, &inner))
		return 0;
	return vx_l4_sum_around(data, &outer, &inner) == UINT16_MAX ? RTE_MBUF_F_RX_OUTER_L4_CKSUM_GOOD :
		RTE_MBUF_F_RX_OUTER_L4_CKSUM_BAD;
}

static uint64_t
outer_checksums(const struct vx_rxq *q, const struct rte_mbuf *m, const uint8_t *data, const struct layers *l)
{
	uint64_t offloads = q->dev->eth_dev->data->dev_conf.rxmode.offloads, flags = 0;

	if (offloads & RTE_ETH_RX_OFFLOAD_OUTER_IPV4_CKSUM && l->outer.flags & OFFLOAD_H_IPV4 &&
			rte_raw_cksum(data + l->outer.l2_len, l->outer.l3_len) != UINT16_MAX)
		flags = RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD;
	if (offloads & RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM && l->outer.flags & OFFLOAD_H_UDP)
		flags |= outer_udp(m, data, l);
	return flags;
}

void
vx_rx_describe_inner(const struct vx_rxq *q, struct rte_mbuf *m)
{
	const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);
	struct layers l;

	offload_parse(data, m->data_len, &l.outer);
	l.tunnel = offload_parse_inner(data, m->data_len, &l.outer, &l.inner);
	if (l.tunnel == OFFLOAD_TUNNEL_NONE) {
		/* One that nobody named: whose checksums they are is not known. */
		m->packet_type = RTE_PTYPE_L2_ETHER;
		m->ol_flags &= ~CHECKSUMS;
		return;
	}
	if (!agrees(m->packet_type, l.inner.flags))
		m->ol_flags &= ~CHECKSUMS;
	m->packet_type = outer_type(&l) | inner_type(l.inner.flags);
	/* Of a large frame nobody has made them. */
	if (q->mss == 0)
		m->ol_flags |= outer_checksums(q, m, data, &l);
}
