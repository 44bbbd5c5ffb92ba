/* SPDX-License-Identifier: BSD-3-Clause */
/* A device that lies in its registers and answers, or says nothing: a clear error or a limit that holds, never a crash. */
#include "vx_rig.h"

#include <rte_cycles.h>
#include <rte_random.h>

static struct vx_rig r;

/* ---- one answer each ---- */

static struct {
	uint32_t reg, cmd, value; /* cmd: the register's, if it is CMD */
} lie;

static uint32_t
one_lie(struct vx_rig *rig, uint32_t reg, uint32_t truth)
{
	return reg == lie.reg && (reg != VMXNET3_REG_CMD || rig->cmd == lie.cmd) ? lie.value : truth;
}

static int
open_with_register(uint32_t reg, uint32_t value)
{
	const struct vx_rig_opts opts = { .lie = one_lie };

	lie.reg = reg;
	lie.value = value;
	return rig_open(&r, &opts);
}

static int
open_with_answer(uint32_t cmd, uint32_t value)
{
	lie.cmd = cmd;
	return open_with_register(VMXNET3_REG_CMD, value);
}

static void
test_not_a_device(void **state)
{
	static const uint32_t none[] = { 0, UINT32_MAX };
	static const uint32_t strange[] = { 0x200, 0x80000000, 0xfffffe00 };
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(none); i++) {
		assert_int_equal(-ENODEV, open_with_register(VMXNET3_REG_VRRS, none[i]));
		rig_close(&r);
	}
	for (i = 0; i < RTE_DIM(strange); i++) {
		assert_int_equal(-ENOTSUP, open_with_register(VMXNET3_REG_VRRS, strange[i]));
		rig_close(&r);
	}
	assert_int_equal(-ENOTSUP, open_with_register(VMXNET3_REG_UVRS, 0));
	rig_close(&r);
	assert_int_equal(-ENOTSUP, open_with_register(VMXNET3_REG_UVRS, 2));
	rig_close(&r);
}

/* Any mask, with holes, of revisions that the core behind it does not have. */
static void
test_revisions(void **state)
{
	static const struct {
		uint32_t mask;
		uint8_t max_rev, selected; /* 0: none */
	} cases[] = {
		{ 0x1ff, 9, 9 }, { 0x1ff, 8, 8 }, { 0x1ff, 6, 6 }, { 0x1ff, 5, 5 }, { 0x1ff, 4, 4 }, { 0x1ff, 1, 1 },
		{ 0x7ffffeff, 9, 8 }, { 0x80, 7, 0 }, { 0xc7, 9, 8 }, { 0x104, 8, 3 }, { 0x28, 9, 6 }, { 0x28, 5, 4 },
	};
	struct vx_rig_opts opts = { .lie = one_lie };
	unsigned int i;

	(void)state;
	lie.reg = VMXNET3_REG_VRRS;
	for (i = 0; i < RTE_DIM(cases); i++) {
		lie.value = cases[i].mask;
		opts.max_rev = cases[i].max_rev;
		assert_int_equal(cases[i].selected ? 0 : -ENOTSUP, rig_open(&r, &opts));
		if (cases[i].selected)
			assert_int_equal(cases[i].selected, r.vx->lim.rev);
		rig_close(&r);
	}
}

static uint32_t
speak_revision_9(struct vx_rig *rig, uint32_t reg, uint32_t truth)
{
	if (reg == VMXNET3_REG_VRRS)
		return 0x147;
	if (reg == VMXNET3_REG_CMD && rig->cmd == VMXNET3_CMD_GET_LINK)
		return 25u << 16 | 1;
	if (reg == VMXNET3_REG_CMD && rig->cmd == VMXNET3_CMD_GET_TXDATA_DESC_SIZE)
		return 128u << 16 | 256;
	return truth;
}

static void
test_revision_9(void **state)
{
	const struct vx_rig_opts opts = { .lie = speak_revision_9 };
	struct rte_eth_dev_info info;
	struct rte_eth_link link;

	(void)state;
	assert_int_equal(0, rig_open(&r, &opts));
	assert_int_equal(256, r.vx->lim.tx_data_size);
	assert_int_equal(0, rte_eth_dev_info_get(r.id, &info));
	assert_int_equal(RTE_ETH_LINK_SPEED_25G, info.speed_capa);
	rig_run(&r, 1, 1, NULL);
	assert_int_equal(0, rte_eth_link_get_nowait(r.id, &link));
	assert_int_equal(25000, link.link_speed);
	/* No time stamps. */
	assert_int_equal(0, r.vx->txqd[0].ts_ring_pa);
	assert_int_equal(0, r.vx->rxqd[0].ts_ring_pa);
	rig_expect_alive(&r);
	rig_close(&r);
}

