/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Large receive offload within a burst: frames of one TCP flow that follow each other become one frame with an
 * OFFLOAD_TSO request, as if its sender had sent it so. Nothing is kept from burst to burst, so no timer is needed.
 */
#ifndef OFFLOAD_LRO_H
#define OFFLOAD_LRO_H

#include <stddef.h>

#include "offload_frame.h"

/** Frames in one burst at most. */
#define OFFLOAD_LRO_BURST 64

/** Room for the joined frames of one burst: theirs until the next call. A few KiB; need not be initialised. */
struct offload_lro;

/** Bytes of one. */
size_t offload_lro_size(void);

/**
 * Joins what can be joined. Frames are joined if they are TCP over IPv4 or IPv6 of the same flow, follow each other
 * without a gap, and cutting the result by its MSS gives back the same frames, but for IPv4 identification: same
 * header lengths, fields, options (time stamps may differ: those of the last are kept as the kernel does it), ECN,
 * VLAN; never fragments, pure ACKs, frames with other flags than ACK (PSH ends a joined frame), frames whose checksum
 * is wrong or unknown and cannot be verified.
 * The order within each flow stays; a joined frame is where its first one was.
 *
 * @param in       at most OFFLOAD_LRO_BURST frames; not changed except for being parsed and verified
 * @param out      room for @p n pointers; may not be @p in
 * @param max_len  bytes of a joined frame at most
 * @param max_segs frames in a joined one at most
 * @return number of frames in @p out
 */
uint16_t offload_lro(struct offload_lro *lro, struct offload_frame *const *in, uint16_t n,
	struct offload_frame **out, uint32_t max_len, uint16_t max_segs);

#endif /* OFFLOAD_LRO_H */
