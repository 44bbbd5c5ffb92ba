/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a broken or hostile driver does to its receive rings, and frames that no driver should see. The
 * queue may be lost; nothing else may happen, and a new activation makes all well.
 */
#include <rte_common.h>

#include "card.h"

#define MS 1000000ull

static void
expect_rx_stopped(struct card *c, uint32_t error)
{
	make_frame(100);
	send_split(c, 0, frame.data, frame.len, 1, NULL);
	assert_int_equal(1, carry(c, 0, c));
	expect_reaped(c, 0, 1);
	mini_cmd(&c->m, VMXNET3_CMD_GET_QUEUE_STATUS);
	assert_int_equal(1, mini_rxq_desc(&c->m, 0)->status.stopped);
	assert_int_equal(error, mini_rxq_desc(&c->m, 0)->status.error);
	assert_int_equal(VMXNET3_ECR_RQERR, mini_shared(&c->m)->ecr & VMXNET3_ECR_RQERR);
	assert_int_equal(1, drops(c, VMXNET3_DROP_RX_BAD_DESC));
	send_split(c, 0, frame.data, frame.len, 1, NULL);
	assert_int_equal(1, carry(c, 0, c));
	assert_int_equal(1, drops(c, VMXNET3_DROP_RX_INACTIVE));
}

/* Overwrites posted receive descriptor @p i. */
static void
spoil(struct card *c, unsigned int ring, uint32_t i, uint32_t clear, uint32_t set)
{
	struct vmxnet3_desc *e = mini_entry(&c->m, &c->m.rxq[0].ring[ring], i);

	e->dw[2] = (e->dw[2] & ~clear) | set;
}

static void
bad_buffers_stop(void **state)
{
	static const struct {
		unsigned int ring;
		uint32_t clear, set, error;
	} cases[] = {
		{ 0, 0, VMXNET3_RXD_DTYPE, VMXNET3_ERR_DESC_NOT_SPT },
		{ 0, VMXNET3_RXD_LEN_MASK, 0, VMXNET3_ERR_SMALL_BUF },
		{ 0, VMXNET3_RXD_LEN_MASK, 127, VMXNET3_ERR_SMALL_BUF },
		{ 1, VMXNET3_RXD_BODY, 0, VMXNET3_ERR_DESC_NOT_SPT },
		{ 1, 0, VMXNET3_RXD_DTYPE, VMXNET3_ERR_DESC_NOT_SPT },
		{ 1, VMXNET3_RXD_LEN_MASK, 0, VMXNET3_ERR_SMALL_BUF },
	};
	struct mini_conf conf = mini_conf_default(3);
	struct card c;
	size_t i;

	(void)state;
	conf.head_len = 128;
	for (i = 0; i < RTE_DIM(cases); i++) {
		card_open(&c, &conf, NULL);
		spoil(&c, cases[i].ring, 0, cases[i].clear, cases[i].set);
		expect_rx_stopped(&c, cases[i].error);
		expect_alive(&c, true);
		card_close(&c);
	}
}

/* A bad buffer behind good ones: what was placed before it arrives. */
static void
frames_before_a_bad_buffer_arrive(void **state)
{
	struct mini_frame got;
	struct card c;
	int i;

	(void)state;
	usual(&c, 3);
	spoil(&c, 0, 3, 0, VMXNET3_RXD_DTYPE);
	make_frame(100);
	for (i = 0; i < 6; i++)
		send_split(&c, 0, frame.data, frame.len, 2, NULL);
	assert_int_equal(6, carry(&c, 0, &c));
	for (i = 0; i < 3; i++) {
		expect_frame(&c, 0, &got);
		expect_bytes(&got, frame.data, frame.len);
	}
	expect_silence(&c, 0);
	assert_int_equal(1, drops(&c, VMXNET3_DROP_RX_BAD_DESC));
	assert_int_equal(2, drops(&c, VMXNET3_DROP_RX_INACTIVE));
	expect_alive(&c, true);
	card_close(&c);
}

