/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>

#include "offload_wire.h"
#include "offload_parse.h"

#define IPV4_FRAG_MASK 0x3fff /* more fragments, or an offset */

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

static inline void
parse_ipv6(const uint8_t *ip, uint32_t room, struct offload_headers *hdr)
{
	uint32_t len = IPV6_LEN;
	bool fragment = false;
	uint8_t proto;

	if (room < IPV6_LEN || ip[0] >> 4 != 6)
		return;
	proto = ip[6];
	if (unlikely(proto != PROTO_TCP && proto != PROTO_UDP)) {
		len = walk_extensions(ip, room, &proto, &fragment);
		if (len == 0)
			return;
	}
	hdr->l3_len = (uint16_t)len;
	hdr->ip_proto = proto;
	hdr->flags = OFFLOAD_H_IPV6;
	if (unlikely(fragment)) {
		hdr->flags |= OFFLOAD_H_FRAG;
		return;
	}
	parse_l4(ip + len, room - len, hdr);
}

void
offload_parse(const uint8_t *data, uint32_t len, struct offload_headers *hdr)
{
	uint32_t l2_len = ETHER_HDR_LEN;
	uint16_t type;

	*hdr = (struct offload_headers){ 0 };
	if (unlikely(len < ETHER_HDR_LEN))
		return;

	type = load_be16(data + ETHER_TYPE_AT);
	while (unlikely(is_tag(type)) && hdr->nb_tags < OFFLOAD_MAX_TAGS &&
			len - l2_len >= VLAN_TAG_LEN) {
		if (hdr->nb_tags++ == 0)
			hdr->outer_tci = load_be16(data + l2_len);
		type = load_be16(data + l2_len + 2);
		l2_len += VLAN_TAG_LEN;
	}
	hdr->ether_type = type;
	hdr->l2_len = (uint16_t)l2_len;

	if (likely(type == RTE_ETHER_TYPE_IPV4))
		parse_ipv4(data + l2_len, len - l2_len, hdr);
	else if (type == RTE_ETHER_TYPE_IPV6)
		parse_ipv6(data + l2_len, len - l2_len, hdr);
}
