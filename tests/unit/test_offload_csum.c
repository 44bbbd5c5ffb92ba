/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_frames.h"

#include <errno.h>

#include <offload_copy.h>
#include <offload_crc.h>
#include <offload_csum.h>
#include <offload_parse.h>

static struct built built, wanted;
static uint8_t bytes[FRAME_ROOM];

static uint16_t
net_order(uint16_t memory_order)
{
	uint8_t p[2];

	memcpy(p, &memory_order, 2);
	return get16(p);
}

/* Every way to cut a few bytes into segments: bit i says whether a segment ends after byte i. */
static void
sum_over_every_split(void **state)
{
	enum { LEN = 11 };
	uint8_t data[LEN];
	struct split s;
	uint32_t cuts, i, from, len;

	(void)state;
	for (i = 0; i < LEN; i++)
		data[i] = (uint8_t)(0xf1 - i * 29);
	for (cuts = 0; cuts < 1u << (LEN - 1); cuts++) {
		split_begin(&s);
		for (i = from = 0; i < LEN; i++)
			if (i == LEN - 1 || cuts >> i & 1) {
				split_add(&s, data + from, i + 1 - from);
				from = i + 1;
			}
		for (from = 0; from <= LEN; from++)
			for (len = 0; from + len <= LEN; len++)
				assert_int_equal(net_order(offload_sum(&s.f, from, len)),
					plain_sum(data + from, len, 0));
		split_free(&s);
	}
}

static void
sum_of_large_frames(void **state)
{
	struct split s;
	uint32_t i, j, len, from;

	(void)state;
	for (i = 0; i < 300; i++) {
		len = i < 2 ? OFFLOAD_FRAME_MAX : 1 + rnd(OFFLOAD_FRAME_MAX);
		for (j = 0; j < len; j++)
			bytes[j] = i == 0 ? 0xff : (uint8_t)rnd(256);
		split_random(&s, bytes, len, 1, 1 + i % 30);
		from = rnd(len);
		assert_int_equal(net_order(offload_sum(&s.f, 0, len)), plain_sum(bytes, len, 0));
		assert_int_equal(net_order(offload_sum(&s.f, from, len - from)),
			plain_sum(bytes + from, len - from, 0));
		split_free(&s);
	}
}

static void
request_csum(struct offload_frame *f, const struct built *b)
{
	f->request = OFFLOAD_CSUM;
	f->csum_start = (uint16_t)l4_at(b);
	f->csum_field = (uint16_t)field_at(b);
}

/* The request that a frame's headers make. */
static void
ask(void **state)
{
	struct split s;
	uint32_t i;

	(void)state;
	for (i = 0; i < 4000; i++) {
		struct shape shape = { .tags = i % 3, .ipv6 = i >> 2 & 1, .proto = i & 1 ? 6 : 17,
			.l3_extra = 8 * rnd(5), .tcp_options = 4 * rnd(11), .payload = rnd(3000) };

		build(&built, &shape);
		wanted = built;
		put_seed(&wanted);
		put16(built.data + field_at(&built), rnd(65536));
		split_random(&s, built.data, built.len, OFFLOAD_HEADER_BYTES, 1 + i % 9);
		offload_frame_parse(&s.f);
		assert_int_equal(offload_csum_ask(&s.f, &s.f.hdr), 0);
		assert_true(s.f.request == OFFLOAD_CSUM && s.f.csum_start == l4_at(&built) &&
			s.f.csum_field == field_at(&built));
		assert_memory_equal(s.seg[0].data, wanted.data, s.seg[0].len);
		/* Only once, and not without headers to go by. */
		assert_int_equal(offload_csum_ask(&s.f, &s.f.hdr), -EINVAL);
		s.f.request = OFFLOAD_NONE;
		put16(s.seg[0].data + built.l2 + (built.ipv6 ? 4 : 2), built.len);
		assert_int_equal(offload_csum_ask(&s.f, &s.f.hdr), -EINVAL);
		s.f.hdr.l4_len = 0;
		assert_int_equal(offload_csum_ask(&s.f, &s.f.hdr), -EINVAL);
		split_free(&s);
	}
}

