/* SPDX-License-Identifier: BSD-3-Clause */
/* What a port receives, and into which queue: addresses, multicast, VLANs, RSS. Frames decide, not registers. */
#include <rte_thash.h>

#include "vx_rig.h"

static struct vx_rig r;

/* ---- addresses ---- */

static const struct rte_ether_addr own = { RIG_MAC };
static const struct rte_ether_addr second = { { 0x02, 0xaa, 0, 0, 0, 1 } };
static const struct rte_ether_addr third = { { 0x02, 0xaa, 0, 0, 0, 2 } };
static const struct rte_ether_addr foreign = { { 0x02, 0xbb, 0, 0, 0, 1 } };
static const struct rte_ether_addr group = { { 0x01, 0, 0x5e, 1, 2, 3 } };
static const struct rte_ether_addr other_group = { { 0x01, 0, 0x5e, 1, 2, 4 } };
static const struct rte_ether_addr all = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } };

static bool
gets(const struct rte_ether_addr *to)
{
	uint8_t data[100] = { 0 };

	memcpy(data, to, 6);
	data[12] = 0x88;
	data[13] = 0xb5;
	return rig_pass(&r, data, sizeof(data)) >= 0;
}

static void
test_plain(void **state)
{
	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, NULL);
	assert_true(gets(&own));
	assert_true(gets(&all));
	assert_false(gets(&foreign));
	assert_false(gets(&group));
	rig_close(&r);
}

static void
test_modes(void **state)
{
	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, NULL);
	assert_int_equal(0, rte_eth_allmulticast_enable(r.id));
	assert_true(gets(&group));
	assert_false(gets(&foreign));
	assert_int_equal(0, rte_eth_promiscuous_enable(r.id));
	assert_true(gets(&foreign));
	assert_int_equal(0, rte_eth_allmulticast_disable(r.id));
	assert_true(gets(&group));
	assert_int_equal(0, rte_eth_promiscuous_disable(r.id));
	assert_false(gets(&group));
	assert_false(gets(&foreign));
	assert_true(gets(&own));
	/* They survive a stop. */
	assert_int_equal(0, rte_eth_promiscuous_enable(r.id));
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	assert_true(gets(&foreign));
	rig_close(&r);
}

static void
test_own_address(void **state)
{
	struct rte_ether_addr addr = second;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, NULL);
	assert_int_equal(0, rte_eth_dev_default_mac_addr_set(r.id, &addr));
	assert_true(gets(&second));
	assert_false(gets(&own));
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	assert_true(gets(&second));
	assert_false(gets(&own));
	rig_close(&r);
}

/* More addresses than the device has: it lets in everything, the port does not. */
static void
test_more_addresses(void **state)
{
	struct rte_ether_addr addr = second;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 2, 1, NULL);
	assert_int_equal(0, rte_eth_dev_mac_addr_add(r.id, &addr, 0));
	addr = third;
	assert_int_equal(0, rte_eth_dev_mac_addr_add(r.id, &addr, 0));
	assert_true(rig_info(&r).rx_mode & VMXNET3_RXM_PROMISC);
	assert_true(gets(&own));
	assert_true(gets(&second));
	assert_true(gets(&third));
	assert_true(gets(&all));
	assert_false(gets(&foreign));
	assert_true(rig_xstat(&r, "rx_q0_filtered") > 0);
	/* The application's own promiscuous mode comes first. */
	assert_int_equal(0, rte_eth_promiscuous_enable(r.id));
	assert_true(gets(&foreign));
	assert_int_equal(0, rte_eth_promiscuous_disable(r.id));
	assert_false(gets(&foreign));
	/* They survive a stop. */
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	assert_true(gets(&third));
	assert_false(gets(&foreign));
	addr = second;
	assert_int_equal(0, rte_eth_dev_mac_addr_remove(r.id, &addr));
	assert_false(gets(&second));
	assert_true(gets(&third));
	addr = third;
	assert_int_equal(0, rte_eth_dev_mac_addr_remove(r.id, &addr));
	assert_false(rig_info(&r).rx_mode & VMXNET3_RXM_PROMISC);
	assert_false(gets(&third));
	assert_true(gets(&own));
	rig_close(&r);
}

static void
test_as_many_addresses_as_can_be(void **state)
{
	struct rte_ether_addr addr = second;
	int i;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, NULL);
	for (i = 0; i < VX_MAX_MAC_ADDRS - 1; i++) {
		addr.addr_bytes[5] = 10 + i;
		assert_int_equal(0, rte_eth_dev_mac_addr_add(r.id, &addr, 0));
	}
	for (i = 0; i < 256; i++) {
		addr.addr_bytes[5] = i;
		assert_int_equal(i >= 10 && i < 10 + VX_MAX_MAC_ADDRS - 1, gets(&addr));
	}
	assert_true(gets(&own));
	assert_int_equal(-ENOSPC, rte_eth_dev_mac_addr_add(r.id, &addr, 0));
	assert_false(gets(&addr));
	rig_close(&r);
}

