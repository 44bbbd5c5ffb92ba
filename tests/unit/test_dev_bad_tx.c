/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a broken or hostile driver does to its transmit rings. It may lose its own queue or its own frames;
 * nothing else may happen, and a new activation makes all well.
 */
#include <rte_common.h>

#include "card.h"

#define MS 1000000ull

static void
expect_tx_stopped(struct card *c, uint32_t error)
{
	mini_cmd(&c->m, VMXNET3_CMD_GET_QUEUE_STATUS);
	assert_int_equal(1, mini_txq_desc(&c->m, 0)->status.stopped);
	assert_int_equal(error, mini_txq_desc(&c->m, 0)->status.error);
	assert_int_equal(VMXNET3_ECR_TQERR, mini_shared(&c->m)->ecr & VMXNET3_ECR_TQERR);
	assert_int_equal(0, carry(c, 0, c));
	expect_silence(c, 0);
}

/* ---- transmit: frames that are dropped, completed and counted ---- */

/* Posts one frame with these offload fields. It must be dropped, and for this reason. */
static void
dropped(struct card *c, uint32_t len, const struct mini_offload *o, enum vmxnet3_drop reason)
{
	uint64_t before = drops(c, reason);

	send_split(c, 0, frame.data, len, 1 + rnd(10), o);
	assert_int_equal(0, carry(c, 0, c));
	expect_reaped(c, 0, 1);
	expect_silence(c, 0);
	assert_int_equal(before + 1, drops(c, reason));
}

static void
runts_are_dropped(void **state)
{
	struct card c;
	uint32_t len;

	(void)state;
	usual(&c, 1);
	make_frame(100);
	for (len = 1; len < 14; len++)
		dropped(&c, len, NULL, VMXNET3_DROP_TX_RUNT);
	expect_alive(&c, false);
	card_close(&c);
}

static void
giants_are_dropped(void **state)
{
	struct card c;

	(void)state;
	usual(&c, 7);
	make_frame(65000);
	dropped(&c, OFFLOAD_FRAME_MAX + 1, NULL, VMXNET3_DROP_TX_TOO_LONG);
	dropped(&c, FRAME_ROOM, NULL, VMXNET3_DROP_TX_TOO_LONG);
	expect_alive(&c, false);
	card_close(&c);
}

static void
nonsense_requests_are_dropped(void **state)
{
	/* The frame: 14 bytes, 20 of IPv4, 20 of TCP, 1,000. */
	static const struct mini_offload bad[] = {
		{ .om = VMXNET3_OM_ENCAP, .hlen = 54, .msscof = 0 },
		{ .om = VMXNET3_OM_TSO, .hlen = 54, .msscof = 0 },
		{ .om = VMXNET3_OM_TSO, .hlen = 0, .msscof = 500 },
		{ .om = VMXNET3_OM_TSO, .hlen = 53, .msscof = 500 },
		{ .om = VMXNET3_OM_TSO, .hlen = 58, .msscof = 500 },
		{ .om = VMXNET3_OM_TSO, .hlen = 1023, .msscof = 500 },
		{ .om = VMXNET3_OM_TSO, .hlen = 54, .msscof = 500, .ext1 = true },
		{ .om = VMXNET3_OM_CSUM, .hlen = 34, .msscof = 33 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 34, .msscof = 51 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 34, .msscof = 40 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 34, .msscof = 16383 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 34, .msscof = 1054 },
		/* Each offset lies within the frame, the end of the field does not. */
		{ .om = VMXNET3_OM_CSUM, .hlen = 1001, .msscof = 1053 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 40, .msscof = 44 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 0, .msscof = 16 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 30, .msscof = 50 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 1023, .msscof = 50 },
		{ .om = VMXNET3_OM_CSUM, .hlen = 54, .msscof = 50, .ext1 = true },
		{ .om = VMXNET3_OM_CSUM, .hlen = 80, .msscof = 76, .ext1 = true },
		{ .om = VMXNET3_OM_CSUM, .hlen = 4, .msscof = 2, .ext1 = true },
		{ .om = VMXNET3_OM_CSUM, .hlen = 0, .msscof = 0, .ext1 = true },
		{ .om = VMXNET3_OM_CSUM, .hlen = 1023, .msscof = 16383, .ext1 = true },
	};
	struct mini_offload o = { .om = VMXNET3_OM_TSO, .hlen = 54, .msscof = 1 };
	struct card c;
	size_t i;

	(void)state;
	usual(&c, 7);
	for (i = 0; i < RTE_DIM(bad); i++) {
		make_frame(1000);
		dropped(&c, frame.len, &bad[i], VMXNET3_DROP_TX_BAD_OFFLOAD);
		/* Cut so that the headers do not end. */
		dropped(&c, 14 + rnd(20), &bad[i], VMXNET3_DROP_TX_BAD_OFFLOAD);
	}
	/* SCTP has another kind of checksum, wherever it is said to be. */
	for (i = 36; i < 54; i += 2) {
		make_frame(1000);
		frame.data[23] = 132;
		dropped(&c, frame.len, &(struct mini_offload){ .om = VMXNET3_OM_CSUM, .hlen = 34,
			.msscof = (uint32_t)i }, VMXNET3_DROP_TX_BAD_OFFLOAD);
	}
	/* A sane request, but for a frame that ends before its headers do. */
	dropped(&c, 40, &o, VMXNET3_DROP_TX_BAD_OFFLOAD);
	/* One byte in each of so many pieces. */
	make_frame(20000);
	dropped(&c, frame.len, &o, VMXNET3_DROP_TX_BAD_OFFLOAD);
	mini_cmd(&c.m, VMXNET3_CMD_GET_STATS);
	assert_int_equal(2 * RTE_DIM(bad) + 9 + 2, mini_txq_desc(&c.m, 0)->stats.error_pkts);
	expect_alive(&c, false);
	card_close(&c);
}

