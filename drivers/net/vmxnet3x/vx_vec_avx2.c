/* SPDX-License-Identifier: BSD-3-Clause */
/* Groups of four. */
#include "vx_vec.h"

#ifdef RTE_ARCH_X86_64
#include <immintrin.h>

#include "vx_vec_x86.h"

#define AVX2 __attribute__((target(VX_VEC_AVX2)))
#define INLINE static inline __attribute__((always_inline))
#define GROUP 4u

AVX2 INLINE __m256i
both(__m128i low, __m128i high)
{
	return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* One vector twice. */
AVX2 INLINE __m256i
each(__m128i v)
{
	return _mm256_broadcastsi128_si256(v);
}

/* ---- receive ---- */

/* Two completions, in their order. */
AVX2 INLINE __m256i
load_two(const struct vx_entry *e)
{
	__m128i low = vx_vec_load(&e[0]), high = vx_vec_load(&e[1]);

	return both(low, high);
}

/* Where in vx_rx_kinds, in bytes; of lower and upper halves. */
AVX2 INLINE __m256i
kinds_of(__m256i lo, __m256i hi)
{
	__m256i flags = _mm256_and_si256(_mm256_srli_epi64(hi, 32 + VX_RX_KIND_SHIFT - 4),
		_mm256_set1_epi64x(VX_RX_KIND_MASK << 4));
	__m256i tag = _mm256_and_si256(_mm256_srli_epi64(hi, 3), _mm256_set1_epi64x(VX_RX_KIND_TAG << 4));
	__m256i cnc = _mm256_and_si256(_mm256_srli_epi64(lo, 19), _mm256_set1_epi64x(VX_RX_KIND_CNC << 4));
	__m256i mask = _mm256_set1_epi64x(VX_RX_HASH_MASK), hash;

	/* Any of the bits carries into the one above them. */
	hash = _mm256_add_epi64(_mm256_and_si256(lo, mask), mask);
	hash = _mm256_and_si256(_mm256_srli_epi64(hash, 17), _mm256_set1_epi64x(VX_RX_KIND_HASH << 4));
	return _mm256_or_si256(_mm256_or_si256(flags, tag), _mm256_or_si256(cnc, hash));
}

AVX2 static uint32_t
take(const struct vx_rxq *q, struct rte_mbuf **pkts, uint32_t nb, uint64_t *bytes)
{
	const struct vx_rx_ring *r = &q->ring[VX_RX_HEAD];
	const struct vx_entry *e = &q->comp[q->next & q->comp_mask];
	struct rte_mbuf **buf = &r->buf[r->done & r->mask];
	const int place = (int)(q->whole | (r->done & r->mask));
	const int sort = (int)(vx_gen(q->next, q->comp_log2) << VMXNET3_CD_GEN_SHIFT);
	const __m256i mask = each(vx_vec_mask()), shuffle = each(vx_vec_shuffle()), clean = each(vx_vec_clean());
	const __m256i step = _mm256_setr_epi32(GROUP, 0, 0, 0, GROUP, 0, 0, 0);
	const __m256i len_mask = _mm256_set1_epi64x(VMXNET3_RCD_LEN_MASK | VMXNET3_RCD_ERR);
	const __m256i buf_len = _mm256_set1_epi64x(q->buf_len), ones = _mm256_set1_epi64x(-1);
	const __m128i rearm = _mm_set1_epi64x((int64_t)q->rearm);
	__m256i want_a = _mm256_setr_epi32(place, 0, 0, sort, place + 1, 0, 0, sort);
	__m256i want_b = _mm256_setr_epi32(place + 2, 0, 0, sort, place + 3, 0, 0, sort);
	__m256i sum = _mm256_setzero_si256();
	struct rte_mbuf **out = pkts, **end = pkts + (nb & -GROUP);

	for (; out != end; out += GROUP, buf += GROUP, e += GROUP) {
		__m256i a = load_two(e), b = load_two(e + 2);
		__m256i lo = _mm256_unpacklo_epi64(a, b), hi = _mm256_unpackhi_epi64(a, b);
		__m256i len = _mm256_and_si256(hi, len_mask), wrong, kinds;

		wrong = _mm256_or_si256(_mm256_xor_si256(_mm256_and_si256(a, mask), want_a),
			_mm256_xor_si256(_mm256_and_si256(b, mask), want_b));
		/* Negative, when there is no byte or more than the buffer has. */
		wrong = _mm256_or_si256(wrong, _mm256_srli_epi64(_mm256_or_si256(_mm256_add_epi64(len, ones),
			_mm256_sub_epi64(buf_len, len)), 63));
		if (!_mm256_testz_si256(wrong, wrong))
			break;
		__builtin_prefetch(buf[VX_RX_AHEAD]);
		__builtin_prefetch(buf[VX_RX_AHEAD + 1]);
		__builtin_prefetch(buf[VX_RX_AHEAD + 2]);
		__builtin_prefetch(buf[VX_RX_AHEAD + 3]);
		kinds = kinds_of(lo, hi);
		a = _mm256_shuffle_epi8(_mm256_and_si256(a, clean), shuffle);
		b = _mm256_shuffle_epi8(_mm256_and_si256(b, clean), shuffle);
		/* Pairs are interleaved: lower lanes have the first and third frame. */
		vx_vec_fill_in(buf[0], rearm, _mm256_castsi256_si128(a), (uint64_t)_mm256_extract_epi64(kinds, 0));
		vx_vec_fill_in(buf[2], rearm, _mm256_castsi256_si128(b), (uint64_t)_mm256_extract_epi64(kinds, 1));
		vx_vec_fill_in(buf[1], rearm, _mm256_extracti128_si256(a, 1), (uint64_t)_mm256_extract_epi64(kinds, 2));
		vx_vec_fill_in(buf[3], rearm, _mm256_extracti128_si256(b, 1), (uint64_t)_mm256_extract_epi64(kinds, 3));
		_mm256_storeu_si256((__m256i *)out, _mm256_loadu_si256((const __m256i *)buf));
		sum = _mm256_add_epi64(sum, len);
		want_a = _mm256_add_epi32(want_a, step);
		want_b = _mm256_add_epi32(want_b, step);
	}
	*bytes += vx_vec_total(_mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)));
	return (uint32_t)(out - pkts);
}

