/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from one guest to another through two devices: every byte, every revision, every layout. */
#include <rte_common.h>

#include "card.h"

static const uint32_t revisions[] = { 1, 2, 3, 7 };

/* As drivers lay out their receive rings. */
static const struct layout {
	uint32_t size[2], head, body, group, mtu, data;
} layouts[] = {
	{ { 64, 0 }, 1522, 0, 0, 1500, 0 },        /* one buffer per frame, no second ring */
	{ { 64, 64 }, 2048, 2048, 0, 9000, 0 },    /* two rings alike */
	{ { 63, 64 }, 3072, 4096, 2, 9000, 0 },    /* groups in ring 0 */
	{ { 64, 128 }, 3072, 4096, 0, 9000, 128 }, /* with data ring */
	{ { 64, 32 }, 16381, 16381, 0, 9000, 0 },
	{ { 128, 512 }, 128, 601, 0, 9000, 2048 }, /* as small as it gets */
	{ { 96, 256 }, 700, 900, 5, 9000, 64 },    /* groups too small, the rest in ring 1 */
};

static void
set_layout(struct mini_conf *conf, const struct layout *l)
{
	conf->rx_size[0] = l->size[0];
	conf->rx_size[1] = l->size[1];
	conf->rx_comp_size = l->size[0] + l->size[1];
	conf->head_len = l->head;
	conf->body_len = l->body;
	conf->group = l->group;
	conf->mtu = l->mtu;
	conf->rx_data_size = conf->revision >= 3 ? l->data : 0;
}

static void
random_frame(struct built *b, uint32_t len)
{
	const uint8_t mac[6] = CARD_MAC;
	uint32_t i;

	for (i = 0; i < len; i++)
		b->data[i] = (uint8_t)rnd(256);
	memcpy(b->data, mac, sizeof(mac));
	put16(b->data + 12, 0x88b5);
	b->len = len;
}

/* One frame, in pieces, there and back to both drivers' books. */
static void
pass(struct card *a, struct card *b, const struct built *f, struct mini_frame *got)
{
	send_split(a, 0, f->data, f->len, 1 + rnd(rnd(4) ? 5 : 60), NULL);
	assert_int_equal(1, carry(a, 0, b));
	expect_reaped(a, 0, 1);
	expect_frame(b, 0, got);
	expect_bytes(got, f->data, f->len);
	mini_refill(&b->m, 0, UINT32_MAX);
}

static void
lengths(uint32_t revision, const struct layout *l, bool scattered)
{
	const struct card_opts opts = { .scattered = scattered, .memory = 12u << 20 };
	struct mini_conf ca = mini_conf_default(revision), cb = ca;
	uint32_t len, top = l->mtu + 14, max = (l->size[1] || l->group ? 18 : 1);
	static struct built f;
	struct mini_frame got;
	struct card a, b;

	ca.tx_size = ca.tx_comp_size = 96;
	set_layout(&cb, l);
	card_open(&a, &ca, &opts);
	card_open(&b, &cb, &opts);
	for (len = 14; len <= top; len += len < 300 || len > top - 40 ? 1 : 1 + rnd(97)) {
		random_frame(&f, len);
		if (len > l->head + (max - 1) * (uint64_t)l->body)
			break;
		pass(&a, &b, &f, &got);
		assert_int_equal(got.in_data_ring, RTE_MAX(len, 60u) <= cb.rx_data_size);
		assert_true(got.cnc && got.rss_type == 0);
	}
	random_frame(&f, top + 1);
	send_split(&a, 0, f.data, f.len, 3, NULL);
	assert_int_equal(1, carry(&a, 0, &b));
	expect_reaped(&a, 0, 1);
	expect_silence(&b, 0);
	assert_int_equal(1, drops(&b, VMXNET3_DROP_RX_TOO_LONG));
	card_close(&a);
	card_close(&b);
}

static void
every_length_arrives(void **state)
{
	size_t r, l;

	(void)state;
	for (r = 0; r < RTE_DIM(revisions); r++) {
		for (l = 0; l < RTE_DIM(layouts); l++) {
			lengths(revisions[r], &layouts[l], false);
			lengths(revisions[r], &layouts[l], true);
		}
	}
}

/* A descriptor with length 0 has 16 KiB; without offload such a frame is taken, though nobody gets it. */
static void
length_zero_is_16k(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	struct offload_frame *frames;
	static struct built f;
	static uint8_t got[FRAME_ROOM];
	struct card a;

	(void)state;
	card_open(&a, &conf, NULL);
	random_frame(&f, OFFLOAD_FRAME_MAX);
	assert_int_equal(0, mini_send(&a.m, 0, f.data, f.len, NULL, 0, NULL));
	assert_int_equal(0, mini_entry(&a.m, &a.m.txq[0].ring, 0)->dw[2] & VMXNET3_TXD_LEN_MASK);
	assert_int_equal(1, vmxnet3_dev_tx_begin(a.dev, 0, a.burst, 64, &frames));
	assert_int_equal(f.len, gather(&frames[0], got));
	assert_memory_equal(f.data, got, f.len);
	vmxnet3_dev_tx_end(a.dev, 0, a.burst);
	expect_reaped(&a, 0, 1);
	card_close(&a);
}

