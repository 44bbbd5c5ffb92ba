/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a driver's bursts cost: an application for any driver, run inside of a guest whose time stamp counter counts instructions.
 *
 * It sends bursts by the first port and receives them by the second, and counts only within the two calls: how long frames are under way, and how often
 * one looks for them in vain, is not the driver's doing. So that each call has the same to do it waits until a burst has arrived.
 *
 * Prints one JSON object.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#define BURST	  32
#define FRAME	  64
#define RING	  1024
#define POOL	  8191
#define CACHE	  256
#define WARM_UP	  64  /* bursts that are not counted */
#define PATIENCE  500 /* looks for a burst, a millisecond each */
#define MAX_TURNS 20000

enum { SENDER, RECEIVER, PORTS };

static uint64_t cost[PORTS][MAX_TURNS]; /* of a burst, by port */
static struct rte_mempool *pool;
static bool fast_free;

static void
die(const char *what, int err)
{
	fprintf(stderr, "vm_pmd: %s: %s\n", what, rte_strerror(err < 0 ? -err : err));
	exit(1);
}

static void
port_open(uint16_t port)
{
	struct rte_eth_conf conf = { 0 };
	uint16_t rxd = RING, txd = RING;
	int ret;

	if (fast_free)
		conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	ret = rte_eth_dev_configure(port, 1, 1, &conf);
	if (ret == 0)
		ret = rte_eth_dev_adjust_nb_rx_tx_desc(port, &rxd, &txd);
	if (ret == 0)
		ret = rte_eth_rx_queue_setup(port, 0, rxd, SOCKET_ID_ANY, NULL, pool);
	if (ret == 0)
		ret = rte_eth_tx_queue_setup(port, 0, txd, SOCKET_ID_ANY, NULL);
	if (ret == 0)
		ret = rte_eth_dev_start(port);
	if (ret == 0)
		ret = rte_eth_promiscuous_enable(port);
	if (ret != 0)
		die("a port does not start", ret);
}

static void
make_burst(struct rte_mbuf **m)
{
	uint16_t i;
	int ret = rte_pktmbuf_alloc_bulk(pool, m, BURST);

	if (ret != 0)
		die("no mbufs", ret);
	for (i = 0; i < BURST; i++) {
		struct rte_ether_hdr *eth = (void *)rte_pktmbuf_append(m[i], FRAME);

		memset(eth, 0, FRAME);
		rte_eth_macaddr_get(RECEIVER, &eth->dst_addr);
		rte_eth_macaddr_get(SENDER, &eth->src_addr);
		eth->ether_type = RTE_BE16(0x88b5);
	}
}

/* Frames of others are in nobody's count. @return how many are left of @p n */
static uint16_t
keep_ours(struct rte_mbuf **m, uint16_t n)
{
	uint16_t i, ours = 0;

	for (i = 0; i < n; i++)
		ours += rte_pktmbuf_mtod(m[i], struct rte_ether_hdr *)->ether_type == RTE_BE16(0x88b5);
	rte_pktmbuf_free_bulk(m, n);
	return ours;
}

/* @return cycles, with the clock's own */
static uint64_t
send_burst(struct rte_mbuf **m)
{
	uint64_t begin = rte_rdtsc(), end;
	uint16_t n = rte_eth_tx_burst(SENDER, 0, m, BURST);

	end = rte_rdtsc();
	if (n != BURST)
		die("a burst was not taken", ENOSPC);
	return end - begin;
}

/* A burst that came in one call. @return its cycles, with the clock's own; 0: it came in parts */
static uint64_t
receive_burst(void)
{
	struct rte_mbuf *m[BURST];
	uint64_t begin, end;
	uint16_t n, sum = 0, ours;
	int i;

	for (i = 0; i < PATIENCE; i++) {
		usleep(1000);
		begin = rte_rdtsc();
		n = rte_eth_rx_burst(RECEIVER, 0, m, BURST);
		end = rte_rdtsc();
		ours = keep_ours(m, n);
		if (ours == BURST)
			return end - begin;
		sum = (uint16_t)(sum + ours);
		if (sum >= BURST)
			return 0;
	}
	die("frames were lost", ETIMEDOUT);
	return 0;
}

