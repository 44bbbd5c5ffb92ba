/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_frames.h"

#include <errno.h>

#include <rte_ip.h>

#include <offload_copy.h>
#include <offload_csum.h>
#include <offload_parse.h>

#define MAX_PIECES 64

static struct built built, inner, outer;
static uint8_t bytes[FRAME_ROOM], wanted[FRAME_ROOM];

/* The destination: pieces of heap, so that a byte too far is seen. */
struct pieces {
	struct offload_seg seg[MAX_PIECES];
	uint16_t nb;
};

static void
pieces_add(struct pieces *p, uint32_t len)
{
	assert_true(p->nb < MAX_PIECES);
	p->seg[p->nb].data = malloc(len);
	p->seg[p->nb].len = len;
	memset(p->seg[p->nb++].data, 0xa5, len);
}

/* Room for @p len bytes in @p parts pieces cut at random. */
static void
pieces_random(struct pieces *p, uint32_t len, uint32_t parts)
{
	uint32_t n;

	p->nb = 0;
	for (; len > 0; len -= n) {
		n = p->nb + 1u >= parts ? len : 1 + rnd(2 * len / parts + 2);
		if (n > len)
			n = len;
		pieces_add(p, n);
	}
}

/* Room in two pieces of which the first ends at a place. */
static void
pieces_at(struct pieces *p, uint32_t len, uint32_t at)
{
	p->nb = 0;
	pieces_add(p, at);
	pieces_add(p, len - at);
}

static void
pieces_free(struct pieces *p)
{
	while (p->nb > 0)
		free(p->seg[--p->nb].data);
}

/* The pieces hold these bytes and then zeros. */
static void
expect(const struct pieces *p, const uint8_t *data, uint32_t len)
{
	uint32_t i, j, at = 0;

	for (i = 0; i < p->nb; i++)
		for (j = 0; j < p->seg[i].len; j++, at++)
			assert_int_equal(p->seg[i].data[j], at < len ? data[at] : 0);
	assert_true(at >= len);
}

/* Copies the frame into the pieces; frees both; returns what is known. The frame must not change. */
static uint8_t
copy_into(struct split *s, struct pieces *p, const uint8_t *want, uint32_t len, unsigned int verify)
{
	struct offload_frame before = s->f;
	uint8_t known;

	gather(&s->f, bytes);
	known = offload_copy_frame(&s->f, p->seg, p->nb, verify);
	expect(p, want, len);
	before.flags |= s->f.flags & OFFLOAD_F_PARSED;
	before.hdr = s->f.hdr;
	assert_memory_equal(&before, &s->f, sizeof(before));
	memcpy(wanted, want, len);
	gather(&s->f, wanted);
	assert_memory_equal(bytes, wanted, len);
	split_free(s);
	pieces_free(p);
	return known;
}

static void
request_csum(struct offload_frame *f, const struct built *b)
{
	f->request = OFFLOAD_CSUM;
	f->csum_start = (uint16_t)l4_at(b);
	f->csum_field = (uint16_t)field_at(b);
}

static struct shape
random_shape(uint32_t i)
{
	return (struct shape){ .tags = i % 3, .ipv6 = i >> 2 & 1, .proto = i & 1 ? 6 : 17,
		.l3_extra = i & 8 ? 8 * rnd(5) : 0, .tcp_options = 4 * rnd(11), .payload = rnd(3000) };
}

static void
sum_of_every_length(void **state)
{
	enum { MAX = 300, SHIFTS = 9 };
	uint32_t len, from, to, i;

	(void)state;
	for (len = 0; len <= MAX; len++)
	for (from = 0; from < SHIFTS; from++)
	for (to = 0; to < SHIFTS; to++) {
		uint8_t *src = malloc(from + len), *dst = malloc(to + len);

		for (i = 0; i < from + len; i++)
			src[i] = from == 0 ? 0xff : (uint8_t)rnd(256);
		assert_int_equal(offload_copy_sum(dst + to, src + from, len), rte_raw_cksum(src + from, len));
		assert_memory_equal(dst + to, src + from, len);
		free(src);
		free(dst);
	}
}

