/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_frames.h"

#include <errno.h>

#include <offload_parse.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#define FIN 0x001
#define PSH 0x008
#define ACK 0x010
#define CWR 0x080
#define NS  0x100

static struct built built;
static struct offload_tso tso;
static uint8_t out[FRAME_ROOM];

static void
request_tso(struct offload_frame *f, const struct built *b, uint32_t mss)
{
	f->request = OFFLOAD_TSO;
	f->hdr_len = (uint16_t)(l4_at(b) + b->l4);
	f->mss = (uint16_t)mss;
}

/* Fields that each piece has to have, worked out from the large frame. */
static void
check_piece(const struct shape *s, uint32_t index, uint32_t count, uint32_t pos, uint32_t len)
{
	const uint8_t *ip = out + built.l2, *tcp = ip + built.l3;
	const uint8_t *old_ip = built.data + built.l2, *old_tcp = old_ip + built.l3;
	uint32_t l4 = built.l4 + len;
	uint16_t flags = s->tcp_flags;

	if (index != 0)
		flags &= (uint16_t)~CWR;
	if (index != count - 1)
		flags &= (uint16_t)~(FIN | PSH);

	assert_memory_equal(out, built.data, built.l2);
	if (s->ipv6) {
		assert_int_equal(get16(ip + 4), built.l3 - 40 + l4);
		assert_memory_equal(ip, old_ip, 4);
		assert_memory_equal(ip + 6, old_ip + 6, built.l3 - 6);
	} else {
		assert_int_equal(get16(ip + 2), built.l3 + l4);
		assert_int_equal(get16(ip + 4), (uint16_t)(s->ip_id + index));
		assert_int_equal(plain_sum(ip, built.l3, 0), 0xffff);
		assert_memory_equal(ip + 12, old_ip + 12, built.l3 - 12);
	}
	assert_memory_equal(tcp, old_tcp, 4);
	assert_int_equal(get32(tcp + 4), s->seq + pos);
	assert_memory_equal(tcp + 8, old_tcp + 8, 4);
	assert_int_equal(get16(tcp + 12), (built.l4 / 4) << 12 | flags);
	assert_memory_equal(tcp + 14, old_tcp + 14, 2);
	assert_memory_equal(tcp + 18, old_tcp + 18, built.l4 - 18);
	assert_int_equal(plain_sum(tcp, l4, plain_pseudo(out, built.l2, s->ipv6, 6, l4)), 0xffff);
	assert_memory_equal(tcp + built.l4, old_tcp + built.l4 + pos, len);
}

/* Cuts the frame and checks each byte of each piece. */
static void
cut(const struct shape *s, uint32_t mss, uint32_t parts, uint32_t first)
{
	uint32_t hdr_len, count, index, pos = 0, len;
	struct offload_frame *piece;
	struct split split;

	build(&built, s);
	hdr_len = l4_at(&built) + built.l4;
	/* What drivers leave there means nothing. */
	put16(built.data + field_at(&built), rnd(65536));
	if (!s->ipv6)
		put16(built.data + built.l2 + 10, rnd(65536));
	split_random(&split, built.data, built.len, first ? first : hdr_len, parts);
	request_tso(&split.f, &built, mss);
	count = s->payload ? (s->payload + mss - 1) / mss : 1;

	assert_int_equal(offload_tso_begin(&tso, &split.f), count);
	for (index = 0; index < count; index++, pos += len) {
		len = s->payload - pos < mss ? s->payload - pos : mss;
		piece = offload_tso_next(&tso);
		assert_non_null(piece);
		assert_int_equal(piece->request, OFFLOAD_NONE);
		assert_int_equal(piece->flags, OFFLOAD_F_PARSED | OFFLOAD_F_CSUM_GOOD);
		assert_int_equal(piece->len, hdr_len + len);
		assert_int_equal(piece->seg[0].len, hdr_len);
		assert_true(piece->nb_segs <= OFFLOAD_TSO_SEGS);
		assert_int_equal(gather(piece, out), hdr_len + len);
		check_piece(s, index, count, pos, len);
	}
	assert_int_equal(pos, s->payload);
	assert_null(offload_tso_next(&tso));
	assert_null(offload_tso_next(&tso));
	/* The large frame is as it was. */
	gather(&split.f, out);
	assert_memory_equal(out, built.data, built.len);
	split_free(&split);
}

static void
every_kind(void **state)
{
	unsigned int v6, tags, extra, options;

	(void)state;
	for (v6 = 0; v6 < 2; v6++)
	for (tags = 0; tags <= 4; tags++)
	for (extra = 0; extra <= 40; extra += v6 ? 8 : 4)
	for (options = 0; options <= 40; options += 4) {
		struct shape s = { .ipv6 = v6, .tags = tags, .proto = 6, .l3_extra = extra,
			.tcp_options = options, .payload = 5000, .seq = 0xfffff000,
			.ip_id = 0xfffe, .tcp_flags = NS | CWR | ACK | PSH | FIN };

		cut(&s, 1448, 6, 0);
	}
}

