/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offload requests from guest to guest: checksums, segmentation, tags, receive queues. What arrives is
 * compared with frames made here from scratch, by the plainest means.
 */
#include <rte_common.h>

#include "card.h"

#define TCP 6
#define UDP 17

static const uint32_t revisions[] = { 1, 2, 3, 7 };

static struct mini_conf
roomy(uint32_t revision)
{
	struct mini_conf conf = mini_conf_default(revision);

	conf.tx_size = conf.tx_comp_size = 512;
	conf.mtu = 9000;
	conf.head_len = 2048;
	conf.body_len = 4096;
	return conf;
}

static void
shuffle(struct shape *s)
{
	*s = (struct shape){
		.tags = rnd(3),
		.tpid = rnd(2) ? 0x88a8 : 0,
		.ipv6 = rnd(2),
		.proto = rnd(2) ? TCP : UDP,
		.l3_extra = rnd(3) * 8,
		.tcp_options = rnd(4) * 4,
		.payload = rnd(4) ? rnd(1400) : rnd(20),
		.ip_id = (uint16_t)rnd(65536),
		.seq = rnd(UINT32_MAX),
		.tcp_flags = (uint16_t)(0x010 | rnd(2) << 3 | rnd(2)),
	};
}

/* What the switch sees of a request; other exits than a guest work from it. */
static void
requests_are_passed_on(void **state)
{
	static const struct {
		struct mini_offload o;
		struct offload_frame f;
	} cases[] = {
		{ { .ti = true, .tci = 0xbeef, .hlen = 99, .msscof = 99 },
			{ .flags = OFFLOAD_F_VLAN, .vlan_tci = 0xbeef } },
		{ { .om = VMXNET3_OM_CSUM, .hlen = 34, .msscof = 50 },
			{ .request = OFFLOAD_CSUM, .csum_start = 34, .csum_field = 50 } },
		{ { .om = VMXNET3_OM_CSUM, .hlen = 54, .msscof = 60 },
			{ .request = OFFLOAD_CSUM, .csum_start = 54, .csum_field = 60,
				.flags = OFFLOAD_F_INNER } },
		{ { .om = VMXNET3_OM_CSUM, .ext1 = true, .hlen = 62, .msscof = 60 },
			{ .request = OFFLOAD_CSUM, .csum_start = 54, .csum_field = 60,
				.flags = OFFLOAD_F_INNER } },
		{ { .om = VMXNET3_OM_TSO, .hlen = 54, .msscof = 16000 },
			{ .request = OFFLOAD_TSO, .hdr_len = 54, .mss = 16000 } },
	};
	struct mini_conf conf = mini_conf_default(7);
	struct shape s = { .proto = TCP, .payload = 1000 };
	struct offload_frame *f;
	static struct built b;
	struct card a;
	size_t i;

	(void)state;
	card_open(&a, &conf, NULL);
	build(&b, &s);
	for (i = 0; i < RTE_DIM(cases); i++) {
		send_split(&a, 0, b.data, b.len, 5, &cases[i].o);
		assert_int_equal(1, vmxnet3_dev_tx_begin(a.dev, 0, a.burst, 1, &f));
		assert_int_equal(b.len, f->len);
		assert_int_equal(cases[i].f.request, f->request);
		assert_int_equal(cases[i].f.flags, f->flags & ~OFFLOAD_F_PARSED);
		assert_int_equal(cases[i].f.csum_start, f->csum_start);
		assert_int_equal(cases[i].f.csum_field, f->csum_field);
		assert_int_equal(cases[i].f.hdr_len, f->hdr_len);
		assert_int_equal(cases[i].f.mss, f->mss);
		assert_true(!(f->flags & OFFLOAD_F_VLAN) || f->vlan_tci == cases[i].f.vlan_tci);
		vmxnet3_dev_tx_end(a.dev, 0, a.burst);
	}
	/* Short frames are filled up before anybody sees them. */
	send_split(&a, 0, b.data, 50, 5, NULL);
	assert_int_equal(1, vmxnet3_dev_tx_begin(a.dev, 0, a.burst, 1, &f));
	assert_true(f->len == 60 && f->nb_segs == 1 && f->seg[0].len == 60);
	assert_int_equal(0, plain_sum(f->seg[0].data + 50, 10, 0));
	vmxnet3_dev_tx_end(a.dev, 0, a.burst);
	expect_reaped(&a, 0, RTE_DIM(cases) + 1);
	card_close(&a);
}

