/* SPDX-License-Identifier: BSD-3-Clause */
/* A back-end port as the application sees it: how it comes and goes, what it tells, links, queues. */
#include <dirent.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include <rte_bus_vdev.h>
#include <rte_eal_memconfig.h>
#include <rte_malloc.h>

#include "open_descriptors.h"
#include "vh_rig.h"

#define WAIT_MS 10000

static const struct rig_conf usual_port = { 0 };
static struct rig rig;

/* ---- coming and going ---- */

static unsigned int
threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	unsigned int n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

static size_t
dpdk_memory(void)
{
	struct rte_malloc_socket_stats stats;

	assert_int_equal(rte_malloc_get_socket_stats(0, &stats), 0);
	return stats.heap_allocsz_bytes;
}

static void
come_and_go(int i)
{
	rig_open(&rig, "queues=2");
	if (i % 2 == 0) {
		rig_start(&rig, &usual_port);
		if (i % 4 == 0)
			rig_plug_usual(&rig, 1);
		if (i % 8 == 0)
			rig_check_traffic(&rig);
	}
	rig_close(&rig);
}

static void
nothing_is_left(void **state)
{
	const char *cycles = getenv("VH_CYCLES");
	int i, n = cycles != NULL ? atoi(cycles) : 100, fds;
	unsigned int nb_threads;
	size_t memory;

	(void)state;
	for (i = 0; i < 8; i++)
		come_and_go(i);
	fds = open_descriptors();
	nb_threads = threads();
	memory = dpdk_memory();
	for (i = 0; i < n; i++)
		come_and_go(i);
	assert_int_equal(open_descriptors(), fds);
	assert_int_equal(threads(), nb_threads);
	assert_int_equal(dpdk_memory(), memory);
}

static void
refusals(void **state)
{
	int fds = open_descriptors();
	size_t memory;
	char text[200];
	uint16_t port;

	(void)state;
	assert_true(rte_vdev_init("net_vmxnet3_host90", "") < 0);
	memory = dpdk_memory();
	assert_true(rte_vdev_init("net_vmxnet3_host90", "path=/nowhere/a.sock") < 0);
	assert_true(rte_vdev_init("net_vmxnet3_host90", "path=/dev/null") < 0);
	assert_true(rte_vdev_init("net_vmxnet3_host90", "path=/run/x,queues=99") < 0);
	assert_int_equal(rte_eth_dev_get_port_by_name("net_vmxnet3_host90", &port), -ENODEV);
	assert_int_equal(dpdk_memory(), memory);
	assert_int_equal(open_descriptors(), fds);

	/* A socket that somebody else serves. */
	rig_open(&rig, "");
	snprintf(text, sizeof(text), "path=%s", rig.path);
	assert_true(rte_vdev_init("net_vmxnet3_host90", text) < 0);
	rig_start(&rig, &usual_port);
	rig_plug_usual(&rig, 1);
	rig_check_traffic(&rig);
	rig_close(&rig);
}

/* Ethdev's own way to close, and what comes after. */
static void
closed_by_the_application(void **state)
{
	(void)state;
	rig_open_usual(&rig);
	assert_int_equal(rte_eth_dev_stop(rig.port), 0);
	assert_int_equal(rte_eth_dev_close(rig.port), 0);
	assert_int_equal(vfu_client_dma_unmap(rig.client, MINI_MEM_IOVA, rig.mem.size), -ENOTCONN);
	assert_int_not_equal(access(rig.path, F_OK), 0);
	rig_unplug(&rig);
	rig_check_pool(&rig);
	assert_int_equal(rte_vdev_uninit(rig.name), 0);
	rte_mempool_free(rig.pool);
}

/* ---- what the application sees ---- */

