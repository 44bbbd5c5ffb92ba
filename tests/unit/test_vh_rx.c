/* SPDX-License-Identifier: BSD-3-Clause */
/* From the guest to the application: what packet buffers hold, for each thing that the application may ask for. */
#include <rte_ip.h>

#include "vh_rig.h"

#define TCP 6
#define UDP 17
#define CSUMS (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
	RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define GOOD4 (RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD)
#define STRIPPED (RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED)

static struct rig rig;
static struct built sent, want;
static uint8_t bytes[FRAME_ROOM + 200];

static void
open_rig(const struct rig_conf *conf)
{
	struct mini_conf guest = roomy(7);

	rig_open(&rig, "queues=4");
	rig_start(&rig, conf);
	rig_plug(&rig, &guest);
}

/* The next frame is @p len bytes of @p data, filled up with zeros to 60. */
static struct rte_mbuf *
expect(const uint8_t *data, uint32_t len, bool chained)
{
	struct rte_mbuf *m = rig_receive_one(&rig);
	uint32_t got = rig_bytes(m, bytes), i;

	rig_check_mbuf(&rig, m, chained);
	assert_int_equal(got, RTE_MAX(len, 60u));
	for (i = 0; i < got; i++) {
		if (bytes[i] != (i < len ? data[i] : 0))
			fail_msg("byte %u of %u is %02x", i, len, bytes[i]);
	}
	return m;
}

static void
expect_drop(const char *name)
{
	struct rte_mbuf *m;
	char counter[64];

	snprintf(counter, sizeof(counter), "rx_q0_drop_%s", name);
	assert_int_equal(rig_receive(&rig, 0, &m, 1), 0);
	assert_int_equal(rig_xstat(&rig, counter), 1);
	assert_int_equal(rte_eth_stats_reset(rig.port), 0);
}

static void
reap(int n)
{
	assert_int_equal(mini_reap(&rig.m, 0), n);
}

/* Frames of every kind, in any number of descriptors, in their order. */
static void
plain(void **state)
{
	const struct rig_conf conf = { .rx_offloads = CSUMS };
	struct rte_mbuf *m;
	uint32_t i, k, len[8], split[16];
	static struct built burst[8];
	struct shape s;

	(void)state;
	open_rig(&conf);
	for (i = 0; i < 300; i++) {
		for (k = 0; k < RTE_DIM(burst); k++) {
			shuffle(&s);
			build(&burst[k], &s);
			len[k] = rnd(8) ? burst[k].len : 14 + rnd(60);
			split[0] = 1 + rnd(len[k] - 1);
			split[1] = len[k] - split[0];
			assert_int_equal(mini_send(&rig.m, 0, burst[k].data, len[k], split,
				split[1] > 0 ? 2 : 1, NULL), 0);
		}
		for (k = 0; k < RTE_DIM(burst); k++) {
			m = expect(burst[k].data, len[k], false);
			/* Checksums are looked at while copying. What is cut short, even with padding, has none. */
			if (len[k] >= burst[k].len)
				assert_int_equal(m->ol_flags, RTE_MBUF_F_RX_L4_CKSUM_GOOD |
					(burst[k].ipv6 ? 0 : RTE_MBUF_F_RX_IP_CKSUM_GOOD));
			else if (burst[k].len > 60)
				assert_int_equal(m->ol_flags, 0);
			rte_pktmbuf_free(m);
		}
		reap(RTE_DIM(burst));
	}
	assert_int_equal(rig_xstat(&rig, "rx_q0_packets"), 300 * RTE_DIM(burst));
	rig_close(&rig);
}

