/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_common.h>

#include "offload_wire.h"
#include "offload_copy.h"
#include "offload_csum.h"
#include "offload_move.h"
#include "offload_parse.h"
#include "offload_walk.h"

uint16_t
offload_copy_sum(void *dst, const void *src, uint32_t len)
{
	return offload_sum_copy(dst, src, len);
}

static void
copy_all(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to)
{
	struct offload_walk from = offload_walk_begin(f->seg, f->nb_segs);
	struct offload_walk at = offload_walk_begin(to, nb_to);

	offload_walk_copy(&from, &at, f->len);
	offload_walk_zero(&at);
}

/* Copies all of the frame. @return the sum of @p len bytes from @p start on */
static uint16_t
copy_around(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to, uint32_t start, uint32_t len)
{
	struct offload_walk from = offload_walk_begin(f->seg, f->nb_segs);
	struct offload_walk at = offload_walk_begin(to, nb_to);
	uint16_t sum;

	offload_walk_copy(&from, &at, start);
	sum = offload_walk_copy_sum(&from, &at, len);
	offload_walk_copy(&from, &at, f->len - start - len);
	offload_walk_zero(&at);
	return sum;
}

/* The same with a range inside of a range. @return the outer sum, and *inner_sum */
static uint16_t
copy_nested(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to,
	const struct offload_scope *outer, const struct offload_scope *inner, uint16_t *inner_sum)
{
	const uint32_t before = inner->start - outer->start, behind = before + inner->len;
	struct offload_walk from = offload_walk_begin(f->seg, f->nb_segs);
	struct offload_walk at = offload_walk_begin(to, nb_to);
	uint32_t sum;
	uint16_t part;

	offload_walk_copy(&from, &at, outer->start);
	sum = offload_walk_copy_sum(&from, &at, before);
	part = offload_walk_copy_sum(&from, &at, inner->len);
	*inner_sum = part;
	sum += before & 1 ? rte_bswap16(part) : part;
	part = offload_walk_copy_sum(&from, &at, outer->len - behind);
	sum += behind & 1 ? rte_bswap16(part) : part;
	offload_walk_copy(&from, &at, f->len - outer->start - outer->len);
	offload_walk_zero(&at);
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

/* All of the frame into one piece, which has room for it. */
static inline void
copy_to_one(const struct offload_frame *f, const struct offload_seg *to)
{
	/* What will be copied after it is not known here. */
	const struct offload_next next = { .to = to->data, .from = to->data };
	uint8_t *at = offload_move_segs(to->data, f->seg, f->nb_segs, next);

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
