/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_frames.h"

#include <offload_parse.h>

static struct built built;

/* Parses a copy without a byte to spare. */
static struct offload_headers
parse(const uint8_t *data, uint32_t len)
{
	struct offload_headers hdr;
	uint8_t *copy = malloc(len ? len : 1);

	memset(&hdr, 0xa5, sizeof(hdr));
	memcpy(copy, data, len);
	offload_parse(copy, len, &hdr);
	free(copy);
	return hdr;
}

/* What is to be found in the first @p len bytes of the built frame. */
static void
check_truncated(const struct shape *s, uint32_t len)
{
	struct offload_headers hdr = parse(built.data, len);
	uint32_t tags = len < 14 ? 0 : (len - 14) / 4;
	bool l3, l4;

	if (tags > s->tags)
		tags = s->tags;
	if (tags > OFFLOAD_MAX_TAGS)
		tags = OFFLOAD_MAX_TAGS;
	l3 = s->tags <= OFFLOAD_MAX_TAGS && len >= built.l2 + built.l3;
	l4 = l3 && len >= l4_at(&built) + built.l4;

	assert_int_equal(hdr.nb_tags, tags);
	assert_int_equal(hdr.outer_tci, tags ? get16(built.data + 14) : 0);
	assert_int_equal(hdr.l2_len, len < 14 ? 0 : 14 + 4 * tags);
	assert_int_equal(hdr.ether_type, len < 14 ? 0 : get16(built.data + 12 + 4 * tags));
	assert_int_equal(hdr.l3_len, l3 ? built.l3 : 0);
	assert_int_equal(hdr.ip_proto, l3 ? s->proto : 0);
	assert_int_equal(hdr.l4_len, l4 ? built.l4 : 0);
	assert_int_equal(hdr.flags, (l3 ? s->ipv6 ? OFFLOAD_H_IPV6 : OFFLOAD_H_IPV4 : 0) |
		(l4 ? s->proto == 6 ? OFFLOAD_H_TCP : OFFLOAD_H_UDP : 0));
}

static void
every_kind_at_every_length(void **state)
{
	static const uint8_t protos[] = { 6, 17 };
	unsigned int tags, v6, p, extra, options;
	uint32_t len;

	(void)state;
	for (tags = 0; tags <= 6; tags++)
	for (v6 = 0; v6 < 2; v6++)
	for (p = 0; p < 2; p++)
	for (extra = 0; extra <= 40; extra += v6 ? 8 : 4)
	for (options = 0; options <= (p == 0 ? 40 : 0); options += 4) {
		struct shape s = { .tags = tags, .ipv6 = v6, .proto = protos[p],
			.l3_extra = extra, .tcp_options = options, .payload = 3,
			.tpid = options & 4 ? 0x88a8 : 0x8100 };

		build(&built, &s);
		for (len = 0; len <= built.len; len++)
			check_truncated(&s, len);
	}
}

static void
every_ihl_and_version(void **state)
{
	struct shape s = { .proto = 6, .payload = 60 };
	struct offload_headers hdr;
	uint32_t first;

	(void)state;
	for (first = 0; first < 256; first++) {
		uint32_t ihl = first & 15;
		bool good = first >> 4 == 4 && ihl >= 5;

		build(&built, &s);
		memset(built.data + 34, 0x50, 70); /* a data offset of five wherever TCP begins */
		built.data[14] = (uint8_t)first;
		hdr = parse(built.data, built.len);
		assert_int_equal(hdr.l2_len, 14);
		assert_int_equal(hdr.l3_len, good ? ihl * 4 : 0);
		assert_int_equal(hdr.l4_len, good ? 20 : 0);
		assert_int_equal(hdr.flags, good ? OFFLOAD_H_IPV4 | OFFLOAD_H_TCP : 0);
	}
}

static void
every_tcp_data_offset(void **state)
{
	struct shape s = { .proto = 6, .tcp_options = 20 };
	struct offload_headers hdr;
	uint32_t off;

	(void)state;
	build(&built, &s); /* 40 bytes of TCP in all */
	for (off = 0; off < 16; off++) {
		bool good = off >= 5 && off <= 10;

		built.data[14 + 20 + 12] = (uint8_t)(off << 4 | 0xf);
		hdr = parse(built.data, built.len);
		assert_int_equal(hdr.l3_len, 20);
		assert_int_equal(hdr.ip_proto, 6);
		assert_int_equal(hdr.l4_len, good ? off * 4 : 0);
		assert_int_equal(!!(hdr.flags & OFFLOAD_H_TCP), good);
	}
}

