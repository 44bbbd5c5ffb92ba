/* SPDX-License-Identifier: BSD-3-Clause */
/* From the application to the guest: any packet buffers, any request that the port offers. */
#include <rte_errno.h>

#include "vh_rig.h"

#define TCP 6
#define UDP 17

static struct rig rig;
static struct built sent, want;

static void
open_rig(uint32_t features)
{
	const struct rig_conf conf = { .mtu = 9000, .tx_offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS |
		RTE_ETH_TX_OFFLOAD_VLAN_INSERT | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM |
		RTE_ETH_TX_OFFLOAD_UDP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM |
		RTE_ETH_TX_OFFLOAD_TCP_TSO, .data_room = 9200, .nb_mbufs = 511 };
	struct mini_conf guest = roomy(7);

	guest.features |= features;
	guest.rx_mode |= VMXNET3_RXM_PROMISC;
	rig_open(&rig, "queues=4");
	rig_start(&rig, &conf);
	rig_plug(&rig, &guest);
}

static struct mini_frame
expect(const struct built *b)
{
	struct mini_frame f;

	rig_guest_receive(&rig, &f);
	expect_bytes(&f, b->data, b->len);
	mini_refill(&rig.m, 0, UINT32_MAX);
	return f;
}

static void
expect_nothing(void)
{
	struct mini_frame f;

	assert_int_equal(mini_recv(&rig.m, 0, &f), 0);
}

static void
plain(void **state)
{
	struct mini_frame f;
	struct rte_mbuf *m;
	struct shape s;
	int i;

	(void)state;
	open_rig(0);
	for (i = 0; i < 1000; i++) {
		shuffle(&s);
		build(&sent, &s);
		m = rig_mbuf(&rig, sent.data, sent.len, (uint16_t)(1 + rnd(8)));
		rig_send(&rig, m);
		/* What an application says of checksums on receive is about other bytes by now: they are looked at. */
		f = expect(&sent);
		assert_true(!f.cnc && f.tuc && (s.ipv6 || f.ipc));
	}
	assert_int_equal(rig_xstat(&rig, "tx_q0_packets"), 1000);
	rig_close(&rig);
}

static uint64_t
l3_flags(const struct built *b)
{
	return b->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
}

/* Checksums of any kind of frame, whatever the application left in the fields. */
static void
checksums(void **state)
{
	struct mini_frame f;
	struct rte_mbuf *m;
	struct shape s;
	int i;

	(void)state;
	open_rig(0);
	for (i = 0; i < 1000; i++) {
		shuffle(&s);
		build(&want, &s);
		sent = want;
		put16(sent.data + field_at(&sent), rnd(65536));
		if (!s.ipv6)
			put16(sent.data + sent.l2 + 10, rnd(65536));
		m = rig_mbuf(&rig, sent.data, sent.len, (uint16_t)(1 + rnd(8)));
		m->ol_flags = l3_flags(&sent) | (s.proto == TCP ? RTE_MBUF_F_TX_TCP_CKSUM :
			RTE_MBUF_F_TX_UDP_CKSUM);
		m->l2_len = sent.l2;
		m->l3_len = sent.l3;
		m->l4_len = i & 1 ? sent.l4 : 0;
		assert_int_equal(rte_eth_tx_prepare(rig.port, 0, &m, 1), 1);
		rig_send(&rig, m);
		f = expect(&want);
		assert_true(!f.cnc && f.tuc && (s.ipv6 || f.ipc));
	}
	/* Of IPv4 alone. */
	s = (struct shape){ .proto = UDP, .l3_extra = 12, .payload = 70 };
	build(&want, &s);
	sent = want;
	put16(sent.data + sent.l2 + 10, 0x1234);
	m = rig_mbuf(&rig, sent.data, sent.len, 1);
	m->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	m->l2_len = sent.l2;
	m->l3_len = sent.l3;
	rig_send(&rig, m);
	f = expect(&want);
	assert_true(!f.cnc && f.tuc && f.ipc);
	rig_close(&rig);
}

static struct rte_mbuf *
large(uint32_t payload, uint16_t mss, bool ipv6, uint16_t parts)
{
	struct shape s = { .proto = TCP, .ipv6 = ipv6, .payload = payload, .seq = 77,
		.tcp_options = 12, .tcp_flags = 0x018 };
	struct rte_mbuf *m;

	build(&sent, &s);
	want = sent;
	put_seed(&sent);
	m = rig_mbuf(&rig, sent.data, sent.len, parts);
	m->ol_flags = l3_flags(&sent) | RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM;
	m->l2_len = sent.l2;
	m->l3_len = sent.l3;
	m->l4_len = sent.l4;
	m->tso_segsz = mss;
	return m;
}

