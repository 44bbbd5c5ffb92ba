/* SPDX-License-Identifier: BSD-3-Clause */
/* A port's life on a device core: probing, configuration, start and stop, MTU, what it says of itself. */
#include "vx_rig.h"

static struct vx_rig p;

/* ---- probing ---- */

static void
test_revisions(void **state)
{
	static const struct {
		uint32_t offered;
		uint8_t max_rev, selected;
		uint16_t max_tx, max_rx, max_mtu;
	} cases[] = {
		{ 0x47, 9, 7, 32, 32, 9190 }, { 0x47, 6, 3, 8, 16, 9000 }, { 0x47, 2, 2, 8, 16, 9000 },
		{ 0x01, 9, 1, 8, 16, 9000 }, { 0x41, 5, 1, 8, 16, 9000 }, { 0x03, 9, 2, 8, 16, 9000 },
	};
	struct rte_eth_dev_info info;
	char version[32], expected[32];
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		const struct vx_rig_opts opts = { .revisions = cases[i].offered,
			.max_rev = cases[i].max_rev };

		assert_int_equal(0, rig_open(&p, &opts));
		assert_int_equal(cases[i].selected, rig_info(&p).revision);
		assert_int_equal(0, rte_eth_dev_fw_version_get(p.id, version, sizeof(version)));
		snprintf(expected, sizeof(expected), "vmxnet3 revision %u", cases[i].selected);
		assert_string_equal(expected, version);
		assert_true(rte_eth_dev_fw_version_get(p.id, version, 3) > 3);
		assert_int_equal(0, rte_eth_dev_info_get(p.id, &info));
		assert_int_equal(cases[i].max_tx, info.max_tx_queues);
		assert_int_equal(cases[i].max_rx, info.max_rx_queues);
		assert_int_equal(cases[i].max_mtu, info.max_mtu);
		assert_int_equal(cases[i].max_mtu + 18, info.max_rx_pktlen);
		assert_int_equal(cases[i].selected >= 2,
			!!(info.rx_offload_capa & RTE_ETH_RX_OFFLOAD_TCP_LRO));
		assert_int_equal(cases[i].selected >= 4,
			!!(info.flow_type_rss_offloads & RTE_ETH_RSS_NONFRAG_IPV4_UDP));
		rig_run(&p, 1, 1, NULL);
		rig_expect_alive(&p);
		rig_close(&p);
	}
}

static void
test_no_common_revision(void **state)
{
	const struct vx_rig_opts opts = { .revisions = 0x46, .max_rev = 1 };

	(void)state;
	assert_int_equal(-ENOTSUP, rig_open(&p, &opts));
	rig_close(&p);
}

static void
test_address(void **state)
{
	static const struct rte_ether_addr mac = { RIG_MAC };
	struct rte_ether_addr addr;

	(void)state;
	rig_usual(&p);
	assert_int_equal(0, rte_eth_macaddr_get(p.id, &addr));
	assert_true(rte_is_same_ether_addr(&mac, &addr));
	rig_close(&p);
}

/* An application that crashed has left the device running, with another address. */
static void
test_device_left_running(void **state)
{
	static const struct rte_ether_addr mac = { RIG_MAC };
	struct rte_ether_addr other = { .addr_bytes = { 2, 9, 9, 9, 9, 9 } };

	(void)state;
	rig_usual(&p);
	rig_run(&p, 1, 1, NULL);
	assert_int_equal(0, rte_eth_dev_default_mac_addr_set(p.id, &other));
	assert_memory_equal(&other, rig_info(&p).mac, 6);
	vx_ethdev_lost(p.vx);
	assert_true(rig_info(&p).active); /* nobody told the device */
	assert_int_equal(0, rte_eth_dev_stop(p.id));
	assert_int_equal(0, vx_ethdev_back(p.vx));
	assert_false(rig_info(&p).active);
	assert_memory_equal(&mac, &p.vx->lim.mac, 6);
	rig_close(&p);
}

/* ---- configuration ---- */

static void
test_queues(void **state)
{
	static const uint16_t counts[][2] = { { 1, 1 }, { 2, 2 }, { 3, 3 }, { 8, 8 }, { 3, 2 }, { 1, 8 },
		{ 16, 8 }, { 17, 1 }, { 1, 9 }, { 32, 32 } };
	unsigned int i;
	uint16_t q;

	(void)state;
	for (i = 0; i < RTE_DIM(counts); i++) {
		rig_usual(&p);
		rig_run(&p, counts[i][0], counts[i][1], NULL);
		assert_int_equal(counts[i][0], rig_info(&p).nb_rx_queues);
		assert_int_equal(counts[i][1], rig_info(&p).nb_tx_queues);
		for (q = 0; q < counts[i][1]; q++)
			assert_true(rig_send(&p, q, 60));
		rig_expect_alive(&p);
		rig_close(&p);
	}
}

