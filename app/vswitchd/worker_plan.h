/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Which CPUs the polling cores get, before EAL starts, and what may be pinned to them. */
#ifndef VSWITCHD_WORKER_PLAN_H
#define VSWITCHD_WORKER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "affinity.h"
#include "error.h"

struct worker_cpus {
	uint32_t nb;
	uint16_t id[MAX_WORKERS];
};

/**
 * Which CPUs the configuration means on this machine.
 *
 * @return 0, or a negative errno with a sentence: a CPU that does not exist, or that this process
 *         may not use, a malformed list.
 */
int worker_plan_cpus(const struct workers_conf *conf, struct worker_cpus *cpus, struct error *err);

/** Whether a core polls on each CPU that a port's queues are pinned to. Else, @p problem tells what to do. */
bool worker_cpus_have(const struct worker_cpus *cpus, const struct affinity *affinity, char *problem, size_t len);

/**
 * Turns the configuration into the value of EAL's option `--lcores`: lcore 0 is the main thread,
 * on the CPUs that are left over (on all, when none is), lcores 1 and up are the polling cores,
 * each on its CPU.
 *
 * @return as worker_plan_cpus()
 */
int worker_plan(const struct workers_conf *conf, char *lcores_arg, size_t len,
	struct error *err);

#endif /* VSWITCHD_WORKER_PLAN_H */
