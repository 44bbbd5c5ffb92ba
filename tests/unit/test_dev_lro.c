/* SPDX-License-Identifier: BSD-3-Clause */
/* Small frames for a driver that takes large ones, as an uplink gives them, and from another guest. */
#include <rte_common.h>

#include "card.h"

#define PAYLOAD 1448
#define ACK     0x10
#define PSH     0x08

static struct split split[64];
static struct offload_frame *list[64];
static uint32_t nb;
static struct built built, large;

static struct shape
bulk(bool ipv6)
{
	return (struct shape){ .ipv6 = ipv6, .proto = 6, .tcp_options = 12, .payload = PAYLOAD, .tcp_flags = ACK,
		.seq = 0xffffff00, .ip_id = 5 };
}

static void
clear(void)
{
	while (nb > 0)
		split_free(&split[--nb]);
}

/* Frame @p i of a flow, which is its port; the payload is that of @c large. */
static void
make(const struct shape *shape, uint32_t i, uint16_t port)
{
	struct shape s = *shape;

	s.seq += i * PAYLOAD;
	s.ip_id = (uint16_t)(s.ip_id + i);
	build(&built, &s);
	put16(built.data + l4_at(&built), port);
	memcpy(built.data + built.len - s.payload, large.data + l4_at(&built) + built.l4 + i * PAYLOAD, s.payload);
	put_csum(&built);
}

static void
add(void)
{
	split_random(&split[nb], built.data, built.len, OFFLOAD_HEADER_BYTES, 1 + nb % 3);
	list[nb] = &split[nb].f;
	nb++;
}

/* What @p n frames of the flow are together. */
static void
make_large(const struct shape *shape, uint32_t n)
{
	struct shape s = *shape;

	s.payload = n * PAYLOAD;
	build(&large, &s);
	put16(large.data + field_at(&large), plain_pseudo(large.data, large.l2, s.ipv6, 6, 0));
}

/* @p n frames of each of @p flows flows, in turn. */
static void
make_burst(const struct shape *s, uint32_t flows, uint32_t n)
{
	uint32_t i;

	make_large(s, n);
	for (i = 0; i < flows * n; i++) {
		make(s, i / flows, (uint16_t)(0xc001 + i % flows));
		add();
	}
}

static struct mini_conf
taker(uint32_t revision)
{
	struct mini_conf conf = roomy(revision);

	conf.features = VMXNET3_F_RXCSUM | VMXNET3_F_LRO;
	conf.max_sg = 18;
	conf.head_len = 2048;
	conf.body_len = 4096;
	return conf;
}

static void
expect_whole(struct card *b, uint32_t segs, uint16_t port)
{
	struct mini_frame got;

	put16(large.data + l4_at(&large), port);
	expect_frame(b, 0, &got);
	/* The sum is the sender's, of which a receiver of large frames takes no notice. */
	memcpy(large.data + field_at(&large), got.data + field_at(&large), 2);
	expect_bytes(&got, large.data, large.len);
	assert_int_equal(segs, got.segs);
	assert_int_equal(PAYLOAD, got.mss);
	assert_true(got.tcp && got.tuc && !got.cnc);
	assert_true(got.v6 == large.ipv6 && got.v4 != large.ipv6);
}

static void
expect_each(struct card *b, const struct shape *s, uint32_t from, uint32_t to)
{
	struct mini_frame got;
	uint32_t i;

	for (i = from; i < to; i++) {
		make(s, i, 0xc001);
		expect_frame(b, 0, &got);
		expect_bytes(&got, built.data, built.len);
		assert_true(got.segs == 0 && got.tuc && !got.cnc);
	}
	expect_silence(b, 0);
}

static void
mtu_frames_become_large(void **state)
{
	static const uint32_t revisions[] = { 2, 3, 4, 7, 9 };
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(revisions); i++) {
		struct mini_conf conf = taker(revisions[i]);
		struct shape s = bulk(i & 1);
		struct card b;

		card_open(&b, &conf, NULL);
		make_burst(&s, 1, 20);
		assert_int_equal(20, vmxnet3_dev_deliver(b.dev, list, 20));
		expect_whole(&b, 20, 0xc001);
		expect_silence(&b, 0);
		clear();
		/* Four flows in turn */
		make_burst(&s, 4, 12);
		assert_int_equal(48, vmxnet3_dev_deliver(b.dev, list, 48));
		for (uint16_t k = 0; k < 4; k++)
			expect_whole(&b, 12, 0xc001 + k);
		expect_silence(&b, 0);
		clear();
		card_close(&b);
	}
}

