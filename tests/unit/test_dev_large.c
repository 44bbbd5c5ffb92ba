/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large frames from guest to guest, cut or whole. What arrives is compared with frames made here from
 * scratch, by the plainest means.
 */
#include <rte_common.h>

#include "card.h"

#define TCP 6

static const uint32_t revisions[] = { 1, 2, 3, 4, 7, 9 };

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
		cut_piece(&piece, large, s, mss, i);
		expect_frame(b, 0, &got);
		expect_bytes(&got, piece.data, piece.len);
		assert_true(got.segs == 0 && !got.cnc && got.tcp);
	}
	expect_silence(b, 0);
}

/* Makes a large frame, sends it from @p a in any pieces, with its checksums left open, and takes it to @p b. */
static void
carry_large(struct card *a, struct card *b, struct built *large, struct built *sent, struct shape *s,
	struct mini_offload *o)
{
	shuffle_large(s, &o->msscof);
	build(large, s);
	*sent = *large;
	unseal(sent);
	o->hlen = l4_at(sent) + sent->l4;
	send_split(a, 0, sent->data, sent->len, 1 + rnd(30), o);
	assert_int_equal(1, carry(a, 0, b));
	expect_reaped(a, 0, 1);
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
		carry_large(&a, &b, &large, &sent, &s, &o);
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
		carry_large(&a, &b, &large, &sent, &s, &o);
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

/*
 * A large segmentation request of a driver with its own idea of sizes, for a receiver with jumbo frames that takes no
 * large ones: it once vanished as a frame beyond the MTU.
 */
static void
lso_frame_of_16_kb_reaches_a_jumbo_receiver(void **state)
{
	static const uint32_t sizes[] = { 8948, 8960, 1448, 536 };
	struct mini_conf ca = roomy(1), cb = roomy(1);
	static struct built large, sent;
	struct card a, b;
	size_t i;

	(void)state;
	card_open(&a, &ca, NULL);
	card_open(&b, &cb, NULL);
	assert_int_equal(9000, cb.mtu);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		struct shape s = { .proto = TCP, .payload = 16384 - 54, .tcp_flags = 0x18, .seq = 0xfffff000 };
		struct mini_offload o = { .om = VMXNET3_OM_TSO, .msscof = sizes[i], .hlen = 54 };
		uint32_t bytes = 0, frames = 0;
		struct mini_frame got;
		int ret;

		build(&large, &s);
		sent = large;
		unseal(&sent);
		send_split(&a, 0, sent.data, sent.len, 4, &o);
		assert_int_equal(1, carry(&a, 0, &b));
		expect_reaped(&a, 0, 1);
		while ((ret = mini_recv(&b.m, 0, &got)) == 1) {
			assert_in_range(got.len, 60, 9000 + 14);
			assert_memory_equal(got.data + 54, large.data + 54 + bytes, got.len - 54);
			assert_true(got.tuc && got.ipc && got.segs == 0);
			bytes += got.len - 54;
			frames++;
		}
		assert_int_equal(0, ret);
		assert_int_equal(s.payload, bytes);
		assert_int_equal((s.payload + sizes[i] - 1) / sizes[i], frames);
		assert_int_equal(0, drops(&b, VMXNET3_DROP_RX_TOO_LONG));
		mini_refill(&b.m, 0, UINT32_MAX);
	}
	card_close(&a);
	card_close(&b);
}

/* UPDATE_FEATURE gives and takes large receives from one burst to the next, as a guest that begins to forward does. */
static void
large_receives_come_and_go_at_run_time(void **state)
{
	static const uint32_t features[] = { VMXNET3_F_RXCSUM | VMXNET3_F_LRO, VMXNET3_F_RXCSUM,
		VMXNET3_F_RXCSUM | VMXNET3_F_LRO | VMXNET3_F_RXVLAN };
	struct mini_conf conf = roomy(7);
	struct shape s = { .proto = TCP, .payload = 20000, .tcp_flags = 0x18 };
	struct mini_offload o = { .om = VMXNET3_OM_TSO, .msscof = 1448, .hlen = 54 };
	static struct built large;
	struct mini_frame got;
	struct card a;
	size_t i;

	(void)state;
	card_open(&a, &conf, NULL);
	for (i = 0; i < 9; i++) {
		a.m.conf.features = features[i % 3];
		mini_shared(&a.m)->misc.upt_features = features[i % 3];
		mini_cmd(&a.m, VMXNET3_CMD_UPDATE_FEATURE);
		build(&large, &s);
		send_split(&a, 0, large.data, large.len, 9, &o);
		assert_int_equal(1, carry(&a, 0, &a));
		expect_reaped(&a, 0, 1);
		if (features[i % 3] & VMXNET3_F_LRO) {
			expect_frame(&a, 0, &got);
			assert_true(got.segs == 14 && got.mss == 1448 && got.len == large.len);
		} else {
			expect_pieces(&a, &large, &s, 1448);
		}
		mini_refill(&a.m, 0, UINT32_MAX);
	}
	card_close(&a);
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
			cut_piece(&piece, &large, &s, 1000, i);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_frames_are_cut),
		cmocka_unit_test(large_frames_stay_whole),
		cmocka_unit_test(large_frame_falls_back),
		cmocka_unit_test(too_many_segments_are_cut),
		cmocka_unit_test(pieces_respect_mtu),
		cmocka_unit_test(large_receives_come_and_go_at_run_time),
		cmocka_unit_test(lso_frame_of_16_kb_reaches_a_jumbo_receiver),
		cmocka_unit_test(large_frames_are_counted),
		cmocka_unit_test(one_frame_for_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
