/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a frame costs all the way round: an application's transmit burst, the sender's card, the switch with a learning
 * bridge, the receiver's card, the application's receive burst (loop.h). By itself this prints nanoseconds; under
 * callgrind, with --toggle-collect on loop_measured(), instructions of that function are counted and nothing else.
 *
 * Everything that could make two runs differ is fixed: seeds, clock, and what is done once only is done before.
 *
 * Prints one JSON object for each case.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cpuflags.h>
#include <rte_version.h>

#include <vmxnet3_words.h>

#include "loop.h"

#define NB_PORTS 2
#define FDB_SIZE 8192 /* the default */
#define WARM_UP  2048 /* frames each way: every ring has gone round */
/* Of the devices' clock, for each frame: about what one takes. */
#define FRAME_NS 60

#ifdef __clang__
static const char compiler[] = "clang " __VERSION__;
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

static struct topology *topo;
static uint64_t device_ns = 1000000000;

uint64_t __wrap_vmxnet3_now_ns(void *ctx);
void loop_measured(uint16_t burst, uint64_t turns);

/* Of this thread: what others do on its CPU does not count. */
static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The widest that the CPU says it has, which is what code chosen at run time goes by. */
static const char *
vectors(void)
{
#ifdef RTE_ARCH_X86
	if (rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512F) > 0)
		return "AVX-512";
	return rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) > 0 ? "AVX2" : "SSE";
#else
	return "other";
#endif
}

/* ---- both sides, in turn ---- */

/* In place of the machine's clock (--wrap), for the devices. */
uint64_t
__wrap_vmxnet3_now_ns(void *ctx __rte_unused)
{
	return device_ns;
}

/* As an application does that forwards between two ports; frames never change, so addresses stay right. */
static uint16_t
application(const struct loop_port *from, const struct loop_port *to, uint16_t burst)
{
	struct rte_mbuf *m[LOOP_BURST];
	uint16_t n = rte_eth_rx_burst(from->id, 0, m, burst);

	return n > 0 ? rte_eth_tx_burst(to->id, 0, m, n) : 0;
}

static inline void
turn(uint16_t burst)
{
	uint16_t n;

	n = application(&loop.port[0], &loop.port[1], burst);
	n += application(&loop.port[1], &loop.port[0], burst);
	if (unlikely(n != 2 * burst))
		loop_die("a frame was lost");
	loop_round(topo, 0, device_ns);
	device_ns += 2u * burst * FRAME_NS;
}

__rte_noinline void
loop_measured(uint16_t burst, uint64_t turns)
{
	while (turns-- > 0)
		turn(burst);
}

static __rte_noinline void
warm_up(uint16_t burst)
{
	uint64_t turns = WARM_UP / burst;

	while (turns-- > 0)
		turn(burst);
}

/* ---- what goes round ---- */

static void
launch(uint32_t len, uint16_t burst)
{
	struct rte_mbuf *m[LOOP_BURST];
	uint16_t i, j;

	for (i = 0; i < NB_PORTS; i++) {
		const struct loop_port *from = &loop.port[i], *to = &loop.port[1 - i];

		for (j = 0; j < burst; j++) {
			uint8_t *data;

			m[j] = loop_frame(len);
			data = rte_pktmbuf_mtod(m[j], uint8_t *);
			memcpy(data, to->port->conf.mac, 6);
			memcpy(data + 6, from->port->conf.mac, 6);
		}
		if (rte_eth_tx_burst(from->id, 0, m, burst) != burst)
			loop_die("nothing can be sent");
	}
	loop_round(topo, 0, device_ns);
}

/* Takes what is on its way. */
static void
land(uint16_t burst)
{
	struct rte_mbuf *m[LOOP_BURST];
	uint16_t i, n;

	for (i = 0; i < NB_PORTS; i++) {
		n = rte_eth_rx_burst(loop.port[i].id, 0, m, LOOP_BURST);
		rte_pktmbuf_free_bulk(m, n);
		if (n != burst)
			loop_die("a frame was lost");
	}
}

static void
run(uint32_t len, uint16_t burst, uint64_t frames)
{
	uint64_t turns = frames / (2 * burst), ns;

	frames = turns * 2 * burst;
	launch(len, burst);
	warm_up(burst);
	ns = cpu_ns();
	loop_measured(burst, turns);
	ns = cpu_ns() - ns;
	land(burst);
	printf("{\"bytes\": %u, \"burst\": %u, \"frames\": %llu, \"ns\": %.2f, ", len, burst, (unsigned long long)frames,
		(double)ns / (double)frames);
	printf("\"compiler\": \"%s\", \"dpdk\": \"%s\", \"vectors\": \"%s\"}\n", compiler, rte_version(), vectors());
}

/* "LENGTH:BURST" */
static bool
parse_case(const char *text, uint32_t *len, uint16_t *burst)
{
	return sscanf(text, "%u:%hu", len, burst) == 2 && *len >= 60 && *len <= 1514 && *burst >= 1 && *burst <= LOOP_BURST;
}

int
main(int argc, char **argv)
{
	static const char *const eal[] = { "--no-huge", "--no-shconf", "-m", "96", "--lcores=0", NULL };
	struct bridge *bridge;
	uint16_t burst;
	uint32_t len;
	int i;

	if (argc < 3)
		loop_die("usage: loop_cost FRAMES BYTES:FRAMES-PER-BURST...");
	for (i = 2; i < argc; i++) {
		if (!parse_case(argv[i], &len, &burst))
			loop_die("60 to 1514 bytes, bursts of 1 to 32");
	}
	loop_open(NB_PORTS, eal);
	bridge = loop_bridge("br0", 0, NB_PORTS, FDB_SIZE);
	topo = loop_topology(bridge, 1);
	for (i = 2; i < argc; i++) {
		parse_case(argv[i], &len, &burst);
		run(len, burst, strtoull(argv[1], NULL, 10));
	}
	topology_free(topo);
	bridge_destroy(bridge);
	loop_close();
	return 0;
}
