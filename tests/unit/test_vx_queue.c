/* SPDX-License-Identifier: BSD-3-Clause */
/* The front end's queues: set-up, activation, pause under traffic, counters. */
#include <pthread.h>
#include <sched.h>

#include "vx_bare.h"

static struct bare port;
static struct hand hand;
static struct hand_frame frame;

static int
set_up_rx(uint16_t size, struct rte_mempool *pool, bool late)
{
	const struct rte_eth_rxconf conf = { .rx_deferred_start = late };

	vx_rx_queue_release(port.eth, 0);
	return vx_rx_queue_setup(port.eth, 0, size, 0, &conf, pool);
}

static int
set_up_tx(uint16_t size, bool late)
{
	const struct rte_eth_txconf conf = { .tx_deferred_start = late };

	vx_tx_queue_release(port.eth, 0);
	return vx_tx_queue_setup(port.eth, 0, size, 0, &conf);
}

static void
set_up_refuses(void **state)
{
	static const uint16_t bad[] = { 0, 1, 16, 31, 33, 96, 500, 4095, 8192 };
	struct rte_mempool *tiny;
	uint16_t i;

	(void)state;
	bare_open(&port, &(struct bare_conf){ .lazy = true });
	for (i = 0; i < RTE_DIM(bad); i++) {
		assert_int_equal(-EINVAL, set_up_rx(bad[i], port.pool, false));
		assert_int_equal(-EINVAL, set_up_tx(bad[i], false));
	}
	assert_int_equal(-EINVAL, set_up_rx(64, port.pool, true));
	assert_int_equal(-EINVAL, set_up_tx(64, true));
	port.unreachable = true;
	assert_int_equal(-EINVAL, set_up_rx(64, port.pool, false));
	port.unreachable = false;
	tiny = rte_pktmbuf_pool_create("tiny", 64, 0, 0, RTE_PKTMBUF_HEADROOM + 127, SOCKET_ID_ANY);
	assert_int_equal(-EINVAL, set_up_rx(64, tiny, false));
	rte_mempool_free(tiny);
	for (i = 32; i <= 4096; i = (uint16_t)(i * 2)) {
		assert_int_equal(0, set_up_rx(i, port.pool, false));
		assert_int_equal(0, set_up_tx(i, false));
	}
	bare_close(&port);
}

/* Nothing of a queue is left that the device was not told, and nothing else. */
static void
descriptors_tell_the_rings(void **state)
{
	const struct vmxnet3_rx_queue_desc *r;
	const struct vmxnet3_tx_queue_desc *t;
	uint16_t q;

	(void)state;
	bare_open(&port, &(struct bare_conf){ .nb_queues = 3, .lazy = true });
	memset(port.descs->addr, 0xee, port.descs->len);
	port.dev->rx_intr = true;
	assert_int_equal(0, vx_queues_init(port.dev));
	for (q = 0; q < 3; q++) {
		r = &port.dev->rxqd[q];
		t = &port.dev->txqd[q];
		assert_int_equal(0, r->rx_ring_pa[0] % 512 | r->comp_ring_pa % 512 | t->tx_ring_pa % 512 |
			t->comp_ring_pa % 512);
		assert_int_equal(256, r->rx_ring_size[0]);
		assert_int_equal(0, r->rx_ring_size[1]);
		assert_int_equal(0, r->rx_ring_pa[1]);
		assert_int_equal(256, r->comp_ring_size);
		assert_int_equal(256, t->tx_ring_size);
		assert_int_equal(256, t->comp_ring_size);
		assert_int_equal(128, t->tx_data_ring_desc_size);
		assert_int_equal(0, t->data_ring_size);
		assert_int_equal(1 + q, r->intr_idx);
		assert_int_equal(4, t->intr_idx);
		assert_true(r->status.stopped && t->status.stopped);
		assert_int_equal(0, r->data_ring_pa | r->stats.ucast_pkts | t->stats.ucast_pkts | t->ts_ring_pa);
	}
	port.dev->rx_intr = false;
	assert_int_equal(0, vx_queues_init(port.dev));
	assert_int_equal(1, port.dev->rxqd[2].intr_idx);
	assert_int_equal(1, port.dev->txqd[2].intr_idx);
	port.dev->intr = false;
	assert_int_equal(0, vx_queues_init(port.dev));
	assert_int_equal(0, port.dev->rxqd[2].intr_idx);
	assert_int_equal(0, port.dev->txqd[2].intr_idx);
	bare_close(&port);
}

static void
activation_needs_buffers(void **state)
{
	(void)state;
	bare_open(&port, &(struct bare_conf){ .lazy = true, .pool_size = 200 });
	assert_int_equal(-ENOMEM, vx_queues_init(port.dev));
	assert_int_equal(200, rte_mempool_avail_count(port.pool));
	bare_close(&port);
	bare_open(&port, &(struct bare_conf){ .lazy = true, .pool_size = 224 });
	assert_int_equal(0, vx_queues_init(port.dev));
	assert_int_equal(0, vx_queues_init(port.dev));
	vx_queues_drop(port.dev);
	assert_int_equal(224, rte_mempool_avail_count(port.pool));
	bare_close(&port);
}

