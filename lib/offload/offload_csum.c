/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "offload_wire.h"
#include "offload_csum.h"
#include "offload_parse.h"

#define IPV6_ROUTING_TYPE0 0
#define IPV6_ROUTING_TYPE2 2
#define IPV6_ROUTING_SRH   4

uint16_t
offload_sum(const struct offload_frame *f, uint32_t offset, uint32_t len)
{
	const struct offload_seg *seg = f->seg;
	const struct offload_seg *end = seg + f->nb_segs;
	uint32_t sum = 0, done = 0, n;

	for (; seg < end && offset >= seg->len; seg++)
		offset -= seg->len;
	for (; seg < end && done < len; seg++) {
		n = RTE_MIN(seg->len - offset, len - done);
		sum += part_sum(seg->data + offset, n, done);
		done += n;
		offset = 0;
	}
	return fold_sum(sum);
}

/*
 * The destination that the pseudo-header has (RFC 8200, 8.1): the final one, which a packet on
 * its way through a routing header has there. The extension headers lie within l3_len, as the
 * parse saw to.
 */
static const uint8_t *
ipv6_final_dst(const uint8_t *ip, uint32_t l3_len)
{
	uint32_t at, len;
	uint8_t kind = ip[6];

	for (at = IPV6_LEN; at < l3_len; at += len) {
		const uint8_t *ext = ip + at;

		len = ipv6_ext_len(ext, kind);
		if (len == 0)
			break;
		if (kind == IPV6_EXT_ROUTING && ext[3] != 0 && len >= 8 + 16) {
			if (ext[2] == IPV6_ROUTING_SRH)
				return ext + 8;
			if (ext[2] == IPV6_ROUTING_TYPE0 || ext[2] == IPV6_ROUTING_TYPE2)
				return ext + 8 + RTE_ALIGN_FLOOR(len - 8, 16) - 16;
		}
		kind = ext[0];
	}
	return ip + 24;
}

uint32_t
offload_pseudo_sum(const uint8_t *data, const struct offload_headers *hdr, uint32_t l4_len)
{
	const uint8_t *ip = data + hdr->l2_len;
	uint32_t sum = rte_cpu_to_be_16(hdr->ip_proto) +
		(uint32_t)rte_cpu_to_be_16((uint16_t)l4_len);

	if (hdr->flags & OFFLOAD_H_IPV4)
		return __rte_raw_cksum(ip + 12, 8, sum);
	if (likely(hdr->l3_len == IPV6_LEN))
		return __rte_raw_cksum(ip + 8, 32, sum);
	sum = __rte_raw_cksum(ip + 8, 16, sum);
	return __rte_raw_cksum(ipv6_final_dst(ip, hdr->l3_len), 16, sum);
}

static inline bool
ipv4_header_good(const uint8_t *data, const struct offload_headers *hdr)
{
	return rte_raw_cksum(data + hdr->l2_len, hdr->l3_len) == 0xffff;
}

static inline uint32_t
csum_field_of(const struct offload_headers *hdr)
{
	return hdr->l2_len + hdr->l3_len +
		(hdr->flags & OFFLOAD_H_TCP ? TCP_CSUM_AT : UDP_CSUM_AT);
}

/* Stores the inverse of a sum. In UDP, a zero would mean that there is no checksum. */
static inline void
store_csum(uint8_t *field, uint16_t sum, bool udp)
{
	uint16_t csum = (uint16_t)~sum;

	store_raw16(field, udp && csum == 0 ? 0xffff : csum);
}

/* Whether the request is for the outermost layer 4, and the IPv4 header below it is right. */
static bool
completes_outermost(struct offload_frame *f)
{
	const struct offload_headers *hdr = &f->hdr;

	offload_frame_parse(f);
	if (!has_l4_sum(hdr) || f->csum_start != hdr->l2_len + hdr->l3_len ||
			f->csum_field != csum_field_of(hdr))
		return false;
	return hdr->flags & OFFLOAD_H_IPV6 || ipv4_header_good(f->seg[0].data, hdr);
}

int
offload_csum_complete(struct offload_frame *f)
{
	uint8_t *field;

	if (f->request == OFFLOAD_NONE)
		return 0;
	/* The field holds the seed, hence it must lie in what is summed. */
	if (f->request != OFFLOAD_CSUM || f->csum_start > f->csum_field ||
			f->csum_field + 2u > f->seg[0].len)
		return -EINVAL;

	field = f->seg[0].data + f->csum_field;
	store_csum(field, offload_sum(f, f->csum_start, f->len - f->csum_start),
		f->csum_field - f->csum_start == UDP_CSUM_AT);
	f->request = OFFLOAD_NONE;
	f->flags &= (uint8_t)~(OFFLOAD_F_INNER | OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD);
	if (completes_outermost(f))
		f->flags |= OFFLOAD_F_CSUM_GOOD;
	return 0;
}

