/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_common.h>

#include "offload_wire.h"
#include "offload_copy.h"
#include "offload_csum.h"
#include "offload_parse.h"

/* Where the copy stands. */
struct progress {
	const struct offload_seg *from, *from_end, *to, *to_end;
	uint32_t from_at, to_at;
};

uint16_t
offload_copy_sum(void *dst, const void *src, uint32_t len)
{
	return offload_sum_copy(dst, src, len);
}

/* Bytes, @p max at most, that are in one segment and go to one piece; 0: an end is reached. */
static inline uint32_t
next_run(struct progress *p, uint32_t max)
{
	while (p->from < p->from_end && p->from_at == p->from->len) {
		p->from++;
		p->from_at = 0;
	}
	while (p->to < p->to_end && p->to_at == p->to->len) {
		p->to++;
		p->to_at = 0;
	}
	if (unlikely(p->from == p->from_end || p->to == p->to_end))
		return 0;
	return RTE_MIN(max, RTE_MIN(p->from->len - p->from_at, p->to->len - p->to_at));
}

static void
copy_plain(struct progress *p, uint32_t len)
{
	uint32_t n;

	for (; len > 0 && (n = next_run(p, len)) > 0; len -= n) {
		/* A guest that sends to itself may send out of its receive buffers. */
		memmove(p->to->data + p->to_at, p->from->data + p->from_at, n);
		p->from_at += n;
		p->to_at += n;
	}
}

static uint16_t
copy_summed(struct progress *p, uint32_t len)
{
	uint32_t done, sum = 0, n;
	uint16_t part;

	for (done = 0; done < len && (n = next_run(p, len - done)) > 0; done += n) {
		part = offload_copy_sum(p->to->data + p->to_at, p->from->data + p->from_at, n);
		sum += done & 1 ? rte_bswap16(part) : part;
		p->from_at += n;
		p->to_at += n;
	}
	return fold_sum(sum);
}

static void
fill_zeros(struct progress *p)
{
	for (; p->to < p->to_end; p->to++, p->to_at = 0)
		memset(p->to->data + p->to_at, 0, p->to->len - p->to_at);
}

static inline struct progress
begin(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to)
{
	return (struct progress){ .from = f->seg, .from_end = f->seg + f->nb_segs, .to = to, .to_end = to + nb_to };
}

static void
copy_all(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to)
{
	struct progress p = begin(f, to, nb_to);

	copy_plain(&p, f->len);
	fill_zeros(&p);
}

/* Copies all of the frame. @return the sum of @p len bytes from @p start on */
static uint16_t
copy_around(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to, uint32_t start, uint32_t len)
{
	struct progress p = begin(f, to, nb_to);
	uint16_t sum;

	copy_plain(&p, start);
	sum = copy_summed(&p, len);
	copy_plain(&p, f->len - start - len);
	fill_zeros(&p);
	return sum;
}

/* The same with a range inside of a range. @return the outer sum, and *inner_sum */
static uint16_t
copy_nested(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to,
	const struct offload_scope *outer, const struct offload_scope *inner, uint16_t *inner_sum)
{
	const uint32_t before = inner->start - outer->start, behind = before + inner->len;
	struct progress p = begin(f, to, nb_to);
	uint32_t sum;
	uint16_t part;

	copy_plain(&p, outer->start);
	sum = copy_summed(&p, before);
	part = copy_summed(&p, inner->len);
	*inner_sum = part;
	sum += before & 1 ? rte_bswap16(part) : part;
	part = copy_summed(&p, outer->len - behind);
	sum += behind & 1 ? rte_bswap16(part) : part;
	copy_plain(&p, f->len - outer->start - outer->len);
	fill_zeros(&p);
	return fold_sum(sum);
}

/* Stores a checksum in the copy, where it may lie in two pieces. */
static void
put_csum(const struct offload_seg *to, uint16_t nb_to, const struct offload_made *made)
{
	const struct offload_seg *end = to + nb_to;
	uint32_t at = made->at, i;

	for (i = 0; i < made->len; i++, at++) {
		for (; to < end && at >= to->len; to++)
			at -= to->len;
		if (unlikely(to == end))
			return;
		to->data[at] = made->bytes[i];
	}
}

/* All of the frame into one piece. */
static inline void
copy_to_one(const struct offload_frame *f, const struct offload_seg *to)
{
	const struct offload_seg *seg = f->seg, *end = seg + f->nb_segs;
	uint8_t *at = to->data;

	for (; seg < end; seg++) {
		/* A guest that sends to itself may send out of its receive buffers. */
		memmove(at, seg->data, seg->len);
		at += seg->len;
	}
	if (unlikely(f->len < to->len))
		memset(at, 0, to->len - f->len);
}