static void
capabilities_are_fixed(void **state)
{
	struct rte_eth_dev_info before, after;
	struct rte_ether_addr own, other;

	(void)state;
	rig_open(&rig, "mtu=4000,speed=25000,guest-mac=02:00:00:00:00:99");
	memset(&before, 0, sizeof(before));
	memset(&after, 0, sizeof(after));
	assert_int_equal(rte_eth_dev_info_get(rig.port, &before), 0);
	assert_true(before.max_mtu == 4000 && before.speed_capa == RTE_ETH_LINK_SPEED_25G);
	assert_string_equal(before.driver_name, "net_vmxnet3_host");
	assert_int_equal(rte_eth_macaddr_get(rig.port, &own), 0);
	assert_true(rte_is_local_admin_ether_addr(&own) && rte_is_unicast_ether_addr(&own));
	assert_int_equal(rte_ether_unformat_addr("02:00:00:00:00:99", &other), 0);
	assert_false(rte_is_same_ether_addr(&own, &other));
	rig_start(&rig, &usual_port);
	rig_plug_usual(&rig, 1);
	/* The guest's address is that of the argument. */
	assert_int_equal(mini_read(&rig.m, 1, VMXNET3_REG_MACL), 0x00000002);
	assert_int_equal(mini_read(&rig.m, 1, VMXNET3_REG_MACH), 0x9900);
	assert_int_equal(rte_eth_dev_info_get(rig.port, &after), 0);
	before.nb_rx_queues = after.nb_rx_queues;
	before.nb_tx_queues = after.nb_tx_queues;
	assert_memory_equal(&before, &after, sizeof(before));

	assert_int_equal(rte_eth_dev_default_mac_addr_set(rig.port, &other), 0);
	assert_int_equal(rte_eth_macaddr_get(rig.port, &own), 0);
	assert_true(rte_is_same_ether_addr(&own, &other));
	assert_int_equal(rte_eth_promiscuous_get(rig.port), 1);
	assert_int_equal(rte_eth_promiscuous_disable(rig.port), 0);
	assert_int_equal(rte_eth_promiscuous_enable(rig.port), 0);
	assert_int_equal(rte_eth_allmulticast_disable(rig.port), 0);
	assert_int_equal(rte_eth_allmulticast_enable(rig.port), 0);
	rig_close(&rig);
}

static void
queue_information(void **state)
{
	const struct rig_conf conf = { .nb_rx = 2, .nb_tx = 3,
		.rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER };
	struct rte_eth_burst_mode mode;
	struct rte_eth_rxq_info rx;
	struct rte_eth_txq_info tx;

	(void)state;
	rig_open(&rig, "");
	rig_start(&rig, &conf);
	assert_int_equal(rte_eth_rx_queue_info_get(rig.port, 1, &rx), 0);
	assert_true(rx.mp == rig.pool && rx.nb_desc == 512 && rx.scattered_rx == 1);
	assert_int_equal(rx.queue_state, RTE_ETH_QUEUE_STATE_STARTED);
	assert_int_equal(rte_eth_tx_queue_info_get(rig.port, 2, &tx), 0);
	assert_int_equal(tx.nb_desc, 512);
	assert_int_equal(rte_eth_rx_burst_mode_get(rig.port, 0, &mode), 0);
	assert_true(mode.info[0] != '\0');
	rig_close(&rig);
}

/* Every counter has a name of its own; every reason of the device is among them. */
static void
statistics(void **state)
{
	static const char *const reasons[] = {
#define X(symbol, name, text) "guest_drop_" name,
		VMXNET3_DROPS(X)
#undef X
		"rx_q0_drop_no_mbuf", "rx_q1_drop_no_room", "tx_q2_drop_bad_offload", "rx_q1_lro",
		"tx_q2_packets", "guest_interrupts",
	};
	const struct rig_conf conf = { .nb_rx = 2, .nb_tx = 3 };
	struct rte_eth_xstat_name names[300];
	struct rte_eth_xstat values[300];
	struct rte_eth_stats stats;
	size_t i, k;
	int n;

	(void)state;
	rig_open(&rig, "");
	rig_start(&rig, &conf);
	rig_plug_usual(&rig, 2);
	n = rte_eth_xstats_get_names(rig.port, NULL, 0);
	assert_in_range(n, 1, RTE_DIM(names));
	assert_int_equal(rte_eth_xstats_get_names(rig.port, names, (unsigned int)n), n);
	assert_int_equal(rte_eth_xstats_get(rig.port, values, (unsigned int)n), n);
	for (i = 0; i < (size_t)n; i++) {
		assert_int_equal(values[i].id, i);
		for (k = 0; k < i; k++)
			assert_string_not_equal(names[i].name, names[k].name);
	}
	for (i = 0; i < RTE_DIM(reasons); i++)
		rig_xstat(&rig, reasons[i]);

	rig_check_traffic(&rig);
	rig_check_traffic(&rig);
	assert_int_equal(rte_eth_stats_get(rig.port, &stats), 0);
	assert_true(stats.ipackets == 2 && stats.opackets == 2 && stats.ibytes >= 120);
	assert_true(stats.q_ipackets[0] == 2 && stats.q_ibytes[0] == stats.ibytes);
	assert_true(stats.q_opackets[0] == 2 && stats.q_ipackets[1] == 0);
	assert_int_equal(rig_xstat(&rig, "guest_tx_frames"), 2);
	assert_int_equal(rte_eth_xstats_reset(rig.port), 0);
	assert_int_equal(rig_xstat(&rig, "guest_tx_frames"), 0);
	assert_int_equal(rig_xstat(&rig, "rx_q0_packets"), 0);
	rig_check_traffic(&rig);
	assert_int_equal(rte_eth_stats_get(rig.port, &stats), 0);
	assert_true(stats.ipackets == 1 && stats.opackets == 1);
	/* What the guest does wrong is an error of ours. */
	rig_guest_send(&rig, 1, frame.data, 10, NULL);
	assert_int_equal(rte_eth_rx_burst(rig.port, 1, (struct rte_mbuf *[1]){ NULL }, 1), 0);
	assert_int_equal(rte_eth_stats_get(rig.port, &stats), 0);
	assert_true(stats.ierrors == 1 && rig_xstat(&rig, "guest_drop_tx_runt") == 1);
	rig_close(&rig);
}

