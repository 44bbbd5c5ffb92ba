/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segmentation of any frame, cut into any segments, with any request. Each segment, where a piece comes from and where
 * it goes, is its own piece of heap, so that the address sanitizer sees every byte touched outside; what must hold
 * whatever the input is checked here, with a checksum of the plainest kind.
 *
 * Input: struct head, then nb_cuts bytes (lengths of the first segments) and nb_parts bytes (lengths of what a
 * piece goes to, in turn), then the frame.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <offload_csum.h>
#include <offload_parse.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#include "cut_frame.h"

#define MAX_PIECES 300

/* head::options */
#define OPT_TAG        0x01 /* an out-of-band tag */
#define OPT_INNER      0x02
#define OPT_PLAUSIBLE  0x04 /* hdr_len as parsed, not as given */
#define OPT_RACE       0x08 /* segments after the first change all the time */
#define OPT_WHOLE      0x10 /* the first segment is not cut below the header bytes */
#define OPT_USO        0x20
#define OPT_OUTER_CSUM 0x40
#define OPT_BY_LAYER   0x80 /* OPT_USO by what is in the frame */

struct head {
	uint8_t options;
	uint8_t nb_cuts;
	uint8_t nb_parts;
	uint8_t stretch; /* frame is made longer by so many times 256 bytes */
	uint8_t tci[2];
	uint8_t hdr_len[2];
	uint8_t mss[2];
};

static uint8_t piece[CUT_MAX_LEN + OFFLOAD_HEADROOM], copy[CUT_MAX_LEN + 300];

/* Where the headers are that the request is about. */
struct layers {
	uint32_t l3, l4;       /* the repeated ones */
	uint32_t outer3, outer4;
	bool v6, outer6, outer_udp;
};

static void
load(struct offload_frame *f, const struct head *head, const uint8_t *cuts, uint32_t len)
{
	cut_frame(f, len, cuts, head->nb_cuts, head->options & OPT_WHOLE);
	f->flags = (head->options & OPT_TAG ? OFFLOAD_F_VLAN : 0) | (head->options & OPT_INNER ? OFFLOAD_F_INNER : 0) |
		(head->options & OPT_OUTER_CSUM ? OFFLOAD_F_OUTER_CSUM : 0);
	f->vlan_tci = get16(head->tci);
}

static void
change_guest_memory(struct offload_frame *f)
{
	uint32_t i;

	for (i = 1; i < f->nb_segs; i++)
		memset(f->seg[i].data, (int)(f->seg[i].data[0] * 5 + i), f->seg[i].len);
}

/* The request; MSS so that there are not too many pieces. */
static void
ask(struct offload_frame *f, const struct head *head, struct layers *l)
{
	struct offload_headers outer, inner, *h = &outer;

	*l = (struct layers){ 0 };
	offload_parse(f->seg[0].data, f->seg[0].len, &outer);
	if (f->flags & OFFLOAD_F_INNER) {
		h = &inner;
		offload_parse_inner(f->seg[0].data, f->seg[0].len, &outer, &inner);
		l->outer3 = outer.l2_len;
		l->outer4 = outer.l2_len + outer.l3_len;
		l->outer6 = outer.flags & OFFLOAD_H_IPV6;
		l->outer_udp = outer.flags & OFFLOAD_H_UDP;
	}
	l->l3 = h->l2_len;
	l->l4 = l->l3 + h->l3_len;
	l->v6 = h->flags & OFFLOAD_H_IPV6;
	f->request = head->options & OPT_USO ? OFFLOAD_USO : OFFLOAD_TSO;
	if (head->options & OPT_BY_LAYER)
		f->request = h->flags & OFFLOAD_H_UDP ? OFFLOAD_USO : OFFLOAD_TSO;
	f->hdr_len = get16(head->hdr_len);
	if (head->options & OPT_PLAUSIBLE)
		f->hdr_len = (uint16_t)(l->l4 + h->l4_len);
	f->mss = get16(head->mss);
	if (f->mss != 0 && f->len / f->mss > MAX_PIECES)
		f->mss = (uint16_t)(f->mss + f->len / MAX_PIECES);
}

