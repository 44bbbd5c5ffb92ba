/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the vectors of x86 have in common. Only for CPUs with AVX: that is what makes a load of 16 bytes atomic.
 */
#ifndef VX_VEC_X86_H
#define VX_VEC_X86_H

#include <rte_ether.h>

#include "vx_rx_frame.h"
#include "vx_rx_meta.h"
#include "vx_vec.h"

static_assert(offsetof(struct rte_mbuf, rearm_data) == 16 && offsetof(struct rte_mbuf, ol_flags) == 24 &&
	offsetof(struct rte_mbuf, packet_type) == 32 && offsetof(struct rte_mbuf, pkt_len) == 36 &&
	offsetof(struct rte_mbuf, data_len) == 40 && offsetof(struct rte_mbuf, vlan_tci) == 42 &&
	offsetof(struct rte_mbuf, hash.rss) == 44, "what a receive burst writes are two vectors");
static_assert(offsetof(struct vx_rx_kind, ol_flags) == 8 && sizeof(struct vx_rx_kind) == 16, "a vector");

/** Lengths of frames that need no thought. */
#define VX_TX_MIN RTE_ETHER_HDR_LEN

/** Targets of functions. Vectors of all 32 bytes are loaded and stored at once, as all these CPUs like it best. */
#define VX_VEC_AVX2 "avx2,tune=haswell"
#define VX_VEC_INLINE(isa) static inline __attribute__((always_inline, target(isa)))

/**
 * A completion. Aligned loads of 16 bytes are atomic on every CPU with AVX, and loads of x86 are made in their order:
 * a completion that has its generation has everything else, and so have all before it that were loaded before. Volatile,
 * for neither another order nor a wider load will do.
 */
VX_VEC_INLINE(VX_VEC_AVX2) __m128i
vx_vec_load(const struct vx_entry *e)
{
	return *(const volatile __m128i *)(const void *)e;
}

VX_VEC_INLINE(VX_VEC_AVX2) uint64_t
vx_vec_total(__m128i v)
{
	return (uint64_t)_mm_cvtsi128_si64(v) + (uint64_t)_mm_extract_epi64(v, 1);
}

/** Where a frame begins in its buffer, and in the upper half its length; other fields of the mbuf are in between. */
VX_VEC_INLINE(VX_VEC_AVX2) __m128i
vx_vec_place(const struct rte_mbuf *m)
{
	return _mm_insert_epi16(_mm_loadl_epi64((const __m128i *)&m->rearm_data), m->data_len, 4);
}

/** @param field  VX_ADDR_* */
VX_VEC_INLINE(VX_VEC_AVX2) __m128i
vx_vec_address(const struct rte_mbuf *m, uint16_t field)
{
	return _mm_loadl_epi64((const __m128i *)((const char *)m + field));
}

/**
 * Of an mbuf from rearm_data on: bits of which one at least is set unless it is one mbuf, without requests, and not too
 * long. That holds for several mbufs or-ed, too.
 */
static const uint64_t vx_vec_not_plain[4] __rte_aligned(32) = {
	(uint64_t)(UINT16_MAX - 1) << 32, RTE_MBUF_F_TX_OFFLOAD_MASK, 0, UINT16_MAX & ~VMXNET3_TXD_LEN_MASK,
};

/** The same of a bit that is set when somebody else has a share in an mbuf or in its buffer. */
static const uint64_t vx_vec_not_idle[2] __rte_aligned(16) = {
	(uint64_t)(UINT16_MAX - 1) << 16, RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL,
};

static_assert(offsetof(struct rte_mbuf, refcnt) == 18 && offsetof(struct rte_mbuf, nb_segs) == 20, "second and third word");

#endif /* VX_VEC_X86_H */
