/* SPDX-License-Identifier: BSD-3-Clause */
/* The front end's transmit burst, against a device made by hand. */
#include "vx_bare.h"

#define BURST 32

static struct bare port;
static struct hand hand;
static struct hand_frame frame;
static struct rte_mbuf *pkts[4096];

static void
begin(const struct bare_conf *conf)
{
	bare_open(&port, conf);
	hand_open(&hand, &port, 0);
}

static uint32_t
in_flight(void)
{
	return port.tx_pool->size - rte_mempool_avail_count(port.tx_pool);
}

static void
expect_frame(uint8_t seed, uint32_t len, uint32_t nb_descs)
{
	assert_true(hand_take(&hand, &frame));
	assert_int_equal(len, frame.len);
	assert_int_equal(nb_descs, frame.nb_descs);
	assert_true(vx_counts_up(frame.data, len, seed));
	if (frame.cq)
		hand_complete(&hand, frame.eop);
}

static void
rings_of_all_sizes_wrap(void **state)
{
	uint32_t size, sent, n, i;
	uint64_t fast;

	(void)state;
	for (size = 32; size <= 4096; size *= 2) {
		fast = size & 0x540 ? RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE : 0;
		begin(&(struct bare_conf){ .tx_size = (uint16_t)size, .tx_offloads = fast });
		for (sent = 0; sent < 5 * size; sent += n) {
			n = 1 + sent % 29;
			for (i = 0; i < n; i++)
				pkts[i] = vx_small(&port, (uint8_t)(sent + i));
			assert_int_equal(n, vx_send(&port, pkts, (uint16_t)n));
			for (i = 0; i < n; i++)
				expect_frame((uint8_t)(sent + i), 64, 1);
			assert_false(hand_take(&hand, &frame));
		}
		assert_int_equal(sent, vx_tx_stats(&port).packets);
		assert_int_equal(sent * 64, vx_tx_stats(&port).bytes);
		assert_int_equal(0, vx_tx_stats(&port).bad_completions);
		assert_true(in_flight() <= 64 + 29);
		assert_true(vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0) >= 0);
		assert_int_equal(0, in_flight());
		bare_close(&port);
	}
}

/* Positions are numbers of 32 bits, of which a busy queue has seen the end in an hour. */
static void
positions_wrap(void **state)
{
	const uint32_t lens[] = { 30, 34 };
	struct vx_txq *q;
	uint32_t i, seed;

	(void)state;
	begin(NULL);
	q = port.eth->data->tx_queues[0];
	q->next = q->sent = q->done = q->odd = q->comp_next = (uint32_t)-1024;
	for (i = 0; i < 2000; i++) {
		seed = i & 0xff;
		pkts[0] = i % 3 == 0 ? vx_frame(&port, (uint8_t)seed, lens, 2) : vx_small(&port, (uint8_t)seed);
		assert_int_equal(1, vx_send(&port, pkts, 1));
		expect_frame((uint8_t)seed, 64, i % 3 == 0 ? 2 : 1);
	}
	assert_true(q->done < 1u << 31);
	vx_tx_done_cleanup(q, 0);
	assert_int_equal(0, in_flight());
	assert_int_equal(0, vx_tx_stats(&port).bad_completions);
	bare_close(&port);
}

/* One completion for each burst, and one for each quarter of the ring. */
static void
completions_are_few(void **state)
{
	uint32_t i, n = 0;

	(void)state;
	begin(NULL);
	for (i = 0; i < BURST; i++)
		pkts[i] = vx_small(&port, 0);
	assert_int_equal(BURST, vx_send(&port, pkts, BURST));
	for (i = 0; i < BURST; i++) {
		assert_true(hand_take(&hand, &frame));
		assert_int_equal(i == BURST - 1, frame.cq);
	}
	hand_complete(&hand, frame.eop);
	for (i = 0; i < 200; i++)
		pkts[i] = vx_small(&port, 0);
	assert_int_equal(200, vx_send(&port, pkts, 200));
	for (i = 0; i < 200; i++) {
		assert_true(hand_take(&hand, &frame));
		n += frame.cq;
	}
	assert_true(frame.cq);
	assert_int_equal(4, n);
	bare_close(&port);
}

