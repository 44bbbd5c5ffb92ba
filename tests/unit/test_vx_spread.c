/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * RSS with all 32 queues: 100,000 flows are spread evenly, each stays in its queue until the table is changed, and the
 * headers that count are those that the application chose. DPDK's own Toeplitz is the judge.
 */
#include <rte_thash.h>

#include "vx_rig.h"
#include "vx_wrap.h"

#define NB_FLOWS  100000
#define NB_QUEUES VMXNET3_MAX_RX_QUEUES

static struct vx_rig r;
static uint8_t key[VX_RSS_KEY_BYTES];
static uint16_t table[VX_RETA_SIZE];
static uint32_t count[NB_QUEUES];

static void
begin(uint64_t hf)
{
	const struct vx_rig_opts opts = { .revisions = 0x1ff, .max_rev = 9, .max_rx_queues = NB_QUEUES };
	struct rte_eth_conf conf = {
		.rxmode = { .mq_mode = RTE_ETH_MQ_RX_RSS, .offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH },
		.rx_adv_conf.rss_conf.rss_hf = hf,
	};
	struct rte_eth_rss_conf got = { .rss_key = key, .rss_key_len = sizeof(key) };
	unsigned int i;

	assert_int_equal(0, rig_open(&r, &opts));
	rig_run(&r, NB_QUEUES, 1, &conf);
	assert_int_equal(0, rte_eth_promiscuous_enable(r.id));
	assert_int_equal(0, rte_eth_dev_rss_hash_conf_get(r.id, &got));
	for (i = 0; i < VX_RETA_SIZE; i++)
		table[i] = i % NB_QUEUES;
	memset(count, 0, sizeof(count));
}

static uint32_t
words_of(const uint8_t *ip, bool ipv6, uint32_t *words)
{
	uint32_t nb = 0, i;

	for (i = ipv6 ? 8 : 12; i < (ipv6 ? 40u : 20u); i += 4)
		words[nb++] = get32(ip + i);
	return nb;
}

/* Addresses, and layer 4's ports or ESP's SPI. */
static uint32_t
hash_of(const uint8_t *ip, bool ipv6, const uint8_t *l4)
{
	uint32_t words[9], nb = words_of(ip, ipv6, words);

	words[nb++] = get32(l4);
	return rte_softrss(words, nb, key);
}

/* A flow that random numbers make, with little in it. */
static void
make_flow(struct built *f, uint8_t proto, bool ipv6)
{
	const struct shape s = { .proto = proto, .ipv6 = ipv6, .payload = 10 };
	uint32_t i;

	build(f, &s);
	for (i = ipv6 ? 8 : 12; i < (ipv6 ? 40u : 20u); i++)
		f->data[f->l2 + i] = (uint8_t)rnd(256);
	put32(f->data + f->l2 + f->l3, rnd(UINT32_MAX));
	if (!ipv6)
		seal_ipv4(f);
	put_csum(f);
}