/* What a device does not filter while it is promiscuous for the port's addresses, the port filters. */
static void
test_more_addresses_change_nothing_else(void **state)
{
	struct rte_ether_addr addr = second, list[] = { group };

	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, NULL);
	assert_int_equal(0, rte_eth_dev_mac_addr_add(r.id, &addr, 0));
	assert_false(gets(&group));
	assert_int_equal(0, rte_eth_dev_set_mc_addr_list(r.id, list, 1));
	assert_true(gets(&group));
	assert_false(gets(&other_group));
	assert_int_equal(0, rte_eth_allmulticast_enable(r.id));
	assert_true(gets(&other_group));
	assert_int_equal(0, rte_eth_allmulticast_disable(r.id));
	assert_false(gets(&other_group));
	addr = third;
	assert_int_equal(0, rte_eth_dev_default_mac_addr_set(r.id, &addr));
	assert_true(gets(&third));
	assert_false(gets(&own));
	assert_true(gets(&second));
	rig_close(&r);
}

static void
test_multicast_list(void **state)
{
	static struct rte_ether_addr many[VX_MAX_MC_ADDRS + 1];
	struct rte_ether_addr list[] = { other_group, group };
	uint32_t i;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, NULL);
	assert_int_equal(0, rte_eth_dev_set_mc_addr_list(r.id, list, 2));
	assert_true(gets(&group));
	assert_true(gets(&other_group));
	assert_int_equal(0, rte_eth_dev_set_mc_addr_list(r.id, list, 1));
	assert_false(gets(&group));
	assert_true(gets(&other_group));
	assert_int_equal(0, rte_eth_dev_set_mtu(r.id, 1400));
	assert_true(gets(&other_group));
	assert_false(gets(&group));
	for (i = 0; i < VX_MAX_MC_ADDRS + 1; i++)
		many[i] = (struct rte_ether_addr){ { 0x33, 0x33, 0, i >> 16, i >> 8, i } };
	assert_true(rte_eth_dev_set_mc_addr_list(r.id, many, VX_MAX_MC_ADDRS + 1) < 0);
	assert_true(gets(&other_group));
	assert_int_equal(0, rte_eth_dev_set_mc_addr_list(r.id, many, VX_MAX_MC_ADDRS));
	assert_true(gets(&many[0]));
	assert_true(gets(&many[VX_MAX_MC_ADDRS - 1]));
	assert_false(gets(&many[VX_MAX_MC_ADDRS]));
	assert_int_equal(0, rte_eth_dev_set_mc_addr_list(r.id, NULL, 0));
	assert_false(gets(&many[0]));
	rig_close(&r);
}

/* ---- VLANs ---- */

static bool
gets_vlan(int vlan) /* -1: no tag */
{
	struct shape s = { .proto = 17, .tags = vlan >= 0, .payload = 60 };
	static struct built f;

	build(&f, &s);
	if (vlan >= 0)
		put16(f.data + 14, vlan);
	return rig_pass(&r, f.data, f.len) >= 0;
}

static void
test_vlans(void **state)
{
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_FILTER };

	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, &conf);
	assert_true(gets_vlan(-1));
	assert_true(gets_vlan(0));
	assert_false(gets_vlan(100));
	assert_int_equal(0, rte_eth_dev_vlan_filter(r.id, 100, 1));
	assert_int_equal(0, rte_eth_dev_vlan_filter(r.id, 4095, 1));
	assert_true(gets_vlan(100));
	assert_true(gets_vlan(4095));
	assert_false(gets_vlan(101));
	assert_int_equal(0, rte_eth_dev_set_mtu(r.id, 1400));
	assert_true(gets_vlan(100));
	assert_int_equal(0, rte_eth_dev_vlan_filter(r.id, 100, 0));
	assert_false(gets_vlan(100));
	/* Promiscuous mode is for all VLANs. */
	assert_int_equal(0, rte_eth_promiscuous_enable(r.id));
	assert_true(gets_vlan(100));
	assert_int_equal(0, rte_eth_promiscuous_disable(r.id));
	/* No filter, no filtering; and what was set comes back with it. */
	assert_int_equal(0, rte_eth_dev_set_vlan_offload(r.id, 0));
	assert_true(gets_vlan(100));
	assert_int_equal(0, rte_eth_dev_set_vlan_offload(r.id, RTE_ETH_VLAN_FILTER_OFFLOAD));
	assert_false(gets_vlan(100));
	assert_true(gets_vlan(4095));
	rig_close(&r);
}

