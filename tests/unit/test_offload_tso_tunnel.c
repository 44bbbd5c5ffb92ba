/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segmentation of datagrams, and inside of tunnels: each field of each header worked out from the large frame, each
 * checksum with a sum of the plainest kind. And the two ways to take a piece: they give the same bytes.
 */
#include "offload_frames.h"

#include <errno.h>

#include <offload_parse.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#define ACK 0x010
#define PSH 0x008

enum kind { PLAIN, VXLAN, GENEVE, NVGRE, GRE_CSUM, GRE_SEQ, IPIP, NB_KINDS };

/* A large frame with a tunnel around it, or none. */
struct large {
	enum kind kind;
	bool outer6, outer_csum;
	uint32_t outer_extra;
	struct built inner, frame; /* the inner frame, and all of it */
	uint32_t outer_l3, tunnel, tunnel_len;
	uint32_t l3, l4, hdr_len;  /* inner, from the begin of the frame */
};

static struct large large;
static struct offload_tso tso, other;
static uint8_t out[FRAME_ROOM], copied[FRAME_ROOM];

static uint32_t
put_tunnel(struct large *g, uint8_t *p, uint32_t inner_len)
{
	uint32_t i, n = 8;

	memset(p, 0, 64);
	switch (g->kind) {
	case VXLAN:
	case GENEVE:
		put16(p, 50000);
		put16(p + 2, g->kind == VXLAN ? 4789 : 6081);
		p[8] = g->kind == VXLAN ? 8 : 3;
		if (g->kind == GENEVE)
			put16(p + 10, 0x6558);
		for (i = 16, n = 16 + (g->kind == GENEVE ? 12 : 0); i < n; i++)
			p[i] = (uint8_t)i;
		put16(p + 4, n + inner_len);
		return n;
	case NVGRE:
		put32(p, 0x20006558);
		put32(p + 4, 0x12345600);
		return 8;
	case GRE_CSUM:
	case GRE_SEQ:
		put16(p, g->kind == GRE_CSUM ? 0x8000 : 0x1000);
		put16(p + 2, g->inner.ipv6 ? 0x86dd : 0x0800);
		put32(p + 4, 0xabcd0000);
		return 8;
	default:
		return 0;
	}
}

static uint8_t
outer_proto(const struct large *g)
{
	if (g->kind == VXLAN || g->kind == GENEVE)
		return 17;
	return g->kind == IPIP ? (g->inner.ipv6 ? 41 : 4) : 47;
}

static void
build_large(struct large *g, const struct shape *s)
{
	struct shape outer = { .ipv6 = g->outer6, .l3_extra = g->outer_extra, .ip_id = 0xfffe, .tags = 1 };
	bool ether = g->kind == VXLAN || g->kind == GENEVE || g->kind == NVGRE;
	uint8_t *p = g->frame.data;
	uint32_t skip, at, i;

	build(&g->inner, s);
	if (g->kind == PLAIN) {
		g->frame = g->inner;
		g->l3 = g->inner.l2;
	} else {
		skip = ether ? 0 : g->inner.l2;
		g->outer_l3 = build_l2(p, &outer);
		outer.proto = outer_proto(g);
		at = g->outer_l3 + build_l3(p + g->outer_l3, &outer, 0);
		g->tunnel = at;
		g->tunnel_len = put_tunnel(g, p + at, g->inner.len - skip);
		at += g->tunnel_len;
		memcpy(p + at, g->inner.data + skip, g->inner.len - skip);
		g->frame.len = at + g->inner.len - skip;
		g->l3 = at + g->inner.l2 - skip;
	}
	g->l4 = g->l3 + g->inner.l3;
	g->hdr_len = g->l4 + g->inner.l4;
	/* What drivers leave in lengths and checksums means nothing, but whether there is an outer one. */
	for (i = 0; i < 2; i++)
		p[g->l4 + (s->proto == 6 ? 16 : 6) + i] = (uint8_t)rnd(256);
}

static void
ask(struct offload_frame *f, const struct large *g, uint32_t mss)
{
	f->request = g->inner.proto == 6 ? OFFLOAD_TSO : OFFLOAD_USO;
	f->hdr_len = (uint16_t)g->hdr_len;
	f->mss = (uint16_t)mss;
	f->flags = (uint8_t)((g->kind != PLAIN ? OFFLOAD_F_INNER : 0) | (g->outer_csum ? OFFLOAD_F_OUTER_CSUM : 0));
}