/* Bursts over small rings, many times round; some frames ask for no completion. */
static void
rings_wrap(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	const struct mini_offload quiet = { .no_cq = true };
	uint32_t round, i, n, wanted, reaped = 0, asked = 0;
	static struct built f[32];
	struct mini_frame got;
	struct card a, b;
	int ret;

	(void)state;
	conf.tx_size = 96;
	conf.tx_comp_size = 96;
	conf.rx_size[0] = 32;
	conf.rx_size[1] = 32;
	conf.rx_comp_size = 64;
	conf.head_len = 256;
	conf.body_len = 700;
	card_open(&a, &conf, NULL);
	card_open(&b, &conf, NULL);
	for (round = 0; round < 2000; round++) {
		n = 1 + rnd(10);
		for (i = 0, wanted = 0; i < n; i++) {
			bool cq = i + 1 == n || rnd(3) != 0;

			random_frame(&f[i], 14 + rnd(1500));
			send_split(&a, 0, f[i].data, f[i].len, 1 + rnd(8), cq ? NULL : &quiet);
			wanted += cq;
		}
		asked += wanted;
		assert_int_equal(1, vmxnet3_dev_tx_pending(a.dev, UINT64_MAX));
		assert_int_equal(n, carry(&a, 0, &b));
		assert_int_equal(0, vmxnet3_dev_tx_pending(a.dev, UINT64_MAX));
		ret = mini_reap(&a.m, 0);
		assert_int_equal(wanted, ret);
		reaped += (uint32_t)ret;
		for (i = 0; i < n; i++) {
			expect_frame(&b, 0, &got);
			expect_bytes(&got, f[i].data, f[i].len);
		}
		expect_silence(&b, 0);
		mini_refill(&b.m, 0, UINT32_MAX);
	}
	assert_int_equal(asked, reaped);
	card_close(&a);
	card_close(&b);
}

/* What is in the ring beyond a burst stays there. */
static void
burst_has_a_limit(void **state)
{
	struct mini_conf conf = mini_conf_default(1);
	struct offload_frame *frames;
	static struct built f;
	struct card a;
	uint32_t i;

	(void)state;
	card_open(&a, &conf, NULL);
	random_frame(&f, 100);
	for (i = 0; i < 200; i++)
		assert_int_equal(0, mini_send(&a.m, 0, f.data, 100, NULL, 0, NULL));
	assert_int_equal(0, vmxnet3_dev_tx_begin(a.dev, 0, a.burst, 0, &frames));
	assert_int_equal(5, vmxnet3_dev_tx_begin(a.dev, 0, a.burst, 5, &frames));
	expect_reaped(&a, 0, 0);
	vmxnet3_dev_tx_end(a.dev, 0, a.burst);
	expect_reaped(&a, 0, 5);
	assert_int_equal(64, vmxnet3_dev_tx_begin(a.dev, 0, a.burst, 1000, &frames));
	vmxnet3_dev_tx_end(a.dev, 0, a.burst);
	assert_int_equal(64, carry(&a, 0, NULL));
	assert_int_equal(64, carry(&a, 0, NULL));
	assert_int_equal(1, vmxnet3_dev_tx_pending(a.dev, 1));
	assert_int_equal(0, vmxnet3_dev_tx_pending(a.dev, 2));
	assert_int_equal(3, carry(&a, 0, NULL));
	assert_int_equal(0, carry(&a, 0, NULL));
	expect_reaped(&a, 0, 195);
	assert_int_equal(0, vmxnet3_dev_tx_begin(a.dev, 1, a.burst, 5, &frames));
	assert_int_equal(0, vmxnet3_dev_tx_begin(a.dev, 65535, a.burst, 5, &frames));
	card_close(&a);
}

/* Frames in so many pieces that the burst's pools run out: all arrive, over several bursts. */
static void
pools_run_out(void **state)
{
	const struct card_opts opts = { .scattered = true, .memory = 48u << 20 };
	struct mini_conf conf = mini_conf_default(7);
	uint32_t i, n, taken = 0, bursts = 0;
	static struct built f[40];
	struct mini_frame got;
	struct card a, b;

	(void)state;
	conf.tx_size = conf.tx_comp_size = 4096;
	conf.mtu = 9000;
	conf.head_len = 9018;
	card_open(&a, &conf, &opts);
	card_open(&b, &conf, &opts);
	for (i = 0; i < RTE_DIM(f); i++) {
		random_frame(&f[i], 5000 + rnd(4000));
		send_split(&a, 0, f[i].data, f[i].len, 60, NULL);
	}
	while ((n = carry(&a, 0, &b)) > 0) {
		bursts++;
		for (i = 0; i < n; i++) {
			expect_frame(&b, 0, &got);
			expect_bytes(&got, f[taken + i].data, f[taken + i].len);
		}
		taken += n;
	}
	assert_int_equal(RTE_DIM(f), taken);
	assert_true(bursts > 1);
	expect_reaped(&a, 0, RTE_DIM(f));
	card_close(&a);
	card_close(&b);
}

