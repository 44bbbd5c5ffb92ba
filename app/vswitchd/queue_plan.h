/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Which polling core polls which port queue: a pure function of loads, pins and NUMA nodes. It knows neither
 * ports nor threads; switch_balance.c asks it and does what it says.
 *
 * A queue that is where it shall be stays there until moving it is worth it, and what was worth it can be
 * undone only by loads that have changed by twice as much: a plan for loads that do not change is the last one.
 */
#ifndef VSWITCHD_QUEUE_PLAN_H
#define VSWITCHD_QUEUE_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/** A whole core, in the unit of loads. */
#define PLAN_CORE 1000
/** Cores below this load are left alone: nothing waits for them. */
#define PLAN_BUSY 500
/** What a move must take off the busier of the two cores. */
#define PLAN_GAIN 100
/** Moves at once. */
#define PLAN_MOVES 8

#define PLAN_NO_CORE UINT16_MAX
#define PLAN_NO_NODE (-1)

struct plan_queue {
	uint16_t port;   /**< queues of one port are placed on different cores first */
	uint16_t queue;  /**< its number in the port: most guests use number 0 only */
	uint16_t core;   /**< where it is; PLAN_NO_CORE: new. Set to where it shall be */
	uint16_t pinned; /**< the only core that it may be on; PLAN_NO_CORE: any */
	int16_t node;    /**< of its memory; PLAN_NO_NODE: not known, or there is one only */
	bool rests;      /**< moved not long ago: stays where it is unless pinned elsewhere */
	uint32_t load;   /**< on the core where it is */
};

/**
 * Gives new queues a core, and pinned ones theirs; all others stay.
 *
 * @param core_node  [nb_cores], at least one
 */
void queue_plan_place(const int16_t *core_node, uint16_t nb_cores, struct plan_queue *queues, uint32_t nb_queues);

/**
 * Moves queues where this makes the busiest cores less busy, or their memory near; sets @c rests of those.
 * All have a core.
 *
 * @return number of moves, at most PLAN_MOVES
 */
uint32_t queue_plan_balance(const int16_t *core_node, uint16_t nb_cores, struct plan_queue *queues, uint32_t nb_queues);

#endif /* VSWITCHD_QUEUE_PLAN_H */