/* IHL 0 to 15, TCP offsets 0 to 15, lengths cut anywhere, with and without requests: no harm. */
static void
strange_headers_do_no_harm(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	struct mini_offload o;
	struct mini_frame got;
	struct card c;
	uint32_t i;

	(void)state;
	conf.features |= VMXNET3_F_RXVLAN | VMXNET3_F_LRO;
	card_open(&c, &conf, NULL);
	for (i = 0; i < 20000; i++) {
		uint32_t len = 14 + rnd(120), k;

		make_frame(200);
		for (k = 0; k < 1 + rnd(4); k++)
			frame.data[12 + rnd(len)] = (uint8_t)(rnd(2) ? rnd(256) : 0x81);
		frame.data[14] = (uint8_t)(rnd(16) ? frame.data[14] : rnd(256));
		if (rnd(4) == 0)
			put16(frame.data + 12, rnd(2) ? 0x8100 : 0x88a8);
		o = (struct mini_offload){ .om = rnd(4), .hlen = rnd(2) ? 54 : rnd(1024),
			.msscof = rnd(2) ? 50 : rnd(16384), .ext1 = rnd(4) == 0, .ti = rnd(4) == 0,
			.tci = (uint16_t)rnd(65536) };
		send_split(&c, 0, frame.data, len, 1 + rnd(6), &o);
		carry(&c, 0, &c);
		expect_reaped(&c, 0, 1);
		while (mini_recv(&c.m, 0, &got) == 1)
			assert_true(got.len >= 60);
		mini_refill(&c.m, 0, UINT32_MAX);
	}
	expect_alive(&c, false);
	card_close(&c);
}

static void
wild_addresses_are_dropped(void **state)
{
	static const uint64_t wild[] = { 0, 0x1000, MINI_MEM_IOVA - 4, UINT64_MAX, UINT64_MAX - 63,
		1ull << 48, 1ull << 63 };
	struct vmxnet3_desc d[3];
	struct card c;
	uint64_t ok;
	size_t i;

	(void)state;
	usual(&c, 3);
	ok = c.m.txq[0].area;
	for (i = 0; i <= RTE_DIM(wild); i++) {
		uint64_t pa = i < RTE_DIM(wild) ? wild[i] : MINI_MEM_IOVA + c.mem.size - 30;

		d[0] = mini_tx_desc(ok, 20, false);
		d[1] = mini_tx_desc(pa, 64, false);
		d[2] = mini_tx_desc(ok, 20, true);
		assert_int_equal(0, mini_post(&c.m, 0, d, 3));
		/* The same behind the headers. */
		d[0] = mini_tx_desc(ok, 600, false);
		assert_int_equal(0, mini_post(&c.m, 0, d, 3));
		/* And right at the start. */
		assert_int_equal(0, mini_post(&c.m, 0, &d[1], 2));
		assert_int_equal(0, carry(&c, 0, &c));
		expect_reaped(&c, 0, 3);
	}
	assert_int_equal(3 * (RTE_DIM(wild) + 1), drops(&c, VMXNET3_DROP_TX_BAD_ADDRESS));
	expect_alive(&c, false);
	card_close(&c);
}

/* ---- transmit: what stops the queue ---- */