/* ---- link ---- */

static atomic_uint lsc_events;

static int
on_lsc(uint16_t port, enum rte_eth_event_type event, void *arg, void *ret)
{
	(void)port, (void)event, (void)arg, (void)ret;
	/* As what an application calls here may. */
	rte_mcfg_mem_read_lock();
	rte_mcfg_mem_read_unlock();
	atomic_fetch_add(&lsc_events, 1);
	return 0;
}

static void
expect_lsc(unsigned int wanted)
{
	for (int i = 0; i < WAIT_MS && atomic_load(&lsc_events) < wanted; i++)
		usleep(1000);
	assert_true(atomic_load(&lsc_events) >= wanted);
}

static void
links(void **state)
{
	const struct rig_conf conf = { .lsc = true };

	(void)state;
	atomic_store(&lsc_events, 0);
	rig_open(&rig, "");
	assert_int_equal(rte_eth_dev_callback_register(rig.port, RTE_ETH_EVENT_INTR_LSC, on_lsc,
		NULL), 0);
	/* A guest may be there before the port is started. */
	rig_plug_usual(&rig, 1);
	assert_false(rig_guest_link(&rig));
	rig_start(&rig, &conf);
	assert_true(rig_guest_link(&rig));
	assert_true(rig_wait_link(&rig, true));
	expect_lsc(1);

	assert_int_equal(rte_eth_dev_set_link_down(rig.port), 0);
	assert_true(!rig_link(&rig));
	assert_false(rig_guest_link(&rig));
	expect_lsc(2);
	assert_int_equal(rte_eth_dev_set_link_up(rig.port), 0);
	assert_true(rig_guest_link(&rig) && rig_link(&rig));
	expect_lsc(3);

	/* The driver stops, and starts again. */
	mini_cmd(&rig.m, VMXNET3_CMD_QUIESCE_DEV);
	assert_true(rig_wait_link(&rig, false));
	assert_int_equal(mini_activate(&rig.m), 0);
	assert_true(rig_wait_link(&rig, true));
	expect_lsc(5);
	rig_check_traffic(&rig);

	rig_unplug(&rig);
	assert_true(rig_wait_link(&rig, false));
	rig_stop(&rig);
	rig_start(&rig, &conf);
	rig_plug_usual(&rig, 1);
	assert_true(rig_wait_link(&rig, true));
	assert_int_equal(rte_eth_dev_callback_unregister(rig.port, RTE_ETH_EVENT_INTR_LSC, on_lsc,
		NULL), 0);
	rig_close(&rig);
}

/*
 * The application's other half may be the guest, and hold EAL's memory lock while it waits for an answer:
 * DMA maps are changed from memory events.
 */
static void
answers_while_memory_is_locked(void **state)
{
	const struct rig_conf conf = { .lsc = true };
	int i;

	(void)state;
	rig_open(&rig, "");
	assert_int_equal(rte_eth_dev_callback_register(rig.port, RTE_ETH_EVENT_INTR_LSC, on_lsc,
		NULL), 0);
	rig_start(&rig, &conf);
	rig_plug_usual(&rig, 1);
	for (i = 0; i < 20; i++) {
		mini_cmd(&rig.m, VMXNET3_CMD_QUIESCE_DEV);
		/* Callbacks of link events wait for it, too. */
		rte_mcfg_mem_write_lock();
		assert_int_equal(mini_activate(&rig.m), 0);
		assert_int_equal(vfu_client_dma_map(rig.client, MINI_MEM_IOVA + rig.mem.size, 4096,
			rig.mem.fd, 0), 0);
		assert_int_equal(vfu_client_dma_unmap(rig.client, MINI_MEM_IOVA + rig.mem.size,
			4096), 0);
		rte_mcfg_mem_write_unlock();
		rig_check_traffic(&rig);
	}
	rig_close(&rig);
}

