/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A polling core's rest: sleeps in steps, the longer nothing comes, and what ends them. All on that core but for
 * worker_sleep_wake().
 */
#ifndef VSWITCHD_WORKER_SLEEP_H
#define VSWITCHD_WORKER_SLEEP_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_rcu_qsbr.h>

#include "conf.h"
#include "worker_info.h"

struct worker_sleep {
	int event;
	uint16_t id;
	struct rte_rcu_qsbr *rcu;    /**< a sleeping core is outside */
	struct worker_info *info;
	/* Written by others. */
	uint32_t wake_asked __rte_cache_aligned;
	uint32_t sleeping;
	/* Its own. */
	uint64_t busy_since __rte_cache_aligned; /**< TSC at the last frame */
	uint64_t late_at;                        /**< TSC: when it last found that others had had its CPU; 0: never */
	cpu_set_t own;                           /**< its CPU */
	bool moved;                              /**< it may run on any CPU meanwhile */
};

/** The steps that all cores rest in. Before any of them runs. */
void worker_sleep_steps(const struct workers_conf *conf);

/** @return 0 or -errno. */
int worker_sleep_init(struct worker_sleep *s, uint16_t id, struct worker_info *info);
void worker_sleep_fini(struct worker_sleep *s);

/** The core begins to run, on its own thread. */
void worker_sleep_begin(struct worker_sleep *s, struct rte_rcu_qsbr *rcu);

/** At the begin of a round: whoever woke the core has work for it. */
static inline void
worker_sleep_awake(struct worker_sleep *s, uint64_t tsc)
{
	if (likely(__atomic_load_n(&s->wake_asked, __ATOMIC_RELAXED) == 0))
		return;
	__atomic_store_n(&s->wake_asked, 0, __ATOMIC_SEQ_CST);
	s->busy_since = tsc;
}

/** A round with frames ended. */
static inline void
worker_sleep_busy(struct worker_sleep *s, uint64_t tsc)
{
	s->busy_since = tsc;
}

/**
 * A round without frames ended: sleeps if that has gone on for long enough.
 *
 * @param begin,end  TSC of the round
 * @param held       an interrupt waits for its time
 * @return TSC of the end of the sleep, or @p end
 */
uint64_t worker_sleep_idle(struct worker_sleep *s, uint64_t begin, uint64_t end, bool held);

/** Ends a sleep, or keeps it from beginning. Any thread. */
void worker_sleep_wake(struct worker_sleep *s);

#endif /* VSWITCHD_WORKER_SLEEP_H */
