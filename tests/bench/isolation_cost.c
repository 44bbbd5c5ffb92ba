/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What two ports pay for the manners of two others on the same polling core: cycles of a round in which the former get
 * their 64 frames, beside others that behave, and beside others that do not; turn by turn. Only rounds are timed
 * (loop.h). The others have a vector for each of QUEUES receive queues.
 *
 * Prints one JSON object: for each manner the cycles, a figure for each round, each the lower quartile of many short
 * times; how many frames the others got forwarded in a round at most; what of theirs was dropped and by which names; and
 * interrupts.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ip.h>

#include <vmxnet3_regs.h>

#include "loop.h"

#define LEN       60
#define FDB_SIZE  8192
#define TURNS     8   /* in one time */
#define TIMES     101 /* in one figure */
#define WARM_UP   256 /* turns: every ring has gone round, or is full */
#define MAX_ROUND 64
#define CATCH_UP  16  /* rounds */
#define OTHERS    0   /* ports 0 and 1 */
#define SUBJECTS  2   /* ports 2 and 3 */

struct manner {
	const char *name;
	void (*before)(void); /* what the others' applications do before each round */
	double figure[MAX_ROUND];
	uint64_t most; /* frames of the others in a round */
	uint64_t interrupts, held;
	double intr_cycles; /* in a round, those of looking at the others' interrupts, and of raising them */
	uint64_t drops[SWITCH_DROP_MAX];
};

static uint16_t queues; /* that each of the others receives with */
static struct topology *topo;
static uint64_t clock_now; /* TSC: stands still while the applications work */

/* ---- applications ---- */

/* Makes it one of IPv4, from another address each, so that receivers spread them over their queues. */
static void
address(uint8_t *data, uint16_t i)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(data + RTE_ETHER_HDR_LEN);

	data[12] = 0x08;
	data[13] = 0x00;
	*ip = (struct rte_ipv4_hdr){ .version_ihl = RTE_IPV4_VHL_DEF, .total_length = rte_cpu_to_be_16(LEN - RTE_ETHER_HDR_LEN),
		.time_to_live = 64, .next_proto_id = 253, .src_addr = rte_cpu_to_be_32(RTE_IPV4(198, 18, 1, i)),
		.dst_addr = RTE_BE32(RTE_IPV4(198, 18, 0, 1)) };
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* Sends as many of n frames as there is room for. */
static uint16_t
send_frames(uint16_t from, uint16_t n)
{
	struct rte_mbuf *m[LOOP_BURST];
	uint16_t i, sent;

	for (i = 0; i < n; i++) {
		uint8_t *data;

		m[i] = loop_frame(LEN);
		data = rte_pktmbuf_mtod(m[i], uint8_t *);
		memcpy(data, loop.port[from ^ 1].port->conf.mac, 6);
		memcpy(data + 6, loop.port[from].port->conf.mac, 6);
		if (queues > 1 && from < SUBJECTS)
			address(data, i);
	}
	sent = rte_eth_tx_burst(loop.port[from].id, 0, m, n);
	rte_pktmbuf_free_bulk(m + sent, n - sent);
	return sent;
}

/* Takes all that is there. */
static uint32_t
take_frames(uint16_t port)
{
	struct rte_mbuf *m[LOOP_BURST];
	uint16_t n, q, nb = port < SUBJECTS ? queues : 1;
	uint32_t all = 0;

	for (q = 0; q < nb; q++) {
		while ((n = rte_eth_rx_burst(loop.port[port].id, q, m, LOOP_BURST)) > 0) {
			rte_pktmbuf_free_bulk(m, n);
			all += n;
		}
	}
	return all;
}

static void
behave_pair(uint16_t first)
{
	uint16_t end;

	for (end = 0; end < 2; end++) {
		take_frames(first + end);
		send_frames(first + end, LOOP_BURST);
	}
}

static void
behave(void)
{
	behave_pair(OTHERS);
}

/* Sends, and never looks at what it receives: no completion is taken and no buffer is posted. */
static void
never_receive(void)
{
	send_frames(OTHERS, LOOP_BURST);
	send_frames(OTHERS + 1, LOOP_BURST);
}

/* Its transmit rings are always full. */
static void
flood(void)
{
	uint16_t end;

	for (end = 0; end < 2; end++) {
		take_frames(OTHERS + end);
		while (send_frames(OTHERS + end, LOOP_BURST) == LOOP_BURST)
			;
	}
}

static void
ask_for_interrupts(bool on)
{
	uint16_t end, q;

	for (end = 0; end < 2; end++) {
		for (q = 0; q < queues; q++) {
			if (on)
				rte_eth_dev_rx_intr_enable(loop.port[OTHERS + end].id, q);
			else
				rte_eth_dev_rx_intr_disable(loop.port[OTHERS + end].id, q);
		}
	}
}

/* Asks for interrupts of all queues, over and over. */
static void
unmask(void)
{
	behave_pair(OTHERS);
	ask_for_interrupts(true);
}

/*
 * Does as much, but asks for none: in life, what an application does to the caches is no matter of the polling core, as it runs
 * on another.
 */
static void
mask(void)
{
	behave_pair(OTHERS);
	ask_for_interrupts(false);
}

/* ---- times ---- */

static struct port_stats
stats_of_others(void)
{
	struct port_stats a, b;
	unsigned int i;

	port_stats_get(loop.port[OTHERS].port, &a);
	port_stats_get(loop.port[OTHERS + 1].port, &b);
	a.rx_frames += b.rx_frames;
	a.interrupts += b.interrupts;
	a.interrupts_held += b.interrupts_held;
	for (i = 0; i < SWITCH_DROP_MAX; i++)
		a.drops[i] += b.drops[i];
	return a;
}

