/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Groups of eight. What is sent is gathered from as many mbufs as there are frames, and wider vectors gain nothing there:
 * that is as with AVX2.
 */
#include "vx_vec.h"

#ifdef RTE_ARCH_X86_64
#include <immintrin.h>

#include "vx_vec_x86.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl," VX_VEC_AVX2)))
#define INLINE static inline __attribute__((always_inline))
#define GROUP 8u

/* ---- receive ---- */

/* Four completions, in their order. */
AVX512 INLINE __m512i
load_four(const struct vx_entry *e)
{
	__m128i a = vx_vec_load(&e[0]), b = vx_vec_load(&e[1]), c = vx_vec_load(&e[2]), d = vx_vec_load(&e[3]);
	__m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(a), b, 1);
	__m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(c), d, 1);

	return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

/* One vector four times. */
AVX512 INLINE __m512i
each(__m128i v)
{
	return _mm512_broadcast_i32x4(v);
}

AVX512 INLINE __m512i
field(__m512i v, unsigned int shift, uint32_t mask)
{
	return _mm512_and_si512(_mm512_srli_epi64(v, shift), _mm512_set1_epi64(mask));
}

/* Where in vx_rx_kinds, in bytes; of lower and upper halves. */
AVX512 INLINE __m512i
kinds_of(__m512i lo, __m512i hi)
{
	__m512i kinds = _mm512_or_si512(field(hi, 32 + VX_RX_KIND_SHIFT - 4, VX_RX_KIND_MASK << 4),
		_mm512_or_si512(field(hi, 3, VX_RX_KIND_TAG << 4), field(lo, 19, VX_RX_KIND_CNC << 4)));
	__mmask8 hash = _mm512_test_epi64_mask(lo, _mm512_set1_epi64(VX_RX_HASH_MASK));

	return _mm512_mask_or_epi64(kinds, hash, kinds, _mm512_set1_epi64(VX_RX_KIND_HASH << 4));
}

/* Mbufs of four frames, whose kinds are every other one of @p kinds. */
AVX512 INLINE void
fill_in(struct rte_mbuf *const *m, __m128i rearm, __m512i fields, const uint64_t *kinds)
{
	vx_vec_fill_in(m[0], rearm, _mm512_castsi512_si128(fields), kinds[0]);
	vx_vec_fill_in(m[1], rearm, _mm512_extracti32x4_epi32(fields, 1), kinds[2]);
	vx_vec_fill_in(m[2], rearm, _mm512_extracti32x4_epi32(fields, 2), kinds[4]);
	vx_vec_fill_in(m[3], rearm, _mm512_extracti32x4_epi32(fields, 3), kinds[6]);
}

AVX512 static uint32_t
take(const struct vx_rxq *q, struct rte_mbuf **pkts, uint32_t nb, uint64_t *bytes)
{
	const struct vx_rx_ring *r = &q->ring[VX_RX_HEAD];
	const struct vx_entry *e = &q->comp[q->next & q->comp_mask];
	struct rte_mbuf **buf = &r->buf[r->done & r->mask];
	const int place = (int)(q->whole | (r->done & r->mask));
	const int sort = (int)(vx_gen(q->next, q->comp_log2) << VMXNET3_CD_GEN_SHIFT);
	const __m512i mask = each(vx_vec_mask()), shuffle = each(vx_vec_shuffle()), clean = each(vx_vec_clean());
	const __m512i buf_len = _mm512_set1_epi64(q->buf_len), ones = _mm512_set1_epi64(-1);
	const __m512i four = each(_mm_setr_epi32(4, 0, 0, 0));
	const __m128i rearm = _mm_set1_epi64x((int64_t)q->rearm);
	__m512i want = _mm512_setr_epi32(place, 0, 0, sort, place + 1, 0, 0, sort, place + 2, 0, 0, sort, place + 3, 0, 0, sort);
	__m512i sum = _mm512_setzero_si512();
	struct rte_mbuf **out = pkts, **end = pkts + (nb & -GROUP);
	uint64_t kinds[GROUP] __rte_aligned(64);
	unsigned int i;

	for (; out != end; out += GROUP, buf += GROUP, e += GROUP) {
		__m512i a = load_four(e), b = load_four(e + 4), next = _mm512_add_epi32(want, four);
		__m512i lo = _mm512_unpacklo_epi64(a, b), hi = _mm512_unpackhi_epi64(a, b);
		__m512i len = _mm512_and_si512(hi, _mm512_set1_epi64(VMXNET3_RCD_LEN_MASK | VMXNET3_RCD_ERR));
		__mmask16 wrong = _mm512_cmpneq_epi32_mask(_mm512_and_si512(a, mask), want) |
			_mm512_cmpneq_epi32_mask(_mm512_and_si512(b, mask), next);

		/* No byte is one too many, too. */
		if (wrong | _mm512_cmpge_epu64_mask(_mm512_add_epi64(len, ones), buf_len))
			break;
		for (i = 0; i < GROUP; i++)
			__builtin_prefetch(buf[VX_RX_AHEAD + i]);
		_mm512_store_si512(kinds, kinds_of(lo, hi));
		fill_in(buf, rearm, _mm512_shuffle_epi8(_mm512_and_si512(a, clean), shuffle), kinds);
		fill_in(buf + 4, rearm, _mm512_shuffle_epi8(_mm512_and_si512(b, clean), shuffle), kinds + 1);
		_mm512_storeu_si512(out, _mm512_loadu_si512(buf));
		sum = _mm512_add_epi64(sum, len);
		want = _mm512_add_epi32(next, four);
	}
	*bytes += (uint64_t)_mm512_reduce_add_epi64(sum);
	return (uint32_t)(out - pkts);
}

AVX512 static uint32_t
post(const struct vx_rxq *q, struct vx_entry *e, struct rte_mbuf **buf, struct rte_mbuf *const *from, uint32_t nb,
	uint64_t first, uint64_t hi)
{
	const __m512i distance = _mm512_set1_epi64((int64_t)q->distance), all = _mm512_set1_epi64((int64_t)hi);
	/* Upper halves are every other word; that of the first entry alone is taken from where "head" has it. */
	const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 9, 3, 9), high = _mm512_setr_epi64(4, 9, 5, 9, 6, 9, 7, 9);
	__m512i head = _mm512_mask_mov_epi64(all, 1, _mm512_set1_epi64((int64_t)first));
	struct rte_mbuf *const *end = from + (nb & -GROUP);

	for (; from != end; from += GROUP, buf += GROUP, e += GROUP, head = all) {
		__m512i m = _mm512_loadu_si512(from), addr = _mm512_add_epi64(m, distance);

		_mm512_storeu_si512(buf, m);
		_mm512_storeu_si512(&e[0], _mm512_permutex2var_epi64(addr, low, head));
		_mm512_storeu_si512(&e[4], _mm512_permutex2var_epi64(addr, high, all));
	}
	return nb & -GROUP;
}

static const struct vx_vec avx512 = {
	.name = "Vector AVX512", .bits = 512, .group = GROUP, .take = take, .post = post, .put = vx_vec_avx2_put,
	.idle = vx_vec_avx2_idle,
};

const struct vx_vec *
vx_vec_avx512(void)
{
	return &avx512;
}

#endif
