/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "offload_wire.h"
#include "offload_crc.h"
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
		if (len == 0 || len > l3_len - at)
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
l4_at(const struct offload_headers *hdr)
{
	return hdr->l2_len + hdr->l3_len;
}

static inline uint32_t
csum_field_of(const struct offload_headers *hdr)
{
	if (hdr->flags & OFFLOAD_H_TCP)
		return l4_at(hdr) + TCP_CSUM_AT;
	return l4_at(hdr) + (hdr->flags & OFFLOAD_H_UDP ? UDP_CSUM_AT : SCTP_CSUM_AT);
}

static inline uint32_t
load_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The inverse of a sum. In UDP, a zero would mean that there is no checksum. */
static inline uint16_t
csum_of(uint16_t sum, bool udp)
{
	uint16_t csum = (uint16_t)~sum;

	return udp && csum == 0 ? 0xffff : csum;
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
	if (!(hdr->flags & OFFLOAD_H_UDP))
		return l4_len;
	udp_len = load_be16(ip + hdr->l3_len + 4);
	return udp_len < UDP_LEN || udp_len > l4_len ? 0 : udp_len;
}

/* Whether the request is for this layer 4, and the IPv4 header below it is right. */
static bool
completes(const struct offload_frame *f, const struct offload_headers *hdr)
{
	if (hdr->l4_len == 0 || f->csum_start != l4_at(hdr) || f->csum_field != csum_field_of(hdr))
		return false;
	return hdr->flags & OFFLOAD_H_IPV6 || ipv4_header_good(f->seg[0].data, hdr);
}

/* What is known of the inner headers when the request has been carried out. */
static uint8_t
completes_inner(const struct offload_frame *f)
{
	struct offload_headers inner;

	if (likely(!(f->flags & OFFLOAD_F_INNER)) ||
			offload_parse_inner(f->seg[0].data, f->seg[0].len, &f->hdr, &inner) == OFFLOAD_TUNNEL_NONE)
		return 0;
	return has_l4_sum(&inner) && completes(f, &inner) ? OFFLOAD_F_INNER_GOOD : 0;
}

static inline bool
wants_outer(const struct offload_frame *f)
{
	return (f->flags & (OFFLOAD_F_INNER | OFFLOAD_F_OUTER_CSUM)) == (OFFLOAD_F_INNER | OFFLOAD_F_OUTER_CSUM);
}

/* Whether there is an outer UDP header before the inner request, whose datagram ends with the frame. */
static bool
outer_fits(const struct offload_frame *f)
{
	struct offload_headers hdr;
	uint32_t l4;

	if (f->flags & OFFLOAD_F_PARSED)
		hdr = f->hdr;
	else
		offload_parse(f->seg[0].data, f->seg[0].len, &hdr);
	l4 = hdr.l2_len + hdr.l3_len;
	return hdr.flags & OFFLOAD_H_UDP && l4 + UDP_LEN <= f->csum_start && l4_extent(f, &hdr) == f->len - l4;
}

int
offload_csum_check(const struct offload_frame *f)
{
	/* The field holds the seed, hence it must lie in what is summed. */
	if (f->request != OFFLOAD_CSUM || f->csum_start > f->csum_field || f->csum_field + 2u > f->seg[0].len)
		return -EINVAL;
	if (unlikely(wants_outer(f)) && !outer_fits(f))
		return -EINVAL;
	return 0;
}

bool
offload_csum_is_crc(struct offload_frame *f)
{
	const struct offload_headers *hdr = &f->hdr;

	if (likely(f->csum_field - f->csum_start != SCTP_CSUM_AT))
		return false;
	offload_frame_parse(f);
	return hdr->flags & OFFLOAD_H_SCTP && f->csum_start == l4_at(hdr) && l4_extent(f, hdr) != 0;
}

uint8_t
offload_csum_make_crc(struct offload_frame *f, const struct offload_seg *seg, uint16_t nb_segs,
	struct offload_made *made)
{
	uint32_t crc = rte_cpu_to_le_32(offload_crc_sctp(seg, nb_segs, f->csum_start, l4_extent(f, &f->hdr)));

	made->at = f->csum_field;
	made->len = sizeof(crc);
	memcpy(made->bytes, &crc, sizeof(crc));
	return completes(f, &f->hdr) ? OFFLOAD_F_CSUM_GOOD : 0;
}

/*
 * The outer UDP checksum, once the inner one is known: what it covers is the headers up to the inner layer 4,
 * and the inner range, whose sum was @p inner with the seed in the field and changes with the field.
 */