/* ---- checksums ---- */

static void
checksums(uint32_t revision, uint32_t features)
{
	struct mini_conf ca = roomy(revision), cb = ca;
	static struct built want, sent;
	struct mini_offload o;
	struct mini_frame got;
	struct card a, b;
	struct shape s;
	int i;

	cb.features = features;
	card_open(&a, &ca, NULL);
	card_open(&b, &cb, NULL);
	for (i = 0; i < 300; i++) {
		shuffle(&s);
		build(&want, &s);
		sent = want;
		put_seed(&sent);
		o = (struct mini_offload){ .om = VMXNET3_OM_CSUM, .hlen = l4_at(&sent),
			.msscof = field_at(&sent) };
		send_split(&a, 0, sent.data, sent.len, 1 + rnd(20), &o);
		assert_int_equal(1, carry(&a, 0, &b));
		expect_reaped(&a, 0, 1);
		expect_frame(&b, 0, &got);
		expect_bytes(&got, want.data, want.len);
		assert_true(got.v4 == !want.ipv6 && got.v6 == want.ipv6);
		assert_true(got.tcp == (s.proto == TCP) && got.udp == (s.proto == UDP));
		assert_int_equal(!(features & VMXNET3_F_RXCSUM), got.cnc);
		mini_refill(&b.m, 0, UINT32_MAX);
	}
	card_close(&a);
	card_close(&b);
}

static void
checksums_are_completed(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(revisions); i++) {
		checksums(revisions[i], VMXNET3_F_RXCSUM);
		checksums(revisions[i], 0);
	}
}

/* Nobody vouches for what was not asked for, nor for fragments. */
static void
unasked_is_not_vouched_for(void **state)
{
	struct mini_conf conf = roomy(3);
	struct shape s = { .proto = UDP, .payload = 500 };
	static struct built f;
	struct mini_offload o;
	struct mini_frame got;
	struct card a;

	(void)state;
	card_open(&a, &conf, NULL);
	build(&f, &s);
	send_split(&a, 0, f.data, f.len, 3, NULL);
	assert_int_equal(1, carry(&a, 0, &a));
	expect_frame(&a, 0, &got);
	assert_true(got.cnc && got.udp && got.v4 && !got.frg);

	put16(f.data + 14 + 6, 0x2000);
	seal_ipv4(&f);
	o = (struct mini_offload){ .om = VMXNET3_OM_CSUM, .hlen = 34, .msscof = 40 };
	send_split(&a, 0, f.data, f.len, 3, &o);
	assert_int_equal(1, carry(&a, 0, &a));
	expect_frame(&a, 0, &got);
	assert_true(got.cnc && got.frg && got.v4 && !got.udp);
	card_close(&a);
}

/* A frame in a UDP tunnel: outer IPv4, UDP 4789 without checksum, eight bytes of VXLAN. */
static void
wrap(struct built *outer, const struct built *inner)
{
	struct shape s = { .proto = UDP, .payload = 8 + inner->len };

	build(outer, &s);
	put16(outer->data + 14 + 20 + 2, 4789);
	put16(outer->data + field_at(outer), 0);
	memset(outer->data + 42, 0, 8);
	memcpy(outer->data + 50, inner->data, inner->len);
}

