/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guest and the application do to a back-end port while it works, and what must stay meanwhile. */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vh_rig.h"

#define WAIT_MS 10000
#define PCI_MSIX_CTRL 0x9e
#define START_MS 2500
#define LINK_VECTOR 24 /* as the driver has it with few queues */

static struct rig rig;

static void
stopping_keeps_the_guest(void **state)
{
	const struct rig_conf usual_port = { 0 };
	uint8_t marked[60] = { [12] = 0x88, [13] = 0xb5 };
	struct rte_mbuf *m;
	int i;

	(void)state;
	rig_open_usual(&rig);
	for (i = 0; i < 100; i++) {
		rig_stop(&rig);
		assert_false(rig_guest_link(&rig));
		/* Frames wait. */
		marked[15] = (uint8_t)i;
		if (i % 10 == 0)
			rig_guest_send(&rig, 0, marked, sizeof(marked), NULL);
		rig_start(&rig, &usual_port);
		assert_true(rig_guest_link(&rig));
		if (i % 10 == 0) {
			m = rig_receive_one(&rig);
			assert_int_equal(rte_pktmbuf_mtod(m, uint8_t *)[15], i);
			rte_pktmbuf_free(m);
			mini_reap(&rig.m, 0);
		}
		rig_check_traffic(&rig);
	}
	rig_close(&rig);
}

static int
wait_event(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	if (poll(&p, 1, ms) != 1)
		return 0;
	return read(fd, &n, sizeof(n)) == sizeof(n);
}

/* Raised by the burst that gave reason to; by an alarm when there are no bursts. */
static void
interrupts(void **state)
{
	static const uint8_t sent[60] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2 };
	const uint16_t enable = 0x8000;
	int data = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	int link = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	(void)state;
	rig_open_usual(&rig);
	assert_int_equal(vfu_client_irq_set(rig.client, VFU_IRQ_MSIX, 0, 1, &data), 0);
	assert_int_equal(vfu_client_irq_set(rig.client, VFU_IRQ_MSIX, LINK_VECTOR, 1, &link), 0);
	rig.bus.write(rig.client, VFU_REGION_CONFIG, PCI_MSIX_CTRL, &enable, sizeof(enable));
	mini_write(&rig.m, 0, VMXNET3_REG_IMR, 0);
	rig_check_traffic(&rig);
	assert_true(wait_event(data, 0));
	mini_write(&rig.m, 0, VMXNET3_REG_IMR, 0);
	/* The alarm that looked after the start is over. */
	while (wait_event(data, START_MS))
		mini_write(&rig.m, 0, VMXNET3_REG_IMR, 0);
	/* What the guest has sent is told a little later, though no burst follows. */
	rig_guest_send(&rig, 0, sent, sizeof(sent), NULL);
	rte_pktmbuf_free(rig_receive_one(&rig));
	assert_true(wait_event(data, WAIT_MS));
	mini_reap(&rig.m, 0);
	mini_write(&rig.m, 0, VMXNET3_REG_IMR, 0);

	/* Masked when the link goes: told when it is unmasked, though nobody polls. */
	rig_stop(&rig);
	assert_false(wait_event(link, 20));
	mini_write(&rig.m, 0, VMXNET3_REG_IMR + LINK_VECTOR * 8, 0);
	assert_true(wait_event(link, WAIT_MS));
	rig_close(&rig);
	close(data);
	close(link);
}

/* ---- bursts under everything else ---- */

static atomic_bool polling;
static atomic_uint rounds;

/* A thread that has not heard yet that the port was stopped: it goes on calling the driver's functions. */
static void *
poll_port(void *arg)
{
	const struct rte_eth_fp_ops port = rte_eth_fp_ops[rig.port];
	struct rte_mbuf *pkts[RIG_BURST];
	uint16_t i, n, q;

	(void)arg;
	while (atomic_load(&polling)) {
		for (q = 0; q < 2; q++) {
			n = port.rx_pkt_burst(port.rxq.data[q], pkts, RIG_BURST);
			i = port.tx_pkt_burst(port.txq.data[q], pkts, n);
			rte_pktmbuf_free_bulk(pkts + i, n - i);
		}
		atomic_fetch_add(&rounds, 1);
	}
	return NULL;
}