static void
test_more_queues_than_the_device_has(void **state)
{
	const struct vx_rig_opts opts = { .max_tx_queues = 2, .max_rx_queues = 3 };

	(void)state;
	assert_int_equal(0, rig_open(&p, &opts));
	assert_int_equal(-EINVAL, rig_configure(&p, 4, 1, NULL));
	assert_int_equal(-EINVAL, rig_configure(&p, 1, 3, NULL));
	assert_int_equal(-EINVAL, rig_configure(&p, 0, 1, NULL));
	assert_int_equal(-EINVAL, rig_configure(&p, 1, 0, NULL));
	rig_run(&p, 3, 2, NULL);
	rig_close(&p);
}

static void
test_what_cannot_be(void **state)
{
	struct rte_eth_conf conf = { .rxmode.mq_mode = RTE_ETH_MQ_RX_VMDQ_ONLY };

	(void)state;
	rig_usual(&p);
	assert_int_equal(-EINVAL, rig_configure(&p, 1, 1, &conf));
	conf = (struct rte_eth_conf){ .txmode.mq_mode = RTE_ETH_MQ_TX_DCB };
	assert_int_equal(-EINVAL, rig_configure(&p, 1, 1, &conf));
	conf = (struct rte_eth_conf){ .lpbk_mode = 1 };
	assert_int_equal(-EINVAL, rig_configure(&p, 1, 1, &conf));
	conf = (struct rte_eth_conf){ .rxmode.offloads = RTE_ETH_RX_OFFLOAD_KEEP_CRC };
	assert_int_equal(-EINVAL, rig_configure(&p, 1, 1, &conf));
	/* A port that was never configured, or has no queues, does not start; and closes. */
	assert_true(rte_eth_dev_start(p.id) != 0);
	conf = (struct rte_eth_conf){ 0 };
	assert_int_equal(0, rte_eth_dev_configure(p.id, 2, 1, &conf));
	assert_int_equal(-EINVAL, rte_eth_dev_start(p.id));
	rig_close(&p);
}

