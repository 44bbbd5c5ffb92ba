/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * DPDK's memory in a vfio-user server's reach: DMA maps that come and go with it. DMA addresses are virtual ones.
 *
 * Any function on any thread. Order of locks: DPDK's memory lock, the table's own, the client's.
 */
#ifndef VX_MEMORY_H
#define VX_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include <rte_mempool.h>

#include <vfu_client.h>

struct vx_memory;

/** @param name  for the log; copied. @return NULL: no memory. Follows DPDK's memory from now on. */
struct vx_memory *vx_memory_create(const char *name);

/** NULL is allowed. Must be detached. */
void vx_memory_destroy(struct vx_memory *mem);

/**
 * Maps all memory that there is at a server that knows none yet, and keeps it so until vx_memory_detach().
 * @param errbuf,errlen  gets a sentence on error
 * @return 0, or a negative errno; detached then
 */
int vx_memory_attach(
	struct vx_memory *mem, struct vfu_client *client, char *errbuf, size_t errlen);

/** Forgets the server; when it returns the client is not used any more. Sends nothing. */
void vx_memory_detach(struct vx_memory *mem);

/**
 * Whether a device reaches all of a pool, after mapping what was not. Logs why not. Without server: whether it
 * could.
 */
bool vx_memory_reach(struct vx_memory *mem, struct rte_mempool *pool);

/** Maps memory that DPDK did not allocate. @return 0, or a negative errno with a line in the log */
int vx_memory_add(struct vx_memory *mem, const void *addr, size_t len);

/** It is not there any more, or will not be soon: whoever asked for it. @return 0, or -ENOENT: it was not mapped */
int vx_memory_remove(struct vx_memory *mem, const void *addr, size_t len);

#endif /* VX_MEMORY_H */