static void
wild_buffers_take_nothing(void **state)
{
	static const uint64_t wild[] = { 0, MINI_MEM_IOVA - 70, UINT64_MAX - 10, 1ull << 48 };
	struct vmxnet3_desc *e;
	struct mini_frame got;
	struct card c;
	uint64_t saved;
	size_t i;

	(void)state;
	usual(&c, 3);
	make_frame(200);
	e = mini_entry(&c.m, &c.m.rxq[0].ring[0], 0);
	saved = (uint64_t)e->dw[1] << 32 | e->dw[0];
	for (i = 0; i < RTE_DIM(wild); i++) {
		e->dw[0] = (uint32_t)wild[i];
		e->dw[1] = (uint32_t)(wild[i] >> 32);
		send_split(&c, 0, frame.data, frame.len, 2, NULL);
		assert_int_equal(1, carry(&c, 0, &c));
		expect_reaped(&c, 0, 1);
		expect_silence(&c, 0);
		assert_int_equal(i + 1, drops(&c, VMXNET3_DROP_RX_BAD_ADDRESS));
	}
	e->dw[0] = (uint32_t)saved;
	e->dw[1] = (uint32_t)(saved >> 32);
	send_split(&c, 0, frame.data, frame.len, 2, NULL);
	assert_int_equal(1, carry(&c, 0, &c));
	expect_frame(&c, 0, &got);
	expect_bytes(&got, frame.data, frame.len);
	card_close(&c);
}

/* Memory that the device may only read, or only write. */
static void
access_rights_count(void **state)
{
	const uint64_t ro = 0x10000, wo = 0x20000;
	struct vmxnet3_desc *e, d;
	struct mini_frame got;
	struct card c;

	(void)state;
	usual(&c, 3);
	assert_int_equal(0, vfu_dma_map(c.mem.dma, ro, 0x1000, VFU_DMA_READ, c.mem.fd, 0));
	assert_int_equal(0, vfu_dma_map(c.mem.dma, wo, 0x1000, VFU_DMA_WRITE, c.mem.fd, 0));
	vmxnet3_dev_dma_changed(c.dev);
	d = mini_tx_desc(wo, 100, true);
	assert_int_equal(0, mini_post(&c.m, 0, &d, 1));
	assert_int_equal(0, carry(&c, 0, &c));
	assert_int_equal(1, drops(&c, VMXNET3_DROP_TX_BAD_ADDRESS));
	e = mini_entry(&c.m, &c.m.rxq[0].ring[0], 0);
	e->dw[0] = ro;
	e->dw[1] = 0;
	make_frame(200);
	send_split(&c, 0, frame.data, frame.len, 2, NULL);
	assert_int_equal(1, carry(&c, 0, &c));
	assert_int_equal(1, drops(&c, VMXNET3_DROP_RX_BAD_ADDRESS));
	expect_silence(&c, 0);
	e->dw[0] = c.m.rxq[0].ring[0].shadow[0].dw[0];
	e->dw[1] = c.m.rxq[0].ring[0].shadow[0].dw[1];
	send_split(&c, 0, frame.data, frame.len, 2, NULL);
	assert_int_equal(1, carry(&c, 0, &c));
	expect_frame(&c, 0, &got);
	expect_bytes(&got, frame.data, frame.len);
	card_close(&c);
}

/* A data ring outside memory: small frames are lost, others not. */
static void
wild_data_ring(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	struct mini_frame got;
	struct card c;

	(void)state;
	conf.rx_data_size = 128;
	card_open(&c, &conf, NULL);
	mini_prepare(&c.m);
	mini_rxq_desc(&c.m, 0)->data_ring_pa = UINT64_MAX - 128;
	assert_int_equal(0, mini_start(&c.m));
	make_frame(200);
	send_split(&c, 0, frame.data, 128, 2, NULL);
	send_split(&c, 0, frame.data, 129, 2, NULL);
	assert_int_equal(2, carry(&c, 0, &c));
	assert_int_equal(1, drops(&c, VMXNET3_DROP_RX_BAD_ADDRESS));
	expect_frame(&c, 0, &got);
	expect_bytes(&got, frame.data, 129);
	expect_silence(&c, 0);
	card_close(&c);
}

