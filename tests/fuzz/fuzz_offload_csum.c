/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums of any frame, cut into any segments, with any request: completed and verified in place, and in a copy into
 * any pieces. Each segment and each piece is its own piece of heap, so that the address sanitizer sees every byte
 * touched outside; what must hold whatever the input is checked here, with a checksum of the plainest kind.
 *
 * Input: struct head, then nb_cuts bytes (lengths of the first segments), then the frame.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <offload_copy.h>
#include <offload_csum.h>
#include <offload_parse.h>
#include <offload_sum.h>

#include "cut_frame.h"


/* head::options */
#define OPT_INNER     0x01
#define OPT_OUTER     0x02
#define OPT_PLAUSIBLE 0x04 /* offsets of the request as parsed, not as given */
#define OPT_ROOM      0x08 /* the pieces have more room than the frame has bytes */
#define OPT_WHOLE     0x10 /* the first segment is not cut below the header bytes */

struct head {
	uint8_t options;
	uint8_t nb_cuts;
	uint8_t stretch;  /* frame is made longer by so many times 256 bytes */
	uint8_t path;     /* which of the CPU's ways to sum */
	uint8_t piece[2]; /* what the lengths of the pieces come from */
	uint8_t arg[4];   /* csum_start, csum_field */
};

static uint8_t after[CUT_MAX_LEN + 256], second[CUT_MAX_LEN + 256];
static struct offload_seg pieces[CUT_MAX_SEGS];

static uint32_t
gather(const struct offload_seg *seg, uint32_t n, uint8_t *to)
{
	uint32_t i, at = 0;

	for (i = 0; i < n; i++) {
		memcpy(to + at, seg[i].data, seg[i].len);
		at += seg[i].len;
	}
	return at;
}

static void
must_be(const struct offload_frame *f, const uint8_t *bytes)
{
	MUST(gather(f->seg, f->nb_segs, after) == f->len && memcmp(after, bytes, f->len) == 0);
}

/* The copy in pieces, gathered in second[]; the frame must stay as it is. @return what is known */
static uint8_t
copy(struct offload_frame *f, const struct head *head, const uint8_t *bytes, unsigned int verify)
{
	uint32_t room = f->len + (head->options & OPT_ROOM ? head->piece[1] : 0), left, n, i;
	uint8_t known;

	for (i = 0, left = room; left > 0; i++, left -= n) {
		n = i + 1 == CUT_MAX_SEGS ? left : (uint32_t)(head->piece[0] + i * head->piece[1]) % 300 + 1;
		if (n > left)
			n = left;
		pieces[i] = (struct offload_seg){ malloc(n), n };
		MUST(pieces[i].data != NULL);
		memset(pieces[i].data, 0xa5, n);
	}
	known = offload_copy_frame(f, pieces, (uint16_t)i, verify);
	MUST(gather(pieces, i, second) == room);
	for (n = f->len; n < room; n++)
		MUST(second[n] == 0);
	while (i > 0)
		free(pieces[--i].data);
	must_be(f, bytes);
	return known;
}

/* Looking changes nothing; what was repaired is right; a copy is the same, and so is what is known of it. */
static void
check_verify(struct offload_frame *f, const struct head *head)
{
	const uint8_t both = OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD;
	struct offload_headers inner;
	uint8_t first, known, inside = 0;

	known = copy(f, head, whole, OFFLOAD_VERIFY | OFFLOAD_VERIFY_INNER);
	MUST(memcmp(second, whole, f->len) == 0);
	offload_csum_verify(f);
	first = f->flags & both;
	MUST(first != both && (known & both) == first);
	must_be(f, whole);
	if (offload_parse_inner(f->seg[0].data, f->seg[0].len, &f->hdr, &inner) != OFFLOAD_TUNNEL_NONE)
		inside = offload_csum_verify_inner(f, &inner);
	MUST(inside != both && (!(known & OFFLOAD_F_INNER_GOOD) || inside == OFFLOAD_F_CSUM_GOOD));
	f->flags = 0;
	MUST(copy(f, head, whole, OFFLOAD_VERIFY) == first && copy(f, head, whole, 0) == 0);

	f->flags |= first;
	offload_csum_repair(f);
	MUST(!(first & OFFLOAD_F_CSUM_GOOD) || f->flags & OFFLOAD_F_CSUM_GOOD);
	if (!(f->flags & OFFLOAD_F_CSUM_GOOD) || first & OFFLOAD_F_CSUM_GOOD)
		must_be(f, whole);
	first = f->flags & both;
	f->flags &= (uint8_t)~both;
	offload_csum_verify(f);
	MUST((f->flags & both) == first);
}

