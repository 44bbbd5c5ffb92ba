/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Headers inside of VXLAN and Geneve: requests in the two ways that revisions have for them, and what a receiver is told
 * of checksums. What arrives is compared with frames made here from scratch, by the plainest means.
 */
#include <rte_common.h>

#include "card.h"
#include "tunnel_frames.h"

#define TCP 6
#define UDP 17

static const uint32_t revisions[] = { 4, 5, 6, 7, 8, 9 };

/* A request about inner headers that begin @p at bytes into the frame. @p mss 0: checksum only */
static struct mini_offload
request(uint32_t revision, const struct built *inner, uint32_t at, uint32_t mss, bool oco)
{
	struct mini_offload o = { .hlen = at + l4_at(inner) + inner->l4, .msscof = mss, .oco = oco };

	if (revision < 7) {
		o.om = VMXNET3_OM_ENCAP;
		return o;
	}
	o.ext1 = true;
	o.om = mss != 0 ? VMXNET3_OM_TSO : VMXNET3_OM_CSUM;
	if (mss == 0)
		o.msscof = at + field_at(inner);
	return o;
}

static void
shuffle_inner(struct shape *s)
{
	shuffle(s);
	s->tags = rnd(4) == 0;
	s->tpid = 0;
}

/* The flags are about the inner headers, all good. */
static void
expect_inner(const struct mini_frame *got, const struct built *inner)
{
	assert_true(got->inner && !got->cnc && got->tuc && got->ipc);
	assert_true(got->v4 == !inner->ipv6 && got->v6 == inner->ipv6);
	assert_true(got->tcp == (inner->proto == TCP) && got->udp == (inner->proto == UDP));
}

/* ---- checksums ---- */

/* What stands in the outer checksum field: none, the right one already (as a kernel can know it), asked for. */
enum outer { OUTER_NONE, OUTER_THERE, OUTER_ASKED };

static void
checksum_case(struct card *a, struct card *b, uint32_t revision, enum outer how)
{
	static struct built inner, want, sent;
	struct mini_offload o;
	struct mini_frame got;
	struct tunnel t;
	struct shape s;

	shuffle_inner(&s);
	shuffle_tunnel(&t);
	t.csum = how != OUTER_NONE;
	t.ipv6 &= t.csum;
	build(&inner, &s);
	wrap(&want, &inner, &t);
	sent = want;
	put_seed(&inner);
	memcpy(sent.data + tunnel_end(&want, &t), inner.data, inner.len);
	if (how == OUTER_ASKED)
		put_seed(&sent);
	o = request(revision, &inner, tunnel_end(&want, &t), 0, how == OUTER_ASKED);
	send_split(a, 0, sent.data, sent.len, 1 + rnd(20), &o);
	assert_int_equal(1, carry(a, 0, b));
	expect_reaped(a, 0, 1);
	expect_frame(b, 0, &got);
	expect_bytes(&got, want.data, want.len);
	assert_true(got.cnc == !(b->m.conf.features & VMXNET3_F_RXCSUM) && got.tuc == !got.cnc);
	if (b->m.conf.features & VMXNET3_F_RXINNEROFLD)
		expect_inner(&got, &inner);
	else if (b->m.conf.features & VMXNET3_F_RXCSUM)
		assert_true(!got.inner && !got.cnc && got.udp && got.v6 == t.ipv6);
	mini_refill(&b->m, 0, UINT32_MAX);
}

static void
inner_checksums_are_completed(void **state)
{
	size_t i;
	int k;

	(void)state;
	for (i = 0; i < RTE_DIM(revisions); i++) {
		struct mini_conf ca = roomy(revisions[i]), cb = roomy(revisions[i] == 4 ? 3 : revisions[i]);
		struct card a, b;

		if (i % 2 == 0 && cb.revision >= 4)
			cb.features |= VMXNET3_F_RXINNEROFLD;
		if (i == 5)
			cb.features = 0;
		card_open(&a, &ca, NULL);
		card_open(&b, &cb, NULL);
		for (k = 0; k < 150; k++)
			checksum_case(&a, &b, revisions[i], (enum outer)(k % 3));
		card_close(&a);
		card_close(&b);
	}
}

