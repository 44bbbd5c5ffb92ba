/* SPDX-License-Identifier: BSD-3-Clause */
/* Link, stopped queues, receive interrupts, a device that goes and comes back. */
#include <rte_cycles.h>
#include <unistd.h>

#include "vx_rig.h"

static struct vx_rig r;

static const struct rte_eth_conf with_lsc = { .intr_conf.lsc = 1 };

/* What a bus does when the event vector fires. @return whether it did */
static bool
event(void)
{
	r.now += 1000000000;
	vmxnet3_dev_intr_poll(r.card);
	if (r.raised[VX_VECTOR_EVENT] == 0)
		return false;
	r.raised[VX_VECTOR_EVENT] = 0;
	vx_link_event(r.vx);
	return true;
}

static struct rte_eth_link
link_now(void)
{
	struct rte_eth_link link;

	assert_int_equal(0, rte_eth_link_get_nowait(r.id, &link));
	return link;
}

static bool
is_up(void)
{
	return link_now().link_status == RTE_ETH_LINK_UP;
}

/* ---- link ---- */

static void
test_link(void **state)
{
	int i;

	(void)state;
	rig_usual(&r);
	assert_false(is_up());
	rig_run(&r, 1, 1, &with_lsc);
	assert_true(is_up());
	for (i = 1; i <= 3; i++) {
		vmxnet3_dev_set_link(r.card, false);
		assert_true(event());
		assert_int_equal(2 * i - 1, r.events[RTE_ETH_EVENT_INTR_LSC]);
		assert_false(is_up());
		vmxnet3_dev_set_link(r.card, true);
		assert_true(event());
		assert_int_equal(2 * i, r.events[RTE_ETH_EVENT_INTR_LSC]);
		assert_true(is_up());
	}
	/* An event without a reason. */
	vx_link_event(r.vx);
	assert_int_equal(6, r.events[RTE_ETH_EVENT_INTR_LSC]);
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_false(is_up());
	vx_link_event(r.vx);
	rig_close(&r);
}

static void
test_speed(void **state)
{
	static const struct {
		uint32_t speed, told, capa;
	} cases[] = {
		{ 10, 10, RTE_ETH_LINK_SPEED_10M }, { 1000, 1000, RTE_ETH_LINK_SPEED_1G },
		{ 40000, 40000, RTE_ETH_LINK_SPEED_40G }, { 1234, 1234, 0 },
		{ 100000, 65535, 0 }, /* the field has 16 bits */
	};
	struct rte_eth_dev_info info;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		const struct vx_rig_opts opts = { .link_speed = cases[i].speed };

		assert_int_equal(0, rig_open(&r, &opts));
		assert_int_equal(0, rte_eth_dev_info_get(r.id, &info));
		assert_int_equal(cases[i].capa, info.speed_capa);
		rig_run(&r, 1, 1, NULL);
		assert_int_equal(cases[i].told, link_now().link_speed);
		assert_int_equal(RTE_ETH_LINK_FULL_DUPLEX, link_now().link_duplex);
		rig_close(&r);
	}
}

static void
test_decode(void **state)
{
	static const struct {
		unsigned int rev;
		uint32_t answer;
		bool up;
		uint32_t speed;
	} cases[] = {
		{ 7, 10000u << 16 | 1, true, 10000 }, { 7, 25u << 16 | 1, true, 25 },
		{ 9, 25u << 16 | 1, true, 25000 }, { 9, 9999u << 16 | 1, true, 9999000 },
		{ 9, 10000u << 16 | 1, true, 10000 }, { 9, 0 | 1, true, RTE_ETH_SPEED_NUM_UNKNOWN },
		{ 1, 1, true, RTE_ETH_SPEED_NUM_UNKNOWN }, { 7, 10000u << 16, false, 0 },
		{ 7, UINT32_MAX, false, 0 }, { 7, 0, false, 0 },
	};
	struct rte_eth_link link;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		vx_link_decode(vmxnet3_rev_get(cases[i].rev), cases[i].answer, &link);
		assert_int_equal(cases[i].up, link.link_status);
		assert_int_equal(cases[i].speed, link.link_speed);
	}
}

/* ---- a queue that the device stops ---- */

/* A descriptor of a kind that does not exist, as a bug would leave it in the ring. */
static void
spoil(void)
{
	struct vmxnet3_desc *ring = (void *)(uintptr_t)r.vx->txqd[0].tx_ring_pa;
	struct offload_frame *frames;

	ring[0].dw[2] = 60 | VMXNET3_TXD_DTYPE | 1u << VMXNET3_TXD_GEN_SHIFT;
	ring[0].dw[3] = VMXNET3_TXD_EOP | VMXNET3_TXD_CQ;
	assert_int_equal(0, vmxnet3_dev_tx_begin(r.card, 0, r.burst, 1, &frames));
	assert_true(r.vx->txqd[0].status.stopped);
}

