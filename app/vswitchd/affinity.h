/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Queues of a port pinned to CPUs: lists such as "0:1,2-3:2", queue 0 to CPU 1, queues 2 and 3 to CPU 2. */
#ifndef VSWITCHD_AFFINITY_H
#define VSWITCHD_AFFINITY_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

/** CPUs are numbered below this, as in a cpu_set_t. */
#define AFFINITY_CPUS 1024

struct affinity {
	int16_t cpu[MAX_PORT_QUEUES]; /**< -1: not pinned */
	uint16_t nb_queues;           /**< one more than the last that is */
};

/**
 * Reads a list.
 *
 * @param text  NULL or "none": nothing is pinned
 * @return false: it is no such list, or names a queue twice
 */
bool affinity_parse(const char *text, struct affinity *affinity);

#endif /* VSWITCHD_AFFINITY_H */