static void
check_ip(uint32_t at, uint32_t header, bool v6, uint32_t index, uint32_t len)
{
	const uint8_t *ip = out + at, *old = large.frame.data + at;

	if (v6) {
		assert_int_equal(get16(ip + 4), len - at - 40);
		assert_memory_equal(ip, old, 4);
		assert_memory_equal(ip + 6, old + 6, header - 6);
		return;
	}
	assert_int_equal(get16(ip + 2), len - at);
	assert_int_equal(get16(ip + 4), (uint16_t)(get16(old + 4) + index));
	assert_int_equal(plain_sum(ip, header, 0), 0xffff);
	assert_memory_equal(ip, old, 2);
	assert_memory_equal(ip + 6, old + 6, 4);
	assert_memory_equal(ip + 12, old + 12, header - 12);
}

static void
check_tunnel(uint32_t index, uint32_t len)
{
	uint8_t *p = out + large.tunnel, *old = large.frame.data + large.tunnel;
	uint32_t n = len - large.tunnel;

	check_ip(large.outer_l3, large.tunnel - large.outer_l3, large.outer6, index, len);
	assert_memory_equal(out, large.frame.data, large.outer_l3);
	if (large.kind == GRE_CSUM) {
		assert_int_equal(plain_sum(p, n, 0), 0xffff);
		memcpy(p + 4, old + 4, 2);
	}
	if (large.kind == VXLAN || large.kind == GENEVE) {
		assert_int_equal(get16(p + 4), n);
		if (large.outer_csum) {
			assert_int_not_equal(get16(p + 6), 0);
			assert_int_equal(plain_sum(p, n, plain_pseudo(out, large.outer_l3, large.outer6, 17, n)),
				0xffff);
			put16(p + 6, 0);
		}
		put16(p + 4, get16(old + 4));
	}
	/* The inner link layer, too. */
	assert_memory_equal(p, old, large.l3 - large.tunnel);
}

static void
check_l4(uint32_t pos, uint32_t len, uint32_t payload)
{
	const uint8_t *l4 = out + large.l4, *old = large.frame.data + large.l4;
	bool tcp = large.inner.proto == 6;
	uint32_t n = len - large.l4;

	assert_int_equal(plain_sum(l4, n, plain_pseudo(out, large.l3, large.inner.ipv6, large.inner.proto, n)),
		0xffff);
	assert_memory_equal(l4, old, 4);
	if (tcp) {
		assert_int_equal(get32(l4 + 4), get32(old + 4) + pos);
	} else {
		assert_int_equal(get16(l4 + 4), n);
		assert_int_not_equal(get16(l4 + 6), 0);
	}
	assert_memory_equal(l4 + large.inner.l4, old + large.inner.l4 + pos, payload);
}

/* Room for a piece in parts of any length, with some zeros asked for at the end. */
static void
copy_piece(struct offload_tso *it, const uint8_t *want, uint32_t len)
{
	uint32_t room = len + rnd(40), parts = 1 + rnd(8), i, at = 0;
	struct offload_seg to[9];
	uint8_t *mem[9];

	assert_int_equal(offload_tso_next_len(it), len);
	for (i = 0; i < parts; i++) {
		to[i].len = i + 1 == parts ? room - at : rnd(rnd(2) ? 70 : room - at + 1) % (room - at + 1);
		mem[i] = malloc(to[i].len + 1);
		to[i].data = mem[i];
		at += to[i].len;
	}
	offload_tso_copy(it, to, (uint16_t)parts);
	for (i = 0, at = 0; i < parts; i++) {
		memcpy(copied + at, to[i].data, to[i].len);
		at += to[i].len;
		free(mem[i]);
	}
	assert_memory_equal(copied, want, len);
	for (; len < at; len++)
		assert_int_equal(copied[len], 0);
}

static void
cut(const struct shape *s, uint32_t mss, uint32_t parts)
{
	uint32_t count, index, pos = 0, n;
	struct offload_frame *piece;
	struct split split;
	bool good;

	build_large(&large, s);
	split_random(&split, large.frame.data, large.frame.len, large.hdr_len, parts);
	ask(&split.f, &large, mss);
	count = s->payload ? (s->payload + mss - 1) / mss : 1;
	good = large.kind == PLAIN || large.outer_csum || !large.outer6 || outer_proto(&large) != 17;

	assert_int_equal(offload_tso_begin(&tso, &split.f), count);
	assert_int_equal(offload_tso_begin(&other, &split.f), count);
	for (index = 0; index < count; index++, pos += n) {
		n = s->payload - pos < mss ? s->payload - pos : mss;
		piece = offload_tso_next(&tso);
		assert_int_equal(piece->flags, OFFLOAD_F_PARSED | (good ? OFFLOAD_F_CSUM_GOOD : 0));
		assert_int_equal(gather(piece, out), large.hdr_len + n);
		copy_piece(&other, out, piece->len);
		assert_int_equal(other.piece.flags, piece->flags);
		assert_int_equal(other.piece.len, piece->len);
		assert_memory_equal(&other.piece.hdr, &piece->hdr, sizeof(piece->hdr));
		check_ip(large.l3, large.inner.l3, large.inner.ipv6, index, piece->len);
		check_l4(pos, piece->len, n);
		if (large.kind != PLAIN)
			check_tunnel(index, piece->len);
	}
	assert_null(offload_tso_next(&tso));
	assert_int_equal(offload_tso_next_len(&other), 0);
	split_free(&split);
}