static void
inner_checksums_are_completed(void **state)
{
	struct mini_conf conf = roomy(7), old = roomy(3);
	static struct built inner, want, sent;
	struct mini_frame got;
	struct mini_offload o;
	struct card a, b;
	struct shape s;
	int i;

	(void)state;
	card_open(&a, &conf, NULL);
	card_open(&b, &old, NULL);
	for (i = 0; i < 300; i++) {
		shuffle(&s);
		s.tags = 0;
		build(&inner, &s);
		wrap(&want, &inner);
		put_seed(&inner);
		wrap(&sent, &inner);
		o = (struct mini_offload){ .om = VMXNET3_OM_CSUM, .ext1 = true,
			.hlen = 50 + l4_at(&inner) + inner.l4, .msscof = 50 + field_at(&inner) };
		send_split(&a, 0, sent.data, sent.len, 1 + rnd(20), &o);
		assert_int_equal(1, carry(&a, 0, &b));
		expect_reaped(&a, 0, 1);
		expect_frame(&b, 0, &got);
		expect_bytes(&got, want.data, want.len);
		assert_true(got.udp && got.v4 && got.cnc);
		mini_refill(&b.m, 0, UINT32_MAX);
	}
	/* Before revision 7 the bit is not there: the same fields make no sense. */
	send_split(&b, 0, sent.data, sent.len, 3, &o);
	assert_int_equal(0, carry(&b, 0, &a));
	expect_reaped(&b, 0, 1);
	assert_int_equal(1, drops(&b, VMXNET3_DROP_TX_BAD_OFFLOAD));
	card_close(&a);
	card_close(&b);
}

/* ---- segmentation ---- */

/* Piece @p i of a large frame, as the wire should have it. */
static void
cut(struct built *piece, const struct built *large, const struct shape *s, uint32_t mss, uint32_t i)
{
	uint32_t hdr = l4_at(large) + large->l4;
	uint32_t payload = large->len - hdr, at = i * mss;
	uint32_t n = RTE_MIN(mss, payload - at);
	bool last = at + n == payload;
	uint8_t *ip = piece->data + large->l2;
	uint8_t *tcp = piece->data + l4_at(large);

	memcpy(piece, large, offsetof(struct built, data));
	memcpy(piece->data, large->data, hdr);
	memcpy(piece->data + hdr, large->data + hdr + at, n);
	piece->len = hdr + n;
	put32(tcp + 4, s->seq + at);
	put16(tcp + 12, (large->l4 / 4) << 12 | (s->tcp_flags & ~(last ? 0u : 0x09u) &
		~(i == 0 ? 0u : 0x80u)));
	if (s->ipv6) {
		put16(ip + 4, large->l3 - 40 + large->l4 + n);
	} else {
		put16(ip + 2, large->l3 + large->l4 + n);
		put16(ip + 4, s->ip_id + i);
		seal_ipv4(piece);
	}
	put_csum(piece);
}

/* What Linux hands over: no IPv4 header checksum, a pseudo-header sum without the length. */
static void
unseal(struct built *f)
{
	if (!f->ipv6)
		put16(f->data + f->l2 + 10, 0);
	put16(f->data + field_at(f), plain_pseudo(f->data, f->l2, f->ipv6, f->proto, 0));
}

static void
shuffle_large(struct shape *s, uint32_t *mss)
{
	shuffle(s);
	s->proto = TCP;
	s->tcp_flags = (uint16_t)(0x010 | rnd(2) << 3 | rnd(2) | rnd(2) << 7);
	s->payload = rnd(3) ? rnd(64000) : rnd(2000);
	*mss = rnd(4) ? 1448 : 100 + rnd(8000);
	if (s->payload / *mss > 200)
		*mss = 1448;
}

static void
expect_pieces(struct card *b, const struct built *large, const struct shape *s, uint32_t mss)
{
	uint32_t payload = large->len - l4_at(large) - large->l4;
	uint32_t i, n = payload == 0 ? 1 : (payload + mss - 1) / mss;
	static struct built piece;
	struct mini_frame got;

	for (i = 0; i < n; i++) {
		cut(&piece, large, s, mss, i);
		expect_frame(b, 0, &got);
		expect_bytes(&got, piece.data, piece.len);
		assert_true(got.segs == 0 && !got.cnc && got.tcp);
	}
	expect_silence(b, 0);
}

