/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Segmentation of TCP (TSO) and UDP (USO), inside of tunnels as well: an iterator that makes one wire-ready piece after
 * the other out of a large frame. A piece is either a frame that refers to the large one's payload, or it
 * is copied to where it has to go, checksummed on the way.
 */
#ifndef OFFLOAD_TSO_H
#define OFFLOAD_TSO_H

#include "offload_frame.h"
#include "offload_tso_headers.h"
#include "offload_walk.h"

/** Payload segments that one piece can touch: a piece lies within the sender's descriptors. */
#define OFFLOAD_TSO_SEGS 72

struct offload_tso {
	const struct offload_frame *frame;
	struct offload_frame piece;          /**< the last piece */
	struct offload_seg seg[OFFLOAD_TSO_SEGS];
	uint32_t pos;                        /**< payload bytes already handed out */
	uint32_t payload;                    /**< payload bytes in all */
	struct offload_walk next;            /**< where @c pos is in the frame's segments */
	uint16_t index, count;               /**< pieces handed out, pieces in all */
	struct offload_tso_headers headers;
	uint8_t room[OFFLOAD_HEADROOM + OFFLOAD_HEADER_MAX];
};

/**
 * Looks at an OFFLOAD_TSO or OFFLOAD_USO request and prepares to cut it.
 *
 * Needs TCP or UDP over IPv4 or IPv6 in the parsed headers, with OFFLOAD_F_INNER in those of the packet inside of a
 * tunnel that offload_parse_inner() knows; hdr_len equal to the end of that TCP or UDP header; mss >= 1; and pieces
 * that the length field of their outermost IP header can express. Payload of up to mss bytes is one piece; no payload
 * is one piece of headers. The frame must not change meanwhile, but for the memory behind its first segment.
 *
 * @return number of pieces (>= 1), -EINVAL when the request contradicts the frame,
 *         -ENOTSUP for what is not cut here (OFFLOAD_TSO_SEGS segments or more, GRE with sequence numbers).
 */
int offload_tso_begin(struct offload_tso *tso, struct offload_frame *frame);

/**
 * The next piece: headers rewritten (of each IP header, the outer one too: IPv4 ID + i and total length, IPv6 payload
 * length; TCP sequence number, FIN and PSH on the last only, CWR on the first only; UDP length, also of
 * a tunnel's header), IPv4, TCP and UDP checksums computed from scratch, request OFFLOAD_NONE,
 * OFFLOAD_F_CSUM_GOOD (but for a tunnel over IPv6 without an outer checksum), VLAN as in the large frame, headroom
 * before seg[0].
 *
 * Checksums of a tunnel: an outer UDP one is made with OFFLOAD_F_OUTER_CSUM, or if the large frame has one that is
 * not 0; a GRE one if the large frame has one.
 *
 * @return the piece, valid until the next call, or NULL after the last.
 */
struct offload_frame *offload_tso_next(struct offload_tso *tso);

/** Bytes of the next piece, without an out-of-band VLAN tag; 0 after the last. */
static inline uint32_t
offload_tso_next_len(const struct offload_tso *tso)
{
	uint32_t left = tso->payload - tso->pos;

	if (tso->index == tso->count)
		return 0;
	return tso->frame->hdr_len + (left < tso->frame->mss ? left : tso->frame->mss);
}

/**
 * Makes the next piece where it has to go: the same bytes as offload_tso_next() would give, but the payload is read
 * once only, summed while it is copied. There must be a next piece.
 *
 * @c piece tells all of it then but where it is (its seg is NULL): flags, length, headers, out-of-band VLAN tag.
 *
 * @param to     memory with at least offload_tso_next_len() bytes in all, of any number and length (also 0);
 *               what room is left is filled with zeros. Should it overlap the large frame's payload, the payload that
 *               arrives is undefined.
 */
void offload_tso_copy(struct offload_tso *tso, const struct offload_seg *to, uint16_t nb_to);

/**
 * Makes the headers of an OFFLOAD_TSO frame those of one large packet, as after any aggregation, for somebody who takes it
 * whole: lengths and IP header checksums, of a UDP tunnel as well. The request and the TCP checksum stay what they are; an
 * outer UDP checksum is not made either (but not 0, which would mean that there is none).
 *
 * @return 0; -EINVAL when the request contradicts the frame, or it is longer than an IP packet can be; -ENOTSUP for
 *         datagrams and inside of other tunnels than VXLAN and Geneve: nobody takes them whole
 */
int offload_tso_whole(struct offload_frame *frame);

#endif /* OFFLOAD_TSO_H */