static uint32_t
gather(const struct offload_frame *f)
{
	uint32_t i, at = 0;

	for (i = 0; i < f->nb_segs; i++) {
		MUST(f->seg[i].len > 0 && at + f->seg[i].len <= CUT_MAX_LEN);
		memcpy(piece + at, f->seg[i].data, f->seg[i].len);
		at += f->seg[i].len;
	}
	MUST(at == f->len);
	return at;
}

/* The next piece in parts of the given lengths, the last of them with some more room. */
static void
copy_piece(struct offload_tso *tso, const uint8_t *parts, uint32_t nb_parts)
{
	uint32_t len = offload_tso_next_len(tso), at = 0, n = 0, i;
	struct offload_seg to[CUT_MAX_SEGS];

	for (i = 0; i < nb_parts && at < len && n < CUT_MAX_SEGS - 1; i++, n++) {
		to[n].len = parts[i];
		at += parts[i];
	}
	if (at < len || n == 0)
		to[n++].len = (at < len ? len - at : 0) + (nb_parts & 7);
	for (i = 0; i < n; i++)
		to[i].data = malloc(to[i].len + (to[i].len == 0));
	offload_tso_copy(tso, to, (uint16_t)n);
	for (i = 0, at = 0; i < n; i++) {
		memcpy(copy + at, to[i].data, to[i].len);
		at += to[i].len;
		free(to[i].data);
	}
	for (; len < at; len++)
		MUST(copy[len] == 0);
}

static void
check_ip(const uint8_t *p, uint32_t l3, uint32_t l4, bool v6, uint32_t len, uint32_t index)
{
	if (v6) {
		MUST(get16(p + l3 + 4) == len - l3 - 40);
		return;
	}
	MUST(get16(p + l3 + 2) == len - l3);
	MUST(get16(p + l3 + 4) == (uint16_t)(get16(whole + l3 + 4) + index));
	MUST(plain_sum(p + l3, l4 - l3, 0) == 0xffff);
}

/* With a pseudo-header if there is nothing in the way that could change it. */
static void
check_sum(const uint8_t *p, uint32_t l3, uint32_t l4, bool v6, uint8_t proto, uint32_t len)
{
	uint32_t pseudo = proto + len - l4;

	if (v6 && l4 - l3 != 40)
		return;
	pseudo = v6 ? plain_sum(p + l3 + 8, 32, pseudo) : plain_sum(p + l3 + 12, 8, pseudo);
	MUST(plain_sum(p + l4, len - l4, pseudo) == 0xffff);
}

/* The bytes of a piece, whichever way it came. */
static void
check_bytes(const uint8_t *p, uint32_t len, const struct offload_frame *f, const struct layers *l, uint32_t index)
{
	bool udp = f->request == OFFLOAD_USO;

	check_ip(p, l->l3, l->l4, l->v6, len, index);
	check_sum(p, l->l3, l->l4, l->v6, udp ? 17 : 6, len);
	if (udp)
		MUST(get16(p + l->l4 + 4) == len - l->l4 && get16(p + l->l4 + 6) != 0);
	if (!(f->flags & OFFLOAD_F_INNER))
		return;
	check_ip(p, l->outer3, l->outer4, l->outer6, len, index);
	if (!l->outer_udp)
		return;
	MUST(get16(p + l->outer4 + 4) == len - l->outer4);
	if (f->flags & OFFLOAD_F_OUTER_CSUM || get16(whole + l->outer4 + 6) != 0)
		check_sum(p, l->outer3, l->outer4, l->outer6, 17, len);
	else
		MUST(get16(p + l->outer4 + 6) == 0);
}

/* One piece as a frame: as long as it must be, with the payload that is next, as the verifier likes it. */
static void
check_frame(struct offload_frame *got, const struct offload_frame *f, const struct head *head, uint32_t pos,
	uint32_t len)
{
	bool good = got->flags & OFFLOAD_F_CSUM_GOOD;

	MUST(got->len == len && len - f->hdr_len <= f->mss && got->nb_segs <= OFFLOAD_TSO_SEGS);
	MUST(got->request == OFFLOAD_NONE && !(got->flags & OFFLOAD_F_INNER));
	if (!(head->options & OPT_RACE)) {
		MUST(memcmp(piece + f->hdr_len, whole + f->hdr_len + pos, len - f->hdr_len) == 0);
		got->flags &= (uint8_t)~OFFLOAD_F_CSUM_GOOD;
		offload_csum_verify(got);
		MUST(!(got->flags & OFFLOAD_F_CSUM_BAD));
		MUST(got->hdr.l4_len == 0 || got->hdr.flags & OFFLOAD_H_SCTP ||
			good == !!(got->flags & OFFLOAD_F_CSUM_GOOD));
	}
	offload_vlan_push(got);
	MUST(got->len == len + (head->options & OPT_TAG ? 4 : 0));
}