static void
frames_must_fit(void **state)
{
	static const struct {
		uint16_t mtu, buf_len;
		uint64_t offloads;
		int ret;
		bool scattered;
	} t[] = {
		{ 1500, 1518, 0, 0, false },
		{ 1500, 1517, 0, -EINVAL, false },
		{ 1500, 1517, RTE_ETH_RX_OFFLOAD_SCATTER, 0, true },
		{ 1500, 2048, RTE_ETH_RX_OFFLOAD_SCATTER, 0, false },
		{ 9000, 2048, 0, -EINVAL, false },
		{ 9000, 2048, RTE_ETH_RX_OFFLOAD_SCATTER, 0, true },
		{ 9000, 9216, 0, 0, false },
		{ 1500, 2048, RTE_ETH_RX_OFFLOAD_TCP_LRO, 0, true },
	};
	struct rte_eth_rxq_info info = { 0 };
	uint32_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(t); i++) {
		bare_open(&port, &(struct bare_conf){ .lazy = true, .mtu = t[i].mtu,
			.buf_len = t[i].buf_len, .rx_offloads = t[i].offloads });
		assert_int_equal(t[i].ret, vx_queues_init(port.dev));
		assert_int_equal(t[i].scattered, port.eth->data->scattered_rx);
		vx_rxq_info_get(port.eth, 0, &info);
		assert_int_equal(t[i].scattered, info.scattered_rx);
		assert_int_equal(t[i].buf_len, info.rx_buf_size);
		bare_close(&port);
	}
}

static void
counters_are_reset(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	bare_open(&port, NULL);
	hand_open(&hand, &port, 0);
	hand_put(&hand, 0, 99, NULL);
	assert_int_equal(1, vx_recv(&port, &m, 1));
	assert_int_equal(1, vx_send(&port, &m, 1));
	assert_int_equal(99, vx_rx_stats(&port).bytes);
	assert_int_equal(99, vx_tx_stats(&port).bytes);
	vx_queue_stats_reset(port.dev);
	assert_int_equal(0, vx_rx_stats(&port).bytes + vx_rx_stats(&port).packets);
	assert_int_equal(0, vx_tx_stats(&port).bytes + vx_tx_stats(&port).packets);
	hand_put(&hand, 0, 77, NULL);
	assert_int_equal(1, vx_recv(&port, &m, 1));
	rte_pktmbuf_free(m);
	assert_int_equal(77, vx_rx_stats(&port).bytes);
	assert_int_equal(1, hand_send_all(&hand, &frame));
	bare_close(&port);
}

static void
a_paused_queue_is_silent(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	bare_open(&port, NULL);
	hand_open(&hand, &port, 0);
	hand_put(&hand, 0, 99, NULL);
	vx_queues_pause(port.dev);
	assert_int_equal(0, vx_recv(&port, &m, 1));
	m = vx_small(&port, 0);
	assert_int_equal(0, vx_send(&port, &m, 1));
	assert_int_equal(0, vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0));
	vx_queues_set_filter(port.dev, NULL);
	assert_int_equal(0, vx_send(&port, &m, 1));
	vx_queues_resume(port.dev);
	assert_int_equal(1, vx_send(&port, &m, 1));
	assert_int_equal(1, hand_send_all(&hand, &frame));
	assert_int_equal(1, vx_recv(&port, &m, 1));
	rte_pktmbuf_free(m);
	bare_close(&port);
}

/* ---- pause under traffic ---- */

static _Atomic bool stop;
static _Atomic uint64_t rounds;

/* An application that sends back what it receives, and knows nothing of pauses. */
static void *
echo(void *arg)
{
	struct rte_mbuf *m[32];
	uint16_t n, sent;

	(void)arg;
	while (!stop) {
		n = vx_recv(&port, m, 32);
		sent = vx_send(&port, m, n);
		rte_pktmbuf_free_bulk(m + sent, n - sent);
		rounds++;
		if (n == 0)
			sched_yield();
	}
	return NULL;
}

static void
wait_for_round(void)
{
	uint64_t seen = rounds;

	while (rounds < seen + 2)
		sched_yield();
}

/* Rings vanish and come back in the middle of traffic, while another thread polls. */
static void
rings_change_under_a_polling_thread(void **state)
{
	struct vx_queue_stats s;
	pthread_t thread;
	uint32_t i, j, k, echoed = 0;

	(void)state;
	bare_open(&port, &(struct bare_conf){ .tx_offloads = 0 });
	hand_open(&hand, &port, 0);
	stop = false;
	assert_int_equal(0, pthread_create(&thread, NULL, echo, NULL));
	for (i = 0; i < 200; i++) {
		for (j = 0; j < 10; j++) {
			for (k = 0; k < 20; k++)
				hand_put(&hand, (uint8_t)k, 60 + k, NULL);
			wait_for_round();
			echoed += hand_send_all(&hand, &frame);
		}
		vx_queues_pause(port.dev);
		/* Nobody is inside now: the rings are ours. */
		memset(port.descs->addr, 0, port.descs->len);
		assert_int_equal(0, vx_queues_init(port.dev));
		hand_open(&hand, &port, 0);
		vx_queues_resume(port.dev);
	}
	stop = true;
	pthread_join(thread, NULL);
	s = vx_rx_stats(&port);
	assert_int_equal(0, s.bad_completions + vx_tx_stats(&port).bad_completions);
	assert_true(echoed > 0 && echoed <= s.packets && s.packets <= 200 * 10 * 20);
	bare_close(&port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_up_refuses),
		cmocka_unit_test(descriptors_tell_the_rings),
		cmocka_unit_test(activation_needs_buffers),
		cmocka_unit_test(frames_must_fit),
		cmocka_unit_test(counters_are_reset),
		cmocka_unit_test(a_paused_queue_is_silent),
		cmocka_unit_test(rings_change_under_a_polling_thread),
	};

	return cmocka_run_group_tests(tests, vx_eal, NULL);
}
