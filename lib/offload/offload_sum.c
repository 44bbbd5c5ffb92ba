/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Words are added by 64 bits at a time, into one total that overflows, and their upper halves into another one that
 * does not. The sum of the lower halves is the difference of the two, exactly, so no carry has to be caught.
 */
#include "offload_sum.h"
#include "offload_sum_x86.h"

/* Baseline of every CPU with vectors; the compiler makes of it what there is. */
typedef uint64_t pair __attribute__((vector_size(16), aligned(1), may_alias));

static inline __attribute__((always_inline)) uint64_t
sum_or_copy(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	pair all[4] = { { 0, 0 } }, upper[4] = { { 0, 0 } }, v[4];
	uint32_t i;

	for (; len >= 64; len -= 64, src += 64) {
		for (i = 0; i < 4; i++) {
			v[i] = ((const volatile pair *)src)[i];
			all[i] += v[i];
			upper[i] += v[i] >> 32;
		}
		if (dst == NULL)
			continue;
		for (i = 0; i < 4; i++)
			((pair *)dst)[i] = v[i];
		dst += 64;
	}
	all[0] += all[1] + all[2] + all[3];
	upper[0] += upper[1] + upper[2] + upper[3];
	all[0] += upper[0] - (upper[0] << 32);
	return all[0][0] + all[0][1] + offload_sum_fold(offload_sum_few(dst, src, len));
}

static uint64_t
sum_generic(const uint8_t *data, uint32_t len)
{
	return sum_or_copy(NULL, data, len);
}

static uint64_t
copy_generic(uint8_t *dst, const uint8_t *src, uint32_t len)
{
	return sum_or_copy(dst, src, len);
}

struct offload_sum_path offload_sum_path = { "generic", sum_generic, copy_generic };

static struct offload_sum_path paths[4];

const struct offload_sum_path *
offload_sum_paths(void)
{
	return paths;
}

static __attribute__((constructor)) void
choose(void)
{
	uint32_t n = offload_sum_x86_paths(paths);

	paths[n] = offload_sum_path;
	offload_sum_path = paths[0];
}
