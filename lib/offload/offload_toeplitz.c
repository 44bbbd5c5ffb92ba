/* SPDX-License-Identifier: BSD-3-Clause */
#include <rte_common.h>

#include "offload_wire.h"
#include "offload_toeplitz.h"

#ifdef RTE_ARCH_X86_64
#include <immintrin.h>
#endif

static inline uint32_t
look_up(const uint32_t (*table)[16], const uint8_t *p, uint32_t len)
{
	uint32_t hash = 0, i;

	for (i = 0; i < len; i++)
		hash ^= table[2 * i][p[i] >> 4] ^ table[2 * i + 1][p[i] & 15];
	return hash;
}

uint32_t
offload_toeplitz_table(const struct offload_rss_key *key, const struct offload_tuple *t)
{
	uint32_t hash = t->address_bytes == 8 ? look_up(key->half_bytes, t->addresses, 8) :
		look_up(key->half_bytes, t->addresses, 32);

	if (t->l4 != NULL)
		hash ^= look_up(&key->half_bytes[2 * t->address_bytes], t->l4, 4);
	return hash;
}

#ifdef RTE_ARCH_X86_64
static inline uint32_t
reverse_bits(uint32_t v)
{
	v = (v >> 1 & 0x55555555) | (v & 0x55555555) << 1;
	v = (v >> 2 & 0x33333333) | (v & 0x33333333) << 2;
	v = (v >> 4 & 0x0f0f0f0f) | (v & 0x0f0f0f0f) << 4;
	return rte_bswap32(v);
}

/*
 * Input bit i of a part of 64 is the coefficient of x^(63-i), bit m of the key's same part that of x^m: bit j of the hash,
 * where m - i = j, gathers at x^(63+j). With the key's next part, whose bit 0 is bit 64 of the first, it
 * gathers at x^(j-1).
 */
__attribute__((target("pclmul"))) static uint32_t
multiply(const struct offload_rss_key *key, const struct offload_tuple *t)
{
	__m128i same = _mm_setzero_si128(), next = same, in, k;
	uint32_t i, n = t->address_bytes / 8;
	uint64_t at_63, at_64;

	for (i = 0; i < n; i++) {
		in = _mm_cvtsi64_si128((int64_t)load_be64(t->addresses + 8 * i));
		k = _mm_loadu_si128((const __m128i *)&key->reversed[i]);
		same = _mm_xor_si128(same, _mm_clmulepi64_si128(in, k, 0x00));
		next = _mm_xor_si128(next, _mm_clmulepi64_si128(in, k, 0x10));
	}
	if (t->l4 != NULL) {
		in = _mm_cvtsi64_si128((int64_t)((uint64_t)load_be32(t->l4) << 32));
		k = _mm_loadl_epi64((const __m128i *)&key->reversed[n]);
		same = _mm_xor_si128(same, _mm_clmulepi64_si128(in, k, 0x00));
	}
	at_63 = (uint64_t)_mm_cvtsi128_si64(same) >> 63;
	at_64 = (uint64_t)_mm_cvtsi128_si64(_mm_xor_si128(_mm_srli_si128(same, 8), next));
	return reverse_bits((uint32_t)(at_64 << 1 | at_63));
}
#endif

uint32_t
offload_toeplitz(const struct offload_rss_key *key, const struct offload_tuple *t)
{
#ifdef RTE_ARCH_X86_64
	if (likely(__builtin_cpu_supports("pclmul")))
		return multiply(key, t);
#endif
	return offload_toeplitz_table(key, t);
}
