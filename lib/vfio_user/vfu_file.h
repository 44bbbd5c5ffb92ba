/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Files behind DMA mappings: each mapped once, whole, and counted.
 *
 * QEMU sends a fresh descriptor of the same file with every DMA_MAP; device and inode number tell
 * that it is the same. Mapping it whole spares the alignment rules of hugetlbfs, and spares an mmap
 * and a TLB shoot-down per message. A file that has grown since is mapped once more in its new
 * size.
 *
 * Belongs to the table's control thread.
 */
#ifndef VFU_FILE_H
#define VFU_FILE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/queue.h>

/**
 * Most files of one table. A guest has a handful; a DPDK client without --single-file-segments has
 * one per huge page.
 */
#define VFU_FILES_MAX 4096u

/** Most bytes of address space that the files of one table may take: 16 TiB. */
#define VFU_FILES_MAX_BYTES (1ull << 44)

#define VFU_FILE_BUCKETS 64u

struct vfu_file;

LIST_HEAD(vfu_file_list, vfu_file);

struct vfu_files {
	struct vfu_file_list bucket[VFU_FILE_BUCKETS];
	uint32_t nb_files;
	uint64_t bytes;
	atomic_bool broken; /**< a file was truncated by its owner */
};

/** Where a range of a file is. */
struct vfu_file_range {
	struct vfu_file *file; /**< hand to vfu_files_put() */
	uint8_t *host;
	uint32_t prot; /**< what the descriptor allows: VFU_DMA_READ, VFU_DMA_WRITE */
};

void vfu_files_init(struct vfu_files *files);

/**
 * Finds or maps the file of @p fd, and takes a reference.
 *
 * @return 0, -EINVAL (not a file of the right kind, or @p offset + @p size beyond its end), -ENOSPC
 *         (too many or too large), -ENOMEM, or what mmap said.
 */
int vfu_files_get(struct vfu_files *files, int fd, uint64_t offset, uint64_t size,
	struct vfu_file_range *range);

/** Drops a reference; with the last one the file is unmapped, so no thread may still use it. */
void vfu_files_put(struct vfu_files *files, struct vfu_file *file);

#endif /* VFU_FILE_H */
