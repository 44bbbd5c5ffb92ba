/* SPDX-License-Identifier: BSD-3-Clause */
#include "vh_tx_request.h"

#include <errno.h>

#include <rte_ip.h>

#include <offload_csum.h>
#include <offload_parse.h>

#define TCP_HDR_MIN 20
#define UDP_HDR 8
#define SCTP_HDR 12

/* Requests that can be carried out. */
#define INNER (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)
#define OUTER (RTE_MBUF_F_TX_OUTER_IP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM)
#define SUPPORTED (INNER | OUTER | RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 | \
	RTE_MBUF_F_TX_OUTER_IPV4 | RTE_MBUF_F_TX_OUTER_IPV6 | RTE_MBUF_F_TX_TUNNEL_MASK)
#define UNSUPPORTED (RTE_MBUF_F_TX_OFFLOAD_MASK & ~SUPPORTED)
#define SEGMENTATION (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)

/* ---- lengths ---- */

/* Whether lengths without "outer" count from behind an outer IP header. */
static inline bool
is_tunnel(const struct rte_mbuf *m)
{
	return m->ol_flags & (RTE_MBUF_F_TX_TUNNEL_MASK | OUTER);
}

/* Bytes before the layer 2 that the requests are about; a tunnel's own headers are part of that. */
static inline uint32_t
outer_len(const struct rte_mbuf *m)
{
	return is_tunnel(m) ? (uint32_t)m->outer_l2_len + m->outer_l3_len : 0;
}

static inline uint32_t
l3_at(const struct rte_mbuf *m)
{
	return outer_len(m) + m->l2_len;
}

static uint32_t
l4_len_of(const struct rte_mbuf *m)
{
	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
		return m->l4_len;
	if (m->ol_flags & RTE_MBUF_F_TX_UDP_SEG)
		return UDP_HDR;
	switch (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
	case RTE_MBUF_F_TX_TCP_CKSUM:
		return TCP_HDR_MIN;
	case RTE_MBUF_F_TX_UDP_CKSUM:
		return UDP_HDR;
	case RTE_MBUF_F_TX_SCTP_CKSUM:
		return SCTP_HDR;
	default:
		return 0;
	}
}

uint32_t
vh_tx_header_len(const struct rte_mbuf *m)
{
	uint32_t len = 0;

	if (likely(!(m->ol_flags & (INNER | OUTER))))
		return 0;
	if (m->ol_flags & INNER)
		len = l3_at(m) + m->l3_len + l4_len_of(m);
	if (m->ol_flags & RTE_MBUF_F_TX_OUTER_UDP_CKSUM)
		len = RTE_MAX(len, outer_len(m) + UDP_HDR);
	return RTE_MAX(len, outer_len(m));
}

int
vh_tx_check_request(const struct rte_mbuf *m)
{
	uint64_t flags = m->ol_flags, large = flags & SEGMENTATION;
	int ret = rte_validate_tx_offload(m);

	if (ret != 0)
		return ret;
	if (flags & UNSUPPORTED)
		return -ENOTSUP;
	if (flags & (INNER | OUTER) && is_tunnel(m) && (m->outer_l2_len == 0 || m->outer_l3_len == 0))
		return -EINVAL;
	if (large == SEGMENTATION || (large != 0 && m->tso_segsz == 0) ||
			vh_tx_header_len(m) > RTE_MIN(m->pkt_len, (uint32_t)OFFLOAD_HEADER_MAX))
		return -EINVAL;
	if (large == 0 || !is_tunnel(m))
		return 0;
	/* Those that the device knows how to cut in. */
	switch (flags & RTE_MBUF_F_TX_TUNNEL_MASK) {
	case RTE_MBUF_F_TX_TUNNEL_VXLAN:
	case RTE_MBUF_F_TX_TUNNEL_GENEVE:
	case RTE_MBUF_F_TX_TUNNEL_GRE:
	case RTE_MBUF_F_TX_TUNNEL_IPIP:
		return 0;
	default:
		return -ENOTSUP;
	}
}

/* ---- requests ---- */

/* An IPv4 header checksum is made here: it rests on nothing that the device changes later. */
static bool
make_ip_csum(const struct offload_frame *f, uint32_t at, uint32_t len)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(f->seg[0].data + at);

	if (len < sizeof(*ip) || rte_ipv4_hdr_len(ip) != len)
		return false;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	return true;
}

/*
 * The application need not have stored the sum of the pseudo-header. The lengths are those that it
 * gave, which may be of a layer 2 that we know nothing of; but whoever wants to walk extension headers
 * has to agree with us on them.
 */