/* Without LRO, without checksums, and at revision 1, which cannot tell, they are what they were. */
static void
others_get_them_as_they_are(void **state)
{
	static const struct {
		uint32_t revision, features;
	} without[] = {
		{ 7, VMXNET3_F_RXCSUM },
		{ 2, VMXNET3_F_RXCSUM },
		{ 1, VMXNET3_F_RXCSUM | VMXNET3_F_LRO },
	};
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(without); i++) {
		struct mini_conf conf = taker(without[i].revision);
		struct shape s = bulk(i & 1);
		struct card b;

		conf.features = without[i].features;
		card_open(&b, &conf, NULL);
		make_burst(&s, 1, 20);
		assert_int_equal(20, vmxnet3_dev_deliver(b.dev, list, 20));
		expect_each(&b, &s, 0, 20);
		clear();
		card_close(&b);
	}
}

/* From another guest, which leaves the checksums to do. */
static void
from_a_guest(void **state)
{
	struct mini_conf ca = roomy(7), cb = taker(7);
	struct mini_offload o = { .om = VMXNET3_OM_CSUM };
	struct shape s = bulk(true);
	struct card a, b;
	uint32_t i;

	(void)state;
	card_open(&a, &ca, NULL);
	card_open(&b, &cb, NULL);
	make_large(&s, 15);
	for (i = 0; i < 15; i++) {
		make(&s, i, 0xc001);
		put_seed(&built);
		o.hlen = l4_at(&built);
		o.msscof = field_at(&built);
		send_split(&a, 0, built.data, built.len, 2, &o);
	}
	assert_int_equal(15, carry(&a, 0, &b));
	expect_reaped(&a, 0, 15);
	expect_whole(&b, 15, 0xc001);
	expect_silence(&b, 0);
	card_close(&a);
	card_close(&b);
}

/* A PSH ends a large frame; what cannot be joined comes between in its place; a wrong checksum is told. */
static void
order_is_kept(void **state)
{
	struct mini_conf conf = taker(7);
	struct shape s = bulk(false);
	struct mini_frame got;
	struct card b;
	uint32_t i;

	(void)state;
	card_open(&b, &conf, NULL);
	make_large(&s, 9);
	for (i = 0; i < 9; i++) {
		struct shape one = s;

		one.tcp_flags |= i == 3 ? PSH : 0;
		make(&one, i, 0xc001);
		if (i == 6)
			built.data[built.len - 1] ^= 1;
		add();
	}
	assert_int_equal(9, vmxnet3_dev_deliver(b.dev, list, 9));
	expect_frame(&b, 0, &got);
	assert_true(got.segs == 4 && got.data[14 + 20 + 13] == (ACK | PSH));
	assert_memory_equal(got.data + 66, large.data + 66, 4 * PAYLOAD);
	expect_frame(&b, 0, &got);
	assert_true(got.segs == 2 && got.data[14 + 20 + 13] == ACK);
	assert_memory_equal(got.data + 66, large.data + 66 + 4 * PAYLOAD, 2 * PAYLOAD);
	expect_frame(&b, 0, &got);
	assert_true(got.segs == 0 && !got.tuc);
	expect_frame(&b, 0, &got);
	assert_true(got.segs == 2);
	assert_memory_equal(got.data + 66, large.data + 66 + 7 * PAYLOAD, 2 * PAYLOAD);
	expect_silence(&b, 0);
	clear();
	card_close(&b);
}

/* Frames are counted before they are joined, and large frames after. */
static void
counters(void **state)
{
	struct mini_conf conf = taker(7);
	struct shape s = bulk(false);
	const struct vmxnet3_rx_stats *r;
	struct card b;

	(void)state;
	card_open(&b, &conf, NULL);
	make_burst(&s, 1, 20);
	assert_int_equal(20, vmxnet3_dev_deliver(b.dev, list, 20));
	mini_cmd(&b.m, VMXNET3_CMD_GET_STATS);
	r = &mini_rxq_desc(&b.m, 0)->stats;
	assert_int_equal(1, r->lro_pkts);
	assert_int_equal(large.len, r->lro_bytes);
	assert_int_equal(20, r->ucast_pkts);
	assert_int_equal(20 * (66 + PAYLOAD), r->ucast_bytes);
	assert_int_equal(0, r->out_of_buf_pkts);
	clear();
	card_close(&b);
}

