/* SPDX-License-Identifier: BSD-3-Clause */
/* What the bursts do by groups of frames: the same as frame by frame, wherever in a group the odd one is. */
#include <stdlib.h>

#include "vx_bare.h"

#define BURST 32
#define SCATTER RTE_ETH_RX_OFFLOAD_SCATTER

static struct bare port;
static struct hand hand;
static struct hand_frame frame;
static struct rte_mbuf *got[256], *pkts[256];

static void
begin(const struct bare_conf *conf)
{
	bare_open(&port, conf);
	hand_open(&hand, &port, 0);
}

/* ---- receive ---- */

/* Everything that an mbuf tells of a received frame. */
struct told {
	uint64_t rearm, ol_flags;
	uint32_t packet_type, pkt_len, rss;
	uint16_t data_len, vlan_tci;
};

static struct told
told_by(const struct rte_mbuf *m)
{
	struct told t;

	memset(&t, 0, sizeof(t));
	memcpy(&t.rearm, &m->rearm_data, sizeof(t.rearm));
	t.ol_flags = m->ol_flags;
	t.packet_type = m->packet_type;
	t.pkt_len = m->pkt_len;
	t.rss = m->hash.rss;
	t.data_len = m->data_len;
	t.vlan_tci = m->vlan_tci;
	return t;
}

static void
soil(struct rte_mempool *pool, void *arg, void *obj, unsigned int i)
{
	struct rte_mbuf *m = obj;

	(void)pool;
	(void)arg;
	memset((char *)m + offsetof(struct rte_mbuf, data_off), (int)i | 1, sizeof(uint16_t));
	m->port = (uint16_t)~i;
	m->vlan_tci = (uint16_t)i;
	m->packet_type = m->pkt_len = m->hash.rss = ~i;
}

