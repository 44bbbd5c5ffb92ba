/* SPDX-License-Identifier: BSD-3-Clause */
#include "dev_mem.h"

#include <string.h>

#include <rte_common.h>

/* Looks @p iova up in the table and keeps the whole mapping. */
static bool
tlb_fill(struct vmxnet3_dev *dev, struct dev_tlb *tlb, uint64_t iova)
{
	/* Before the lookup: a change in between makes the next check drop what was found. */
	tlb->generation = vfu_dma_generation(dev->dma);
	if (vfu_dma_lookup(dev->dma, iova, &tlb->range))
		return true;
	tlb->range.len = 0;
	return false;
}

static bool
tlb_holds(const struct vmxnet3_dev *dev, const struct dev_tlb *tlb, uint64_t iova)
{
	return iova - tlb->range.iova < tlb->range.len &&
		tlb->generation == vfu_dma_generation(dev->dma);
}

uint8_t *
dev_mem_at(struct vmxnet3_dev *dev, struct dev_tlb *tlb, uint64_t iova, uint32_t *len,
	uint32_t prot)
{
	uint64_t offset;

	if (unlikely(dev->dma == NULL))
		return NULL;
	if (unlikely(!tlb_holds(dev, tlb, iova)) && !tlb_fill(dev, tlb, iova))
		return NULL;
	if (unlikely((tlb->range.prot & prot) != prot))
		return NULL;
	offset = iova - tlb->range.iova;
	*len = (uint32_t)RTE_MIN((uint64_t)*len, tlb->range.len - offset);
	return tlb->range.host + offset;
}

void
dev_tlb_flush(struct vmxnet3_dev *dev)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(dev->txq); i++)
		dev->txq[i].tlb = (struct dev_tlb){ 0 };
	for (i = 0; i < RTE_DIM(dev->rxq); i++)
		dev->rxq[i].tlb = (struct dev_tlb){ 0 };
}

bool
dev_mem_read(struct vmxnet3_dev *dev, uint64_t iova, void *buf, uint32_t len)
{
	struct dev_tlb tlb = { 0 };
	uint8_t *to = buf;
	uint8_t *host;
	uint32_t n;

	for (; len > 0; len -= n, iova += n, to += n) {
		n = len;
		host = dev_mem_at(dev, &tlb, iova, &n, VFU_DMA_READ);
		if (host == NULL)
			return false;
		memcpy(to, host, n);
	}
	return true;
}

bool
dev_mem_write(struct vmxnet3_dev *dev, uint64_t iova, const void *buf, uint32_t len)
{
	struct dev_tlb tlb = { 0 };
	const uint8_t *from = buf;
	uint8_t *host;
	uint32_t n;

	for (; len > 0; len -= n, iova += n, from += n) {
		n = len;
		host = dev_mem_at(dev, &tlb, iova, &n, VFU_DMA_WRITE);
		if (host == NULL)
			return false;
		memcpy(host, from, n);
	}
	return true;
}

bool
dev_ring_map(struct vmxnet3_dev *dev, struct dev_ring *ring, uint32_t prot)
{
	uint64_t page = ring->pos->pa & ~(uint64_t)(DEV_PAGE_SIZE - 1);
	struct dev_tlb tlb = { 0 };
	uint32_t i, n, nb_pages;
	bool contiguous = true;
	uint64_t bytes;

	ring->base = NULL;
	memset(ring->page, 0, sizeof(ring->page));
	ring->first_offset = (uint32_t)(ring->pos->pa - page);
	bytes = (uint64_t)ring->pos->size * sizeof(struct vmxnet3_desc);
	/* An entry must not straddle pages. */
	if (ring->first_offset % sizeof(struct vmxnet3_desc) != 0 ||
			bytes > (DEV_RING_PAGES - 1) * DEV_PAGE_SIZE)
		return false;

	nb_pages = bytes == 0 ? 0 :
		(uint32_t)((ring->first_offset + bytes + DEV_PAGE_SIZE - 1) >> DEV_PAGE_SHIFT);
	for (i = 0; i < nb_pages; i++, page += DEV_PAGE_SIZE) {
		n = DEV_PAGE_SIZE;
		ring->page[i] = dev_mem_at(dev, &tlb, page, &n, prot);
		if (ring->page[i] == NULL || n != DEV_PAGE_SIZE) {
			memset(ring->page, 0, sizeof(ring->page));
			return false;
		}
		contiguous &= ring->page[i] == ring->page[0] + (uint64_t)i * DEV_PAGE_SIZE;
	}
	if (contiguous && nb_pages > 0)
		ring->base = (struct vmxnet3_desc *)(void *)(ring->page[0] + ring->first_offset);
	return true;
}