static void
ipv4_fragments(void **state)
{
	static const uint16_t fragments[] = { 0x2000, 0x0001, 0x1fff, 0x3001, 0x8001 };
	static const uint16_t wholes[] = { 0, 0x4000, 0x8000, 0xc000 };
	struct shape s = { .proto = 17, .payload = 8 };
	struct offload_headers hdr;
	uint32_t i;

	(void)state;
	build(&built, &s);
	for (i = 0; i < 5; i++) {
		put16(built.data + 20, fragments[i]);
		hdr = parse(built.data, built.len);
		assert_int_equal(hdr.l3_len, 20);
		assert_int_equal(hdr.l4_len, 0);
		assert_int_equal(hdr.ip_proto, 17);
		assert_int_equal(hdr.flags, OFFLOAD_H_IPV4 | OFFLOAD_H_FRAG);
	}
	for (i = 0; i < 4; i++) {
		put16(built.data + 20, wholes[i]);
		hdr = parse(built.data, built.len);
		assert_int_equal(hdr.flags, OFFLOAD_H_IPV4 | OFFLOAD_H_UDP);
	}
}

/* Puts a chain of extension headers before TCP, each @p len bytes in its own unit of length. */
static uint32_t
build_chain(const uint8_t *kinds, uint32_t nb, uint32_t units)
{
	uint32_t i, n, at = 14 + 40;
	uint8_t *p = built.data;

	memset(p, 0, 2000);
	put16(p + 12, 0x86dd);
	p[14] = 0x60;
	p[20] = nb ? kinds[0] : 6;
	for (i = 0; i < nb; i++, at += n) {
		p[at] = i + 1 < nb ? kinds[i + 1] : 6;
		p[at + 1] = (uint8_t)units;
		n = kinds[i] == 44 ? 8 : kinds[i] == 51 ? (units + 2) * 4 : (units + 1) * 8;
	}
	p[at + 12] = 0x50;
	built.len = at + 20;
	return at - 14;
}

static void
extension_chains(void **state)
{
	static const uint8_t kinds[] = { 0, 43, 60, 51, 135, 139, 140, 60, 60 };
	struct offload_headers hdr;
	uint32_t nb, units, l3, len;

	(void)state;
	for (nb = 0; nb <= 9; nb++)
	for (units = 0; units < 12; units++) {
		l3 = build_chain(kinds, nb, units);
		for (len = 14; len <= built.len; len++) {
			bool l3_there = nb <= OFFLOAD_MAX_EXT_HEADERS && len >= 14 + l3;
			bool l4_there = l3_there && len == built.len;

			hdr = parse(built.data, len);
			assert_int_equal(hdr.l3_len, l3_there ? l3 : 0);
			assert_int_equal(hdr.l4_len, l4_there ? 20 : 0);
			assert_int_equal(hdr.ip_proto, l3_there ? 6 : 0);
		}
	}
	/* The longest: eight headers of 2 KiB. */
	l3 = build_chain(kinds, 8, 255);
	hdr = parse(built.data, built.len);
	assert_int_equal(hdr.l3_len, l3);
	assert_int_equal(hdr.l4_len, 20);
}

static void
ipv6_fragments(void **state)
{
	static const uint8_t kinds[] = { 0, 44, 60 };
	struct offload_headers hdr;
	uint32_t offset;

	(void)state;
	for (offset = 0; offset < 0x10000; offset += 0x0fff) {
		build_chain(kinds, 3, 0);
		put16(built.data + 14 + 40 + 8 + 2, offset);
		hdr = parse(built.data, built.len);
		assert_int_equal(hdr.l3_len, 40 + 8 + 8);
		assert_int_equal(hdr.l4_len, 0);
		assert_int_equal(hdr.ip_proto, 60); /* what follows is fragment, not header */
		assert_int_equal(hdr.flags, OFFLOAD_H_IPV6 | OFFLOAD_H_FRAG);
	}
}

