/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a broken or hostile driver does to its rings. It may lose its own queue or its own frames; nothing
 * else may happen, and a new activation makes all well.
 */
#include <rte_common.h>

#include <vmxnet3_rev.h>

#include "card.h"

#define MS 1000000ull

static struct built frame;

static void
make_frame(uint32_t payload)
{
	struct shape s = { .proto = 6, .payload = payload };

	build(&frame, &s);
}

/* The device still does its work, if need be after a new activation. */
static void
expect_alive(struct card *c, bool reactivate)
{
	struct mini_frame got;

	if (reactivate && mini_activate(&c->m) != 0)
		fail_msg("%s", c->m.error);
	make_frame(300);
	send_split(c, 0, frame.data, frame.len, 3, NULL);
	assert_int_equal(1, carry(c, 0, c));
	expect_reaped(c, 0, 1);
	expect_frame(c, 0, &got);
	expect_bytes(&got, frame.data, frame.len);
	expect_silence(c, 0);
}

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

static void
usual(struct card *c, uint32_t revision)
{
	struct mini_conf conf = mini_conf_default(revision);

	card_open(c, &conf, NULL);
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
	/* A sane request, but for a frame that ends before its headers do. */
	dropped(&c, 40, &o, VMXNET3_DROP_TX_BAD_OFFLOAD);
	/* One byte in each of so many pieces. */
	make_frame(20000);
	dropped(&c, frame.len, &o, VMXNET3_DROP_TX_BAD_OFFLOAD);
	mini_cmd(&c.m, VMXNET3_CMD_GET_STATS);
	assert_int_equal(2 * RTE_DIM(bad) + 2, mini_txq_desc(&c.m, 0)->stats.error_pkts);
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

/* ---- receive ---- */

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

/* Rings full of noise, polled and delivered to: whatever happens stays inside. */
static void
noise_in_the_rings(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	struct offload_frame *frames, *list[64];
	uint32_t round, k, i, n;
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
			for (i = 0; i < rings[k]->size; i++) {
				struct vmxnet3_desc *e = mini_entry(&c.m, rings[k], i);
				uint64_t pa = MINI_MEM_IOVA + rnd((uint32_t)c.mem.size);

				e->dw[0] = (uint32_t)(rnd(50) ? pa : rnd(UINT32_MAX));
				e->dw[1] = (uint32_t)(pa >> 32);
				e->dw[2] = rnd(UINT32_MAX) & ~(rnd(100) ? 1u << (16 - k % 2) : 0);
				e->dw[3] = rnd(UINT32_MAX) | (rnd(3) ? VMXNET3_TXD_EOP : 0);
			}
		}
		for (i = 0; i < 4; i++) {
			n = vmxnet3_dev_tx_begin(c.dev, 0, c.burst, 64, &frames);
			for (k = 0; k < n; k++)
				list[k] = &frames[k];
			if (n > 0) {
				vmxnet3_dev_deliver(c.dev, list, (uint16_t)n);
				vmxnet3_dev_tx_end(c.dev, 0, c.burst);
			}
			c.now += 20 * MS;
		}
		/* Noise may have hit the shared areas, too. */
		if (round % 3 == 2 && mini_activate(&c.m) != 0)
			fail_msg("%s", c.m.error);
	}
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
		cmocka_unit_test(short_frames_from_outside),
		cmocka_unit_test(wild_addresses_are_dropped),
		cmocka_unit_test(too_many_descriptors_stop),
		cmocka_unit_test(unknown_descriptor_type_stops),
		cmocka_unit_test(frame_without_end_stops),
		cmocka_unit_test(endless_ring_stops),
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