static void
a_full_ring_stops_the_burst(void **state)
{
	uint32_t i, n = 0;
	uint16_t k;

	(void)state;
	begin(NULL);
	for (i = 0; i < 1000; i++)
		pkts[i] = vx_small(&port, (uint8_t)i);
	assert_int_equal(255, vx_send(&port, pkts, 1000));
	assert_int_equal(0, vx_send(&port, pkts + 255, 745));
	assert_int_equal(2, vx_tx_stats(&port).ring_full);
	assert_int_equal(RTE_ETH_TX_DESC_FULL, vx_tx_descriptor_status(port.eth->data->tx_queues[0], 1));
	for (n = 0; n < 1000; n += k) {
		k = (uint16_t)hand_send_all(&hand, &frame);
		assert_true(k > 0);
		if (n + k < 1000)
			assert_int_equal(RTE_MIN(255u, 1000 - n - k), vx_send(&port, pkts + n + k, 1000 - n - k));
	}
	assert_int_equal(1000, n);
	assert_int_equal(RTE_ETH_TX_DESC_DONE, vx_tx_descriptor_status(port.eth->data->tx_queues[0], 255));
	vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0);
	assert_int_equal(-EINVAL, vx_tx_descriptor_status(port.eth->data->tx_queues[0], 256));
	assert_int_equal(0, in_flight());
	bare_close(&port);
}

/* A frame of several descriptors that does not fit waits; the one before it goes. */
static void
frames_go_whole_or_not_at_all(void **state)
{
	const uint32_t lens[] = { 20, 20, 20, 20, 20 };
	uint32_t i;

	(void)state;
	begin(&(struct bare_conf){ .tx_size = 32 });
	for (i = 0; i < 7; i++)
		pkts[i] = vx_frame(&port, (uint8_t)i, lens, 5);
	assert_int_equal(6, vx_send(&port, pkts, 7));
	for (i = 0; i < 6; i++)
		expect_frame((uint8_t)i, 100, 5);
	assert_false(hand_take(&hand, &frame));
	assert_int_equal(1, vx_send(&port, pkts + 6, 1));
	expect_frame(6, 100, 5);
	bare_close(&port);
}

static void
segments_are_split_and_skipped(void **state)
{
	static const struct {
		uint32_t lens[20], nb, nb_descs;
	} t[] = {
		{ { 16383 }, 1, 1 }, { { 16384 }, 1, 1 }, { { 16385 }, 1, 2 }, { { 16000, 16500, 16384 }, 3, 4 },
		{ { 0, 64 }, 2, 1 }, { { 64, 0 }, 2, 1 }, { { 10, 0, 10, 0, 0, 50, 0 }, 7, 3 },
		{ { 0, 0, 16400, 0 }, 4, 2 }, { { 14 }, 1, 1 },
		{ { 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 }, 16, 16 },
		{ { 9, 9, 9, 9, 9, 9, 9, 9, 0, 9, 9, 9, 9, 9, 9, 9, 9 }, 17, 16 },
	};
	uint32_t i, j, len, round;

	(void)state;
	begin(&(struct bare_conf){ .tx_size = 64 });
	for (round = 0; round < 50; round++) {
		for (i = 0; i < RTE_DIM(t); i++) {
			for (len = j = 0; j < t[i].nb; j++)
				len += t[i].lens[j];
			pkts[0] = vx_frame(&port, (uint8_t)i, t[i].lens, t[i].nb);
			pkts[1] = vx_small(&port, 1);
			assert_int_equal(2, vx_tx_prepare(port.eth->data->tx_queues[0], pkts, 2));
			assert_int_equal(2, vx_send(&port, pkts, 2));
			expect_frame((uint8_t)i, len, t[i].nb_descs);
			expect_frame(1, 64, 1);
		}
	}
	vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0);
	assert_int_equal(0, in_flight());
	bare_close(&port);
}