/* It comes to the queue of this hash, and says so. */
static void
expect_queue(const uint8_t *data, uint32_t len, uint32_t hash)
{
	uint16_t queue = table[hash % VX_RETA_SIZE];
	struct rte_mbuf *m;

	assert_true(rig_deliver(&r, data, len));
	m = rig_receive(&r, queue);
	if (m == NULL)
		fail_msg("nothing in queue %u", queue);
	assert_true(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	assert_int_equal(hash, m->hash.rss);
	rte_pktmbuf_free(m);
	count[queue]++;
}

static void
expect_even(uint32_t flows)
{
	uint32_t ideal = flows / NB_QUEUES, q;

	for (q = 0; q < NB_QUEUES; q++) {
		if (count[q] < ideal - ideal / 10 || count[q] > ideal + ideal / 10)
			fail_msg("queue %u has %u flows, %u would be ideal", q, count[q], ideal);
	}
}

static void
test_flows_are_spread(void **state)
{
	static struct built f;
	uint32_t i;

	(void)state;
	begin(RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
		RTE_ETH_RSS_NONFRAG_IPV6_UDP);
	for (i = 0; i < NB_FLOWS; i++) {
		make_flow(&f, i & 1 ? 6 : 17, i & 2);
		expect_queue(f.data, f.len, hash_of(f.data + f.l2, f.ipv6, f.data + l4_at(&f)));
	}
	expect_even(NB_FLOWS);
	rig_close(&r);
}

/* Whatever else changes in its frames; but it goes where the table says. */
static void
test_flows_stay(void **state)
{
	struct rte_eth_rss_reta_entry64 groups[2];
	static struct built f;
	uint32_t i, k, hash;

	(void)state;
	begin(RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP);
	for (i = 0; i < 100; i++) {
		make_flow(&f, 6, i & 1);
		hash = hash_of(f.data + f.l2, f.ipv6, f.data + l4_at(&f));
		for (k = 0; k < 20; k++) {
			if (k == 10) {
				uint16_t entry = hash % VX_RETA_SIZE;

				table[entry] = (uint16_t)((table[entry] + 1 + rnd(NB_QUEUES - 1)) % NB_QUEUES);
				memset(groups, 0, sizeof(groups));
				groups[entry / 64].mask = RTE_BIT64(entry % 64);
				groups[entry / 64].reta[entry % 64] = table[entry];
				assert_int_equal(0, rte_eth_dev_rss_reta_update(r.id, groups, VX_RETA_SIZE));
			}
			put32(f.data + l4_at(&f) + 4, rnd(UINT32_MAX));
			put_csum(&f);
			expect_queue(f.data, f.len, hash);
		}
	}
	rig_close(&r);
}

/* One tunnel: outside it is one flow, inside there are many. */
static void
test_inner_headers(void **state)
{
	static const enum kind kinds[] = { VXLAN, GENEVE, NVGRE };
	struct rte_eth_rss_conf conf = { .rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV4_UDP |
		RTE_ETH_RSS_NONFRAG_IPV6_UDP | RTE_ETH_RSS_IPV4 };
	struct rte_mbuf *m;
	uint32_t i;

	(void)state;
	begin(conf.rss_hf | RTE_ETH_RSS_LEVEL_INNERMOST);
	for (i = 0; i < 32000; i++) {
		struct wrap w = { .kind = kinds[i % RTE_DIM(kinds)], .inner = { .proto = 6 } };

		wrap(&w);
		put32(out.data + out.in_l4, rnd(UINT32_MAX));
		put32(out.data + out.in_l3 + 12, rnd(UINT32_MAX));
		expect_queue(out.data, out.len, hash_of(out.data + out.in_l3, false, out.data + out.in_l4));
	}
	expect_even(32000);
	/* Back to the outer headers: one queue. */
	assert_int_equal(0, rte_eth_dev_rss_hash_update(r.id, &conf));
	for (i = 0; i < 100; i++) {
		struct wrap w = { .kind = VXLAN, .inner = { .proto = 6 } };

		wrap(&w);
		put32(out.data + out.in_l4, rnd(UINT32_MAX));
		expect_queue(out.data, out.len, hash_of(out.data + out.l3, false, out.data + out.l4));
	}
	/* And inwards again. */
	conf.rss_hf |= RTE_ETH_RSS_LEVEL_INNERMOST;
	assert_int_equal(0, rte_eth_dev_rss_hash_update(r.id, &conf));
	expect_queue(out.data, out.len, hash_of(out.data + out.in_l3, false, out.data + out.in_l4));
	/* A level with nothing to hash is no RSS. */
	conf.rss_hf = RTE_ETH_RSS_LEVEL_INNERMOST;
	assert_int_equal(0, rte_eth_dev_rss_hash_update(r.id, &conf));
	assert_true(rig_deliver(&r, out.data, out.len));
	m = rig_receive(&r, 0);
	assert_non_null(m);
	assert_false(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	rte_pktmbuf_free(m);
	rig_close(&r);
}

static void
test_esp(void **state)
{
	static struct built f;
	uint32_t i;

	(void)state;
	begin(RTE_ETH_RSS_ESP);
	for (i = 0; i < 32000; i++) {
		make_flow(&f, 6, i & 1);
		f.data[f.l2 + (f.ipv6 ? 6 : 9)] = 50;
		if (!f.ipv6)
			seal_ipv4(&f);
		expect_queue(f.data, f.len, hash_of(f.data + f.l2, f.ipv6, f.data + l4_at(&f)));
	}
	expect_even(32000);
	rig_close(&r);
}

/* Devices of before do not have them. */
static void
test_what_older_devices_lack(void **state)
{
	const struct vx_rig_opts opts = { .max_rev = 3 };
	struct rte_eth_dev_info info;

	(void)state;
	assert_int_equal(0, rig_open(&r, &opts));
	assert_int_equal(0, rte_eth_dev_info_get(r.id, &info));
	assert_int_equal(0, info.flow_type_rss_offloads & (RTE_ETH_RSS_ESP | RTE_ETH_RSS_NONFRAG_IPV4_UDP));
	assert_int_not_equal(RTE_ETH_RSS_LEVEL_MASK, info.flow_type_rss_offloads & RTE_ETH_RSS_LEVEL_MASK);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows_are_spread),
		cmocka_unit_test(test_flows_stay),
		cmocka_unit_test(test_inner_headers),
		cmocka_unit_test(test_esp),
		cmocka_unit_test(test_what_older_devices_lack),
	};

	return rig_eal() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