static struct shape
random_shape(void)
{
	return (struct shape){
		.proto = rnd(2) ? 6 : 17, .ipv6 = rnd(2), .tags = rnd(3) / 2, .l3_extra = 8 * (rnd(3) / 2),
		.tcp_options = rnd(2) ? 12 : 0, .payload = 1 + rnd(6000), .seq = rnd(0xffffffff),
		.ip_id = (uint16_t)rnd(65536), .tcp_flags = ACK | PSH,
	};
}

static void
every_tunnel(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 4000; i++) {
		struct shape s = random_shape();

		large.kind = (enum kind)(i % NB_KINDS);
		if (large.kind == GRE_SEQ)
			continue;
		large.outer6 = rnd(2);
		large.outer_extra = 8 * (rnd(4) / 3);
		large.outer_csum = (large.kind == VXLAN || large.kind == GENEVE) && rnd(2);
		cut(&s, rnd(8) ? 200 + rnd(2000) : 1 + rnd(30), 1 + rnd(20));
	}
}

/* Taken whole: lengths and checksums of both IP headers, the length of the tunnel's datagram; its checksum is left open, as TCP's
   is. */
static void
whole(void **state)
{
	uint32_t i, n;

	(void)state;
	for (i = 0; i < 1000; i++) {
		struct shape s = random_shape();
		struct split split;

		s.proto = 6;
		large = (struct large){ .kind = (enum kind)(1 + i % (NB_KINDS - 1)), .outer6 = rnd(2),
			.outer_extra = 8 * (rnd(4) / 3), .outer_csum = rnd(2) };
		build_large(&large, &s);
		split_random(&split, large.frame.data, large.frame.len, large.hdr_len, 1 + i % 20);
		ask(&split.f, &large, 1000);
		if (large.kind != VXLAN && large.kind != GENEVE) {
			assert_int_equal(offload_tso_whole(&split.f), -ENOTSUP);
			split_free(&split);
			continue;
		}
		assert_int_equal(offload_tso_whole(&split.f), 0);
		assert_int_equal(split.f.request, OFFLOAD_TSO);
		assert_int_equal(gather(&split.f, out), large.frame.len);
		check_ip(large.l3, large.inner.l3, large.inner.ipv6, 0, large.frame.len);
		n = large.frame.len - large.tunnel;
		assert_int_equal(get16(out + large.tunnel + 6), large.outer_csum ?
			plain_pseudo(out, large.outer_l3, large.outer6, 17, n) : 0);
		assert_memory_equal(out + large.l4, large.frame.data + large.l4, large.frame.len - large.l4);
		large.outer_csum = false;
		put16(out + large.tunnel + 6, 0);
		check_tunnel(0, large.frame.len);
		split_free(&split);
	}
}

/* A stale outer checksum is made right, though nobody asked. */
static void
outer_checksum_that_was_there(void **state)
{
	struct shape s = { .proto = 6, .payload = 3000, .tcp_flags = ACK };
	struct offload_frame *piece;
	struct split split;
	uint32_t n;

	(void)state;
	large = (struct large){ .kind = VXLAN };
	build_large(&large, &s);
	put16(large.frame.data + large.tunnel + 6, 0x1234);
	split_random(&split, large.frame.data, large.frame.len, large.hdr_len, 3);
	ask(&split.f, &large, 1400);
	assert_int_equal(offload_tso_begin(&tso, &split.f), 3);
	while ((piece = offload_tso_next(&tso)) != NULL) {
		n = gather(piece, out) - large.tunnel;
		assert_int_equal(plain_sum(out + large.tunnel, n, plain_pseudo(out, large.outer_l3, false, 17, n)),
			0xffff);
	}
	split_free(&split);
}

