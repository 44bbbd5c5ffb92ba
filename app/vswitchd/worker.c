/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_rcu_qsbr.h>

#include "ethdev.h"
#include "forward.h"
#include "log.h"
#include "worker.h"

/*
 * Busy queues after which interrupts are raised, so that the first guest need not wait for the
 * last.
 */
#define INTR_FLUSH_UNITS 8

/* How often a core looks after all interrupts of its devices: guests unmask them without notice. */
#define INTR_RECHECK_US 20

/* A held interrupt is due within the period of its rate cap, 50 µs by default. */
#define HELD_SLEEP_US 50

/*
 * A round without work or a sleep that took so much longer than it should: somebody else had the CPU. While
 * that happens, a core spins only briefly before its first sleep. Else the guest that it has just raised an
 * interrupt for may wait for this very CPU, all the time that the core spins.
 */
#define SHARED_LATE_US  100
#define SHARED_FOR_US   1000000
#define SHARED_SPIN_US  20
#define SHARED_SLEEP_US 50u

/* Waiting for cores that share their CPU with the waiting thread: give way before long. */
#define QUIESCE_SPINS 200
#define QUIESCE_NAP_NS 20000

struct step {
	uint64_t idle_tsc;
	uint32_t sleep_us;
};

struct worker {
	uint16_t id;
	unsigned int lcore;
	int event;
	/* Written by others. */
	uint32_t wake_asked __rte_cache_aligned;
	uint32_t sleeping;
	/* Its own. */
	struct forward *fwd __rte_cache_aligned;
	uint64_t held[(MAX_PORTS + 63) / 64]; /* ports with an interrupt held by the rate cap */
	uint64_t busy_since;                  /* TSC at the last frame */
	uint64_t recheck_at;
	uint64_t shared_until;                /* TSC: it is not alone on its CPU */
	struct worker_info info;
};

static struct {
	uint16_t nb;
	struct worker worker[MAX_WORKERS];
	struct rte_rcu_qsbr *rcu;
	struct topology *topo;
	uint32_t stop;
	uint32_t now;
	uint32_t nb_steps;
	struct step step[IDLE_STEPS];
	uint64_t tsc_hz;
} g;

uint16_t
workers_nb(void)
{
	return g.nb;
}

void
workers_set_clock(uint32_t now)
{
	__atomic_store_n(&g.now, now, __ATOMIC_RELAXED);
}

static uint64_t
us_to_tsc(uint64_t us)
{
	return us * (g.tsc_hz / 1000000);
}

/* ---- interrupts ---- */

static void
intr_poll(struct worker *w, struct port *port)
{
	uint64_t bit = UINT64_C(1) << (port->id % 64);

	if (port->ops->intr_poll(port))
		w->held[port->id / 64] |= bit;
	else
		w->held[port->id / 64] &= ~bit;
}

/* Of the ports that frames went to, and of those that had one held. */
static void
intr_flush(struct worker *w, const struct topology *topo)
{
	for (unsigned int i = 0; i < RTE_DIM(w->held); i++) {
		uint64_t bits = w->fwd->touched[i] | w->held[i];

		w->fwd->touched[i] = 0;
		while (bits != 0) {
			struct port *port = topo->port[i * 64 + __builtin_ctzll(bits)].port;

			if (port != NULL && port->ops->intr_poll != NULL)
				intr_poll(w, port);
			else
				w->held[i] &= ~(bits & -bits);
			bits &= bits - 1;
		}
	}
}

static bool
intr_held(const struct worker *w)
{
	uint64_t any = 0;

	for (unsigned int i = 0; i < RTE_DIM(w->held); i++)
		any |= w->held[i];
	return any != 0;
}

/* ---- one round ---- */

static uint32_t
poll_unit(struct worker *w, const struct topology *topo, const struct topo_unit *u)
{
	struct port *port = u->tp->port;
	uint16_t nb_queues = port->ops->rx_queues(port);
	uint32_t total = 0;

	for (uint16_t q = u->unit; q < nb_queues; q += port->nb_units) {
		struct offload_frame *frames;
		uint16_t n = port->ops->rx_begin(port, q, &w->fwd->ctx, &frames);

		if (n == 0)
			continue;
		forward_burst(w->fwd, topo, u->tp, frames, n);
		port->ops->rx_end(port, q, &w->fwd->ctx);
		/* Its completions may be due to be announced. */
		w->fwd->touched[port->id / 64] |= UINT64_C(1) << (port->id % 64);
		total += n;
	}
	return total;
}