/* Long headers: a burst ends when its room for them does. Also: a checksum in an unknown protocol. */
static void
room_for_headers_runs_out(void **state)
{
	struct mini_offload o = { .om = VMXNET3_OM_CSUM, .hlen = 1000, .msscof = 1020 };
	struct mini_conf conf = mini_conf_default(2);
	static struct built f[64];
	uint32_t i, n, taken = 0;
	struct mini_frame got;
	struct card a;

	(void)state;
	card_open(&a, &conf, NULL);
	for (i = 0; i < RTE_DIM(f); i++) {
		random_frame(&f[i], 1023 + rnd(400));
		assert_int_equal(0, mini_send(&a.m, 0, f[i].data, f[i].len, NULL, 0, &o));
		put16(f[i].data + 1020, ~plain_sum(f[i].data + 1000, f[i].len - 1000, 0));
	}
	while ((n = carry(&a, 0, &a)) > 0) {
		assert_true(n < RTE_DIM(f));
		taken += n;
	}
	assert_int_equal(RTE_DIM(f), taken);
	for (i = 0; i < RTE_DIM(f); i++) {
		expect_frame(&a, 0, &got);
		expect_bytes(&got, f[i].data, f[i].len);
		assert_true(got.cnc);
	}
	card_close(&a);
}

static void
link_down_drops_both_ways(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	static struct built f;
	struct mini_frame got;
	struct card a, b;

	(void)state;
	card_open(&a, &conf, NULL);
	card_open(&b, &conf, NULL);
	random_frame(&f, 64);
	vmxnet3_dev_set_link(a.dev, false);
	send_split(&a, 0, f.data, f.len, 2, NULL);
	assert_int_equal(0, carry(&a, 0, &b));
	expect_reaped(&a, 0, 1);
	assert_int_equal(1, drops(&a, VMXNET3_DROP_TX_LINK_DOWN));
	vmxnet3_dev_set_link(a.dev, true);
	vmxnet3_dev_set_link(b.dev, false);
	send_split(&a, 0, f.data, f.len, 2, NULL);
	assert_int_equal(1, carry(&a, 0, &b));
	expect_reaped(&a, 0, 1);
	expect_silence(&b, 0);
	assert_int_equal(1, drops(&b, VMXNET3_DROP_RX_LINK_DOWN));
	vmxnet3_dev_set_link(b.dev, true);
	pass(&a, &b, &f, &got);
	card_close(&a);
	card_close(&b);
}

/* One interrupt for a burst, on the vector of the queue, in both directions. */
static void
bursts_interrupt_once(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	uint16_t msix = 0x8000;
	static struct built f;
	struct card a;
	uint32_t i;

	(void)state;
	conf.nb_tx = 2;
	card_open(&a, &conf, NULL);
	mini_write(&a.m, 0, VMXNET3_REG_IMR, 0);
	mini_write(&a.m, 0, VMXNET3_REG_IMR + VMXNET3_REG_STRIDE, 0);
	vmxnet3_dev_pci_write(a.dev, 0x9c + 2, &msix, sizeof(msix));
	random_frame(&f, 64);
	for (i = 0; i < 10; i++)
		send_split(&a, 1, f.data, f.len, 2, NULL);
	assert_int_equal(10, carry(&a, 1, &a));
	vmxnet3_dev_intr_poll(a.dev);
	assert_int_equal(1, a.raised[0]);
	/* Nothing was received on this vector: what was sent can wait a little. */
	assert_int_equal(0, a.raised[1]);
	a.now += 2000000;
	assert_int_equal(0, carry(&a, 1, &a));
	vmxnet3_dev_intr_poll(a.dev);
	assert_int_equal(1, a.raised[0]);
	assert_int_equal(1, a.raised[1]);
	card_close(&a);
}