/* ---- queues ---- */

static void
mark_and_send(uint32_t q, uint8_t serial)
{
	uint8_t data[60] = { [12] = 0x88, [13] = 0xb5, [14] = (uint8_t)q, [15] = serial };

	rig_guest_send(&rig, q, data, sizeof(data), NULL);
}

static void
reconfigure(uint16_t nb_rx, uint16_t nb_tx)
{
	const struct rig_conf conf = { .nb_rx = nb_rx, .nb_tx = nb_tx };

	rig_stop(&rig);
	rig_start(&rig, &conf);
}

static void
queues_meet(void **state)
{
	static const uint16_t numbers[] = { 1, 2, 3, 4, 8, 32 };
	struct mini_frame f;
	struct rte_mbuf *m;
	uint32_t q, k;
	size_t i;

	(void)state;
	rig_open(&rig, "");
	rig_start(&rig, &usual_port);
	rig_plug_usual(&rig, 4);
	for (i = 0; i < RTE_DIM(numbers); i++) {
		reconfigure(numbers[i], numbers[RTE_DIM(numbers) - 1 - i]);
		for (k = 0; k < 3; k++) {
			for (q = 0; q < 4; q++)
				mark_and_send(q, (uint8_t)k);
		}
		for (k = 0; k < 3; k++) {
			for (q = 0; q < 4; q++) {
				assert_int_equal(rig_receive(&rig, (uint16_t)(q % numbers[i]), &m, 1), 1);
				assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[15] < 3, 1);
				assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[14] % numbers[i],
					q % numbers[i]);
				rte_pktmbuf_free(m);
			}
		}
		for (q = 0; q < numbers[i]; q++)
			assert_int_equal(rte_eth_rx_burst(rig.port, (uint16_t)q, &m, 1), 0);
		/* Any of ours delivers. */
		make_frame(100);
		memset(frame.data, 0xff, 6);
		for (q = 0; q < numbers[RTE_DIM(numbers) - 1 - i]; q++) {
			m = rig_mbuf(&rig, frame.data, frame.len, 1);
			assert_int_equal(rte_eth_tx_burst(rig.port, (uint16_t)q, &m, 1), 1);
			rig_guest_receive(&rig, &f);
		}
		mini_refill(&rig.m, 0, UINT32_MAX);
		for (q = 0; q < 4; q++)
			assert_int_equal(mini_reap(&rig.m, q), 3);
	}
	assert_true(vfu_client_alive(rig.client));
	rig_close(&rig);
}

/* A busy queue of the guest does not keep the others from being heard. */
static void
queues_take_turns(void **state)
{
	struct rte_mbuf *pkts[8];
	unsigned int seen[4] = { 0 }, round;
	uint16_t i, n;
	uint32_t q, k;

	(void)state;
	rig_open(&rig, "");
	rig_start(&rig, &usual_port);
	rig_plug_usual(&rig, 4);
	for (q = 0; q < 4; q++) {
		for (k = 0; k < 100; k++)
			mark_and_send(q, (uint8_t)k);
	}
	for (round = 0; round < 4; round++) {
		n = rte_eth_rx_burst(rig.port, 0, pkts, RTE_DIM(pkts));
		assert_int_equal(n, RTE_DIM(pkts));
		for (i = 0; i < n; i++)
			seen[rte_pktmbuf_mtod(pkts[i], uint8_t *)[14]]++;
		rte_pktmbuf_free_bulk(pkts, n);
	}
	for (q = 0; q < 4; q++)
		assert_int_equal(seen[q], RTE_DIM(pkts));
	rig_close(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(refusals),
		cmocka_unit_test(closed_by_the_application),
		cmocka_unit_test(capabilities_are_fixed),
		cmocka_unit_test(queue_information),
		cmocka_unit_test(statistics),
		cmocka_unit_test(links),
		cmocka_unit_test(answers_while_memory_is_locked),
		cmocka_unit_test(queues_meet),
		cmocka_unit_test(queues_take_turns),
	};

	return cmocka_run_group_tests(tests, rig_eal, NULL);
}
