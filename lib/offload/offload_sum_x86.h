/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to the library: sums by the vectors of x86 CPUs, which are chosen at run time. */
#ifndef OFFLOAD_SUM_X86_H
#define OFFLOAD_SUM_X86_H

#include "offload_sum_word.h"

/** Fills in what this CPU has of AVX-512 and AVX2, in this order. @return how many, none elsewhere */
uint32_t offload_sum_x86_paths(struct offload_sum_path *paths);

#endif /* OFFLOAD_SUM_X86_H */
