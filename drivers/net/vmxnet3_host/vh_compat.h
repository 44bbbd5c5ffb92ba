/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What differs between releases of DPDK. */
#ifndef VH_COMPAT_H
#define VH_COMPAT_H

#include <pthread.h>

#include <rte_lcore.h>
#include <rte_thread.h>
#include <rte_version.h>

/* Runs a function on a thread that is not bound to the CPUs of polling threads, and waits for it. */
#if RTE_VERSION >= RTE_VERSION_NUM(23, 11, 0, 0)
static inline int
vh_run_unpinned(const char *name, uint32_t (*fn)(void *arg), void *arg)
{
	rte_thread_t thread;
	int ret = rte_thread_create_internal_control(&thread, name, fn, arg);

	return ret != 0 ? -ret : rte_thread_join(thread, NULL);
}

#define VH_THREAD_RESULT uint32_t
#define VH_THREAD_DONE 0
#else
static inline int
vh_run_unpinned(const char *name, void *(*fn)(void *arg), void *arg)
{
	pthread_t thread;
	int ret = rte_ctrl_thread_create(&thread, name, NULL, fn, arg);

	return ret != 0 ? ret : -pthread_join(thread, NULL);
}

#define VH_THREAD_RESULT void *
#define VH_THREAD_DONE NULL
#endif

#endif /* VH_COMPAT_H */