static void
large_frames(void **state)
{
	uint32_t headers, at;
	struct mini_frame f;
	struct shape s;
	int i;

	(void)state;
	/* A guest that does not take them gets pieces. */
	open_rig(0);
	for (i = 0; i < 30; i++) {
		rig_send(&rig, large(20000, 1400, i & 1, (uint16_t)(7 + rnd(20))));
		headers = sent.l2 + sent.l3 + sent.l4;
		for (at = 0; at < 20000; at += 1400) {
			s = (struct shape){ .proto = TCP, .ipv6 = i & 1, .payload =
				RTE_MIN(1400u, 20000 - at), .seq = 77 + at, .tcp_options = 12,
				.tcp_flags = at + 1400 < 20000 ? 0x010 : 0x018,
				.ip_id = (uint16_t)(at / 1400) };
			build(&want, &s);
			memcpy(want.data + headers, sent.data + headers + at, s.payload);
			put_csum(&want);
			f = expect(&want);
			assert_true(!f.cnc && f.tuc && f.segs == 0);
		}
		expect_nothing();
	}
	assert_int_equal(rig_xstat(&rig, "tx_q0_tso"), 30);
	rig_close(&rig);

	/* One that does gets them whole. */
	open_rig(VMXNET3_F_LRO);
	for (i = 0; i < 30; i++) {
		rig_send(&rig, large(20000, 1400, i & 1, (uint16_t)(7 + rnd(20))));
		rig_guest_receive(&rig, &f);
		headers = sent.l2 + sent.l3 + sent.l4;
		assert_int_equal(f.len, sent.len);
		assert_memory_equal(f.data + headers, want.data + headers, 20000);
		assert_memory_equal(f.data, want.data, headers - 12 - 4);
		assert_true(!f.cnc && f.tuc && f.segs == 15 && f.mss == 1400);
		mini_refill(&rig.m, 0, UINT32_MAX);
	}
	/* With nothing to cut it is an ordinary frame with a checksum to make. */
	rig_send(&rig, large(700, 1400, false, 2));
	f = expect(&want);
	assert_true(!f.cnc && f.tuc && f.segs == 0);
	rig_close(&rig);
}

static void
tags(void **state)
{
	struct shape s = { .proto = UDP, .payload = 100 };
	static const uint32_t features[] = { 0, VMXNET3_F_RXVLAN };
	struct mini_frame f;
	struct rte_mbuf *m;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(features); i++) {
		open_rig(features[i]);
		build(&sent, &s);
		want = sent;
		put_seed(&sent);
		if (features[i] == 0)
			tag(&want, 0x6005);
		m = rig_mbuf(&rig, sent.data, sent.len, 2);
		m->ol_flags = l3_flags(&sent) | RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_VLAN;
		m->l2_len = sent.l2;
		m->l3_len = sent.l3;
		m->vlan_tci = 0x6005;
		rig_send(&rig, m);
		f = expect(&want);
		assert_true(f.tagged == (features[i] != 0) && f.tci == (f.tagged ? 0x6005 : 0));
		rig_close(&rig);
	}
}

/* What others hold, too, is not changed; what has no room before it is copied. */
static void
borrowed_buffers(void **state)
{
	struct rte_mbuf *m, *clone;
	struct shape s = { .proto = TCP, .payload = 900 };
	int i;

	(void)state;
	open_rig(0);
	for (i = 0; i < 3; i++) {
		build(&want, &s);
		sent = want;
		put16(sent.data + field_at(&sent), 0xbad1);
		m = rig_mbuf(&rig, sent.data, sent.len, 1);
		clone = m;
		if (i == 0) {
			rte_mbuf_refcnt_update(m, 1);
		} else if (i == 1) {
			clone = rte_pktmbuf_clone(m, rig.pool);
		} else {
			rte_pktmbuf_free(m);
			m = rte_pktmbuf_alloc(rig.pool);
			m->data_off = 0;
			memcpy(rte_pktmbuf_append(m, (uint16_t)sent.len), sent.data, sent.len);
			clone = m;
		}
		clone->ol_flags |= l3_flags(&sent) | RTE_MBUF_F_TX_TCP_CKSUM;
		clone->l2_len = sent.l2;
		clone->l3_len = sent.l3;
		rig_send(&rig, clone);
		expect(&want);
		if (i < 2) {
			if (rte_mbuf_refcnt_read(m) != 1)
				fail_msg("case %d: still %u users", i, rte_mbuf_refcnt_read(m));
			assert_memory_equal(rte_pktmbuf_mtod(m, void *), sent.data, sent.len);
			rte_pktmbuf_free(m);
		}
	}
	rig_close(&rig);
}