static uint32_t
round_of(struct worker *w, const struct topology *topo)
{
	const struct topo_work *work = &topo->work[w->id];
	uint32_t total = 0, busy = 0;

	for (uint32_t i = 0; i < work->nb_units; i++) {
		uint32_t n = poll_unit(w, topo, &work->unit[i]);

		total += n;
		if (n > 0 && ++busy % INTR_FLUSH_UNITS == 0)
			intr_flush(w, topo);
	}
	if (w->fwd->ctx.tsc >= w->recheck_at) {
		for (uint32_t i = 0; i < work->nb_owned; i++)
			intr_poll(w, work->owned[i]);
		w->recheck_at = w->fwd->ctx.tsc + us_to_tsc(INTR_RECHECK_US);
	}
	intr_flush(w, topo);
	return total;
}

/* ---- back-off ---- */

/* Looks at something that should have taken @p due and took @p took. */
static void
note_shared(struct worker *w, uint64_t took, uint64_t due)
{
	if (unlikely(took > due + us_to_tsc(SHARED_LATE_US)))
		w->shared_until = rte_rdtsc() + us_to_tsc(SHARED_FOR_US);
}

/* The step that a core is in which has been idle for so long; 0: it is awake. */
static uint32_t
step_of(uint64_t idle_tsc)
{
	uint32_t step = 0;

	while (step < g.nb_steps && idle_tsc >= g.step[step].idle_tsc)
		step++;
	return step;
}

/* How long to sleep at most; 0: not at all. */
static uint32_t
sleep_us(const struct worker *w, uint32_t step, uint64_t tsc)
{
	uint32_t us;

	if (step == 0) {
		if (g.nb_steps == 0 || tsc >= w->shared_until ||
		    tsc - w->busy_since < us_to_tsc(SHARED_SPIN_US))
			return 0;
		return RTE_MIN(g.step[0].sleep_us, SHARED_SLEEP_US);
	}
	us = g.step[step - 1].sleep_us;
	return us > HELD_SLEEP_US && intr_held(w) ? HELD_SLEEP_US : us;
}

static void
sleep_bounded(struct worker *w, uint32_t us)
{
	struct pollfd pfd = {.fd = w->event, .events = POLLIN};
	struct timespec ts = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
	uint64_t begin = rte_rdtsc(), slept, value;

	/* Against worker_wake(): one of the two sees what the other has written. */
	__atomic_store_n(&w->sleeping, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&w->wake_asked, __ATOMIC_SEQ_CST) == 0) {
		rte_rcu_qsbr_thread_offline(g.rcu, w->id);
		if (ppoll(&pfd, 1, &ts, NULL) > 0 && read(w->event, &value, sizeof(value)) < 0)
			log_debug(WORKER, "worker %u: eventfd: %s", w->id, strerror(errno));
		rte_rcu_qsbr_thread_online(g.rcu, w->id);
		count(&w->info.sleeps, 1);
		slept = rte_rdtsc() - begin;
		note_shared(w, slept, us_to_tsc(us));
		count(&w->info.slept_us, slept / (g.tsc_hz / 1000000));
	}
	__atomic_store_n(&w->sleeping, 0, __ATOMIC_RELAXED);
}

static void
back_off(struct worker *w, uint64_t tsc)
{
	uint32_t step = step_of(tsc - w->busy_since);
	uint32_t us = sleep_us(w, step, tsc);

	if (step != w->info.step)
		__atomic_store_n(&w->info.step, step, __ATOMIC_RELAXED);
	if (us > 0)
		sleep_bounded(w, us);
}

void
worker_wake(uint16_t worker)
{
	struct worker *w = &g.worker[worker];
	uint64_t one = 1;

	__atomic_store_n(&w->wake_asked, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&w->sleeping, __ATOMIC_SEQ_CST) != 0 &&
	    write(w->event, &one, sizeof(one)) < 0)
		log_debug(WORKER, "worker %u: eventfd: %s", worker, strerror(errno));
}

