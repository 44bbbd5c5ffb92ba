/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_common.h>

#include "offload_wire.h"
#include "offload_copy.h"
#include "offload_csum.h"

/* Where the copy stands. */
struct progress {
	const struct offload_seg *from, *from_end, *to, *to_end;
	uint32_t from_at, to_at;
};

uint16_t
offload_copy_sum(void *dst, const void *src, uint32_t len)
{
	memmove(dst, src, len);
	return rte_raw_cksum(dst, len);
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

/* Copies all of the frame. @return the sum of @p len bytes from @p start on */
static uint16_t
copy_around(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to, uint32_t start, uint32_t len)
{
	struct progress p = { .from = f->seg, .from_end = f->seg + f->nb_segs, .to = to, .to_end = to + nb_to };
	uint16_t sum;

	copy_plain(&p, start);
	sum = copy_summed(&p, len);
	copy_plain(&p, f->len - start - len);
	fill_zeros(&p);
	return sum;
}

/* Stores a checksum in the copy, where it may lie in two pieces. */
static void
put_csum(const struct offload_seg *to, uint16_t nb_to, const struct offload_made *made)
{
	const struct offload_seg *end = to + nb_to;
	uint32_t at = made->at, i;
	uint8_t bytes[2];

	store_raw16(bytes, made->csum);
	for (i = 0; i < 2; i++, at++) {
		for (; to < end && at >= to->len; to++)
			at -= to->len;
		if (unlikely(to == end))
			return;
		to->data[at] = bytes[i];
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
	struct offload_made made[2];
	uint16_t sum;
	uint8_t known;

	sum = copy_around(f, to, nb_to, f->csum_start, f->len - f->csum_start);
	known = offload_csum_make(f, sum, made);
	put_csum(to, nb_to, &made[0]);
	if (unlikely(made[1].at != 0))
		put_csum(to, nb_to, &made[1]);
	return known;
}

static uint8_t
copy_verified(struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to)
{
	struct offload_scope scope;
	uint8_t known = offload_csum_scope(f, &scope);
	uint16_t sum;

	if (scope.len == 0) {
		copy_around(f, to, nb_to, f->len, 0);
		return known;
	}
	sum = copy_around(f, to, nb_to, scope.start, scope.len);
	return offload_csum_judge(&f->hdr, &scope, sum);
}

uint8_t
offload_copy_frame(struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to, bool verify)
{
	const uint8_t known = f->flags & (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD);

	if (unlikely(f->request == OFFLOAD_CSUM) && likely(offload_csum_check(f) == 0))
		return copy_completed(f, to, nb_to);
	if (f->request == OFFLOAD_NONE && verify && known == 0)
		return copy_verified(f, to, nb_to);
	if (likely(nb_to == 1 && f->len <= to->len))
		copy_to_one(f, to);
	else
		copy_around(f, to, nb_to, f->len, 0);
	return f->request == OFFLOAD_CSUM ? 0 : known;
}