static void
every_mss(void **state)
{
	uint32_t mss;

	(void)state;
	for (mss = 1; mss <= 9000; mss++) {
		struct shape s = { .ipv6 = mss & 1, .proto = 6, .payload = mss < 50 ? 500 : 9001,
			.tcp_options = mss & 2 ? 12 : 0, .seq = mss * 77777, .ip_id = 65530,
			.tcp_flags = ACK | PSH };

		cut(&s, mss, 5, 0);
	}
}

static void
any_split(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 1500; i++) {
		struct shape s = { .ipv6 = i & 1, .proto = 6, .payload = 1 + rnd(20000),
			.tcp_options = 12, .seq = rnd(0xffffffff), .ip_id = (uint16_t)rnd(65536),
			.tcp_flags = ACK | (rnd(2) ? FIN : 0) | (rnd(2) ? CWR : 0) };

		cut(&s, 1 + rnd(3000), 1 + rnd(OFFLOAD_TSO_SEGS - 1), i & 2 ? 192 : 0);
	}
}

static void
largest(void **state)
{
	struct shape s = { .proto = 6, .tcp_flags = ACK, .payload = 65535 - 40 };

	(void)state;
	cut(&s, 1448, 5, 0);
	cut(&s, 65535 - 40, 5, 0);
	s.ipv6 = true;
	s.payload = OFFLOAD_FRAME_MAX - 74;
	cut(&s, 1428, 71, 0);
	cut(&s, 65535, 71, 0);
	cut(&s, 9000, 20, 0);
	cut(&s, 1, 5, 0);
}

static void
one_piece(void **state)
{
	struct shape s = { .proto = 6, .tcp_flags = ACK | PSH | FIN | CWR };

	(void)state;
	for (s.payload = 0; s.payload <= 100; s.payload++) {
		s.ipv6 = s.payload & 1;
		cut(&s, 100, 3, 0);
		cut(&s, 16383, 3, 0);
	}
}

/* A payload in many segments, or one odd byte in each. */
static void
many_segments(void **state)
{
	struct shape s = { .proto = 6, .payload = OFFLOAD_TSO_SEGS - 2, .tcp_flags = ACK };
	struct offload_frame *piece;
	struct split split;
	uint32_t i;

	(void)state;
	build(&built, &s);
	split_begin(&split);
	split_add(&split, built.data, 54);
	for (i = 0; i < s.payload; i++)
		split_add(&split, built.data + 54 + i, 1);
	request_tso(&split.f, &built, 1000);
	assert_int_equal(split.f.nb_segs, OFFLOAD_TSO_SEGS - 1);
	assert_int_equal(offload_tso_begin(&tso, &split.f), 1);
	piece = offload_tso_next(&tso);
	assert_int_equal(piece->nb_segs, OFFLOAD_TSO_SEGS - 1);
	gather(piece, out);
	check_piece(&s, 0, 1, 0, s.payload);

	split_add(&split, built.data, 1);
	assert_int_equal(offload_tso_begin(&tso, &split.f), -ENOTSUP);
	assert_null(offload_tso_next(&tso));
	split_free(&split);
}

static void
refused(const struct shape *s, int hdr_change, uint32_t mss, uint8_t flags, int error)
{
	struct split split;

	build(&built, s);
	split_random(&split, built.data, built.len, OFFLOAD_HEADER_BYTES, 3);
	request_tso(&split.f, &built, mss);
	split.f.hdr_len = (uint16_t)(split.f.hdr_len + hdr_change);
	split.f.flags = flags;
	assert_int_equal(offload_tso_begin(&tso, &split.f), error);
	if (error < 0)
		assert_null(offload_tso_next(&tso));
	split_free(&split);
}

