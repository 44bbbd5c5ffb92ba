/* SPDX-License-Identifier: BSD-3-Clause */
/* What offload_parse_inner() finds, with the outer headers and the inner ones of every kind. */
#include "offload_tunnels.h"

static struct built outer, inner;

static struct offload_headers
parse_both(const uint8_t *data, uint32_t len, enum offload_tunnel *tunnel)
{
	struct offload_headers out, in;
	uint8_t *copy = malloc(len ? len : 1);

	memset(&in, 0xa5, sizeof(in));
	memcpy(copy, data, len);
	offload_parse(copy, len, &out);
	*tunnel = offload_parse_inner(copy, len, &out, &in);
	free(copy);
	return in;
}

static void
expect_nothing(const struct offload_headers *hdr)
{
	assert_int_equal(hdr->ether_type | hdr->outer_tci | hdr->l2_len | hdr->l3_len | hdr->l4_len, 0);
	assert_int_equal(hdr->nb_tags | hdr->ip_proto | hdr->flags, 0);
}

/* What is to be found in the first @p len bytes, when the inner packet begins at @p at. */
static void
check_truncated(const struct shape *i, const struct wrap *w, uint32_t at, uint32_t len)
{
	enum offload_tunnel tunnel;
	struct offload_headers hdr = parse_both(outer.data, len, &tunnel);
	uint32_t tags = 0, l2_end = at + (w->ethernet ? 14 : 0), l4_begin;
	bool there = len >= l2_end, l3, l4;

	assert_int_equal(tunnel, there ? w->tunnel : OFFLOAD_TUNNEL_NONE);
	if (!there) {
		expect_nothing(&hdr);
		return;
	}
	if (w->ethernet) {
		tags = (len - l2_end) / 4;
		if (tags > i->tags)
			tags = i->tags;
		l2_end += tags * 4;
		assert_int_equal(hdr.ether_type, get16(outer.data + l2_end - 2));
	} else {
		assert_int_equal(hdr.ether_type, i->ipv6 ? 0x86dd : 0x0800);
	}
	l4_begin = at + (w->ethernet ? inner.l2 : 0) + inner.l3;
	l3 = len >= l4_begin;
	l4 = len >= l4_begin + inner.l4;
	assert_int_equal(hdr.nb_tags, tags);
	assert_int_equal(hdr.outer_tci, tags ? get16(outer.data + at + 14) : 0);
	assert_int_equal(hdr.l2_len, l2_end);
	assert_int_equal(hdr.l3_len, l3 ? inner.l3 : 0);
	assert_int_equal(hdr.l4_len, l4 ? inner.l4 : 0);
	assert_int_equal(hdr.ip_proto, l3 ? i->proto : 0);
	assert_int_equal(hdr.flags, (l3 ? i->ipv6 ? OFFLOAD_H_IPV6 : OFFLOAD_H_IPV4 : 0) |
		(l4 ? i->proto == 6 ? OFFLOAD_H_TCP : OFFLOAD_H_UDP : 0));
}

/* One tunnel with all kinds of packets around and inside of it, at every length. */
static void
check_wrap(const struct wrap *w, bool inner_ipv6_too)
{
	unsigned int kind;
	uint32_t at, len;

	for (kind = 0; kind < 64; kind++) {
		struct shape o = { .ipv6 = kind & 1, .tags = kind & 2 ? 2 : 0, .l3_extra = kind & 4 ? 8 : 0 };
		struct shape i = { .ipv6 = kind & 8 && inner_ipv6_too, .proto = kind & 16 ? 6 : 17, .payload = 5,
			.l3_extra = kind & 4 ? 16 : 0, .tags = kind & 32 && w->ethernet ? 1 + kind % 4 : 0,
			.tcp_options = kind & 32 ? 12 : 0 };

		at = wrap_up(&outer, &inner, &o, &i, w);
		for (len = 0; len <= outer.len; len++)
			check_truncated(&i, w, at, len);
	}
}

static void
vxlan(void **state)
{
	struct wrap w = { .tunnel = OFFLOAD_TUNNEL_VXLAN, .proto = 17, .port = 4789, .len = 8, .ethernet = true };

	(void)state;
	memcpy(w.head, "\x08\0\0\0\x12\x34\x56\0", 8);
	check_wrap(&w, true);
	w.port = 8472;
	w.head[0] = 0xff; /* reserved bits do not matter */
	check_wrap(&w, true);
}