static void
segments(uint32_t revision, uint32_t features, bool scattered)
{
	const struct card_opts opts = { .scattered = scattered };
	struct mini_conf ca = roomy(revision), cb = ca;
	struct mini_offload o = { .om = VMXNET3_OM_TSO };
	static struct built large, sent;
	struct card a, b;
	struct shape s;
	int i;

	cb.features = features;
	card_open(&a, &ca, &opts);
	card_open(&b, &cb, &opts);
	for (i = 0; i < 60; i++) {
		shuffle_large(&s, &o.msscof);
		build(&large, &s);
		sent = large;
		unseal(&sent);
		o.hlen = l4_at(&sent) + sent.l4;
		send_split(&a, 0, sent.data, sent.len, 1 + rnd(30), &o);
		assert_int_equal(1, carry(&a, 0, &b));
		expect_reaped(&a, 0, 1);
		expect_pieces(&b, &large, &s, o.msscof);
		mini_refill(&b.m, 0, UINT32_MAX);
	}
	card_close(&a);
	card_close(&b);
}

static void
large_frames_are_cut(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(revisions); i++) {
		segments(revisions[i], VMXNET3_F_RXCSUM, false);
		segments(revisions[i], VMXNET3_F_RXCSUM, true);
	}
	/* Revision 1 has no way to say how a large frame is made up. */
	segments(1, VMXNET3_F_RXCSUM | VMXNET3_F_LRO, false);
}

/* @p f as one large frame: its own lengths and header checksum; TCP's is as the sender left it. */
static void
seal_large(struct built *f, const struct built *sent)
{
	memcpy(f->data + field_at(f), sent->data + field_at(f), 2);
}

static void
whole(uint32_t revision, uint32_t head, uint32_t body, bool scattered)
{
	const struct card_opts opts = { .scattered = scattered };
	struct mini_conf ca = roomy(revision), cb = ca;
	struct mini_offload o = { .om = VMXNET3_OM_TSO };
	static struct built large, sent;
	uint32_t n, payload;
	struct mini_frame got;
	struct card a, b;
	struct shape s;
	int i;

	cb.features = VMXNET3_F_RXCSUM | VMXNET3_F_LRO;
	cb.max_sg = 18;
	cb.head_len = head;
	cb.body_len = body;
	card_open(&a, &ca, &opts);
	card_open(&b, &cb, &opts);
	for (i = 0; i < 100; i++) {
		shuffle_large(&s, &o.msscof);
		build(&large, &s);
		sent = large;
		unseal(&sent);
		o.hlen = l4_at(&sent) + sent.l4;
		send_split(&a, 0, sent.data, sent.len, 1 + rnd(30), &o);
		assert_int_equal(1, carry(&a, 0, &b));
		expect_reaped(&a, 0, 1);
		payload = large.len - o.hlen;
		n = (payload + o.msscof - 1) / o.msscof;
		if (n < 2 || large.len > head + 17 * body || large.len > 65535) {
			expect_pieces(&b, &large, &s, o.msscof);
		} else {
			seal_large(&large, &sent);
			expect_frame(&b, 0, &got);
			expect_bytes(&got, large.data, large.len);
			assert_int_equal(n, got.segs);
			assert_int_equal(o.msscof, got.mss);
		}
		mini_refill(&b.m, 0, UINT32_MAX);
	}
	card_close(&a);
	card_close(&b);
}

static void
large_frames_stay_whole(void **state)
{
	(void)state;
	whole(2, 2048, 4096, false);
	whole(3, 16383, 16383, false);
	whole(7, 1522, 4096, true);
	whole(7, 2048, 2048, false);
}

