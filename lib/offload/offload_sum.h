/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Private to the library, its tests and benchmarks: ones-complement sums of ranges of memory, with and without a
 * copy, by the widest vectors that the CPU has.
 */
#ifndef OFFLOAD_SUM_H
#define OFFLOAD_SUM_H

#include "offload_sum_word.h"

/** The way in use, chosen when the program was loaded. */
extern struct offload_sum_path offload_sum_path;

/** The ways that this CPU can go, the best first; ends with one without a name. */
const struct offload_sum_path *offload_sum_paths(void);

/** Bytes that are summed in line: most headers. */
#define OFFLOAD_SUM_FEW 64

/** Sum of @p len bytes, folded to 16 bits, as rte_raw_cksum() has it. */
static inline uint16_t
offload_sum_bytes(const void *data, uint32_t len)
{
	return offload_sum_fold(len <= OFFLOAD_SUM_FEW ? offload_sum_few(NULL, data, len) :
		offload_sum_path.sum(data, len));
}

/** The same of bytes that are copied; what is summed is what was copied. */
static inline uint16_t
offload_sum_copy(void *dst, const void *src, uint32_t len)
{
	return offload_sum_fold(len <= OFFLOAD_SUM_FEW ? offload_sum_few(dst, src, len) :
		offload_sum_path.copy(dst, src, len));
}

#endif /* OFFLOAD_SUM_H */