/* A request that contradicts its frame is a drop with a name, and prepare tells before. */
static void
bad_requests(void **state)
{
	static const struct {
		uint64_t flags;
		uint16_t l2, l3, l4, mss;
		int error; /* of prepare; 0: it cannot know */
	} cases[] = {
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_SCTP_CKSUM, 127, 511, 0, 0, EINVAL },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_OUTER_IPV4 |
			RTE_MBUF_F_TX_OUTER_IP_CKSUM, 14, 20, 0, 0, EINVAL },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TUNNEL_VXLAN | RTE_MBUF_F_TX_TCP_CKSUM, 14, 20, 0, 0,
			EINVAL },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_OUTER_UDP_CKSUM, 14, 20, 0, 0, EINVAL },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_SEG, 14, 20, 8, 0, EINVAL },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_QINQ, 14, 20, 8, 0, ENOTSUP },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG, 14, 20, 20, 0, EINVAL },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_SEG, 14, 20, 0, 100, 0 },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM, 127, 511, 0, 0, EINVAL },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM, 0, 0, 0, 0, 0 },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_TCP_CKSUM, 14, 12, 0, 0, 0 },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_UDP_CKSUM, 15, 20, 0, 0, 0 },
		{ RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_TCP_CKSUM, 100, 300, 0, 0, 0 },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM, 14, 24, 0, 0, 0 },
		{ RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM, 14, 0, 0, 0, 0 },
	};
	struct shape s = { .proto = TCP, .payload = 546 };
	struct rte_mbuf *m;
	size_t i;

	(void)state;
	open_rig(0);
	build(&sent, &s);
	for (i = 0; i < RTE_DIM(cases); i++) {
		m = rig_mbuf(&rig, sent.data, sent.len, 1 + i % 3);
		m->ol_flags = cases[i].flags;
		m->l2_len = cases[i].l2;
		m->l3_len = cases[i].l3;
		m->l4_len = cases[i].l4;
		m->tso_segsz = cases[i].mss;
		if (cases[i].error != 0) {
			assert_int_equal(rte_eth_tx_prepare(rig.port, 0, &m, 1), 0);
			assert_int_equal(rte_errno, cases[i].error);
		}
		rig_send(&rig, m);
		expect_nothing();
		if (rig_xstat(&rig, "tx_q0_drop_bad_offload") != i + 1)
			fail_msg("case %zu is not counted", i);
	}
	rig_close(&rig);
}

static void
bad_buffers(void **state)
{
	struct rte_eth_stats stats;
	struct rte_mbuf *m;
	uint64_t bad = 0;

	(void)state;
	open_rig(0);
	make_frame(300);
	m = rig_mbuf(&rig, frame.data, frame.len, 3);
	m->pkt_len += 1;
	rig_send(&rig, m);
	assert_int_equal(rig_xstat(&rig, "tx_q0_drop_bad_mbuf"), ++bad);
	m = rig_mbuf(&rig, frame.data, frame.len, 1);
	m->pkt_len = m->data_len = 0;
	rig_send(&rig, m);
	assert_int_equal(rig_xstat(&rig, "tx_q0_drop_bad_mbuf"), ++bad);
	m = rig_mbuf(&rig, frame.data, frame.len, 65);
	assert_int_equal(rte_eth_tx_prepare(rig.port, 0, &m, 1), 0);
	rig_send(&rig, m);
	assert_int_equal(rig_xstat(&rig, "tx_q0_drop_bad_mbuf"), ++bad);
	m = rig_mbuf(&rig, frame.data, frame.len, 64);
	rig_send(&rig, m);
	expect(&frame);
	/* The device's own reasons. */
	rig_send(&rig, rig_mbuf(&rig, frame.data, 13, 1));
	assert_int_equal(rig_xstat(&rig, "guest_drop_rx_runt"), 1);
	assert_int_equal(rig_xstat(&rig, "tx_q0_drop_not_taken"), 1);
	m = rig_mbuf(&rig, frame.data, 9000, 1);
	rte_pktmbuf_append(m, 100);
	rig_send(&rig, m);
	assert_int_equal(rig_xstat(&rig, "guest_drop_rx_too_long"), 1);
	expect_nothing();
	assert_int_equal(rte_eth_stats_get(rig.port, &stats), 0);
	assert_true(stats.opackets == 1 && stats.oerrors == bad + 2 && stats.obytes == frame.len);
	rig_close(&rig);
}

/* More than the guest has room for: what came before is there, the rest is counted, nothing is left over. */
static void
full_ring(void **state)
{
	struct rte_mbuf *pkts[300];
	struct mini_frame f;
	uint16_t i, n = 0;

	(void)state;
	open_rig(0);
	make_frame(200);
	for (i = 0; i < RTE_DIM(pkts); i++) {
		put16(frame.data + 18, i);
		pkts[i] = rig_mbuf(&rig, frame.data, frame.len, 1);
	}
	assert_int_equal(rte_eth_tx_burst(rig.port, 0, pkts, RTE_DIM(pkts)), RTE_DIM(pkts));
	for (; mini_recv(&rig.m, 0, &f) == 1; n++)
		assert_int_equal(get16(f.data + 18), n);
	assert_in_range(n, 200, 299);
	assert_int_equal(rig_xstat(&rig, "tx_q0_packets"), n);
	assert_int_equal(rig_xstat(&rig, "guest_drop_rx_no_buffer"), RTE_DIM(pkts) - n);
	assert_int_equal(rig_xstat(&rig, "tx_q0_drop_not_taken"), RTE_DIM(pkts) - n);
	rig_close(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(checksums),
		cmocka_unit_test(large_frames),
		cmocka_unit_test(tags),
		cmocka_unit_test(borrowed_buffers),
		cmocka_unit_test(bad_requests),
		cmocka_unit_test(bad_buffers),
		cmocka_unit_test(full_ring),
	};

	return cmocka_run_group_tests(tests, rig_eal, NULL);
}
