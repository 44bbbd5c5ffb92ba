/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The file behind memory of this process, for memory of which DPDK knows none. */
#ifndef VX_MEMFILE_H
#define VX_MEMFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** A shared mapping. */
struct vx_memfile {
	uintptr_t start, end; /**< all of it, not only what was asked for */
	uint64_t offset;      /**< of @c start in the file */
	dev_t dev;
	ino_t ino;
	int fd; /**< open for reading and writing; the receiver's */
};

/**
 * Finds the mapping that @p addr lies in and opens its file: by its path, or (as root) by /proc/self/map_files, which
 * knows files without name, too, or by a descriptor that this process has open.
 *
 * @return 0 and *out; -EFAULT nothing is mapped there; -EACCES the memory is private to this process; -ENOENT
 *         its file cannot be opened (any more)
 */
int vx_memfile_find(uintptr_t addr, struct vx_memfile *out);

/** What an errno of vx_memfile_find() means, and what to do about it; for the end of a sentence. */
const char *vx_memfile_reason(int rc);

#endif /* VX_MEMFILE_H */