static void
test_stopped_queue(void **state)
{
	uint64_t since;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, &with_lsc);
	assert_int_equal(0, rte_eth_promiscuous_enable(r.id));
	spoil();
	assert_true(event());
	assert_int_equal(2, rig_info(&r).activations);
	assert_true(rig_info(&r).rx_mode & VMXNET3_RXM_PROMISC);
	rig_expect_alive(&r);
	/* Again at once: not before a second has passed, unless this machine slept that long. */
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	r.vx->healed = since = rte_get_timer_cycles();
	spoil();
	assert_true(event());
	vx_lock(r.vx);
	if (rte_get_timer_cycles() - since < rte_get_timer_hz()) {
		assert_int_equal(3, rig_info(&r).activations);
		assert_true(r.vx->heal_due);
	}
	vx_unlock(r.vx);
	while (rig_info(&r).activations < 4 && rte_get_timer_cycles() - since < 60 * rte_get_timer_hz())
		usleep(1000);
	assert_int_equal(4, rig_info(&r).activations);
	vx_lock(r.vx); /* until it is over */
	vx_unlock(r.vx);
	rig_expect_alive(&r);
	assert_int_equal(0, r.events[RTE_ETH_EVENT_INTR_RESET]);
	rig_close(&r);
}

/* The second activation is due when the port closes. */
static void
test_stopped_and_closed(void **state)
{
	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, &with_lsc);
	spoil();
	assert_true(event());
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	r.vx->healed = rte_get_timer_cycles();
	spoil();
	assert_true(event());
	rig_close(&r);
	usleep(1200000);
}

/* Without interrupts, who asks for the link sees it. */
static void
test_stopped_queue_without_interrupts(void **state)
{
	(void)state;
	rig_usual(&r);
	r.intr_on_ret = -ENOTSUP;
	rig_run(&r, 2, 2, NULL);
	spoil();
	assert_true(is_up());
	assert_int_equal(2, rig_info(&r).activations);
	rig_expect_alive(&r);
	rig_close(&r);
}

static uint32_t
refuse_activation(struct vx_rig *rig, uint32_t reg, uint32_t truth)
{
	return reg == VMXNET3_REG_CMD && rig->cmd == VMXNET3_CMD_ACTIVATE_DEV ? 1 : truth;
}

/* It cannot be activated again: the application is told, the port is down, and a start brings it back. */
static void
test_stopped_for_good(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, &with_lsc);
	spoil();
	r.lie = refuse_activation;
	assert_true(event());
	assert_int_equal(1, r.events[RTE_ETH_EVENT_INTR_RESET]);
	assert_int_equal(1, r.events[RTE_ETH_EVENT_INTR_LSC]);
	assert_false(is_up());
	assert_int_equal(0, rte_eth_rx_burst(r.id, 0, &m, 1));
	assert_false(rig_send(&r, 0, 60));
	r.lie = NULL;
	assert_int_equal(0, rte_eth_dev_reset(r.id));
	rig_run(&r, 1, 1, &with_lsc);
	rig_expect_alive(&r);
	rig_close(&r);
}

/* ---- receive interrupts ---- */

static void
test_receive_interrupts(void **state)
{
	const struct rte_eth_conf conf = { .intr_conf.rxq = 1 };
	uint8_t data[60] = RIG_MAC;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 2, 3, &conf);
	assert_int_equal(2, r.intr_rx);
	/* Not before it is asked for, once each time. */
	assert_int_equal(0, rig_pass(&r, data, sizeof(data)));
	vmxnet3_dev_intr_poll(r.card);
	assert_int_equal(0, r.raised[VX_VECTOR_RXQ(0)]);
	assert_int_equal(0, rte_eth_dev_rx_intr_enable(r.id, 0));
	vmxnet3_dev_intr_poll(r.card); /* for the frame before: one too many, never one too few */
	r.raised[VX_VECTOR_RXQ(0)] = 0;
	assert_int_equal(0, rte_eth_dev_rx_intr_enable(r.id, 0));
	assert_int_equal(0, rig_pass(&r, data, sizeof(data)));
	assert_int_equal(0, rig_pass(&r, data, sizeof(data)));
	vmxnet3_dev_intr_poll(r.card);
	assert_int_equal(1, r.raised[VX_VECTOR_RXQ(0)]);
	assert_int_equal(0, r.raised[VX_VECTOR_RXQ(1)]);
	/* Nor after it was taken back. */
	assert_int_equal(0, rte_eth_dev_rx_intr_enable(r.id, 0));
	vmxnet3_dev_intr_poll(r.card);
	r.raised[VX_VECTOR_RXQ(0)] = 0;
	assert_int_equal(0, rte_eth_dev_rx_intr_disable(r.id, 0));
	assert_int_equal(0, rig_pass(&r, data, sizeof(data)));
	vmxnet3_dev_intr_poll(r.card);
	assert_int_equal(0, r.raised[VX_VECTOR_RXQ(0)]);
	/* One that is wanted stays so over an activation. */
	assert_int_equal(0, rte_eth_dev_rx_intr_enable(r.id, 0));
	assert_int_equal(0, rte_eth_dev_set_mtu(r.id, 1400));
	r.raised[VX_VECTOR_RXQ(0)] = 0;
	assert_int_equal(0, rig_pass(&r, data, sizeof(data)));
	vmxnet3_dev_intr_poll(r.card);
	assert_int_equal(1, r.raised[VX_VECTOR_RXQ(0)]);
	rig_close(&r);
}