static uint64_t
intr_cycles_of_others(void)
{
	uint64_t cycles = 0;

	for (uint16_t i = OTHERS; i < OTHERS + 2; i++) {
		const struct port_cost *cost = &loop.port[i].port->cost;

		cycles += port_cost_of(cost, port_cost_intr(cost)).cycles;
	}
	return cycles;
}

/* Frames of the subjects that were moved. */
static uint64_t
frames_of_subjects(void)
{
	return port_cost_on(&loop.port[SUBJECTS].port->cost, 0).frames +
		port_cost_on(&loop.port[SUBJECTS + 1].port->cost, 0).frames;
}

/* @return cycles of a round, or of as much more or less as it takes for all frames of the subjects */
static double
turns(struct manner *m, uint32_t n)
{
	uint64_t all = 0, begin, took, before, moved = frames_of_subjects();
	uint32_t i;

	for (i = 0; i < n; i++) {
		behave_pair(SUBJECTS);
		m->before();
		before = stats_of_others().rx_frames;
		begin = rte_rdtsc_precise();
		loop_round(topo, 0, clock_now);
		took = rte_rdtsc_precise() - begin;
		clock_now += took;
		all += took;
		m->most = RTE_MAX(m->most, stats_of_others().rx_frames - before);
	}
	return (double)all * 2 * LOOP_BURST / (frames_of_subjects() - moved);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* The subjects' frames are all there after a round, or a few if others have had less of the time. */
static void
check_subjects(void)
{
	int left = 2 * LOOP_BURST, round;

	behave_pair(SUBJECTS);
	for (round = 0; left > 0 && round < CATCH_UP; round++) {
		loop_round(topo, 0, clock_now);
		left -= (int)(take_frames(SUBJECTS) + take_frames(SUBJECTS + 1));
	}
	if (left > 0)
		loop_die("frames of those that behave were lost");
}

static double
run_manner(struct manner *m)
{
	struct port_stats begin, end;
	double time[TIMES];
	uint64_t cycles;
	uint32_t i;

	turns(m, WARM_UP);
	m->most = 0;
	begin = stats_of_others();
	cycles = intr_cycles_of_others();
	for (i = 0; i < TIMES; i++)
		time[i] = turns(m, TURNS);
	end = stats_of_others();
	m->intr_cycles += (double)(intr_cycles_of_others() - cycles) / (TIMES * TURNS);
	m->interrupts += end.interrupts - begin.interrupts;
	m->held += end.interrupts_held - begin.interrupts_held;
	for (i = 0; i < SWITCH_DROP_MAX; i++)
		m->drops[i] += end.drops[i] - begin.drops[i];
	check_subjects();
	/* What is left of the others' frames is nobody's. */
	for (i = 0; i < 2 * WARM_UP; i++) {
		loop_round(topo, 0, clock_now);
		take_frames(OTHERS);
		take_frames(OTHERS + 1);
	}
	ask_for_interrupts(false);
	qsort(time, TIMES, sizeof(time[0]), compare);
	/* Others on the machine only make times longer. */
	return time[TIMES / 4];
}

static void
print(const struct manner *m, int rounds)
{
	const char *sep = "";
	int i;

	printf("\"%s\": {\"cycles\": [", m->name);
	for (i = 0; i < rounds; i++)
		printf("%s%.0f", i == 0 ? "" : ", ", m->figure[i]);
	printf("], \"intr_cycles\": %.0f, \"most\": %llu, \"interrupts\": %llu, \"held\": %llu, \"drops\": {", m->intr_cycles / rounds, (unsigned long long)m->most,
		(unsigned long long)m->interrupts, (unsigned long long)m->held);
	for (i = 0; i < SWITCH_DROP_MAX; i++) {
		if (m->drops[i] == 0)
			continue;
		printf("%s\"%s\": %llu", sep, drop_name(i), (unsigned long long)m->drops[i]);
		sep = ", ";
	}
	printf("}}");
}

int
main(int argc, char **argv)
{
	static struct manner manners[] = {
		{ .name = "behave", .before = behave },
		{ .name = "never receive", .before = never_receive },
		{ .name = "flood", .before = flood },
		{ .name = "unmask all the time", .before = unmask },
		{ .name = "mask all the time", .before = mask },
	};
	int rounds = argc > 1 ? atoi(argv[1]) : 0, round, i;
	struct bridge *bridge;

	queues = argc > 2 ? (uint16_t)atoi(argv[2]) : 0;
	if (rounds < 1 || rounds > MAX_ROUND || queues < 1 || queues > VMXNET3_MAX_RX_QUEUES)
		loop_die("usage: isolation_cost ROUNDS QUEUES EAL-OPTION... (memory, and an lcore)");
	loop.interrupts = true;
	loop.shares = true;
	loop.rx_queues[OTHERS] = loop.rx_queues[OTHERS + 1] = queues;
	loop_open(4, (const char *const *)(argv + 3));
	bridge = loop_bridge("br0", 0, 4, FDB_SIZE);
	topo = loop_topology(bridge, 1);
	for (round = 0; round < rounds; round++) {
		for (i = 0; i < (int)RTE_DIM(manners); i++)
			manners[i].figure[round] = run_manner(&manners[i]);
	}
	printf("{");
	for (i = 0; i < (int)RTE_DIM(manners); i++) {
		printf("%s", i == 0 ? "" : ", ");
		print(&manners[i], rounds);
	}
	printf("}\n");
	topology_free(topo);
	bridge_destroy(bridge);
	loop_close();
	return 0;
}