/* A datagram whose sum comes to zero says 0xffff: zero would mean that there is none. */
static void
zero_checksum(void **state)
{
	struct shape s = { .proto = 17, .payload = 2 };
	struct offload_frame *piece;
	struct split split;
	uint16_t csum;

	(void)state;
	large = (struct large){ .kind = PLAIN };
	build_large(&large, &s);
	put16(large.frame.data + large.hdr_len, 0);
	put16(large.frame.data + large.l4 + 6, 0);
	csum = plain_sum(large.frame.data + large.l4, 10, plain_pseudo(large.frame.data, large.l3, false, 17, 10));
	put16(large.frame.data + large.hdr_len, 0xffff - csum);
	split_random(&split, large.frame.data, large.frame.len, large.hdr_len, 1);
	ask(&split.f, &large, 100);
	assert_int_equal(offload_tso_begin(&tso, &split.f), 1);
	piece = offload_tso_next(&tso);
	assert_int_equal(get16(piece->seg[0].data + large.l4 + 6), 0xffff);
	split_free(&split);
}

static void
refused(const struct shape *s, int hdr_change, uint32_t mss, uint8_t flags, int error)
{
	struct split split;

	build_large(&large, s);
	split_random(&split, large.frame.data, large.frame.len, large.hdr_len + 60, 3);
	ask(&split.f, &large, mss);
	split.f.hdr_len = (uint16_t)(split.f.hdr_len + hdr_change);
	split.f.flags ^= flags;
	assert_int_equal(offload_tso_begin(&tso, &split.f), error);
	assert_int_equal(offload_tso_next_len(&tso) != 0, error > 0);
	if (error < 0)
		assert_null(offload_tso_next(&tso));
	if (error < 0 || s->proto != 6)
		assert_true(offload_tso_whole(&split.f) < 0);
	split_free(&split);
}

static void
refusals(void **state)
{
	struct shape tcp = { .proto = 6, .payload = 3000, .tcp_flags = ACK }, udp = { .proto = 17, .payload = 3000 };
	int change;

	(void)state;
	large = (struct large){ .kind = VXLAN };
	for (change = -110; change <= 400; change++) {
		refused(&tcp, change, 1000, 0, change ? -EINVAL : 3);
		refused(&udp, change, 1000, 0, change ? -EINVAL : 3);
	}
	refused(&tcp, 0, 0, 0, -EINVAL);
	/* The request is for the outer headers, which end before, or are of another kind. */
	refused(&tcp, 0, 1000, OFFLOAD_F_INNER, -EINVAL);
	refused(&udp, 0, 1000, OFFLOAD_F_INNER, -EINVAL);
	/* Pieces that only the inner length field could tell. */
	udp.payload = 65535 - 28;
	refused(&udp, 0, 65535, 0, -EINVAL);
	large.kind = PLAIN;
	udp.payload = 3000;
	refused(&udp, 0, 1000, 0, 3);
	refused(&udp, 0, 1000, OFFLOAD_F_INNER, -EINVAL);
	large.kind = GRE_SEQ;
	refused(&tcp, 0, 1000, 0, -ENOTSUP);

	/* TCP asked for as datagrams, and the other way round. */
	large.kind = PLAIN;
	for (change = 0; change < 2; change++) {
		struct split split;

		build_large(&large, change ? &udp : &tcp);
		split_random(&split, large.frame.data, large.frame.len, large.hdr_len, 3);
		ask(&split.f, &large, 1000);
		split.f.request = change ? OFFLOAD_TSO : OFFLOAD_USO;
		assert_int_equal(offload_tso_begin(&tso, &split.f), -EINVAL);
		split_free(&split);
	}
}

/* Headers as long as they may be, and one word longer. */
static void
longest_headers(void **state)
{
	struct shape s = { .proto = 6, .ipv6 = true, .l3_extra = 8 * 8, .payload = 3000, .tcp_flags = ACK };
	uint32_t extra;

	(void)state;
	for (extra = 0; extra < 2; extra++) {
		struct split split;

		large = (struct large){ .kind = GENEVE, .outer6 = true, .outer_extra = 64 };
		s.tcp_options = 40;
		build_large(&large, &s);
		split_random(&split, large.frame.data, large.frame.len, large.hdr_len, 3);
		ask(&split.f, &large, 1000);
		split.f.hdr_len = (uint16_t)(large.hdr_len + extra);
		assert_int_equal(offload_tso_begin(&tso, &split.f), extra ? -EINVAL : 3);
		split_free(&split);
	}
	cut(&s, 1000, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_tunnel),
		cmocka_unit_test(whole),
		cmocka_unit_test(outer_checksum_that_was_there),
		cmocka_unit_test(zero_checksum),
		cmocka_unit_test(refusals),
		cmocka_unit_test(longest_headers),
	};

	return cmocka_run_group_tests_name("offload_tso_tunnel", tests, NULL, NULL);
}
