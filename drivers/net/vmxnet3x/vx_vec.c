/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_vec.h"

#include <rte_cpuflags.h>
#include <rte_vect.h>

#ifdef RTE_ARCH_X86_64

static bool
has_avx512(void)
{
	return rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512F) > 0 && rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512BW) > 0 &&
		rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX512VL) > 0;
}

const struct vx_vec *
vx_vec_choose(void)
{
	uint16_t bits = rte_vect_get_max_simd_bitwidth();

	if (bits >= RTE_VECT_SIMD_512 && has_avx512())
		return vx_vec_avx512();
	if (bits >= RTE_VECT_SIMD_256 && rte_cpu_get_flag_enabled(RTE_CPUFLAG_AVX2) > 0)
		return vx_vec_avx2();
	return NULL;
}

#else

const struct vx_vec *
vx_vec_choose(void)
{
	return NULL;
}

#endif
