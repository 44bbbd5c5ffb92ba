/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The one copy of a frame into its receiver, with the checksum made or looked at on the way, so that no byte is
 * read twice. What is summed is what was copied, even if the sender changes it meanwhile.
 */
#ifndef OFFLOAD_COPY_H
#define OFFLOAD_COPY_H

#include "offload_frame.h"

/**
 * Copies @p len bytes (the ranges do not overlap) and returns their ones-complement sum: not inverted, folded to 16
 * bits, in memory order, as rte_raw_cksum() has it. The path (AVX-512, AVX2, scalar) is chosen at run time.
 */
uint16_t offload_copy_sum(void *dst, const void *src, uint32_t len);

/** What offload_copy_frame() verifies, a mask. */
#define OFFLOAD_VERIFY       0x01u /**< the outermost layers, as offload_csum_verify() does it */
#define OFFLOAD_VERIFY_INNER 0x02u /**< inside of a tunnel, as offload_csum_verify_inner() does it; not SCTP */

/**
 * Copies a frame without a segmentation request (one with it is copied as it is) into pieces that have at least as
 * much room in all; what room is left is filled with zeros. The frame is not changed, except for being parsed. In
 * the copy:
 *  - an OFFLOAD_CSUM request is carried out as offload_csum_complete() does it, with OFFLOAD_F_OUTER_CSUM the outer
 *    UDP checksum after the inner one. The caller has asked offload_csum_check() whether it can be; otherwise
 *    the copy has nothing done.
 *  - a frame without request is verified as @p verify says, as far as nothing is known of it.
 *
 * Pieces that overlap with segments after the first get any bytes, but no byte outside of the pieces is written.
 * Frames that need no sum are copied by offload_move().
 *
 * @param verify  OFFLOAD_VERIFY*, 0 or true
 * @return OFFLOAD_F_CSUM_GOOD, OFFLOAD_F_CSUM_BAD or 0: what is known of the checksums of the copy's outermost layers;
 *         and OFFLOAD_F_INNER_GOOD if those inside of a tunnel are known to be right
 */
uint8_t offload_copy_frame(struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to, unsigned int verify);

#endif /* OFFLOAD_COPY_H */
