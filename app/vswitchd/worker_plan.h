/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Which CPUs the polling cores get, before EAL starts. */
#ifndef VSWITCHD_WORKER_PLAN_H
#define VSWITCHD_WORKER_PLAN_H

#include <stddef.h>

#include "conf.h"
#include "error.h"

/**
 * Turns the configuration into the value of EAL's option `--lcores`: lcore 0 is the main thread,
 * on the CPUs that are left over (on all, when none is), lcores 1 and up are the polling cores,
 * each on its CPU.
 *
 * @return 0, or a negative errno with a sentence: a CPU that does not exist, or that this process
 *         may not use, a malformed list.
 */
int worker_plan(const struct workers_conf *conf, char *lcores_arg, size_t len,
	struct error *err);

#endif /* VSWITCHD_WORKER_PLAN_H */
