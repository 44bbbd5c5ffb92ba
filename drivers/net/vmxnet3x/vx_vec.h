/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What bursts do by vectors: plain frames in groups. Who calls finishes by itself what is left: less than a group, or a
 * group with something else in it.
 *
 * Of rings that go round, @p nb entries are neighbours in memory. Nothing here is shared by threads but the rings.
 */
#ifndef VX_VEC_H
#define VX_VEC_H

#include "vx_rxq.h"
#include "vx_txq.h"

struct vx_vec {
	const char *name; /**< of rte_eth_burst_mode */

	uint16_t bits;	/**< of a vector */
	uint32_t group; /**< fewer are not worth a call */

	/**
	 * Takes whole frames in the next buffers of the first ring: entries of the completion ring from vx_rxq::next on,
	 * buffers from vx_rx_ring::done on. The positions are left as they are.
	 * @param nb  completions at most
	 * @param[in,out] bytes  those of the frames are added
	 * @return frames in @p pkts
	 */
	uint32_t (*take)(const struct vx_rxq *q, struct rte_mbuf **pkts, uint32_t nb, uint64_t *bytes);

	/**
	 * Writes entries of a receive ring for @p nb buffers that lie where vx_rxq::distance says, and remembers these in
	 * @p buf.
	 * @param first,hi  upper half of the first entry, and of all others
	 * @return entries written
	 */
	uint32_t (*post)(const struct vx_rxq *q, struct vx_entry *e, struct rte_mbuf **buf,
		struct rte_mbuf *const *from, uint32_t nb, uint64_t first, uint64_t hi);

	/**
	 * Writes transmit entries for plain frames, and remembers these.
	 * @param at  index of the first entry
	 * @param first,hi  upper half of the first entry, and of all others, but the length
	 * @param[in,out] bytes  those of the frames are added
	 * @param[in,out] look   set when one of the frames is not of vx_txq::pool, or not the driver's alone; NULL: no matter
	 * @return frames written
	 */
	uint32_t (*put)(const struct vx_txq *q, uint32_t at, struct rte_mbuf **pkts, uint32_t nb, uint64_t first,
		uint64_t hi, uint64_t *bytes, bool *look);

	/** @return how many mbufs can go back to the pool of the first: nobody has a share in them or in their buffers */
	uint32_t (*idle)(struct rte_mbuf **buf, uint32_t nb);
};

/** The best that this CPU has and EAL allows (rte_vect_get_max_simd_bitwidth()); NULL: none. */
const struct vx_vec *vx_vec_choose(void);

/* By kind of CPU. */
const struct vx_vec *vx_vec_avx2(void);
const struct vx_vec *vx_vec_avx512(void);

#endif /* VX_VEC_H */