static void
test_ring_sizes(void **state)
{
	static const struct rte_eth_conf conf;
	static const uint16_t bad[] = { 1, 16, 33, 96, 1000, 8192 };
	unsigned int i;

	(void)state;
	rig_usual(&p);
	assert_int_equal(0, rte_eth_dev_configure(p.id, 1, 1, &conf));
	for (i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(-EINVAL, rig_setup_queues(&p, bad[i]));
	for (i = 32; i <= 4096; i *= 2) {
		assert_int_equal(0, rig_setup_queues(&p, i));
		assert_int_equal(0, rte_eth_dev_start(p.id));
		rig_expect_alive(&p);
		assert_int_equal(0, rte_eth_dev_stop(p.id));
	}
	rig_close(&p);
}

static void
test_start_stop(void **state)
{
	int i;

	(void)state;
	rig_usual(&p);
	rig_run(&p, 2, 3, NULL);
	for (i = 0; i < 100; i++) {
		rig_expect_alive(&p);
		assert_int_equal(0, rte_eth_dev_stop(p.id));
		assert_false(rig_info(&p).active);
		assert_int_equal(0, rte_eth_dev_start(p.id));
		assert_true(rig_info(&p).active);
	}
	rig_close(&p);
}

static void
test_features(void **state)
{
	static const struct {
		uint64_t offload;
		uint32_t feature;
	} cases[] = {
		{ 0, 0 },
		{ RTE_ETH_RX_OFFLOAD_CHECKSUM, VMXNET3_F_RXCSUM },
		{ RTE_ETH_RX_OFFLOAD_VLAN_STRIP, VMXNET3_F_RXVLAN },
		{ RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER, VMXNET3_F_LRO },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		struct rte_eth_conf conf = { .rxmode.offloads = cases[i].offload };

		rig_usual(&p);
		rig_run(&p, 1, 1, &conf);
		assert_int_equal(cases[i].feature, rig_info(&p).features);
		rig_close(&p);
	}
}

/* ---- MTU, tags ---- */

static uint32_t
told_mtu(void)
{
	return rig_info(&p).mtu;
}

/* Whether a frame of so many bytes behind its header, and with a tag, arrives. */
static bool
arrives(uint32_t mtu, bool tagged)
{
	struct shape s = { .proto = 17, .tags = tagged, .payload = mtu - 28 };
	static struct built f;

	build(&f, &s);
	return rig_pass(&p, f.data, f.len) >= 0;
}

static void
test_mtu(void **state)
{
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	uint16_t mtu;

	(void)state;
	rig_usual(&p);
	rig_run(&p, 1, 1, &conf);
	assert_int_equal(0, rte_eth_promiscuous_enable(p.id));
	assert_true(arrives(1500, true));
	assert_int_equal(0, rte_eth_dev_set_mtu(p.id, 9000));
	assert_int_equal(0, rte_eth_dev_get_mtu(p.id, &mtu));
	assert_int_equal(9000, mtu);
	assert_int_equal(9004, told_mtu()); /* tags stay in frames */
	assert_true(rig_info(&p).rx_mode & VMXNET3_RXM_PROMISC);
	assert_int_equal(1, rte_eth_promiscuous_get(p.id));
	/* A large one in several buffers. */
	assert_true(arrives(9000, true));
	assert_int_equal(0, rte_eth_dev_set_mtu(p.id, 1500));
	assert_false(arrives(1600, false));
	assert_true(arrives(1500, true));
	rig_expect_alive(&p);
	/* To the same again: nothing happens. */
	assert_int_equal(3, rig_info(&p).activations);
	assert_int_equal(0, rte_eth_dev_set_mtu(p.id, 1500));
	assert_int_equal(3, rig_info(&p).activations);
	/* While stopped, it waits for the start. */
	assert_int_equal(0, rte_eth_dev_stop(p.id));
	assert_int_equal(0, rte_eth_dev_set_mtu(p.id, 4000));
	assert_int_equal(0, rte_eth_dev_start(p.id));
	assert_int_equal(4004, told_mtu());
	assert_true(arrives(4000, true));
	rig_close(&p);
}

static void
test_mtu_refused(void **state)
{
	(void)state;
	rig_usual(&p);
	rig_run(&p, 1, 1, NULL);
	assert_int_equal(-EINVAL, rte_eth_dev_set_mtu(p.id, 9000)); /* into buffers of 2 KiB */
	assert_int_equal(-EINVAL, rte_eth_dev_set_mtu(p.id, 9191));
	assert_int_equal(-EINVAL, rte_eth_dev_set_mtu(p.id, 20));
	assert_int_equal(1, rig_info(&p).activations);
	assert_int_equal(1504, told_mtu());
	rig_expect_alive(&p);
	rig_close(&p);
}

static uint32_t
refuse_next(struct vx_rig *port, uint32_t reg, uint32_t truth)
{
	static int left = 1;

	if (reg == VMXNET3_REG_CMD && port->cmd == VMXNET3_CMD_ACTIVATE_DEV && left-- > 0)
		return 1;
	return truth;
}

/* The device does not take the new MTU: the port goes on with the old one. */
static void
test_mtu_half(void **state)
{
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	uint16_t mtu;

	(void)state;
	rig_usual(&p);
	rig_run(&p, 1, 1, &conf);
	p.lie = refuse_next;
	assert_true(rte_eth_dev_set_mtu(p.id, 9000) != 0);
	rte_eth_dev_get_mtu(p.id, &mtu);
	assert_int_equal(1500, mtu);
	assert_int_equal(1504, told_mtu());
	rig_expect_alive(&p);
	rig_close(&p);
}

static void
test_vlan_strip(void **state)
{
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_VLAN_STRIP };

	(void)state;
	rig_usual(&p);
	rig_run(&p, 1, 1, &conf);
	assert_int_equal(1500, told_mtu());
	assert_int_equal(VMXNET3_F_RXVLAN, rig_info(&p).features);
	assert_int_equal(0, rte_eth_dev_set_vlan_offload(p.id, 0));
	assert_int_equal(0, rig_info(&p).features);
	assert_int_equal(1504, told_mtu());
	assert_true(arrives(1500, true));
	assert_int_equal(2, rig_info(&p).activations);
	/* Back again is a command, no more. */
	assert_int_equal(0, rte_eth_dev_set_vlan_offload(p.id, RTE_ETH_VLAN_STRIP_OFFLOAD));
	assert_int_equal(VMXNET3_F_RXVLAN, rig_info(&p).features);
	assert_int_equal(2, rig_info(&p).activations);
	rig_close(&p);
}

/* ---- counters ---- */