AVX2 static uint32_t
post(const struct vx_rxq *q, struct vx_entry *e, struct rte_mbuf **buf, struct rte_mbuf *const *from, uint32_t nb,
	uint64_t first, uint64_t hi)
{
	const __m256i distance = _mm256_set1_epi64x((int64_t)q->distance), all = _mm256_set1_epi64x((int64_t)hi);
	/* Lanes are of entries 0 and 2, 1 and 3 while they are put together. */
	__m256i head = _mm256_insert_epi64(all, (int64_t)first, 0);
	struct rte_mbuf *const *end = from + (nb & -GROUP);

	for (; from != end; from += GROUP, buf += GROUP, e += GROUP, head = all) {
		__m256i m = _mm256_loadu_si256((const __m256i *)from), addr = _mm256_add_epi64(m, distance);
		__m256i even = _mm256_unpacklo_epi64(addr, head), odd = _mm256_unpackhi_epi64(addr, all);

		_mm256_storeu_si256((__m256i *)buf, m);
		_mm256_storeu_si256((__m256i *)&e[0], _mm256_permute2x128_si256(even, odd, 0x20));
		_mm256_storeu_si256((__m256i *)&e[2], _mm256_permute2x128_si256(even, odd, 0x31));
	}
	return nb & -GROUP;
}

/* ---- transmit ---- */

/* Offset and length of two frames, each in a lane of its own. */
AVX2 INLINE __m256i
places(struct rte_mbuf *const *m)
{
	__m256i v = both(vx_vec_place(m[0]), vx_vec_place(m[1]));

	return _mm256_and_si256(v, _mm256_set1_epi64x(UINT16_MAX));
}

AVX2 INLINE __m256i
addresses(struct rte_mbuf *const *m, uint16_t field)
{
	return both(vx_vec_address(m[0], field), vx_vec_address(m[1], field));
}

AVX2 INLINE __m256i
header(const struct rte_mbuf *m)
{
	return _mm256_loadu_si256((const __m256i *)&m->rearm_data);
}

/* Not 0: another one. */
AVX2 INLINE uintptr_t
other_pool(const struct rte_mbuf *m, uintptr_t pool)
{
	return (uintptr_t)m->pool ^ pool;
}

