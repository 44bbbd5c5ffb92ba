/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_tx_plan.h"

#include <errno.h>
#include <stddef.h>

#include <rte_ether.h>
#include <rte_geneve.h>
#include <rte_ip.h>
#include <rte_tcp.h>
#include <rte_udp.h>
#include <rte_vxlan.h>

#include <vmxnet3_mem.h>
#include <vmxnet3_regs.h>

/* What is understood; a tunnel's type alone asks for nothing. */
#define INNER (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)
#define OUTER (RTE_MBUF_F_TX_OUTER_IP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM)
#define SUPPORTED                                                                                  \
	(INNER | OUTER | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_VLAN |            \
		RTE_MBUF_F_TX_OUTER_IPV4 | RTE_MBUF_F_TX_OUTER_IPV6 | RTE_MBUF_F_TX_TUNNEL_MASK)
#define NOT_SUPPORTED (RTE_MBUF_F_TX_OFFLOAD_MASK & ~SUPPORTED)

/* Linux had this one before there was a number for VXLAN, and devices know it. */
#define VXLAN_LINUX_PORT 8472

#define MSS_MAX (UINT32_MAX >> VMXNET3_TXD_MSSCOF_SHIFT)
/* Where a checksum may be. */
#define FIELD_MAX 1024
/* The most that IP can carry, under a header with tags. */
#define TSO_MAX (UINT16_MAX + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

static inline uint64_t
l4_request(const struct rte_mbuf *m)
{
	return m->ol_flags & RTE_MBUF_F_TX_L4_MASK;
}

static uint64_t
offload_fields(uint32_t om, uint32_t hlen, uint32_t msscof)
{
	return (uint64_t)(hlen | om << VMXNET3_TXD_OM_SHIFT) << 32 |
		msscof << VMXNET3_TXD_MSSCOF_SHIFT;
}

