/* SPDX-License-Identifier: BSD-3-Clause */
#include "our_pieces.h"

#include <string.h>

/* A first segment with all headers, then what may be in guest memory: at any address, of any length. */
static void
split(struct our_pieces *o, const struct large_frame *f)
{
	uint32_t n = 1 + large_below(OUR_MAX_SEGS - 1), at = 0, len, i;
	uint8_t *mem = o->mem + OFFLOAD_HEADROOM;

	for (i = 0; at < f->len; i++, at += len, mem += len + 1) {
		len = f->len - at;
		if (i + 1 < n)
			len = 1 + large_below(len);
		if (i == 0 && len < f->hdr_len)
			len = f->hdr_len;
		memcpy(mem, f->data + at, len);
		o->seg[i] = (struct offload_seg){ mem, len };
	}
	o->frame = (struct offload_frame){ .seg = o->seg, .nb_segs = (uint16_t)i, .len = f->len };
}

int
our_begin(struct our_pieces *o, const struct large_frame *f)
{
	int count;

	split(o, f);
	o->frame.request = f->udp ? OFFLOAD_USO : OFFLOAD_TSO;
	o->frame.hdr_len = (uint16_t)f->hdr_len;
	o->frame.mss = (uint16_t)f->mss;
	if (f->tunnel != LARGE_PLAIN)
		o->frame.flags |= OFFLOAD_F_INNER;
	if (f->outer_csum)
		o->frame.flags |= OFFLOAD_F_OUTER_CSUM;
	count = offload_tso_begin(&o->next, &o->frame);
	return offload_tso_begin(&o->copy, &o->frame) == count ? count : -1;
}

int
our_next(struct our_pieces *o)
{
	const struct offload_frame *got = offload_tso_next(&o->next);
	uint32_t len = offload_tso_next_len(&o->copy), at = 0, first, i;
	struct offload_seg to[3];

	if (got == NULL || len == 0)
		return got == NULL && len == 0 ? 0 : -1;
	for (i = 0; i < got->nb_segs; at += got->seg[i++].len)
		memcpy(o->piece + at, got->seg[i].data, got->seg[i].len);
	if (at != len || got->len != len)
		return -1;
	/* As into a receiver's buffers: the header in one, or split anywhere. */
	first = large_below(len + 1);
	at = large_below(len - first + 1);
	to[0] = (struct offload_seg){ o->copied, first };
	to[1] = (struct offload_seg){ o->copied + first, at };
	to[2] = (struct offload_seg){ o->copied + first + at, len - first - at };
	offload_tso_copy(&o->copy, to, 3);
	return memcmp(o->piece, o->copied, len) == 0 ? (int)len : -1;
}
