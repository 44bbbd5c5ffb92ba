/* SPDX-License-Identifier: BSD-3-Clause */
/* The front end's receive burst, against a device made by hand. */
#include <rte_ether.h>

#include "vx_bare.h"

#define BURST 32
#define SCATTER RTE_ETH_RX_OFFLOAD_SCATTER
#define LRO	RTE_ETH_RX_OFFLOAD_TCP_LRO

static struct bare port;
static struct hand hand;
static struct rte_mbuf *got[4096];

static void
begin(const struct bare_conf *conf)
{
	bare_open(&port, conf);
	hand_open(&hand, &port, 0);
}

/* One frame through; it is checked and freed. */
static void
expect_one(uint8_t seed, uint32_t len, uint16_t nb_segs)
{
	assert_int_equal(1, vx_recv(&port, got, BURST));
	vx_expect(got[0], seed, len, nb_segs);
}

static void
nothing_comes_of_nothing(void **state)
{
	(void)state;
	begin(NULL);
	assert_int_equal(0, vx_recv(&port, got, BURST));
	assert_int_equal(0, vx_recv(&port, got, 0));
	hand_put(&hand, 1, 64, NULL);
	assert_int_equal(0, vx_recv(&port, got, 0));
	expect_one(1, 64, 1);
	bare_close(&port);
}

/* Every size of ring, gone round several times by bursts that do not divide it. */
static void
rings_of_all_sizes_wrap(void **state)
{
	uint32_t size, sent, n, i;
	uint16_t k, j;

	(void)state;
	for (size = 32; size <= 4096; size *= 2) {
		begin(&(struct bare_conf){ .rx_size = (uint16_t)size, .pool_size = size + 256,
			.buf_len = 256, .mtu = 68 });
		for (sent = 0; sent < 5 * size; sent += n) {
			n = 1 + sent % 23;
			for (i = 0; i < n; i++)
				assert_int_equal(1, hand_put(&hand, (uint8_t)(sent + i), 60 + (sent + i) % 20, NULL));
			k = vx_recv(&port, got, BURST);
			assert_int_equal(n, k);
			for (j = 0; j < k; j++)
				vx_expect(got[j], (uint8_t)(sent + j), 60 + (sent + j) % 20, 1);
		}
		assert_int_equal(0, vx_rx_stats(&port).bad_completions);
		assert_int_equal(sent, vx_rx_stats(&port).packets);
		bare_close(&port);
	}
}

