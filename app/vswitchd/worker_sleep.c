/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_lcore.h>
#include <rte_pause.h>

#include "log.h"
#include "port.h"
#include "worker_sleep.h"

/* The backstop of interrupt moderation, which holds one for 100 µs by itself, or for as long as the driver asks. */
#define HELD_SLEEP_US 50

/*
 * A round without work or a sleep that took so much longer than it should: somebody else had the CPU. While
 * that happens, a core sleeps at once when it has nothing to do. Else the guest that it has just raised an
 * interrupt for may wait for this very CPU, all the time that the core spins. And unless the configuration names its CPU, the
 * core runs on whatever CPU is free.
 */
#define SHARED_LATE_US  100
#define SHARED_FOR_US   1000000
#define SHARED_SLEEP_US 50u

/*
 * Where it has just been kept waiting, all CPUs are busy, and each short sleep takes time from the very guests whose frames it
 * waits for.
 */
#define CROWDED_FOR_US   50000
#define CROWDED_SLEEP_US 100u

/*
 * Who names the CPUs of polling cores means them to poll: there, a core that lost its CPU once, as any machine takes it away
 * for a moment, still waits so long for the other side's next burst before it sleeps.
 */
#define SHARED_SPIN_US  20

/* A polling core among others wants little at a time, and soon. Kernels from 6.12 on know that. */
#define SLICE_NS 100000

struct step {
	uint64_t idle_tsc;
	uint32_t sleep_us;
};

static struct {
	uint32_t nb_steps;
	struct step step[IDLE_STEPS];
	uint64_t tsc_hz;
	bool may_move;
	cpu_set_t cpus; /* of all cores */
} g;

static uint64_t
us_to_tsc(uint64_t us)
{
	return us * (g.tsc_hz / 1000000);
}

static void
set_cpus(const struct workers_conf *conf)
{
	unsigned int lcore;

	CPU_ZERO(&g.cpus);
	RTE_LCORE_FOREACH(lcore) {
		rte_cpuset_t set = rte_lcore_cpuset(lcore);

		CPU_OR(&g.cpus, &g.cpus, &set);
	}
	g.may_move = conf->cores == NULL || strcmp(conf->cores, "auto") == 0;
}

void
worker_sleep_steps(const struct workers_conf *conf)
{
	g.tsc_hz = rte_get_tsc_hz();
	set_cpus(conf);
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

int
worker_sleep_init(struct worker_sleep *s, uint16_t id, struct worker_info *info)
{
	s->id = id;
	s->info = info;
	s->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return s->event < 0 ? -errno : 0;
}

void
worker_sleep_fini(struct worker_sleep *s)
{
	if (s->event >= 0)
		close(s->event);
}

static void
ask_for_short_slices(void)
{
	/* As the kernel's struct sched_attr, which not all C libraries have. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {0};

	if (syscall(SYS_sched_getattr, 0, &attr, sizeof(attr), 0) != 0 || attr.policy != SCHED_OTHER)
		return;
	attr.runtime = SLICE_NS;
	if (syscall(SYS_sched_setattr, 0, &attr, 0) != 0)
		log_debug(WORKER, "short slices of CPU time: %s", strerror(errno));
}

void
worker_sleep_begin(struct worker_sleep *s, struct rte_rcu_qsbr *rcu)
{
	/* The kernel's default of 50 µs would double the shortest sleep. */
	prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
	ask_for_short_slices();
	pthread_getaffinity_np(pthread_self(), sizeof(s->own), &s->own);
	s->rcu = rcu;
	s->busy_since = rte_rdtsc();
}

/* Whether it was kept waiting within so long before @p tsc. */
static inline bool
was_late(const struct worker_sleep *s, uint64_t tsc, uint64_t us)
{
	return tsc < s->late_at + us_to_tsc(us) && s->late_at != 0;
}

/* Looks at something that should have taken @p due and took @p took. */
static void
note_shared(struct worker_sleep *s, uint64_t took, uint64_t due)
{
	if (unlikely(took > due + us_to_tsc(SHARED_LATE_US)))
		s->late_at = rte_rdtsc();
}

/* Where the core may run: on its CPU, or, while others want that, on any. */
static void
place(struct worker_sleep *s, bool shared)
{
	if (likely(shared == s->moved) || !g.may_move)
		return;
	s->moved = shared;
	log_debug(WORKER, "worker %u: %s", s->id,
		shared ? "others want its CPU: it runs on any" : "back on its CPU");
	if (pthread_setaffinity_np(pthread_self(), sizeof(cpu_set_t), shared ? &g.cpus : &s->own) != 0)
		log_debug(WORKER, "worker %u: it stays where it is", s->id);
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
sleep_us(const struct worker_sleep *s, uint32_t step, uint64_t tsc, bool held)
{
	const bool shared = g.nb_steps != 0 && was_late(s, tsc, SHARED_FOR_US);
	uint32_t us = step == 0 ? 0 : g.step[step - 1].sleep_us;

	if (us > HELD_SLEEP_US && held)
		us = HELD_SLEEP_US;
	if (!shared || (step == 0 && !g.may_move && tsc - s->busy_since < us_to_tsc(SHARED_SPIN_US)))
		return us;
	return RTE_MAX(us, was_late(s, tsc, CROWDED_FOR_US) ? CROWDED_SLEEP_US : SHARED_SLEEP_US);
}

/* @return TSC of its end */
static uint64_t
sleep_bounded(struct worker_sleep *s, uint32_t us)
{
	struct pollfd pfd = {.fd = s->event, .events = POLLIN};
	struct timespec ts = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};
	uint64_t begin = rte_rdtsc(), slept = 0, value;

	/* Against worker_sleep_wake(): one of the two sees what the other has written. */
	__atomic_store_n(&s->sleeping, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&s->wake_asked, __ATOMIC_SEQ_CST) == 0) {
		rte_rcu_qsbr_thread_offline(s->rcu, s->id);
		if (ppoll(&pfd, 1, &ts, NULL) > 0 && read(s->event, &value, sizeof(value)) < 0)
			log_debug(WORKER, "worker %u: eventfd: %s", s->id, strerror(errno));
		rte_rcu_qsbr_thread_online(s->rcu, s->id);
		count(&s->info->sleeps, 1);
		slept = rte_rdtsc() - begin;
		note_shared(s, slept, us_to_tsc(us));
		count(&s->info->slept_us, slept / (g.tsc_hz / 1000000));
	}
	__atomic_store_n(&s->sleeping, 0, __ATOMIC_RELAXED);
	return begin + slept;
}

uint64_t
worker_sleep_idle(struct worker_sleep *s, uint64_t begin, uint64_t end, bool held)
{
	uint32_t step = step_of(end - s->busy_since), us;

	note_shared(s, end - begin, 0);
	place(s, was_late(s, end, SHARED_FOR_US));
	us = sleep_us(s, step, end, held);
	if (step != s->info->step)
		__atomic_store_n(&s->info->step, step, __ATOMIC_RELAXED);
	if (us > 0)
		return sleep_bounded(s, us);
	/* Guests are about to write the very lines that it looks at. */
	rte_pause();
	return end;
}

void
worker_sleep_wake(struct worker_sleep *s)
{
	uint64_t one = 1;

	__atomic_store_n(&s->wake_asked, 1, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&s->sleeping, __ATOMIC_SEQ_CST) != 0 &&
	    write(s->event, &one, sizeof(one)) < 0)
		log_debug(WORKER, "worker %u: eventfd: %s", s->id, strerror(errno));
}