static uint8_t
copy_completed(struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to)
{
	struct offload_made made[2] = { { 0 } };
	uint8_t known;

	if (unlikely(offload_csum_is_crc(f))) {
		copy_all(f, to, nb_to);
		known = offload_csum_make_crc(f, to, nb_to, made);
	} else {
		uint16_t sum = copy_around(f, to, nb_to, f->csum_start, f->len - f->csum_start);

		known = offload_csum_make(f, sum, made);
	}
	put_csum(to, nb_to, &made[0]);
	put_csum(to, nb_to, &made[1]);
	return known;
}

/* One level of headers, outer or inner. @return OFFLOAD_F_CSUM_GOOD, OFFLOAD_F_CSUM_BAD or 0 */
static uint8_t
copy_one_level(struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to,
	const struct offload_headers *hdr, const struct offload_scope *scope, uint8_t known)
{
	uint16_t sum;

	if (scope->len == 0) {
		copy_all(f, to, nb_to);
		return known;
	}
	if (unlikely(scope->crc)) {
		copy_all(f, to, nb_to);
		return offload_csum_judge_crc(f, scope, to, nb_to);
	}
	sum = copy_around(f, to, nb_to, scope->start, scope->len);
	return offload_csum_judge(hdr, scope, sum);
}

/* Whether the frame is a tunnel's whose inner checksums can be looked at. */
static bool
find_inner(struct offload_frame *f, struct offload_headers *inner, struct offload_scope *scope, uint8_t *known)
{
	if (f->flags & OFFLOAD_F_INNER_GOOD || offload_parse_inner(f->seg[0].data, f->seg[0].len, &f->hdr, inner) ==
			OFFLOAD_TUNNEL_NONE || !has_l4_sum(inner))
		return false;
	*known = offload_csum_scope(f, inner, scope);
	return true;
}

static inline uint8_t
inner_flag(uint8_t known)
{
	return known & OFFLOAD_F_CSUM_GOOD ? OFFLOAD_F_INNER_GOOD : 0;
}

/* What was @p known of the outer level is kept. */
static uint8_t
copy_verified(struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to, unsigned int verify, uint8_t known)
{
	const struct offload_headers *hdr = &f->hdr;
	struct offload_scope outer = { 0 }, inner;
	struct offload_headers inner_hdr;
	uint8_t inner_known;
	uint16_t sum;

	offload_frame_parse(f);
	if (verify & OFFLOAD_VERIFY && known == 0)
		known = offload_csum_scope(f, hdr, &outer);
	if (likely(!(verify & OFFLOAD_VERIFY_INNER)) || outer.crc || !find_inner(f, &inner_hdr, &inner, &inner_known))
		return copy_one_level(f, to, nb_to, hdr, &outer, known);
	if (outer.len == 0)
		return known | inner_flag(copy_one_level(f, to, nb_to, &inner_hdr, &inner, inner_known));
	/* An inner packet that says it is longer than its tunnel's is not to be trusted. */
	if (inner.len == 0 || inner.start + inner.len > outer.start + outer.len)
		return copy_one_level(f, to, nb_to, hdr, &outer, known) |
			(inner.len == 0 ? inner_flag(inner_known) : 0);
	known = offload_csum_judge(hdr, &outer, copy_nested(f, to, nb_to, &outer, &inner, &sum));
	return known | inner_flag(offload_csum_judge(&inner_hdr, &inner, sum));
}

uint8_t
offload_copy_frame(struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to, unsigned int verify)
{
	const uint8_t known = f->flags & (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD);
	const uint8_t both = known | (f->flags & OFFLOAD_F_INNER_GOOD);

	if (unlikely(f->request == OFFLOAD_CSUM) && likely(offload_csum_check(f) == 0))
		return copy_completed(f, to, nb_to);
	if (f->request == OFFLOAD_NONE && ((verify & OFFLOAD_VERIFY && known == 0) || verify & OFFLOAD_VERIFY_INNER))
		return copy_verified(f, to, nb_to, verify, known) | both;
	if (likely(nb_to == 1 && f->len <= to->len))
		copy_to_one(f, to);
	else
		copy_all(f, to, nb_to);
	return f->request == OFFLOAD_CSUM ? 0 : both;
}
