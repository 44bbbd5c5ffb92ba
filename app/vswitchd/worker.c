/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "ethdev.h"
#include "forward.h"
#include "numa_place.h"
#include "poll_round.h"
#include "worker.h"
#include "worker_sleep.h"

/* Waiting for cores that share their CPU with the waiting thread: give way before long. */
#define QUIESCE_SPINS 200
#define QUIESCE_NAP_NS 20000

struct worker {
	uint16_t id;
	unsigned int lcore;
	struct worker_sleep sleep;
	struct forward *fwd __rte_cache_aligned;
	struct poll_round round;
	struct worker_info info;
};

static struct {
	uint16_t nb;
	struct worker worker[MAX_WORKERS];
	struct rte_rcu_qsbr *rcu;
	struct topology *topo;
	uint32_t stop;
	uint32_t now;
} g;

uint16_t
workers_nb(void)
{
	return g.nb;
}

/* DPDK's own answers take the number of an lcore for that of its CPU. */
uint16_t
worker_cpu(uint16_t worker)
{
	const rte_cpuset_t set = rte_lcore_cpuset(g.worker[worker].lcore);
	uint16_t cpu = 0;

	while (cpu + 1 < CPU_SETSIZE && !CPU_ISSET(cpu, &set))
		cpu++;
	return cpu;
}

int16_t
worker_node(uint16_t worker)
{
	return numa_place_of_cpu(worker_cpu(worker));
}

void
workers_set_clock(uint32_t now)
{
	__atomic_store_n(&g.now, now, __ATOMIC_RELAXED);
}

void
worker_wake(uint16_t worker)
{
	worker_sleep_wake(&g.worker[worker].sleep);
}

/* ---- the loop ---- */

static void
account(struct worker *w, uint32_t frames, uint64_t begin, uint64_t end)
{
	count(&w->info.loops, 1);
	if (frames > 0) {
		count(&w->info.frames, frames);
		count(&w->info.busy_loops, 1);
		count(&w->info.busy_cycles, end - begin);
	} else {
		count(&w->info.idle_cycles, end - begin);
	}
}

static int
worker_main(void *arg)
{
	struct worker *w = arg;
	struct cost_clock *clock = &w->fwd->ctx.clock;

	worker_sleep_begin(&w->sleep, g.rcu);
	rte_rcu_qsbr_thread_online(g.rcu, w->id);
	cost_lap(clock);
	while (!__atomic_load_n(&g.stop, __ATOMIC_RELAXED)) {
		const struct topology *topo;
		uint64_t begin = clock->mark;
		uint32_t frames;

		worker_sleep_awake(&w->sleep, begin);
		topo = __atomic_load_n(&g.topo, __ATOMIC_ACQUIRE);
		w->fwd->ctx.tsc = begin;
		w->fwd->now = __atomic_load_n(&g.now, __ATOMIC_RELAXED);
		frames = poll_round(&w->round, topo);
		rte_rcu_qsbr_quiescent(g.rcu, w->id);
		/* The clock was looked at last behind all that takes time. */
		account(w, frames, begin, clock->mark);
		if (frames > 0)
			worker_sleep_busy(&w->sleep, clock->mark);
		else
			clock->mark = worker_sleep_idle(&w->sleep, begin, clock->mark, worker_intr_held(&w->round.intr));
	}
	rte_rcu_qsbr_thread_offline(g.rcu, w->id);
	return 0;
}

void
workers_quiesce(void)
{
	const struct timespec nap = {.tv_nsec = QUIESCE_NAP_NS};
	uint64_t token;

	if (g.rcu == NULL)
		return;
	token = rte_rcu_qsbr_start(g.rcu);
	for (unsigned int i = 0; !rte_rcu_qsbr_check(g.rcu, token, false); i++) {
		if (i < QUIESCE_SPINS)
			rte_pause();
		else
			nanosleep(&nap, NULL);
	}
}

void
workers_publish(struct topology *topo)
{
	struct topology *old = __atomic_exchange_n(&g.topo, topo, __ATOMIC_ACQ_REL);

	workers_quiesce();
	topology_free(old);
}

/* ---- life ---- */

