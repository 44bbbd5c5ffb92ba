/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to the library: SCTP's checksum. */
#ifndef OFFLOAD_CRC_H
#define OFFLOAD_CRC_H

#include "offload_frame.h"

/** CRC-32c of what came before, @p crc, and @p len bytes; neither begun (all ones) nor ended (inverted) here. */
uint32_t offload_crc32c(uint32_t crc, const void *data, uint32_t len);

/**
 * The checksum (RFC 9260, appendix A) of an SCTP packet in pieces of memory, as it stands in the header read in
 * little-endian order. The field itself counts as zero.
 *
 * @param start  where the common header begins; @param len  12 bytes or more, all within the pieces
 */
uint32_t offload_crc_sctp(const struct offload_seg *seg, uint16_t nb_segs, uint32_t start, uint32_t len);

#endif /* OFFLOAD_CRC_H */
