/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>

#include "offload_wire.h"
#include "offload_parse.h"

#define IPV4_FRAG_MASK 0x3fff /* more fragments, or an offset */

#define PORT_GENEVE     6081
#define PORT_VXLAN      4789
#define PORT_VXLAN_OLD  8472 /* Linux before there was a number, and flannel today */
#define VXLAN_LEN       8
#define VXLAN_HAS_VNI   0x08
#define GENEVE_MIN_LEN  8
#define GENEVE_VERSION  0xc0
#define GENEVE_OPT_MASK 0x3f /* in words */

#define GRE_MIN_LEN  4
#define GRE_CSUM     0x8000 /* each of the three adds a word */
#define GRE_KEY      0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_REFUSED  0x4c07 /* what only RFC 1701 had, routing above all; and versions other than 0 */

static inline bool
is_tag(uint16_t type)
{
	return type == RTE_ETHER_TYPE_VLAN || type == RTE_ETHER_TYPE_QINQ;
}

/* @p room bytes from @p l4 on. */
static inline void
parse_l4(const uint8_t *l4, uint32_t room, struct offload_headers *hdr)
{
	uint32_t len;

	if (likely(hdr->ip_proto == PROTO_TCP)) {
		if (room < TCP_MIN_LEN)
			return;
		len = (l4[12] >> 4) * 4;
		if (len < TCP_MIN_LEN || len > room)
			return;
		hdr->l4_len = (uint16_t)len;
		hdr->flags |= OFFLOAD_H_TCP;
	} else if (hdr->ip_proto == PROTO_UDP && room >= UDP_LEN) {
		hdr->l4_len = UDP_LEN;
		hdr->flags |= OFFLOAD_H_UDP;
	} else if (hdr->ip_proto == PROTO_SCTP && room >= SCTP_LEN) {
		hdr->l4_len = SCTP_LEN;
		hdr->flags |= OFFLOAD_H_SCTP;
	}
}

static inline void
parse_ipv4(const uint8_t *ip, uint32_t room, struct offload_headers *hdr)
{
	uint32_t len;

	if (room < IPV4_MIN_LEN || ip[0] >> 4 != 4)
		return;
	len = (ip[0] & 0xf) * 4;
	if (len < IPV4_MIN_LEN || len > room)
		return;
	hdr->l3_len = (uint16_t)len;
	hdr->ip_proto = ip[9];
	hdr->flags = OFFLOAD_H_IPV4;
	if (unlikely(load_be16(ip + 6) & IPV4_FRAG_MASK)) {
		hdr->flags |= OFFLOAD_H_FRAG;
		return;
	}
	parse_l4(ip + len, room - len, hdr);
}

static inline bool
is_ext_header(uint8_t kind)
{
	static const uint8_t none[2];

	return ipv6_ext_len(none, kind) != 0;
}

/*
 * Walks the extension headers, up to a fragment header: what follows that one need not be the
 * beginning of anything.
 *
 * @return length of the fixed header and all extensions, 0 if they are cut short or too many.
 */
static uint32_t
walk_extensions(const uint8_t *ip, uint32_t room, uint8_t *proto, bool *fragment)
{
	uint32_t len = IPV6_LEN, step;
	unsigned int i;

	*fragment = false;
	for (i = 0; is_ext_header(*proto); i++) {
		if (i == OFFLOAD_MAX_EXT_HEADERS || room - len < 8)
			return 0;
		step = ipv6_ext_len(ip + len, *proto);
		if (step > room - len)
			return 0;
		*fragment = *proto == IPV6_EXT_FRAGMENT;
		*proto = ip[len];
		len += step;
		if (*fragment)
			break;
	}
	return len;
}

/* What is not plain TCP or UDP; apart, so that what is needs no stack. */
static __rte_noinline void
parse_ipv6_extended(const uint8_t *ip, uint32_t room, uint8_t proto, struct offload_headers *hdr)
{
	bool fragment;
	uint32_t len;

	len = walk_extensions(ip, room, &proto, &fragment);
	if (len == 0)
		return;
	hdr->l3_len = (uint16_t)len;
	hdr->ip_proto = proto;
	hdr->flags = OFFLOAD_H_IPV6;
	if (fragment)
		hdr->flags |= OFFLOAD_H_FRAG;
	else
		parse_l4(ip + len, room - len, hdr);
}

static inline void
parse_ipv6(const uint8_t *ip, uint32_t room, struct offload_headers *hdr)
{
	uint8_t proto;

	if (room < IPV6_LEN || ip[0] >> 4 != 6)
		return;
	proto = ip[6];
	if (unlikely(proto != PROTO_TCP && proto != PROTO_UDP)) {
		parse_ipv6_extended(ip, room, proto, hdr);
		return;
	}
	hdr->l3_len = IPV6_LEN;
	hdr->ip_proto = proto;
	hdr->flags = OFFLOAD_H_IPV6;
	parse_l4(ip + IPV6_LEN, room - IPV6_LEN, hdr);
}

/* Layers 3 and 4 of a packet of that EtherType that begins @p at bytes into the data. */
static inline void
parse_l3(const uint8_t *data, uint32_t len, uint32_t at, uint16_t type, struct offload_headers *hdr)
{
	hdr->ether_type = type;
	hdr->l2_len = (uint16_t)at;
	if (likely(type == RTE_ETHER_TYPE_IPV4))
		parse_ipv4(data + at, len - at, hdr);
	else if (type == RTE_ETHER_TYPE_IPV6)
		parse_ipv6(data + at, len - at, hdr);
}

