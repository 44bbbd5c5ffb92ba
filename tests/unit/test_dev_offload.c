/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offload requests from guest to guest: checksums and tags. What arrives is compared with frames made
 * here from scratch, by the plainest means.
 */
#include <rte_common.h>

#include "card.h"

#define TCP 6
#define UDP 17

static const uint32_t revisions[] = { 1, 2, 3, 4, 6, 7, 9 };

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

enum spoiled { GOOD, BAD_L4, BAD_L3 };

/* A frame that asks for nothing: its checksums are looked at for a driver that wants to know, and only then. */
static void
unasked_case(struct card *a, struct card *b, const struct shape *s, enum spoiled what, bool csum)
{
	static struct built f;
	struct mini_frame got;

	build(&f, s);
	if (what == BAD_L4)
		f.data[f.len - 1] ^= 0x10;
	if (what == BAD_L3)
		f.data[f.l2 + 8]++;
	send_split(a, 0, f.data, f.len, 1 + rnd(9), NULL);
	assert_int_equal(1, carry(a, 0, b));
	expect_reaped(a, 0, 1);
	expect_frame(b, 0, &got);
	expect_bytes(&got, f.data, f.len);
	assert_int_equal(!csum, got.cnc);
	assert_int_equal(csum && what == GOOD, got.tuc);
	if (!s->ipv6)
		assert_int_equal(csum && what != BAD_L3, got.ipc);
	assert_true(got.v6 == s->ipv6 && got.v4 == !s->ipv6);
	assert_true(got.udp == (s->proto == UDP) && got.tcp == (s->proto == TCP));
	mini_refill(&b->m, 0, UINT32_MAX);
}

static void
unasked_is_verified(void **state)
{
	struct mini_conf ca = roomy(3), cb = roomy(7);
	struct card a, b;
	struct shape s;
	int i;

	(void)state;
	cb.rx_data_size = 128;
	cb.head_len = 700;
	card_open(&a, &ca, NULL);
	card_open(&b, &cb, NULL);
	for (i = 0; i < 600; i++) {
		bool csum = i % 4 != 0;

		shuffle(&s);
		s.l3_extra = 0;
		s.payload++;
		b.m.conf.features = csum ? VMXNET3_F_RXCSUM : 0;
		mini_shared(&b.m)->misc.upt_features = b.m.conf.features;
		mini_cmd(&b.m, VMXNET3_CMD_UPDATE_FEATURE);
		unasked_case(&a, &b, &s, (enum spoiled)(i / 4 % (s.ipv6 ? 2 : 3)), csum);
	}
	card_close(&a);
	card_close(&b);
}

/* Nobody vouches for fragments, nor for what has another kind of sum. */
static void
others_are_not_vouched_for(void **state)
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
	/* SCTP has no bit of its own. */
	f.data[14 + 9] = 132;
	seal_ipv4(&f);
	send_split(&a, 0, f.data, f.len, 3, NULL);
	assert_int_equal(1, carry(&a, 0, &a));
	expect_frame(&a, 0, &got);
	assert_true(got.cnc && got.v4 && !got.udp && !got.tcp && !got.frg);
	f.data[14 + 9] = UDP;

	put16(f.data + 14 + 6, 0x2000);
	seal_ipv4(&f);
	o = (struct mini_offload){ .om = VMXNET3_OM_CSUM, .hlen = 34, .msscof = 40 };
	send_split(&a, 0, f.data, f.len, 3, &o);
	assert_int_equal(1, carry(&a, 0, &a));
	expect_frame(&a, 0, &got);
	assert_true(got.cnc && got.frg && got.v4 && !got.udp);
	card_close(&a);
}

/* ---- tags ---- */

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
	assert_true(got.udp && !got.cnc && got.tuc);
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

/*
 * The option: what a guest has left open arrives as it was sent, and is called good; but only for a driver that takes
 * that, only for the outermost layer, and not when its IP header is wrong.
 */
static void
local_checksums(bool told)
{
	const struct card_opts opts = { .skip_local_csum = true };
	struct mini_conf ca = roomy(7), cb = ca;
	static struct built want, sent;
	struct mini_offload o;
	struct mini_frame got;
	struct card a, b;
	struct shape s;
	int i;

	cb.features = told ? VMXNET3_F_RXCSUM : 0;
	card_open(&a, &ca, NULL);
	card_open(&b, &cb, &opts);
	for (i = 0; i < 300; i++) {
		bool broken;

		shuffle(&s);
		build(&want, &s);
		sent = want;
		put_seed(&sent);
		broken = !s.ipv6 && i % 7 == 0;
		if (broken) {
			sent.data[sent.l2 + 11] ^= 1;
			want.data[want.l2 + 11] ^= 1;
		}
		o = (struct mini_offload){ .om = VMXNET3_OM_CSUM, .hlen = l4_at(&sent),
			.msscof = field_at(&sent) };
		send_split(&a, 0, sent.data, sent.len, 1 + rnd(20), &o);
		assert_int_equal(1, carry(&a, 0, &b));
		expect_reaped(&a, 0, 1);
		expect_frame(&b, 0, &got);
		expect_bytes(&got, told && !broken ? sent.data : want.data, want.len);
		assert_int_equal(!got.cnc && got.tuc && got.ipc, told && !broken);
		mini_refill(&b.m, 0, UINT32_MAX);
	}
	card_close(&a);
	card_close(&b);
}

static void
local_checksums_are_skipped(void **state)
{
	(void)state;
	local_checksums(true);
	local_checksums(false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_passed_on),
		cmocka_unit_test(checksums_are_completed),
		cmocka_unit_test(local_checksums_are_skipped),
		cmocka_unit_test(unasked_is_verified),
		cmocka_unit_test(others_are_not_vouched_for),
		cmocka_unit_test(tags_go_where_they_are_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
