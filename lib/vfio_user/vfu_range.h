/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Guest memory as the table of DMA mappings deals in it: pages, access, pieces. */
#ifndef VFU_RANGE_H
#define VFU_RANGE_H

#include <stdint.h>

/** Page size of the table: every address, size and file offset is a multiple of it. */
#define VFU_DMA_PAGE 4096u

/** DMA addresses have at most this many bits (four levels of nine, as on x86-64). */
#define VFU_DMA_ADDR_BITS 48

#define VFU_DMA_READ  0x1u /**< the device may read the range */
#define VFU_DMA_WRITE 0x2u /**< the device may write the range */

/** One contiguous piece of guest memory, as found by vfu_dma_lookup(). */
struct vfu_dma_range {
	uint64_t iova; /**< first DMA address of the piece */
	uint64_t len;  /**< bytes; the piece ends before iova + len */
	uint8_t *host; /**< where its first byte is in this process */
	uint32_t prot; /**< VFU_DMA_READ and VFU_DMA_WRITE bits */
};

#endif /* VFU_RANGE_H */
