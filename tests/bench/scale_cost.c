/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a 64-byte frame costs the polling core with many ports, many addresses, two cores; turn by turn with few.
 * Applications fill the rings and take what has arrived, then the switch's round is timed, and so on (loop.h): what is
 * measured is the busy cycles of a polling core whose rings are never empty, whoever else wants the CPUs.
 *
 * The applications run on the other CPU, as they do in life: what they have written has to come from its caches. With
 * two polling cores there is no other: there each core plays its own applications, and so does the one it is compared
 * with. Two CPUs may be threads of one, or share its caches: the same is done by two cores that have nothing in common, too, each
 * with a bridge of its own.
 *
 * Prints one JSON object: cycles per frame of each scene, a figure for each round, each the lower quartile of many short
 * times.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>

#include "loop.h"

#define LEN       60
#define FEW_MACS  10
#define MANY_MACS 100000
#define FDB_SIZE  262144
#define TURNS     8   /* in one time */
#define TIMES     51  /* in one figure */
#define WARM_UP   64  /* turns: every ring has gone round */
#define MAX_ROUND 64
#define WAKE_ROUNDS 4 /* each a millisecond later */
/* Has no divisor in common with a number of addresses: all are used, in an order that nobody can guess. */
#define STRIDE    7919

/* Ports that an application joins two by two. */
struct scene {
	const char *name;
	struct topology *topo[LOOP_CORES]; /* of each core that has something to do */
	uint16_t nb_pairs; /* of each core, whose first is pair number core */
	uint16_t nb_cores;
	bool apart;        /* applications run on the other CPU */
	uint32_t nb_macs;  /* of both ports of a pair together */
	double figure[MAX_ROUND];
};

/* One core's share of a scene. */
struct part {
	const struct scene *scene;
	uint16_t core;
	uint32_t next_mac;
	uint64_t clock; /* TSC; of the core, from scene to scene */
	double time[TIMES];
} __rte_cache_aligned;

static struct part parts[LOOP_CORES];
static atomic_uint arrived, left;

/* ---- the applications ---- */

static void
set_address(uint8_t *mac, uint16_t port, uint32_t number)
{
	const uint8_t address[6] = { 0x02, (uint8_t)port, 0, (uint8_t)(number >> 16), (uint8_t)(number >> 8),
		(uint8_t)number };

	memcpy(mac, address, sizeof(address));
}

/* Frames that are to go from one port to the other, from and to the next of their addresses. */
static void
address(struct part *p, uint16_t from, uint16_t to, struct rte_mbuf **m, uint16_t n)
{
	uint32_t nb = p->scene->nb_macs / 2;
	uint16_t i;

	for (i = 0; i < n; i++) {
		uint8_t *data = rte_pktmbuf_mtod(m[i], uint8_t *);

		p->next_mac = (p->next_mac + STRIDE) % nb;
		set_address(data, to, p->next_mac);
		set_address(data + 6, from, p->next_mac);
	}
}

static void
send_burst(struct part *p, uint16_t from, struct rte_mbuf **m)
{
	address(p, from, from ^ 1, m, LOOP_BURST);
	if (rte_eth_tx_burst(loop.port[from].id, 0, m, LOOP_BURST) != LOOP_BURST)
		loop_die("nothing can be sent");
}

/* All that has been sent is there. */
static void
take_burst(uint16_t port, struct rte_mbuf **m)
{
	if (rte_eth_rx_burst(loop.port[port].id, 0, m, LOOP_BURST) != LOOP_BURST)
		loop_die("a frame was lost");
}

static uint16_t
port_of(const struct part *p, uint16_t pair)
{
	return (uint16_t)(2 * (p->core + pair * p->scene->nb_cores));
}

static void
start(struct part *p)
{
	struct rte_mbuf *m[LOOP_BURST];
	uint16_t pair, end, i;

	for (pair = 0; pair < p->scene->nb_pairs; pair++) {
		for (end = 0; end < 2; end++) {
			for (i = 0; i < LOOP_BURST; i++)
				m[i] = loop_frame(LEN);
			send_burst(p, port_of(p, pair) + end, m);
		}
	}
}

static void
land(struct part *p)
{
	struct rte_mbuf *m[LOOP_BURST];
	uint16_t pair, end;

	for (pair = 0; pair < p->scene->nb_pairs; pair++) {
		for (end = 0; end < 2; end++) {
			take_burst(port_of(p, pair) + end, m);
			rte_pktmbuf_free_bulk(m, LOOP_BURST);
		}
	}
}

/* What arrived at a port leaves by the other one of its pair. */
static void
applications(struct part *p)
{
	struct rte_mbuf *m[LOOP_BURST];
	uint16_t pair, end;

	for (pair = 0; pair < p->scene->nb_pairs; pair++) {
		for (end = 0; end < 2; end++) {
			take_burst(port_of(p, pair) + end, m);
			send_burst(p, port_of(p, pair) + (end ^ 1), m);
		}
	}
}

/* ---- the other CPU ---- */

static void
end(struct part *p __rte_unused)
{
}

static _Atomic(void (*)(struct part *)) asked;

static int
other_cpu(void *arg)
{
	void (*what)(struct part *);

	while ((what = atomic_load(&asked)) != end) {
		if (what == NULL) {
			rte_pause();
			continue;
		}
		what(arg);
		atomic_store(&asked, NULL);
	}
	return 0;
}

/* Has the applications do something, and waits for it. */
static void
have(struct part *p, void (*what)(struct part *))
{
	if (!p->scene->apart) {
		what(p);
		return;
	}
	atomic_store(&asked, what);
	while (atomic_load(&asked) != NULL)
		rte_pause();
}