/* The header of layer 4 that a checksum is asked for, and the checksum in it. @return 0 or -ENOTSUP */
static int
l4_header(const struct rte_mbuf *m, uint32_t *len, uint32_t *field)
{
	switch (l4_request(m)) {
	case RTE_MBUF_F_TX_TCP_CKSUM:
		*len = sizeof(struct rte_tcp_hdr);
		*field = offsetof(struct rte_tcp_hdr, cksum);
		return 0;
	case RTE_MBUF_F_TX_UDP_CKSUM:
		*len = sizeof(struct rte_udp_hdr);
		*field = offsetof(struct rte_udp_hdr, dgram_cksum);
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* The checksum of a header at @p start that is @p len bytes long at least. */
static int
plan_plain(const struct rte_mbuf *m, uint32_t start, uint32_t len, uint32_t field, struct vx_tx_plan *plan)
{
	if (start > VMXNET3_TXD_HLEN_MASK || start + field > FIELD_MAX || m->pkt_len < start + len)
		return -EINVAL;
	plan->hi |= offload_fields(VMXNET3_OM_CSUM, start, start + field);
	return 0;
}

static int
plan_checksum(const struct rte_mbuf *m, struct vx_tx_plan *plan)
{
	uint32_t len, field;
	int ret = l4_header(m, &len, &field);

	if (ret != 0)
		return ret;
	if (m->l2_len < RTE_ETHER_HDR_LEN || m->l3_len < sizeof(struct rte_ipv4_hdr))
		return -EINVAL;
	return plan_plain(m, m->l2_len + (uint32_t)m->l3_len, len, field, plan);
}

/* @param om,flags  how the descriptor says it; @p hlen bytes of headers, with those around a tunnel */
static int
plan_tso(const struct rte_mbuf *m, uint32_t om, uint32_t flags, uint32_t hlen, struct vx_tx_plan *plan)
{
	uint32_t mss = m->tso_segsz;

	if (mss == 0 || mss > MSS_MAX || hlen > VMXNET3_TXD_HLEN_MASK || m->pkt_len < hlen ||
			m->pkt_len > TSO_MAX)
		return -EINVAL;
	if (m->l3_len < sizeof(struct rte_ipv4_hdr) || m->l4_len < sizeof(struct rte_tcp_hdr))
		return -EINVAL;
	plan->hi |= offload_fields(om, hlen, mss) | flags;
	plan->nb_wire = RTE_MAX((m->pkt_len - hlen + mss - 1) / mss, 1u);
	return 0;
}

/* ---- tunnels ---- */

/* What the device can do for tunnels of one kind. */
struct tunnel_caps {
	bool csum, tso, outer_csum;
};

static bool
goes_to(const struct rte_mbuf *m, uint16_t port, uint16_t other_port)
{
	uint32_t at = m->outer_l2_len + (uint32_t)m->outer_l3_len + offsetof(struct rte_udp_hdr, dst_port);
	const rte_be16_t *field;
	rte_be16_t room, dst;

	field = rte_pktmbuf_read(m, at, sizeof(room), &room);
	if (field == NULL)
		return false;
	memcpy(&dst, field, sizeof(dst));
	return dst == rte_cpu_to_be_16(port) || dst == rte_cpu_to_be_16(other_port);
}

static struct tunnel_caps
tunnel_caps(const struct vx_tx_caps *caps, const struct rte_mbuf *m)
{
	switch (m->ol_flags & RTE_MBUF_F_TX_TUNNEL_MASK) {
	case RTE_MBUF_F_TX_TUNNEL_VXLAN:
		if (!goes_to(m, RTE_VXLAN_DEFAULT_PORT, VXLAN_LINUX_PORT))
			break;
		return (struct tunnel_caps){
			.csum = caps->tunnels & VMXNET3_CAP_VXLAN_INNER_CSUM,
			.tso = caps->tunnels & VMXNET3_CAP_VXLAN_TSO,
			.outer_csum = caps->tunnels & VMXNET3_CAP_VXLAN_OUTER_CSUM,
		};
	case RTE_MBUF_F_TX_TUNNEL_GENEVE:
		if (!goes_to(m, RTE_GENEVE_DEFAULT_PORT, RTE_GENEVE_DEFAULT_PORT))
			break;
		return (struct tunnel_caps){
			.csum = caps->tunnels & VMXNET3_CAP_GENEVE_INNER_CSUM,
			.tso = caps->tunnels & VMXNET3_CAP_GENEVE_TSO,
			.outer_csum = caps->tunnels & VMXNET3_CAP_GENEVE_OUTER_CSUM,
		};
	default:
		break;
	}
	return (struct tunnel_caps){ .csum = false };
}

static int
plan_inner_tso(const struct vx_tx_caps *caps, const struct tunnel_caps *can, const struct rte_mbuf *m,
	struct vx_tx_plan *plan)
{
	uint32_t hlen = vx_tx_l3(m) + m->l3_len + m->l4_len;
	uint32_t flags = caps->encap ? 0 : VMXNET3_TXD_EXT1;

	if (!can->tso)
		return -ENOTSUP;
	if (m->ol_flags & RTE_MBUF_F_TX_OUTER_UDP_CKSUM) {
		if (!can->outer_csum)
			return -ENOTSUP;
		flags |= VMXNET3_TXD_OCO;
	}
	return plan_tso(m, caps->encap ? VMXNET3_OM_ENCAP : VMXNET3_OM_TSO, flags, hlen, plan);
}

/* Bytes of the header of layer 4, with options. 0: it is not there */
static uint32_t
real_l4_len(const struct rte_mbuf *m, uint32_t l4)
{
	const uint8_t *offset;
	uint8_t room;

	if (l4_request(m) == RTE_MBUF_F_TX_UDP_CKSUM)
		return sizeof(struct rte_udp_hdr);
	offset = rte_pktmbuf_read(m, l4 + offsetof(struct rte_tcp_hdr, data_off), 1, &room);
	return offset == NULL ? 0 : (*offset >> 4) * 4u;
}

/* Headers inside are told by where they end, and in their own mode not even where the checksum is. */
static int
plan_inner_checksum(const struct vx_tx_caps *caps, const struct rte_mbuf *m, uint32_t len, uint32_t field,
	struct vx_tx_plan *plan)
{
	uint32_t l4 = vx_tx_l3(m) + m->l3_len, real = real_l4_len(m, l4);

	if (real < len || l4 + real > VMXNET3_TXD_HLEN_MASK || m->pkt_len < l4 + real)
		return -EINVAL;
	if (caps->encap)
		plan->hi |= offload_fields(VMXNET3_OM_ENCAP, l4 + real, 0);
	else
		plan->hi |= offload_fields(VMXNET3_OM_CSUM, l4 + real, l4 + field) | VMXNET3_TXD_EXT1;
	return 0;
}

/* One checksum of a frame can be told. The inner one, if it is made by the device, gives away what the outer one is. */
static int
plan_tunnel(const struct vx_tx_caps *caps, const struct rte_mbuf *m, struct vx_tx_plan *plan)
{
	const struct tunnel_caps can = tunnel_caps(caps, m);
	uint32_t len, field;
	int ret;

	if (m->outer_l2_len < RTE_ETHER_HDR_LEN || m->outer_l3_len < sizeof(struct rte_ipv4_hdr))
		return -EINVAL;
	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
		return plan_inner_tso(caps, &can, m, plan);
	if (l4_request(m) != 0) {
		ret = l4_header(m, &len, &field);
		if (ret != 0)
			return ret;
		if (m->l3_len < sizeof(struct rte_ipv4_hdr))
			return -EINVAL;
		if (can.csum) {
			plan->software |= m->ol_flags & RTE_MBUF_F_TX_OUTER_UDP_CKSUM;
			return plan_inner_checksum(caps, m, len, field, plan);
		}
		plan->software |= l4_request(m);
	}
	if (!(m->ol_flags & RTE_MBUF_F_TX_OUTER_UDP_CKSUM))
		return 0;
	return plan_plain(m, m->outer_l2_len + (uint32_t)m->outer_l3_len, sizeof(struct rte_udp_hdr),
		offsetof(struct rte_udp_hdr, dgram_cksum), plan);
}

/* ---- all ---- */

static int
plan_offload(const struct vx_tx_caps *caps, const struct rte_mbuf *m, struct vx_tx_plan *plan)
{
	uint64_t flags = m->ol_flags;

	if (flags & NOT_SUPPORTED)
		return -ENOTSUP;
	if (flags & RTE_MBUF_F_TX_VLAN)
		plan->hi |= (uint64_t)(VMXNET3_TXD_TI |
			(uint32_t)m->vlan_tci << VMXNET3_TXD_TCI_SHIFT) << 32;
	if (!(flags & (INNER | OUTER)))
		return 0;
	/* A device has IPv4 header checksums only for frames that it segments. */
	plan->software = flags & (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_OUTER_IP_CKSUM);
	if (flags & RTE_MBUF_F_TX_TCP_SEG && !caps->tso)
		return -ENOTSUP;
	if (vx_tx_is_tunnel(m))
		return plan_tunnel(caps, m, plan);
	if (flags & RTE_MBUF_F_TX_TCP_SEG) {
		if (m->l2_len < RTE_ETHER_HDR_LEN)
			return -EINVAL;
		return plan_tso(m, VMXNET3_OM_TSO, 0, m->l2_len + (uint32_t)m->l3_len + m->l4_len, plan);
	}
	return l4_request(m) != 0 ? plan_checksum(m, plan) : 0;
}

int
vx_tx_plan(const struct vx_tx_caps *caps, const struct rte_mbuf *m, struct vx_tx_plan *plan)
{
	uint32_t n = 0, len = 0;
	uint32_t max = m->ol_flags & RTE_MBUF_F_TX_TCP_SEG ? VX_TX_MAX_TSO_DESCS : VX_TX_MAX_DESCS;
	const struct rte_mbuf *s;

	plan->hi = 0;
	plan->nb_wire = 1;
	plan->software = 0;
	for (s = m; s != NULL && n <= max; s = s->next) {
		n += (s->data_len + VMXNET3_TXD_LEN_ZERO - 1) / VMXNET3_TXD_LEN_ZERO;
		len += s->data_len;
	}
	if (n > max || len < RTE_ETHER_HDR_LEN || len != m->pkt_len)
		return -EINVAL;
	plan->nb_descs = n;
	return plan_offload(caps, m, plan);
}