/* A frame alone is taken without vectors; the same ones in bursts shall look the same. */
static void
frames_look_the_same_in_bursts(void **state)
{
	static struct told alone[4096];
	static struct hand_says says[RTE_DIM(alone)];
	struct told now;
	uint32_t i, n;
	uint16_t k, j;

	(void)state;
	srand(7);
	begin(NULL);
	rte_mempool_obj_iter(port.pool, soil, NULL);
	for (i = 0; i < RTE_DIM(alone); i++) {
		says[i] = (struct hand_says){ .dw0 = (uint32_t)(rand() & 0x1f) << 26, .dw1 = (uint32_t)rand() * 3u,
			.dw2 = (uint32_t)rand() << 15, .dw3 = (uint32_t)rand() & 0xffffff };
		hand_put(&hand, (uint8_t)i, 60 + i % 1400, &says[i]);
		assert_int_equal(1, vx_recv(&port, got, 1));
		alone[i] = told_by(got[0]);
		vx_expect(got[0], (uint8_t)i, 60 + i % 1400, 1);
	}
	for (i = 0; i < RTE_DIM(alone); i += k) {
		n = RTE_MIN(1 + (uint32_t)rand() % 60, RTE_DIM(alone) - i);
		for (j = 0; j < n; j++)
			assert_int_equal(1, hand_put(&hand, (uint8_t)(i + j), 60 + (i + j) % 1400, &says[i + j]));
		k = vx_recv(&port, got, (uint16_t)RTE_DIM(got));
		assert_int_equal(n, k);
		for (j = 0; j < k; j++) {
			now = told_by(got[j]);
			if (memcmp(&now, &alone[i + j], sizeof(now)) != 0)
				fail_msg("frame %u, %u in its burst: flags %llx, alone %llx; type %x, alone %x", i + j, j,
					(unsigned long long)now.ol_flags, (unsigned long long)alone[i + j].ol_flags,
					now.packet_type, alone[i + j].packet_type);
			vx_expect(got[j], (uint8_t)(i + j), 60 + (i + j) % 1400, 1);
		}
	}
	assert_int_equal(2 * RTE_DIM(alone), vx_rx_stats(&port).packets);
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

enum odd { LONG, ERROR, SKIPPED, EMPTY, TOO_LONG, LARGE, NOT_NEXT, ODDS };

/* @return how many frames come of it */
static uint32_t
put_odd(enum odd odd, uint32_t *bad, uint32_t *errors)
{
	const struct hand_says wrong = { .dw2 = VMXNET3_RCD_ERR }, lro = { .mss = 1448, .segs = 1 };
	struct vmxnet3_desc d;
	uint32_t dw0;

	switch (odd) {
	case LONG:
		assert_int_equal(2, hand_put(&hand, 99, 3000, NULL));
		return 1;
	case ERROR:
		hand_put(&hand, 99, 3000 % 2048, &wrong);
		(*errors)++;
		return 0;
	case SKIPPED:
		hand_buffer(&hand, 0, &d);
		hand_put(&hand, 99, 3000 % 2048, NULL);
		return 1;
	case LARGE:
		hand_put(&hand, 99, 3000 % 2048, &lro);
		return 1;
	case EMPTY:
	case TOO_LONG:
		dw0 = (uint32_t)hand_buffer(&hand, 0, &d) | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP;
		hand_completion(&hand, dw0, 0, odd == EMPTY ? 0 : 2049, 3u << 24);
		*bad += odd == TOO_LONG;
		return 0;
	case NOT_NEXT:
		/* A buffer that the device does not have. */
		hand_completion(&hand, ((hand.rx[0].next - 1) & 255) | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP, 0, 64, 3u << 24);
		(*bad)++;
		return 0;
	default:
		return 0;
	}
}

static void
an_odd_one_is_anywhere_in_a_group(void **state)
{
	uint32_t odd, place, i, n, bad, errors;
	const struct rte_mbuf *m;
	uint16_t k;

	(void)state;
	for (odd = 0; odd < ODDS; odd++) {
		begin(&(struct bare_conf){ .rx_offloads = SCATTER | RTE_ETH_RX_OFFLOAD_TCP_LRO, .mtu = 9000 });
		bad = errors = 0;
		/* So often that each is at each place of the ring. */
		for (place = 0; place < 17 * 64; place++) {
			for (i = n = 0; i < 13; i++) {
				if (i == place % 13)
					n += put_odd((enum odd)odd, &bad, &errors);
				hand_put(&hand, (uint8_t)i, 60 + i, NULL);
				n++;
			}
			k = vx_recv(&port, got, (uint16_t)RTE_DIM(got));
			assert_int_equal(n, k);
			for (i = n = 0; i < k; i++) {
				m = got[i];
				if (m->pkt_len > 900)
					vx_expect(got[i], 99, m->nb_segs == 2 ? 3000 : 3000 % 2048, m->nb_segs);
				else
					vx_expect(got[i], (uint8_t)n, 60 + n, 1), n++;
			}
			assert_int_equal(13, n);
			assert_int_equal(bad, vx_rx_stats(&port).bad_completions);
			assert_int_equal(errors, vx_rx_stats(&port).errors);
		}
		bare_close(&port);
	}
}

/* A completion is valid when its generation says so, and nothing behind one that is not. */
static void
what_is_not_there_ends_the_burst(void **state)
{
	uint32_t round, hole, i;
	struct hand_ring *r = &hand.rx_comp;
	uint16_t k;

	(void)state;
	begin(NULL);
	for (round = 0; round < 600; round++) {
		hole = round % 11;
		for (i = 0; i < 11; i++)
			hand_put(&hand, (uint8_t)i, 60 + i, NULL);
		i = (r->next - 11 + hole) & (r->size - 1);
		r->entry[i].dw[3] ^= 1u << VMXNET3_CD_GEN_SHIFT;
		k = vx_recv(&port, got, BURST);
		assert_int_equal(hole, k);
		r->entry[i].dw[3] ^= 1u << VMXNET3_CD_GEN_SHIFT;
		k = (uint16_t)(k + vx_recv(&port, got + k, BURST));
		assert_int_equal(11, k);
		for (i = 0; i < 11; i++)
			vx_expect(got[i], (uint8_t)i, 60 + i, 1);
	}
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

/* Buffers of this pool lie elsewhere than right behind their mbufs. */
static void
move_buffer(struct rte_mempool *pool, void *arg, void *obj, unsigned int i)
{
	struct rte_mbuf *m = obj;

	(void)pool;
	(void)arg;
	if (i == pool->size / 2) {
		m->buf_addr = (char *)m->buf_addr + 64;
		m->buf_len = (uint16_t)(m->buf_len - 64);
	}
}

static void
buffers_may_lie_anywhere(void **state)
{
	uint32_t i, j;

	(void)state;
	begin(&(struct bare_conf){ .buf_len = 2048 });
	assert_true(((struct vx_rxq *)port.eth->data->rx_queues[0])->distance != VX_NO_DISTANCE);
	vx_rx_queue_release(port.eth, 0);
	rte_mempool_obj_iter(port.pool, move_buffer, NULL);
	assert_int_equal(0, vx_rx_queue_setup(port.eth, 0, 256, 0, &(struct rte_eth_rxconf){ .rx_drop_en = 1 }, port.pool));
	assert_int_equal(0, vx_queues_init(port.dev));
	hand_open(&hand, &port, 0);
	for (i = 0; i < 300; i++) {
		for (j = 0; j < 30; j++)
			hand_put(&hand, (uint8_t)(i + j), 60 + j, NULL);
		assert_int_equal(30, vx_recv(&port, got, BURST));
		for (j = 0; j < 30; j++)
			vx_expect(got[j], (uint8_t)(i + j), 60 + j, 1);
	}
	bare_close(&port);
}

/* ---- transmit ---- */

/* Of every shape that is not plain, by its number. @return its length; 0: it is refused */
static uint32_t
odd_frame(uint32_t shape, struct rte_mbuf **m, uint32_t *descs)
{
	static const uint32_t shapes[][3] = { { 40, 24 }, { 64 }, { 13 }, { 1 }, { 16384 }, { 16383 }, { 16400 }, { 20, 20, 20 },
		{ 14 } };
	static const uint32_t nb[] = { 2, 1, 1, 1, 1, 1, 1, 3, 1 }, nb_descs[] = { 2, 1, 1, 1, 1, 1, 2, 3, 1 };

	*m = vx_frame(&port, 200, shapes[shape], nb[shape]);
	*descs = nb_descs[shape];
	if (shape == 1)
		(*m)->ol_flags = RTE_MBUF_F_TX_MACSEC; /* nobody can do that */
	return shape == 1 || shape == 2 || shape == 3 ? 0 : (*m)->pkt_len;
}

static void
an_odd_one_is_anywhere_in_a_burst(void **state)
{
	uint32_t shape, place, i, len, descs, sent, bytes, errors;

	(void)state;
	for (shape = 0; shape < 9; shape++) {
		begin(NULL);
		sent = bytes = errors = 0;
		for (place = 0; place < 17 * 48; place++) {
			for (i = 0; i < 17; i++)
				pkts[i] = vx_small(&port, (uint8_t)i);
			rte_pktmbuf_free(pkts[place % 17]);
			len = odd_frame(shape, &pkts[place % 17], &descs);
			assert_int_equal(17, vx_send(&port, pkts, 17));
			for (i = 0; i < 17; i++) {
				if (i == place % 17 && len == 0) {
					errors++;
					continue;
				}
				assert_true(hand_take(&hand, &frame));
				assert_int_equal(i == place % 17 ? len : 64, frame.len);
				assert_int_equal(i == place % 17 ? descs : 1, frame.nb_descs);
				assert_true(vx_counts_up(frame.data, frame.len, (uint8_t)(i == place % 17 ? 200 : i)));
				if (frame.cq)
					hand_complete(&hand, frame.eop);
				sent++;
				bytes += frame.len;
			}
			assert_false(hand_take(&hand, &frame));
		}
		assert_int_equal(sent, vx_tx_stats(&port).packets);
		assert_int_equal(bytes, vx_tx_stats(&port).bytes);
		assert_int_equal(errors, vx_tx_stats(&port).errors);
		bare_close(&port);
	}
}

/* An entry is seen when the burst is whole, not before; and entries behind it never. */
static void
entries_behind_a_burst_are_not_valid(void **state)
{
	uint32_t i, n, round;

	(void)state;
	begin(NULL);
	for (round = 0; round < 1000; round++) {
		n = 1 + round % 31;
		for (i = 0; i < n; i++)
			pkts[i] = vx_small(&port, (uint8_t)i);
		/* The last is refused: what the burst has begun to write of it must not be seen. */
		pkts[n - 1]->ol_flags = RTE_MBUF_F_TX_MACSEC;
		assert_int_equal(n, vx_send(&port, pkts, (uint16_t)n));
		assert_int_equal(n - 1, hand_send_all(&hand, &frame));
	}
	bare_close(&port);
}

/* Freed: of two pools in turn, with another owner, with another's buffer, at each place. */
static void
each_goes_back_where_it_belongs(void **state)
{
	struct rte_mbuf *mine[64], *whole;
	uint32_t round, i, place, nb_mine;

	(void)state;
	begin(&(struct bare_conf){ .pool_size = 2048 });
	for (round = 0; round < 13 * 40; round++) {
		place = round % 13;
		nb_mine = 0;
		for (i = 0; i < 13; i++) {
			if (i != place) {
				pkts[i] = vx_small(&port, (uint8_t)i);
				continue;
			}
			switch (round % 3) {
			case 0:
				pkts[i] = rte_pktmbuf_alloc(port.pool);
				rte_pktmbuf_append(pkts[i], 64);
				break;
			case 1:
				pkts[i] = vx_small(&port, (uint8_t)i);
				rte_mbuf_refcnt_update(pkts[i], 1);
				mine[nb_mine++] = pkts[i];
				break;
			default:
				whole = vx_small(&port, (uint8_t)i);
				pkts[i] = rte_pktmbuf_alloc(port.tx_pool);
				rte_pktmbuf_attach(pkts[i], whole);
				rte_pktmbuf_free(whole);
				break;
			}
		}
		assert_int_equal(13, vx_send(&port, pkts, 13));
		assert_int_equal(13, hand_send_all(&hand, &frame));
		vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0);
		assert_int_equal(nb_mine, port.tx_pool->size - rte_mempool_avail_count(port.tx_pool));
		for (i = 0; i < nb_mine; i++)
			vx_expect(mine[i], (uint8_t)place, 64, 1);
	}
	bare_close(&port);
}

/* Bursts of one pool or the other, some with another owner, in any order, and sent a few at a time. */
static void
pools_take_turns(void **state)
{
	struct rte_mbuf *mine[64];
	uint32_t round, i, n, pool, nb_mine = 0;
	bool shared;

	(void)state;
	srand(11);
	begin(NULL);
	for (round = 0; round < 3000; round++) {
		n = 1 + (uint32_t)rand() % BURST;
		pool = (uint32_t)rand() % 8;
		shared = rand() % 8 == 0;
		for (i = 0; i < n; i++) {
			pkts[i] = pool == 0 ? rte_pktmbuf_alloc(port.pool) : NULL;
			if (pkts[i] != NULL)
				rte_pktmbuf_append(pkts[i], 64);
			else
				pkts[i] = vx_small(&port, 0);
		}
		if (shared) {
			mine[nb_mine++] = pkts[n / 2];
			rte_mbuf_refcnt_update(pkts[n / 2], 1);
		}
		assert_int_equal(n, vx_send(&port, pkts, (uint16_t)n));
		if (rand() % 3 != 0 && round % 4 != 3)
			continue;
		assert_true(hand_send_all(&hand, &frame) >= n);
		vx_tx_done_cleanup(port.eth->data->tx_queues[0], 0);
		for (i = 0; i < nb_mine; i++)
			assert_int_equal(1, rte_mbuf_refcnt_read(mine[i]));
		assert_int_equal(port.tx_pool->size + port.pool->size - 224,
			rte_mempool_avail_count(port.tx_pool) + rte_mempool_avail_count(port.pool) + nb_mine);
		rte_pktmbuf_free_bulk(mine, nb_mine);
		nb_mine = 0;
	}
	rte_pktmbuf_free_bulk(mine, nb_mine);
	bare_close(&port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_look_the_same_in_bursts),
		cmocka_unit_test(an_odd_one_is_anywhere_in_a_group),
		cmocka_unit_test(what_is_not_there_ends_the_burst),
		cmocka_unit_test(buffers_may_lie_anywhere),
		cmocka_unit_test(an_odd_one_is_anywhere_in_a_burst),
		cmocka_unit_test(entries_behind_a_burst_are_not_valid),
		cmocka_unit_test(each_goes_back_where_it_belongs),
		cmocka_unit_test(pools_take_turns),
	};

	return vx_run_group_tests(tests);
}