static int
worker_init(struct worker *w, uint16_t id, unsigned int lcore)
{
	memset(w, 0, sizeof(*w));
	w->id = id;
	w->lcore = lcore;
	w->fwd = aligned_alloc(RTE_CACHE_LINE_SIZE,
		RTE_ALIGN_CEIL(sizeof(*w->fwd), RTE_CACHE_LINE_SIZE));
	if (worker_sleep_init(&w->sleep, id, &w->info) < 0 || w->fwd == NULL)
		return -ENOMEM;
	memset(w->fwd, 0, sizeof(*w->fwd));
	w->fwd->ctx.worker = id;
	w->fwd->ctx.burst = vmxnet3_burst_create();
	w->fwd->ctx.eth = eth_scratch_create();
	if (w->fwd->ctx.burst == NULL || w->fwd->ctx.eth == NULL)
		return -ENOMEM;
	poll_round_init(&w->round, w->fwd, rte_get_tsc_hz());
	return 0;
}

static void
worker_fini(struct worker *w)
{
	worker_sleep_fini(&w->sleep);
	if (w->fwd != NULL) {
		vmxnet3_burst_destroy(w->fwd->ctx.burst);
		eth_scratch_destroy(w->fwd->ctx.eth);
		free(w->fwd);
	}
}

static int
make_rcu(void)
{
	g.rcu = rte_zmalloc("vswitchd rcu", rte_rcu_qsbr_get_memsize(g.nb), RTE_CACHE_LINE_SIZE);
	if (g.rcu == NULL || rte_rcu_qsbr_init(g.rcu, g.nb) != 0)
		return -ENOMEM;
	for (uint16_t i = 0; i < g.nb; i++) {
		if (rte_rcu_qsbr_thread_register(g.rcu, i) != 0)
			return -ENOMEM;
	}
	return 0;
}

int
workers_start(const struct workers_conf *conf, struct error *err)
{
	unsigned int lcore;

	memset(&g, 0, sizeof(g));
	worker_sleep_steps(conf);
	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (g.nb == MAX_WORKERS)
			break;
		g.nb++;
		if (worker_init(&g.worker[g.nb - 1], g.nb - 1, lcore) < 0)
			goto no_memory;
	}
	if (g.nb == 0)
		return error_set(err, -EINVAL, "workers: EAL was given no core to poll with");
	g.topo = topology_create(NULL, 0, NULL, 0, g.nb);
	if (g.topo == NULL || make_rcu() < 0)
		goto no_memory;
	for (uint16_t i = 0; i < g.nb; i++) {
		int ret = rte_eal_remote_launch(worker_main, &g.worker[i], g.worker[i].lcore);

		if (ret < 0) {
			workers_stop();
			return error_set(err, ret, "workers: cannot start the one on CPU %u: %s",
				worker_cpu(i), strerror(-ret));
		}
	}
	return 0;

no_memory:
	workers_stop();
	return error_set(err, -ENOMEM, "workers: no memory: raise dpdk/memory");
}

void
workers_stop(void)
{
	__atomic_store_n(&g.stop, 1, __ATOMIC_RELAXED);
	for (uint16_t i = 0; i < g.nb; i++) {
		if (g.worker[i].sleep.event >= 0)
			worker_wake(i);
		rte_eal_wait_lcore(g.worker[i].lcore);
		worker_fini(&g.worker[i]);
	}
	topology_free(g.topo);
	rte_free(g.rcu);
	memset(&g, 0, sizeof(g));
}

int
worker_of_cpu(uint16_t cpu)
{
	for (uint16_t i = 0; i < g.nb; i++) {
		if (worker_cpu(i) == cpu)
			return i;
	}
	return -ENOENT;
}

uint32_t
workers_info(struct worker_info info[MAX_WORKERS])
{
	for (uint16_t i = 0; i < g.nb; i++) {
		const struct worker *w = &g.worker[i];

		info[i] = w->info;
		info[i].id = i;
		info[i].cpu = worker_cpu(i);
		info[i].node = worker_node(i);
		/* Only the main thread changes the topology. */
		info[i].nb_queues = g.topo->work[i].nb_queues;
	}
	return g.nb;
}