static void
geneve_with_options(void **state)
{
	struct wrap w = { .tunnel = OFFLOAD_TUNNEL_GENEVE, .proto = 17, .port = 6081, .ethernet = true };
	uint32_t words;

	(void)state;
	for (words = 0; words < 64; words += 9) {
		memcpy(w.head, "\0\0\x65\x58\x12\x34\x56\0", 8);
		memset(w.head + 8, 0xee, words * 4);
		w.head[0] = (uint8_t)words;
		w.head[1] = words & 1 ? 0xc0 : 0; /* control, critical options */
		w.len = 8 + words * 4;
		check_wrap(&w, true);
	}
}

static void
gre_with_every_field(void **state)
{
	struct wrap w = { 0 };
	uint32_t flags;

	(void)state;
	for (flags = 0; flags < 16; flags++) {
		if (flags & 4)
			continue; /* routing */
		w.ethernet = true;
		w.tunnel = flags == 2 ? OFFLOAD_TUNNEL_NVGRE : OFFLOAD_TUNNEL_GRE;
		set_gre(&w, (uint16_t)(flags << 12 | 0x03f8), 0x6558); /* reserved bits do not matter */
		check_wrap(&w, true);
		w.ethernet = false;
		w.tunnel = OFFLOAD_TUNNEL_GRE;
		set_gre(&w, (uint16_t)(flags << 12), 0x0800);
		check_wrap(&w, false);
	}
	set_gre(&w, 0x2000, 0x86dd);
	w.tunnel = OFFLOAD_TUNNEL_GRE;
	{
		struct shape o = { .ipv6 = false }, i = { .ipv6 = true, .proto = 6, .payload = 9 };
		uint32_t at = wrap_up(&outer, &inner, &o, &i, &w), len;

		for (len = 0; len <= outer.len; len++)
			check_truncated(&i, &w, at, len);
	}
}

static void
ip_in_ip(void **state)
{
	struct wrap w = { .tunnel = OFFLOAD_TUNNEL_IPIP };
	unsigned int kind;
	uint32_t at, len;

	(void)state;
	for (kind = 0; kind < 16; kind++) {
		struct shape o = { .ipv6 = kind & 1, .l3_extra = kind & 4 ? 8 : 0 };
		struct shape i = { .ipv6 = kind & 2, .proto = kind & 8 ? 6 : 17, .payload = 5, .l3_extra = kind & 4 ? 24 : 0 };

		w.proto = i.ipv6 ? 41 : 4;
		at = wrap_up(&outer, &inner, &o, &i, &w);
		for (len = 0; len <= outer.len; len++)
			check_truncated(&i, &w, at, len);
	}
}

/* Builds VXLAN, Geneve or GRE of the usual kind, for others to break. @return where the tunnel's header is. */
static uint32_t
usual(enum offload_tunnel tunnel)
{
	struct shape o = { 0 }, i = { .proto = 6, .payload = 30 };
	struct wrap w = wrap_of(tunnel);
	enum offload_tunnel found;
	uint32_t at = wrap_up(&outer, &inner, &o, &i, &w);

	parse_both(outer.data, outer.len, &found);
	assert_int_equal(found, tunnel);
	return at - w.len;
}

static void
check_none(void)
{
	enum offload_tunnel tunnel;
	struct offload_headers hdr = parse_both(outer.data, outer.len, &tunnel);

	assert_int_equal(tunnel, OFFLOAD_TUNNEL_NONE);
	expect_nothing(&hdr);
}