static void
other_protocols(void **state)
{
	static const uint8_t others[] = { 1, 2, 41, 47, 50, 58, 59, 89, 112, 136, 255 };
	struct shape s = { .proto = 6, .payload = 8 };
	struct offload_headers hdr;
	uint32_t i;

	(void)state;
	for (i = 0; i < 2 * sizeof(others); i++) {
		s.ipv6 = i & 1;
		build(&built, &s);
		built.data[14 + (s.ipv6 ? 6 : 9)] = others[i / 2];
		hdr = parse(built.data, built.len);
		assert_int_equal(hdr.l3_len, s.ipv6 ? 40 : 20);
		assert_int_equal(hdr.ip_proto, others[i / 2]);
		assert_int_equal(hdr.l4_len, 0);
		assert_int_equal(hdr.flags, s.ipv6 ? OFFLOAD_H_IPV6 : OFFLOAD_H_IPV4);
	}
	/* The version contradicts the EtherType. */
	build(&built, &s);
	built.data[14] = 0x45;
	assert_int_equal(parse(built.data, built.len).l3_len, 0);
	/* LLC. */
	memset(built.data + 12, 0, 2);
	built.data[13] = 38;
	hdr = parse(built.data, built.len);
	assert_int_equal(hdr.ether_type, 38);
	assert_int_equal(hdr.l2_len, 14);
	assert_int_equal(hdr.l3_len, 0);
}

static void
sctp(void **state)
{
	struct shape s = { .proto = 17, .payload = 40 };
	struct offload_headers hdr;
	uint32_t i, len, l4;

	(void)state;
	for (i = 0; i < 8; i++) {
		s.ipv6 = i & 1;
		s.l3_extra = i & 2 ? 8 : 0;
		s.tags = i & 4 ? 2 : 0;
		build(&built, &s);
		built.data[built.l2 + (!s.ipv6 ? 9 : s.l3_extra ? 40 : 6)] = 132;
		l4 = l4_at(&built);
		for (len = l4; len <= built.len; len++) {
			hdr = parse(built.data, len);
			assert_int_equal(hdr.l3_len, built.l3);
			assert_int_equal(hdr.ip_proto, 132);
			assert_int_equal(hdr.l4_len, len >= l4 + 12 ? 12 : 0);
			assert_int_equal(hdr.flags, (s.ipv6 ? OFFLOAD_H_IPV6 : OFFLOAD_H_IPV4) |
				(len >= l4 + 12 ? OFFLOAD_H_SCTP : 0));
		}
	}
	/* A fragment of it. */
	s = (struct shape){ .proto = 17, .payload = 40 };
	build(&built, &s);
	built.data[23] = 132;
	put16(built.data + 20, 0x2000);
	assert_int_equal(parse(built.data, built.len).flags, OFFLOAD_H_IPV4 | OFFLOAD_H_FRAG);
}

static void
a_frame_is_parsed_once(void **state)
{
	struct shape s = { .proto = 17, .payload = 8 };
	struct split split;

	(void)state;
	build(&built, &s);
	split_random(&split, built.data, built.len, built.len, 1);
	offload_frame_parse(&split.f);
	assert_int_equal(split.f.flags, OFFLOAD_F_PARSED);
	assert_int_equal(split.f.hdr.l4_len, 8);
	split.seg[0].data[12] = 0;
	offload_frame_parse(&split.f);
	assert_int_equal(split.f.hdr.l4_len, 8);
	split_free(&split);
}

static void
noise(void **state)
{
	struct offload_headers hdr;
	uint8_t data[256];
	uint32_t i, j, len;

	(void)state;
	for (i = 0; i < 200000; i++) {
		len = rnd(sizeof(data) + 1);
		for (j = 0; j < len; j++)
			data[j] = (uint8_t)rnd(256);
		if (len >= 14)
			put16(data + 12, i & 1 ? 0x86dd : 0x0800);
		if (len > 14)
			data[14] = (uint8_t)((i & 1 ? 0x60 : 0x40) | (data[14] & 15));
		hdr = parse(data, len);
		assert_true((uint32_t)hdr.l2_len + hdr.l3_len + hdr.l4_len <= len);
		assert_true(hdr.l4_len == 0 || hdr.l3_len != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_at_every_length),
		cmocka_unit_test(every_ihl_and_version),
		cmocka_unit_test(every_tcp_data_offset),
		cmocka_unit_test(ipv4_fragments),
		cmocka_unit_test(extension_chains),
		cmocka_unit_test(ipv6_fragments),
		cmocka_unit_test(other_protocols),
		cmocka_unit_test(sctp),
		cmocka_unit_test(a_frame_is_parsed_once),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("offload_parse", tests, NULL, NULL);
}