/* Requests that ports other than guests hand over. */
static void
nonsense_requests_from_outside(void **state)
{
	static const struct offload_frame bad[] = {
		{ .request = OFFLOAD_CSUM, .csum_start = 34, .csum_field = 600 },
		{ .request = OFFLOAD_CSUM, .csum_start = 34, .csum_field = 30 },
		{ .request = OFFLOAD_TSO, .hdr_len = 54, .mss = 0 },
		{ .request = OFFLOAD_TSO, .hdr_len = 53, .mss = 100 },
		{ .request = OFFLOAD_TSO, .hdr_len = 54, .mss = 100, .flags = OFFLOAD_F_INNER },
	};
	struct mini_conf conf = mini_conf_default(7);
	struct offload_frame *list[1];
	struct split s;
	struct card c;
	size_t i;

	(void)state;
	conf.features |= VMXNET3_F_LRO;
	card_open(&c, &conf, NULL);
	make_frame(500);
	for (i = 0; i < RTE_DIM(bad); i++) {
		split_begin(&s);
		s.f.request = bad[i].request;
		s.f.flags = bad[i].flags;
		s.f.csum_start = bad[i].csum_start;
		s.f.csum_field = bad[i].csum_field;
		s.f.hdr_len = bad[i].hdr_len;
		s.f.mss = bad[i].mss;
		split_add(&s, frame.data, frame.len);
		list[0] = &s.f;
		assert_int_equal(0, vmxnet3_dev_deliver(c.dev, list, 1));
		assert_int_equal(i + 1, drops(&c, VMXNET3_DROP_RX_BAD_OFFLOAD));
		split_free(&s);
	}
	assert_int_equal(0, vmxnet3_dev_deliver(c.dev, list, 0));
	expect_silence(&c, 0);
	expect_alive(&c, false);
	card_close(&c);
}

/* Ring 0 full of BODYs, however often: bounded work per frame, nothing delivered. */
static void
bodies_without_head(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	struct mini_ring *r;
	struct card c;
	uint32_t i, k;

	(void)state;
	conf.rx_size[0] = 4096;
	card_open(&c, &conf, NULL);
	r = &c.m.rxq[0].ring[0];
	make_frame(200);
	for (i = 0; i < 300; i++) {
		for (k = 0; k < r->size; k++)
			mini_entry(&c.m, r, k)->dw[2] = 100 | VMXNET3_RXD_BODY |
				(i + 1u) % 2 << VMXNET3_RXD_GEN_SHIFT;
		send_split(&c, 0, frame.data, frame.len, 1, NULL);
		assert_int_equal(1, carry(&c, 0, &c));
		expect_reaped(&c, 0, 1);
	}
	assert_int_equal(300, drops(&c, VMXNET3_DROP_RX_NO_BUFFER));
	expect_alive(&c, true);
	card_close(&c);
}

/* Too few buffers for a frame consume none; as soon as there are enough, the next frame uses them. */
static void
exhaustion_consumes_nothing(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	struct mini_frame got;
	struct card c;

	(void)state;
	conf.empty = true;
	conf.mtu = 9000;
	conf.head_len = 2000;
	conf.body_len = 1000;
	card_open(&c, &conf, NULL);
	make_frame(4900);
	send_split(&c, 0, frame.data, frame.len, 5, NULL);
	assert_int_equal(1, carry(&c, 0, &c));
	expect_silence(&c, 0);
	mini_refill_ring(&c.m, 0, 0, 2);
	mini_refill_ring(&c.m, 0, 1, 2);
	send_split(&c, 0, frame.data, frame.len, 5, NULL);
	assert_int_equal(1, carry(&c, 0, &c));
	expect_silence(&c, 0);
	assert_int_equal(2, drops(&c, VMXNET3_DROP_RX_NO_BUFFER));
	mini_cmd(&c.m, VMXNET3_CMD_GET_STATS);
	assert_int_equal(2, mini_rxq_desc(&c.m, 0)->stats.out_of_buf_pkts);
	/* A short one fits. */
	send_split(&c, 0, frame.data, 1900, 5, NULL);
	assert_int_equal(1, carry(&c, 0, &c));
	expect_frame(&c, 0, &got);
	expect_bytes(&got, frame.data, 1900);
	mini_refill_ring(&c.m, 0, 1, 1);
	send_split(&c, 0, frame.data, frame.len, 5, NULL);
	assert_int_equal(1, carry(&c, 0, &c));
	expect_frame(&c, 0, &got);
	expect_bytes(&got, frame.data, frame.len);
	assert_int_equal(4, got.nb_bufs);
	expect_silence(&c, 0);
	card_close(&c);
}

