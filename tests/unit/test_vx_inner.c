/* SPDX-License-Identifier: BSD-3-Clause */
/* Completions that describe the headers inside of a tunnel: packet types of all layers, checksums of both. */
#include "vx_bare.h"
#include "vx_wrap.h"

static struct bare port;
static struct hand hand;

/* The wrapped frame comes; @p dw3 is what the device says of the inner headers. */
static struct rte_mbuf *
come(uint32_t dw0, uint32_t dw3)
{
	struct vmxnet3_desc d;
	struct rte_mbuf *got;
	int index = hand_buffer(&hand, 0, &d);

	assert_true(index >= 0);
	memcpy((void *)((uintptr_t)d.dw[1] << 32 | d.dw[0]), out.data, out.len);
	hand_completion(&hand, (uint32_t)index | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP | VMXNET3_RCD_INNER | dw0, 0x1234, out.len,
		dw3 | VMXNET3_CD_TYPE_RX << VMXNET3_CD_TYPE_SHIFT);
	assert_int_equal(1, vx_recv(&port, &got, 1));
	assert_int_equal(out.len, got->pkt_len);
	assert_memory_equal(out.data, rte_pktmbuf_mtod(got, uint8_t *), out.len);
	return got;
}

static uint64_t
flags_of(uint32_t dw0, uint32_t dw3)
{
	struct rte_mbuf *got = come(dw0, dw3);
	uint64_t flags = got->ol_flags;

	rte_pktmbuf_free(got);
	return flags;
}

static uint32_t
good(void)
{
	return VMXNET3_RCD_IPC | VMXNET3_RCD_TUC | (in.ipv6 ? VMXNET3_RCD_V6 : VMXNET3_RCD_V4) |
		(in.proto == 6 ? VMXNET3_RCD_TCP : VMXNET3_RCD_UDP);
}

static void
begin_receive(uint64_t offloads)
{
	bare_open(&port, &(struct bare_conf){ .rx_offloads = RTE_ETH_RX_OFFLOAD_CHECKSUM | offloads });
	hand_open(&hand, &port, 0);
}