static uint16_t
outer_csum(const struct offload_frame *f, uint16_t inner, uint16_t field)
{
	const struct offload_headers *hdr = &f->hdr;
	const uint8_t *data = f->seg[0].data;
	uint32_t l4 = hdr->l2_len + hdr->l3_len;
	uint16_t seed = load_raw16(data + f->csum_field);
	uint32_t sum;

	if ((f->csum_field - f->csum_start) & 1) {
		seed = rte_bswap16(seed);
		field = rte_bswap16(field);
	}
	inner = fold_sum((uint32_t)inner + (uint16_t)~seed + field);
	sum = (f->csum_start - l4) & 1 ? rte_bswap16(inner) : inner;
	sum += fold_sum(offload_pseudo_sum(data, hdr, f->len - l4));
	sum += part_sum(data + l4, UDP_CSUM_AT, 0);
	sum += part_sum(data + l4 + UDP_LEN, f->csum_start - l4 - UDP_LEN, 0);
	return csum_of(fold_sum(sum), true);
}

/*
 * What is known of the outer UDP checksum once an inner one is made: there may be none, or the right one, which a kernel
 * can tell from the headers alone.
 */
static uint8_t
outer_known(const struct offload_frame *f, uint16_t inner, uint16_t field)
{
	const struct offload_headers *hdr = &f->hdr;
	const uint8_t *data = f->seg[0].data;
	uint16_t outer;

	if (!(f->flags & OFFLOAD_F_INNER) || !outer_fits(f))
		return 0;
	if (hdr->flags & OFFLOAD_H_IPV4 && !ipv4_header_good(data, hdr))
		return 0;
	outer = load_raw16(data + csum_field_of(hdr));
	if (outer == 0)
		return hdr->flags & OFFLOAD_H_IPV4 ? OFFLOAD_F_CSUM_GOOD : 0;
	return outer == outer_csum(f, inner, field) ? OFFLOAD_F_CSUM_GOOD : 0;
}

static inline void
set_made(struct offload_made *made, uint32_t at, uint16_t csum)
{
	made->at = at;
	made->len = sizeof(csum);
	store_raw16(made->bytes, csum);
}

uint8_t
offload_csum_make(struct offload_frame *f, uint16_t sum, struct offload_made made[2])
{
	const struct offload_headers *hdr = &f->hdr;
	uint16_t csum = csum_of(sum, f->csum_field - f->csum_start == UDP_CSUM_AT);
	uint8_t known;

	offload_frame_parse(f);
	known = completes_inner(f);
	set_made(&made[0], f->csum_field, csum);
	made[1].len = 0;
	if (likely(!wants_outer(f)))
		return known | (has_l4_sum(hdr) && completes(f, hdr) ? OFFLOAD_F_CSUM_GOOD : outer_known(f, sum, csum));
	set_made(&made[1], csum_field_of(hdr), outer_csum(f, sum, csum));
	if (hdr->flags & OFFLOAD_H_IPV6 || ipv4_header_good(f->seg[0].data, hdr))
		known |= OFFLOAD_F_CSUM_GOOD;
	return known;
}

/* Whether the request is odd enough to change what was parsed: a length, a type. */
static inline bool
changes_headers(const struct offload_frame *f)
{
	const struct offload_headers *hdr = &f->hdr;

	return f->csum_field < hdr->l2_len + hdr->l3_len + (hdr->flags & OFFLOAD_H_TCP ? TCP_CSUM_AT : 0);
}

int
offload_csum_complete(struct offload_frame *f)
{
	struct offload_made made[2] = { { 0 } };
	uint8_t known;

	if (f->request == OFFLOAD_NONE)
		return 0;
	if (offload_csum_check(f) != 0)
		return -EINVAL;

	if (unlikely(offload_csum_is_crc(f)))
		known = offload_csum_make_crc(f, f->seg, f->nb_segs, made);
	else
		known = offload_csum_make(f, offload_sum(f, f->csum_start, f->len - f->csum_start), made);
	memcpy(f->seg[0].data + made[0].at, made[0].bytes, made[0].len);
	memcpy(f->seg[0].data + made[1].at, made[1].bytes, made[1].len);
	if (unlikely(changes_headers(f)))
		f->flags &= (uint8_t)~OFFLOAD_F_PARSED;
	f->request = OFFLOAD_NONE;
	f->flags &= (uint8_t)~(OFFLOAD_F_INNER | OFFLOAD_F_OUTER_CSUM | OFFLOAD_F_INNER_GOOD | OFFLOAD_F_CSUM_GOOD |
		OFFLOAD_F_CSUM_BAD);
	f->flags |= known;
	return 0;
}

int
offload_csum_ask(struct offload_frame *f, const struct offload_headers *hdr)
{
	uint8_t *data = f->seg[0].data;
	uint32_t l4_len;

	if (f->request != OFFLOAD_NONE || hdr->l4_len == 0 ||
			(uint32_t)hdr->l2_len + hdr->l3_len + hdr->l4_len > f->seg[0].len)
		return -EINVAL;
	l4_len = l4_extent(f, hdr);
	if (l4_len == 0)
		return -EINVAL;
	f->request = OFFLOAD_CSUM;
	f->csum_start = (uint16_t)(hdr->l2_len + hdr->l3_len);
	f->csum_field = (uint16_t)csum_field_of(hdr);
	if (has_l4_sum(hdr))
		store_raw16(data + f->csum_field, fold_sum(offload_pseudo_sum(data, hdr, l4_len)));
	return 0;
}