static void
test_vlans_of_a_port_with_more_addresses(void **state)
{
	static const uint64_t offloads[] = { RTE_ETH_RX_OFFLOAD_VLAN_FILTER,
		RTE_ETH_RX_OFFLOAD_VLAN_FILTER | RTE_ETH_RX_OFFLOAD_VLAN_STRIP };
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(offloads); i++) {
		struct rte_eth_conf conf = { .rxmode.offloads = offloads[i] };
		struct rte_ether_addr addr = second;

		rig_usual(&r);
		rig_run(&r, 1, 1, &conf);
		assert_int_equal(0, rte_eth_dev_mac_addr_add(r.id, &addr, 0));
		assert_true(gets_vlan(-1));
		assert_true(gets_vlan(0));
		assert_false(gets_vlan(100));
		assert_int_equal(0, rte_eth_dev_vlan_filter(r.id, 100, 1));
		assert_true(gets_vlan(100));
		assert_false(gets_vlan(101));
		rig_close(&r);
	}
}

static void
test_no_vlan_filter(void **state)
{
	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, NULL);
	assert_true(gets_vlan(-1));
	assert_true(gets_vlan(1));
	assert_true(gets_vlan(4094));
	rig_close(&r);
}

/* ---- RSS: DPDK's own Toeplitz is the judge ---- */

static uint8_t key[VX_RSS_KEY_BYTES];

static uint32_t
toeplitz(const struct built *f)
{
	const uint8_t *ip = f->data + f->l2, *l4 = ip + f->l3;
	uint32_t words[9], nb = 0, i;

	for (i = f->ipv6 ? 8 : 12; i < (f->ipv6 ? 40u : 20u); i += 4)
		words[nb++] = get32(ip + i);
	words[nb++] = get32(l4);
	return rte_softrss(words, nb, key);
}

/* Different flows go where key and table say, with their hash. */
static void
expect_spread(const uint16_t *table, bool ipv6, uint8_t proto)
{
	struct shape s = { .ipv6 = ipv6, .proto = proto, .payload = 60 };
	static struct built f;
	struct rte_mbuf *m;
	uint32_t hash;
	int i;

	for (i = 0; i < 100; i++) {
		build(&f, &s);
		put16(f.data + f.l2 + f.l3, 1000 + i);
		put_csum(&f);
		hash = toeplitz(&f);
		assert_true(rig_deliver(&r, f.data, f.len));
		m = rig_receive(&r, table[hash % VX_RETA_SIZE]);
		assert_non_null(m);
		assert_true(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
		assert_int_equal(hash, m->hash.rss);
		rte_pktmbuf_free(m);
	}
}

static void
read_key(void)
{
	struct rte_eth_rss_conf conf = { .rss_key = key, .rss_key_len = sizeof(key) };

	assert_int_equal(0, rte_eth_dev_rss_hash_conf_get(r.id, &conf));
	assert_int_equal(VX_RSS_KEY_BYTES, conf.rss_key_len);
}

static void
set_table(uint16_t *table, uint16_t nb_queues, unsigned int step)
{
	struct rte_eth_rss_reta_entry64 groups[2], got[2];
	unsigned int i;

	memset(got, 0, sizeof(got));
	for (i = 0; i < VX_RETA_SIZE; i++) {
		table[i] = i * step % nb_queues;
		groups[i / 64].reta[i % 64] = table[i];
		groups[i / 64].mask = got[i / 64].mask = UINT64_MAX;
	}
	assert_int_equal(0, rte_eth_dev_rss_reta_update(r.id, groups, VX_RETA_SIZE));
	assert_int_equal(0, rte_eth_dev_rss_reta_query(r.id, got, VX_RETA_SIZE));
	assert_memory_equal(groups, got, sizeof(got));
}

static const struct rte_eth_conf rss_conf = {
	.rxmode = { .mq_mode = RTE_ETH_MQ_RX_RSS, .offloads = RTE_ETH_RX_OFFLOAD_RSS_HASH },
	.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP | RTE_ETH_RSS_NONFRAG_IPV6_TCP |
		RTE_ETH_RSS_NONFRAG_IPV4_UDP,
};

static void
test_rss(void **state)
{
	uint16_t table[VX_RETA_SIZE];
	unsigned int i;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 5, 1, &rss_conf);
	assert_int_equal(VMXNET3_F_RSS, rig_info(&r).features);
	read_key();
	for (i = 0; i < VX_RETA_SIZE; i++)
		table[i] = i % 5;
	expect_spread(table, false, 6);
	expect_spread(table, true, 6);
	expect_spread(table, false, 17);
	set_table(table, 5, 3);
	expect_spread(table, false, 6);
	assert_int_equal(0, rte_eth_dev_set_mtu(r.id, 1400));
	expect_spread(table, true, 6);
	expect_spread(table, false, 17);
	rig_close(&r);
}

