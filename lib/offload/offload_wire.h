/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to the library: fields at any alignment, and the few facts of headers in use. */
#ifndef OFFLOAD_WIRE_H
#define OFFLOAD_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>
#include <rte_byteorder.h>
#include <rte_ether.h>
#include <rte_ip.h>

#include "offload_frame.h"
#include "offload_sum.h"

#define ETHER_HDR_LEN 14
#define ETHER_TYPE_AT 12
#define VLAN_TAG_LEN  4

#define IPV4_MIN_LEN 20
#define IPV6_LEN     40
#define TCP_MIN_LEN  20
#define UDP_LEN      8
#define SCTP_LEN     12
#define PROTO_IPV4   4
#define PROTO_TCP    6
#define PROTO_UDP    17
#define PROTO_IPV6   41
#define PROTO_GRE    47
#define PROTO_ESP    50
#define PROTO_SCTP   132

#define IPV6_EXT_HOP_BY_HOP  0
#define IPV6_EXT_ROUTING     43
#define IPV6_EXT_FRAGMENT    44
#define IPV6_EXT_AUTH        51
#define IPV6_EXT_DESTINATION 60
#define IPV6_EXT_MOBILITY    135
#define IPV6_EXT_HIP         139
#define IPV6_EXT_SHIM6       140

/* Where the checksum is in its header. */
#define TCP_CSUM_AT 16
#define UDP_CSUM_AT 6
#define SCTP_CSUM_AT 8 /* of four bytes, in little-endian order */
#define SCTP_CSUM_LEN 4

static inline uint16_t
load_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
load_be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_32(v);
}

static inline uint64_t
load_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return rte_be_to_cpu_64(v);
}

static inline void
store_be16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
store_be32(uint8_t *p, uint32_t v)
{
	store_be16(p, (uint16_t)(v >> 16));
	store_be16(p + 2, (uint16_t)v);
}

/* Sums are in memory order, so they are moved without swapping. */
static inline uint16_t
load_raw16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline void
store_raw16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
}

static inline uint16_t
fold_sum(uint32_t sum)
{
	return __rte_raw_cksum_reduce(sum);
}

/* The sum of a part of a frame that begins @p done bytes after the start of the summed range. */
static inline uint32_t
part_sum(const uint8_t *data, uint32_t len, uint32_t done)
{
	uint16_t sum = offload_sum_bytes(data, len);

	return done & 1 ? rte_bswap16(sum) : sum;
}

/* Length (8 or more) of the extension header of that kind at @p ext; 0: it is not one. */
static inline uint32_t
ipv6_ext_len(const uint8_t *ext, uint8_t kind)
{
	switch (kind) {
	case IPV6_EXT_FRAGMENT:
		return 8;
	case IPV6_EXT_AUTH:
		return (ext[1] + 2) * 4;
	case IPV6_EXT_HOP_BY_HOP:
	case IPV6_EXT_ROUTING:
	case IPV6_EXT_DESTINATION:
	case IPV6_EXT_MOBILITY:
	case IPV6_EXT_HIP:
	case IPV6_EXT_SHIM6:
		return (ext[1] + 1) * 8;
	default:
		return 0;
	}
}

/* Whether layer 4 is known and has a checksum with a pseudo-header: TCP or UDP. */
static inline bool
has_l4_sum(const struct offload_headers *hdr)
{
	return hdr->flags & (OFFLOAD_H_TCP | OFFLOAD_H_UDP);
}

/*
 * The sum, not folded, of the pseudo-header for @p l4_len bytes of layer 4, in a frame whose
 * headers are known and reach to layer 4.
 */
uint32_t offload_pseudo_sum(const uint8_t *data, const struct offload_headers *hdr,
	uint32_t l4_len);

/* A checksum that was made: where it belongs, and its bytes in memory order; two, or SCTP's four. */
struct offload_made {
	uint32_t at, len; /* len 0: there is none */
	uint8_t bytes[SCTP_CSUM_LEN];
};

/* Whether an OFFLOAD_CSUM request which passed offload_csum_check() is for SCTP's kind of checksum. */
bool offload_csum_is_crc(struct offload_frame *f);

/*
 * The checksums that an OFFLOAD_CSUM request which passed offload_csum_check() gets, from the sum from csum_start to
 * the end of the frame: made[0], and made[1] for the outer one. Stores nothing.
 *
 * @return OFFLOAD_F_CSUM_GOOD, OFFLOAD_F_INNER_GOOD, both or 0: what is known of the frame then
 */
uint8_t offload_csum_make(struct offload_frame *f, uint16_t sum, struct offload_made made[2]);

/* The same for SCTP; @p seg is the frame's bytes or the copy's. */
uint8_t offload_csum_make_crc(struct offload_frame *f, const struct offload_seg *seg, uint16_t nb_segs,
	struct offload_made *made);

/* What is to be summed for a verification: @c len bytes (0: nothing), to which the pseudo-header is added. */
struct offload_scope {
	uint32_t start, len;
	uint16_t pseudo;
	bool crc; /* it is SCTP, which has another kind of sum */
};

/*
 * Looks at headers alone, outer or inner ones.
 * @return OFFLOAD_F_CSUM_* as far as they tell, if there is nothing to be summed
 */
uint8_t offload_csum_scope(const struct offload_frame *f, const struct offload_headers *hdr,
	struct offload_scope *scope);

/* The verdict, OFFLOAD_F_CSUM_GOOD, _BAD or 0, on the sum of a scope. */
uint8_t offload_csum_judge(const struct offload_headers *hdr, const struct offload_scope *scope, uint16_t sum);

/* The same for SCTP; @p seg is the frame's bytes or the copy's. */
uint8_t offload_csum_judge_crc(const struct offload_frame *f, const struct offload_scope *scope,
	const struct offload_seg *seg, uint16_t nb_segs);

#endif /* OFFLOAD_WIRE_H */