uint8_t
offload_csum_scope(const struct offload_frame *f, const struct offload_headers *hdr, struct offload_scope *scope)
{
	const uint8_t *data = f->seg[0].data;

	*scope = (struct offload_scope){ .start = l4_at(hdr), .crc = hdr->flags & OFFLOAD_H_SCTP };
	if (hdr->l4_len == 0)
		return 0;
	scope->len = l4_extent(f, hdr);
	if (scope->len == 0)
		return 0;
	if (hdr->flags & OFFLOAD_H_IPV4 && !ipv4_header_good(data, hdr)) {
		scope->len = 0;
		return OFFLOAD_F_CSUM_BAD;
	}
	if (unlikely(scope->crc))
		return 0;
	/* No checksum: fine over IPv4; over IPv6 allowed in some tunnels, unknown here. */
	if (hdr->flags & OFFLOAD_H_UDP && load_raw16(data + csum_field_of(hdr)) == 0) {
		scope->len = 0;
		return hdr->flags & OFFLOAD_H_IPV4 ? OFFLOAD_F_CSUM_GOOD : 0;
	}
	scope->pseudo = fold_sum(offload_pseudo_sum(data, hdr, scope->len));
	return 0;
}

uint8_t
offload_csum_judge(const struct offload_headers *hdr, const struct offload_scope *scope, uint16_t sum)
{
	if (fold_sum((uint32_t)sum + scope->pseudo) == 0xffff)
		return OFFLOAD_F_CSUM_GOOD;
	/* Options and extension headers (source route, home address) can change the sum. */
	if (hdr->l3_len != (hdr->flags & OFFLOAD_H_IPV4 ? IPV4_MIN_LEN : IPV6_LEN))
		return 0;
	return OFFLOAD_F_CSUM_BAD;
}

uint8_t
offload_csum_judge_crc(const struct offload_frame *f, const struct offload_scope *scope, const struct offload_seg *seg,
	uint16_t nb_segs)
{
	uint32_t told = load_le32(f->seg[0].data + scope->start + SCTP_CSUM_AT);

	if (offload_crc_sctp(seg, nb_segs, scope->start, scope->len) == told)
		return OFFLOAD_F_CSUM_GOOD;
	/* Two peers may agree to send zero (RFC 9653). */
	return told == 0 ? 0 : OFFLOAD_F_CSUM_BAD;
}

/* What is known of the checksums of these headers in the frame; *sum is layer 4's, if it has one that was summed. */
static uint8_t
look(const struct offload_frame *f, const struct offload_headers *hdr, struct offload_scope *scope, uint16_t *sum)
{
	uint8_t known = offload_csum_scope(f, hdr, scope);

	if (scope->len == 0)
		return known;
	if (unlikely(scope->crc))
		return offload_csum_judge_crc(f, scope, f->seg, f->nb_segs);
	*sum = offload_sum(f, scope->start, scope->len);
	return offload_csum_judge(hdr, scope, *sum);
}

/* With @p finish, a checksum that a kernel left to hardware is made. */
static void
check_frame(struct offload_frame *f, bool finish)
{
	const struct offload_headers *hdr = &f->hdr;
	struct offload_scope scope;
	uint16_t sum = 0;
	uint8_t *field, known;

	if (f->request != OFFLOAD_NONE || f->flags & OFFLOAD_F_CSUM_GOOD)
		return;
	f->flags &= (uint8_t)~OFFLOAD_F_CSUM_BAD;
	offload_frame_parse(f);
	known = look(f, hdr, &scope, &sum);
	if (finish && known != OFFLOAD_F_CSUM_GOOD && scope.len != 0 && has_l4_sum(hdr)) {
		field = f->seg[0].data + csum_field_of(hdr);
		if (load_raw16(field) == scope.pseudo) {
			store_raw16(field, csum_of(sum, hdr->flags & OFFLOAD_H_UDP));
			known = OFFLOAD_F_CSUM_GOOD;
		}
	}
	f->flags |= known;
}

uint8_t
offload_csum_verify_inner(const struct offload_frame *f, const struct offload_headers *inner)
{
	struct offload_scope scope;
	uint16_t sum;

	if (f->request == OFFLOAD_CSUM && f->flags & OFFLOAD_F_INNER)
		return has_l4_sum(inner) && completes(f, inner) ? OFFLOAD_F_CSUM_GOOD : 0;
	if (f->flags & OFFLOAD_F_INNER_GOOD)
		return OFFLOAD_F_CSUM_GOOD;
	return f->request == OFFLOAD_NONE ? look(f, inner, &scope, &sum) : 0;
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
