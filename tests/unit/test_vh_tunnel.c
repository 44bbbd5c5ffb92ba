/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the application to the guest: requests about headers inside of tunnels, and datagrams to be cut. What arrives is
 * compared with frames made here from scratch.
 */
#include <rte_errno.h>

#include "tunnel_frames.h"
#include "vh_rig.h"

#define TCP 6
#define UDP 17

static struct rig rig;
static struct built inner, sent, want;

static void
open_rig(void)
{
	const struct rig_conf conf = { .mtu = 9000, .data_room = 32000, .nb_mbufs = 255, .tx_offloads =
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM |
		RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_SCTP_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_UDP_TSO |
		RTE_ETH_TX_OFFLOAD_OUTER_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_OUTER_UDP_CKSUM |
		RTE_ETH_TX_OFFLOAD_VXLAN_TNL_TSO | RTE_ETH_TX_OFFLOAD_GENEVE_TNL_TSO };
	struct mini_conf guest = roomy(7);

	guest.rx_mode |= VMXNET3_RXM_PROMISC;
	rig_open(&rig, "queues=4");
	rig_start(&rig, &conf);
	rig_plug(&rig, &guest);
}

static void
expect(const struct built *b)
{
	struct mini_frame f;

	rig_guest_receive(&rig, &f);
	expect_bytes(&f, b->data, b->len);
	mini_refill(&rig.m, 0, UINT32_MAX);
}

static void
expect_nothing(void)
{
	struct mini_frame f;

	assert_int_equal(mini_recv(&rig.m, 0, &f), 0);
}

static uint64_t
ip_flags(bool inner_ipv6, bool outer_ipv6)
{
	return (inner_ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM) |
		(outer_ipv6 ? RTE_MBUF_F_TX_OUTER_IPV6 : RTE_MBUF_F_TX_OUTER_IPV4 | RTE_MBUF_F_TX_OUTER_IP_CKSUM);
}

/* What is in "sent", a tunnel around "inner", with everything that is asked for spoiled. */
static struct rte_mbuf *
make(const struct tunnel *t, uint64_t flags, uint16_t parts)
{
	uint32_t at = tunnel_end(&sent, t);
	struct rte_mbuf *m;

	put16(sent.data + at + field_at(&inner), rnd(65536));
	if (!inner.ipv6)
		put16(sent.data + at + inner.l2 + 10, rnd(65536));
	if (!t->ipv6)
		put16(sent.data + sent.l2 + 10, rnd(65536));
	if (t->csum)
		put16(sent.data + field_at(&sent), rnd(65536));
	m = rig_mbuf(&rig, sent.data, sent.len, parts);
	m->ol_flags = flags | ip_flags(inner.ipv6, t->ipv6) |
		(t->geneve ? RTE_MBUF_F_TX_TUNNEL_GENEVE : RTE_MBUF_F_TX_TUNNEL_VXLAN) |
		(t->csum ? RTE_MBUF_F_TX_OUTER_UDP_CKSUM : 0);
	m->outer_l2_len = sent.l2 & 0x7f;
	m->outer_l3_len = sent.l3 & 0x1ff;
	m->l2_len = (at - sent.l2 - sent.l3 + inner.l2) & 0x7f;
	m->l3_len = inner.l3 & 0x1ff;
	m->l4_len = inner.l4 & 0xff;
	return m;
}

static void
shuffle_both(struct shape *s, struct tunnel *t)
{
	shuffle(s);
	s->tags = rnd(4) == 0;
	s->tpid = 0;
	shuffle_tunnel(t);
}

static void
checksums(void **state)
{
	struct rte_mbuf *m;
	struct tunnel t;
	struct shape s;
	int i;

	(void)state;
	open_rig();
	for (i = 0; i < 1000; i++) {
		shuffle_both(&s, &t);
		build(&inner, &s);
		wrap(&want, &inner, &t);
		sent = want;
		m = make(&t, s.proto == TCP ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM, (uint16_t)(1 + rnd(8)));
		assert_int_equal(rte_eth_tx_prepare(rig.port, 0, &m, 1), 1);
		rig_send(&rig, m);
		expect(&want);
	}
	assert_int_equal(rig_xstat(&rig, "tx_q0_packets"), 1000);
	rig_close(&rig);
}

