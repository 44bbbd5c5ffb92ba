/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Bounded header parse. */
#ifndef OFFLOAD_PARSE_H
#define OFFLOAD_PARSE_H

#include "offload_frame.h"

/** In-line VLAN tags and IPv6 extension headers walked at most. */
#define OFFLOAD_MAX_TAGS 4
#define OFFLOAD_MAX_EXT_HEADERS 8

/** Ethernet header without tags. */
#define OFFLOAD_L2_LEN 14

/**
 * Finds the headers in @p len bytes of @p data. Any content and any length is allowed; no byte
 * beyond the data is read, and the work is bounded.
 *
 * A layer is reported only if its whole header lies within @p len and its length fields are
 * sane (IHL >= 5, TCP data offset >= 5, UDP length not checked here). Layer 4 is reported
 * for unfragmented packets only, and has a flag and a length for TCP, UDP and SCTP. Others are known by
 * their number alone, ip_proto: ICMP 1, ICMPv6 58, ESP 50, AH in IPv4 51 (in IPv6 it is walked as an
 * extension header), GRE 47; ARP by ether_type 0x0806. They begin at l2_len + l3_len (ARP at l2_len), and the
 * caller must check how much of them is there.
 */
void offload_parse(const uint8_t *data, uint32_t len, struct offload_headers *hdr);

/** What is around an inner packet. */
enum offload_tunnel {
	OFFLOAD_TUNNEL_NONE,
	OFFLOAD_TUNNEL_VXLAN,  /**< UDP 4789, or Linux's 8472, with the I flag; an Ethernet frame inside */
	OFFLOAD_TUNNEL_GENEVE, /**< UDP 6081, with options; an Ethernet frame inside */
	OFFLOAD_TUNNEL_NVGRE,  /**< RFC 7637: GRE with a key and nothing else; an Ethernet frame inside */
	OFFLOAD_TUNNEL_GRE,    /**< GRE with an IP packet inside, or an Ethernet frame that is not NVGRE's; may
				    have checksum, key and sequence number */
	OFFLOAD_TUNNEL_IPIP,   /**< IP in IP, of any two versions */
};

/**
 * Finds the headers of the packet inside of a tunnel, one level deep, with the guarantees of
 * offload_parse().
 *
 * A tunnel is reported when its own header is whole and sane, and so is the Ethernet header of the frame in
 * it; the layers above may be missing, as in offload_parse(). Fragments are no tunnels, nor is a Geneve or
 * GRE packet with anything but Ethernet or (GRE) IP inside.
 *
 * @param outer  what offload_parse() found in the same data
 * @param inner  filled when there is a tunnel, else all 0; its l2_len counts from @p data like everything
 *               else: it is where the inner layer 3 begins. The tags counted are the inner frame's;
 *               ether_type is set for inner IP packets without an Ethernet header, too.
 */
enum offload_tunnel offload_parse_inner(const uint8_t *data, uint32_t len,
	const struct offload_headers *outer, struct offload_headers *inner);

/** Parses seg[0] of a frame once; later calls return at once. */
static inline void
offload_frame_parse(struct offload_frame *f)
{
	if (f->flags & OFFLOAD_F_PARSED)
		return;
	offload_parse(f->seg[0].data, f->seg[0].len, &f->hdr);
	f->flags |= OFFLOAD_F_PARSED;
}

/**
 * Whether a frame with the headers of this one and @p len bytes in all is within an MTU; up to two VLAN
 * tags do not count.
 */
static inline bool
offload_fits_mtu(struct offload_frame *f, uint32_t len, uint32_t mtu)
{
	if (len <= mtu + OFFLOAD_L2_LEN)
		return true;
	offload_frame_parse(f);
	return len <= mtu + OFFLOAD_L2_LEN + (f->hdr.nb_tags > 1 ? 2 : f->hdr.nb_tags) * 4u;
}

#endif /* OFFLOAD_PARSE_H */
