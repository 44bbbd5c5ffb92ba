/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What management is told of a polling core. */
#ifndef VSWITCHD_WORKER_INFO_H
#define VSWITCHD_WORKER_INFO_H

#include <stdint.h>

struct worker_info {
	uint16_t id;
	uint16_t cpu;
	int16_t node;            /**< NUMA node of that */
	uint32_t nb_queues;      /**< port queues that it polls, in use or not */
	uint64_t loops, busy_loops;
	uint64_t busy_cycles, idle_cycles; /**< of the TSC, in rounds with and without frames; without sleep */
	uint64_t frames;         /**< taken from queues */
	uint32_t load;           /**< thousandths of a core that its queues cost in the last period */
	uint64_t moves;          /**< queues that came to it from another core */
	uint64_t sleeps;
	uint64_t slept_us;
	uint32_t step;           /**< back-off step it is in now; 0: awake */
};

#endif /* VSWITCHD_WORKER_INFO_H */
