/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Radix tree from page numbers to pointers: four levels of nine bits, as on x86-64.
 *
 * A range that covers everything below an entry is stored in that entry, so that 2 GiB cost two
 * entries, not half a million. One thread writes, any number of threads look up at the same time.
 * A lookup may still be inside a node that a removal has emptied: such nodes are kept aside until
 * vfu_radix_reap(), which the writer calls when no lookup from before the removal is left.
 */
#ifndef VFU_RADIX_H
#define VFU_RADIX_H

#include <stdbool.h>
#include <stdint.h>

#define VFU_RADIX_PAGE_BITS 36 /**< page numbers have at most this many bits */

/**
 * Most nodes of one tree, of 4 KiB each. A client chooses its addresses, and scattered ones cost
 * two nodes per mapping: without a bound 65535 mappings would cost 512 MiB. This many nodes hold
 * any set of mappings inside 8 GiB of DMA addresses, which is twice what the vIOMMU drivers hand
 * out.
 */
#define VFU_RADIX_MAX_NODES 4096u

struct vfu_radix_node;

struct vfu_radix {
	struct vfu_radix_node *root;
	struct vfu_radix_node *retired; /**< emptied, perhaps still being looked at */
	uint32_t nb_nodes;		/**< retired ones included */
};

/** @return 0 or -ENOMEM. */
int vfu_radix_init(struct vfu_radix *tree);

/** Frees the tree. No lookup may be under way. */
void vfu_radix_fini(struct vfu_radix *tree);

/** Whether no page from @p first to @p last (both included) has a value. */
bool vfu_radix_is_free(const struct vfu_radix *tree, uint64_t first, uint64_t last);

/**
 * Gives every page of a free range the same value.
 *
 * @param value aligned to at least 2 bytes
 * @return 0, -ENOMEM or -ENOSPC (too many nodes). On error a part of the range may be visible to
 *         lookups: remove it with vfu_radix_remove().
 */
int vfu_radix_insert(struct vfu_radix *tree, uint64_t first, uint64_t last, void *value);

/** Removes @p value wherever it stands between @p first and @p last. */
void vfu_radix_remove(struct vfu_radix *tree, uint64_t first, uint64_t last, const void *value);

/** Removes everything. */
void vfu_radix_clear(struct vfu_radix *tree);

/** Frees the nodes that removals have emptied. */
void vfu_radix_reap(struct vfu_radix *tree);

/** The value of a page, or NULL. Lock-free, from any thread. */
void *vfu_radix_find(const struct vfu_radix *tree, uint64_t page);

#endif /* VFU_RADIX_H */