static void
packet_types(void **state)
{
	static const struct {
		struct shape s;
		uint32_t type;
	} cases[] = {
		{ { .proto = TCP }, RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4_EXT_UNKNOWN | RTE_PTYPE_L4_TCP },
		{ { .proto = UDP, .ipv6 = true, .l3_extra = 8 },
			RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV6_EXT_UNKNOWN | RTE_PTYPE_L4_UDP },
		{ { .proto = UDP, .tags = 1 },
			RTE_PTYPE_L2_ETHER_VLAN | RTE_PTYPE_L3_IPV4_EXT_UNKNOWN | RTE_PTYPE_L4_UDP },
		{ { .proto = TCP, .tags = 2 },
			RTE_PTYPE_L2_ETHER_QINQ | RTE_PTYPE_L3_IPV4_EXT_UNKNOWN | RTE_PTYPE_L4_TCP },
		{ { .proto = UDP, .payload = 40 },
			RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4_EXT_UNKNOWN | RTE_PTYPE_L4_SCTP },
	};
	const struct rig_conf conf = { 0 };
	uint32_t types[16], none[1];
	struct rte_mbuf *m;
	size_t i;

	(void)state;
	open_rig(&conf);
	assert_int_equal(rte_eth_dev_get_supported_ptypes(rig.port, RTE_PTYPE_ALL_MASK, types,
		RTE_DIM(types)), 10);
	for (i = 0; i < RTE_DIM(cases); i++) {
		build(&sent, &cases[i].s);
		if ((cases[i].type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_SCTP)
			sent.data[sent.l2 + 9] = 132;
		rig_guest_send(&rig, 0, sent.data, sent.len, NULL);
		m = expect(sent.data, sent.len, false);
		assert_int_equal(m->packet_type, cases[i].type);
		rte_pktmbuf_free(m);
	}
	assert_int_equal(rte_eth_dev_set_ptypes(rig.port, RTE_PTYPE_UNKNOWN, none, 1), 0);
	rig_guest_send(&rig, 0, sent.data, sent.len, NULL);
	m = expect(sent.data, sent.len, false);
	assert_int_equal(m->packet_type, 0);
	rte_pktmbuf_free(m);
	rig_close(&rig);
}

/* What the guest left to its card is done; said to be good only if the application asked. */
static void
checksums(void **state)
{
	static const uint64_t offloads[] = { 0, CSUMS, RTE_ETH_RX_OFFLOAD_UDP_CKSUM };
	struct rig_conf conf = { 0 };
	struct mini_offload o;
	struct rte_mbuf *m;
	uint64_t flags;
	struct shape s;
	size_t k;
	int i;

	(void)state;
	for (k = 0; k < RTE_DIM(offloads); k++) {
		conf.rx_offloads = offloads[k];
		open_rig(&conf);
		for (i = 0; i < 300; i++) {
			shuffle(&s);
			build(&want, &s);
			sent = want;
			put_seed(&sent);
			o = (struct mini_offload){ .om = VMXNET3_OM_CSUM, .hlen = l4_at(&sent),
				.msscof = field_at(&sent) };
			rig_guest_send(&rig, 0, sent.data, sent.len, &o);
			m = expect(want.data, want.len, false);
			flags = 0;
			if (offloads[k] == CSUMS && !s.ipv6)
				flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
			if (offloads[k] == CSUMS || (offloads[k] != 0 && s.proto == UDP))
				flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
			assert_int_equal(m->ol_flags, flags);
			rte_pktmbuf_free(m);
			reap(1);
		}
		rig_close(&rig);
	}
}

/* Whether DPDK's own functions find the checksums right. */
static void
check_sums(const uint8_t *data, uint32_t l2, bool ipv6)
{
	const struct rte_ipv4_hdr *ip4 = (const struct rte_ipv4_hdr *)(data + l2);
	const struct rte_ipv6_hdr *ip6 = (const struct rte_ipv6_hdr *)(data + l2);

	if (ipv6) {
		assert_int_equal(rte_ipv6_udptcp_cksum_verify(ip6, ip6 + 1), 0);
		return;
	}
	assert_int_equal(rte_raw_cksum(ip4, sizeof(*ip4)), 0xffff);
	assert_int_equal(rte_ipv4_udptcp_cksum_verify(ip4, ip4 + 1), 0);
}

static void
send_large(uint32_t payload, uint32_t mss, bool ipv6, unsigned int tags, const struct mini_offload *more)
{
	struct mini_offload o = more != NULL ? *more : (struct mini_offload){ 0 };
	struct shape s = { .proto = TCP, .ipv6 = ipv6, .tags = tags, .payload = payload,
		.seq = rnd(UINT32_MAX), .tcp_flags = 0x018, .ip_id = 65530 };

	build(&sent, &s);
	put_seed(&sent);
	o.om = VMXNET3_OM_TSO;
	o.hlen = l4_at(&sent) + sent.l4;
	o.msscof = mss;
	rig_guest_send(&rig, 0, sent.data, sent.len, &o);
}

/* All pieces of what send_large() sent; @p l2 as they have it. */
static void
expect_pieces(uint32_t mss, uint32_t l2, uint64_t flags)
{
	uint32_t headers = l2 + sent.l3 + sent.l4, at = 0, n;
	const uint8_t *payload = sent.data + l4_at(&sent) + sent.l4;
	uint32_t all = sent.len - l4_at(&sent) - sent.l4;
	struct rte_mbuf *m;

	while (at < all) {
		m = rig_receive_one(&rig);
		rig_check_mbuf(&rig, m, false);
		rig_bytes(m, bytes);
		n = RTE_MIN(mss, all - at);
		assert_int_equal(m->pkt_len, headers + n);
		assert_int_equal(m->ol_flags, flags);
		assert_memory_equal(bytes + headers, payload + at, n);
		assert_int_equal(get32(bytes + l2 + sent.l3 + 4),
			get32(sent.data + l4_at(&sent) + 4) + at);
		check_sums(bytes, l2, sent.ipv6);
		at += n;
		rte_pktmbuf_free(m);
	}
	assert_int_equal(rte_eth_rx_burst(rig.port, 0, &m, 1), 0);
}

/* Cut to what the guest said, whatever the application asks for at once. */
static void
large_frames_are_cut(void **state)
{
	struct rig_conf conf = { .rx_offloads = CSUMS };
	struct rte_mbuf *pkts[RIG_BURST];
	uint16_t i, n, all;
	int k;

	(void)state;
	open_rig(&conf);
	for (k = 0; k < 60; k++) {
		uint32_t mss = 100 + rnd(1300);

		send_large(mss + 1 + rnd(40000), mss, k & 1, 0, NULL);
		expect_pieces(mss, 14, k & 1 ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : GOOD4);
		reap(1);
	}
	assert_int_equal(rig_xstat(&rig, "rx_q0_cut"), 60);
	/* No request left when there is nothing to cut. */
	send_large(200, 1400, false, 0, NULL);
	expect_pieces(1400, 14, GOOD4);
	/* Behind each other, taken in bursts that are no multiple of anything. */
	for (k = 0; k < 10; k++)
		send_large(28000, 1400, false, 0, NULL);
	for (all = 0; all < 200; all = (uint16_t)(all + n)) {
		n = rig_receive(&rig, 0, pkts, RTE_MIN(7, 200 - all));
		assert_true(n > 0);
		for (i = 0; i < n; i++) {
			rig_check_mbuf(&rig, pkts[i], false);
			assert_int_equal(pkts[i]->pkt_len, 54 + 1400);
		}
		rte_pktmbuf_free_bulk(pkts, n);
	}
	assert_int_equal(rig_receive(&rig, 0, pkts, 1), 0);
	/* Pieces that wait for the next burst are gone after a stop, and counted. */
	send_large(28000, 1400, false, 0, NULL);
	assert_int_equal(rte_eth_rx_burst(rig.port, 0, pkts, 3), 3);
	rte_pktmbuf_free_bulk(pkts, 3);
	rig_stop(&rig);
	assert_int_equal(rig_xstat(&rig, "rx_q0_drop_stopped"), 17);
	rig_close(&rig);
}

static void
expect_whole(bool ipv6, uint32_t mss, bool chained, uint64_t flags)
{
	struct rte_mbuf *m = rig_receive_one(&rig);

	rig_check_mbuf(&rig, m, chained);
	assert_int_equal(rig_bytes(m, bytes), sent.len);
	assert_int_equal(m->ol_flags, flags);
	assert_int_equal(m->tso_segsz, mss);
	put_csum(&sent);
	assert_memory_equal(bytes, sent.data, sent.len);
	check_sums(bytes, sent.l2, ipv6);
	assert_int_equal(rte_eth_rx_burst(rig.port, 0, &m, 1), 0);
	rte_pktmbuf_free(m);
}

/* Whole for who enabled LRO and has the room. */
static void
large_frames_stay_whole(void **state)
{
	const uint64_t lro = RTE_ETH_RX_OFFLOAD_TCP_LRO;
	struct rig_conf conf = { .rx_offloads = lro | CSUMS | RTE_ETH_RX_OFFLOAD_SCATTER,
		.max_lro = 65535 };
	int i;

	(void)state;
	open_rig(&conf);
	for (i = 0; i < 40; i++) {
		send_large(1500 + rnd(60000), 1400, i & 1, 0, NULL);
		expect_whole(i & 1, 1400, true, RTE_MBUF_F_RX_LRO |
			(i & 1 ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : GOOD4));
		reap(1);
	}
	assert_int_equal(rig_xstat(&rig, "rx_q0_lro"), 40);
	send_large(1000, 1400, false, 0, NULL);
	expect_pieces(1400, 14, GOOD4);

	/* In one buffer that is large enough, else in pieces. */
	rig_stop(&rig);
	conf.rx_offloads = lro;
	conf.data_room = 20000;
	conf.nb_mbufs = 255;
	rig_start(&rig, &conf);
	send_large(19000, 1000, false, 0, NULL);
	expect_whole(false, 1000, false, RTE_MBUF_F_RX_LRO);
	send_large(20000, 1000, false, 0, NULL);
	expect_pieces(1000, 14, 0);

	/* Not longer than the application said. */
	rig_stop(&rig);
	conf.max_lro = 9000;
	rig_start(&rig, &conf);
	send_large(8000, 1000, false, 0, NULL);
	expect_whole(false, 1000, false, RTE_MBUF_F_RX_LRO);
	send_large(9000, 1000, false, 0, NULL);
	expect_pieces(1000, 14, 0);
	rig_close(&rig);
}

static void
tags(void **state)
{
	const struct mini_offload oob = { .ti = true, .tci = 0xe00f };
	struct shape s = { .proto = UDP, .payload = 100 };
	struct rig_conf conf = { .data_room = 1518 };
	struct mini_offload csum;
	struct rte_mbuf *m;

	(void)state;
	open_rig(&conf);
	build(&sent, &s);
	want = sent;
	tag(&want, 0xe00f);

	/* The guest's tag, beside its frame, goes in. */
	rig_guest_send(&rig, 0, sent.data, sent.len, &oob);
	m = expect(want.data, want.len, false);
	assert_int_equal(m->ol_flags, 0);
	rte_pktmbuf_free(m);
	/* With a checksum to make. */
	csum = oob;
	csum.om = VMXNET3_OM_CSUM;
	csum.hlen = l4_at(&sent);
	csum.msscof = field_at(&sent);
	put_seed(&sent);
	rig_guest_send(&rig, 0, sent.data, sent.len, &csum);
	put_csum(&sent);
	rte_pktmbuf_free(expect(want.data, want.len, false));
	/* Into each piece of a large one. */
	send_large(5000, 1400, false, 0, &oob);
	expect_pieces(1400, 18, 0);
	/* Even if the frame fills its buffer then. */
	s.payload = 1500 - 28;
	build(&sent, &s);
	want = sent;
	tag(&want, 0xe00f);
	rig_guest_send(&rig, 0, sent.data, sent.len, &oob);
	rte_pktmbuf_free(expect(want.data, want.len, false));

	/* Out again, wherever the guest had it. */
	assert_int_equal(rte_eth_dev_set_vlan_offload(rig.port, RTE_ETH_VLAN_STRIP_OFFLOAD), 0);
	rig_guest_send(&rig, 0, sent.data, sent.len, &oob);
	m = expect(sent.data, sent.len, false);
	assert_int_equal(m->ol_flags, STRIPPED);
	assert_int_equal(m->vlan_tci, 0xe00f);
	rte_pktmbuf_free(m);
	rig_guest_send(&rig, 0, want.data, want.len, NULL);
	/* Its data begins elsewhere, as with any NIC that strips. */
	m = rig_receive_one(&rig);
	assert_int_equal(rig_bytes(m, bytes), sent.len);
	assert_memory_equal(bytes, sent.data, sent.len);
	assert_int_equal(m->ol_flags, STRIPPED);
	assert_int_equal(m->vlan_tci, 0xe00f);
	rte_pktmbuf_free(m);
	assert_int_equal(rte_eth_dev_set_vlan_offload(rig.port, 0), 0);
	rig_guest_send(&rig, 0, want.data, want.len, NULL);
	rte_pktmbuf_free(expect(want.data, want.len, false));
	rig_close(&rig);
}

static void
send_payload(uint32_t payload)
{
	struct shape s = { .proto = UDP, .payload = payload };

	build(&sent, &s);
	rig_guest_send(&rig, 0, sent.data, sent.len, NULL);
}

static void
scatter(void **state)
{
	const struct mini_offload oob = { .ti = true, .tci = 7 };
	struct rig_conf conf = { .mtu = 9000, .data_room = 512 };
	struct rte_mbuf *m;
	uint32_t i;

	(void)state;
	open_rig(&conf);
	send_payload(512 - 42);
	rte_pktmbuf_free(expect(sent.data, sent.len, false));
	send_payload(512 - 41);
	expect_drop("no_room");
	send_payload(512 - 44);
	rig_guest_send(&rig, 0, sent.data, sent.len, &oob);
	rte_pktmbuf_free(expect(sent.data, sent.len, false));
	expect_drop("no_room");

	rig_stop(&rig);
	conf.rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER | CSUMS;
	rig_start(&rig, &conf);
	for (i = 0; i < 200; i++) {
		struct mini_offload o = { .om = VMXNET3_OM_CSUM, .ti = i & 1, .tci = 7 };

		send_payload(20 + rnd(8900));
		m = expect(sent.data, sent.len, true);
		assert_int_equal(m->nb_segs, (m->pkt_len + 511) / 512);
		rte_pktmbuf_free(m);

		want = sent;
		if (o.ti)
			tag(&want, 7);
		put_seed(&sent);
		o.hlen = l4_at(&sent);
		o.msscof = field_at(&sent);
		rig_guest_send(&rig, 0, sent.data, sent.len, &o);
		m = expect(want.data, want.len, true);
		assert_int_equal(m->ol_flags, GOOD4);
		rte_pktmbuf_free(m);
		reap(i == 0 ? 6 : 2);
	}
	rig_close(&rig);
}

static void
mtu(void **state)
{
	struct rig_conf conf = { .mtu = 1500, .data_room = 9100 };

	(void)state;
	open_rig(&conf);
	send_payload(1500 - 28);
	rte_pktmbuf_free(expect(sent.data, sent.len, false));
	tag(&sent, 1);
	rig_guest_send(&rig, 0, sent.data, sent.len, NULL);
	rte_pktmbuf_free(expect(sent.data, sent.len, false));
	send_payload(1501 - 28);
	expect_drop("too_long");
	send_large(9000, 8000, false, 0, NULL);
	expect_drop("too_long");
	assert_int_equal(rte_eth_dev_set_mtu(rig.port, 9000), 0);
	send_payload(9000 - 28);
	rte_pktmbuf_free(expect(sent.data, sent.len, false));
	assert_int_equal(rte_eth_dev_set_mtu(rig.port, 9001), -EINVAL);
	assert_int_equal(rte_eth_dev_set_mtu(rig.port, 576), 0);
	send_payload(577 - 28);
	expect_drop("too_long");
	rig_close(&rig);
}

/* Without packet buffers, frames wait in the guest's ring. */
static void
no_buffers(void **state)
{
	const struct rig_conf conf = { .nb_mbufs = 63 };
	struct rte_mbuf *pkts[63], *m;
	uint16_t i, got = 0, n, seen = 0;

	(void)state;
	open_rig(&conf);
	for (i = 0; i < 200; i++) {
		uint8_t frame[60] = { [12] = 0x88, [13] = 0xb5, [14] = (uint8_t)i };

		rig_guest_send(&rig, 0, frame, sizeof(frame), NULL);
	}
	while ((n = rig_receive(&rig, 0, pkts + got, (uint16_t)RTE_MIN(10, 63 - got))) > 0)
		got = (uint16_t)(got + n);
	assert_int_equal(got, 63);
	assert_int_equal(rte_eth_rx_burst(rig.port, 0, &m, 1), 0);
	assert_true(rig_xstat(&rig, "rx_q0_alloc_failed") > 0);
	for (i = 0; i < got; i++)
		assert_int_equal(rte_pktmbuf_mtod(pkts[i], uint8_t *)[14], seen++);
	rte_pktmbuf_free_bulk(pkts, got);
	while (seen < 200) {
		m = rig_receive_one(&rig);
		assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[14], seen++);
		rte_pktmbuf_free(m);
	}
	/* A large one cannot wait: it was taken before its pieces were known. */
	for (i = 0; i < 60; i++)
		pkts[i] = rte_pktmbuf_alloc(rig.pool);
	send_large(10000, 1000, false, 0, NULL);
	for (got = 0; rig_receive(&rig, 0, &m, 1) == 1; got++)
		rte_pktmbuf_free(m);
	assert_true(got < 10);
	assert_int_equal(rig_xstat(&rig, "rx_q0_drop_no_mbuf"), 10 - got);
	for (i = 0; i < 60; i++)
		rte_pktmbuf_free(pkts[i]);
	rig_close(&rig);
}