/* The flags after a look at the frame, in random segments, with @p pad bytes of rubbish behind. */
static uint32_t
look(struct built *b, uint32_t pad, void (*fn)(struct offload_frame *))
{
	struct split s;
	uint32_t flags;

	memset(b->data + b->len, 0xee, pad);
	split_random(&s, b->data, b->len + pad, OFFLOAD_HEADER_BYTES, 1 + rnd(6));
	fn(&s.f);
	flags = s.f.flags & (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD);
	gather(&s.f, bytes);
	if (fn == offload_csum_verify)
		assert_memory_equal(bytes, b->data, b->len + pad);
	split_free(&s);
	return flags;
}

/* Bit by bit, as RFC 9260 writes it. */
static uint32_t
plain_crc32c(const uint8_t *p, uint32_t len)
{
	uint32_t crc = UINT32_MAX, i, bit;

	for (i = 0; i < len; i++) {
		crc ^= p[i];
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

/* RFC 3720, B.4, and the check value of the usual catalogue of CRCs; then all lengths, at all alignments. */
static void
crc_vectors(void **state)
{
	static uint8_t data[400];
	uint32_t len, shift;

	(void)state;
	assert_int_equal(~offload_crc32c(UINT32_MAX, "123456789", 9), 0xe3069283);
	assert_int_equal(~offload_crc32c(UINT32_MAX, data, 32), 0x8a9136aa);
	memset(data, 0xff, 32);
	assert_int_equal(~offload_crc32c(UINT32_MAX, data, 32), 0x62a8ab43);
	for (len = 0; len < 32; len++)
		data[len] = (uint8_t)len;
	assert_int_equal(~offload_crc32c(UINT32_MAX, data, 32), 0x46dd794e);
	for (len = 0; len < sizeof(data); len++)
		data[len] = (uint8_t)rnd(256);
	for (shift = 0; shift < 9; shift++)
		for (len = 0; len + shift <= 300; len++)
			assert_int_equal(~offload_crc32c(UINT32_MAX, data + shift, len),
				plain_crc32c(data + shift, len));
}

/* An SCTP packet with its checksum, made of a UDP one. @return where the checksum is */
static uint32_t
build_sctp(struct built *b, uint32_t i)
{
	struct shape shape = { .tags = i % 3, .ipv6 = i & 1, .proto = 17, .l3_extra = i & 8 ? 8 * rnd(4) : 0,
		.payload = 4 + rnd(2000) };
	uint32_t crc, at;
	uint8_t *ip;

	build(b, &shape);
	b->proto = 132;
	ip = b->data + b->l2;
	if (!shape.ipv6) {
		ip[9] = 132;
		seal_ipv4(b);
	} else if (shape.l3_extra == 0) {
		ip[6] = 132;
	} else {
		ip[b->l3 - 8] = 132;
	}
	at = l4_at(b) + 8;
	memset(b->data + at, 0, 4);
	crc = plain_crc32c(b->data + l4_at(b), l4_bytes(b));
	for (i = 0; i < 4; i++)
		b->data[at + i] = (uint8_t)(crc >> 8 * i);
	return at;
}

/* Verified, asked for and made, in place and in a copy; padding is no part of it. */
static void
sctp(void **state)
{
	struct offload_seg to[2];
	uint32_t i, at, pad, len;
	struct split s;

	(void)state;
	for (i = 0; i < 3000; i++) {
		at = build_sctp(&built, i);
		pad = i & 16 ? rnd(40) : 0;
		len = built.len + pad;
		memset(built.data + built.len, 0xee, pad);
		assert_int_equal(look(&built, pad, offload_csum_verify), OFFLOAD_F_CSUM_GOOD);
		assert_int_equal(look(&built, pad, offload_csum_repair), OFFLOAD_F_CSUM_GOOD);

		wanted = built;
		memset(built.data + at, (int)rnd(2) * 0x77, 4);
		assert_int_equal(look(&built, pad, offload_csum_verify),
			built.data[at] == 0 ? 0 : OFFLOAD_F_CSUM_BAD);
		split_random(&s, built.data, len, OFFLOAD_HEADER_BYTES, 1 + i % 9);
		offload_frame_parse(&s.f);
		assert_int_equal(offload_csum_ask(&s.f, &s.f.hdr), 0);
		assert_true(s.f.csum_start == at - 8 && s.f.csum_field == at);
		gather(&s.f, bytes);
		assert_memory_equal(bytes, built.data, len);

		/* The field in both pieces. */
		to[0] = (struct offload_seg){ malloc(at + 1 + i % 3), at + 1 + i % 3 };
		to[1] = (struct offload_seg){ malloc(len - to[0].len), len - to[0].len };
		assert_int_equal(offload_copy_frame(&s.f, to, 2, 0), OFFLOAD_F_CSUM_GOOD);
		assert_memory_equal(to[0].data, wanted.data, to[0].len);
		assert_memory_equal(to[1].data, wanted.data + to[0].len, to[1].len);

		assert_int_equal(offload_csum_complete(&s.f), 0);
		assert_int_equal(s.f.flags & ~OFFLOAD_F_PARSED, OFFLOAD_F_CSUM_GOOD);
		gather(&s.f, bytes);
		assert_memory_equal(bytes, wanted.data, len);
		s.f.flags = 0;
		assert_int_equal(offload_copy_frame(&s.f, to, 2, true), OFFLOAD_F_CSUM_GOOD);
		s.seg[0].data[at + rnd(4)] ^= 4;
		assert_int_equal(offload_copy_frame(&s.f, to, 2, true), OFFLOAD_F_CSUM_BAD);
		free(to[0].data);
		free(to[1].data);
		split_free(&s);
	}
}

/* A request for a place in an SCTP header that is not its checksum's is a sum of the usual kind, of no worth. */
static void
sctp_is_not_vouched_for(void **state)
{
	struct split s;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		build_sctp(&built, i);
		split_random(&s, built.data, built.len, OFFLOAD_HEADER_BYTES, 1);
		s.f.request = OFFLOAD_CSUM;
		s.f.csum_start = (uint16_t)l4_at(&built);
		s.f.csum_field = s.f.csum_start + 6;
		assert_int_equal(offload_csum_complete(&s.f), 0);
		assert_int_equal(s.f.flags, OFFLOAD_F_PARSED);
		split_free(&s);
	}
}

/* Random frames of every kind with their seed, cut at random, against the finished ones. */
static void
complete(void **state)
{
	struct split s;
	uint32_t i;

	(void)state;
	for (i = 0; i < 4000; i++) {
		struct shape shape = { .tags = i % 3, .ipv6 = i >> 2 & 1, .proto = i & 1 ? 6 : 17,
			.l3_extra = 8 * rnd(5), .tcp_options = 4 * rnd(11), .payload = rnd(3000) };

		build(&built, &shape);
		wanted = built;
		put_seed(&built);
		split_random(&s, built.data, built.len, OFFLOAD_HEADER_BYTES, 1 + i % 9);
		request_csum(&s.f, &built);
		assert_int_equal(offload_csum_complete(&s.f), 0);
		assert_int_equal(s.f.request, OFFLOAD_NONE);
		assert_int_equal(s.f.flags & ~OFFLOAD_F_PARSED, OFFLOAD_F_CSUM_GOOD);
		assert_int_equal(gather(&s.f, bytes), wanted.len);
		assert_memory_equal(bytes, wanted.data, wanted.len);
		split_free(&s);
	}
}

/* A payload that makes the checksum come out as zero; then one whose sum is zero's other form. */
static void
udp_zero_is_sent_as_ones(void **state)
{
	unsigned int proto, v6;
	struct split s;

	(void)state;
	for (v6 = 0; v6 < 2; v6++)
	for (proto = 6; proto <= 17; proto += 11) {
		struct shape shape = { .proto = (uint8_t)proto, .ipv6 = v6, .payload = 64 };
		uint8_t *payload;

		build(&built, &shape);
		payload = built.data + l4_at(&built) + built.l4;
		put16(payload, 0);
		put_seed(&built);
		put16(payload, ~plain_sum(built.data + l4_at(&built), l4_bytes(&built), 0));

		split_random(&s, built.data, built.len, built.len, 1);
		request_csum(&s.f, &built);
		assert_int_equal(offload_csum_complete(&s.f), 0);
		assert_int_equal(get16(s.seg[0].data + field_at(&built)), proto == 17 ? 0xffff : 0);
		s.f.flags = 0;
		offload_csum_verify(&s.f);
		assert_true(s.f.flags & OFFLOAD_F_CSUM_GOOD);
		split_free(&s);
	}
}

static void
complete_refuses_what_does_not_fit(void **state)
{
	struct shape shape = { .proto = 6, .payload = 400 };
	static const struct { uint16_t start, field; } bad[] = {
		{ 34, 199 }, { 34, 200 }, { 34, 16383 }, { 34, 0xffff }, { 0xffff, 0xffff },
		{ 51, 50 }, { 1023, 16 }, { 453, 453 },
	};
	struct split s;
	uint32_t i;

	(void)state;
	build(&built, &shape);
	split_begin(&s);
	split_add(&s, built.data, 200);
	split_add(&s, built.data + 200, built.len - 200);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct offload_frame before;

		s.f.request = OFFLOAD_CSUM;
		s.f.csum_start = bad[i].start;
		s.f.csum_field = bad[i].field;
		before = s.f;
		assert_int_equal(offload_csum_complete(&s.f), -EINVAL);
		assert_memory_equal(&s.f, &before, sizeof(before));
		gather(&s.f, bytes);
		assert_memory_equal(bytes, built.data, built.len);
	}
	s.f.request = OFFLOAD_TSO;
	assert_int_equal(offload_csum_complete(&s.f), -EINVAL);
	s.f.request = OFFLOAD_NONE;
	assert_int_equal(offload_csum_complete(&s.f), 0);
	assert_int_equal(s.f.flags, 0);
	/* The last place that fits. */
	s.f.request = OFFLOAD_CSUM;
	s.f.csum_start = 198;
	s.f.csum_field = 198;
	assert_int_equal(offload_csum_complete(&s.f), 0);
	assert_int_equal(s.f.flags & OFFLOAD_F_CSUM_GOOD, 0);
	split_free(&s);
}

