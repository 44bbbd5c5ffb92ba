/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The front end's bursts against a device that lies in every field of its completions. Whatever it says: no crash, each
 * mbuf is well formed and given away once, none is lost, and after a new activation an honest device is understood.
 *
 * With a number as argument it goes on for so many seconds, from a seed given as the second (0: the clock's).
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vx_bare.h"

#define BURST	64
#define MAX_HELD 128

static struct bare port;
static struct hand hand;
static struct hand_frame frame;
static struct rte_mbuf *held[MAX_HELD];
static uint32_t nb_held;
static uint64_t state64;
static unsigned int seconds = 2;

static uint32_t
rnd(uint32_t below)
{
	state64 = state64 * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(((state64 >> 32) * below) >> 32);
}

/* ---- the application ---- */

static void
keep(struct rte_mbuf *m)
{
	const struct rte_mbuf *s;
	const char *why = "";
	uint32_t i;

	if (rte_mbuf_check(m, 1, &why) != 0)
		fail_msg("mbuf: %s", why);
	assert_true(m->pkt_len > 0 && m->pkt_len < 65536 + 32);
	assert_int_equal(port.eth->data->port_id, m->port);
	for (s = m; s != NULL; s = s->next) {
		assert_ptr_equal(port.pool, s->pool);
		assert_int_equal(1, rte_mbuf_refcnt_read(s));
		for (i = 0; i < nb_held; i++)
			assert_ptr_not_equal(s, held[i]);
	}
	held[nb_held++] = m;
}

static void
let_go(uint32_t n)
{
	uint32_t i;

	for (; n > 0 && nb_held > 0; n--) {
		i = rnd(nb_held);
		rte_pktmbuf_free(held[i]);
		held[i] = held[--nb_held];
	}
}

static void
receive(void)
{
	struct rte_mbuf *got[BURST];
	uint16_t i, n;

	if (nb_held + BURST > MAX_HELD)
		let_go(BURST);
	n = vx_recv(&port, got, (uint16_t)rnd(BURST + 1));
	for (i = 0; i < n; i++)
		keep(got[i]);
	let_go(rnd(n + 3u));
}

static void
transmit(void)
{
	struct rte_mbuf *list[BURST];
	uint32_t lens[20], i, j, n = rnd(BURST), nb;
	uint16_t taken;

	for (i = 0; i < n; i++) {
		nb = rnd(4) ? 1 : 1 + rnd(19);
		for (j = 0; j < nb; j++)
			lens[j] = rnd(8) ? rnd(200) : 0;
		if (rnd(50) == 0)
			lens[0] = 16384 + rnd(100);
		list[i] = vx_frame(&port, 0, lens, nb);
		if (rnd(4) == 0)
			list[i]->ol_flags = (uint64_t)rnd(UINT32_MAX) << 32 & RTE_MBUF_F_TX_OFFLOAD_MASK;
		list[i]->tx_offload = rnd(2) ? 0 : (uint64_t)rnd(UINT32_MAX) << rnd(32);
	}
	taken = vx_send(&port, list, (uint16_t)n);
	assert_true(taken <= n);
	rte_pktmbuf_free_bulk(list + taken, n - taken);
}

/* ---- the device ---- */

static uint32_t
odd_number(uint32_t usual, uint32_t max)
{
	switch (rnd(6)) {
	case 0:
		return rnd(max + 1);
	case 1:
		return max;
	case 2:
		return 0;
	case 3:
		return (usual + 1) & max;
	default:
		return usual;
	}
}

static void
lie_received(void)
{
	uint32_t ring = rnd(3), dw0, dw2, dw3;
	static const uint32_t types[] = { 3, 3, 3, 3, 4, 0, 127 };

	dw0 = odd_number(hand.rx[ring % 2].next, VMXNET3_RCD_INDEX_MASK) |
		odd_number(ring * hand.nb_rxq, 0x3ff) << VMXNET3_RCD_RQID_SHIFT |
		(rnd(2) ? VMXNET3_RCD_SOP : 0) | (rnd(2) ? VMXNET3_RCD_EOP : 0) |
		(rnd(9) == 0 ? VMXNET3_RCD_INNER : 0) | rnd(32) << 26;
	dw2 = odd_number(rnd(2048), VMXNET3_RCD_LEN_MASK) | (rnd(9) == 0 ? VMXNET3_RCD_ERR : 0) |
		rnd(65536) << 16 | rnd(2) << 15;
	dw3 = rnd(1u << 24) | types[rnd(RTE_DIM(types))] << VMXNET3_CD_TYPE_SHIFT;
	hand_completion(&hand, dw0, rnd(UINT32_MAX), dw2, dw3);
}

/* Random bytes, generations and all, where the driver looks. */
static void
scribble(struct hand_ring *r)
{
	uint32_t n = rnd(20), i;

	while (n-- > 0) {
		for (i = 0; i < 4; i++)
			r->entry[(r->next + n) % r->size].dw[i] = rnd(UINT32_MAX);
	}
}

static void
device_receives(void)
{
	struct hand_says says = { .mss = rnd(3) == 0 ? (uint16_t)rnd(2000) : 0, .segs = (uint16_t)rnd(5) };
	struct vmxnet3_desc d;

	switch (rnd(12)) {
	case 0:
	case 1:
		lie_received();
		break;
	case 2:
		hand_buffer(&hand, rnd(2), &d);
		break;
	case 3:
		if (rnd(20) == 0)
			scribble(&hand.rx_comp);
		break;
	default:
		hand_put(&hand, 0, 1 + rnd(rnd(4) ? 2000 : 9000), &says);
	}
}

static void
device_sends(void)
{
	uint32_t n = rnd(BURST);

	/* Frames may be freed already if completions lied; their memory is still there. */
	while (n-- > 0 && hand_take(&hand, &frame)) {
		if (frame.cq && rnd(10) != 0)
			hand_complete(&hand, odd_number(frame.eop, VMXNET3_TCD_INDEX_MASK));
		else if (rnd(20) == 0)
			hand_complete(&hand, frame.eop);
	}
	if (rnd(100) == 0)
		scribble(&hand.tx_comp);
}

/* ---- */

static void
expect_honest(void)
{
	struct rte_mbuf *m;
	uint32_t i;

	assert_int_equal(0, vx_queues_init(port.dev));
	hand_open(&hand, &port, 0);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(1, hand_put(&hand, (uint8_t)i, 60 + i, NULL));
		assert_int_equal(1, vx_recv(&port, &m, 1));
		vx_expect(m, (uint8_t)i, 60 + i, 1);
		m = vx_small(&port, (uint8_t)i);
		assert_int_equal(1, vx_send(&port, &m, 1));
		assert_int_equal(1, hand_send_all(&hand, &frame));
	}
}