static void
check_pieces(struct offload_frame *f, const struct head *head, const uint8_t *parts, const struct layers *l)
{
	static struct offload_tso tso, other;
	uint32_t pos = 0, len, i, skip = 0;
	struct offload_frame *got;
	int count;

	count = offload_tso_begin(&tso, f);
	MUST(offload_tso_begin(&other, f) == count);
	for (i = 0; (got = offload_tso_next(&tso)) != NULL; i++) {
		len = gather(got);
		MUST(len >= f->hdr_len && offload_tso_next_len(&other) == len);
		check_bytes(piece, len, f, l, i);
		if (head->options & OPT_RACE)
			change_guest_memory(f);
		copy_piece(&other, parts + skip, head->nb_parts - skip);
		if (head->options & OPT_RACE)
			check_bytes(copy, len, f, l, i);
		else
			MUST(memcmp(copy, piece, len) == 0);
		MUST(other.piece.flags == got->flags && other.piece.len == len);
		check_frame(got, f, head, pos, len);
		pos += len - f->hdr_len;
		skip = skip < head->nb_parts ? skip + 1 : 0;
	}
	MUST(offload_tso_next_len(&other) == 0);
	MUST(count < 0 ? i == 0 : i == (uint32_t)count && count >= 1);
	MUST(count < 0 || pos == f->len - f->hdr_len);
}

/* An IP header of one large packet; what may have changed of it is forgotten then. */
static void
check_whole_ip(uint32_t l3, uint32_t l4, bool v6, uint32_t len)
{
	check_ip(piece, l3, l4, v6, len, 0);
	memcpy(piece + l3 + (v6 ? 4 : 2), whole + l3 + (v6 ? 4 : 2), 2);
	if (!v6)
		memcpy(piece + l3 + 10, whole + l3 + 10, 2);
}

/* Whole: lengths and header checksums are right then, an outer UDP checksum is there if it should; nothing else changes. */
static void
check_whole(struct offload_frame *f, const struct layers *l, uint32_t len)
{
	uint8_t *udp = piece + l->outer4;

	if (offload_tso_whole(f) != 0)
		return;
	MUST(f->request == OFFLOAD_TSO && gather(f) == len);
	check_whole_ip(l->l3, l->l4, l->v6, len);
	if (f->flags & OFFLOAD_F_INNER) {
		check_whole_ip(l->outer3, l->outer4, l->outer6, len);
		MUST(l->outer_udp && get16(udp + 4) == len - l->outer4);
		MUST((get16(udp + 6) != 0) == (f->flags & OFFLOAD_F_OUTER_CSUM || get16(whole + l->outer4 + 6) != 0));
		memcpy(udp + 4, whole + l->outer4 + 4, 4);
	}
	MUST(memcmp(piece, whole, len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cuts, *parts;
	struct offload_frame f;
	struct layers layers;
	struct head head;
	uint32_t len;

	if (size < sizeof(head) + 1)
		return 0;
	memcpy(&head, data, sizeof(head));
	cuts = data + sizeof(head);
	parts = cuts + head.nb_cuts;
	size -= sizeof(head);
	if (size <= (size_t)head.nb_cuts + head.nb_parts)
		return 0;
	len = stretch(parts + head.nb_parts, size - head.nb_cuts - head.nb_parts, head.stretch);

	load(&f, &head, cuts, len);
	ask(&f, &head, &layers);
	check_pieces(&f, &head, parts, &layers);
	unload(&f);

	load(&f, &head, cuts, len);
	ask(&f, &head, &layers);
	check_whole(&f, &layers, len);
	unload(&f);
	return 0;
}