/* The inner checksum of a VXLAN packet: right, and nothing is claimed about the outer one. */
static void
complete_inner(void **state)
{
	struct shape outer = { .proto = 17, .payload = 0 }, inner = { .payload = 301 };
	uint32_t outer_len, i;
	struct split s;

	(void)state;
	for (i = 0; i < 4; i++) {
		inner.proto = i & 1 ? 6 : 17;
		inner.ipv6 = i >> 1;
		build(&built, &inner);
		wanted = built;
		put_seed(&built);
		outer.payload = 8 + built.len;
		outer_len = 14 + 20 + 8 + 8;
		split_begin(&s);
		{
			static struct built whole;

			build(&whole, &outer);
			put16(whole.data + 34 + 6, 0);
			memcpy(whole.data + outer_len, built.data, built.len);
			split_add(&s, whole.data, 200);
			split_add(&s, whole.data + 200, whole.len - 200);
		}
		request_csum(&s.f, &built);
		s.f.csum_start += outer_len;
		s.f.csum_field += outer_len;
		s.f.flags = OFFLOAD_F_INNER;
		assert_int_equal(offload_csum_complete(&s.f), 0);
		/* The outer datagram has no checksum that could be wrong. */
		assert_int_equal(s.f.flags & ~OFFLOAD_F_PARSED, OFFLOAD_F_CSUM_GOOD);
		gather(&s.f, bytes);
		assert_memory_equal(bytes + outer_len, wanted.data, wanted.len);
		split_free(&s);
	}
}