/* Without an inner request the outer one is as any other. */
static void
outer_checksum_alone(void **state)
{
	struct rte_mbuf *m;
	struct tunnel t;
	struct shape s;
	int i;

	(void)state;
	open_rig();
	for (i = 0; i < 200; i++) {
		shuffle_both(&s, &t);
		t.csum = true;
		build(&inner, &s);
		wrap(&want, &inner, &t);
		sent = want;
		put16(sent.data + field_at(&sent), rnd(65536));
		m = rig_mbuf(&rig, sent.data, sent.len, 1);
		m->ol_flags = RTE_MBUF_F_TX_OUTER_UDP_CKSUM | (t.ipv6 ? RTE_MBUF_F_TX_OUTER_IPV6 : RTE_MBUF_F_TX_OUTER_IPV4) |
			(i & 1 ? RTE_MBUF_F_TX_TUNNEL_VXLAN : 0);
		m->outer_l2_len = sent.l2 & 0x7f;
		m->outer_l3_len = sent.l3 & 0x1ff;
		rig_send(&rig, m);
		expect(&want);
	}
	rig_close(&rig);
}

static void
segmentation(void **state)
{
	struct rte_mbuf *m;
	struct tunnel t;
	static struct built piece;
	struct shape s;
	uint32_t mss, n, k;
	int i;

	(void)state;
	open_rig();
	for (i = 0; i < 150; i++) {
		shuffle_both(&s, &t);
		s.proto = TCP;
		s.tcp_flags = (uint16_t)(0x010 | rnd(2) << 3);
		s.payload = 1 + rnd(30000);
		mss = 300 + rnd(2000);
		build(&inner, &s);
		wrap(&sent, &inner, &t);
		m = make(&t, RTE_MBUF_F_TX_TCP_SEG, (uint16_t)(1 + rnd(20)));
		m->tso_segsz = (uint16_t)mss;
		assert_int_equal(rte_eth_tx_prepare(rig.port, 0, &m, 1), 1);
		rig_send(&rig, m);
		n = (s.payload + mss - 1) / mss;
		for (k = 0; k < n; k++, t.ip_id++) {
			cut_piece(&piece, &inner, &s, mss, k);
			wrap(&want, &piece, &t);
			expect(&want);
		}
		expect_nothing();
	}
	assert_int_equal(rig_xstat(&rig, "tx_q0_tso"), 150);
	rig_close(&rig);
}