/* ---- the loop ---- */

static void
account(struct worker *w, uint32_t frames, uint64_t begin, uint64_t end)
{
	count(&w->info.loops, 1);
	if (frames > 0) {
		count(&w->info.busy_loops, 1);
		count(&w->info.busy_cycles, end - begin);
		w->busy_since = end;
	} else {
		count(&w->info.idle_cycles, end - begin);
		note_shared(w, end - begin, 0);
	}
}

static int
worker_main(void *arg)
{
	struct worker *w = arg;

	/* The kernel's default of 50 µs would double the shortest sleep. */
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
	rte_rcu_qsbr_thread_online(g.rcu, w->id);
	w->busy_since = rte_rdtsc();
	while (!__atomic_load_n(&g.stop, __ATOMIC_RELAXED)) {
		const struct topology *topo;
		uint64_t begin = rte_rdtsc(), end;
		uint32_t frames;

		if (__atomic_load_n(&w->wake_asked, __ATOMIC_RELAXED) != 0) {
			__atomic_store_n(&w->wake_asked, 0, __ATOMIC_SEQ_CST);
			/* Whoever woke it has work for it. */
			w->busy_since = begin;
		}
		topo = __atomic_load_n(&g.topo, __ATOMIC_ACQUIRE);
		w->fwd->ctx.tsc = begin;
		w->fwd->now = __atomic_load_n(&g.now, __ATOMIC_RELAXED);
		frames = round_of(w, topo);
		rte_rcu_qsbr_quiescent(g.rcu, w->id);
		end = rte_rdtsc();
		account(w, frames, begin, end);
		if (frames == 0)
			back_off(w, end);
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
	w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	w->fwd = aligned_alloc(RTE_CACHE_LINE_SIZE,
		RTE_ALIGN_CEIL(sizeof(*w->fwd), RTE_CACHE_LINE_SIZE));
	if (w->event < 0 || w->fwd == NULL)
		return -ENOMEM;
	memset(w->fwd, 0, sizeof(*w->fwd));
	w->fwd->ctx.worker = id;
	w->fwd->ctx.burst = vmxnet3_burst_create();
	w->fwd->ctx.eth = eth_scratch_create();
	if (w->fwd->ctx.burst == NULL || w->fwd->ctx.eth == NULL)
		return -ENOMEM;
	return 0;
}

static void
worker_fini(struct worker *w)
{
	if (w->event >= 0)
		close(w->event);
	if (w->fwd != NULL) {
		vmxnet3_burst_destroy(w->fwd->ctx.burst);
		eth_scratch_destroy(w->fwd->ctx.eth);
		free(w->fwd);
	}
}

static void
set_steps(const struct workers_conf *conf)
{
	g.nb_steps = 0;
	for (unsigned int i = 0; conf->idle_sleep && i < IDLE_STEPS; i++) {
		if (conf->idle[i].sleep_us == 0)
			continue;
		g.step[g.nb_steps++] = (struct step){
			.idle_tsc = us_to_tsc(conf->idle[i].idle_us),
			.sleep_us = conf->idle[i].sleep_us,
		};
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
	g.tsc_hz = rte_get_tsc_hz();
	set_steps(conf);
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
			return error_set(err, ret, "workers: cannot start the one on CPU %d: %s",
				rte_lcore_to_cpu_id((int)g.worker[i].lcore), strerror(-ret));
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
		if (g.worker[i].event >= 0)
			worker_wake(i);
		rte_eal_wait_lcore(g.worker[i].lcore);
		worker_fini(&g.worker[i]);
	}
	topology_free(g.topo);
	rte_free(g.rcu);
	memset(&g, 0, sizeof(g));
}

uint32_t
workers_info(struct worker_info info[MAX_WORKERS])
{
	for (uint16_t i = 0; i < g.nb; i++) {
		const struct worker *w = &g.worker[i];

		info[i] = w->info;
		info[i].id = i;
		info[i].cpu = (uint16_t)rte_lcore_to_cpu_id((int)w->lcore);
		/* Only the main thread changes the topology. */
		info[i].nb_queues = g.topo->work[i].nb_units;
	}
	return g.nb;
}