static void
no_claim_over_a_bad_ipv4_header(void **state)
{
	struct shape shape = { .proto = 6, .payload = 40 };
	struct split s;

	(void)state;
	build(&built, &shape);
	put_seed(&built);
	built.data[24] ^= 1;
	split_random(&s, built.data, built.len, built.len, 1);
	request_csum(&s.f, &built);
	assert_int_equal(offload_csum_complete(&s.f), 0);
	assert_int_equal(s.f.flags & (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD), 0);
	offload_csum_verify(&s.f);
	assert_true(s.f.flags & OFFLOAD_F_CSUM_BAD);
	split_free(&s);
}

static void
verify(void **state)
{
	uint32_t i, at, bad;

	(void)state;
	for (i = 0; i < 3000; i++) {
		struct shape shape = { .tags = i % 3, .ipv6 = i >> 2 & 1, .proto = i & 1 ? 6 : 17,
			.l3_extra = i & 8 ? 8 * rnd(5) : 0, .tcp_options = 4 * rnd(11),
			.payload = rnd(2000) };
		uint32_t pad = i & 16 ? rnd(60) : 0;

		build(&built, &shape);
		assert_int_equal(look(&built, pad, offload_csum_verify), OFFLOAD_F_CSUM_GOOD);
		/* A wrong sum behind options or extension headers proves nothing. */
		bad = shape.l3_extra ? 0 : OFFLOAD_F_CSUM_BAD;
		at = field_at(&built);
		put16(built.data + at, get16(built.data + at) + 1);
		if (get16(built.data + at) != 0)
			assert_int_equal(look(&built, pad, offload_csum_verify), bad);
		put_csum(&built);
		at = l4_at(&built) + built.l4;
		if (at < built.len) {
			built.data[at + rnd(built.len - at)] ^= 0x10;
			assert_int_equal(look(&built, pad, offload_csum_verify), bad);
		}
	}
}