static void
test_numbers_of_queues(void **state)
{
	static const struct {
		uint32_t answer;
		uint16_t tx, rx;
	} cases[] = {
		{ 0, 8, 16 }, { UINT32_MAX, 8, 16 }, { 0x80000000, 8, 16 }, { 0x0001, 8, 16 },
		{ 0x0100, 8, 16 }, { 0x0101, 1, 1 }, { 0xffff, 32, 32 }, { 0x2102, 2, 32 }, { 0x10808, 8, 16 },
	};
	struct rte_eth_dev_info info;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(0, open_with_answer(VMXNET3_CMD_GET_MAX_QUEUES_CONF, cases[i].answer));
		assert_int_equal(0, rte_eth_dev_info_get(r.id, &info));
		assert_int_equal(cases[i].tx, info.max_tx_queues);
		assert_int_equal(cases[i].rx, info.max_rx_queues);
		rig_run(&r, 1, 1, NULL);
		rig_expect_alive(&r);
		rig_close(&r);
	}
}

static void
test_addresses(void **state)
{
	static const struct {
		uint32_t reg, value;
	} cases[] = {
		{ VMXNET3_REG_MACL, UINT32_MAX }, { VMXNET3_REG_MACL, 1 }, /* a group */
	};
	struct rte_ether_addr addr;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		assert_int_equal(0, open_with_register(cases[i].reg, cases[i].value));
		assert_int_equal(0, rte_eth_macaddr_get(r.id, &addr));
		assert_true(rte_is_local_admin_ether_addr(&addr));
		assert_true(rte_is_valid_assigned_ether_addr(&addr));
		rig_run(&r, 1, 1, NULL);
		/* The device is told. */
		assert_memory_equal(&addr, rig_info(&r).mac, 6);
		rig_close(&r);
	}
	/* What is above the address does not count. */
	assert_int_equal(0, open_with_register(VMXNET3_REG_MACH, 0xabcd0706));
	assert_int_equal(0, rte_eth_macaddr_get(r.id, &addr));
	assert_memory_equal(&addr, ((struct rte_ether_addr){ RIG_MAC }).addr_bytes, 4);
	assert_int_equal(0x06, addr.addr_bytes[4]);
	assert_int_equal(0x07, addr.addr_bytes[5]);
	rig_close(&r);
}

static void
test_capabilities(void **state)
{
	static const uint32_t values[] = { 0, 1, 0x7fffffff, 0x80000000, UINT32_MAX, 0x10000 };
	struct rte_eth_dev_info info;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(values); i++) {
		bool udp = (values[i] & 1) && !(values[i] >> 31);

		assert_int_equal(0, open_with_register(VMXNET3_REG_DCR, values[i]));
		assert_int_equal(0, rte_eth_dev_info_get(r.id, &info));
		assert_int_equal(udp, !!(info.flow_type_rss_offloads & RTE_ETH_RSS_NONFRAG_IPV4_UDP));
		rig_close(&r);
		assert_int_equal(0, open_with_answer(VMXNET3_CMD_GET_DCR0_REG, values[i]));
		assert_int_equal(0, rte_eth_dev_info_get(r.id, &info));
		assert_int_equal(udp, !!(info.flow_type_rss_offloads & RTE_ETH_RSS_NONFRAG_IPV4_UDP));
		rig_run(&r, 1, 1, NULL);
		rig_expect_alive(&r);
		rig_close(&r);
	}
}

static void
test_data_sizes(void **state)
{
	static const uint32_t values[] = { 0, 1, 64, 127, 130, 2112, 0xffff, UINT32_MAX, 0x800080 };
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(values); i++) {
		assert_int_equal(0, open_with_answer(VMXNET3_CMD_GET_TXDATA_DESC_SIZE, values[i]));
		assert_int_equal(128, r.vx->lim.tx_data_size);
		rig_close(&r);
	}
	assert_int_equal(0, open_with_answer(VMXNET3_CMD_GET_TXDATA_DESC_SIZE, 2048));
	assert_int_equal(2048, r.vx->lim.tx_data_size);
	rig_close(&r);
}

