/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Internet checksums in software. */
#ifndef OFFLOAD_CSUM_H
#define OFFLOAD_CSUM_H

#include "offload_frame.h"

/**
 * Ones-complement sum (not inverted, folded to 16 bits, in memory order as rte_raw_cksum() has it)
 * of @p len bytes that begin @p offset bytes into the frame; odd segment lengths are handled.
 * The range must lie within the frame.
 */
uint16_t offload_sum(const struct offload_frame *f, uint32_t offset, uint32_t len);

/**
 * Whether an OFFLOAD_CSUM request can be carried out. Changes nothing, reads seg[0] only.
 *
 * @return 0, or -EINVAL: its offsets do not fit the frame, it is another request, or (OFFLOAD_F_OUTER_CSUM) there is
 *         no outer UDP datagram around it that ends with the frame
 */
int offload_csum_check(const struct offload_frame *f);

/**
 * Completes an OFFLOAD_CSUM request in place: sums from csum_start to the end (the field holds the
 * seed), stores the inverse at csum_field (UDP: 0 becomes 0xFFFF), and turns the request into
 * OFFLOAD_NONE, with OFFLOAD_F_CSUM_GOOD when it was for the outermost layer 4 (with an inner one
 * nothing is known about the outer) and the IPv4 header checksum is right. Frames without a request
 * are left alone.
 *
 * A request for the checksum field of an SCTP packet gets a CRC-32c, up to the end of the IP packet. With
 * OFFLOAD_F_INNER, OFFLOAD_F_INNER_GOOD is set when the request was for the layer 4 that
 * offload_parse_inner() finds and the IPv4 header below it is right. With OFFLOAD_F_OUTER_CSUM the
 * outer UDP checksum is made after the inner one, and OFFLOAD_F_CSUM_GOOD tells of that.
 *
 * @return 0, or -EINVAL when the offsets do not fit the frame or the request is another one; the
 *         frame is then unchanged.
 */
int offload_csum_complete(struct offload_frame *f);

/**
 * Makes a frame without a request ask for the checksum of the TCP, UDP or SCTP header that @p hdr tells
 * of (its extension headers must have been parsed): stores the seed (SCTP has none), sets OFFLOAD_CSUM.
 *
 * @return 0, or -EINVAL when the lengths do not fit the frame; it is then unchanged.
 */
int offload_csum_ask(struct offload_frame *f, const struct offload_headers *hdr);

/**
 * Verifies the IPv4 header checksum and the TCP, UDP or SCTP checksum (UDP over IPv4 with 0 counts as
 * right), honouring the length fields of the IP header (padding is not summed), and sets
 * OFFLOAD_F_CSUM_GOOD or OFFLOAD_F_CSUM_BAD. Neither is set when there is nothing to verify: not
 * IP, fragment, unknown L4, UDP over IPv6 or SCTP with 0, or a length that does not fit; nor when the sum
 * is wrong behind IPv4 options or extension headers, some of which change the pseudo-header. Frames
 * with a pending request and those known to be good are left alone.
 */
void offload_csum_verify(struct offload_frame *f);

/**
 * The same for the headers that offload_parse_inner() found inside of a tunnel. An OFFLOAD_CSUM request with
 * OFFLOAD_F_INNER counts as carried out, a segmentation request as not. Nothing is changed.
 *
 * @return OFFLOAD_F_CSUM_GOOD, OFFLOAD_F_CSUM_BAD or 0: what is known of the inner checksums
 */
uint8_t offload_csum_verify_inner(const struct offload_frame *f, const struct offload_headers *inner);

/**
 * For frames that arrive from a virtual interface of the kernel (veth) without their metadata: when
 * the TCP or UDP checksum is wrong and the field holds exactly the pseudo-header sum, as a kernel
 * leaves it for hardware to finish, finishes it in place and sets OFFLOAD_F_CSUM_GOOD. Otherwise as
 * offload_csum_verify().
 */
void offload_csum_repair(struct offload_frame *f);

#endif /* OFFLOAD_CSUM_H */