/* ---- segmentation ---- */

static void
expect_tunnel_pieces(struct card *b, const struct built *large, const struct shape *s, struct tunnel t, uint32_t mss)
{
	uint32_t payload = large->len - l4_at(large) - large->l4, i;
	uint32_t n = payload == 0 ? 1 : (payload + mss - 1) / mss;
	static struct built inner, want;
	struct mini_frame got;

	for (i = 0; i < n; i++, t.ip_id++) {
		cut_piece(&inner, large, s, mss, i);
		wrap(&want, &inner, &t);
		expect_frame(b, 0, &got);
		expect_bytes(&got, want.data, want.len);
		assert_int_equal(0, got.segs);
		if (b->m.conf.features & VMXNET3_F_RXINNEROFLD)
			expect_inner(&got, &inner);
		else
			assert_true(!got.inner && !got.cnc && got.tuc && got.udp && got.v6 == t.ipv6);
	}
	expect_silence(b, 0);
}

/* @p open is the inner frame as it was sent, with a TCP checksum that is not made. */
static void
expect_tunnel_whole(struct card *b, const struct built *open, const struct built *large, const struct tunnel *t, uint32_t mss)
{
	static struct built inner, want;
	struct mini_frame got;

	inner = *large;
	memcpy(inner.data + field_at(&inner), open->data + field_at(open), 2);
	wrap(&want, &inner, t);
	if (t->csum)
		put_seed(&want);
	expect_frame(b, 0, &got);
	expect_bytes(&got, want.data, want.len);
	expect_inner(&got, &inner);
	assert_int_equal((large->len - l4_at(large) - large->l4 + mss - 1) / mss, got.segs);
	assert_int_equal(mss, got.mss);
	expect_silence(b, 0);
}

static void
segmentation_case(struct card *a, struct card *b, uint32_t revision, bool whole)
{
	static struct built inner, sent, open;
	struct mini_offload o;
	struct tunnel t;
	struct shape s;
	uint32_t mss;

	shuffle_inner(&s);
	shuffle_tunnel(&t);
	s.proto = TCP;
	s.tcp_flags = (uint16_t)(0x010 | rnd(2) << 3 | rnd(2) | rnd(2) << 7);
	s.payload = rnd(3) ? rnd(60000) : rnd(2000);
	mss = rnd(4) ? 1398 : 300 + rnd(8000);
	build(&inner, &s);
	open = inner;
	unseal(&open);
	wrap(&sent, &open, &t);
	if (t.csum)
		put_seed(&sent);
	if (!t.ipv6)
		put16(sent.data + sent.l2 + 10, 0);
	o = request(revision, &inner, tunnel_end(&sent, &t), mss, t.csum);
	send_split(a, 0, sent.data, sent.len, 1 + rnd(30), &o);
	assert_int_equal(1, carry(a, 0, b));
	expect_reaped(a, 0, 1);
	if (whole && s.payload > mss)
		expect_tunnel_whole(b, &open, &inner, &t, mss);
	else
		expect_tunnel_pieces(b, &inner, &s, t, mss);
	mini_refill(&b->m, 0, UINT32_MAX);
}

/* @p features the receiver's, more than usual. */
static void
segmentation(uint32_t revision, uint32_t features, bool scattered, bool whole)
{
	const struct card_opts opts = { .scattered = scattered, .whole_tunnel_tso = whole };
	struct mini_conf ca = roomy(revision), cb = ca;
	const uint32_t needed = VMXNET3_F_LRO | VMXNET3_F_RXINNEROFLD;
	struct card a, b;
	int k;

	cb.features |= features;
	cb.max_sg = 18;
	card_open(&a, &ca, &opts);
	card_open(&b, &cb, &opts);
	for (k = 0; k < 30; k++)
		segmentation_case(&a, &b, revision, whole && (features & needed) == needed);
	card_close(&a);
	card_close(&b);
}