static void
test_32_queues_with_interrupts(void **state)
{
	const struct rte_eth_conf conf = { .intr_conf.rxq = 1, .intr_conf.lsc = 1,
		.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS,
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_TCP };
	struct rte_eth_rss_reta_entry64 groups[2];
	struct shape s = { .proto = 6, .payload = 10 };
	static struct built f;
	unsigned int i, q;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 32, 32, &conf);
	build(&f, &s);
	for (q = 0; q < 32; q++) {
		for (i = 0; i < VX_RETA_SIZE; i++)
			groups[i / 64].reta[i % 64] = q;
		groups[0].mask = groups[1].mask = UINT64_MAX;
		assert_int_equal(0, rte_eth_dev_rss_reta_update(r.id, groups, VX_RETA_SIZE));
		assert_int_equal(0, rte_eth_dev_rx_intr_enable(r.id, q));
		assert_int_equal(q, rig_pass(&r, f.data, f.len));
		vmxnet3_dev_intr_poll(r.card);
		for (i = 0; i < 32; i++)
			assert_int_equal(i <= q, r.raised[VX_VECTOR_RXQ(i)]);
	}
	vmxnet3_dev_set_link(r.card, false);
	assert_true(event());
	assert_int_equal(1, r.events[RTE_ETH_EVENT_INTR_LSC]);
	rig_close(&r);
}

static void
test_no_interrupts(void **state)
{
	struct rte_eth_conf conf = { .intr_conf.rxq = 1 };

	(void)state;
	rig_usual(&r);
	r.intr_on_ret = -ENOTSUP;
	assert_int_equal(0, rig_configure(&r, 1, 1, &conf));
	assert_int_equal(-ENOTSUP, rte_eth_dev_start(r.id));
	assert_int_equal(0, rig_configure(&r, 1, 1, &with_lsc));
	assert_int_equal(-ENOTSUP, rte_eth_dev_start(r.id));
	/* Who asks for none gets none. */
	rig_run(&r, 1, 1, NULL);
	assert_true(rte_eth_dev_rx_intr_enable(r.id, 0) != 0);
	rig_expect_alive(&r);
	rig_close(&r);
}

/* ---- a device that goes and comes back ---- */

static void
go(void)
{
	rig_drop_card(&r);
	vx_ethdev_lost(r.vx);
}

static int
come_back(const struct vx_rig_opts *opts)
{
	static const struct vx_rig_opts usual;

	rig_new_card(&r, opts != NULL ? opts : &usual);
	return vx_ethdev_back(r.vx);
}

static bool
gets(const struct rte_ether_addr *to)
{
	uint8_t data[60] = { 0 };

	memcpy(data, to, 6);
	return rig_pass(&r, data, sizeof(data)) >= 0;
}

