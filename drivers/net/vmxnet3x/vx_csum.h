/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * TCP and UDP checksums: where they are, and what both directions have to sum. Sums are folded to 16 bits, not inverted, in
 * memory order, as rte_raw_cksum() has them.
 */
#ifndef VX_CSUM_H
#define VX_CSUM_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** A header of layer 4 in a frame. Offsets count from the frame's first byte. */
struct vx_l4 {
	uint32_t at;
	uint32_t field; /**< where the checksum is */
	uint32_t len; /**< from at on, by the length in the IP header; not compared with the frame */
	uint16_t addresses; /**< sum of the pseudo-header without that length */
	bool udp;
};

/** A field at any alignment. */
static inline uint16_t
vx_load16(const uint8_t *field)
{
	uint16_t value;

	memcpy(&value, field, sizeof(value));
	return value;
}

static inline uint16_t
vx_fold(uint32_t sum)
{
	sum = (sum & UINT16_MAX) + (sum >> 16);
	return (uint16_t)((sum & UINT16_MAX) + (sum >> 16));
}

/**
 * Finds layer 4 behind an IP header.
 *
 * @param data,have  the front of the frame
 * @param l3,l3_len  where the IP header begins, and its bytes to layer 4, extension headers with it
 * @return whether the headers are within @p have, and lengths not too short for what they are
 */
bool vx_l4_find(const uint8_t *data, uint32_t have, uint32_t l3, uint32_t l3_len, bool ipv4, bool udp, struct vx_l4 *l4);

/** The sum of the pseudo-header. */
uint16_t vx_l4_pseudo(const struct vx_l4 *l4);

/**
 * Sums a UDP header and all it carries, pseudo-header included, around an inner layer 4 whose checksum is right or
 * will be: that one sums up to the inverse of its pseudo-header, so nobody has to look at it. What follows it is
 * padding of zeros.
 */
uint16_t vx_l4_sum_around(const uint8_t *data, const struct vx_l4 *outer, const struct vx_l4 *inner);

#endif /* VX_CSUM_H */
