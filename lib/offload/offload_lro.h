/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Large receive offload within a burst: frames of one TCP flow that follow each other become one frame with an
 * OFFLOAD_TSO request, as if its sender had sent it so. Nothing is kept from burst to burst, so no timer is needed.
 */
#ifndef OFFLOAD_LRO_H
#define OFFLOAD_LRO_H

#include "offload_frame.h"

/** Frames in one burst at most. */
#define OFFLOAD_LRO_BURST 64

/** Frames in a joined one at most: completions count segments with eight bits. */
#define OFFLOAD_LRO_MAX_SEGS 255

/** Headers of a frame that can be joined: Ethernet with four tags, IPv6, TCP with all its options. */
#define OFFLOAD_LRO_HEADER_MAX (14 + 4 * 4 + 40 + 60)

/** Payload segments of all joined frames of a burst; what needs more is not joined. */
#define OFFLOAD_LRO_SEGS 320

#define OFFLOAD_LRO_BUCKETS 64

/** Frames in a row of one flow. Private. */
struct offload_lro_run {
	struct offload_frame *frame; /**< the first; its headers */
	const uint8_t *ip, *tcp;
	uint32_t hash;
	uint32_t len;      /**< of the joined frame */
	uint32_t next_seq; /**< sequence number that the next frame must have */
	uint16_t hdr_len, mss, id, nb_segs;
	uint8_t first, last, count;
	uint8_t next;      /**< run in the same bucket */
	bool fixed_id;
};

/**
 * Room for the joined frames of one burst: theirs until the next call. About 14 KiB; need not be initialised. The
 * content is private.
 */
struct offload_lro {
	uint8_t bucket[OFFLOAD_LRO_BUCKETS];
	uint8_t kind[OFFLOAD_LRO_BURST];
	uint8_t run_of[OFFLOAD_LRO_BURST]; /**< run that begins with the frame */
	uint8_t next[OFFLOAD_LRO_BURST];   /**< frame after this one in its run */
	uint16_t nb_runs, nb_open;
	uint16_t segs_left;
	struct offload_lro_run run[OFFLOAD_LRO_BURST];
	struct offload_frame frame[OFFLOAD_LRO_BURST / 2];
	struct offload_seg seg[OFFLOAD_LRO_SEGS];
	uint8_t room[OFFLOAD_LRO_BURST / 2][OFFLOAD_HEADROOM + OFFLOAD_LRO_HEADER_MAX];
};

/**
 * Joins what can be joined.
 *
 * Two frames are joined if they are TCP over IPv4 without options or IPv6 without extension headers, follow each
 * other in their flow without a gap, and offload_tso_begin() and offload_tso_next() cut the result into the same
 * bytes again. So everything in their headers must be the same, time stamps and other options, the acknowledgement,
 * the window, TTL, ECN and VLAN included, but for lengths, checksums, sequence number and:
 *  - IPv4 identification: it counts up by one from frame to frame, as cutting does; or, with DF, where it means
 *    nothing (RFC 6864), it may be the same in all. Linux' GRO has the same rule. This is all that can be lost.
 *  - PSH: a frame with it is the last of a joined one, which gets it.
 *  - payload: the first frame's is the MSS. One with less is the last.
 * Never joined are fragments, frames without payload, with trailing bytes, with a flag other than ACK, PSH and ECE,
 * with a wrong checksum, large ones, and those with a request other than for the checksum of just this TCP
 * header. The latter's sum is not looked at: it will not be needed. Unknown checksums are verified when all else
 * fits, and not before.
 *
 * A joined frame is where its first one was. It has an OFFLOAD_TSO request, OFFLOAD_F_CSUM_GOOD, parsed headers, an IP
 * header for the whole and the pseudo-header's sum as its TCP checksum; seg[0] holds the headers and nothing else, in
 * @p lro, and the other segments are those of the originals, fewer than OFFLOAD_TSO_SEGS in all.
 *
 * Order stays within each flow (addresses and ports): a frame that is not joined ends its flow's joined frame, and a
 * fragment of TCP, whose flow is unknown, those of all flows.
 *
 * The work is bounded: at most OFFLOAD_LRO_BURST^2 / 2 short steps, and as good as none in a burst with less than two
 * frames that could be joined.
 *
 * @param in       at most OFFLOAD_LRO_BURST frames of any kind; not changed except for being parsed and verified. They
 *                 must stay what they are as long as the joined frames are in use
 * @param out      room for @p n pointers; may not be @p in
 * @param max_len  bytes of a joined frame at most, link layer header included
 * @param max_segs frames in a joined one at most; OFFLOAD_LRO_MAX_SEGS is a limit, too
 * @return number of frames in @p out
 */
uint16_t offload_lro(struct offload_lro *lro, struct offload_frame *const *in, uint16_t n,
	struct offload_frame **out, uint32_t max_len, uint16_t max_segs);

/** Whether a frame that offload_lro() gave out is a joined one. */
static inline bool
offload_lro_is_joined(const struct offload_lro *lro, const struct offload_frame *f)
{
	return (uintptr_t)f - (uintptr_t)lro->frame < sizeof(lro->frame);
}

#endif /* OFFLOAD_LRO_H */