static void
test_counters(void **state)
{
	struct rte_eth_conf conf = { .rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	struct rte_eth_stats s;
	int i;

	(void)state;
	rig_usual(&p);
	rig_run(&p, 1, 1, &conf);
	for (i = 0; i < 10; i++)
		rig_expect_alive(&p);
	/* Those of activations that are over count, too. */
	assert_int_equal(0, rte_eth_dev_set_mtu(p.id, 9000));
	for (i = 0; i < 5; i++)
		rig_expect_alive(&p);
	assert_int_equal(0, rte_eth_stats_get(p.id, &s));
	assert_int_equal(15, s.ipackets);
	assert_int_equal(15, s.opackets);
	assert_int_equal(15 * 142, s.ibytes);
	assert_int_equal(15 * 100, s.obytes);
	assert_int_equal(15, s.q_ipackets[0]);
	assert_int_equal(0, s.imissed + s.ierrors + s.oerrors + s.rx_nombuf);
	assert_int_equal(15, rig_xstat(&p, "rx_q0_packets"));
	assert_int_equal(15, rig_xstat(&p, "rx_q0_unicast_packets"));
	assert_int_equal(15 * 142, rig_xstat(&p, "rx_q0_unicast_bytes"));
	assert_int_equal(15, rig_xstat(&p, "tx_q0_unicast_packets") +
		rig_xstat(&p, "tx_q0_multicast_packets"));
	/* A ring that runs full: the device knows what was missed. */
	for (i = 0; i < 300; i++) {
		uint8_t data[60] = RIG_MAC;

		rig_deliver(&p, data, sizeof(data));
	}
	assert_int_equal(0, rte_eth_stats_get(p.id, &s));
	assert_true(s.imissed > 0);
	assert_int_equal(s.imissed, rig_xstat(&p, "rx_q0_out_of_buffers"));
	/* A reset is for both, and holds. */
	assert_int_equal(0, rte_eth_stats_reset(p.id));
	assert_int_equal(0, rte_eth_stats_get(p.id, &s));
	assert_int_equal(0, s.imissed + s.ipackets + s.opackets);
	assert_int_equal(0, rte_eth_dev_stop(p.id));
	assert_int_equal(0, rte_eth_stats_get(p.id, &s));
	assert_int_equal(0, s.imissed + s.ipackets + s.opackets);
	assert_int_equal(0, rig_xstat(&p, "rx_q0_unicast_packets"));
	rig_close(&p);
}

static void
test_counter_names(void **state)
{
	struct rte_eth_xstat_name names[2000], again[2000];
	struct rte_eth_xstat values[2000];
	int nb, i, j;

	(void)state;
	rig_usual(&p);
	rig_run(&p, 32, 32, NULL);
	nb = rte_eth_xstats_get_names(p.id, NULL, 0);
	assert_in_range(nb, 32 * 20, RTE_DIM(names));
	assert_int_equal(nb, rte_eth_xstats_get_names(p.id, names, nb));
	assert_int_equal(nb, rte_eth_xstats_get(p.id, NULL, 0));
	assert_int_equal(nb, rte_eth_xstats_get(p.id, values, nb));
	assert_true(rte_eth_xstats_get(p.id, values, nb - 1) >= nb); /* too little room: how much */
	assert_int_equal(0, rte_eth_dev_stop(p.id));
	assert_int_equal(nb, rte_eth_xstats_get_names(p.id, again, nb));
	for (i = 0; i < nb; i++) {
		assert_string_equal(names[i].name, again[i].name);
		assert_int_equal(i, values[i].id);
		for (j = 0; j < i; j++)
			assert_string_not_equal(names[i].name, names[j].name);
	}
	rig_close(&p);
}

static void
test_open_close(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		rig_usual(&p);
		if (i % 3 > 0)
			rig_run(&p, 1 + i % 4, 1, NULL);
		rig_close(&p);
	}
}

/* The port can be reset, and begins anew. */
static void
test_reset(void **state)
{
	(void)state;
	rig_usual(&p);
	rig_run(&p, 2, 2, NULL);
	assert_int_equal(0, rte_eth_dev_reset(p.id));
	assert_false(rig_info(&p).active);
	rig_run(&p, 1, 1, NULL);
	rig_expect_alive(&p);
	rig_close(&p);
}

static void
test_doorbells_by_message(void **state)
{
	const struct vx_rig_opts opts = { .message = true };

	(void)state;
	assert_int_equal(0, rig_open(&p, &opts));
	rig_run(&p, 2, 2, NULL);
	rig_expect_alive(&p);
	rig_close(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_no_common_revision),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_device_left_running),
		cmocka_unit_test(test_queues),
		cmocka_unit_test(test_more_queues_than_the_device_has),
		cmocka_unit_test(test_what_cannot_be),
		cmocka_unit_test(test_ring_sizes),
		cmocka_unit_test(test_start_stop),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_mtu_refused),
		cmocka_unit_test(test_mtu_half),
		cmocka_unit_test(test_vlan_strip),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_counter_names),
		cmocka_unit_test(test_open_close),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_doorbells_by_message),
	};

	return rig_eal() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
