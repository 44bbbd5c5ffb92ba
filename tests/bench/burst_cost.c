/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frame costs in the front end's bursts, by the side of a device that costs nothing of theirs: the tests' hand. By itself
 * this prints nanoseconds; under callgrind, with --toggle-collect on vx_rx_burst or vx_tx_burst, their instructions are counted
 * and nothing else.
 *
 * Prints one JSON object.
 */
#include <stdio.h>
#include <stdlib.h>

#include <rte_cycles.h>

#include "vx_bare.h"

#define BURST_MAX 64

static struct bare port;
static struct hand hand;

static int
usage(void)
{
	fprintf(stderr, "usage: burst_cost FRAME-BYTES FRAMES-PER-BURST FRAMES [fast-free] [64|256|512]\n");
	return 1;
}

/* One round: frames come in, and go out again. @return cycles of both bursts */
static void
turn(uint32_t len, uint16_t nb, uint64_t *rx, uint64_t *tx)
{
	static struct hand_frame f;
	struct rte_mbuf *m[BURST_MAX];
	uint64_t begin, middle, end;
	uint16_t i, n;

	for (i = 0; i < nb; i++) {
		if (hand_put(&hand, 0, len, NULL) < 0)
			abort();
	}
	begin = rte_rdtsc_precise();
	n = vx_rx_burst(port.eth->data->rx_queues[0], m, nb);
	middle = rte_rdtsc_precise();
	n += vx_tx_burst(port.eth->data->tx_queues[0], m, nb);
	end = rte_rdtsc_precise();
	if (n != 2 * nb || hand_send_all(&hand, &f) != nb)
		abort();
	*rx += middle - begin;
	*tx += end - middle;
}

int
main(int argc, char **argv)
{
	struct bare_conf conf = { .rx_size = 1024, .tx_size = 1024, .pool_size = 8191, .pool_cache = 256 };
	uint64_t frames, i, rx = 0, tx = 0;
	uint32_t len;
	int nb;

	if (argc < 4)
		return usage();
	len = (uint32_t)atoi(argv[1]);
	nb = atoi(argv[2]);
	frames = strtoull(argv[3], NULL, 10);
	if (len < 60 || len > 9014 || nb < 1 || nb > BURST_MAX || frames < (uint64_t)nb)
		return usage();
	if (vx_eal(NULL) != 0)
		return 1;
	for (i = 4; i < (uint64_t)argc; i++) {
		if (strcmp(argv[i], "fast-free") == 0)
			conf.tx_offloads = RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
		else if (vx_vectors((uint16_t)atoi(argv[i])) == NULL)
			return usage();
	}
	if (len > 1514) {
		conf.rx_offloads = RTE_ETH_RX_OFFLOAD_SCATTER;
		conf.mtu = 9000;
	}
	bare_open(&port, &conf);
	hand_open(&hand, &port, 0);
	/* As a device does that polls. */
	port.dev->txqd[0].tx_threshold = 0x7fffffff;
	frames = frames / (uint64_t)nb * (uint64_t)nb;
	for (i = 0; i < frames; i += (uint64_t)nb)
		turn(len, (uint16_t)nb, &rx, &tx);
	printf("{\"bytes\": %u, \"burst\": %d, \"frames\": %llu, \"rx_ns\": %.2f, \"tx_ns\": %.2f}\n", len, nb,
		(unsigned long long)frames, (double)rx * 1e9 / (double)rte_get_tsc_hz() / (double)frames,
		(double)tx * 1e9 / (double)rte_get_tsc_hz() / (double)frames);
	return 0;
}