/* A large frame for which the second ring has too little is cut into what the first one takes. */
static void
large_frame_falls_back(void **state)
{
	struct mini_conf conf = roomy(7);
	struct shape s = { .proto = TCP, .payload = 40000, .tcp_flags = 0x18 };
	struct mini_offload o = { .om = VMXNET3_OM_TSO, .msscof = 1448, .hlen = 54 };
	static struct built large;
	struct card a;

	(void)state;
	conf.features |= VMXNET3_F_LRO;
	conf.empty = true;
	card_open(&a, &conf, NULL);
	mini_refill_ring(&a.m, 0, 0, 200);
	mini_refill_ring(&a.m, 0, 1, 5);
	build(&large, &s);
	send_split(&a, 0, large.data, large.len, 9, &o);
	assert_int_equal(1, carry(&a, 0, &a));
	expect_pieces(&a, &large, &s, 1448);
	card_close(&a);
}

/* A completion counts at most 255 segments. */
static void
too_many_segments_are_cut(void **state)
{
	struct mini_conf conf = roomy(7);
	struct shape s = { .proto = TCP, .payload = 25501, .tcp_flags = 0x18 };
	struct mini_offload o = { .om = VMXNET3_OM_TSO, .msscof = 100, .hlen = 54 };
	static struct built large;
	struct mini_frame got;
	struct card a;

	(void)state;
	conf.features |= VMXNET3_F_LRO;
	conf.rx_size[0] = 512;
	conf.rx_comp_size = 768;
	card_open(&a, &conf, NULL);
	build(&large, &s);
	send_split(&a, 0, large.data, large.len, 9, &o);
	assert_int_equal(1, carry(&a, 0, &a));
	expect_pieces(&a, &large, &s, 100);
	s.payload = 25500;
	build(&large, &s);
	send_split(&a, 0, large.data, large.len, 9, &o);
	assert_int_equal(1, carry(&a, 0, &a));
	expect_frame(&a, 0, &got);
	assert_int_equal(255, got.segs);
	card_close(&a);
}

/* Pieces longer than the receiver's MTU do not reach it, whole or cut. */
static void
pieces_respect_mtu(void **state)
{
	struct mini_conf ca = roomy(7), cb = mini_conf_default(7);
	struct shape s = { .proto = TCP, .payload = 20000 };
	struct mini_offload o = { .om = VMXNET3_OM_TSO, .msscof = 1461, .hlen = 54 };
	static struct built large;
	struct card a, b;

	(void)state;
	cb.features |= VMXNET3_F_LRO;
	card_open(&a, &ca, NULL);
	card_open(&b, &cb, NULL);
	build(&large, &s);
	send_split(&a, 0, large.data, large.len, 9, &o);
	assert_int_equal(1, carry(&a, 0, &b));
	expect_silence(&b, 0);
	assert_int_equal(1, drops(&b, VMXNET3_DROP_RX_TOO_LONG));
	o.msscof = 1460;
	send_split(&a, 0, large.data, large.len, 9, &o);
	assert_int_equal(1, carry(&a, 0, &b));
	assert_int_equal(1, drops(&b, VMXNET3_DROP_RX_TOO_LONG));
	card_close(&a);
	card_close(&b);
}

/* Counters: TSO before segmentation, the rest after; large frames on receive likewise. */
static void
large_frames_are_counted(void **state)
{
	struct mini_conf conf = roomy(7);
	struct shape s = { .proto = TCP, .payload = 10000 };
	struct mini_offload o = { .om = VMXNET3_OM_TSO, .msscof = 1000, .hlen = 54 };
	const struct vmxnet3_tx_stats *t;
	const struct vmxnet3_rx_stats *r;
	static struct built large;
	struct card a;

	(void)state;
	conf.features |= VMXNET3_F_LRO;
	card_open(&a, &conf, NULL);
	build(&large, &s);
	send_split(&a, 0, large.data, large.len, 9, &o);
	assert_int_equal(1, carry(&a, 0, &a));
	mini_cmd(&a.m, VMXNET3_CMD_GET_STATS);
	t = &mini_txq_desc(&a.m, 0)->stats;
	r = &mini_rxq_desc(&a.m, 0)->stats;
	assert_int_equal(1, t->tso_pkts);
	assert_int_equal(10054, t->tso_bytes);
	assert_int_equal(10, t->ucast_pkts);
	assert_int_equal(10540, t->ucast_bytes);
	assert_int_equal(1, r->lro_pkts);
	assert_int_equal(10054, r->lro_bytes);
	assert_int_equal(10, r->ucast_pkts);
	assert_int_equal(10540, r->ucast_bytes);
	card_close(&a);
}