/* Also for drivers that take large frames: those of tunnels are cut. */
static void
large_frames_in_tunnels_are_cut(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(revisions); i++)
		segmentation(revisions[i], VMXNET3_F_LRO | (i % 2 == 0 ? VMXNET3_F_RXINNEROFLD : 0), i == 4, false);
}

/* Unless the port's owner wants them whole, and the driver results of inner headers, and large frames. */
static void
large_frames_in_tunnels_stay_whole(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(revisions); i++) {
		segmentation(revisions[i], VMXNET3_F_LRO | VMXNET3_F_RXINNEROFLD, i == 4, true);
		segmentation(revisions[i], i % 2 == 0 ? VMXNET3_F_LRO : VMXNET3_F_RXINNEROFLD, i == 3, true);
	}
}

/* One for which the second ring has too little is cut into what the first one takes, whatever was done to it before. */
static void
large_frame_in_a_tunnel_falls_back(void **state)
{
	const struct card_opts opts = { .whole_tunnel_tso = true };
	const struct tunnel t = { .geneve = true, .csum = true, .ip_id = 0xfffe };
	struct mini_conf conf = roomy(7);
	struct shape s = { .proto = TCP, .payload = 40000, .tcp_flags = 0x18 };
	static struct built inner, sent;
	struct mini_offload o;
	struct card a;

	(void)state;
	conf.features |= VMXNET3_F_LRO | VMXNET3_F_RXINNEROFLD;
	conf.empty = true;
	card_open(&a, &conf, &opts);
	mini_refill_ring(&a.m, 0, 0, 200);
	mini_refill_ring(&a.m, 0, 1, 5);
	build(&inner, &s);
	wrap(&sent, &inner, &t);
	o = request(7, &inner, tunnel_end(&sent, &t), 1398, true);
	send_split(&a, 0, sent.data, sent.len, 9, &o);
	assert_int_equal(1, carry(&a, 0, &a));
	expect_tunnel_pieces(&a, &inner, &s, t, 1398);
	card_close(&a);
}

/* Counters tell what goes on the wire, the headers of the tunnel in each piece. */
static void
large_frames_in_tunnels_are_counted(void **state)
{
	struct mini_conf conf = roomy(6);
	struct shape s = { .proto = TCP, .payload = 10000 };
	const struct tunnel t = { .csum = false };
	const struct vmxnet3_tx_stats *stats;
	static struct built inner, sent;
	struct mini_offload o;
	struct card a;

	(void)state;
	card_open(&a, &conf, NULL);
	build(&inner, &s);
	wrap(&sent, &inner, &t);
	o = request(6, &inner, 50, 1000, false);
	send_split(&a, 0, sent.data, sent.len, 9, &o);
	assert_int_equal(1, carry(&a, 0, &a));
	mini_cmd(&a.m, VMXNET3_CMD_GET_STATS);
	stats = &mini_txq_desc(&a.m, 0)->stats;
	assert_int_equal(1, stats->tso_pkts);
	assert_int_equal(10104, stats->tso_bytes);
	assert_int_equal(10, stats->ucast_pkts);
	assert_int_equal(11040, stats->ucast_bytes);
	assert_int_equal(10, mini_rxq_desc(&a.m, 0)->stats.ucast_pkts);
	card_close(&a);
}

/* ---- what a receiver is told of frames that ask for nothing ---- */

enum spoiled { ALL_GOOD, INNER_L4, INNER_L3, OUTER_L4, OUTER_L3, SPOILED_KINDS };