/* ---- who owns an mbuf ---- */

static void
mbufs_of_any_pool_and_with_other_owners(void **state)
{
	struct rte_mbuf *clone, *mine;
	uint32_t i;

	(void)state;
	begin(NULL);
	for (i = 0; i < 100; i++) {
		mine = vx_small(&port, 7);
		clone = rte_pktmbuf_clone(mine, port.tx_pool);
		pkts[0] = mine;
		pkts[1] = clone;
		pkts[2] = rte_pktmbuf_copy(mine, port.pool, 0, UINT32_MAX);
		pkts[3] = vx_small(&port, 7);
		rte_mbuf_refcnt_update(pkts[3], 1);
		assert_int_equal(4, vx_send(&port, pkts, 4));
		assert_int_equal(4, hand_send_all(&hand, &frame));
		assert_true(vx_counts_up(frame.data, 64, 7));
		assert_int_equal(4, vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0));
		assert_int_equal(1, rte_mbuf_refcnt_read(pkts[3]));
		rte_pktmbuf_free(pkts[3]);
	}
	assert_int_equal(0, in_flight());
	bare_close(&port);
}

/* Single mbufs go back by the handful, chains one by one; both in one ring. */
static void
fast_free_knows_chains(void **state)
{
	const uint32_t lens[] = { 30, 40, 50 };
	uint32_t i, round, n;

	(void)state;
	begin(&(struct bare_conf){ .tx_offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE, .tx_size = 64 });
	for (round = 0; round < 200; round++) {
		n = 1 + round % 15;
		for (i = 0; i < n; i++)
			pkts[i] = (round + i) % 5 == 0 ? vx_frame(&port, 1, lens, 3) : vx_small(&port, 1);
		assert_int_equal(n, vx_send(&port, pkts, (uint16_t)n));
		assert_int_equal(n, hand_send_all(&hand, &frame));
	}
	vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0);
	assert_int_equal(0, in_flight());
	for (i = 0; i < 500; i++) {
		pkts[i] = rte_pktmbuf_alloc(port.tx_pool);
		assert_true(pkts[i]->next == NULL && pkts[i]->nb_segs == 1 && rte_mbuf_refcnt_read(pkts[i]) == 1);
	}
	rte_pktmbuf_free_bulk(pkts, 500);
	bare_close(&port);
}

static void
done_cleanup_stops_when_it_has_enough(void **state)
{
	void *q;
	uint32_t i;

	(void)state;
	begin(NULL);
	q = port.eth->data->tx_queues[0];
	for (i = 0; i < 40; i++) {
		pkts[0] = vx_small(&port, 0);
		assert_int_equal(1, vx_send(&port, pkts, 1));
	}
	assert_int_equal(0, vx_tx_done_cleanup(q, 0));
	assert_int_equal(40, hand_send_all(&hand, &frame));
	assert_int_equal(5, vx_tx_done_cleanup(q, 5));
	assert_int_equal(35, vx_tx_done_cleanup(q, 0));
	bare_close(&port);
}

/* ---- lies ---- */

static void
completions_of_nothing_free_nothing(void **state)
{
	const uint32_t lens[] = { 30, 40, 50 };
	uint32_t i;

	(void)state;
	begin(NULL);
	pkts[0] = vx_small(&port, 0);
	pkts[1] = vx_frame(&port, 1, lens, 3);
	pkts[2] = vx_small(&port, 2);
	/* Before anything was sent; then an entry in the middle of a frame, one not in use, and ones that are none. */
	hand_complete(&hand, 0);
	assert_int_equal(0, vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0));
	assert_int_equal(3, vx_send(&port, pkts, 3));
	for (i = 0; i < 5; i++)
		hand_complete(&hand, (const uint32_t[]){ 1, 2, 5, 256, 4095 }[i]);
	assert_int_equal(0, vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0));
	assert_int_equal(6, vx_tx_stats(&port).bad_completions);
	assert_int_equal(5, in_flight());
	hand_complete(&hand, 3);
	assert_int_equal(2, vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0));
	/* Again, and the one before. */
	hand_complete(&hand, 3);
	hand_complete(&hand, 0);
	assert_int_equal(0, vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0));
	hand_complete(&hand, 4);
	assert_int_equal(1, vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0));
	assert_int_equal(8, vx_tx_stats(&port).bad_completions);
	bare_close(&port);
}