/* Fills the transmit rings; what comes back is looked at by the driver's rules. */
static void
drive(unsigned int n)
{
	struct mini_frame f;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct mini_offload o = { .om = VMXNET3_OM_TSO, .hlen = 54, .msscof = 1000 };

		make_frame(i % 7 == 0 ? 8000 : rnd(1400));
		memset(frame.data, 0xff, 6);
		mini_reap(&rig.m, i & 1);
		mini_send(&rig.m, i & 1, frame.data, frame.len, NULL, 0, i % 7 == 0 ? &o : NULL);
		while (mini_recv(&rig.m, 0, &f) == 1)
			;
		mini_refill(&rig.m, 0, UINT32_MAX);
	}
}

static void
bursts_under_control(void **state)
{
	const struct rig_conf conf = { .nb_rx = 2, .nb_tx = 2 };
	unsigned int i, before;
	pthread_t thread;

	(void)state;
	rig_open(&rig, "");
	rig_start(&rig, &conf);
	rig_plug_usual(&rig, 2);
	atomic_store(&polling, true);
	assert_int_equal(pthread_create(&thread, NULL, poll_port, NULL), 0);
	for (i = 0; i < 60; i++) {
		drive(50);
		switch (i % 6) {
		case 0: /* the machine dies */
			rig_unplug(&rig);
			rig_plug_usual(&rig, 2);
			break;
		case 1: /* its driver starts anew */
			assert_int_equal(mini_activate(&rig.m), 0);
			break;
		case 2: /* its memory goes under the rings */
			assert_int_equal(vfu_client_dma_unmap(rig.client, MINI_MEM_IOVA, rig.mem.size), 0);
			assert_int_equal(vfu_client_dma_map(rig.client, MINI_MEM_IOVA, rig.mem.size,
				rig.mem.fd, 0), 0);
			break;
		case 3:
			assert_int_equal(vfu_client_reset(rig.client), 0);
			assert_int_equal(mini_activate(&rig.m), 0);
			break;
		case 4:
			assert_int_equal(rte_eth_dev_stop(rig.port), 0);
			drive(5);
			assert_int_equal(rte_eth_dev_start(rig.port), 0);
			break;
		default:
			assert_int_equal(rte_eth_dev_set_link_down(rig.port), 0);
			assert_int_equal(rte_eth_stats_reset(rig.port), 0);
			assert_int_equal(rte_eth_dev_set_link_up(rig.port), 0);
		}
	}
	before = atomic_load(&rounds);
	while (atomic_load(&rounds) < before + 10)
		usleep(100);
	atomic_store(&polling, false);
	pthread_join(thread, NULL);
	assert_int_equal(mini_activate(&rig.m), 0);
	rig_check_traffic(&rig);
	rig_close(&rig);
}

/* A guest that cuts its memory off loses its card; the process, and the next guest, do not notice. */
static void
memory_cut_off(void **state)
{
	struct rte_mbuf *m;
	int i;

	(void)state;
	rig_open_usual(&rig);
	rig_check_traffic(&rig);
	assert_int_equal(ftruncate(rig.mem.fd, 0), 0);
	for (i = 0; i < 10; i++) {
		assert_int_equal(rte_eth_rx_burst(rig.port, 0, &m, 1), 0);
		make_frame(100);
		rig_send(&rig, rig_mbuf(&rig, frame.data, frame.len, 1));
	}
	rig_unplug(&rig);
	assert_true(rig_wait_link(&rig, false));
	rig_plug_usual(&rig, 1);
	rig_check_traffic(&rig);
	rig_close(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopping_keeps_the_guest),
		cmocka_unit_test(interrupts),
		cmocka_unit_test(bursts_under_control),
		cmocka_unit_test(memory_cut_off),
	};

	return cmocka_run_group_tests(tests, rig_eal, NULL);
}