/* One datagram of many, by the lengths and identification that a datagram has. */
static void
datagrams_are_cut(void **state)
{
	static struct built large;
	struct shape s, p;
	struct rte_mbuf *m;
	uint32_t mss, at;
	int i;

	(void)state;
	open_rig();
	for (i = 0; i < 100; i++) {
		shuffle(&s);
		s.proto = UDP;
		s.payload = 1 + rnd(30000);
		mss = 100 + rnd(3000);
		build(&large, &s);
		m = rig_mbuf(&rig, large.data, large.len, (uint16_t)(1 + rnd(20)));
		m->ol_flags = RTE_MBUF_F_TX_UDP_SEG | (s.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
		m->l2_len = large.l2 & 0x7f;
		m->l3_len = large.l3 & 0x1ff;
		m->l4_len = 8;
		m->tso_segsz = (uint16_t)mss;
		assert_int_equal(rte_eth_tx_prepare(rig.port, 0, &m, 1), 1);
		rig_send(&rig, m);
		for (at = 0, p = s; at < s.payload; at += mss, p.ip_id++) {
			p.payload = RTE_MIN(mss, s.payload - at);
			build(&want, &p);
			memcpy(want.data + l4_at(&want) + 8, large.data + l4_at(&large) + 8 + at, p.payload);
			put_csum(&want);
			expect(&want);
		}
		expect_nothing();
	}
	rig_close(&rig);
}

/* CRC-32c, bit by bit. */
static uint32_t
crc32c(const uint8_t *p, uint32_t len)
{
	uint32_t crc = UINT32_MAX, i, k;

	for (i = 0; i < len; i++) {
		crc ^= p[i];
		for (k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	}
	return ~crc;
}

static void
sctp(void **state)
{
	struct rte_mbuf *m;
	struct shape s;
	uint32_t crc;
	uint8_t *l4;
	int i;

	(void)state;
	assert_int_equal(0xe3069283, crc32c((const uint8_t *)"123456789", 9)); /* RFC 3720 */
	open_rig();
	for (i = 0; i < 200; i++) {
		shuffle(&s);
		s.proto = UDP;
		s.l3_extra = 0;
		s.payload += 4;
		build(&want, &s);
		want.data[want.l2 + (s.ipv6 ? 6 : 9)] = 132;
		if (!s.ipv6)
			seal_ipv4(&want);
		l4 = want.data + l4_at(&want);
		put32(l4 + 8, 0);
		crc = crc32c(l4, want.len - l4_at(&want));
		sent = want;
		put32(sent.data + l4_at(&want) + 8, rnd(UINT32_MAX));
		put32(l4 + 8, __builtin_bswap32(crc));
		m = rig_mbuf(&rig, sent.data, sent.len, (uint16_t)(1 + rnd(8)));
		m->ol_flags = RTE_MBUF_F_TX_SCTP_CKSUM | (s.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4);
		m->l2_len = sent.l2 & 0x7f;
		m->l3_len = sent.l3 & 0x1ff;
		assert_int_equal(rte_eth_tx_prepare(rig.port, 0, &m, 1), 1);
		rig_send(&rig, m);
		expect(&want);
	}
	rig_close(&rig);
}

static void
refused(struct rte_mbuf *m, int error)
{
	static uint64_t before;

	assert_int_equal(rte_eth_tx_prepare(rig.port, 0, &m, 1), 0);
	assert_int_equal(rte_errno, error);
	before = rig_xstat(&rig, "tx_q0_drop_bad_offload") + rig_xstat(&rig, "guest_drop_rx_bad_offload");
	rig_send(&rig, m);
	expect_nothing();
	assert_int_equal(before + 1, rig_xstat(&rig, "tx_q0_drop_bad_offload") + rig_xstat(&rig, "guest_drop_rx_bad_offload"));
}

static void
what_cannot_be_is_refused(void **state)
{
	const struct shape s = { .proto = TCP, .payload = 3000 };
	const struct tunnel t = { .csum = true };
	struct rte_mbuf *m;

	(void)state;
	open_rig();
	build(&inner, &s);
	wrap(&sent, &inner, &t);
	m = make(&t, RTE_MBUF_F_TX_TCP_SEG, 1);
	refused(m, EINVAL); /* no MSS */
	m = make(&t, RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG, 1);
	m->tso_segsz = 1000;
	refused(m, EINVAL);
	m = make(&t, RTE_MBUF_F_TX_TCP_CKSUM, 1);
	m->outer_l3_len = 0;
	refused(m, EINVAL);
	m = make(&t, RTE_MBUF_F_TX_TCP_CKSUM, 1);
	m->l2_len = 127;
	m->l3_len = 511;
	m->outer_l2_len = 127;
	m->outer_l3_len = 511;
	refused(m, EINVAL);
	rig_close(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checksums),
		cmocka_unit_test(outer_checksum_alone),
		cmocka_unit_test(segmentation),
		cmocka_unit_test(datagrams_are_cut),
		cmocka_unit_test(sctp),
		cmocka_unit_test(what_cannot_be_is_refused),
	};

	return cmocka_run_group_tests(tests, rig_eal, NULL);
}
