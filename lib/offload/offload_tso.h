/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * TCP segmentation: an iterator that makes one wire-ready frame after the other out of a large one.
 */
#ifndef OFFLOAD_TSO_H
#define OFFLOAD_TSO_H

#include "offload_frame.h"

/** Payload segments that one piece can touch: a piece lies within the sender's descriptors. */
#define OFFLOAD_TSO_SEGS 72

struct offload_tso {
	const struct offload_frame *frame;
	struct offload_frame piece;          /**< what offload_tso_next() returns */
	struct offload_seg seg[OFFLOAD_TSO_SEGS];
	uint32_t pos;                        /**< payload bytes already handed out */
	uint32_t payload;                    /**< payload bytes in all */
	uint16_t cur_seg;                    /**< where @c pos is in the frame's segments */
	uint32_t cur_off;
	uint16_t index, count;               /**< pieces handed out, pieces in all */
	uint16_t l3_sum, l4_sum;             /**< of the header fields that all pieces share */
	uint8_t room[OFFLOAD_HEADROOM + OFFLOAD_HEADER_MAX];
};

/**
 * Looks at an OFFLOAD_TSO request and prepares to cut it.
 *
 * Needs TCP over IPv4 or IPv6 in the parsed headers, hdr_len equal to the end of the TCP header,
 * mss >= 1, and pieces that the length field of their IP header can express. Payload of up to mss
 * bytes is one piece; no payload is one piece of headers. The frame must not change meanwhile.
 *
 * @return number of pieces (>= 1), -EINVAL when the request contradicts the frame,
 *         -ENOTSUP for what is not cut here (OFFLOAD_F_INNER, OFFLOAD_TSO_SEGS segments or more).
 */
int offload_tso_begin(struct offload_tso *tso, struct offload_frame *frame);

/**
 * The next piece: headers rewritten (IPv4 ID + i and total length, IPv6 payload length, sequence
 * number, FIN and PSH on the last only, CWR on the first only), IPv4 and TCP checksums computed
 * from scratch, request OFFLOAD_NONE, OFFLOAD_F_CSUM_GOOD, VLAN as in the large frame, headroom
 * before seg[0].
 *
 * @return the piece, valid until the next call, or NULL after the last.
 */
struct offload_frame *offload_tso_next(struct offload_tso *tso);

/**
 * Makes the IP header of an OFFLOAD_TSO frame that of one large packet, as after any aggregation,
 * for somebody who takes it whole. The request and the TCP checksum stay what they are.
 *
 * @return 0, or -EINVAL when the request contradicts the frame, or it is longer than an IP packet
 *         can be.
 */
int offload_tso_whole(struct offload_frame *frame);

#endif /* OFFLOAD_TSO_H */
