/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to the datapath: what transmit and receive both do per frame. */
#ifndef DEV_BURST_H
#define DEV_BURST_H

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_prefetch.h>

#include "dev_base.h"
#include "dev_mem.h"

#define DEV_MIN_FRAME 60 /**< shorter ones are filled up with zeros */

/** Frames and bytes by kind of destination, in the order that both kinds of statistics have. */
enum dev_cast { DEV_CAST_UNI, DEV_CAST_MULTI, DEV_CAST_BROAD, DEV_CASTS };

struct dev_tally {
	uint64_t pkts[DEV_CASTS];
	uint64_t bytes[DEV_CASTS];
};

static inline enum dev_cast
dev_cast_of(const uint8_t *dst)
{
	if (likely(!(dst[0] & 1)))
		return DEV_CAST_UNI;
	return (dst[0] & dst[1] & dst[2] & dst[3] & dst[4] & dst[5]) == 0xff ? DEV_CAST_BROAD :
		DEV_CAST_MULTI;
}

/** Adds to a counter that one thread writes and others may read. */
static inline void
dev_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/*
 * A ring entry is read and written by halves, each by one access of 64 bits: the first has an address, or what a
 * completion says first; the second has dwords 2 and 3, and with them the generation bit.
 */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "entries are little endian");

typedef uint64_t __attribute__((may_alias)) dev_half_t;

#define DEV_HIGH(dw2, dw3) ((uint64_t)(dw3) << 32 | (uint32_t)(dw2))

/** To be read first: what else the driver wrote before the generation bit is visible after it. */
static inline uint64_t
dev_desc_high(const struct vmxnet3_desc *d)
{
	return __atomic_load_n((const dev_half_t *)&d->dw[2], __ATOMIC_ACQUIRE);
}

static inline uint64_t
dev_desc_low(const struct vmxnet3_desc *d)
{
	return __atomic_load_n((const dev_half_t *)&d->dw[0], __ATOMIC_RELAXED);
}

/**
 * Reads a ring entry.
 *
 * @return whether the entry is valid; only then is @p out filled.
 */
static inline bool
dev_ring_read(const struct dev_ring *ring, const struct dev_ring_pos *pos, unsigned int gen_shift,
	struct vmxnet3_desc *out)
{
	const struct vmxnet3_desc *d = dev_ring_entry(ring, pos->next);
	uint64_t high = dev_desc_high(d);

	if ((high >> gen_shift & 1) != pos->gen)
		return false;
	*(dev_half_t *)&out->dw[0] = dev_desc_low(d);
	*(dev_half_t *)&out->dw[2] = high;
	return true;
}

/** Stores a position that has moved. Control looks at the rest of it at any time. */
static inline void
dev_pos_put(struct dev_ring_pos *to, const struct dev_ring_pos *from)
{
	to->next = from->next;
	to->gen = from->gen;
}

static inline uint64_t
dev_desc_addr(const struct vmxnet3_desc *d)
{
	return (uint64_t)d->dw[1] << 32 | d->dw[0];
}

/** Writes a completion, the half with the generation bit last. */
static inline void
dev_comp_write(struct vmxnet3_desc *c, uint32_t dw0, uint32_t dw1, uint32_t dw2, uint32_t dw3)
{
	__atomic_store_n((dev_half_t *)&c->dw[0], (uint64_t)dw1 << 32 | dw0, __ATOMIC_RELAXED);
	__atomic_store_n((dev_half_t *)&c->dw[2], DEV_HIGH(dw2, dw3), __ATOMIC_RELEASE);
}

/**
 * Drops a TLB that is older than the table. Once at the beginning of each burst is enough: a mapping
 * that goes meanwhile stays valid until the burst has ended.
 */
static inline void
dev_tlb_begin(const struct vmxnet3_dev *dev, struct dev_tlb *tlb)
{
	uint64_t generation = vfu_dma_generation(dev->dma);

	if (unlikely(tlb->generation != generation)) {
		tlb->range.len = 0;
		tlb->generation = generation;
	}
}

/** As dev_mem_at(), after a dev_tlb_begin() in the same burst. */
static inline uint8_t *
dev_tlb_at(struct vmxnet3_dev *dev, struct dev_tlb *tlb, uint64_t iova, uint32_t *len, uint32_t prot)
{
	uint64_t offset = iova - tlb->range.iova;

	if (unlikely(offset >= tlb->range.len || (prot & ~tlb->range.prot) != 0))
		return dev_mem_at(dev, tlb, iova, len, prot);
	if (unlikely(tlb->range.len - offset < *len))
		*len = (uint32_t)(tlb->range.len - offset);
	return tlb->range.host + offset;
}

/** Segments that @p nb_descs descriptors with @p len bytes in all can become at most. */
#define DEV_SEGS_MAX(nb_descs, len) (2 * (nb_descs) + (len) / DEV_PAGE_SIZE)

/**
 * Appends what lies at @p iova to a list of segments, joining neighbours. The caller has room for
 * DEV_SEGS_MAX() of them.
 *
 * @param nb  number of segments in the list
 * @return false: some byte is not mapped.
 */
static inline bool
dev_segs_add(struct vmxnet3_dev *dev, struct dev_tlb *tlb, uint64_t iova, uint32_t len, uint32_t prot,
	struct offload_seg *segs, uint16_t *nb)
{
	struct offload_seg *last = &segs[*nb];
	uint8_t *host;
	uint32_t n;

	for (; len > 0; len -= n, iova += n) {
		n = len;
		host = dev_tlb_at(dev, tlb, iova, &n, prot);
		if (unlikely(host == NULL))
			return false;
		if (*nb > 0 && last[-1].data + last[-1].len == host) {
			last[-1].len += n;
			continue;
		}
		*last++ = (struct offload_seg){ .data = host, .len = n };
		(*nb)++;
	}
	return true;
}

#endif /* DEV_BURST_H */