static void
refusals(void **state)
{
	struct shape tcp = { .proto = 6, .payload = 3000 }, udp = { .proto = 17, .payload = 3000 };
	struct split split;
	int change;

	(void)state;
	memset(&tso, 0, sizeof(tso));
	for (change = -54; change <= 400; change++)
		refused(&tcp, change, 1000, 0, change ? -EINVAL : 3);
	refused(&tcp, 0xffff - 54, 1000, 0, -EINVAL);
	refused(&tcp, 0, 0, 0, -EINVAL);
	refused(&tcp, 0, 1000, OFFLOAD_F_INNER, -EINVAL);
	refused(&udp, 0, 1000, 0, -EINVAL);
	tcp.tags = 5;
	refused(&tcp, 0, 1000, 0, -EINVAL);
	tcp.tags = 0;

	/* Pieces longer than an IP length field can say. */
	tcp.payload = 65535 - 39;
	refused(&tcp, 0, 65535, 0, -EINVAL);
	refused(&tcp, 0, 65535 - 39, 0, -EINVAL);
	/* Too long altogether. */
	tcp.ipv6 = true;
	tcp.payload = OFFLOAD_FRAME_MAX - 73;
	refused(&tcp, 0, 1000, 0, -EINVAL);

	/* A fragment; no TSO request; headers beyond the limit. */
	tcp = (struct shape){ .proto = 6, .payload = 3000 };
	build(&built, &tcp);
	put16(built.data + 20, 0x2000);
	split_random(&split, built.data, built.len, OFFLOAD_HEADER_BYTES, 3);
	request_tso(&split.f, &built, 1000);
	assert_int_equal(offload_tso_begin(&tso, &split.f), -EINVAL);
	split.f.request = OFFLOAD_CSUM;
	assert_int_equal(offload_tso_begin(&tso, &split.f), -EINVAL);
	split_free(&split);

	tcp.ipv6 = true;
	tcp.l3_extra = 8;
	build(&built, &tcp);
	built.data[14 + 40 + 1] = 119; /* one header of 960 bytes: 1034 in all with TCP */
	built.data[14 + 40 + 960 + 12] = 0x50;
	split_random(&split, built.data, built.len, 1100, 3);
	request_tso(&split.f, &built, 1000);
	split.f.hdr_len = 14 + 40 + 960 + 20;
	assert_int_equal(offload_tso_begin(&tso, &split.f), -EINVAL);
	assert_int_equal(split.f.hdr.l4_len, 20);
	split_free(&split);
}

/* Tags: out of band ones stay so, and pushing one into a piece does not spoil the next. */
static void
vlan(void **state)
{
	struct shape s = { .proto = 6, .tags = 1, .payload = 3000, .tcp_flags = ACK };
	struct offload_frame *piece;
	struct split split;
	uint32_t index;

	(void)state;
	build(&built, &s);
	split_random(&split, built.data, built.len, OFFLOAD_HEADER_BYTES, 3);
	request_tso(&split.f, &built, 1000);
	split.f.flags = OFFLOAD_F_VLAN;
	split.f.vlan_tci = 0xe123;
	assert_int_equal(offload_tso_begin(&tso, &split.f), 3);
	for (index = 0; index < 3; index++) {
		piece = offload_tso_next(&tso);
		assert_true(piece->flags & OFFLOAD_F_VLAN);
		assert_int_equal(piece->vlan_tci, 0xe123);
		if (index < 2) {
			offload_vlan_push(piece);
			gather(piece, out);
			assert_memory_equal(out, built.data, 12);
			assert_int_equal(get32(out + 12), 0x8100e123);
			memmove(out + 4, out, 12);
			memmove(out, out + 4, piece->len - 4);
		} else {
			gather(piece, out);
		}
		check_piece(&s, index, 3, index * 1000, 1000);
	}
	assert_null(offload_tso_next(&tso));

	/* The other way: pushed before cutting. */
	offload_vlan_push(&split.f);
	assert_int_equal(offload_tso_begin(&tso, &split.f), 3);
	for (index = 0; index < 3; index++) {
		piece = offload_tso_next(&tso);
		assert_int_equal(piece->flags & OFFLOAD_F_VLAN, 0);
		assert_int_equal(piece->hdr.l2_len, 22);
		gather(piece, out);
		assert_int_equal(get32(out + 12), 0x8100e123);
		memmove(out + 12, out + 16, piece->len - 16);
		check_piece(&s, index, 3, index * 1000, 1000);
	}
	split_free(&split);
}

/* Taken whole: the IP header of one large packet, whatever the sender had there; the rest as it was. */
static void
whole(void **state)
{
	static struct built sent;
	struct split split;
	uint32_t i;

	(void)state;
	for (i = 0; i < 500; i++) {
		struct shape s = { .proto = 6, .ipv6 = i & 1, .tags = i % 3, .l3_extra = 8 * rnd(4),
			.tcp_options = 12, .payload = 1 + rnd(60000), .tcp_flags = ACK };

		build(&built, &s);
		sent = built;
		put16(sent.data + sent.l2 + (s.ipv6 ? 4 : 2), rnd(65536));
		if (!s.ipv6)
			put16(sent.data + sent.l2 + 10, rnd(65536));
		split_random(&split, sent.data, sent.len, OFFLOAD_HEADER_BYTES, 1 + i % 20);
		request_tso(&split.f, &sent, 1000);
		assert_int_equal(offload_tso_whole(&split.f), 0);
		assert_int_equal(split.f.request, OFFLOAD_TSO);
		gather(&split.f, out);
		assert_memory_equal(out, built.data, built.len);
		split.f.mss = 0;
		assert_int_equal(offload_tso_whole(&split.f), -EINVAL);
		split_free(&split);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(every_mss),
		cmocka_unit_test(any_split),
		cmocka_unit_test(largest),
		cmocka_unit_test(one_piece),
		cmocka_unit_test(many_segments),
		cmocka_unit_test(refusals),
		cmocka_unit_test(vlan),
		cmocka_unit_test(whole),
	};

	return cmocka_run_group_tests_name("offload_tso", tests, NULL, NULL);
}
