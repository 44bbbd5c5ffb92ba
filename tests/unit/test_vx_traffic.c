/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two ports of the front end on two device cores: frames go from driver to device to device to driver, by the
 * ethdev interface, with every offload, in any number of segments. What arrives is held against what the builder
 * says it should be.
 */
#include "vx_rig.h"

#include <stdio.h>

#define BURST 32
#define ROUNDS 400

static struct vx_rig from, to;
static struct rte_mempool *pool; /* what is sent: small buffers, so that frames have many */
static struct built want[BURST];

static void
begin(uint64_t rx_offloads, uint64_t tx_offloads, uint16_t mtu)
{
	const struct rte_eth_conf conf = {
		.rxmode = { .offloads = rx_offloads, .mtu = mtu },
		.txmode = { .offloads = tx_offloads },
	};

	rig_usual(&from);
	rig_usual(&to);
	rig_run(&from, 1, 1, &conf);
	rig_run(&to, 1, 1, &conf);
	pool = rte_pktmbuf_pool_create("small", 4095, 0, 0, RTE_PKTMBUF_HEADROOM + 1000, SOCKET_ID_ANY);
	assert_non_null(pool);
}

static void
end(void)
{
	struct rte_eth_stats s;

	assert_int_equal(0, rte_eth_stats_get(to.id, &s));
	assert_int_equal(0, s.ierrors);
	assert_int_equal(0, rig_xstat(&to, "rx_q0_bad_completions"));
	assert_int_equal(0, rig_xstat(&from, "tx_q0_bad_completions"));
	/* Both have their buffers from one pool. */
	assert_int_equal(0, rte_eth_dev_stop(from.id));
	assert_int_equal(0, rte_eth_dev_stop(to.id));
	rig_close(&from);
	rig_close(&to);
	assert_int_equal(pool->size, rte_mempool_avail_count(pool));
	rte_mempool_free(pool);
}

/* The frame in segments of any length, headers in the first. */
static struct rte_mbuf *
to_mbuf(const struct built *b, uint32_t max_segs)
{
	uint32_t at, n, room = 1000, left = max_segs;
	struct rte_mbuf *first = NULL, *s;

	for (at = 0; at < b->len; at += n, left--) {
		n = RTE_MIN(b->len - at, room);
		if (b->len - at <= (left - 1) * room)
			n = 1 + rnd(n);
		if (at == 0)
			n = RTE_MAX(n, RTE_MIN(b->len, l4_at(b) + b->l4));
		s = rte_pktmbuf_alloc(pool);
		assert_non_null(s);
		memcpy(rte_pktmbuf_append(s, (uint16_t)n), b->data + at, n);
		if (first == NULL)
			first = s;
		else
			assert_int_equal(0, rte_pktmbuf_chain(first, s));
	}
	first->l2_len = b->l2 & 0x7f;
	first->l3_len = b->l3 & 0x1ff;
	first->l4_len = b->l4 & 0xff;
	first->ol_flags = b->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	return first;
}

static void
send_all(struct rte_mbuf **m, uint16_t n)
{
	struct offload_frame *frames, *list[VMXNET3_BURST_FRAMES];
	uint16_t i, k, sent = 0;

	assert_int_equal(n, rte_eth_tx_prepare(from.id, 0, m, n));
	while (sent < n) {
		sent = (uint16_t)(sent + rte_eth_tx_burst(from.id, 0, m + sent, (uint16_t)(n - sent)));
		while ((k = vmxnet3_dev_tx_begin(from.card, 0, from.burst, VMXNET3_BURST_FRAMES, &frames)) > 0) {
			for (i = 0; i < k; i++)
				list[i] = &frames[i];
			assert_int_equal(k, vmxnet3_dev_deliver(to.card, list, k));
			vmxnet3_dev_tx_end(from.card, 0, from.burst);
		}
	}
}

static uint32_t
read_all(const struct rte_mbuf *m, uint8_t *out)
{
	const void *p = rte_pktmbuf_read(m, 0, m->pkt_len, out);

	if (p != out)
		memcpy(out, p, m->pkt_len);
	return m->pkt_len;
}

/* As it arrives: at least 60 bytes. */
static void
expect_bytes(struct rte_mbuf *m, const uint8_t *data, uint32_t len)
{
	static uint8_t got[FRAME_ROOM];
	const char *why;
	uint32_t i;

	assert_int_equal(0, rte_mbuf_check(m, 1, &why));
	assert_int_equal(RTE_MAX(len, 60u), read_all(m, got));
	assert_memory_equal(data, got, len);
	for (i = len; i < 60; i++)
		assert_int_equal(0, got[i]);
	rte_pktmbuf_free(m);
}