/* A frame that begins @p at bytes into the data. @return whether all of an Ethernet header is there. */
static inline bool
parse_ether(const uint8_t *data, uint32_t len, uint32_t at, struct offload_headers *hdr)
{
	uint32_t l2_end = at + ETHER_HDR_LEN;
	uint16_t type;

	if (unlikely(len < l2_end))
		return false;

	type = load_be16(data + at + ETHER_TYPE_AT);
	while (unlikely(is_tag(type)) && hdr->nb_tags < OFFLOAD_MAX_TAGS &&
			len - l2_end >= VLAN_TAG_LEN) {
		if (hdr->nb_tags++ == 0)
			hdr->outer_tci = load_be16(data + l2_end);
		type = load_be16(data + l2_end + 2);
		l2_end += VLAN_TAG_LEN;
	}
	parse_l3(data, len, l2_end, type, hdr);
	return true;
}

void
offload_parse(const uint8_t *data, uint32_t len, struct offload_headers *hdr)
{
	*hdr = (struct offload_headers){ 0 };
	parse_ether(data, len, 0, hdr);
}

/* ---- tunnels: each finds where the inner packet begins, and its EtherType, TEB for a frame ---- */

/* By its destination port. @p at: behind the UDP header. */
static enum offload_tunnel
udp_tunnel(const uint8_t *data, uint32_t len, uint32_t *at, uint16_t *type)
{
	const uint8_t *p = data + *at;
	uint16_t port = load_be16(p - UDP_LEN + 2);
	uint32_t room = len - *at;

	*type = RTE_ETHER_TYPE_TEB;
	if (port == PORT_VXLAN || port == PORT_VXLAN_OLD) {
		*at += VXLAN_LEN;
		return room >= VXLAN_LEN && p[0] & VXLAN_HAS_VNI ? OFFLOAD_TUNNEL_VXLAN :
			OFFLOAD_TUNNEL_NONE;
	}
	if (port != PORT_GENEVE || room < GENEVE_MIN_LEN || p[0] & GENEVE_VERSION ||
			load_be16(p + 2) != RTE_ETHER_TYPE_TEB)
		return OFFLOAD_TUNNEL_NONE;
	*at += GENEVE_MIN_LEN + (p[0] & GENEVE_OPT_MASK) * 4;
	return OFFLOAD_TUNNEL_GENEVE;
}

static enum offload_tunnel
gre_tunnel(const uint8_t *data, uint32_t len, uint32_t *at, uint16_t *type)
{
	const uint8_t *p = data + *at;
	uint16_t flags;

	if (len - *at < GRE_MIN_LEN)
		return OFFLOAD_TUNNEL_NONE;
	flags = load_be16(p);
	*type = load_be16(p + 2);
	if (flags & GRE_REFUSED)
		return OFFLOAD_TUNNEL_NONE;
	*at += GRE_MIN_LEN + (flags & GRE_CSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) +
		(flags & GRE_SEQUENCE ? 4 : 0);
	flags &= GRE_CSUM | GRE_KEY | GRE_SEQUENCE;
	if (*type == RTE_ETHER_TYPE_TEB)
		return flags == GRE_KEY ? OFFLOAD_TUNNEL_NVGRE : OFFLOAD_TUNNEL_GRE;
	return *type == RTE_ETHER_TYPE_IPV4 || *type == RTE_ETHER_TYPE_IPV6 ? OFFLOAD_TUNNEL_GRE :
		OFFLOAD_TUNNEL_NONE;
}

static enum offload_tunnel
find_tunnel(const uint8_t *data, uint32_t len, const struct offload_headers *outer, uint32_t *at,
	uint16_t *type)
{
	*at = (uint32_t)outer->l2_len + outer->l3_len + outer->l4_len;
	if (outer->l3_len == 0 || outer->flags & OFFLOAD_H_FRAG || *at > len)
		return OFFLOAD_TUNNEL_NONE;
	if (outer->flags & OFFLOAD_H_UDP)
		return udp_tunnel(data, len, at, type);
	switch (outer->ip_proto) {
	case PROTO_GRE:
		return gre_tunnel(data, len, at, type);
	case PROTO_IPV4:
		*type = RTE_ETHER_TYPE_IPV4;
		return OFFLOAD_TUNNEL_IPIP;
	case PROTO_IPV6:
		*type = RTE_ETHER_TYPE_IPV6;
		return OFFLOAD_TUNNEL_IPIP;
	default:
		return OFFLOAD_TUNNEL_NONE;
	}
}

enum offload_tunnel
offload_parse_inner(const uint8_t *data, uint32_t len, const struct offload_headers *outer,
	struct offload_headers *inner)
{
	enum offload_tunnel tunnel;
	uint16_t type = 0;
	uint32_t at;

	*inner = (struct offload_headers){ 0 };
	tunnel = find_tunnel(data, len, outer, &at, &type);
	if (tunnel == OFFLOAD_TUNNEL_NONE || at > len)
		return OFFLOAD_TUNNEL_NONE;
	if (type == RTE_ETHER_TYPE_TEB)
		return parse_ether(data, len, at, inner) ? tunnel : OFFLOAD_TUNNEL_NONE;
	parse_l3(data, len, at, type, inner);
	return tunnel;
}