static void
spoil(struct built *f, const struct built *inner, const struct tunnel *t, enum spoiled what)
{
	uint8_t *in = f->data + tunnel_end(f, t);

	if (what == INNER_L4)
		in[field_at(inner)] ^= 0x40;
	else if (what == INNER_L3)
		in[inner->l2 + 10] ^= 0x40;
	if (t->csum)
		put_csum(f);
	if (what == OUTER_L4)
		f->data[field_at(f)] ^= 0x40;
	else if (what == OUTER_L3)
		f->data[f->l2 + 10] ^= 0x40;
}

static void
verified_case(struct card *c, enum spoiled what, bool inner_wanted)
{
	static struct built inner, f;
	struct mini_frame got;
	struct tunnel t;
	struct shape s;

	do {
		shuffle_inner(&s);
		shuffle_tunnel(&t);
		s.l3_extra = 0;
		build(&inner, &s);
		/* No checksum to spoil, or by the change it would be none. */
	} while ((what == INNER_L3 && s.ipv6) || (what == OUTER_L3 && t.ipv6) || (what == OUTER_L4 && !t.csum));
	wrap(&f, &inner, &t);
	spoil(&f, &inner, &t, what);
	send_split(c, 0, f.data, f.len, 1 + rnd(9), NULL);
	assert_int_equal(1, carry(c, 0, c));
	expect_reaped(c, 0, 1);
	expect_frame(c, 0, &got);
	expect_bytes(&got, f.data, f.len);
	if (what == ALL_GOOD && inner_wanted) {
		expect_inner(&got, &inner);
	} else {
		assert_true(!got.inner && !got.cnc && got.udp && got.v6 == t.ipv6);
		assert_int_equal(what < OUTER_L4, got.tuc);
		if (!t.ipv6)
			assert_int_equal(what != OUTER_L3, got.ipc);
	}
	mini_refill(&c->m, 0, UINT32_MAX);
}

/* Both right: told of the inner. Else of the outer, as it is. The feature is asked for and taken back at run time. */
static void
both_layers_are_verified(void **state)
{
	struct mini_conf conf = roomy(7);
	struct card c;
	int i;

	(void)state;
	card_open(&c, &conf, NULL);
	for (i = 0; i < 400; i++) {
		bool inner = i / SPOILED_KINDS % 2;

		c.m.conf.features = VMXNET3_F_RXCSUM | (inner ? VMXNET3_F_RXINNEROFLD : 0);
		mini_shared(&c.m)->misc.upt_features = c.m.conf.features;
		mini_cmd(&c.m, VMXNET3_CMD_UPDATE_FEATURE);
		verified_case(&c, (enum spoiled)(i % SPOILED_KINDS), inner);
	}
	card_close(&c);
}

/* Before revision 4 the feature is not there. */
static void
inner_results_need_revision_4(void **state)
{
	struct vmxnet3_dev_info info;
	uint32_t revision;

	(void)state;
	for (revision = 1; revision <= 9; revision++) {
		struct mini_conf conf = mini_conf_default(revision);
		struct card c;

		conf.features |= VMXNET3_F_RXINNEROFLD;
		card_open(&c, &conf, NULL);
		vmxnet3_dev_info_get(c.dev, &info);
		assert_int_equal(VMXNET3_F_RXCSUM | (revision >= 4 ? VMXNET3_F_RXINNEROFLD : 0), info.features);
		card_close(&c);
	}
}

/* ---- requests that contradict their frame ---- */

static void
refused(struct card *c, const struct built *f, const struct mini_offload *o)
{
	uint64_t before = drops(c, VMXNET3_DROP_TX_BAD_OFFLOAD);

	send_split(c, 0, f->data, f->len, 1 + rnd(10), o);
	assert_int_equal(0, carry(c, 0, c));
	expect_reaped(c, 0, 1);
	assert_int_equal(before + 1, drops(c, VMXNET3_DROP_TX_BAD_OFFLOAD));
}