/* ---- tags ---- */

/* Inserts an 802.1Q tag after the addresses. */
static void
tag(struct built *f, uint16_t tci)
{
	memmove(f->data + 16, f->data + 12, f->len - 12);
	put16(f->data + 12, 0x8100);
	put16(f->data + 14, tci);
	f->len += 4;
	f->l2 += 4;
}

static void
untag(struct built *f)
{
	memmove(f->data + 12, f->data + 16, f->len - 16);
	f->len -= 4;
	f->l2 -= 4;
}

/* One cell of the matrix: tags in line, tag beside, stripping, request, VLAN wanted or not. */
static void
tag_case(struct card *a, struct card *b, uint32_t tags, bool ti, bool strip, bool csum, bool wanted)
{
	struct shape s = { .tags = tags, .proto = UDP, .payload = 18 + rnd(1000), .ipv6 = rnd(2) };
	struct mini_offload o = { .ti = ti, .tci = 0xa064 };
	static struct built want, sent;
	uint16_t outer = ti ? 0xa064 : 0x2064;
	struct mini_frame got;

	build(&want, &s);
	sent = want;
	if (csum) {
		put_seed(&sent);
		o.om = VMXNET3_OM_CSUM;
		o.hlen = l4_at(&sent);
		o.msscof = field_at(&sent);
	}
	send_split(a, 0, sent.data, sent.len, 1 + rnd(6), &o);
	assert_int_equal(1, carry(a, 0, b));
	expect_reaped(a, 0, 1);
	if (!wanted && (ti || tags > 0)) {
		expect_silence(b, 0);
		return;
	}
	if (ti && !strip)
		tag(&want, 0xa064);
	else if (!ti && tags > 0 && strip)
		untag(&want);
	expect_frame(b, 0, &got);
	expect_bytes(&got, want.data, want.len);
	assert_int_equal(strip && (ti || tags > 0), got.tagged);
	if (got.tagged)
		assert_int_equal(outer, got.tci);
	assert_true(got.udp && got.cnc == !csum);
	mini_refill(&b->m, 0, UINT32_MAX);
}

static void
tags_go_where_they_are_wanted(void **state)
{
	struct mini_conf ca = roomy(3), cb = roomy(7);
	uint32_t i, vlans;
	struct card a, b;

	(void)state;
	card_open(&a, &ca, NULL);
	card_open(&b, &cb, NULL);
	for (vlans = 0; vlans < 3; vlans++) {
		struct vmxnet3_shared *sh = mini_shared(&b.m);

		/* No table at all; one with VLAN 0x64; one without it. */
		sh->rx_filter.vf_table[0] = vlans != 0;
		sh->rx_filter.vf_table[0x64 >> 5] = vlans == 1 ? 1u << (0x64 & 31) : 0;
		mini_cmd(&b.m, VMXNET3_CMD_UPDATE_VLAN_FILTERS);
		for (i = 0; i < 3 * 8 * 4; i++) {
			bool strip = i & 1;

			b.m.conf.features = VMXNET3_F_RXCSUM | (strip ? VMXNET3_F_RXVLAN : 0);
			sh->misc.upt_features = b.m.conf.features;
			mini_cmd(&b.m, VMXNET3_CMD_UPDATE_FEATURE);
			tag_case(&a, &b, i / 8 % 3, i & 2, strip, i & 4, vlans != 2);
		}
	}
	assert_true(drops(&b, VMXNET3_DROP_RX_VLAN) > 0);
	card_close(&a);
	card_close(&b);
}