static void
test_activation(void **state)
{
	static const uint32_t answers[] = { 1, 2, 0x80000000, UINT32_MAX };
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(answers); i++) {
		assert_int_equal(0, open_with_answer(VMXNET3_CMD_ACTIVATE_DEV, answers[i]));
		assert_int_equal(0, rig_configure(&r, 2, 2, NULL));
		assert_int_equal(-EIO, rte_eth_dev_start(r.id));
		assert_false(rig_info(&r).active); /* though it said yes to itself */
		assert_false(r.intr_on);
		r.lie = NULL;
		assert_int_equal(0, rte_eth_dev_start(r.id));
		rig_expect_alive(&r);
		rig_close(&r);
	}
}

static void
test_rss_fields_refused(void **state)
{
	const struct rte_eth_conf conf = { .rxmode.mq_mode = RTE_ETH_MQ_RX_RSS,
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_UDP };

	(void)state;
	assert_int_equal(0, open_with_answer(VMXNET3_CMD_SET_RSS_FIELDS, 1));
	rig_run(&r, 2, 2, &conf);
	rig_expect_alive(&r);
	rig_close(&r);
	assert_int_equal(0, open_with_answer(VMXNET3_CMD_GET_RSS_FIELDS, 0));
	rig_run(&r, 1, 1, &conf);
	rig_close(&r);
}

static void
test_link(void **state)
{
	struct rte_eth_dev_info info;
	struct rte_eth_link link;

	(void)state;
	assert_int_equal(0, open_with_answer(VMXNET3_CMD_GET_LINK, UINT32_MAX));
	assert_int_equal(0, rte_eth_dev_info_get(r.id, &info));
	rig_run(&r, 1, 1, NULL);
	assert_int_equal(0, rte_eth_link_get_nowait(r.id, &link));
	assert_int_equal(RTE_ETH_LINK_DOWN, link.link_status);
	rig_close(&r);
}

/* ---- in memory ---- */

static void
test_events_and_counters(void **state)
{
	const struct rte_eth_conf conf = { .intr_conf.lsc = 1 };
	struct rte_eth_stats s;
	uint64_t since;
	int i;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 2, 2, &conf);
	since = rte_get_timer_cycles();
	/* All events at once, again and again, with errors that there are not. */
	for (i = 0; i < 50; i++) {
		r.vx->area->shared.ecr = i % 2 ? UINT32_MAX : 1u << i % 32;
		memset(&r.vx->txqd[i % 2].status, 0xff, sizeof(r.vx->txqd[0].status));
		memset(&r.vx->rxqd[1].stats, 0xff, sizeof(r.vx->rxqd[1].stats));
		memset(&r.vx->txqd[1].stats, 0xa5, sizeof(r.vx->txqd[1].stats));
		vx_link_event(r.vx);
		assert_int_equal(0, rte_eth_stats_get(r.id, &s));
		/* Once per second: the first start, the first error, and what this machine's time allows. */
		assert_true(rig_info(&r).activations <=
			2 + (rte_get_timer_cycles() - since) / rte_get_timer_hz());
	}
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	rig_expect_alive(&r);
	rig_close(&r);
}

/* All of the shared area is noise when the port is used and stopped. */
static void
test_noise_in_shared_memory(void **state)
{
	const struct rte_eth_conf conf = { .intr_conf.lsc = 1, .rxmode.mq_mode = RTE_ETH_MQ_RX_RSS,
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP };
	struct rte_eth_rss_conf rss = { .rss_hf = RTE_ETH_RSS_NONFRAG_IPV6_TCP };
	struct rte_ether_addr group = { { 1, 0, 0x5e, 0, 0, 9 } };
	uint64_t *words;
	struct rte_eth_link link;
	unsigned int i, round;

	(void)state;
	rig_usual(&r);
	for (round = 0; round < 20; round++) {
		rig_run(&r, 4, 4, &conf);
		words = (void *)r.vx->area;
		for (i = 0; i < sizeof(*r.vx->area) / sizeof(*words); i++)
			words[i] = rte_rand();
		vx_link_event(r.vx);
		rte_eth_dev_set_mc_addr_list(r.id, &group, 1);
		rte_eth_dev_set_vlan_offload(r.id, round % 2 ? RTE_ETH_VLAN_STRIP_OFFLOAD : 0);
		rte_eth_dev_rss_hash_update(r.id, &rss);
		rte_eth_link_get_nowait(r.id, &link);
		rte_eth_stats_reset(r.id);
		rte_eth_dev_set_mtu(r.id, 1400 + round);
		assert_int_equal(0, rte_eth_dev_stop(r.id));
	}
	rig_run(&r, 1, 1, NULL);
	rig_expect_alive(&r);
	rig_close(&r);
}