/* Of a large frame that is cut, as many pieces arrive as there are buffers. */
static void
buffers_end_within_a_cut(void **state)
{
	struct mini_offload o = { .om = VMXNET3_OM_TSO, .hlen = 54, .msscof = 100 };
	struct mini_conf conf = mini_conf_default(3);
	struct mini_frame got;
	struct card c;
	int i;

	(void)state;
	conf.empty = true;
	card_open(&c, &conf, NULL);
	mini_refill_ring(&c.m, 0, 0, 70);
	make_frame(10000);
	send_split(&c, 0, frame.data, frame.len, 5, &o);
	assert_int_equal(1, carry(&c, 0, &c));
	for (i = 0; i < 70; i++) {
		expect_frame(&c, 0, &got);
		assert_int_equal(154, got.len);
		assert_memory_equal(frame.data + 54 + i * 100, got.data + 54, 100);
	}
	expect_silence(&c, 0);
	assert_int_equal(30, drops(&c, VMXNET3_DROP_RX_NO_BUFFER));
	card_close(&c);
}

/* maxNumRxSG, and the limit of 18 buffers that holds for everybody. */
static void
chains_are_limited(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	struct mini_frame got;
	struct card c;
	uint32_t sg;

	(void)state;
	conf.mtu = 9000;
	conf.head_len = 200;
	conf.body_len = 100;
	conf.tx_size = conf.tx_comp_size = 512;
	for (sg = 0; sg <= 25; sg += 5) {
		uint32_t max = sg == 0 || sg > 18 ? 18 : sg, len = 200 + (max - 1) * 100;

		conf.max_sg = sg;
		card_open(&c, &conf, NULL);
		make_frame(3000);
		send_split(&c, 0, frame.data, len, 5, NULL);
		send_split(&c, 0, frame.data, len + 1, 5, NULL);
		assert_int_equal(2, carry(&c, 0, &c));
		expect_frame(&c, 0, &got);
		expect_bytes(&got, frame.data, len);
		assert_int_equal(max, got.nb_bufs);
		expect_silence(&c, 0);
		assert_int_equal(1, drops(&c, VMXNET3_DROP_RX_NO_BUFFER));
		card_close(&c);
	}
}

/* Completion rings of one entry: the driver hurts itself alone. */
static void
tiny_completion_rings(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	struct card c;
	int i;

	(void)state;
	conf.tx_comp_size = 1;
	conf.rx_comp_size = 1;
	card_open(&c, &conf, NULL);
	make_frame(100);
	for (i = 0; i < 100; i++)
		send_split(&c, 0, frame.data, frame.len, 2, NULL);
	assert_int_equal(64, carry(&c, 0, &c));
	card_close(&c);
}

