/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Guest memory: translation, copies, rings into host pointers. */
#ifndef DEV_MEM_H
#define DEV_MEM_H

#include "dev_base.h"

/**
 * Host address of @p iova with @p prot access. @p len is cut to what is contiguous from there.
 * @return NULL: not mapped (or read-only when write is asked).
 */
uint8_t *dev_mem_at(struct vmxnet3_dev *dev, struct dev_tlb *tlb, uint64_t iova, uint32_t *len,
	uint32_t prot);

/**
 * Forgets what every queue's TLB holds. Needed whenever dev->dma changes (attach, detach), with the
 * datapath quiesced: another table may be at the same generation.
 */
void dev_tlb_flush(struct vmxnet3_dev *dev);

/** Copies between guest and private memory across mappings. @return false: some byte is not mapped. */
bool dev_mem_read(struct vmxnet3_dev *dev, uint64_t iova, void *buf, uint32_t len);
bool dev_mem_write(struct vmxnet3_dev *dev, uint64_t iova, const void *buf, uint32_t len);

/**
 * Fills @p ring's pages from ring->pos (pa, size). @return false and all pages NULL: not wholly mapped.
 */
bool dev_ring_map(struct vmxnet3_dev *dev, struct dev_ring *ring, uint32_t prot);

#endif /* DEV_MEM_H */
