/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What management is told of a polling core. */
#ifndef VSWITCHD_WORKER_INFO_H
#define VSWITCHD_WORKER_INFO_H

#include <stdint.h>

struct worker_info {
	uint16_t id;
	uint16_t cpu;
	uint32_t nb_queues;      /**< port queues that it polls */
	uint64_t loops, busy_loops;
	uint64_t busy_cycles, idle_cycles; /**< of the TSC; idle without sleep */
	uint64_t sleeps;
	uint64_t slept_us;
	uint32_t step;           /**< back-off step it is in now; 0: awake */
};

#endif /* VSWITCHD_WORKER_INFO_H */
