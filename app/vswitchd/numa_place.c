/* SPDX-License-Identifier: BSD-3-Clause */
#include <numa.h>
#include <numaif.h>

#include "numa_place.h"

/* Addresses asked for by one call. */
#define AT_ONCE 64

bool
numa_place_matters(void)
{
	return numa_available() >= 0 && numa_num_configured_nodes() > 1;
}

/* Pages that the kernel can move it can also tell the place of: move_pages(2) without a destination. */
static void
ask(const void *const *address, int16_t *node, uint32_t n)
{
	void *page[AT_ONCE];
	int status[AT_ONCE];

	for (uint32_t i = 0; i < n; i++) {
		page[i] = (void *)(uintptr_t)address[i];
		status[i] = NUMA_NO_NODE;
	}
	if (numa_available() < 0 || numa_move_pages(0, n, page, NULL, status, 0) < 0) {
		for (uint32_t i = 0; i < n; i++)
			status[i] = NUMA_NO_NODE;
	}
	for (uint32_t i = 0; i < n; i++)
		node[i] = (int16_t)(address[i] != NULL && status[i] >= 0 ? status[i] : NUMA_NO_NODE);
}

void
numa_place_of(const void *const *address, int16_t *node, uint32_t n)
{
	for (uint32_t i = 0; i < n; i += AT_ONCE)
		ask(address + i, node + i, n - i < AT_ONCE ? n - i : AT_ONCE);
}

int16_t
numa_place_of_cpu(uint16_t cpu)
{
	return (int16_t)(numa_available() < 0 ? NUMA_NO_NODE : numa_node_of_cpu(cpu));
}
