/* SPDX-License-Identifier: BSD-3-Clause */
/* A virtual device while servers go and come, memory grows, and the application does what applications do. */
#include "vx_socket_rig.h"

#include <poll.h>

#include <rte_interrupts.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>

#include "eal_modes.h"

static void
frames_and_link(void **state)
{
	unsigned int events;

	(void)state;
	start_card(NULL);
	assert_int_equal(attach(""), 0);
	run_port(1, false);
	expect_traffic(pool);
	events = atomic_load(&link_events);
	vmxnet3_dev_set_link(card.dev, false);
	wait_for(atomic_load(&link_events) > events);
	assert_false(link_is_up());
	vmxnet3_dev_set_link(card.dev, true);
	wait_for(link_is_up());
	expect_traffic(pool);
	/* Detaching a port that runs stops and closes it. */
	detach();
	wait_for(!card_info().attached);
	stop_card();
}

static void
server_comes_back(void **state)
{
	int i;

	(void)state;
	start_card(NULL);
	assert_int_equal(attach(",reconnect=100"), 0);
	run_port(2, false);
	for (i = 0; i < 5; i++) {
		expect_traffic(pool);
		lose_card();
		bring_card_back(NULL);
	}
	expect_traffic(pool);
	assert_int_equal(card_info().activations, 1);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	assert_int_equal(rte_eth_dev_start(port), 0);
	wait_for(link_is_up());
	expect_traffic(pool);
	detach();
	stop_card();
}

/* What is asked for while nobody is there holds with the next server. */
static void
operations_while_away(void **state)
{
	struct rte_eth_stats stats;
	uint64_t begin;

	(void)state;
	start_card(NULL);
	assert_int_equal(attach(",reconnect=100"), 0);
	run_port(1, false);
	lose_card();
	begin = ms();
	assert_int_equal(rte_eth_promiscuous_enable(port), 0);
	assert_int_equal(rte_eth_stats_get(port, &stats), 0);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	configure(3, true);
	assert_int_equal(rte_eth_dev_start(port), 0);
	assert_int_equal(rte_eth_dev_set_mtu(port, 1400), 0);
	assert_false(send_from(pool, 100));
	assert_true(ms() - begin < WAIT_MS);
	bring_card_back(NULL);
	assert_int_equal(card_info().nb_rx_queues, 3);
	assert_in_range(card_info().mtu, 1400, 1404); /* a tag may be in line */
	assert_true(card_info().rx_mode & VMXNET3_RXM_PROMISC);
	expect_traffic(pool);
	lose_card();
	detach();
}

static bool
rings(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t n;

	return poll(&p, 1, 0) == 1 && read(fd, &n, sizeof(n)) == sizeof(n);
}

static void
interrupts(void **state)
{
	struct shape s = { .proto = 17, .payload = 100 };
	struct rte_epoll_event event;
	int i, fd, data = 42;
	static struct built f;

	(void)state;
	build(&f, &s);
	start_card(NULL);
	assert_int_equal(attach(",reconnect=100"), 0);
	run_port(1, true);
	fd = rte_eth_dev_rx_intr_ctl_q_get_fd(port, 0);
	assert_true(fd >= 0);
	assert_int_equal(
		rte_eth_dev_rx_intr_ctl_q(port, 0, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, &data), 0);
	for (i = 0; i < 3; i++) {
		/* Masked: none. */
		assert_int_equal(rte_eth_dev_rx_intr_disable(port, 0), 0);
		assert_true(card_delivers(f.data, f.len));
		assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, 50), 0);
		/* It is still due. */
		assert_int_equal(rte_eth_dev_rx_intr_enable(port, 0), 0);
		pthread_mutex_lock(&card.datapath);
		vmxnet3_dev_intr_poll(card.dev);
		pthread_mutex_unlock(&card.datapath);
		assert_int_equal(rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, WAIT_MS), 1);
		assert_ptr_equal(event.epdata.data, &data);
		wait_for(port_receives(f.data, f.len));
		/* EAL has read the counter. */
		assert_false(rings(fd));
		/* The application waits on, whichever server it is. */
		lose_card();
		bring_card_back(NULL);
		assert_int_equal(rte_eth_dev_rx_intr_ctl_q_get_fd(port, 0), fd);
	}
	assert_int_equal(
		rte_eth_dev_rx_intr_ctl_q(port, 0, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_DEL, &data), 0);
	detach();
	stop_card();
}

static void
other_doorbells(void **state)
{
	static const struct card_kind message = { .message = true };
	int i;

	(void)state;
	start_card(&message);
	assert_int_equal(attach(",reconnect=100"), 0);
	run_port(1, false);
	for (i = 0; i < 2; i++) {
		expect_traffic(pool);
		lose_card();
		bring_card_back(NULL);
		expect_traffic(pool);
		lose_card();
		bring_card_back(&message);
	}
	detach();
	stop_card();
}

