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

/** Shorter frames are refused, and not here. */
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

/* ---- receive ---- */

/** Bits of a completion that say where it belongs and of what sort it is. */
VX_VEC_INLINE(VX_VEC_AVX2) __m128i
vx_vec_mask(void)
{
	return _mm_setr_epi32(VX_RX_PLACE_MASK, 0, 0, (int)VX_RX_SORT_MASK);
}

/** Bits of a completion that become fields of an mbuf: in word 2 all but what is between length and tag. */
VX_VEC_INLINE(VX_VEC_AVX2) __m128i
vx_vec_clean(void)
{
	return _mm_setr_epi32(-1, -1, (int)(VMXNET3_RCD_LEN_MASK | ~0u << VMXNET3_RCD_TCI_SHIFT), -1);
}

/** Bytes of a completion as fields of an mbuf, from packet_type on, which is left out: the length twice, the tag, the hash. */
VX_VEC_INLINE(VX_VEC_AVX2) __m128i
vx_vec_shuffle(void)
{
	return _mm_setr_epi8(-1, -1, -1, -1, 8, 9, -1, -1, 8, 9, 10, 11, 4, 5, 6, 7);
}

/**
 * Writes everything in an mbuf that a frame gives it.
 * @param rearm   mbuf::rearm_data in the upper half
 * @param fields  what vx_vec_shuffle() makes
 * @param kind    where in vx_rx_kinds, in bytes
 */
VX_VEC_INLINE(VX_VEC_AVX2) void
vx_vec_fill_in(struct rte_mbuf *m, __m128i rearm, __m128i fields, uint64_t kind)
{
	const __m128i k = _mm_load_si128((const __m128i *)((const char *)vx_rx_kinds + kind));

	_mm_store_si128((__m128i *)&m->rearm_data, _mm_unpackhi_epi64(rearm, k));
	_mm_store_si128((__m128i *)&m->rx_descriptor_fields1, _mm_blend_epi32(fields, k, 1));
}

VX_VEC_INLINE(VX_VEC_AVX2) uint64_t
vx_vec_total(__m128i v)
{
	return (uint64_t)_mm_cvtsi128_si64(v) + (uint64_t)_mm_extract_epi64(v, 1);
}

/* ---- transmit ---- */

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

/** vx_vec::put and vx_vec::idle with AVX2. */
uint32_t vx_vec_avx2_put(const struct vx_txq *q, uint32_t at, struct rte_mbuf **pkts, uint32_t nb, uint64_t first,
	uint64_t hi, uint64_t *bytes, bool *look);
uint32_t vx_vec_avx2_idle(struct rte_mbuf **buf, uint32_t nb);

#endif /* VX_VEC_X86_H */