/* Bytes that layer 4 has by the length fields, 0 if these do not fit the frame. */
static uint32_t
l4_extent(const struct offload_frame *f, const struct offload_headers *hdr)
{
	const uint8_t *ip = f->seg[0].data + hdr->l2_len;
	uint32_t ip_len, l4_len, udp_len;

	if (hdr->flags & OFFLOAD_H_IPV4)
		ip_len = load_be16(ip + 2);
	else
		ip_len = IPV6_LEN + load_be16(ip + 4);
	if (ip_len > f->len - hdr->l2_len || ip_len < (uint32_t)hdr->l3_len + hdr->l4_len)
		return 0;

	l4_len = ip_len - hdr->l3_len;
	if (hdr->flags & OFFLOAD_H_TCP)
		return l4_len;
	udp_len = load_be16(ip + hdr->l3_len + 4);
	return udp_len < UDP_LEN || udp_len > l4_len ? 0 : udp_len;
}

int
offload_csum_ask(struct offload_frame *f, const struct offload_headers *hdr)
{
	uint8_t *data = f->seg[0].data;
	uint32_t l4_len;

	if (f->request != OFFLOAD_NONE || hdr->l4_len == 0 || !has_l4_sum(hdr) ||
			(uint32_t)hdr->l2_len + hdr->l3_len + hdr->l4_len > f->seg[0].len)
		return -EINVAL;
	l4_len = l4_extent(f, hdr);
	if (l4_len == 0)
		return -EINVAL;
	f->request = OFFLOAD_CSUM;
	f->csum_start = (uint16_t)(hdr->l2_len + hdr->l3_len);
	f->csum_field = (uint16_t)csum_field_of(hdr);
	store_raw16(data + f->csum_field, fold_sum(offload_pseudo_sum(data, hdr, l4_len)));
	return 0;
}

/*
 * The flag that says what is known about the layer 4 checksum, or 0. With @p finish, a checksum
 * that a kernel left to hardware is made first.
 */
static uint8_t
check_l4(struct offload_frame *f, uint32_t l4_len, bool finish)
{
	const struct offload_headers *hdr = &f->hdr;
	uint8_t *data = f->seg[0].data;
	uint8_t *field = data + csum_field_of(hdr);
	bool udp = hdr->flags & OFFLOAD_H_UDP;
	uint16_t pseudo, sum;

	/* No checksum: fine over IPv4; over IPv6 allowed in some tunnels, unknown here. */
	if (udp && load_raw16(field) == 0)
		return hdr->flags & OFFLOAD_H_IPV4 ? OFFLOAD_F_CSUM_GOOD : 0;

	pseudo = fold_sum(offload_pseudo_sum(data, hdr, l4_len));
	sum = offload_sum(f, hdr->l2_len + hdr->l3_len, l4_len);
	if (fold_sum((uint32_t)sum + pseudo) == 0xffff)
		return OFFLOAD_F_CSUM_GOOD;
	if (finish && load_raw16(field) == pseudo) {
		store_csum(field, sum, udp);
		return OFFLOAD_F_CSUM_GOOD;
	}
	/* Options and extension headers (source route, home address) can change the sum. */
	if (hdr->l3_len != (hdr->flags & OFFLOAD_H_IPV4 ? IPV4_MIN_LEN : IPV6_LEN))
		return 0;
	return OFFLOAD_F_CSUM_BAD;
}

static void
check_frame(struct offload_frame *f, bool finish)
{
	const struct offload_headers *hdr = &f->hdr;
	uint32_t l4_len;

	if (f->request != OFFLOAD_NONE || f->flags & OFFLOAD_F_CSUM_GOOD)
		return;
	f->flags &= (uint8_t)~OFFLOAD_F_CSUM_BAD;
	offload_frame_parse(f);
	if (!has_l4_sum(hdr))
		return;
	l4_len = l4_extent(f, hdr);
	if (l4_len == 0)
		return;
	if (hdr->flags & OFFLOAD_H_IPV4 && !ipv4_header_good(f->seg[0].data, hdr))
		f->flags |= OFFLOAD_F_CSUM_BAD;
	else
		f->flags |= check_l4(f, l4_len, finish);
}

void
offload_csum_verify(struct offload_frame *f)
{
	check_frame(f, false);
}

void
offload_csum_repair(struct offload_frame *f)
{
	check_frame(f, true);
}