/* Compiled twice: with @p look and without. */
AVX2 INLINE uint32_t
put(const struct vx_txq *q, uint32_t at, struct rte_mbuf **pkts, uint32_t nb, uint64_t first, uint64_t hi,
	uint64_t *bytes, bool *look)
{
	const __m256i odd = _mm256_loadu_si256((const __m256i *)&vx_vec_not_plain);
	const __m256i least = _mm256_set_epi64x(VX_TX_MIN, 0, VX_TX_MIN, 0);
	const __m256i all = _mm256_set_epi64x((int64_t)hi, 0, (int64_t)hi, 0);
	__m256i head = _mm256_insert_epi64(all, (int64_t)first, 1), sum = _mm256_setzero_si256(), seen = sum;
	const uintptr_t pool = (uintptr_t)q->pool;
	uintptr_t others = 0;
	const uint16_t field = q->addr_field;
	struct vx_entry *e = &q->ring[at];
	struct rte_mbuf **buf = &q->buf[at];
	struct rte_mbuf **m = pkts, **end = pkts + (nb & -GROUP);

	for (; m != end; m += GROUP, buf += GROUP, e += GROUP, head = all) {
		__m256i a, b, any, small;

		any = _mm256_or_si256(_mm256_or_si256(header(m[0]), header(m[1])),
			_mm256_or_si256(header(m[2]), header(m[3])));
		a = places(m);
		b = places(m + 2);
		small = _mm256_subs_epu16(least, _mm256_min_epu16(a, b));
		if (!_mm256_testz_si256(any, odd) || !_mm256_testz_si256(small, small))
			break;
		if (look != NULL) {
			seen = _mm256_or_si256(seen, any);
			others |= other_pool(m[0], pool) | other_pool(m[1], pool) | other_pool(m[2], pool) |
				other_pool(m[3], pool);
		}
		sum = _mm256_add_epi64(sum, _mm256_add_epi64(a, b));
		a = _mm256_add_epi64(a, addresses(m, field));
		b = _mm256_add_epi64(b, addresses(m + 2, field));
		_mm256_storeu_si256((__m256i *)&e[0], _mm256_or_si256(a, head));
		_mm256_storeu_si256((__m256i *)&e[2], _mm256_or_si256(b, all));
		_mm256_storeu_si256((__m256i *)buf, _mm256_loadu_si256((const __m256i *)m));
	}
	if (look != NULL)
		*look |= others != 0 || !_mm_testz_si128(_mm256_castsi256_si128(seen),
			_mm_load_si128((const __m128i *)vx_vec_not_idle));
	*bytes += (uint64_t)_mm256_extract_epi64(sum, 1) + (uint64_t)_mm256_extract_epi64(sum, 3);
	return (uint32_t)(m - pkts);
}

AVX2 uint32_t
vx_vec_avx2_put(const struct vx_txq *q, uint32_t at, struct rte_mbuf **pkts, uint32_t nb, uint64_t first, uint64_t hi,
	uint64_t *bytes, bool *look)
{
	return look != NULL ? put(q, at, pkts, nb, first, hi, bytes, look) : put(q, at, pkts, nb, first, hi, bytes, NULL);
}

/* ---- free ---- */

AVX2 INLINE __m128i
owners(const struct rte_mbuf *m)
{
	return _mm_load_si128((const __m128i *)&m->rearm_data);
}

AVX2 uint32_t
vx_vec_avx2_idle(struct rte_mbuf **buf, uint32_t nb)
{
	const __m128i odd = _mm_load_si128((const __m128i *)vx_vec_not_idle);
	const struct rte_mempool *pool = buf[0]->pool;
	struct rte_mbuf **m = buf, **end = buf + (nb & -GROUP);
	__m128i any;

	for (; m != end; m += GROUP) {
		any = _mm_or_si128(_mm_or_si128(owners(m[0]), owners(m[1])), _mm_or_si128(owners(m[2]), owners(m[3])));
		if (!_mm_testz_si128(any, odd) || m[0]->pool != pool || m[1]->pool != pool || m[2]->pool != pool ||
				m[3]->pool != pool)
			break;
	}
	return (uint32_t)(m - buf);
}

static const struct vx_vec avx2 = {
	.name = "Vector AVX2", .bits = 256, .group = GROUP, .take = take, .post = post, .put = vx_vec_avx2_put,
	.idle = vx_vec_avx2_idle,
};

const struct vx_vec *
vx_vec_avx2(void)
{
	return &avx2;
}

#endif
