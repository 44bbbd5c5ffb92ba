/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file Sends frames of all sizes both ways at once between two ports that something connects, in a closed loop, and
 * checks every byte, the order and the number of what arrives.
 *
 * Two ports: what leaves one must arrive at the other. One port: what leaves it must come back, unchanged (a loop)
 * or with its addresses exchanged (--echo). One lcore does all; with two, each serves a port.
 *
 * Exit status: 0, all is well; 1, frames were altered, reordered, repeated or lost; 2, the test could not run.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_lcore.h>

#include "port.h"
#include "worker.h"

#define LINK_S 30
#define STATUS_WRONG 1
#define STATUS_NOT_RUN 2

static struct run run;
static struct worker workers[MAX_LANES];
static uint32_t nb_workers;

static void
on_signal(int signo __rte_unused)
{
	atomic_store(&run.stop, true);
}

static double
seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int
start_ports(const struct options *opt, uint16_t *ports, uint32_t *nb)
{
	struct rte_mempool *pool;
	uint16_t port;
	uint32_t i;

	pool = rte_pktmbuf_pool_create("pktcheck", opt->mbufs, RTE_MEMPOOL_CACHE_MAX_SIZE, 0,
		opt->mbuf_size + RTE_PKTMBUF_HEADROOM, rte_socket_id());
	if (pool == NULL) {
		fprintf(stderr, "pktcheck: no memory for %u packet buffers\n", opt->mbufs);
		return -1;
	}
	RTE_ETH_FOREACH_DEV(port) {
		if (*nb == MAX_LANES) {
			fprintf(stderr, "pktcheck: takes one port or two\n");
			return -1;
		}
		ports[(*nb)++] = port;
	}
	if (*nb == 0 || (opt->echo && *nb != 1)) {
		fprintf(stderr, "pktcheck: %u ports; takes one or two, and --echo takes one\n", *nb);
		return -1;
	}
	for (i = 0; i < *nb; i++)
		if (port_start(ports[i], opt, pool) != 0)
			return -1;
	for (i = 0; i < *nb; i++)
		if (port_wait_link(ports[i], LINK_S) != 0)
			return -1;
	rte_delay_us_sleep(opt->settle * 1e6);
	return 0;
}

/* Lane i leaves port i for the other one, or for itself if there is no other. */
static void
connect_lane(struct lane *lane, const struct options *opt, const struct frame_rule *rule,
	const uint16_t *ports, uint32_t nb)
{
	lane->opt = opt;
	lane->rule = rule;
	lane->tx_port = ports[lane->index];
	lane->rx_port = ports[(lane->index + 1) % nb];
	rte_eth_macaddr_get(lane->tx_port, &lane->sent.src_addr);
	rte_eth_macaddr_get(lane->rx_port, &lane->sent.dst_addr);
	lane->wanted = lane->sent;
	if (opt->echo) {
		lane->sent.dst_addr = opt->peer;
		lane->wanted.src_addr = opt->peer;
		lane->wanted.dst_addr = lane->sent.src_addr;
	}
}

static int
prepare(const struct options *opt, const struct frame_rule *rule, const uint16_t *ports, uint32_t nb)
{
	struct rte_mempool *pool = rte_mempool_lookup("pktcheck");
	uint64_t share = opt->frames == 0 ? UINT64_MAX : (opt->frames + nb - 1) / nb;
	struct worker *w;
	uint32_t i;

	run.opt = opt;
	run.nb_lanes = nb;
	nb_workers = RTE_MIN(nb, rte_lcore_count());
	for (i = 0; i < nb; i++) {
		run.lanes[i].index = i;
		connect_lane(&run.lanes[i], opt, rule, ports, nb);
	}
	/* Who serves a port sends what leaves it and receives what comes in, which the other lane sent. */
	for (i = 0; i < nb; i++) {
		w = &workers[i % nb_workers];
		w->run = &run;
		sender_init(&w->senders[w->nb], &run.lanes[i], pool, opt->segments, share);
		if (receiver_init(&w->receivers[w->nb], &run.lanes[(i + nb - 1) % nb]) != 0)
			return -1;
		w->nb++;
		w->sleeper.queues = opt->queues;
		w->sleeper.ports[w->sleeper.nb_ports++] = ports[i];
	}
	return 0;
}