/* ---- anything at any time ---- */

static uint32_t
noise(struct vx_rig *rig __rte_unused, uint32_t reg __rte_unused, uint32_t truth)
{
	static const uint32_t values[] = { 0, 1, 2, 0x47, 0xff, 0x101, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		UINT32_MAX };
	uint32_t pick = rte_rand_max(20);

	if (pick < RTE_DIM(values))
		return values[pick];
	return pick < 15 ? (uint32_t)rte_rand() : truth;
}

static void
use(bool started)
{
	struct rte_ether_addr mac = { { 2, 1, 1, 1, 1, 1 } };
	struct rte_eth_dev_info info;
	struct rte_eth_link link;
	struct rte_eth_stats s;
	struct rte_mbuf *m;

	rte_eth_dev_info_get(r.id, &info);
	rte_eth_link_get_nowait(r.id, &link);
	rte_eth_stats_get(r.id, &s);
	rte_eth_promiscuous_enable(r.id);
	rte_eth_dev_default_mac_addr_set(r.id, &mac);
	rte_eth_dev_set_mtu(r.id, 1400);
	rte_eth_dev_set_vlan_offload(r.id, RTE_ETH_VLAN_STRIP_OFFLOAD);
	rte_eth_dev_set_vlan_offload(r.id, 0);
	vx_link_event(r.vx);
	if (!started)
		return;
	if (rte_eth_rx_burst(r.id, 0, &m, 1) == 1)
		rte_pktmbuf_free(m);
	rig_send(&r, 0, 60);
}

static void
test_noise(void **state)
{
	const struct vx_rig_opts opts = { .lie = noise };
	unsigned int i, opened = 0, started = 0;
	bool runs;

	(void)state;
	rte_srand(1);
	for (i = 0; i < 1000; i++) {
		if (rig_open(&r, &opts) == 0) {
			opened++;
			if (rig_configure(&r, 1 + i % 3, 1 + i % 2, NULL) == 0) {
				runs = rte_eth_dev_start(r.id) == 0;
				started += runs;
				use(runs);
				if (i % 3 == 0)
					vx_ethdev_lost(r.vx);
				if (i % 6 == 0)
					vx_ethdev_back(r.vx);
				use(runs);
			}
		}
		rig_close(&r);
	}
	/* Both ways were gone. */
	assert_in_range(opened, 50, 950);
	assert_in_range(started, 5, opened - 5);
}

/* The device stops answering at any moment. */
static unsigned int answers_left;

static uint32_t
die(struct vx_rig *rig __rte_unused, uint32_t reg __rte_unused, uint32_t truth)
{
	if (answers_left == 0)
		return UINT32_MAX;
	answers_left--;
	return truth;
}

static void
test_death(void **state)
{
	const struct vx_rig_opts opts = { .lie = die };
	unsigned int i;
	int ret;

	(void)state;
	for (i = 0; i < 60; i++) {
		answers_left = i;
		ret = rig_open(&r, &opts);
		assert_true(ret == 0 || ret == -ENODEV || ret == -ENOTSUP);
		if (ret == 0 && rig_configure(&r, 1, 1, NULL) == 0) {
			bool runs = rte_eth_dev_start(r.id) == 0;

			use(runs);
			vx_ethdev_lost(r.vx);
			answers_left = UINT32_MAX;
			assert_int_equal(0, vx_ethdev_back(r.vx));
			if (runs)
				rig_expect_alive(&r);
		}
		rig_close(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_a_device),
		cmocka_unit_test(test_revisions),
		cmocka_unit_test(test_revision_9),
		cmocka_unit_test(test_numbers_of_queues),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test(test_data_sizes),
		cmocka_unit_test(test_activation),
		cmocka_unit_test(test_rss_fields_refused),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_events_and_counters),
		cmocka_unit_test(test_noise_in_shared_memory),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_death),
	};

	return rig_eal() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
