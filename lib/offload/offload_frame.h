/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A frame on its way from one port to another, with the offloads that its sender asked for.
 *
 * A frame is a list of segments. The first one, seg[0], is private memory that holds every header
 * on which a decision may rest (all of the frame when it is short) and may be written; further
 * segments may be guest memory: read-only, may change at any time, valid only inside the current
 * burst.
 *
 * seg[0] has OFFLOAD_HEADROOM writable bytes before it, so that a VLAN tag can be pushed in place.
 *
 * All offsets count from the first byte of the frame as it is in the segments.
 */
#ifndef OFFLOAD_FRAME_H
#define OFFLOAD_FRAME_H

#include <stdbool.h>
#include <stdint.h>

/** Writable bytes before seg[0].data: room for two VLAN tags. */
#define OFFLOAD_HEADROOM 8

/** Bytes at the front of a frame that seg[0] holds at least (or the whole frame, if shorter). */
#define OFFLOAD_HEADER_BYTES 192

/** Longest header that can be asked to be checksummed or segmented (hlen has ten bits). */
#define OFFLOAD_HEADER_MAX 1024

/** Longest frame: 64 KiB of IP and its link layer header. */
#define OFFLOAD_FRAME_MAX (65535 + 18 + 8)

struct offload_seg {
	uint8_t *data;
	uint32_t len; /**< bytes, never 0 */
};

/** What the sender left to do. */
enum offload_request {
	OFFLOAD_NONE, /**< nothing: the bytes are final */
	OFFLOAD_CSUM, /**< sum from csum_start to the end; csum_field has the seed, gets the sum */
	OFFLOAD_TSO,  /**< cut the TCP payload after hdr_len bytes into pieces of mss bytes */
	OFFLOAD_USO,  /**< the same with UDP: each piece is a datagram */
};

/** offload_frame::flags */
#define OFFLOAD_F_VLAN      0x01u /**< think an 802.1Q tag with vlan_tci before EtherType */
#define OFFLOAD_F_CSUM_GOOD 0x02u /**< L3 and L4 checksums are known to be right (or just made) */
#define OFFLOAD_F_CSUM_BAD  0x04u /**< the L4 or L3 checksum is known to be wrong */
#define OFFLOAD_F_INNER     0x08u /**< request refers to the headers inside of a tunnel */
#define OFFLOAD_F_PARSED    0x10u /**< hdr is filled */
#define OFFLOAD_F_OUTER_CSUM 0x20u /**< with OFFLOAD_F_INNER: the outer UDP checksum is wanted, too */
#define OFFLOAD_F_INNER_GOOD 0x40u /**< L3 and L4 checksums inside of a tunnel are known to be right (or just made) */

/** offload_headers::flags; an l4_len comes with one of _TCP, _UDP, _SCTP, of which only the first two have an
    Internet checksum */
#define OFFLOAD_H_IPV4 0x01u
#define OFFLOAD_H_IPV6 0x02u
#define OFFLOAD_H_TCP  0x04u
#define OFFLOAD_H_UDP  0x08u
#define OFFLOAD_H_FRAG 0x10u /**< an IP fragment (first ones too): l4_len is 0 */
#define OFFLOAD_H_SCTP 0x20u

/** What offload_parse() found. Lengths are 0 for layers that are absent, cut short or malformed. */
struct offload_headers {
	uint16_t ether_type; /**< host order, after the tags; a length (< 0x600) for LLC frames */
	uint16_t outer_tci;  /**< tag control information of the outermost in-line tag */
	uint16_t l2_len;     /**< Ethernet header with its tags; where L3 begins */
	uint16_t l3_len;     /**< IPv4 header with options, or IPv6 with extension headers */
	uint16_t l4_len;     /**< TCP header with options, UDP header, or SCTP's common header */
	uint8_t nb_tags;     /**< in-line VLAN tags (0x8100, 0x88a8), at most 4 are walked */
	uint8_t ip_proto;    /**< the protocol after the extension headers */
	uint8_t flags;       /**< OFFLOAD_H_* */
};

struct offload_frame {
	struct offload_seg *seg;
	uint16_t nb_segs;
	uint8_t request;      /**< enum offload_request */
	uint8_t flags;        /**< OFFLOAD_F_* */
	uint32_t len;         /**< bytes in all segments */
	uint16_t vlan_tci;    /**< with OFFLOAD_F_VLAN */
	uint16_t csum_start;  /**< OFFLOAD_CSUM: first byte summed */
	uint16_t csum_field;  /**< OFFLOAD_CSUM: where the sum goes; inside seg[0] */
	uint16_t hdr_len;     /**< OFFLOAD_TSO, _USO: all headers; inside seg[0] */
	uint16_t mss;         /**< OFFLOAD_TSO, _USO: payload bytes per piece, >= 1 */
	struct offload_headers hdr;
};

/** Whether the frame is to be cut. */
static inline bool
offload_is_large(const struct offload_frame *f)
{
	return f->request >= OFFLOAD_TSO;
}

#endif /* OFFLOAD_FRAME_H */