static void
work(void)
{
	unsigned int lcore, n = 1;

	RTE_LCORE_FOREACH_WORKER(lcore)
		if (n < nb_workers)
			rte_eal_remote_launch(worker_run, &workers[n++], lcore);
	worker_run(&workers[0]);
	rte_eal_mp_wait_lcore();
}

static const struct sender *
sender_of(const struct lane *lane)
{
	uint32_t i, j;

	for (i = 0; i < nb_workers; i++)
		for (j = 0; j < workers[i].nb; j++)
			if (workers[i].senders[j].lane == lane)
				return &workers[i].senders[j];
	return NULL;
}

static bool
report_lane(const struct receiver *r)
{
	const struct sender *s = sender_of(r->lane);
	uint64_t lost = receiver_lost(r, s->sent);

	printf("%u->%u: sent=%" PRIu64 " received=%" PRIu64 " bytes=%" PRIu64 " altered=%" PRIu64
		" reordered=%" PRIu64 " repeated=%" PRIu64 " lost=%" PRIu64 " foreign=%" PRIu64
		" sizes=%u scattered=%" PRIu64 " damaged=%" PRIu64 " refused=%" PRIu64 "\n",
		r->lane->tx_port, r->lane->rx_port, s->sent, r->good, r->bytes, r->altered, r->reordered,
		r->repeated, lost, r->foreign, receiver_sizes(r), r->scattered, s->damaged, s->refused);
	return r->altered + r->reordered + r->repeated + lost == 0 && s->sent > 0;
}

static int
report(double took, double cpu)
{
	uint64_t received = 0, bytes = 0, wakeups = 0, timeouts = 0, late = 0;
	bool good = true;
	uint32_t i, j;

	for (i = 0; i < nb_workers; i++) {
		for (j = 0; j < workers[i].nb; j++) {
			good &= report_lane(&workers[i].receivers[j]);
			received += workers[i].receivers[j].good;
			bytes += workers[i].receivers[j].bytes;
		}
		wakeups += workers[i].sleeper.wakeups;
		timeouts += workers[i].sleeper.timeouts;
		late += workers[i].after_timeout;
	}
	if (run.opt->rx_interrupts)
		printf("interrupts: wakeups=%" PRIu64 " timeouts=%" PRIu64 " missed=%" PRIu64 "\n",
			wakeups, timeouts, late);
	printf("total: seconds=%.3f cpu=%.3f rate=%.0f gbits=%.3f %s\n", took, cpu, received / took,
		bytes * 8 / took / 1e9, good ? "good" : atomic_load(&run.stop) ? "stalled" : "bad");
	return good ? 0 : STATUS_WRONG;
}

static int
run_test(const struct options *opt, uint16_t *ports, uint32_t *nb)
{
	struct frame_rule rule;
	double start, cpu;
	uint32_t i, j;
	int status;

	if (frame_rule_init(&rule, opt->seed, opt->min, opt->max, opt->uniform) != 0 ||
	    start_ports(opt, ports, nb) != 0 || prepare(opt, &rule, ports, *nb) != 0)
		return STATUS_NOT_RUN;
	start = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	work();
	status = atomic_load(&run.gone) != 0 ? STATUS_NOT_RUN :
		report(seconds(CLOCK_MONOTONIC) - start, seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
	for (i = 0; i < *nb; i++)
		port_print_stats(ports[i]);
	for (i = 0; i < nb_workers; i++)
		for (j = 0; j < workers[i].nb; j++) {
			sender_fini(&workers[i].senders[j]);
			receiver_fini(&workers[i].receivers[j]);
		}
	frame_rule_fini(&rule);
	return status;
}

int
main(int argc, char **argv)
{
	struct options opt;
	uint16_t ports[MAX_LANES];
	uint32_t nb = 0, i;
	int n, rc, status = STATUS_NOT_RUN;

	n = rte_eal_init(argc, argv);
	if (n < 0) {
		fprintf(stderr, "pktcheck: no EAL: %s\n", rte_strerror(rte_errno));
		return STATUS_NOT_RUN;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	rc = options_parse(&opt, argc - n, argv + n);
	if (rc == 0)
		status = run_test(&opt, ports, &nb);
	else if (rc > 0)
		status = 0;
	for (i = 0; i < nb; i++)
		if (port_close(ports[i]) != 0)
			status = STATUS_NOT_RUN;
	rte_eal_cleanup();
	return status;
}