static void
plain(void **state)
{
	struct pieces p;
	struct split s;
	uint32_t i, len;

	(void)state;
	for (i = 0; i < 3000; i++) {
		len = 1 + rnd(i % 7 == 0 ? OFFLOAD_FRAME_MAX : 300);
		for (uint32_t j = 0; j < len; j++)
			outer.data[j] = (uint8_t)rnd(256);
		split_random(&s, outer.data, len, 1, 1 + i % 9);
		pieces_random(&p, len + (i & 1 ? rnd(100) : 0), 1 + i % 5);
		s.f.flags = i % 3 == 0 ? 0 : i % 3 == 1 ? OFFLOAD_F_CSUM_GOOD : OFFLOAD_F_CSUM_BAD;
		assert_int_equal(copy_into(&s, &p, outer.data, len, false),
			i % 3 == 0 ? 0 : i % 3 == 1 ? OFFLOAD_F_CSUM_GOOD : OFFLOAD_F_CSUM_BAD);
	}
}

static void
completed(void **state)
{
	struct pieces p;
	struct split s;
	uint32_t i;

	(void)state;
	for (i = 0; i < 6000; i++) {
		struct shape shape = random_shape(i);

		build(&built, &shape);
		outer = built;
		put_seed(&built);
		split_random(&s, built.data, built.len, OFFLOAD_HEADER_BYTES, 1 + i % 9);
		request_csum(&s.f, &built);
		if (i & 16) /* the field in two pieces */
			pieces_at(&p, built.len, field_at(&built) + 1);
		else
			pieces_random(&p, built.len + (i & 32 ? rnd(70) : 0), 1 + i % 7);
		assert_int_equal(copy_into(&s, &p, outer.data, outer.len, i & 64 ? OFFLOAD_VERIFY : 0), OFFLOAD_F_CSUM_GOOD);
	}
}

static void
verified(void **state)
{
	struct pieces p;
	struct split s;
	uint32_t i, pad, at;
	uint8_t known;

	(void)state;
	for (i = 0; i < 6000; i++) {
		struct shape shape = random_shape(i);

		build(&built, &shape);
		pad = i & 16 ? rnd(60) : 0;
		memset(built.data + built.len, 0xee, pad);
		at = l4_at(&built) + built.l4;
		if (i & 32 && at < built.len)
			built.data[at + rnd(built.len - at)] ^= 0x10;
		split_random(&s, built.data, built.len + pad, OFFLOAD_HEADER_BYTES, 1 + rnd(6));
		offload_csum_verify(&s.f);
		known = s.f.flags & (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD);
		s.f.flags = 0;
		pieces_random(&p, built.len + pad + rnd(9), 1 + i % 7);
		if (!(i & 32))
			assert_int_equal(known, OFFLOAD_F_CSUM_GOOD);
		assert_int_equal(copy_into(&s, &p, built.data, built.len + pad, true), known);
	}
}

/* A VXLAN packet around @p inner; its outer checksum is finished or absent. @return where the inner frame begins */
static uint32_t
wrap(struct built *b, const struct built *in, bool ipv6, bool csum)
{
	struct shape shape = { .proto = 17, .ipv6 = ipv6, .payload = 8 + in->len };
	uint32_t at;

	build(b, &shape);
	at = l4_at(b) + 8;
	put16(b->data + l4_at(b) + 2, 4789);
	memset(b->data + at, 0, 8);
	b->data[at] = 8;
	memcpy(b->data + at + 8, in->data, in->len);
	put_csum(b);
	if (!csum)
		put16(b->data + field_at(b), 0);
	return at + 8;
}

/* Both checksums of a tunnel, in place and in the copy. */
static void
completed_in_a_tunnel(void **state)
{
	static struct built seeded;
	struct pieces p;
	struct split s;
	uint32_t i, at;
	bool both, there;
	uint8_t known;

	(void)state;
	for (i = 0; i < 4000; i++) {
		struct shape shape = random_shape(i);

		/* The outer one: to be made, right already, not there (which is unknown over IPv6), wrong. */
		both = i & 64;
		there = i & 256;
		known = both || (there ? !(i & 512) : !(i & 128)) ? OFFLOAD_F_CSUM_GOOD : 0;
		known |= OFFLOAD_F_INNER_GOOD;
		build(&inner, &shape);
		wrap(&outer, &inner, i & 128, both || there);
		put_seed(&inner);
		at = wrap(&seeded, &inner, i & 128, both);
		if (both) {
			put16(seeded.data + field_at(&seeded), rnd(65536));
		} else if (there) {
			outer.data[field_at(&outer)] ^= i & 512 ? 0x10 : 0;
			memcpy(seeded.data + field_at(&seeded), outer.data + field_at(&outer), 2);
		}
		split_random(&s, seeded.data, seeded.len, OFFLOAD_HEADER_BYTES + 60, 1 + i % 9);
		request_csum(&s.f, &inner);
		s.f.csum_start += at;
		s.f.csum_field += at;
		s.f.flags = OFFLOAD_F_INNER | (both ? OFFLOAD_F_OUTER_CSUM : 0);
		assert_int_equal(offload_csum_check(&s.f), 0);
		if (i & 16) {
			assert_int_equal(offload_csum_complete(&s.f), 0);
			assert_int_equal(s.f.flags & ~OFFLOAD_F_PARSED, known);
			assert_int_equal(gather(&s.f, bytes), outer.len);
			assert_memory_equal(bytes, outer.data, outer.len);
			split_free(&s);
			continue;
		}
		pieces_random(&p, seeded.len, 1 + i % 7);
		assert_int_equal(copy_into(&s, &p, outer.data, outer.len, 0), known);
	}
}