static void
test_rss_key(void **state)
{
	struct rte_eth_rss_conf conf = { .rss_key = key, .rss_key_len = sizeof(key),
		.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP };
	uint16_t table[VX_RETA_SIZE];
	uint8_t asked[VX_RSS_KEY_BYTES];
	unsigned int i;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 4, 1, &rss_conf);
	for (i = 0; i < VX_RETA_SIZE; i++)
		table[i] = i % 4;
	for (i = 0; i < sizeof(key); i++)
		asked[i] = key[i] = i * 37 + 11;
	assert_int_equal(0, rte_eth_dev_rss_hash_update(r.id, &conf));
	expect_spread(table, false, 6);
	memset(key, 0, sizeof(key));
	read_key();
	assert_memory_equal(asked, key, sizeof(key));
	/* A key of another length, a type that there is not. */
	conf.rss_key_len = 52;
	assert_int_equal(-EINVAL, rte_eth_dev_rss_hash_update(r.id, &conf));
	conf = (struct rte_eth_rss_conf){ .rss_hf = RTE_ETH_RSS_SCTP };
	assert_int_equal(-EINVAL, rte_eth_dev_rss_hash_update(r.id, &conf));
	expect_spread(table, false, 6);
	rig_close(&r);
}

/* Types may be taken away and come back while the port runs. */
static void
test_rss_types(void **state)
{
	struct rte_eth_rss_conf conf = { .rss_hf = 0 };
	struct shape s = { .proto = 6, .payload = 60 };
	uint16_t table[VX_RETA_SIZE];
	static struct built f;
	struct rte_mbuf *m;
	unsigned int i;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 3, 1, &rss_conf);
	read_key();
	for (i = 0; i < VX_RETA_SIZE; i++)
		table[i] = i % 3;
	assert_int_equal(0, rte_eth_dev_rss_hash_update(r.id, &conf));
	assert_int_equal(0, rig_info(&r).features);
	build(&f, &s);
	assert_true(rig_deliver(&r, f.data, f.len));
	m = rig_receive(&r, 0);
	assert_non_null(m);
	assert_false(m->ol_flags & RTE_MBUF_F_RX_RSS_HASH);
	rte_pktmbuf_free(m);
	conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_UDP;
	assert_int_equal(0, rte_eth_dev_rss_hash_update(r.id, &conf));
	expect_spread(table, false, 17);
	assert_int_equal(0, rig_pass(&r, f.data, f.len)); /* TCP was not asked for */
	conf.rss_hf = 0;
	assert_int_equal(0, rte_eth_dev_rss_hash_conf_get(r.id, &conf));
	assert_int_equal(RTE_ETH_RSS_NONFRAG_IPV4_UDP, conf.rss_hf);
	rig_close(&r);
}

static void
test_rss_refused(void **state)
{
	struct rte_eth_rss_reta_entry64 groups[4] = { { .mask = 1, .reta[0] = 3 } };
	struct rte_eth_conf conf = rss_conf;
	const struct vx_rig_opts old = { .max_rev = 3 };

	(void)state;
	rig_usual(&r);
	rig_run(&r, 3, 1, &rss_conf);
	assert_int_equal(-EINVAL, rte_eth_dev_rss_reta_update(r.id, groups, VX_RETA_SIZE));
	groups[0].reta[0] = 2;
	assert_int_equal(-EINVAL, rte_eth_dev_rss_reta_update(r.id, groups, 64));
	assert_int_equal(-EINVAL, rte_eth_dev_rss_reta_update(r.id, groups, 256));
	assert_int_equal(0, rte_eth_dev_rss_reta_update(r.id, groups, VX_RETA_SIZE));
	rig_close(&r);
	/* UDP is hashed from revision 4 on. */
	assert_int_equal(0, rig_open(&r, &old));
	assert_int_equal(-EINVAL, rig_configure(&r, 2, 1, &conf));
	conf.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP;
	rig_run(&r, 2, 1, &conf);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_own_address),
		cmocka_unit_test(test_more_addresses),
		cmocka_unit_test(test_as_many_addresses_as_can_be),
		cmocka_unit_test(test_more_addresses_change_nothing_else),
		cmocka_unit_test(test_multicast_list),
		cmocka_unit_test(test_vlans),
		cmocka_unit_test(test_vlans_of_a_port_with_more_addresses),
		cmocka_unit_test(test_no_vlan_filter),
		cmocka_unit_test(test_rss),
		cmocka_unit_test(test_rss_key),
		cmocka_unit_test(test_rss_types),
		cmocka_unit_test(test_rss_refused),
	};

	return rig_eal() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