/* @p n descriptors, the last of which ends the frame only if @p eop. */
static void
post_many(struct card *c, uint32_t n, bool eop)
{
	static struct vmxnet3_desc d[256];
	uint32_t i;

	for (i = 0; i < n; i++)
		d[i] = mini_tx_desc(c->m.txq[0].area, 20, eop && i + 1 == n);
	assert_int_equal(0, mini_post(&c->m, 0, d, n));
}

static void
too_many_descriptors_stop(void **state)
{
	struct card c;

	(void)state;
	usual(&c, 3);
	post_many(&c, VMXNET3_TX_MAX_DESCS, true);
	assert_int_equal(1, carry(&c, 0, NULL));
	expect_reaped(&c, 0, 1);
	/* Frames before the bad one still pass. */
	make_frame(100);
	send_split(&c, 0, frame.data, frame.len, 2, NULL);
	post_many(&c, VMXNET3_TX_MAX_DESCS + 1, true);
	assert_int_equal(1, carry(&c, 0, NULL));
	expect_reaped(&c, 0, 1);
	assert_int_equal(0, carry(&c, 0, NULL));
	expect_reaped(&c, 0, 0);
	assert_int_equal(1, drops(&c, VMXNET3_DROP_TX_BAD_DESC));
	expect_tx_stopped(&c, VMXNET3_ERR_BIG_PKT);
	expect_alive(&c, true);
	card_close(&c);
}

static void
unknown_descriptor_type_stops(void **state)
{
	struct vmxnet3_desc d;
	struct card c;

	(void)state;
	usual(&c, 2);
	d = mini_tx_desc(c.m.txq[0].area, 100, true);
	d.dw[2] |= VMXNET3_TXD_DTYPE;
	assert_int_equal(0, mini_post(&c.m, 0, &d, 1));
	assert_int_equal(0, carry(&c, 0, NULL));
	expect_reaped(&c, 0, 0);
	expect_tx_stopped(&c, VMXNET3_ERR_DESC_NOT_SPT);
	expect_alive(&c, true);
	card_close(&c);
}

/* A frame whose later descriptors are not there yet gets time; one that never ends does not. */
static void
frame_without_end_stops(void **state)
{
	struct vmxnet3_desc *e;
	struct card c;
	uint32_t saved;

	(void)state;
	usual(&c, 2);
	post_many(&c, 3, true);
	e = mini_entry(&c.m, &c.m.txq[0].ring, 1);
	saved = e->dw[2];
	e->dw[2] ^= 1u << VMXNET3_TXD_GEN_SHIFT;
	assert_int_equal(0, carry(&c, 0, NULL));
	c.now += 9 * MS;
	assert_int_equal(0, carry(&c, 0, NULL));
	e->dw[2] = saved;
	assert_int_equal(1, carry(&c, 0, NULL));
	expect_reaped(&c, 0, 1);

	c.now += 1000 * MS;
	post_many(&c, 3, false);
	assert_int_equal(0, carry(&c, 0, NULL));
	mini_cmd(&c.m, VMXNET3_CMD_GET_QUEUE_STATUS);
	assert_int_equal(0, mini_txq_desc(&c.m, 0)->status.stopped);
	c.now += 11 * MS;
	assert_int_equal(0, carry(&c, 0, NULL));
	expect_tx_stopped(&c, VMXNET3_ERR_NOEOP);
	expect_alive(&c, true);
	card_close(&c);
}

/* All of a small ring valid, in both laps, and no end: bounded all the same. */
static void
endless_ring_stops(void **state)
{
	struct mini_conf conf = mini_conf_default(2);
	struct vmxnet3_desc *e;
	struct card c;
	uint32_t i;

	(void)state;
	conf.tx_size = conf.tx_comp_size = 32;
	card_open(&c, &conf, NULL);
	for (i = 0; i < 32; i++) {
		e = mini_entry(&c.m, &c.m.txq[0].ring, i);
		*e = mini_tx_desc(c.m.txq[0].area, 20, false);
		e->dw[2] |= 1u << VMXNET3_TXD_GEN_SHIFT;
	}
	assert_int_equal(0, carry(&c, 0, NULL));
	c.now += 11 * MS;
	assert_int_equal(0, carry(&c, 0, NULL));
	expect_tx_stopped(&c, VMXNET3_ERR_NOEOP);
	expect_alive(&c, true);
	card_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runts_are_dropped),
		cmocka_unit_test(giants_are_dropped),
		cmocka_unit_test(nonsense_requests_are_dropped),
		cmocka_unit_test(strange_headers_do_no_harm),
		cmocka_unit_test(wild_addresses_are_dropped),
		cmocka_unit_test(too_many_descriptors_stop),
		cmocka_unit_test(unknown_descriptor_type_stops),
		cmocka_unit_test(frame_without_end_stops),
		cmocka_unit_test(endless_ring_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