static void
verify_ipv4_header(void **state)
{
	struct shape shape = { .proto = 6, .payload = 20 };
	uint32_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		shape.proto = i ? 17 : 6;
		build(&built, &shape);
		built.data[14 + 8]--; /* a router forgot the checksum */
		assert_int_equal(look(&built, 0, offload_csum_verify), OFFLOAD_F_CSUM_BAD);
		if (i) {
			put16(built.data + field_at(&built), 0);
			assert_int_equal(look(&built, 0, offload_csum_verify), OFFLOAD_F_CSUM_BAD);
		}
	}
}

static void
verify_nothing(void **state)
{
	struct shape tcp = { .proto = 6, .payload = 20 }, udp = { .proto = 17, .payload = 20 };
	uint32_t total;

	(void)state;
	udp.ipv6 = true;
	build(&built, &udp); /* RFC 6935 */
	put16(built.data + field_at(&built), 0);
	assert_int_equal(look(&built, 0, offload_csum_verify), 0);
	udp.ipv6 = false;
	build(&built, &udp);
	put16(built.data + field_at(&built), 0);
	assert_int_equal(look(&built, 0, offload_csum_verify), OFFLOAD_F_CSUM_GOOD);

	/* Only a total length between the ends of the TCP header and of the frame is believed. */
	for (total = 0; total < 200; total++) {
		build(&built, &tcp);
		put16(built.data + 16, total);
		seal_ipv4(&built);
		assert_int_equal(look(&built, 0, offload_csum_verify),
			total < 40 || total > 60 ? 0 :
			total == 60 ? OFFLOAD_F_CSUM_GOOD : OFFLOAD_F_CSUM_BAD);
	}
	/* The same for the UDP length; a shorter one than IP's is fine if the sum is. */
	for (total = 0; total < 200; total++) {
		build(&built, &udp);
		put16(built.data + 14 + 20 + 4, total);
		built.len = 14 + 20 + total;
		if (total >= 8 && total <= 28)
			put_csum(&built);
		built.len = 14 + 20 + 28;
		assert_int_equal(look(&built, 0, offload_csum_verify),
			total < 8 || total > 28 ? 0 : OFFLOAD_F_CSUM_GOOD);
	}
	build(&built, &tcp);
	put16(built.data + 20, 0x2000);
	seal_ipv4(&built);
	assert_int_equal(look(&built, 0, offload_csum_verify), 0);
	built.data[13] = 6; /* ARP */
	assert_int_equal(look(&built, 0, offload_csum_verify), 0);
}