static void
what_is_no_tunnel(void **state)
{
	struct shape plain = { .proto = 6, .payload = 99 };
	uint32_t at, i;

	(void)state;
	at = usual(OFFLOAD_TUNNEL_VXLAN);
	outer.data[at] = 0xf7; /* no I flag */
	check_none();
	at = usual(OFFLOAD_TUNNEL_VXLAN);
	put16(outer.data + at - 6, 4788);
	put16(outer.data + at - 8, 4789); /* the source port says nothing */
	check_none();
	for (i = 1; i < 4; i++) {
		at = usual(OFFLOAD_TUNNEL_GENEVE);
		outer.data[at] = (uint8_t)(i << 6); /* versions */
		check_none();
	}
	at = usual(OFFLOAD_TUNNEL_GENEVE);
	put16(outer.data + at + 2, 0x0800);
	check_none();
	at = usual(OFFLOAD_TUNNEL_GENEVE);
	outer.data[at] = 63; /* options beyond the frame */
	check_none();
	for (i = 0; i < 16; i++) { /* every bit of flags and version */
		enum offload_tunnel tunnel;

		at = usual(OFFLOAD_TUNNEL_NVGRE);
		put16(outer.data + at, 0x2000 | 1u << i);
		parse_both(outer.data, outer.len, &tunnel);
		assert_int_equal(tunnel == OFFLOAD_TUNNEL_NONE, i <= 2 || i == 10 || i == 11 || i == 14);
	}
	at = usual(OFFLOAD_TUNNEL_NVGRE);
	put16(outer.data + at + 2, 0x880b); /* PPP */
	check_none();

	build(&outer, &plain);
	check_none();
	/* Fragments, first ones too. */
	usual(OFFLOAD_TUNNEL_VXLAN);
	put16(outer.data + 20, 0x2000);
	check_none();
	usual(OFFLOAD_TUNNEL_NVGRE);
	put16(outer.data + 20, 0x0010);
	check_none();
}

/* What is inside of the inner packet is left alone; what is broken inside does not hide the tunnel. */
static void
one_level(void **state)
{
	enum offload_tunnel tunnel;
	struct offload_headers hdr;
	uint32_t at;

	(void)state;
	at = usual(OFFLOAD_TUNNEL_VXLAN) + 8;
	outer.data[at + 14 + 9] = 4;
	hdr = parse_both(outer.data, outer.len, &tunnel);
	assert_int_equal(tunnel, OFFLOAD_TUNNEL_VXLAN);
	assert_int_equal(hdr.ip_proto, 4);
	assert_int_equal(hdr.l4_len, 0);
	assert_int_equal(hdr.l2_len, at + 14);

	outer.data[at + 14] = 0x44;
	hdr = parse_both(outer.data, outer.len, &tunnel);
	assert_int_equal(tunnel, OFFLOAD_TUNNEL_VXLAN);
	assert_int_equal(hdr.l3_len, 0);

	put16(outer.data + at + 12, 0x0806);
	hdr = parse_both(outer.data, outer.len, &tunnel);
	assert_int_equal(tunnel, OFFLOAD_TUNNEL_VXLAN);
	assert_int_equal(hdr.ether_type, 0x0806);
	assert_int_equal(hdr.flags, 0);
}

static void
noise(void **state)
{
	static const uint16_t ports[] = { 4789, 8472, 6081 };
	enum offload_tunnel tunnel;
	struct offload_headers hdr;
	uint32_t i, j, len, found = 0;
	uint8_t data[400];

	(void)state;
	for (i = 0; i < 200000; i++) {
		len = 46 + rnd(sizeof(data) - 46);
		for (j = 0; j < len; j++)
			data[j] = (uint8_t)rnd(256);
		put16(data + 12, 0x0800);
		data[14] = 0x45;
		put16(data + 20, 0);
		data[23] = (uint8_t)"\x11\x11\x2f\x04\x29"[rnd(5)];
		put16(data + 36, data[23] == 47 ? 0x6558 : ports[rnd(3)]);
		put16(data + 44, 0x6558);
		hdr = parse_both(data, len, &tunnel);
		found += tunnel != OFFLOAD_TUNNEL_NONE;
		assert_true((uint32_t)hdr.l2_len + hdr.l3_len + hdr.l4_len <= len);
		assert_true(tunnel == OFFLOAD_TUNNEL_NONE ? hdr.l2_len == 0 : hdr.l2_len >= 34);
	}
	assert_true(found > 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vxlan),
		cmocka_unit_test(geneve_with_options),
		cmocka_unit_test(gre_with_every_field),
		cmocka_unit_test(ip_in_ip),
		cmocka_unit_test(what_is_no_tunnel),
		cmocka_unit_test(one_level),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests_name("offload_tunnel", tests, NULL, NULL);
}