static void
one_life(uint64_t seed)
{
	static const uint16_t sizes[] = { 32, 64, 256, 1024 };
	struct vx_queue_stats rx;
	struct bare_conf c = { .pool_size = 4096 };
	uint32_t i;

	state64 = seed;
	c.rx_size = sizes[rnd(4)];
	c.tx_size = sizes[rnd(4)];
	c.rx_offloads = rnd(3) ? RTE_ETH_RX_OFFLOAD_TCP_LRO : 0;
	c.rx_data_size = rnd(2) ? 128 : 0;
	c.tx_offloads = rnd(2) ? RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE : 0;
	c.pool_cache = rnd(2) * 64;
	if (rnd(3) == 0)
		c.pool_size = (c.rx_offloads ? 2u : 1u) * c.rx_size + MAX_HELD;
	bare_open(&port, &c);
	hand_open(&hand, &port, 0);
	for (i = 0; i < 2000; i++) {
		uint32_t n;

		for (n = rnd(BURST); n > 0; n--)
			device_receives();
		receive();
		transmit();
		device_sends();
		vx_rx_queue_count(port.eth->data->rx_queues[0]);
		vx_rx_descriptor_status(port.eth->data->rx_queues[0], (uint16_t)rnd(c.rx_size));
		if (rnd(10) == 0)
			vx_tx_descriptor_status(port.eth->data->tx_queues[0], (uint16_t)rnd(c.tx_size));
		if (rnd(200) == 0) {
			assert_int_equal(0, vx_queues_init(port.dev));
			hand_open(&hand, &port, 0);
		}
	}
	let_go(MAX_HELD);
	rx = vx_rx_stats(&port);
	assert_true(rx.bad_completions > 0 && rx.packets > 0);
	assert_true(vx_tx_stats(&port).bad_completions > 0 && vx_tx_stats(&port).packets > 0);
	expect_honest();
	bare_close(&port);
}

static uint64_t first_seed = 1;

static void
lies_do_no_harm(void **state)
{
	time_t end = time(NULL) + seconds;
	uint64_t seed;

	(void)state;
	/* The first ones are lived through on every machine. */
	for (seed = first_seed; seed < first_seed + 8 || time(NULL) < end; seed++) {
		if (seconds > 2)
			printf("seed %llu\n", (unsigned long long)seed);
		one_life(seed);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lies_do_no_harm) };

	if (argc > 1)
		seconds = (unsigned int)atoi(argv[1]);
	if (argc > 2)
		first_seed = strtoull(argv[2], NULL, 10);
	if (first_seed == 0)
		first_seed = (uint64_t)time(NULL) << 20;
	return vx_run_group_tests(tests);
}
