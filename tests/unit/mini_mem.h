/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Guest memory for tests: a memory file, a DMA table over it, an allocator.
 *
 * Scattered memory has every page elsewhere: neighbours in DMA addresses are no neighbours in the file, and
 * each page is a mapping of its own, as behind an IOMMU.
 */
#ifndef MINI_MEM_H
#define MINI_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <vfu_dma.h>

/** First DMA address: beyond 32 bits, so that nobody forgets the upper half. */
#define MINI_MEM_IOVA 0x140000000ull

struct mini_mem {
	struct vfu_dma *dma;
	uint8_t *base; /**< the file, mapped for the driver */
	size_t size;
	int fd;
	bool scattered;
	bool joined;   /**< @c base is the table's */
	uint64_t used; /**< bytes given away */
};

/** @return 0 or a negative errno. @p quiesce is the table's. */
int mini_mem_init(struct mini_mem *m, size_t size, bool scattered, vfu_dma_quiesce_t quiesce,
	void *ctx);
void mini_mem_fini(struct mini_mem *m);

/**
 * Makes the driver use the addresses that the device uses, so that ThreadSanitizer sees them share memory. Not if it is
 * scattered, and only while the table does not change.
 */
void mini_mem_join(struct mini_mem *m);

/** Takes @p bytes, zeroed, at a multiple of @p align. @return DMA address; aborts when there is no more. */
uint64_t mini_mem_alloc(struct mini_mem *m, size_t bytes, size_t align);

/** Where the driver finds a DMA address; good up to the end of its page if memory is scattered. */
void *mini_mem_at(const struct mini_mem *m, uint64_t iova);

void mini_mem_write(const struct mini_mem *m, uint64_t iova, const void *buf, size_t len);
void mini_mem_read(const struct mini_mem *m, uint64_t iova, void *buf, size_t len);
void mini_mem_fill(const struct mini_mem *m, uint64_t iova, uint8_t byte, size_t len);
/** Whether all of it is @p byte. */
bool mini_mem_is(const struct mini_mem *m, uint64_t iova, uint8_t byte, size_t len);

#endif /* MINI_MEM_H */
