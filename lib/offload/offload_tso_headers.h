/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to segmentation: the headers of the pieces of a large frame, those of a tunnel among them. */
#ifndef OFFLOAD_TSO_HEADERS_H
#define OFFLOAD_TSO_HEADERS_H

#include "offload_frame.h"

/** An IP header whose length depends on the piece. */
struct offload_tso_ip {
	uint16_t at;   /**< where it begins */
	uint16_t sum;  /**< IPv4: of the header without total length, identification and checksum */
	bool ipv6;
};

/** What is known of the headers before the first piece is made. Offsets count from the begin of the frame. */
struct offload_tso_headers {
	uint16_t len;                /**< of all headers */
	uint16_t l4_at;              /**< the TCP or UDP header that is repeated in each piece */
	uint16_t l4_sum;             /**< of it and its pseudo-header, without what differs between pieces */
	uint16_t tunnel_at;          /**< the outer UDP header, or a GRE header */
	uint16_t tunnel_pseudo;      /**< sum of the outer pseudo-header without the length */
	uint16_t tunnel_csum_at;     /**< its checksum field; 0: no checksum to be made */
	bool tunnel_udp;             /**< there is an outer UDP header */
	bool udp;                    /**< datagrams are made, not TCP segments */
	bool csum_good;              /**< whether nothing is left unknown of the outermost checksums */
	uint8_t nb_ips;
	struct offload_tso_ip ip[2]; /**< the outer one of a tunnel first */
};

/** One piece. */
struct offload_tso_piece {
	uint16_t index;       /**< 0 for the first */
	bool last;
	uint16_t payload_sum; /**< of the payload, from an even offset */
	uint32_t pos, len;    /**< payload bytes before it, and in it */
};

/**
 * Looks at a request for segmentation and at the headers it is for.
 *
 * @return 0, -EINVAL: it contradicts the frame, -ENOTSUP: headers of which no two packets may have the same
 *         (GRE sequence numbers)
 */
int offload_tso_headers_plan(struct offload_tso_headers *h, struct offload_frame *frame);

/** Makes the headers of a piece out of @p data, a copy of those of the large frame. */
void offload_tso_headers_write(const struct offload_tso_headers *h, uint8_t *data,
	const struct offload_tso_piece *piece);

/**
 * Makes the headers those of one large packet that ends at @p end: lengths, IP headers' checksums, and the seed of an outer UDP
 * checksum that pieces would have.
 */
void offload_tso_headers_whole(const struct offload_tso_headers *h, uint8_t *data, uint32_t end);

#endif /* OFFLOAD_TSO_HEADERS_H */
