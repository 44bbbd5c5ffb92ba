/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_sum_x86.h"

#ifdef __x86_64__
#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,bmi2")))
/* Else gcc would load and store by halves, for CPUs that had AVX only. */
#define AVX2   __attribute__((target("avx2,tune=haswell")))
#define INLINE static inline __attribute__((always_inline))

/* Keeps a value in its register: what is stored and what is summed is one and the same load. */
#define HOLD(v) __asm__("" : "+v"(v))

/* ---- AVX-512 ---- */

struct acc512 {
	__m512i all, upper;
};

AVX512 INLINE void
add512(struct acc512 *a, __m512i v)
{
	a->all = _mm512_add_epi64(a->all, v);
	a->upper = _mm512_add_epi64(a->upper, _mm512_srli_epi64(v, 32));
}

AVX512 INLINE void
step512(struct acc512 *a, uint8_t *dst, const uint8_t *src)
{
	__m512i v = _mm512_loadu_si512(src);

	HOLD(v);
	if (dst != NULL)
		_mm512_storeu_si512(dst, v);
	add512(a, v);
}

AVX512 INLINE uint64_t
run512(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	struct acc512 a = { _mm512_setzero_si512(), _mm512_setzero_si512() }, b = a;
	__m512i v;

	for (; len >= 256; len -= 256, src += 256) {
		step512(&a, dst, src);
		step512(&b, dst ? dst + 64 : NULL, src + 64);
		step512(&a, dst ? dst + 128 : NULL, src + 128);
		step512(&b, dst ? dst + 192 : NULL, src + 192);
		dst = dst ? dst + 256 : NULL;
	}
	for (; len >= 64; len -= 64, src += 64) {
		step512(&a, dst, src);
		dst = dst ? dst + 64 : NULL;
	}
	if (len > 0) {
		__mmask64 some = _bzhi_u64(~UINT64_C(0), len);

		v = _mm512_maskz_loadu_epi8(some, src);
		HOLD(v);
		if (dst != NULL)
			_mm512_mask_storeu_epi8(dst, some, v);
		add512(&b, v);
	}
	a.all = _mm512_add_epi64(a.all, b.all);
	a.upper = _mm512_add_epi64(a.upper, b.upper);
	v = _mm512_sub_epi64(a.all, _mm512_slli_epi64(a.upper, 32));
	return (uint64_t)_mm512_reduce_add_epi64(_mm512_add_epi64(v, a.upper));
}

AVX512 static uint64_t
sum_avx512(const uint8_t *data, uint32_t len)
{
	return run512(NULL, data, len);
}

AVX512 static uint64_t
copy_avx512(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	return run512(dst, src, len);
}

/* ---- AVX2 ---- */

struct acc256 {
	__m256i all, upper;
};

AVX2 INLINE void
step256(struct acc256 *a, uint8_t *dst, const uint8_t *src)
{
	__m256i v = _mm256_loadu_si256((const __m256i_u *)src);

	HOLD(v);
	if (dst != NULL)
		_mm256_storeu_si256((__m256i_u *)dst, v);
	a->all = _mm256_add_epi64(a->all, v);
	a->upper = _mm256_add_epi64(a->upper, _mm256_srli_epi64(v, 32));
}

AVX2 INLINE uint64_t
total256(const struct acc256 *a)
{
	__m256i v = _mm256_add_epi64(_mm256_sub_epi64(a->all, _mm256_slli_epi64(a->upper, 32)), a->upper);
	__m128i w = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

	return (uint64_t)_mm_cvtsi128_si64(w) + (uint64_t)_mm_extract_epi64(w, 1);
}

AVX2 INLINE uint64_t
run256(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	struct acc256 a = { _mm256_setzero_si256(), _mm256_setzero_si256() }, b = a;

	for (; len >= 128; len -= 128, src += 128) {
		step256(&a, dst, src);
		step256(&b, dst ? dst + 32 : NULL, src + 32);
		step256(&a, dst ? dst + 64 : NULL, src + 64);
		step256(&b, dst ? dst + 96 : NULL, src + 96);
		dst = dst ? dst + 128 : NULL;
	}
	for (; len >= 32; len -= 32, src += 32) {
		step256(&a, dst, src);
		dst = dst ? dst + 32 : NULL;
	}
	a.all = _mm256_add_epi64(a.all, b.all);
	a.upper = _mm256_add_epi64(a.upper, b.upper);
	return total256(&a) + offload_sum_fold(offload_sum_few(dst, src, len));
}

AVX2 static uint64_t
sum_avx2(const uint8_t *data, uint32_t len)
{
	return run256(NULL, data, len);
}

AVX2 static uint64_t
copy_avx2(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	return run256(dst, src, len);
}

uint32_t
offload_sum_x86_paths(struct offload_sum_path *paths)
{
	uint32_t n = 0;

	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
			__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2"))
		paths[n++] = (struct offload_sum_path){ "avx512", sum_avx512, copy_avx512 };
	if (__builtin_cpu_supports("avx2"))
		paths[n++] = (struct offload_sum_path){ "avx2", sum_avx2, copy_avx2 };
	return n;
}

#else

uint32_t
offload_sum_x86_paths(struct offload_sum_path *paths)
{
	(void)paths;
	return 0;
}

#endif
