/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What rings of both directions have in common: entries, generations, addresses, counters, and who may use a queue.
 *
 * Rings have a power of two of entries. Positions are free-running 32-bit numbers: the entry is
 * position & mask, and the generation follows from the number of times that the ring was gone round.
 *
 * The memory is shared with somebody who may be wrong or worse. What is read from it is read once, into a register.
 */
#ifndef VX_RING_H
#define VX_RING_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_mbuf.h>

#include <vmxnet3_mem.h>

static_assert(sizeof(void *) == 8, "entries are loaded and stored by halves, atomically");

/** A ring entry by halves: words 0 and 1, words 2 and 3; little-endian. */
struct vx_entry {
	uint64_t lo, hi;
};

static_assert(sizeof(struct vx_entry) == sizeof(struct vmxnet3_desc), "ring entry");

/** A flag of word 3 in the upper half of an entry. */
#define VX_WORD3(flag) ((uint64_t)(flag) << 32)

/** Completions: type and generation are the uppermost byte. */
#define VX_COMP_KIND(hi) ((uint32_t)((hi) >> (32 + VMXNET3_CD_TYPE_SHIFT)))

/** The generation that an entry has when it becomes valid at @p pos. */
static inline uint32_t
vx_gen(uint32_t pos, uint32_t log2)
{
	return ~pos >> log2 & 1;
}

/** The uppermost byte of a valid completion of a kind at @p pos. */
static inline uint32_t
vx_comp_kind(uint32_t pos, uint32_t log2, uint32_t type)
{
	return type | vx_gen(pos, log2) << (VMXNET3_CD_GEN_SHIFT - VMXNET3_CD_TYPE_SHIFT);
}

/** The half with the generation. What is loaded after it is at least as new. */
static inline uint64_t
vx_load_gen(const struct vx_entry *e)
{
	return rte_le_to_cpu_64(__atomic_load_n(&e->hi, __ATOMIC_ACQUIRE));
}

static inline uint64_t
vx_load_lo(const struct vx_entry *e)
{
	return rte_le_to_cpu_64(__atomic_load_n(&e->lo, __ATOMIC_RELAXED));
}

/** The half with the generation, after everything else. */
static inline void
vx_store_gen(struct vx_entry *e, uint64_t hi)
{
	__atomic_store_n(&e->hi, rte_cpu_to_le_64(hi), __ATOMIC_RELEASE);
}

/* ---- addresses ---- */

/* Where an mbuf has the address of its buffer, as the device sees it. */
#define VX_ADDR_VA offsetof(struct rte_mbuf, buf_addr)
#if defined(RTE_IOVA_IN_MBUF) ? RTE_IOVA_IN_MBUF : RTE_IOVA_AS_PA
#define VX_ADDR_IOVA offsetof(struct rte_mbuf, buf_iova)
#else
#define VX_ADDR_IOVA VX_ADDR_VA
#endif

/** @param field  VX_ADDR_VA or VX_ADDR_IOVA */
static inline uint64_t
vx_buf_dma(const struct rte_mbuf *m, uint16_t field)
{
	uint64_t addr;

	memcpy(&addr, (const char *)m + field, sizeof(addr));
	return addr;
}

/* ---- counters ---- */

/** What a queue counts by itself. Written inside of bursts only. */
struct vx_queue_stats {
	uint64_t packets, bytes;
	uint64_t errors;    /**< receive: frames with an error; transmit: frames refused */
	uint64_t no_mbuf;   /**< receive: refills postponed for want of buffers */
	uint64_t bad_completions; /**< completions with an index, ring, length or order that cannot be */
	uint64_t ring_full; /**< transmit: bursts cut short because the ring was full */
	uint64_t filtered;  /**< receive: frames that a promiscuous device let in and the port does not want */
};

/** Adds to a counter that others may read. */
static inline void
vx_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* ---- who may use a queue ---- */

/** Held by the burst that is inside, or by who keeps bursts out. */
struct vx_gate {
	uint32_t held;
} __rte_cache_aligned;

static inline bool
vx_gate_try(struct vx_gate *g)
{
	return __atomic_exchange_n(&g->held, 1, __ATOMIC_ACQUIRE) == 0;
}

static inline void
vx_gate_leave(struct vx_gate *g)
{
	__atomic_store_n(&g->held, 0, __ATOMIC_RELEASE);
}

#endif /* VX_RING_H */