/* What does not fit is lost one by one, joined or not, and as much as fits arrives. */
static void
losses(void **state)
{
	struct mini_conf conf = taker(7);
	const struct vmxnet3_rx_stats *r;
	struct shape s = bulk(false);
	struct card b;

	(void)state;
	conf.empty = true;
	card_open(&b, &conf, NULL);
	r = &mini_rxq_desc(&b.m, 0)->stats;
	make_burst(&s, 1, 20);
	assert_int_equal(0, vmxnet3_dev_deliver(b.dev, list, 20));
	assert_int_equal(20, drops(&b, VMXNET3_DROP_RX_NO_BUFFER));
	mini_cmd(&b.m, VMXNET3_CMD_GET_STATS);
	assert_int_equal(20, r->out_of_buf_pkts);

	mini_refill_ring(&b.m, 0, 0, 6);
	assert_int_equal(6, vmxnet3_dev_deliver(b.dev, list, 20));
	expect_each(&b, &s, 0, 6);
	assert_int_equal(34, drops(&b, VMXNET3_DROP_RX_NO_BUFFER));
	mini_cmd(&b.m, VMXNET3_CMD_GET_STATS);
	assert_int_equal(34, r->out_of_buf_pkts);
	assert_int_equal(6, r->ucast_pkts);
	assert_int_equal(0, r->lro_pkts);
	clear();
	card_close(&b);
}

/* What the driver does not want is counted by itself, and the rest joined around it. */
static void
unwanted_frames(void **state)
{
	struct mini_conf conf = taker(7);
	struct shape s = bulk(false);
	struct card b;
	uint32_t i;

	(void)state;
	card_open(&b, &conf, NULL);
	make_burst(&s, 1, 10);
	for (i = 0; i < 10; i++)
		split[i].seg[0].data[5] ^= 0x40;
	assert_int_equal(0, vmxnet3_dev_deliver(b.dev, list, 10));
	assert_int_equal(10, drops(&b, VMXNET3_DROP_RX_NOT_MINE));
	clear();
	make_burst(&s, 1, 10);
	split[4].seg[0].data[5] ^= 0x40;
	assert_int_equal(9, vmxnet3_dev_deliver(b.dev, list, 10));
	assert_int_equal(11, drops(&b, VMXNET3_DROP_RX_NOT_MINE));
	for (i = 0; i < 2; i++) {
		struct mini_frame got;

		expect_frame(&b, 0, &got);
		assert_int_equal(i == 0 ? 4 : 5, got.segs);
	}
	expect_silence(&b, 0);
	clear();
	card_close(&b);
}

/* Tags: stripped into the completion, for a driver that strips. */
static void
tagged_frames(void **state)
{
	struct mini_conf conf = taker(7);
	struct shape s = bulk(false);
	struct mini_frame got;
	uint32_t i, k;

	(void)state;
	for (k = 0; k < 2; k++) {
		struct card b;

		conf.features = VMXNET3_F_RXCSUM | VMXNET3_F_LRO | (k ? VMXNET3_F_RXVLAN : 0);
		card_open(&b, &conf, NULL);
		make_burst(&s, 1, 10);
		for (i = 0; i < 10; i++) {
			list[i]->flags |= OFFLOAD_F_VLAN;
			list[i]->vlan_tci = 0xa064;
		}
		assert_int_equal(10, vmxnet3_dev_deliver(b.dev, list, 10));
		expect_frame(&b, 0, &got);
		assert_int_equal(10, got.segs);
		assert_int_equal(large.len + (k ? 0 : 4), got.len);
		if (k)
			assert_true(got.tagged && got.tci == 0xa064);
		else
			assert_int_equal(get32(got.data + 12), 0x8100a064);
		expect_silence(&b, 0);
		clear();
		card_close(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mtu_frames_become_large),
		cmocka_unit_test(others_get_them_as_they_are),
		cmocka_unit_test(from_a_guest),
		cmocka_unit_test(order_is_kept),
		cmocka_unit_test(counters),
		cmocka_unit_test(losses),
		cmocka_unit_test(unwanted_frames),
		cmocka_unit_test(tagged_frames),
	};

	return cmocka_run_group_tests_name("dev_lro", tests, NULL, NULL);
}