/* ---- times ---- */

/* @return cycles of the switch for a frame */
static double
turns(struct part *p, uint32_t n)
{
	uint64_t cycles = 0, begin, took;
	uint32_t i;

	for (i = 0; i < n; i++) {
		have(p, applications);
		/* A core that is never idle: its clock stands still while the applications work. */
		begin = rte_rdtsc_precise();
		loop_round(p->scene->topo[p->core], p->core, p->clock);
		took = rte_rdtsc_precise() - begin;
		p->clock += took;
		cycles += took;
	}
	return (double)cycles / n / (2 * p->scene->nb_pairs * LOOP_BURST);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
meet(atomic_uint *here, uint32_t nb)
{
	atomic_fetch_add(here, 1);
	while (atomic_load(here) < nb)
		rte_pause();
}

/* Queues that were silent are looked at once in a while only: that while passes. */
static void
wake(struct part *p)
{
	uint32_t i;

	for (i = 0; i < WAKE_ROUNDS; i++) {
		p->clock += rte_get_tsc_hz() / 1000;
		loop_round(p->scene->topo[p->core], p->core, p->clock);
	}
}

static int
run_part(void *arg)
{
	struct part *p = arg;
	uint32_t i;

	have(p, start);
	wake(p);
	turns(p, WARM_UP + p->scene->nb_macs / 2 / LOOP_BURST);
	meet(&arrived, p->scene->nb_cores);
	for (i = 0; i < TIMES; i++)
		p->time[i] = turns(p, TURNS);
	meet(&left, p->scene->nb_cores);
	have(p, land);
	return 0;
}

/* One figure: the lower quartile, as others on the machine only make times longer; of both cores' the mean. */
static double
run_scene(const struct scene *s)
{
	const unsigned int other = rte_get_next_lcore(-1, 1, 0);
	const uint16_t cores = s->topo[1] != NULL ? LOOP_CORES : 1;
	double sum = 0;
	uint16_t core;

	atomic_store(&arrived, LOOP_CORES - cores);
	atomic_store(&left, LOOP_CORES - cores);
	for (core = 0; core < cores; core++)
		parts[core] = (struct part){ .scene = s, .core = core, .clock = parts[core].clock };
	atomic_store(&asked, NULL);
	if (s->apart)
		rte_eal_remote_launch(other_cpu, &parts[0], other);
	else if (cores > 1)
		rte_eal_remote_launch(run_part, &parts[1], other);
	run_part(&parts[0]);
	atomic_store(&asked, end);
	rte_eal_mp_wait_lcore();
	for (core = 0; core < cores; core++) {
		qsort(parts[core].time, TIMES, sizeof(parts[core].time[0]), compare);
		sum += parts[core].time[TIMES / 4];
	}
	return sum / cores;
}

int
main(int argc, char **argv)
{
	struct bridge *two, *next, *four, *all;
	struct topology *alone, *other, *shared, *full;
	int rounds, round, i;

	rounds = argc > 1 ? atoi(argv[1]) : 0;
	if (rounds < 1 || rounds > MAX_ROUND)
		loop_die("usage: scale_cost ROUNDS EAL-OPTION... (memory, and two lcores)");
	loop_open(LOOP_PORTS, (const char *const *)(argv + 2));
	/* The addresses behind a port are many: it has them all. */
	for (i = 0; i < LOOP_PORTS; i++) {
		if (rte_eth_promiscuous_enable(loop.port[i].id) != 0)
			loop_die("a port refuses to be promiscuous");
	}
	two = loop_bridge("two", 0, 2, FDB_SIZE);
	next = loop_bridge("next", 2, 2, FDB_SIZE);
	four = loop_bridge("four", 0, 4, FDB_SIZE);
	all = loop_bridge("all", 0, LOOP_PORTS, FDB_SIZE);
	alone = loop_topology(two, 1);
	other = loop_topology(next, LOOP_CORES);
	shared = loop_topology(four, LOOP_CORES);
	full = loop_topology(all, 1);
	struct scene scenes[] = {
		{ "2 ports", { alone }, 1, 1, true, 2, { 0 } },
		{ "2 busy, 26 idle ports", { full }, 1, 1, true, 2, { 0 } },
		{ "28 busy ports", { full }, LOOP_PORTS / 2, 1, true, 2, { 0 } },
		{ "10 MACs", { alone }, 1, 1, true, FEW_MACS, { 0 } },
		{ "100,000 MACs", { alone }, 1, 1, true, MANY_MACS, { 0 } },
		{ "1 core", { shared }, 1, 2, false, 2, { 0 } },
		{ "2 cores", { shared, shared }, 1, 2, false, 2, { 0 } },
		{ "2 cores, 2 switches", { alone, other }, 1, 2, false, 2, { 0 } },
	};

	for (round = 0; round < rounds; round++) {
		for (i = 0; i < (int)RTE_DIM(scenes); i++)
			scenes[i].figure[round] = run_scene(&scenes[i]);
	}
	for (i = 0; i < (int)RTE_DIM(scenes); i++) {
		printf("%s\"%s\": [", i == 0 ? "{" : ", ", scenes[i].name);
		for (round = 0; round < rounds; round++)
			printf("%s%.1f", round == 0 ? "" : ", ", scenes[i].figure[round]);
		printf("]");
	}
	printf("}\n");
	topology_free(alone);
	topology_free(other);
	topology_free(shared);
	topology_free(full);
	bridge_destroy(two);
	bridge_destroy(next);
	bridge_destroy(four);
	bridge_destroy(all);
	loop_close();
	return 0;
}
