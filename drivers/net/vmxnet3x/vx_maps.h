/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What is mapped at a vfio-user server: one entry for each of its DMA maps. DMA addresses are virtual ones.
 *
 * DPDK gives memory back in other pieces than it took. A map that has lost a part stays as it is until it has lost
 * all: to cut it would take the rest, rings among it, away from a running device for a moment. The file's pages are
 * free nevertheless.
 */
#ifndef VX_MAPS_H
#define VX_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <vfu_client.h>

struct vx_map {
	uintptr_t addr;
	size_t len;
	size_t live; /**< bytes of it that are in use; never 0 */
	uint64_t offset;
	dev_t dev;
	ino_t ino;
};

/** Zeroed: none. Not locked. */
struct vx_maps {
	struct vfu_client *client; /**< not NULL in vx_maps_cover() and vx_maps_release() */
	struct vx_map *map;	   /**< by address; they do not overlap */
	size_t nb, room;
};

/**
 * Maps what of a page-aligned range is not mapped yet. A map of another file that is in the way goes.
 * @return 0, or a negative errno: the server's, or -ENOMEM; a part may be mapped then
 */
int vx_maps_cover(struct vx_maps *maps, uintptr_t addr, size_t len, int fd, uint64_t offset);

/** A range is not in use any more. */
void vx_maps_release(struct vx_maps *maps, uintptr_t addr, size_t len);

/** Whether all of a range is mapped. */
bool vx_maps_covers(const struct vx_maps *maps, uintptr_t addr, size_t len);

/** Forgets client and maps; the server is not told. */
void vx_maps_forget(struct vx_maps *maps);

#endif /* VX_MAPS_H */