/*
 * Three queues, whose guest uses two. While frames come a queue may have buffers in stock; when none came for some time
 * every one is back, in a queue that the guest does not use as well, and the next frames find their way.
 */
static void
idle_queues_hold_no_buffer(void **state)
{
	struct rte_mbuf *m[RIG_BURST];
	uint32_t round, q, i, n;

	(void)state;
	rig_open(&rig, "queues=4");
	rig_start(&rig, &(struct rig_conf){ .nb_rx = 3, .nb_mbufs = 255 });
	rig_plug_usual(&rig, 2);
	for (round = 0; round < 3; round++) {
		for (q = 0; q < 2; q++) {
			for (i = 0; i < 5; i++) {
				make_frame(100);
				rig_guest_send(&rig, q, frame.data, frame.len, NULL);
			}
			n = rig_receive(&rig, (uint16_t)q, m, 5);
			assert_int_equal(5, n);
			rte_pktmbuf_free_bulk(m, n);
			assert_int_equal(5, mini_reap(&rig.m, q));
		}
		for (q = 0; q < 3; q++) {
			for (i = 0; i < 200; i++)
				assert_int_equal(0, rte_eth_rx_burst(rig.port, (uint16_t)q, m, RIG_BURST));
		}
		assert_int_equal(rig.pool->size, rte_mempool_avail_count(rig.pool));
	}
	rig_close(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(packet_types),
		cmocka_unit_test(checksums),
		cmocka_unit_test(large_frames_are_cut),
		cmocka_unit_test(large_frames_stay_whole),
		cmocka_unit_test(tags),
		cmocka_unit_test(scatter),
		cmocka_unit_test(mtu),
		cmocka_unit_test(no_buffers),
		cmocka_unit_test(idle_queues_hold_no_buffer),
	};

	return cmocka_run_group_tests(tests, rig_eal, NULL);
}
