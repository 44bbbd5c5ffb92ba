/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Receive side scaling: the Toeplitz hash over IP addresses and ports. */
#ifndef OFFLOAD_RSS_H
#define OFFLOAD_RSS_H

#include "offload_frame.h"

#define OFFLOAD_RSS_KEY_BYTES 40

/**
 * @name Sets of header fields to hash, a mask.
 *
 * All begin with source and destination address. TCP and UDP add both ports; ESP adds its SPI, which is the same
 * four bytes of layer 4 (vmxnet3 in Linux tells `ethtool -n` so; DPDK's ice and iavf program their hardware so).
 * SCTP has no set of its own: addresses.
 *
 * A set and the vmxnet3 completion's rssType (1 to 8): rssType = 1 + (number of the bit mod 8). The inner sets have the
 * values that SET_RSS_FIELDS has for them.
 */
/**@{*/
#define OFFLOAD_RSS_IPV4     0x01u
#define OFFLOAD_RSS_TCP_IPV4 0x02u
#define OFFLOAD_RSS_IPV6     0x04u
#define OFFLOAD_RSS_TCP_IPV6 0x08u
#define OFFLOAD_RSS_UDP_IPV4 0x10u
#define OFFLOAD_RSS_UDP_IPV6 0x20u
#define OFFLOAD_RSS_ESP_IPV4 0x40u
#define OFFLOAD_RSS_ESP_IPV6 0x80u

/** The same set of the headers inside of a tunnel (enum offload_tunnel; all kinds). */
#define OFFLOAD_RSS_INNER(set) ((set) << 8)

/** Masks of all. */
#define OFFLOAD_RSS_OUTER_ALL 0x00ffu
#define OFFLOAD_RSS_INNER_ALL 0xff00u
/**@}*/

/**
 * A key in the forms that the hash function likes: plain data, 4.7 KB, filled by offload_rss_key_set(). A reader that
 * races with a change gets some hash, never anything worse.
 */
struct offload_rss_key {
	uint8_t bytes[OFFLOAD_RSS_KEY_BYTES];
	uint64_t reversed[OFFLOAD_RSS_KEY_BYTES / 8];   /**< parts of 64 bits, first bit lowest */
	uint32_t half_bytes[2 * (OFFLOAD_RSS_KEY_BYTES - 4)][16]; /**< what half a byte of input there adds */
};

void offload_rss_key_set(struct offload_rss_key *key, const uint8_t bytes[OFFLOAD_RSS_KEY_BYTES]);

/**
 * Hashes the frame by the most specific set in @p types that fits. Parses the frame if need be.
 *
 * Inner sets come first: when @p types has any and there is a tunnel in the frame, its inner headers are hashed if a
 * set fits them, else the outer ones. Within either, ports or SPI come before addresses. Fragments have addresses only, and
 * a fragmented tunnel packet no inside. Only the first OFFLOAD_HEADER_BYTES of the frame are searched for inner
 * headers, so that all frames of a flow are treated alike, whatever more seg[0] holds of some.
 *
 * @return the set used (one OFFLOAD_RSS_* bit; in OFFLOAD_RSS_INNER_ALL when inner headers were hashed) and *hash,
 *         or 0: nothing fits.
 */
uint32_t offload_rss_hash(const struct offload_rss_key *key, uint32_t types,
	struct offload_frame *f, uint32_t *hash);

#endif /* OFFLOAD_RSS_H */