static bool
ask_csum(struct offload_frame *f, uint32_t l3, uint32_t l3_len, uint8_t proto)
{
	static const struct {
		uint8_t flag, len;
	} l4[] = {
		[IPPROTO_TCP] = { OFFLOAD_H_TCP, TCP_HDR_MIN },
		[IPPROTO_UDP] = { OFFLOAD_H_UDP, UDP_HDR },
		[IPPROTO_SCTP] = { OFFLOAD_H_SCTP, SCTP_HDR },
	};
	bool ipv6 = f->seg[0].data[l3] >> 4 == 6;
	struct offload_headers hdr = {
		.l2_len = (uint16_t)l3,
		.l3_len = (uint16_t)l3_len,
		.l4_len = l4[proto].len,
		.ip_proto = proto,
		.flags = (uint8_t)((ipv6 ? OFFLOAD_H_IPV6 : OFFLOAD_H_IPV4) | l4[proto].flag),
	};
	struct offload_headers inner;
	const struct offload_headers *real = &f->hdr;

	if (ipv6 && l3_len > sizeof(struct rte_ipv6_hdr)) {
		offload_frame_parse(f);
		if (f->hdr.l2_len != l3 && offload_parse_inner(f->seg[0].data, f->seg[0].len, &f->hdr, &inner) !=
				OFFLOAD_TUNNEL_NONE)
			real = &inner;
		if (real->l2_len != hdr.l2_len || real->l3_len != hdr.l3_len || real->ip_proto != hdr.ip_proto ||
				real->flags & OFFLOAD_H_FRAG)
			return false;
	} else if (l3_len < (ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr))) {
		return false;
	}
	return offload_csum_ask(f, &hdr) == 0;
}

static bool
ask_cut(struct offload_frame *f, const struct rte_mbuf *m, enum offload_request request)
{
	if (m->tso_segsz == 0 || (request == OFFLOAD_TSO && m->l4_len < TCP_HDR_MIN))
		return false;
	f->request = (uint8_t)request;
	f->hdr_len = (uint16_t)vh_tx_header_len(m);
	f->mss = m->tso_segsz;
	return true;
}

/* What is asked for of the headers in a tunnel, or of the only ones. */
static bool
ask(struct offload_frame *f, const struct rte_mbuf *m)
{
	switch (m->ol_flags & SEGMENTATION) {
	case RTE_MBUF_F_TX_TCP_SEG:
		return ask_cut(f, m, OFFLOAD_TSO);
	case RTE_MBUF_F_TX_UDP_SEG:
		return ask_cut(f, m, OFFLOAD_USO);
	case 0:
		break;
	default:
		return false;
	}
	switch (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
	case RTE_MBUF_F_TX_L4_NO_CKSUM:
		return true;
	case RTE_MBUF_F_TX_TCP_CKSUM:
		return ask_csum(f, l3_at(m), m->l3_len, IPPROTO_TCP);
	case RTE_MBUF_F_TX_UDP_CKSUM:
		return ask_csum(f, l3_at(m), m->l3_len, IPPROTO_UDP);
	case RTE_MBUF_F_TX_SCTP_CKSUM:
		return ask_csum(f, l3_at(m), m->l3_len, IPPROTO_SCTP);
	default:
		return false;
	}
}

/* The outer UDP checksum: after the inner one, or alone. */
static bool
ask_outer(struct offload_frame *f, const struct rte_mbuf *m)
{
	if (f->request == OFFLOAD_NONE)
		return ask_csum(f, m->outer_l2_len, m->outer_l3_len, IPPROTO_UDP);
	f->flags |= OFFLOAD_F_OUTER_CSUM;
	return f->request != OFFLOAD_CSUM || offload_csum_check(f) == 0;
}

bool
vh_tx_set_request(struct offload_frame *f, const struct rte_mbuf *m)
{
	uint64_t flags = m->ol_flags;

	if (flags & UNSUPPORTED)
		return false;
	if (flags & RTE_MBUF_F_TX_VLAN) {
		f->flags |= OFFLOAD_F_VLAN;
		f->vlan_tci = m->vlan_tci;
	}
	if (!(flags & (INNER | OUTER)))
		return true;
	if (vh_tx_header_len(m) > f->seg[0].len || (flags & INNER && m->l3_len == 0) ||
			(is_tunnel(m) && m->outer_l3_len == 0))
		return false;
	if (flags & RTE_MBUF_F_TX_OUTER_IP_CKSUM && !make_ip_csum(f, m->outer_l2_len, m->outer_l3_len))
		return false;
	if (flags & RTE_MBUF_F_TX_IP_CKSUM && !make_ip_csum(f, l3_at(m), m->l3_len))
		return false;
	if (!ask(f, m))
		return false;
	if (f->request != OFFLOAD_NONE && is_tunnel(m))
		f->flags |= OFFLOAD_F_INNER;
	return !(flags & RTE_MBUF_F_TX_OUTER_UDP_CKSUM) || ask_outer(f, m);
}