/* Frames that come from elsewhere, of any length: never beyond their end, never to the driver too short. */
static void
short_frames_from_outside(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	struct offload_frame *list[1];
	struct mini_frame got;
	struct split s;
	struct card c;
	uint32_t len, tags, strip;

	(void)state;
	conf.rx_mode |= VMXNET3_RXM_PROMISC;
	card_open(&c, &conf, NULL);
	for (strip = 0; strip < 2; strip++) {
		c.m.conf.features = strip ? VMXNET3_F_RXVLAN : 0;
		mini_shared(&c.m)->misc.upt_features = c.m.conf.features;
		mini_cmd(&c.m, VMXNET3_CMD_UPDATE_FEATURE);
		for (tags = 0; tags < 7; tags++) {
			struct shape shape = { .proto = 17, .payload = 80, .tags = tags };

			build(&frame, &shape);
			for (len = 1; len < 90; len++) {
				split_begin(&s);
				split_add(&s, frame.data, len);
				list[0] = &s.f;
				vmxnet3_dev_deliver(c.dev, list, 1);
				if (len >= 14) {
					expect_frame(&c, 0, &got);
					assert_true(got.len >= 60);
				}
				expect_silence(&c, 0);
				split_free(&s);
				mini_refill(&c.m, 0, UINT32_MAX);
			}
		}
	}
	assert_int_equal(2 * 7 * 13, drops(&c, VMXNET3_DROP_RX_RUNT));
	card_close(&c);
}

/* Any bits, but so that most entries are valid and many make sense. */
static void
noise(struct vmxnet3_desc *e, bool tx, uint64_t pa)
{
	uint32_t gen = tx ? 1u << VMXNET3_TXD_GEN_SHIFT : 1u << VMXNET3_RXD_GEN_SHIFT;
	uint32_t dtype = tx ? VMXNET3_TXD_DTYPE : VMXNET3_RXD_DTYPE;

	e->dw[0] = (uint32_t)(rnd(50) ? pa : rnd(UINT32_MAX));
	e->dw[1] = (uint32_t)(pa >> 32);
	e->dw[2] = (rnd(UINT32_MAX) | (rnd(1000) ? gen : 0)) & ~(rnd(1000) ? dtype : 0);
	e->dw[3] = rnd(UINT32_MAX) | (rnd(3) ? VMXNET3_TXD_EOP : 0);
	if (tx && rnd(3))
		e->dw[3] &= ~(VMXNET3_TXD_OM_MASK << VMXNET3_TXD_OM_SHIFT);
}

/* Rings full of noise, polled and delivered to: whatever happens stays inside. */
static void
noise_in_the_rings(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	struct vmxnet3_dev_stats stats;
	uint32_t round, k, i;
	struct card c;

	(void)state;
	conf.features |= VMXNET3_F_LRO | VMXNET3_F_RXVLAN;
	conf.rx_mode |= VMXNET3_RXM_PROMISC;
	conf.rx_data_size = 128;
	conf.mtu = 9000;
	conf.fast = true;
	card_open(&c, &conf, NULL);
	for (round = 0; round < 3000; round++) {
		struct mini_ring *rings[] = { &c.m.txq[0].ring, &c.m.rxq[0].ring[0],
			&c.m.rxq[0].ring[1] };

		for (k = 0; k < 3; k++) {
			for (i = 0; i < rings[k]->size; i++)
				noise(mini_entry(&c.m, rings[k], i), k == 0,
					MINI_MEM_IOVA + rnd((uint32_t)c.mem.size));
		}
		for (i = 0; i < 4; i++) {
			carry(&c, 0, &c);
			c.now += 20 * MS;
		}
		/* Noise may have hit the shared areas, too. */
		if (round % 3 == 2 && mini_activate(&c.m) != 0)
			fail_msg("%s", c.m.error);
	}
	/* Some of it made sense. */
	vmxnet3_dev_stats_get(c.dev, &stats);
	assert_true(stats.tx_frames > 1000 && stats.rx_frames > 1000);
	expect_alive(&c, true);
	card_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_frames_from_outside),
		cmocka_unit_test(bad_buffers_stop),
		cmocka_unit_test(frames_before_a_bad_buffer_arrive),
		cmocka_unit_test(wild_buffers_take_nothing),
		cmocka_unit_test(access_rights_count),
		cmocka_unit_test(wild_data_ring),
		cmocka_unit_test(nonsense_requests_from_outside),
		cmocka_unit_test(bodies_without_head),
		cmocka_unit_test(exhaustion_consumes_nothing),
		cmocka_unit_test(buffers_end_within_a_cut),
		cmocka_unit_test(chains_are_limited),
		cmocka_unit_test(tiny_completion_rings),
		cmocka_unit_test(noise_in_the_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
