/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What differs between the releases of DPDK that the drivers are written for, 22.11 to 25.11; nothing else in them asks for a version.
 */
#ifndef PMD_COMPAT_H
#define PMD_COMPAT_H

#include <pthread.h>

#include <ethdev_driver.h>
#include <rte_lcore.h>
#include <rte_thread.h>
#include <rte_version.h>

/* ---- threads that run where no lcore polls ---- */

#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
typedef rte_thread_t pmd_thread;
typedef uint32_t pmd_thread_result;
#define PMD_THREAD_DONE 0

/** @return 0 or a negative errno */
static inline int
pmd_thread_create(pmd_thread *thread, const char *name, pmd_thread_result (*fn)(void *arg), void *arg)
{
	return -rte_thread_create_internal_control(thread, name, fn, arg);
}

static inline void
pmd_thread_join(pmd_thread thread)
{
	rte_thread_join(thread, NULL);
}
#else
typedef pthread_t pmd_thread;
typedef void *pmd_thread_result;
#define PMD_THREAD_DONE NULL

/** @return 0 or a negative errno */
static inline int
pmd_thread_create(pmd_thread *thread, const char *name, pmd_thread_result (*fn)(void *arg), void *arg)
{
	return rte_ctrl_thread_create(thread, name, NULL, fn, arg);
}

static inline void
pmd_thread_join(pmd_thread thread)
{
	pthread_join(thread, NULL);
}
#endif

/* ---- operations ---- */

/** Parameters of dev_supported_ptypes_get, and its return of an array that PMD_PTYPES_END ends. */
#if RTE_VERSION >= RTE_VERSION_NUM(24, 3, 0, 0)
#define PMD_PTYPES_PARAMS struct rte_eth_dev *eth_dev __rte_unused, size_t *nb_ptypes
#define PMD_PTYPES_END
#define PMD_PTYPES_RETURN(array) do { *nb_ptypes = RTE_DIM(array); return array; } while (0)
#else
#define PMD_PTYPES_PARAMS struct rte_eth_dev *eth_dev __rte_unused
#define PMD_PTYPES_END	  RTE_PTYPE_UNKNOWN,
#define PMD_PTYPES_RETURN(array) return array
#endif

/** Parameters of stats_get; @c queues, of struct pmd_queue_stats, has what is counted by queue, or is NULL. */
#if RTE_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0)
#define pmd_queue_stats eth_queue_stats
#define PMD_STATS_GET(name)                                                                        \
	name(struct rte_eth_dev *eth_dev, struct rte_eth_stats *stats, struct eth_queue_stats *queues)
#define PMD_STATS_QUEUES queues
#else
#define pmd_queue_stats rte_eth_stats
#define PMD_STATS_GET(name) name(struct rte_eth_dev *eth_dev, struct rte_eth_stats *stats)
#define PMD_STATS_QUEUES stats
#endif

/** What rx_queue_count returns. */
#if RTE_VERSION >= RTE_VERSION_NUM(25, 11, 0, 0)
typedef int pmd_queue_count;
#else
typedef uint32_t pmd_queue_count;
#endif

#endif /* PMD_COMPAT_H */