static void
pending_frames_are_left_alone(void **state)
{
	struct shape shape = { .proto = 6, .payload = 20 };
	struct split s;
	uint8_t request;

	(void)state;
	build(&built, &shape);
	put_seed(&built);
	for (request = OFFLOAD_CSUM; request <= OFFLOAD_TSO; request++) {
		split_random(&s, built.data, built.len, built.len, 1);
		s.f.request = request;
		offload_csum_verify(&s.f);
		offload_csum_repair(&s.f);
		assert_int_equal(s.f.flags & ~OFFLOAD_F_PARSED, 0);
		gather(&s.f, bytes);
		assert_memory_equal(bytes, built.data, built.len);
		split_free(&s);
	}
}

static void
repair(void **state)
{
	uint32_t i, pad, extra;

	(void)state;
	for (i = 0; i < 3000; i++) {
		struct shape shape = { .tags = i % 3, .ipv6 = i >> 2 & 1, .proto = i & 1 ? 6 : 17,
			.l3_extra = i & 8 ? 8 * rnd(5) : 0, .payload = rnd(2000) };

		pad = i & 16 ? rnd(60) : 0;
		extra = shape.l3_extra;
		build(&built, &shape);
		wanted = built;
		assert_int_equal(look(&built, pad, offload_csum_repair), OFFLOAD_F_CSUM_GOOD);
		assert_memory_equal(bytes, wanted.data, wanted.len);

		put_seed(&built);
		assert_int_equal(look(&built, pad, offload_csum_repair), OFFLOAD_F_CSUM_GOOD);
		assert_memory_equal(bytes, wanted.data, wanted.len);

		/* Anything else stays as wrong as it was (unless it is right by chance). */
		put16(built.data + field_at(&built), get16(built.data + field_at(&built)) ^ 0x4000);
		if (get16(built.data + field_at(&built)) == 0 ||
				memcmp(built.data, wanted.data, built.len) == 0)
			continue;
		wanted = built;
		assert_int_equal(look(&built, pad, offload_csum_repair),
			extra ? 0 : OFFLOAD_F_CSUM_BAD);
		assert_memory_equal(bytes, wanted.data, wanted.len);
	}
}

/* With a routing header on its way, the pseudo-header has the final destination. */
static void
routing_headers(void **state)
{
	static const struct { uint8_t type, last; } kinds[] = { { 0, 1 }, { 2, 1 }, { 4, 0 } };
	uint32_t i, left;

	(void)state;
	for (i = 0; i < 3; i++)
	for (left = 0; left < 2; left++) {
		struct shape shape = { .ipv6 = true, .proto = 6, .l3_extra = 40, .payload = 33 };
		uint8_t dst[16], *ip = built.data + 14, *ext = ip + 40;

		build(&built, &shape);
		memset(ext, 0x77, 40);
		ip[6] = 43;
		ext[0] = 6;
		ext[1] = 4;
		ext[2] = kinds[i].type;
		ext[3] = (uint8_t)left;
		memset(ext + 8 + 16 * kinds[i].last, 0x42, 16);
		memcpy(dst, ip + 24, 16);
		if (left)
			memset(ip + 24, 0x42, 16);
		put_csum(&built);
		memcpy(ip + 24, dst, 16);
		assert_int_equal(look(&built, 0, offload_csum_verify), OFFLOAD_F_CSUM_GOOD);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_over_every_split),
		cmocka_unit_test(sum_of_large_frames),
		cmocka_unit_test(ask),
		cmocka_unit_test(crc_vectors),
		cmocka_unit_test(sctp),
		cmocka_unit_test(sctp_is_not_vouched_for),
		cmocka_unit_test(complete),
		cmocka_unit_test(udp_zero_is_sent_as_ones),
		cmocka_unit_test(complete_refuses_what_does_not_fit),
		cmocka_unit_test(complete_inner),
		cmocka_unit_test(no_claim_over_a_bad_ipv4_header),
		cmocka_unit_test(verify),
		cmocka_unit_test(verify_ipv4_header),
		cmocka_unit_test(verify_nothing),
		cmocka_unit_test(pending_frames_are_left_alone),
		cmocka_unit_test(repair),
		cmocka_unit_test(routing_headers),
	};

	return cmocka_run_group_tests_name("offload_csum", tests, NULL, NULL);
}
