/* SPDX-License-Identifier: BSD-3-Clause */
/** @file On which NUMA node memory lies. Any thread. */
#ifndef VSWITCHD_NUMA_PLACE_H
#define VSWITCHD_NUMA_PLACE_H

#include <stdbool.h>
#include <stdint.h>

/** Not known: not mapped (any more), not touched yet, or the machine has no NUMA. */
#define NUMA_NO_NODE (-1)

/** Whether this machine has more than one node with memory; else there is nothing to ask for. */
bool numa_place_matters(void);

/**
 * Asks the kernel. Nothing is read, written or brought in: an address may belong to nobody.
 *
 * @param address  [n]; NULL: not known
 * @param[out] node  [n]
 */
void numa_place_of(const void *const *address, int16_t *node, uint32_t n);

/** The node of a CPU; NUMA_NO_NODE without NUMA. */
int16_t numa_place_of_cpu(uint16_t cpu);

#endif /* VSWITCHD_NUMA_PLACE_H */