static void
contradictions(uint32_t revision)
{
	struct mini_conf conf = roomy(revision);
	struct shape tcp = { .proto = TCP, .payload = 3000 }, udp = { .proto = UDP, .payload = 3000 };
	const struct tunnel t = { .csum = true };
	static struct built inner, f, plain, short_one;
	struct mini_offload good, o;
	struct card c;
	uint32_t i;

	card_open(&c, &conf, NULL);
	build(&inner, &tcp);
	wrap(&f, &inner, &t);
	for (i = 0; i < 2; i++) { /* checksum, segmentation */
		good = request(revision, &inner, 50, i * 1000, true);
		/* The end of the inner header is elsewhere. */
		for (o = good, o.hlen = 0; o.hlen < 1024; o.hlen += 1 + rnd(5)) {
			if (o.hlen != good.hlen)
				refused(&c, &f, &o);
		}
		/* No tunnel; cut before the headers end, a byte before their end, too. */
		make_frame(1000);
		refused(&c, &frame, &good);
		short_one = f;
		for (short_one.len = 60; short_one.len < 104; short_one.len += 1 + rnd(4))
			refused(&c, &short_one, &good);
		short_one.len = 103;
		refused(&c, &short_one, &good);
		/* Not a tunnel that we know: its headers cannot be found by looking. */
		plain = f;
		put16(plain.data + 36, 4790);
		if (revision < 7 || i == 1)
			refused(&c, &plain, &good);
	}
	if (revision >= 7) {
		good = request(revision, &inner, 50, 0, false);
		for (i = 0; i < 200; i++) {
			o = good;
			o.msscof = rnd(2) ? rnd(16384) : 50 + rnd(60);
			if (o.msscof != good.msscof)
				refused(&c, &f, &o);
		}
	}
	/* Datagrams are not cut for guests. */
	build(&inner, &udp);
	wrap(&f, &inner, &t);
	o = request(revision, &inner, 50, 1000, false);
	refused(&c, &f, &o);
	/* One byte in each of so many pieces. */
	tcp.payload = 20000;
	build(&inner, &tcp);
	wrap(&f, &inner, &t);
	o = request(revision, &inner, 50, 1, false);
	refused(&c, &f, &o);
	expect_alive(&c, false);
	card_close(&c);
}

static void
contradictions_are_refused(void **state)
{
	(void)state;
	contradictions(4);
	contradictions(6);
	contradictions(7);
	contradictions(9);
}

/* Each way exists in its revisions only. */
static void
each_way_has_its_revisions(void **state)
{
	struct shape s = { .proto = TCP, .payload = 3000 };
	const struct tunnel t = { .csum = true };
	static struct built inner, f;
	uint32_t revision;

	(void)state;
	build(&inner, &s);
	wrap(&f, &inner, &t);
	for (revision = 1; revision <= 9; revision++) {
		struct mini_conf conf = roomy(revision);
		struct mini_offload encap = request(4, &inner, 50, 1000, false);
		struct mini_offload ext1 = request(7, &inner, 50, 1000, false);
		struct card c;

		card_open(&c, &conf, NULL);
		if (revision < 4 || revision > 6)
			refused(&c, &f, &encap);
		if (revision < 7)
			refused(&c, &f, &ext1);
		expect_alive(&c, false);
		card_close(&c);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inner_checksums_are_completed),
		cmocka_unit_test(large_frames_in_tunnels_are_cut),
		cmocka_unit_test(large_frames_in_tunnels_stay_whole),
		cmocka_unit_test(large_frame_in_a_tunnel_falls_back),
		cmocka_unit_test(large_frames_in_tunnels_are_counted),
		cmocka_unit_test(both_layers_are_verified),
		cmocka_unit_test(inner_results_need_revision_4),
		cmocka_unit_test(contradictions_are_refused),
		cmocka_unit_test(each_way_has_its_revisions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