static void
expect_checked(const struct rte_mbuf *m, const struct built *b, bool good)
{
	uint64_t l4 = good ? RTE_MBUF_F_RX_L4_CKSUM_GOOD : RTE_MBUF_F_RX_L4_CKSUM_BAD;
	uint64_t ip = !b->ipv6 ? RTE_MBUF_F_RX_IP_CKSUM_GOOD : 0;

	assert_int_equal(l4, m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK);
	assert_int_equal(ip, m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK);
	assert_int_equal(RTE_PTYPE_L2_ETHER |
		(b->ipv6 ? RTE_PTYPE_L3_IPV6_EXT_UNKNOWN : RTE_PTYPE_L3_IPV4_EXT_UNKNOWN) |
		(b->proto == 6 ? RTE_PTYPE_L4_TCP : RTE_PTYPE_L4_UDP), m->packet_type);
}

/* ---- frames of any size, with and without a request for their checksum, with tags in line and inserted ---- */

static void
frames_arrive_as_they_were_meant(void **state)
{
	struct rte_mbuf *m[BURST];
	uint16_t tci[BURST], n, i, k;
	bool asked[BURST], spoiled[BURST];
	uint32_t round;

	(void)state;
	begin(RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_VLAN_STRIP,
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS, 9000);
	for (round = 0; round < ROUNDS; round++) {
		n = (uint16_t)(1 + rnd(8));
		for (i = 0; i < n; i++) {
			struct shape s = { .ipv6 = rnd(2), .proto = rnd(2) ? 6 : 17,
				.l3_extra = rnd(3) * 8, .payload = rnd(rnd(3) ? 1400 : 8900) };

			build(&want[i], &s);
			asked[i] = rnd(2);
			/* Behind options a wrong sum is nothing to be sure of. */
			spoiled[i] = !asked[i] && s.payload > 0 && s.l3_extra == 0 && rnd(2);
			if (spoiled[i])
				want[i].data[want[i].len - 1] ^= 0x20;
			m[i] = to_mbuf(&want[i], 14);
			tci[i] = rnd(2) ? (uint16_t)(1 + rnd(65535)) : 0;
			if (asked[i]) {
				m[i]->ol_flags |= s.proto == 6 ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
				m[i]->ol_flags |= s.ipv6 ? 0 : RTE_MBUF_F_TX_IP_CKSUM;
				put16(rte_pktmbuf_mtod(m[i], uint8_t *) + field_at(&want[i]), rnd(65536));
			}
			if (tci[i] != 0) {
				m[i]->ol_flags |= RTE_MBUF_F_TX_VLAN;
				m[i]->vlan_tci = tci[i];
			}
		}
		send_all(m, n);
		k = rte_eth_rx_burst(to.id, 0, m, BURST);
		assert_int_equal(n, k);
		for (i = 0; i < n; i++) {
			assert_int_equal(tci[i] != 0, (m[i]->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0);
			if (tci[i] != 0)
				assert_int_equal(tci[i], m[i]->vlan_tci);
			expect_checked(m[i], &want[i], !spoiled[i]);
			expect_bytes(m[i], want[i].data, want[i].len);
		}
	}
	end();
}

/* ---- large frames ---- */

static struct rte_mbuf *
make_large(struct built *b, uint16_t mss)
{
	const struct shape s = { .ipv6 = rnd(2), .proto = 6, .tcp_options = rnd(3) * 4, .seq = rnd(1u << 31),
		.payload = mss + 1u + rnd(15000), .tcp_flags = 0x10 };
	struct rte_mbuf *m;

	build(b, &s);
	m = to_mbuf(b, 22);
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM | (s.ipv6 ? 0 : RTE_MBUF_F_TX_IP_CKSUM);
	m->tso_segsz = mss;
	return m;
}

static void
large_frames_stay_whole_for_who_takes_them(void **state)
{
	struct rte_mbuf *m;
	uint32_t i, skip;
	uint16_t mss;

	(void)state;
	begin(RTE_ETH_RX_OFFLOAD_CHECKSUM | RTE_ETH_RX_OFFLOAD_TCP_LRO, RTE_ETH_TX_OFFLOAD_MULTI_SEGS, 1500);
	for (i = 0; i < ROUNDS; i++) {
		mss = (uint16_t)(536 + rnd(900));
		m = make_large(&want[0], mss);
		send_all(&m, 1);
		assert_int_equal(1, rte_eth_rx_burst(to.id, 0, &m, 1));
		assert_true(m->ol_flags & RTE_MBUF_F_RX_LRO);
		assert_int_equal(mss, m->tso_segsz);
		expect_checked(m, &want[0], true);
		assert_int_equal(want[0].len, m->pkt_len);
		/* The TCP checksum in the header of a large frame means nothing. */
		skip = field_at(&want[0]);
		memcpy(want[0].data + skip, rte_pktmbuf_mtod_offset(m, uint8_t *, skip), 2);
		expect_bytes(m, want[0].data, want[0].len);
	}
	end();
}

static void
large_frames_are_cut_for_others(void **state)
{
	static uint8_t got[FRAME_ROOM], payload[FRAME_ROOM];
	struct rte_mbuf *m[BURST];
	uint32_t i, len, hdr, at;
	uint16_t mss, k, j;

	(void)state;
	begin(RTE_ETH_RX_OFFLOAD_CHECKSUM, RTE_ETH_TX_OFFLOAD_MULTI_SEGS, 1500);
	for (i = 0; i < ROUNDS; i++) {
		mss = (uint16_t)(900 + rnd(500));
		m[0] = make_large(&want[0], mss);
		hdr = l4_at(&want[0]) + want[0].l4;
		send_all(m, 1);
		k = rte_eth_rx_burst(to.id, 0, m, BURST);
		assert_int_equal((want[0].len - hdr + mss - 1) / mss, k);
		for (at = j = 0; j < k; j++) {
			read_all(m[j], got);
			/* Short ones are filled up. */
			len = want[0].l2 + (want[0].ipv6 ? 40u + get16(got + want[0].l2 + 4) :
				get16(got + want[0].l2 + 2));
			expect_checked(m[j], &want[0], true);
			/* Its own checksum: the sum over everything, pseudo-header too, is all ones. */
			assert_int_equal(0xffff, plain_sum(got + l4_at(&want[0]), len - l4_at(&want[0]),
				plain_pseudo(got, want[0].l2, want[0].ipv6, 6, len - l4_at(&want[0]))));
			memcpy(payload + at, got + hdr, len - hdr);
			at += len - hdr;
			rte_pktmbuf_free(m[j]);
		}
		assert_int_equal(want[0].len - hdr, at);
		assert_memory_equal(want[0].data + hdr, payload, at);
	}
	end();
}

/* ---- back-pressure ---- */

/* A loop that never drops: what does not fit waits, what arrives is in order, and all of it arrives. */
static void
nothing_is_lost_or_reordered(void **state)
{
	struct offload_frame *frames, *list[VMXNET3_BURST_FRAMES];
	uint32_t sent = 0, received = 0, stalls = 0, i;
	struct rte_mbuf *m[BURST];
	uint16_t n, k;

	(void)state;
	begin(0, 0, 1500);
	while (received < 100000) {
		/* The receiver has 112 buffers: no more may be under way. */
		for (n = 0; n < BURST && sent + n - received < 112; n++) {
			m[n] = rte_pktmbuf_alloc(pool);
			assert_non_null(m[n]);
			memset(rte_pktmbuf_append(m[n], 64), 2, 64);
			memcpy(rte_pktmbuf_mtod_offset(m[n], void *, 20), &(uint32_t){ sent + n }, 4);
		}
		k = rte_eth_tx_burst(from.id, 0, m, n);
		stalls += k < n;
		rte_pktmbuf_free_bulk(m + k, n - k);
		sent += k;
		if (rnd(4) == 0) {
			k = vmxnet3_dev_tx_begin(from.card, 0, from.burst, (uint16_t)(1 + rnd(64)), &frames);
			for (i = 0; i < k; i++) {
				memcpy(frames[i].seg[0].data, (const uint8_t[6])RIG_MAC, 6);
				list[i] = &frames[i];
			}
			assert_int_equal(k, vmxnet3_dev_deliver(to.card, list, k));
			if (k > 0)
				vmxnet3_dev_tx_end(from.card, 0, from.burst);
		}
		n = rte_eth_rx_burst(to.id, 0, m, (uint16_t)rnd(BURST));
		for (i = 0; i < n; i++, received++)
			assert_memory_equal(&received, rte_pktmbuf_mtod_offset(m[i], void *, 20), 4);
		rte_pktmbuf_free_bulk(m, n);
	}
	printf("%u frames, %u bursts cut short\n", received, stalls);
	while (rte_eth_rx_burst(to.id, 0, m, 1) == 1)
		rte_pktmbuf_free(m[0]);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_arrive_as_they_were_meant),
		cmocka_unit_test(large_frames_stay_whole_for_who_takes_them),
		cmocka_unit_test(large_frames_are_cut_for_others),
		cmocka_unit_test(nothing_is_lost_or_reordered),
	};

	return rig_eal() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