/* One frame for several receivers of different tastes: each gets it its way. */
static void
one_frame_for_many(void **state)
{
	struct mini_conf ca = roomy(7), cb = roomy(7), cc = roomy(1), cd = roomy(2);
	struct mini_offload o = { .om = VMXNET3_OM_TSO, .msscof = 1000, .hlen = 54, .ti = true,
		.tci = 100 };
	struct shape s = { .proto = TCP, .payload = 9876, .tcp_flags = 0x18, .seq = 77 };
	static struct built large, sent, piece;
	struct card a, r[3];
	struct offload_frame *frames, *list[1];
	struct mini_frame got;
	uint32_t i, k;

	(void)state;
	cc.features |= VMXNET3_F_RXVLAN;
	cd.features |= VMXNET3_F_LRO;
	card_open(&a, &ca, NULL);
	card_open(&r[0], &cb, NULL);
	card_open(&r[1], &cc, NULL);
	card_open(&r[2], &cd, NULL);
	build(&large, &s);
	sent = large;
	unseal(&sent);
	send_split(&a, 0, sent.data, sent.len, 5, &o);
	assert_int_equal(1, vmxnet3_dev_tx_begin(a.dev, 0, a.burst, 64, &frames));
	list[0] = &frames[0];
	for (k = 0; k < 6; k++)
		assert_int_equal(1, vmxnet3_dev_deliver(r[k % 3].dev, list, 1));
	vmxnet3_dev_tx_end(a.dev, 0, a.burst);
	for (k = 0; k < 4; k++) {
		for (i = 0; i < 10; i++) {
			cut(&piece, &large, &s, 1000, i);
			if (k % 2 == 0)
				tag(&piece, 100);
			expect_frame(&r[k % 2], 0, &got);
			expect_bytes(&got, piece.data, piece.len);
			assert_true(got.tagged == (k % 2 == 1) && got.tci == (k % 2 ? 100 : 0));
		}
	}
	seal_large(&large, &sent);
	tag(&large, 100);
	for (k = 0; k < 2; k++) {
		expect_frame(&r[2], 0, &got);
		expect_bytes(&got, large.data, large.len);
		assert_true(got.segs == 10 && got.mss == 1000);
	}
	for (k = 0; k < 3; k++) {
		expect_silence(&r[k], 0);
		card_close(&r[k]);
	}
	card_close(&a);
}

/* ---- receive queues ---- */

/* The Toeplitz hash bit by bit. */
static uint32_t
toeplitz(const uint8_t *key, const uint8_t *data, uint32_t len)
{
	uint32_t hash = 0, i, k;
	uint64_t window;

	for (i = 0; i < len * 8; i++) {
		if (!(data[i / 8] >> (7 - i % 8) & 1))
			continue;
		for (window = 0, k = 0; k < 32; k++)
			window = window << 1 | (key[(i + k) / 8] >> (7 - (i + k) % 8) & 1);
		hash ^= (uint32_t)window;
	}
	return hash;
}

static uint32_t
hash_of(const struct built *f, const uint8_t *key, bool ports)
{
	uint32_t at = f->l2 + (f->ipv6 ? 8 : 12), n = f->ipv6 ? 32 : 8;
	uint8_t tuple[36];

	memcpy(tuple, f->data + at, n);
	if (ports)
		memcpy(tuple + n, f->data + l4_at(f), 4);
	return toeplitz(key, tuple, ports ? n + 4 : n);
}

static void
fill_rss(struct mini *m, uint32_t table_size)
{
	struct vmxnet3_rss_conf *rss = mini_rss(m);
	uint32_t i;

	rss->hash_type = 0xf;
	rss->hash_func = 1;
	rss->hash_key_size = 40;
	rss->ind_table_size = (uint16_t)table_size;
	for (i = 0; i < 40; i++)
		rss->hash_key[i] = (uint8_t)rnd(256);
	for (i = 0; i < table_size; i++)
		rss->ind_table[i] = (uint8_t)rnd(m->conf.nb_rx);
}

