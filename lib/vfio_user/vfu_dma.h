/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Table of DMA mappings of one vfio-user client.
 *
 * The control thread adds and removes mappings; any number of datapath threads translate addresses
 * at the same time without a lock. A vIOMMU makes tens of thousands of 4 KiB mappings come and go,
 * so a change touches only the entries it changes, never a copy of the table.
 *
 * A *mapping* is a range of DMA addresses. A *file* is what lies behind it: mapped once per device
 * and inode however many mappings use it, and let go with the last of them.
 *
 * Threading: map, unmap, clear and destroy belong to one control thread. vfu_dma_lookup() and
 * vfu_dma_generation() may run on any thread that @c quiesce waits for. After vfu_dma_unmap() or
 * vfu_dma_clear() has taken a range out of the table, the @c quiesce callback is called; when it
 * returns, no datapath thread may still hold a host address from an earlier lookup. Only then are
 * nodes and files freed.
 */
#ifndef VFU_DMA_H
#define VFU_DMA_H

#include <stdbool.h>
#include <stdint.h>

#include "vfu_range.h"

struct vfu_dma;

/** Waits until no datapath thread uses what earlier lookups returned. May be called often. */
typedef void (*vfu_dma_quiesce_t)(void *ctx);

/**
 * Creates an empty table.
 *
 * @param max_maps mappings allowed at once; further ones are refused with ENOSPC
 * @param quiesce  see the file comment; NULL when there is no datapath thread
 * @param ctx      handed to @p quiesce
 * @return the table, or NULL with errno set. Free with vfu_dma_destroy().
 */
struct vfu_dma *vfu_dma_create(uint32_t max_maps, vfu_dma_quiesce_t quiesce, void *ctx);

/** Removes every mapping (one quiesce), then frees the table. NULL is allowed. */
void vfu_dma_destroy(struct vfu_dma *dma);

/**
 * Adds a mapping.
 *
 * @param iova,size  page-aligned range; must not wrap, nor overlap an existing mapping
 * @param prot       VFU_DMA_READ and/or VFU_DMA_WRITE, at least one
 * @param fd         file behind the range, or -1: recorded as "no access", lookups in it fail.
 *                   Stays the caller's; it may be closed on return. Only tmpfs (memfd included)
 *                   and hugetlbfs regular files are taken.
 * @param fd_offset  page-aligned position of the range in the file; fd_offset + size must lie
 *                   within the file
 * @return 0, or a negative errno: -EINVAL (alignment, size 0, wrap, no access bit, file of the
 *         wrong kind or too short), -EEXIST (overlaps), -ENOSPC (too many mappings or files, or
 *         addresses too scattered), -EACCES (the descriptor allows none of @p prot), -ENOMEM, or
 *         what mmap(2) said. On error the table is unchanged. A descriptor that is only readable
 *         makes the mapping read only, whatever else @p prot asks for.
 */
int vfu_dma_map(struct vfu_dma *dma, uint64_t iova, uint64_t size, uint32_t prot, int fd,
	uint64_t fd_offset);

/**
 * Removes the mappings that lie between @p iova and @p iova + @p size, with one quiesce for all
 * of them. There may be none.
 *
 * @return 0, or -EINVAL (alignment, size 0, wrap, or a mapping lies partly outside: none is removed
 *         then).
 */
int vfu_dma_unmap(struct vfu_dma *dma, uint64_t iova, uint64_t size);

/** Removes every mapping, with one quiesce for all of them. */
void vfu_dma_clear(struct vfu_dma *dma);

/** Number of mappings, those without a file included. */
uint32_t vfu_dma_count(const struct vfu_dma *dma);

/**
 * Finds the mapping that holds @p iova. Lock-free, callable from any thread.
 *
 * The answer covers the whole mapping (not merely the page), so that a caller may cache it until
 * vfu_dma_generation() changes.
 *
 * @return true and *range filled, or false: not mapped, or mapped without a file.
 */
bool vfu_dma_lookup(const struct vfu_dma *dma, uint64_t iova, struct vfu_dma_range *range);

/** A number that changes whenever the table does. Load it before the lookups that it guards. */
uint64_t vfu_dma_generation(const struct vfu_dma *dma);

/**
 * A peer can truncate the file behind its memory; touching the lost pages raises SIGBUS.
 *
 * Called from a SIGBUS handler (async-signal-safe) with the faulting address: when it lies in a
 * file mapped by some table of this process, anonymous zero pages are put in place of that table's
 * mapping of the file, and the table is marked broken until vfu_dma_clear(). Tables do not share
 * mappings, so another table with the same file is marked when it comes across the hole itself.
 *
 * @return true: the faulting access may be repeated; false: the address is not ours.
 */
bool vfu_dma_sigbus(void *addr);

/**
 * Installs a SIGBUS handler around vfu_dma_sigbus(); faults not ours go to the previous action. To
 * be called again when something else has taken the signal since; does nothing when it is
 * installed.
 *
 * @return 0 or a negative errno.
 */
int vfu_dma_install_sigbus_handler(void);

/** Whether a file behind this table was truncated by its owner. Callable from any thread. */
bool vfu_dma_broken(const struct vfu_dma *dma);

#endif /* VFU_DMA_H */