static void
filters_choose(void **state)
{
	static const struct {
		uint32_t mode;
		uint8_t first;
		bool wanted;
	} cases[] = {
		{ VMXNET3_RXM_UCAST, 0x02, true }, { VMXNET3_RXM_UCAST, 0x06, false },
		{ VMXNET3_RXM_UCAST, 0xff, false }, { VMXNET3_RXM_BCAST, 0xff, true },
		{ VMXNET3_RXM_BCAST, 0x02, false }, { VMXNET3_RXM_ALL_MULTI, 0x01, true },
		{ VMXNET3_RXM_MCAST, 0x01, false }, { VMXNET3_RXM_PROMISC, 0x06, true }, { 0, 0x02, false },
	};
	struct mini_conf conf = mini_conf_default(2);
	static struct built f;
	struct mini_frame got;
	struct card a;
	size_t i;

	(void)state;
	card_open(&a, &conf, NULL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		mini_shared(&a.m)->rx_filter.rx_mode = cases[i].mode;
		mini_cmd(&a.m, VMXNET3_CMD_UPDATE_RX_MODE);
		random_frame(&f, 200);
		if (cases[i].first == 0xff)
			memset(f.data, 0xff, 6);
		f.data[0] = cases[i].first;
		send_split(&a, 0, f.data, f.len, 4, NULL);
		assert_int_equal(1, carry(&a, 0, &a));
		if (cases[i].wanted) {
			expect_frame(&a, 0, &got);
			expect_bytes(&got, f.data, f.len);
		}
		expect_silence(&a, 0);
	}
	assert_int_equal(5, drops(&a, VMXNET3_DROP_RX_NOT_MINE));
	card_close(&a);
}

/* The counters that a driver reads. */
static void
statistics_tell(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	const struct vmxnet3_tx_stats *t;
	const struct vmxnet3_rx_stats *r;
	struct vmxnet3_dev_stats all;
	static struct built f;
	struct card a;

	(void)state;
	conf.rx_size[0] = 32;
	conf.rx_comp_size = 288;
	card_open(&a, &conf, NULL);
	random_frame(&f, 100);
	send_split(&a, 0, f.data, 100, 3, NULL);
	send_split(&a, 0, f.data, 70, 3, NULL);
	memset(f.data, 0xff, 6);
	send_split(&a, 0, f.data, 200, 3, NULL);
	f.data[0] = 0x01;
	send_split(&a, 0, f.data, 300, 3, NULL);
	send_split(&a, 0, f.data, 10, 3, NULL);
	assert_int_equal(4, carry(&a, 0, &a));
	mini_cmd(&a.m, VMXNET3_CMD_GET_STATS);
	t = &mini_txq_desc(&a.m, 0)->stats;
	assert_int_equal(2, t->ucast_pkts);
	assert_int_equal(170, t->ucast_bytes);
	assert_int_equal(1, t->bcast_pkts);
	assert_int_equal(200, t->bcast_bytes);
	assert_int_equal(1, t->mcast_pkts);
	assert_int_equal(300, t->mcast_bytes);
	assert_int_equal(1, t->error_pkts);
	r = &mini_rxq_desc(&a.m, 0)->stats;
	assert_int_equal(2, r->ucast_pkts);
	assert_int_equal(170, r->ucast_bytes);
	assert_int_equal(1, r->bcast_pkts);
	assert_int_equal(0, r->mcast_pkts);
	vmxnet3_dev_stats_get(a.dev, &all);
	assert_int_equal(4, all.tx_frames);
	assert_int_equal(670, all.tx_bytes);
	assert_int_equal(3, all.rx_frames);
	assert_int_equal(370, all.rx_bytes);
	assert_int_equal(1, all.drops[VMXNET3_DROP_TX_RUNT]);
	card_close(&a);
}

/* Nothing on the datapath writes doorbells, but the count of deferred frames must not run over. */
static void
deferred_count_is_set_back(void **state)
{
	struct mini_conf conf = mini_conf_default(3);
	static struct built f;
	struct card a;
	uint32_t i;

	(void)state;
	conf.fast = true;
	card_open(&a, &conf, NULL);
	random_frame(&f, 60);
	mini_txq_desc(&a.m, 0)->tx_num_deferred = 77;
	for (i = 0; i < 70000; i++) {
		assert_int_equal(0, mini_send(&a.m, 0, f.data, 60, NULL, 0, NULL));
		if (i % 50 == 49) {
			carry(&a, 0, NULL);
			assert_int_equal(50, mini_reap(&a.m, 0));
		}
	}
	assert_int_equal(0, mini_txq_desc(&a.m, 0)->tx_num_deferred);
	card_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_arrives),
		cmocka_unit_test(length_zero_is_16k),
		cmocka_unit_test(rings_wrap),
		cmocka_unit_test(burst_has_a_limit),
		cmocka_unit_test(pools_run_out),
		cmocka_unit_test(room_for_headers_runs_out),
		cmocka_unit_test(link_down_drops_both_ways),
		cmocka_unit_test(bursts_interrupt_once),
		cmocka_unit_test(filters_choose),
		cmocka_unit_test(statistics_tell),
		cmocka_unit_test(deferred_count_is_set_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