static void
request(struct offload_frame *f, const struct head *head)
{
	struct offload_headers inner, *h = &f->hdr;

	f->request = OFFLOAD_CSUM;
	f->csum_start = get16(head->arg);
	f->csum_field = get16(head->arg + 2);
	f->flags |= (head->options & OPT_INNER ? OFFLOAD_F_INNER : 0) |
		(head->options & OPT_OUTER ? OFFLOAD_F_OUTER_CSUM : 0);
	if (!(head->options & OPT_PLAUSIBLE))
		return;
	offload_frame_parse(f);
	if (head->options & OPT_INNER && offload_parse_inner(f->seg[0].data, f->seg[0].len, h, &inner) !=
			OFFLOAD_TUNNEL_NONE)
		h = &inner;
	f->csum_start = h->l2_len + h->l3_len;
	f->csum_field = f->csum_start + (h->flags & OFFLOAD_H_TCP ? 16 : h->flags & OFFLOAD_H_SCTP ? 8 : 6);
}

/* Outside of the checksums' fields the bytes are the frame's. @return whether SCTP's field was made */
static bool
same_but_for_fields(const struct offload_frame *asked, const uint8_t *done)
{
	const struct offload_headers *h = &asked->hdr;
	uint32_t field = asked->csum_field, outer = h->l2_len + h->l3_len + 6, i;
	bool crc = field - asked->csum_start == 8 && h->flags & OFFLOAD_H_SCTP;

	for (i = 0; i < asked->len; i++) {
		if (i - field < (crc ? 4 : 2) || (asked->flags & OFFLOAD_F_OUTER_CSUM && i - outer < 2))
			continue;
		MUST(done[i] == whole[i]);
	}
	return crc;
}

/* A completed frame is the copy of one that asked; with the sum in place of the seed, it sums to the seed's inverse. */
static void
check_complete(struct offload_frame *f, const struct head *head)
{
	struct offload_frame asked;
	uint8_t known, flags;
	uint32_t start, field;
	int ret;

	request(f, head);
	ret = offload_csum_check(f);
	known = copy(f, head, whole, OFFLOAD_VERIFY);
	offload_frame_parse(f);
	asked = *f;
	MUST(offload_csum_complete(f) == ret);
	if (ret != 0) {
		MUST(f->request == OFFLOAD_CSUM && known == 0);
		must_be(f, whole);
		MUST(memcmp(second, whole, f->len) == 0);
		return;
	}
	start = asked.csum_start;
	field = asked.csum_field;
	MUST(f->request == OFFLOAD_NONE && start <= field && field + 2 <= f->seg[0].len);
	must_be(f, second);
	flags = f->flags & (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD | OFFLOAD_F_INNER_GOOD);
	MUST(flags == known && !(flags & OFFLOAD_F_CSUM_BAD));
	if (!same_but_for_fields(&asked, second) && !((field - start) & 1))
		MUST(((uint64_t)plain_sum(second + start, f->len - start, 0) + get16(whole + field)) % 0xffff == 0);
}

/* A checksum that a frame asks for by its headers, in the copy as well. */
static void
check_asked(struct offload_frame *f, const struct head *head)
{
	uint8_t known;

	offload_frame_parse(f);
	if (offload_csum_ask(f, &f->hdr) != 0)
		return;
	MUST(offload_csum_check(f) == 0);
	gather(f->seg, f->nb_segs, whole);
	known = copy(f, head, whole, 0);
	MUST(offload_csum_complete(f) == 0);
	must_be(f, second);
	MUST((f->flags & OFFLOAD_F_CSUM_GOOD) == (known & OFFLOAD_F_CSUM_GOOD));
}

static void
choose_path(uint8_t which)
{
	const struct offload_sum_path *path = offload_sum_paths();
	uint32_t n = 0;

	while (path[n].name != NULL)
		n++;
	offload_sum_path = path[which % n];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct offload_frame f;
	struct head head;
	const uint8_t *cuts;
	uint32_t len;

	if (size < sizeof(head) + 1)
		return 0;
	memcpy(&head, data, sizeof(head));
	cuts = data + sizeof(head);
	size -= sizeof(head);
	if (size <= head.nb_cuts)
		return 0;
	len = stretch(cuts + head.nb_cuts, size - head.nb_cuts, head.stretch);
	choose_path(head.path);

	cut_frame(&f, len, cuts, head.nb_cuts, head.options & OPT_WHOLE);
	check_verify(&f, &head);
	unload(&f);

	cut_frame(&f, len, cuts, head.nb_cuts, head.options & OPT_WHOLE);
	check_complete(&f, &head);
	unload(&f);

	cut_frame(&f, len, cuts, head.nb_cuts, head.options & OPT_WHOLE);
	check_asked(&f, &head);
	unload(&f);
	return 0;
}