/* Many flows at once; each arrives at its queue, in its order, with its hash. */
static void
spread(struct card *a, struct card *b, bool udp_ports)
{
	enum { FRAMES = 40 };
	static struct built f[FRAMES];
	const struct vmxnet3_rss_conf *rss = mini_rss(&b->m);
	struct mini_frame got;
	struct shape s;
	uint32_t i, q, hash, type;
	bool ports;

	for (i = 0; i < FRAMES; i++) {
		shuffle(&s);
		build(&f[i], &s);
		put16(f[i].data + l4_at(&f[i]), rnd(65536));
		if (i % 8 == 7)
			put16(f[i].data + f[i].l2 - 2, 0x88b5);
		send_split(a, 0, f[i].data, f[i].len, 1 + rnd(4), NULL);
	}
	assert_int_equal(FRAMES, carry(a, 0, b));
	expect_reaped(a, 0, FRAMES);
	for (i = 0; i < FRAMES; i++) {
		ports = f[i].proto == TCP || udp_ports;
		hash = hash_of(&f[i], rss->hash_key, ports);
		type = (f[i].ipv6 ? 3 : 1) + (ports ? 1 : 0);
		if (ports && f[i].proto == UDP)
			type = f[i].ipv6 ? 6 : 5;
		q = rss->ind_table[hash % rss->ind_table_size];
		if (i % 8 == 7)
			q = hash = type = 0;
		expect_frame(b, q, &got);
		expect_bytes(&got, f[i].data, f[i].len);
		assert_int_equal(type, got.rss_type);
		assert_int_equal(hash, got.hash);
	}
	for (q = 0; q < b->m.conf.nb_rx; q++) {
		expect_silence(b, q);
		mini_refill(&b->m, q, UINT32_MAX);
	}
}

static void
queues_by_hash(void **state)
{
	static const struct {
		uint32_t revision, queues, table;
	} cases[] = { { 1, 4, 64 }, { 2, 8, 100 }, { 3, 1, 128 }, { 7, 4, 128 }, { 7, 32, 128 },
		{ 7, 3, 1 } };
	const struct card_opts opts = { .memory = 160u << 20 };
	struct card a, b;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		struct mini_conf ca = roomy(3), cb = roomy(cases[i].revision);
		int round;

		cb.nb_rx = cases[i].queues;
		cb.head_len = 300;
		cb.body_len = 500;
		cb.features |= VMXNET3_F_RSS;
		card_open(&a, &ca, NULL);
		card_open(&b, &cb, &opts);
		for (round = 0; round < 5; round++) {
			fill_rss(&b.m, cases[i].table);
			mini_cmd(&b.m, VMXNET3_CMD_UPDATE_RSSIDT);
			spread(&a, &b, false);
		}
		mini_shared(&b.m)->cmd_info.rss_fields = 0xf;
		mini_cmd(&b.m, VMXNET3_CMD_SET_RSS_FIELDS);
		spread(&a, &b, cases[i].revision >= 7);
		card_close(&a);
		card_close(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_passed_on),
		cmocka_unit_test(checksums_are_completed),
		cmocka_unit_test(unasked_is_not_vouched_for),
		cmocka_unit_test(inner_checksums_are_completed),
		cmocka_unit_test(large_frames_are_cut),
		cmocka_unit_test(large_frames_stay_whole),
		cmocka_unit_test(large_frame_falls_back),
		cmocka_unit_test(too_many_segments_are_cut),
		cmocka_unit_test(pieces_respect_mtu),
		cmocka_unit_test(large_frames_are_counted),
		cmocka_unit_test(tags_go_where_they_are_wanted),
		cmocka_unit_test(one_frame_for_many),
		cmocka_unit_test(queues_by_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