static void
test_gone_and_back(void **state)
{
	struct rte_ether_addr own = { RIG_MAC }, group = { { 1, 0, 0x5e, 0, 0, 9 } };
	struct rte_ether_addr mac = { { 2, 7, 7, 7, 7, 7 } };
	struct rte_eth_stats s;
	struct rte_mbuf *m;

	(void)state;
	rig_usual(&r);
	rig_run(&r, 2, 2, &with_lsc);
	rig_expect_alive(&r);
	/* What the device has not told by then dies with it. */
	assert_int_equal(1, rig_xstat(&r, "rx_q0_unicast_packets"));
	go();
	vx_ethdev_lost(r.vx);
	assert_int_equal(1, r.events[RTE_ETH_EVENT_INTR_LSC]);
	assert_false(is_up());
	assert_int_equal(0, rte_eth_rx_burst(r.id, 0, &m, 1));
	m = rte_pktmbuf_alloc(r.pool);
	rte_pktmbuf_append(m, 60);
	assert_int_equal(0, rte_eth_tx_burst(r.id, 0, &m, 1));
	rte_pktmbuf_free(m);
	/* What is asked for meanwhile holds later. */
	assert_int_equal(0, rte_eth_dev_default_mac_addr_set(r.id, &mac));
	assert_int_equal(0, rte_eth_allmulticast_enable(r.id));
	assert_int_equal(0, rte_eth_dev_set_mtu(r.id, 1300));
	assert_int_equal(0, rte_eth_stats_get(r.id, &s));
	assert_int_equal(1, s.ipackets);
	assert_true(rte_eth_dev_info_get(r.id, &(struct rte_eth_dev_info){ 0 }) == 0);
	assert_int_equal(0, come_back(NULL));
	assert_int_equal(2, r.events[RTE_ETH_EVENT_INTR_LSC]);
	assert_true(is_up());
	assert_int_equal(1304, rig_info(&r).mtu);
	assert_true(gets(&mac));
	assert_true(gets(&group));
	assert_false(gets(&own));
	assert_true(rig_send(&r, 1, 60));
	assert_int_equal(0, rte_eth_stats_get(r.id, &s));
	assert_int_equal(3, s.ipackets);
	assert_int_equal(3, rig_xstat(&r, "rx_q0_unicast_packets") +
		rig_xstat(&r, "rx_q0_multicast_packets"));
	/* It was there all the time, as far as the port knows. */
	assert_int_equal(0, vx_ethdev_back(r.vx));
	rig_close(&r);
}

static void
test_started_and_stopped_while_gone(void **state)
{
	struct rte_mbuf *m;

	(void)state;
	rig_usual(&r);
	go();
	assert_int_equal(0, rig_configure(&r, 1, 1, &with_lsc));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	assert_int_equal(0, rte_eth_rx_burst(r.id, 0, &m, 1));
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	assert_false(is_up());
	assert_true(rte_eth_dev_reset(r.id) != 0);
	assert_int_equal(0, rte_eth_dev_start(r.id));
	assert_int_equal(0, come_back(NULL));
	assert_true(is_up());
	rig_expect_alive(&r);
	go();
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, come_back(NULL));
	assert_false(rig_info(&r).active);
	assert_int_equal(0, rte_eth_dev_start(r.id));
	rig_expect_alive(&r);
	go();
	rig_close(&r);
}

/* Devices that cannot carry on; then one that can. */
static void
test_another_device(void **state)
{
	static const struct vx_rig_opts few = { .max_rx_queues = 2 }, old = { .revisions = 0x3 },
		oldest = { .revisions = 0x1 };
	const struct rte_eth_conf conf = { .rxmode.mq_mode = RTE_ETH_MQ_RX_RSS,
		.rxmode.offloads = RTE_ETH_RX_OFFLOAD_TCP_LRO | RTE_ETH_RX_OFFLOAD_SCATTER,
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_UDP };

	(void)state;
	rig_usual(&r);
	rig_run(&r, 3, 1, &conf);
	go();
	assert_int_equal(-ENOTSUP, come_back(&few));
	go();
	assert_int_equal(-ENOTSUP, come_back(&old));
	go();
	assert_int_equal(-ENOTSUP, come_back(&oldest));
	assert_false(is_up());
	assert_false(rig_info(&r).active);
	go();
	assert_int_equal(0, come_back(NULL));
	assert_true(is_up());
	rig_expect_alive(&r);
	/* With less to ask for an old one will do. */
	assert_int_equal(0, rte_eth_dev_stop(r.id));
	assert_int_equal(0, rig_configure(&r, 3, 1, NULL));
	assert_int_equal(0, rte_eth_dev_start(r.id));
	go();
	assert_int_equal(0, come_back(&oldest));
	assert_int_equal(1, rig_info(&r).revision);
	rig_expect_alive(&r);
	/* But not for a larger MTU. */
	assert_int_equal(-EINVAL, rte_eth_dev_set_mtu(r.id, 9100));
	rig_close(&r);
}

static void
test_back_but_refused(void **state)
{
	(void)state;
	rig_usual(&r);
	rig_run(&r, 1, 1, NULL);
	go();
	r.lie = refuse_activation;
	assert_int_equal(-EIO, come_back(NULL));
	assert_false(is_up());
	go();
	r.lie = NULL;
	assert_int_equal(0, come_back(NULL));
	rig_expect_alive(&r);
	rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_speed),
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_stopped_queue),
		cmocka_unit_test(test_stopped_and_closed),
		cmocka_unit_test(test_stopped_queue_without_interrupts),
		cmocka_unit_test(test_stopped_for_good),
		cmocka_unit_test(test_receive_interrupts),
		cmocka_unit_test(test_32_queues_with_interrupts),
		cmocka_unit_test(test_no_interrupts),
		cmocka_unit_test(test_gone_and_back),
		cmocka_unit_test(test_started_and_stopped_while_gone),
		cmocka_unit_test(test_another_device),
		cmocka_unit_test(test_back_but_refused),
	};

	return rig_eal() != 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