static void
inner_results_have_types(void **state)
{
	static const uint32_t tunnels[NB_KINDS] = {
		[VXLAN] = RTE_PTYPE_TUNNEL_VXLAN | RTE_PTYPE_L4_UDP | RTE_PTYPE_INNER_L2_ETHER,
		[LINUX_VXLAN] = RTE_PTYPE_TUNNEL_VXLAN | RTE_PTYPE_L4_UDP | RTE_PTYPE_INNER_L2_ETHER,
		[GENEVE] = RTE_PTYPE_TUNNEL_GENEVE | RTE_PTYPE_L4_UDP | RTE_PTYPE_INNER_L2_ETHER,
		[GRE] = RTE_PTYPE_TUNNEL_GRE,
		[NVGRE] = RTE_PTYPE_TUNNEL_NVGRE | RTE_PTYPE_INNER_L2_ETHER,
		[IPIP] = RTE_PTYPE_TUNNEL_IP,
	};
	struct rte_mbuf *got;
	uint32_t i, expect;

	(void)state;
	begin_receive(0);
	for (i = 0; i < 400; i++) {
		struct wrap w = random_wrap();

		w.inner.l3_extra = 0;
		w.outer_csum = rnd(2);
		wrap(&w);
		got = come(7u << VMXNET3_RCD_RSS_TYPE_SHIFT | VMXNET3_RCD_INNER_RSS, good());
		expect = RTE_PTYPE_L2_ETHER;
		if (w.kind != OTHER_PORT)
			expect |= tunnels[w.kind] | (w.ipv6 ? RTE_PTYPE_L3_IPV6_EXT_UNKNOWN : RTE_PTYPE_L3_IPV4_EXT_UNKNOWN) |
				(in.ipv6 ? RTE_PTYPE_INNER_L3_IPV6_EXT_UNKNOWN : RTE_PTYPE_INNER_L3_IPV4_EXT_UNKNOWN) |
				(in.proto == 6 ? RTE_PTYPE_INNER_L4_TCP : RTE_PTYPE_INNER_L4_UDP);
		assert_int_equal(expect, got->packet_type);
		assert_true(got->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
		assert_int_equal(0x1234, got->hash.rss);
		assert_int_equal(w.kind != OTHER_PORT, !!(got->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD));
		assert_int_equal(w.kind != OTHER_PORT && !in.ipv6, !!(got->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_GOOD));
		/* Nobody asked for those outside. */
		assert_int_equal(0, got->ol_flags & (RTE_MBUF_F_RX_OUTER_L4_CKSUM_MASK | RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD));
		rte_pktmbuf_free(got);
	}
	assert_int_equal(0, vx_rx_stats(&port).bad_completions);
	bare_close(&port);
}

#define OUTER_BITS (RTE_MBUF_F_RX_OUTER_L4_CKSUM_MASK | RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD)

static void
outer_checksums_follow(void **state)
{
	uint32_t i;

	(void)state;
	begin_receive(RTE_ETH_RX_OFFLOAD_OUTER_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM);
	for (i = 0; i < 600; i++) {
		struct wrap w = random_wrap();

		w.kind = rnd(3);
		w.outer_csum = true;
		wrap(&w);
		assert_int_equal(RTE_MBUF_F_RX_OUTER_L4_CKSUM_GOOD, flags_of(0, good()) & OUTER_BITS);
		/* Without one, over IPv4, it is right; over IPv6 nothing is known. */
		put16(out.data + out.l4 + 6, 0);
		assert_int_equal(w.ipv6 ? 0 : RTE_MBUF_F_RX_OUTER_L4_CKSUM_GOOD, flags_of(0, good()) & OUTER_BITS);
		wrap(&w);
		/* Anything before the inner layer 4 may be damaged: never the sum of what one bit makes of it. */
		out.data[out.l4 + 8 + rnd(out.in_l3 - out.l4 - 22)] ^= 0x01;
		if (w.kind != GENEVE)
			assert_int_equal(RTE_MBUF_F_RX_OUTER_L4_CKSUM_BAD, flags_of(0, good()) & OUTER_BITS);
		wrap(&w);
		/* The inner one is wrong, or unknown: nothing is known of the outer one. */
		assert_int_equal(0, flags_of(0, good() & ~VMXNET3_RCD_TUC) & OUTER_BITS);
		assert_int_equal(0, flags_of(VMXNET3_RCD_CNC, good()) & OUTER_BITS);
		if (!w.ipv6) {
			put16(out.data + out.l3 + 10, get16(out.data + out.l3 + 10) ^ 0x100);
			assert_true(flags_of(0, good()) & RTE_MBUF_F_RX_OUTER_IP_CKSUM_BAD);
		}
	}
	bare_close(&port);
}

/* Padding behind the inner packet, or an inner UDP without a checksum: the outer one cannot be told from it. */
static void
outer_checksums_that_do_not_follow(void **state)
{
	struct wrap w = { .kind = VXLAN, .outer_csum = true, .inner = { .proto = 17, .payload = 100 } };

	(void)state;
	begin_receive(RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM);
	wrap(&w);
	put16(out.data + out.in_field, 0);
	assert_int_equal(0, flags_of(0, good()) & OUTER_BITS);
	wrap(&w);
	put16(out.data + out.in_l3 + 2, get16(out.data + out.in_l3 + 2) - 2);
	assert_int_equal(0, flags_of(0, good()) & OUTER_BITS);
	wrap(&w);
	put16(out.data + out.l4 + 4, get16(out.data + out.l4 + 4) - 2);
	assert_int_equal(0, flags_of(0, good()) & OUTER_BITS);
	bare_close(&port);
}

/* Of a large frame the inner checksum is not made, so nothing follows for the outer one. */
static void
outer_checksum_of_a_large_frame(void **state)
{
	struct wrap w = { .kind = VXLAN, .outer_csum = true, .inner = { .proto = 6, .payload = 3000 } };
	struct vmxnet3_desc d;
	struct rte_mbuf *got;
	int index;

	(void)state;
	begin_receive(RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TCP_LRO);
	wrap(&w);
	put16(out.data + out.in_field, 0x1234);
	index = hand_buffer(&hand, 0, &d);
	assert_true(index >= 0);
	memcpy((void *)((uintptr_t)d.dw[1] << 32 | d.dw[0]), out.data, 1000);
	hand_completion(&hand, (uint32_t)index | VMXNET3_RCD_SOP | VMXNET3_RCD_EOP | VMXNET3_RCD_INNER, 3, 1000,
		good() | 1400 | VMXNET3_CD_TYPE_RX_LRO << VMXNET3_CD_TYPE_SHIFT);
	assert_int_equal(1, vx_recv(&port, &got, 1));
	assert_true(got->ol_flags & RTE_MBUF_F_RX_LRO && got->tso_segsz == 1400);
	assert_true(got->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_GOOD);
	assert_int_equal(0, got->ol_flags & OUTER_BITS);
	rte_pktmbuf_free(got);
	bare_close(&port);
}

/* A device that describes what is not there. */
static void
headers_that_do_not_agree(void **state)
{
	struct wrap w = { .kind = VXLAN, .outer_csum = true, .inner = { .proto = 6, .payload = 100 } };
	uint64_t any = RTE_MBUF_F_RX_L4_CKSUM_MASK | RTE_MBUF_F_RX_IP_CKSUM_MASK;
	uint32_t len;

	(void)state;
	begin_receive(RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM);
	wrap(&w);
	assert_int_equal(0, flags_of(0, good() ^ (VMXNET3_RCD_TCP | VMXNET3_RCD_UDP)) & any);
	assert_int_equal(0, flags_of(0, good() ^ (VMXNET3_RCD_V4 | VMXNET3_RCD_V6)) & any);
	for (len = out.in_l4 + 20; len > 0; len--) {
		out.len = len;
		flags_of(0, good()); /* and nothing is read beyond */
	}
	bare_close(&port);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inner_results_have_types),
		cmocka_unit_test(outer_checksums_follow),
		cmocka_unit_test(outer_checksums_that_do_not_follow),
		cmocka_unit_test(outer_checksum_of_a_large_frame),
		cmocka_unit_test(headers_that_do_not_agree),
	};

	return cmocka_run_group_tests(tests, vx_eal, NULL);
}
