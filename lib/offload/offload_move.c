/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_move.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <rte_common.h>

/* Lines are asked for so many bytes before they are copied. */
#define AHEAD 1024u
#define LINE  OFFLOAD_MOVE_LINE

#define INLINE static inline __attribute__((always_inline))

/* Baseline of every CPU with vectors. */
typedef uint64_t block __attribute__((vector_size(16), aligned(1), may_alias));

INLINE void
line_generic(uint8_t *to, const uint8_t *from)
{
	const block *in = (const block *)from, a = in[0], b = in[1], c = in[2], d = in[3];
	block *out = (block *)to;

	out[0] = a;
	out[1] = b;
	out[2] = c;
	out[3] = d;
}

INLINE void
ask_for(uintptr_t to, uintptr_t from)
{
	__builtin_prefetch((const void *)from, 0, 3);
	__builtin_prefetch((const void *)to, 1, 3);
}

INLINE void
move_lines(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next,
	void (*line)(uint8_t *to, const uint8_t *from))
{
	const uint32_t whole = len & ~(LINE - 1);
	const uint32_t own = whole - RTE_MIN(whole, AHEAD);
	const uintptr_t next_to = (uintptr_t)next.to, next_from = (uintptr_t)next.from;
	uint32_t i;

	for (i = 0; i < own; i += LINE) {
		ask_for((uintptr_t)to + i + AHEAD, (uintptr_t)from + i + AHEAD);
		line(to + i, from + i);
	}
	for (; i < whole; i += LINE) {
		ask_for(next_to + i - own, next_from + i - own);
		line(to + i, from + i);
	}
	if (i < len)
		line(to + len - LINE, from + len - LINE);
}

void
offload_move_generic(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next)
{
	move_lines(to, from, len, next, line_generic);
}

void (*offload_move_lines)(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next) = offload_move_generic;

#ifdef __x86_64__
#define AVX2 __attribute__((target("avx2,tune=haswell")))

AVX2 INLINE void
line_avx2(uint8_t *to, const uint8_t *from)
{
	const __m256i a = _mm256_loadu_si256((const void *)from), b = _mm256_loadu_si256((const void *)(from + 32));

	_mm256_storeu_si256((void *)to, a);
	_mm256_storeu_si256((void *)(to + 32), b);
}

/* Half as many stores: what they wait in holds twice as many bytes. */
static AVX2 void
move_avx2(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next)
{
	move_lines(to, from, len, next, line_avx2);
}

static __attribute__((constructor)) void
choose(void)
{
	if (__builtin_cpu_supports("avx2"))
		offload_move_lines = move_avx2;
}
#endif
