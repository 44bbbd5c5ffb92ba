/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Polling cores: EAL's worker lcores, each going round the queues that the topology gives it,
 * sleeping in steps when there is nothing to do.
 */
#ifndef VSWITCHD_WORKER_H
#define VSWITCHD_WORKER_H

#include "conf.h"
#include "error.h"
#include "topology.h"
#include "worker_info.h"

/** Starts one on each worker lcore of EAL, with nothing to poll. Main thread. */
int workers_start(const struct workers_conf *conf, struct error *err);
/** Ends them; nothing is polled any more. Main thread. */
void workers_stop(void);
uint16_t workers_nb(void);

/**
 * Gives them another topology, waits until none uses the previous one, and frees that. Main thread.
 *
 * @param topo  taken over
 */
void workers_publish(struct topology *topo);

/**
 * Returns once every polling core has been outside of the packet path. Any thread but a polling
 * core, any number at once.
 */
void workers_quiesce(void);

/** Ends the sleep of a polling core, or keeps it from beginning one. Any thread. */
void worker_wake(uint16_t worker);

/** The seconds that addresses are stamped with. */
void workers_set_clock(uint32_t now);

/** NUMA node of its CPU. */
int16_t worker_node(uint16_t worker);
uint16_t worker_cpu(uint16_t worker);
/** The polling core on a CPU, or -ENOENT. */
int worker_of_cpu(uint16_t cpu);

uint32_t workers_info(struct worker_info info[MAX_WORKERS]);

#endif /* VSWITCHD_WORKER_H */