/* ---- refused ---- */

static void
what_cannot_be_sent_is_dropped_and_counted(void **state)
{
	uint32_t lens[20], i;

	(void)state;
	begin(NULL);
	for (i = 0; i < 20; i++)
		lens[i] = 10;
	pkts[0] = vx_small(&port, 1);
	pkts[1] = vx_frame(&port, 2, lens, 17);
	pkts[2] = vx_frame(&port, 3, lens, 1);
	pkts[3] = vx_small(&port, 4);
	pkts[3]->ol_flags = RTE_MBUF_F_TX_SCTP_CKSUM | RTE_MBUF_F_TX_IPV4;
	pkts[4] = vx_small(&port, 5);
	assert_int_equal(5, vx_send(&port, pkts, 5));
	expect_frame(1, 64, 1);
	expect_frame(5, 64, 1);
	assert_false(hand_take(&hand, &frame));
	assert_int_equal(3, vx_tx_stats(&port).errors);
	assert_int_equal(2, vx_tx_stats(&port).packets);
	/* Only such ones: all are taken, and nothing is published. */
	pkts[0] = vx_frame(&port, 2, lens, 18);
	assert_int_equal(1, vx_send(&port, pkts, 1));
	assert_false(hand_take(&hand, &frame));
	bare_close(&port);
}

/* ---- doorbells ---- */

static void
doorbells_ring_at_the_threshold(void **state)
{
	struct vmxnet3_tx_queue_desc *d;
	uint32_t i;

	(void)state;
	begin(NULL);
	d = port.dev->txqd;
	for (i = 0; i < 10; i++) {
		pkts[0] = vx_small(&port, 0);
		assert_int_equal(1, vx_send(&port, pkts, 1));
		assert_int_equal(i + 1, vx_doorbell(&port, VMXNET3_REG_TXPROD));
	}
	assert_int_equal(0, d->tx_num_deferred);
	d->tx_threshold = 3;
	for (i = 0; i < 2; i++) {
		pkts[0] = vx_small(&port, 0);
		assert_int_equal(1, vx_send(&port, pkts, 1));
	}
	assert_int_equal(2, d->tx_num_deferred);
	assert_int_equal(10, vx_doorbell(&port, VMXNET3_REG_TXPROD));
	pkts[0] = vx_small(&port, 0);
	assert_int_equal(1, vx_send(&port, pkts, 1));
	assert_int_equal(0, d->tx_num_deferred);
	assert_int_equal(13, vx_doorbell(&port, VMXNET3_REG_TXPROD));
	d->tx_threshold = 0x7fffffff;
	for (i = 0; i < 30; i++)
		pkts[i] = vx_small(&port, 0);
	assert_int_equal(30, vx_send(&port, pkts, 30));
	assert_int_equal(13, vx_doorbell(&port, VMXNET3_REG_TXPROD));
	assert_int_equal(30, d->tx_num_deferred);
	bare_close(&port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rings_of_all_sizes_wrap),
		cmocka_unit_test(positions_wrap),
		cmocka_unit_test(completions_are_few),
		cmocka_unit_test(a_full_ring_stops_the_burst),
		cmocka_unit_test(frames_go_whole_or_not_at_all),
		cmocka_unit_test(segments_are_split_and_skipped),
		cmocka_unit_test(mbufs_of_any_pool_and_with_other_owners),
		cmocka_unit_test(fast_free_knows_chains),
		cmocka_unit_test(done_cleanup_stops_when_it_has_enough),
		cmocka_unit_test(completions_of_nothing_free_nothing),
		cmocka_unit_test(what_cannot_be_sent_is_dropped_and_counted),
		cmocka_unit_test(doorbells_ring_at_the_threshold),
	};

	return vx_run_group_tests(tests);
}