static void
forget_all(void)
{
	struct rte_mbuf *m[BURST];

	rte_pktmbuf_free_bulk(m, rte_eth_rx_burst(RECEIVER, 0, m, BURST));
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Two calls of the clock, one after the other. */
static uint64_t
clock_cost(void)
{
	uint64_t best = UINT64_MAX, begin, took;
	int i;

	for (i = 0; i < 1000; i++) {
		begin = rte_rdtsc();
		took = rte_rdtsc() - begin;
		best = RTE_MIN(best, took);
	}
	return best;
}

/* The mean without the dearest hundredth, in which the guest's kernel had the CPU; per frame. */
static double
per_frame(uint64_t *values, uint32_t n, uint64_t clock)
{
	uint32_t i, used = n - n / 100 - 1;
	double sum = 0;

	qsort(values, n, sizeof(*values), compare);
	for (i = 0; i < used; i++)
		sum += (double)(values[i] - clock);
	return sum / used / BURST;
}

static void
run(uint32_t turns)
{
	struct rte_mbuf *m[BURST];
	uint32_t i, nb[PORTS] = { 0 };
	struct rte_eth_dev_info info;
	struct rte_eth_burst_mode mode[PORTS] = { 0 };
	uint64_t clock = clock_cost(), sent, got;

	for (i = 0; i < turns + WARM_UP; i++) {
		make_burst(m);
		sent = send_burst(m);
		got = receive_burst();
		if (i < WARM_UP)
			continue;
		cost[SENDER][nb[SENDER]++] = sent;
		if (got != 0)
			cost[RECEIVER][nb[RECEIVER]++] = got;
	}
	if (nb[RECEIVER] < turns / 4 + 2)
		die("most bursts came in parts", EAGAIN);
	rte_eth_dev_info_get(RECEIVER, &info);
	rte_eth_rx_burst_mode_get(RECEIVER, 0, &mode[RECEIVER]);
	rte_eth_tx_burst_mode_get(SENDER, 0, &mode[SENDER]);
	printf("{\"driver\": \"%s\", \"rx_mode\": \"%s\", \"tx_mode\": \"%s\", \"bursts\": %u, \"whole\": %u, "
	       "\"rx\": %.2f, \"tx\": %.2f}\n",
		info.driver_name, mode[RECEIVER].info, mode[SENDER].info, nb[SENDER], nb[RECEIVER],
		per_frame(cost[RECEIVER], nb[RECEIVER], clock), per_frame(cost[SENDER], nb[SENDER], clock));
}

int
main(int argc, char **argv)
{
	int used = rte_eal_init(argc, argv), turns;
	uint16_t port;

	if (used < 0)
		die("EAL", rte_errno);
	argc -= used;
	argv += used;
	turns = argc > 1 ? atoi(argv[1]) : 0;
	fast_free = argc > 2 && strcmp(argv[2], "fast-free") == 0;
	if (turns < 10 || turns > MAX_TURNS || argc > 2 + fast_free) {
		fprintf(stderr, "usage: vm_pmd EAL-OPTIONS -- BURSTS [fast-free]\n");
		return 1;
	}
	if (rte_eth_dev_count_avail() != PORTS)
		die("two ports are needed", ENODEV);
	pool = rte_pktmbuf_pool_create("vm_pmd", POOL, CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (pool == NULL)
		die("pool", rte_errno);
	for (port = 0; port < PORTS; port++)
		port_open(port);
	usleep(500000);
	forget_all();
	run((uint32_t)turns);
	for (port = 0; port < PORTS; port++)
		rte_eth_dev_stop(port);
	rte_eal_cleanup();
	return 0;
}