/* A tunnel's packet without request: each level's verdict is its own, and the same as without a copy. */
static void
verified_in_a_tunnel(void **state)
{
	struct offload_headers hdr;
	uint32_t i, at, rotten;
	uint8_t known, inside;
	struct pieces p;
	struct split s;

	(void)state;
	for (i = 0; i < 8000; i++) {
		struct shape shape = random_shape(i);
		bool csum = i & 64;

		shape.l3_extra = 0;
		shape.payload++;
		build(&inner, &shape);
		at = l4_at(&inner) + inner.l4;
		rotten = i >> 8 & 3;
		if (rotten & 1)
			inner.data[at + rnd(inner.len - at)] ^= 0x10;
		at = wrap(&outer, &inner, i & 128, csum);
		if (rotten & 2) /* in the VNI */
			outer.data[at - 3] ^= 0x10;
		split_random(&s, outer.data, outer.len, OFFLOAD_HEADER_BYTES, 1 + rnd(6));
		offload_csum_verify(&s.f);
		known = s.f.flags & (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD);
		if (csum)
			assert_int_equal(known, rotten & 2 ? OFFLOAD_F_CSUM_BAD : OFFLOAD_F_CSUM_GOOD);
		assert_int_equal(offload_parse_inner(s.seg[0].data, s.seg[0].len, &s.f.hdr, &hdr),
			OFFLOAD_TUNNEL_VXLAN);
		inside = offload_csum_verify_inner(&s.f, &hdr);
		assert_int_equal(inside, rotten & 1 ? OFFLOAD_F_CSUM_BAD : OFFLOAD_F_CSUM_GOOD);
		s.f.flags = i & 32 ? known : 0;
		pieces_random(&p, outer.len + rnd(9), 1 + i % 7);
		inside = inside == OFFLOAD_F_CSUM_GOOD ? OFFLOAD_F_INNER_GOOD : 0;
		assert_int_equal(copy_into(&s, &p, outer.data, outer.len, OFFLOAD_VERIFY | OFFLOAD_VERIFY_INNER),
			known | inside);
	}
}

/* Requests for the outer checksum where there is none, and for places that do not exist. */
static void
refused(void **state)
{
	struct shape shape = { .proto = 6, .payload = 300 };
	struct pieces p;
	struct split s;
	uint32_t i, at;

	(void)state;
	build(&inner, &shape);
	for (i = 0; i < 5; i++) {
		at = wrap(&outer, &inner, false, true);
		if (i == 1)
			put16(outer.data + l4_at(&outer) + 4, outer.len - l4_at(&outer) - 1);
		if (i == 2)
			outer.data[outer.l2 + 9] = 47;
		if (i == 3)
			put16(outer.data + outer.l2 + 6, 0x2000);
		split_random(&s, outer.data, outer.len, OFFLOAD_HEADER_BYTES, 3);
		request_csum(&s.f, &inner);
		s.f.csum_start += i == 4 ? 0 : at;
		s.f.csum_field += i == 4 ? 0 : at;
		s.f.flags = OFFLOAD_F_INNER | OFFLOAD_F_OUTER_CSUM;
		assert_int_equal(offload_csum_check(&s.f), i == 0 ? 0 : -EINVAL);
		if (i == 0) {
			split_free(&s);
			continue;
		}
		assert_int_equal(offload_csum_complete(&s.f), -EINVAL);
		pieces_random(&p, outer.len, 4);
		assert_int_equal(copy_into(&s, &p, outer.data, outer.len, 0), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_of_every_length),
		cmocka_unit_test(plain),
		cmocka_unit_test(completed),
		cmocka_unit_test(verified),
		cmocka_unit_test(completed_in_a_tunnel),
		cmocka_unit_test(verified_in_a_tunnel),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests_name("offload_copy", tests, NULL, NULL);
}