/* Positions are numbers of 32 bits, of which a busy queue has seen the end in an hour. */
static void
positions_wrap(void **state)
{
	struct vx_rxq *q;
	uint32_t i;

	(void)state;
	begin(&(struct bare_conf){ .rx_offloads = LRO });
	q = port.eth->data->rx_queues[0];
	q->next -= 2048;
	for (i = 0; i < VX_RX_RINGS; i++) {
		q->ring[i].fill -= 2048;
		q->ring[i].done -= 2048;
	}
	for (i = 0; i < 5000; i++) {
		hand_put(&hand, (uint8_t)i, 60 + i, NULL);
		expect_one((uint8_t)i, 60 + i, (uint16_t)((60 + i + 2047) / 2048));
	}
	assert_true(q->next < 1u << 31 && q->ring[0].done < 1u << 31 && q->ring[1].done < 1u << 31);
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

/* The device fills everything it has; nothing more can come until something was received. */
static void
a_ring_is_emptied_and_filled(void **state)
{
	struct vmxnet3_desc d;
	uint32_t n, i;

	(void)state;
	begin(NULL);
	for (n = 0; hand_put(&hand, (uint8_t)n, 100, NULL) == 1; n++)
		;
	assert_int_equal(256 - 32, n);
	assert_int_equal(n, vx_rx_queue_count(port.eth->data->rx_queues[0]));
	assert_int_equal(n, vx_recv(&port, got, 1000));
	for (i = 0; i < n; i++)
		vx_expect(got[i], (uint8_t)i, 100, 1);
	for (i = 0; hand_buffer(&hand, 0, &d) >= 0; i++)
		;
	assert_int_equal(n, i);
	assert_int_equal(0, vx_rx_queue_count(port.eth->data->rx_queues[0]));
	bare_close(&port);
}

/* ---- what a completion says ---- */

static uint64_t
flags_of(uint32_t dw0, uint32_t dw2, uint32_t dw3, uint32_t *ptype)
{
	struct hand_says says = { .dw0 = dw0, .dw1 = 0x12345678, .dw2 = dw2, .dw3 = dw3 };
	uint64_t flags;

	hand_put(&hand, 3, 60, &says);
	assert_int_equal(1, vx_recv(&port, got, BURST));
	flags = got[0]->ol_flags;
	*ptype = got[0]->packet_type;
	if (flags & RTE_MBUF_F_RX_RSS_HASH)
		assert_int_equal(0x12345678, got[0]->hash.rss);
	if (flags & RTE_MBUF_F_RX_VLAN)
		assert_int_equal(dw2 >> 16, got[0]->vlan_tci);
	vx_expect(got[0], 3, 60, 1);
	return flags;
}

static void
completions_become_flags(void **state)
{
#define IP_GOOD RTE_MBUF_F_RX_IP_CKSUM_GOOD
#define IP_BAD	RTE_MBUF_F_RX_IP_CKSUM_BAD
#define L4_GOOD RTE_MBUF_F_RX_L4_CKSUM_GOOD
#define L4_BAD	RTE_MBUF_F_RX_L4_CKSUM_BAD
#define E	RTE_PTYPE_L2_ETHER
#define V4	(E | RTE_PTYPE_L3_IPV4_EXT_UNKNOWN)
#define V6	(E | RTE_PTYPE_L3_IPV6_EXT_UNKNOWN)
#define R(x)	VMXNET3_RCD_##x
	static const struct {
		uint32_t dw0, dw2, dw3;
		uint64_t flags;
		uint32_t ptype;
	} t[] = {
		{ R(CNC), 0, 0, 0, E },
		{ 0, 0, 0, 0, E },
		{ 0, 0, R(V4) | R(TCP) | R(IPC) | R(TUC), IP_GOOD | L4_GOOD, V4 | RTE_PTYPE_L4_TCP },
		{ 0, 0, R(V4) | R(UDP) | R(IPC) | R(TUC), IP_GOOD | L4_GOOD, V4 | RTE_PTYPE_L4_UDP },
		{ 0, 0, R(V4) | R(UDP) | R(IPC), IP_GOOD | L4_BAD, V4 | RTE_PTYPE_L4_UDP },
		{ 0, 0, R(V4) | R(TCP), IP_BAD, V4 | RTE_PTYPE_L4_TCP },
		{ 0, 0, R(V6) | R(TCP) | R(TUC) | R(IPC), L4_GOOD, V6 | RTE_PTYPE_L4_TCP },
		{ 0, 0, R(V6) | R(UDP), L4_BAD, V6 | RTE_PTYPE_L4_UDP },
		{ 0, 0, R(V4) | R(IPC) | R(TUC), IP_GOOD, V4 },
		{ R(CNC), 0, R(V4) | R(FRG), 0, V4 | RTE_PTYPE_L4_FRAG },
		{ 0, 0, R(V4) | R(FRG) | R(IPC) | R(TUC) | R(UDP), IP_GOOD, V4 | RTE_PTYPE_L4_FRAG },
		{ R(CNC), 0, R(V6) | R(UDP) | R(TUC), 0, V6 | RTE_PTYPE_L4_UDP },
		{ 0, 0, R(V4) | R(V6) | R(TCP) | R(IPC) | R(TUC), 0, E },
		{ R(INNER), 0, R(V4) | R(TCP) | R(IPC) | R(TUC), 0, E },
		{ R(CNC), R(TS) | 0xabcu << 16, 0, RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED, E },
		{ R(CNC) | 2u << 26, 0, R(V4) | R(TCP), RTE_MBUF_F_RX_RSS_HASH, V4 | RTE_PTYPE_L4_TCP },
		{ 5u << 26, R(TS) | 0xffffu << 16, R(V4) | R(UDP) | R(IPC) | R(TUC) | R(FCS),
			RTE_MBUF_F_RX_RSS_HASH | RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED | IP_GOOD | L4_GOOD,
			V4 | RTE_PTYPE_L4_UDP },
	};
	uint32_t i, ptype;

	(void)state;
	begin(NULL);
	for (i = 0; i < RTE_DIM(t); i++) {
		assert_int_equal(t[i].flags, flags_of(t[i].dw0, t[i].dw2, t[i].dw3, &ptype));
		assert_int_equal(t[i].ptype, ptype);
	}
	bare_close(&port);
}

static void
frames_with_errors_are_counted_and_gone(void **state)
{
	const struct hand_says err = { .dw2 = VMXNET3_RCD_ERR };

	(void)state;
	begin(&(struct bare_conf){ .rx_offloads = SCATTER, .mtu = 9000 });
	hand_put(&hand, 1, 60, &err);
	hand_put(&hand, 1, 5000, &err);
	hand_put(&hand, 1, 61, NULL);
	expect_one(1, 61, 1);
	assert_int_equal(2, vx_rx_stats(&port).errors);
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	assert_int_equal(61, vx_rx_stats(&port).bytes);
	bare_close(&port);
}

/* ---- several buffers ---- */

static void
frames_are_scattered(void **state)
{
	const struct hand_says says = { .dw1 = 77, .dw0 = 1u << 26 | VMXNET3_RCD_CNC, .dw2 = VMXNET3_RCD_TS | 5u << 16 };
	uint32_t len, i;

	(void)state;
	begin(&(struct bare_conf){ .rx_offloads = SCATTER, .mtu = 9000 });
	assert_int_equal(256, port.dev->rxqd->rx_ring_size[1]);
	assert_int_equal(512, port.dev->rxqd->comp_ring_size);
	for (i = 0; i < 700; i++) {
		len = 60 + i * 13 % 9000;
		assert_int_equal((len + 2047) / 2048, hand_put(&hand, (uint8_t)i, len, &says));
		assert_int_equal(1, vx_recv(&port, got, BURST));
		assert_int_equal(77, got[0]->hash.rss);
		assert_int_equal(5, got[0]->vlan_tci);
		vx_expect(got[0], (uint8_t)i, len, (uint16_t)((len + 2047) / 2048));
	}
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

/* QEMU's device does not tell the type of what is no large frame. */
static void
the_type_may_be_missing(void **state)
{
	struct vmxnet3_desc d;
	int index;

	(void)state;
	begin(NULL);
	index = hand_buffer(&hand, 0, &d);
	memset((void *)((uintptr_t)d.dw[1] << 32 | d.dw[0]), 7, 60);
	hand_completion(&hand, (uint32_t)index | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP, 0, 60, 0);
	assert_int_equal(1, vx_recv(&port, got, BURST));
	assert_int_equal(60, got[0]->pkt_len);
	assert_int_equal(7, rte_pktmbuf_mtod(got[0], uint8_t *)[59]);
	rte_pktmbuf_free(got[0]);
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

/* The first half of a frame is seen in one burst, the second in another. */
static void
a_frame_comes_in_two_bursts(void **state)
{
	struct vmxnet3_desc d;
	int head, body;

	(void)state;
	begin(&(struct bare_conf){ .rx_offloads = SCATTER, .mtu = 9000 });
	head = hand_buffer(&hand, 0, &d);
	memset((void *)((uintptr_t)d.dw[1] << 32 | d.dw[0]), 0, 2048);
	hand_completion(&hand, (uint32_t)head | VMXNET3_RCD_SOP, 0, 2048, 3u << 24);
	assert_int_equal(0, vx_recv(&port, got, BURST));
	body = hand_buffer(&hand, 1, &d);
	hand_completion(&hand, (uint32_t)body | 1u << 16 | VMXNET3_RCD_EOP, 0, 12, 3u << 24);
	assert_int_equal(1, vx_recv(&port, got, BURST));
	assert_int_equal(2060, got[0]->pkt_len);
	rte_pktmbuf_free(got[0]);
	/* Another begins, and the port is closed: nothing is left over. */
	head = hand_buffer(&hand, 0, &d);
	hand_completion(&hand, (uint32_t)head | VMXNET3_RCD_SOP, 0, 2048, 3u << 24);
	assert_int_equal(0, vx_recv(&port, got, BURST));
	bare_close(&port);
}

static void
large_frames_tell_their_mss(void **state)
{
	struct hand_says says = { .mss = 1448, .segs = 3, .dw1 = 99, .dw0 = 2u << 26,
		.dw3 = VMXNET3_RCD_V4 | VMXNET3_RCD_TCP | VMXNET3_RCD_IPC | VMXNET3_RCD_TUC };

	(void)state;
	begin(&(struct bare_conf){ .rx_offloads = LRO });
	hand_put(&hand, 5, 4398, &says);
	assert_int_equal(1, vx_recv(&port, got, BURST));
	assert_true(got[0]->ol_flags & RTE_MBUF_F_RX_LRO);
	assert_int_equal(1448, got[0]->tso_segsz);
	assert_true(got[0]->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	assert_int_equal(99, got[0]->hash.rss);
	vx_expect(got[0], 5, 4398, 3);

	/* In one buffer the number of segments lies where the hash would. */
	hand_put(&hand, 6, 1800, &says);
	assert_int_equal(1, vx_recv(&port, got, BURST));
	assert_true(got[0]->ol_flags & RTE_MBUF_F_RX_LRO);
	assert_false(got[0]->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	assert_true(got[0]->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	vx_expect(got[0], 6, 1800, 1);

	/* 64 KiB, then one that is none. */
	says.segs = 46;
	assert_int_equal(32, hand_put(&hand, 7, 65535, &says));
	expect_one(7, 65535, 32);
	says.segs = 1;
	hand_put(&hand, 8, 1514, &says);
	assert_int_equal(1, vx_recv(&port, got, BURST));
	assert_false(got[0]->ol_flags & RTE_MBUF_F_RX_LRO);
	vx_expect(got[0], 8, 1514, 1);
	bare_close(&port);
}

static void
small_frames_come_by_the_data_ring(void **state)
{
	uint32_t i;

	(void)state;
	begin(&(struct bare_conf){ .rx_data_size = 256 });
	assert_int_equal(256, port.dev->rxqd->data_ring_desc_size);
	for (i = 0; i < 1000; i++) {
		if (i % 3 == 0)
			hand_put(&hand, (uint8_t)i, 300 + i, NULL);
		else
			hand_put_data(&hand, (uint8_t)i, 1 + i % 256);
		expect_one((uint8_t)i, i % 3 == 0 ? 300 + i : 1 + i % 256, 1);
	}
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
	/* Revisions before 3 have none. */
	begin(&(struct bare_conf){ .rx_data_size = 256, .rev = 2 });
	assert_int_equal(0, port.dev->rxqd->data_ring_desc_size);
	bare_close(&port);
}

/* ---- buffers ---- */

static void
descriptors_are_passed_over(void **state)
{
	struct vmxnet3_desc d;
	uint32_t i, skip;

	(void)state;
	begin(NULL);
	for (i = 0; i < 500; i++) {
		for (skip = i % 7; skip > 0; skip--)
			hand_buffer(&hand, 0, &d);
		hand_put(&hand, (uint8_t)i, 80, NULL);
		expect_one((uint8_t)i, 80, 1);
	}
	/* A buffer that the device had no use for, told by a completion without a byte. */
	i = (uint32_t)hand_buffer(&hand, 0, &d);
	hand_completion(&hand, i | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP, 0, 0, 3u << 24);
	hand_put(&hand, 1, 80, NULL);
	expect_one(1, 80, 1);
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

static void
an_empty_pool_is_waited_for(void **state)
{
	uint32_t n, i, held = 0;

	(void)state;
	begin(&(struct bare_conf){ .pool_size = 256 - 32 + 10 });
	for (i = 0; i < 8; i++) {
		for (n = 0; n < BURST && hand_put(&hand, (uint8_t)n, 64, NULL) == 1; n++)
			;
		held += vx_recv(&port, got + held, BURST);
	}
	/* Everything there ever was has been received, the ten in the pool among it. */
	assert_int_equal(234, held);
	assert_int_equal(0, rte_mempool_avail_count(port.pool));
	assert_true(vx_rx_stats(&port).no_mbuf > 0);
	assert_int_equal(vx_rx_stats(&port).no_mbuf, port.eth->data->rx_mbuf_alloc_failed);
	assert_int_equal(-1, hand_put(&hand, 0, 64, NULL));
	assert_int_equal(0, vx_recv(&port, got + held, BURST));
	/* They come back, and so does the traffic: by itself, without one more frame. */
	rte_pktmbuf_free_bulk(got, held);
	assert_int_equal(0, vx_recv(&port, got, BURST));
	assert_int_equal(1, hand_put(&hand, 9, 64, NULL));
	expect_one(9, 64, 1);
	bare_close(&port);
}

static void
doorbells_ring_only_if_wanted(void **state)
{
	uint32_t i;

	(void)state;
	begin(&(struct bare_conf){ .rx_offloads = SCATTER, .mtu = 9000 });
	vx_queues_ring(port.dev);
	assert_int_equal(224, vx_doorbell(&port, VMXNET3_REG_RXPROD));
	assert_int_equal(224, vx_doorbell(&port, VMXNET3_REG_RXPROD2));
	for (i = 0; i < 40; i++) {
		hand_put(&hand, 1, 3000, NULL);
		expect_one(1, 3000, 2);
	}
	assert_int_equal(224, vx_doorbell(&port, VMXNET3_REG_RXPROD));
	port.dev->rxqd->update_rx_prod = 1;
	for (i = 0; i < 40; i++) {
		hand_put(&hand, 1, 3000, NULL);
		expect_one(1, 3000, 2);
	}
	assert_int_equal((224 + 96) % 256, vx_doorbell(&port, VMXNET3_REG_RXPROD));
	assert_int_equal((224 + 96) % 256, vx_doorbell(&port, VMXNET3_REG_RXPROD2));
	bare_close(&port);
}

static void
frames_for_others_are_filtered(void **state)
{
	/* Frames count up, so their destination does. */
	static struct offload_filter mine = { .mode = OFFLOAD_FILTER_UCAST | OFFLOAD_FILTER_ALL_MULTI, .vlan_any = true,
		.mac = { 2, 3, 4, 5, 6, 7 } };
	const uint8_t other[1][6] = { { 8, 9, 10, 11, 12, 13 } };
	const uint8_t seeds[] = { 2, 4, 8, 1, 6, 3 };
	const uint8_t pass[] = { 2, 8, 1, 3 }; /* odd ones are multicast */
	uint32_t i;

	(void)state;
	begin(NULL);
	offload_filter_set_uc(&mine, other, 1);
	vx_queues_set_filter(port.dev, &mine);
	for (i = 0; i < RTE_DIM(seeds); i++)
		hand_put(&hand, seeds[i], 64, NULL);
	assert_int_equal(RTE_DIM(pass), vx_recv(&port, got, BURST));
	for (i = 0; i < RTE_DIM(pass); i++)
		vx_expect(got[i], pass[i], 64, 1);
	assert_int_equal(2, vx_rx_stats(&port).filtered);
	assert_int_equal(4, vx_rx_stats(&port).packets);
	assert_int_equal(4 * 64, vx_rx_stats(&port).bytes);
	/* "None" would be a lie while one for us waits behind a burst of others. */
	for (i = 0; i < 40; i++)
		hand_put(&hand, 4, 64, NULL);
	hand_put(&hand, 8, 64, NULL);
	assert_int_equal(1, vx_recv(&port, got, 8));
	vx_expect(got[0], 8, 64, 1);
	vx_queues_set_filter(port.dev, NULL);
	hand_put(&hand, 4, 64, NULL);
	expect_one(4, 64, 1);
	bare_close(&port);
}

static void
descriptors_have_a_status(void **state)
{
	void *q;

	(void)state;
	begin(NULL);
	q = port.eth->data->rx_queues[0];
	assert_int_equal(RTE_ETH_RX_DESC_AVAIL, vx_rx_descriptor_status(q, 0));
	assert_int_equal(RTE_ETH_RX_DESC_AVAIL, vx_rx_descriptor_status(q, 223));
	assert_int_equal(RTE_ETH_RX_DESC_UNAVAIL, vx_rx_descriptor_status(q, 224));
	assert_int_equal(-EINVAL, vx_rx_descriptor_status(q, 256));
	hand_put(&hand, 1, 60, NULL);
	hand_put(&hand, 1, 60, NULL);
	assert_int_equal(RTE_ETH_RX_DESC_DONE, vx_rx_descriptor_status(q, 1));
	assert_int_equal(RTE_ETH_RX_DESC_AVAIL, vx_rx_descriptor_status(q, 2));
	assert_int_equal(2, vx_rx_queue_count(q));
	assert_int_equal(2, vx_recv(&port, got, BURST));
	rte_pktmbuf_free_bulk(got, 2);
	bare_close(&port);
}

/* ---- lies, one by one ---- */

#define SOP VMXNET3_RCD_SOP
#define EOP VMXNET3_RCD_EOP
#define ID(x) ((uint32_t)(x) << VMXNET3_RCD_RQID_SHIFT)
#define TYPE (3u << VMXNET3_CD_TYPE_SHIFT)

/* Each lie is counted once, costs no more than the frame that it is about, and what follows is understood. */
static void
each_lie_is_counted(void **state)
{
	/* In order: what is said of the next HEAD (1) or BODY (2) or of no buffer (0). */
	static const struct {
		const char *what;
		struct {
			uint32_t dw0, len;
			int ring; /* -1: none */
			uint32_t index; /* added */
		} say[4];
		uint32_t bad;
	} t[] = {
		{ "an entry that is not posted", { { SOP | EOP, 64, -1, 250 } }, 1 },
		{ "an entry beyond the ring", { { SOP | EOP, 64, -1, 256 } }, 1 },
		{ "an entry beyond the ring, by the data ring", { { SOP | EOP | ID(2), 64, -1, 256 } }, 1 },
		{ "the last entry that there can be", { { SOP | EOP, 64, -1, 4095 } }, 1 },
		{ "a ring that is none", { { SOP | EOP | ID(3), 64, -1, 0 } }, 1 },
		{ "a ring that is none, at its best", { { SOP | EOP | ID(1023), 64, -1, 0 } }, 1 },
		{ "more than the buffer has", { { SOP | EOP, 2049, 0, 0 } }, 1 },
		{ "more than any buffer has", { { SOP | EOP, 16383, 0, 0 } }, 1 },
		{ "more than an entry of the data ring has", { { SOP | EOP | ID(2), 129, 0, 0 } }, 1 },
		{ "a half by the data ring", { { SOP | ID(2), 60, 0, 0 }, { EOP | ID(1), 60, 1, 0 } }, 1 },
		{ "a frame that begins in the second ring", { { SOP | EOP | ID(1), 64, 1, 0 } }, 1 },
		{ "an end without a beginning", { { EOP | ID(1), 64, 1, 0 } }, 1 },
		{ "a middle without a beginning, and its end",
			{ { ID(1), 64, 1, 0 }, { ID(1), 64, 1, 0 }, { EOP | ID(1), 64, 1, 0 } }, 1 },
		{ "neither beginning nor end", { { 0, 64, 0, 0 }, { EOP, 64, 0, 0 } }, 1 },
		{ "a beginning inside of a frame", { { SOP, 64, 0, 0 }, { SOP | EOP, 0, 0, 0 } }, 1 },
		{ "a HEAD in the middle", { { SOP, 64, 0, 0 }, { EOP, 64, 0, 0 } }, 1 },
		{ "a HEAD of nothing that goes on", { { SOP, 0, 0, 0 }, { EOP | ID(1), 64, 1, 0 } }, 1 },
		{ "an entry twice", { { SOP | EOP, 0, 0, 0 }, { SOP | EOP, 64, -1, 255 } }, 1 },
		/* No lies. */
		{ "a buffer that was not needed", { { SOP | EOP, 0, 0, 0 } }, 0 },
	};
	uint32_t i, j, index, n = 0;
	struct vmxnet3_desc d;

	(void)state;
	for (i = 0; i < RTE_DIM(t); i++) {
		begin(&(struct bare_conf){ .rx_offloads = LRO, .rx_data_size = 128 });
		for (j = 0; j < RTE_DIM(t[i].say) && t[i].say[j].dw0 | t[i].say[j].len; j++) {
			index = hand.rx[0].next;
			if (t[i].say[j].ring >= 0)
				index = (uint32_t)hand_buffer(&hand, (unsigned int)t[i].say[j].ring, &d);
			index = (index + t[i].say[j].index) & VMXNET3_RCD_INDEX_MASK;
			/* Twice: one before the next. */
			if (t[i].say[j].index == 255)
				index = (index - 256) & 255;
			hand_completion(&hand, t[i].say[j].dw0 | index, 0, t[i].say[j].len, TYPE);
			if (vx_recv(&port, got, BURST) != 0)
				fail_msg("%s: there was a frame", t[i].what);
		}
		if (vx_rx_stats(&port).bad_completions != t[i].bad)
			fail_msg("%s: %u times", t[i].what, (uint32_t)vx_rx_stats(&port).bad_completions);
		for (j = 0; j < 300; j++, n++) {
			hand_put(&hand, (uint8_t)n, 2000 + j * 10, NULL);
			expect_one((uint8_t)n, 2000 + j * 10, (uint16_t)((2000 + j * 10 + 2047) / 2048));
		}
		assert_int_equal(t[i].bad, vx_rx_stats(&port).bad_completions);
		bare_close(&port);
	}
}

/* A frame that goes on and on ends where no frame can be longer, and takes no more buffers than a ring has. */
static void
endless_frames_end(void **state)
{
	struct vmxnet3_desc d;
	uint32_t i, len;

	(void)state;
	for (len = 1; len <= 2048; len += 2047) {
		begin(&(struct bare_conf){ .rx_offloads = LRO });
		i = (uint32_t)hand_buffer(&hand, 0, &d);
		hand_completion(&hand, i | SOP, 0, len, TYPE);
		for (i = 0; i < 1000; i++) {
			hand_completion(&hand, (uint32_t)hand_buffer(&hand, 1, &d) | ID(1), 0, len, TYPE);
			assert_int_equal(0, vx_recv(&port, got, BURST));
			assert_true(rte_mempool_avail_count(port.pool) + 2 * 256u + 256u >= port.pool->size);
		}
		assert_int_equal(1, vx_rx_stats(&port).bad_completions);
		bare_close(&port);
	}
}

/* A whole frame inside of another: it is taken, the other one is not. */
static void
a_whole_frame_ends_the_one_before(void **state)
{
	struct vmxnet3_desc d;

	(void)state;
	begin(&(struct bare_conf){ .rx_offloads = LRO });
	hand_completion(&hand, (uint32_t)hand_buffer(&hand, 0, &d) | SOP, 0, 64, TYPE);
	assert_int_equal(0, vx_recv(&port, got, BURST));
	hand_put(&hand, 9, 64, NULL);
	expect_one(9, 64, 1);
	assert_int_equal(1, vx_rx_stats(&port).bad_completions);
	/* Nor is one that is told in the words of a queue that is none. */
	hand_completion(&hand, (uint32_t)hand_buffer(&hand, 0, &d) | SOP, 0, 64, TYPE);
	hand_completion(&hand, (uint32_t)hand_buffer(&hand, 0, &d) | ID(1023), 0, 64, TYPE);
	assert_int_equal(0, vx_recv(&port, got, BURST));
	assert_int_equal(2, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_comes_of_nothing),
		cmocka_unit_test(rings_of_all_sizes_wrap),
		cmocka_unit_test(positions_wrap),
		cmocka_unit_test(a_ring_is_emptied_and_filled),
		cmocka_unit_test(completions_become_flags),
		cmocka_unit_test(frames_with_errors_are_counted_and_gone),
		cmocka_unit_test(frames_are_scattered),
		cmocka_unit_test(the_type_may_be_missing),
		cmocka_unit_test(a_frame_comes_in_two_bursts),
		cmocka_unit_test(large_frames_tell_their_mss),
		cmocka_unit_test(small_frames_come_by_the_data_ring),
		cmocka_unit_test(descriptors_are_passed_over),
		cmocka_unit_test(an_empty_pool_is_waited_for),
		cmocka_unit_test(doorbells_ring_only_if_wanted),
		cmocka_unit_test(frames_for_others_are_filtered),
		cmocka_unit_test(descriptors_have_a_status),
		cmocka_unit_test(each_lie_is_counted),
		cmocka_unit_test(endless_frames_end),
		cmocka_unit_test(a_whole_frame_ends_the_one_before),
	};

	return vx_run_group_tests(tests);
}