/* Whether a file that others write has a text. */
static bool
has(FILE *file, const char *text)
{
	char all[4096];
	ssize_t n;

	fflush(file);
	n = pread(fileno(file), all, sizeof(all) - 1, 0);
	all[n > 0 ? n : 0] = '\0';
	return strstr(all, text) != NULL;
}

static void
server_with_other_limits(void **state)
{
	static const struct card_kind small = { .max_queues = 2 };
	FILE *log;

	(void)state;
	start_card(NULL);
	assert_int_equal(attach(",reconnect=100"), 0);
	run_port(4, false);
	expect_traffic(pool);
	lose_card();
	log = tmpfile();
	rte_openlog_stream(log);
	start_card(&small);
	wait_for(has(log, "the port stays down until there is another server"));
	rte_openlog_stream(NULL);
	assert_true(has(log, "the device allows 2 and 2"));
	fclose(log);
	/* It is looked at once, and watched. */
	assert_true(card_info().attached);
	assert_false(link_is_up());
	assert_int_equal(card_info().activations, 0);
	assert_false(send_from(pool, 100));
	stop_card();
	bring_card_back(NULL);
	expect_traffic(pool);
	detach();
	stop_card();
}

static void
no_reconnection(void **state)
{
	(void)state;
	start_card(NULL);
	assert_int_equal(attach(",reconnect=0"), 0);
	run_port(1, false);
	lose_card();
	start_card(NULL);
	usleep(300000);
	assert_false(link_is_up());
	assert_false(card_info().attached);
	detach();
	stop_card();
}

static void
memory_while_away(void **state)
{
	struct rte_mempool *early, *late;

	(void)state;
	start_card(NULL);
	assert_int_equal(attach(",reconnect=100"), 0);
	run_port(1, false);
	early = rte_pktmbuf_pool_create("early", 2047, 0, 0, 8192, SOCKET_ID_ANY);
	assert_non_null(early);
	expect_traffic(early);
	lose_card();
	late = rte_pktmbuf_pool_create("late", 2047, 0, 0, 8192, SOCKET_ID_ANY);
	assert_non_null(late);
	bring_card_back(NULL);
	expect_traffic(early);
	expect_traffic(late);
	rte_eth_tx_done_cleanup(port, 0, 0);
	assert_int_equal(rte_eth_dev_stop(port), 0);
	rte_mempool_free(early);
	rte_mempool_free(late);
	assert_int_equal(rte_eth_dev_start(port), 0);
	expect_traffic(pool);
	detach();
	stop_card();
}

static atomic_bool enough;

static void *
churn(void *arg)
{
	while (!atomic_load(&enough)) {
		rte_free(rte_malloc(NULL, 6 << 20, 0));
		usleep(200);
	}
	return arg;
}

/* Memory comes and goes while servers do: nobody waits for ever, and nothing is forgotten. */
static void
memory_and_servers_at_once(void **state)
{
	pthread_t thread;
	int i;

	(void)state;
	start_card(NULL);
	assert_int_equal(attach(",reconnect=50"), 0);
	run_port(1, false);
	atomic_store(&enough, false);
	assert_int_equal(pthread_create(&thread, NULL, churn, NULL), 0);
	for (i = 0; i < 10; i++) {
		expect_traffic(pool);
		lose_card();
		bring_card_back(NULL);
	}
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
	expect_traffic(pool);
	detach();
	stop_card();
}

static int
run(const struct eal_mode *m)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(frames_and_link, rig_tear_down),
		cmocka_unit_test_teardown(server_comes_back, rig_tear_down),
		cmocka_unit_test_teardown(operations_while_away, rig_tear_down),
		cmocka_unit_test_teardown(interrupts, rig_tear_down),
		cmocka_unit_test_teardown(other_doorbells, rig_tear_down),
		cmocka_unit_test_teardown(server_with_other_limits, rig_tear_down),
		cmocka_unit_test_teardown(no_reconnection, rig_tear_down),
		cmocka_unit_test_teardown(memory_while_away, rig_tear_down),
		cmocka_unit_test_teardown(memory_and_servers_at_once, rig_tear_down),
	};

	if (rig_set_up() != 0)
		return 1;
	return cmocka_run_group_tests_name(m->name, tests, NULL, NULL);
}

/* Memory that stays, and memory that comes and goes. */
static bool
wanted(const struct eal_mode *m)
{
	return strcmp(m->name, "no-huge") == 0 || strcmp(m->name, "in-memory") == 0;
}

int
main(int argc, char **argv)
{
	return eal_modes_main(argc, argv, wanted, run);
}
