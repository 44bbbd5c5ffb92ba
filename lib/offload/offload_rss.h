/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Receive side scaling: the Toeplitz hash over IP addresses and ports. */
#ifndef OFFLOAD_RSS_H
#define OFFLOAD_RSS_H

#include "offload_frame.h"

#define OFFLOAD_RSS_KEY_BYTES 40

/** Header sets to hash, a mask. */
#define OFFLOAD_RSS_IPV4     0x01u
#define OFFLOAD_RSS_TCP_IPV4 0x02u
#define OFFLOAD_RSS_IPV6     0x04u
#define OFFLOAD_RSS_TCP_IPV6 0x08u
#define OFFLOAD_RSS_UDP_IPV4 0x10u
#define OFFLOAD_RSS_UDP_IPV6 0x20u

/** A key in the form that the hash function likes. */
struct offload_rss_key {
	uint8_t bytes[OFFLOAD_RSS_KEY_BYTES];
	uint32_t words[OFFLOAD_RSS_KEY_BYTES / 4]; /**< made by offload_rss_key_set() */
};

void offload_rss_key_set(struct offload_rss_key *key, const uint8_t bytes[OFFLOAD_RSS_KEY_BYTES]);

/**
 * Hashes the frame by the most specific set in @p types that fits (ports, else addresses; fragments
 * addresses only). Parses the frame if need be.
 *
 * @return the set used (one OFFLOAD_RSS_* bit) and *hash, or 0: nothing fits.
 */
uint32_t offload_rss_hash(const struct offload_rss_key *key, uint32_t types,
	struct offload_frame *f, uint32_t *hash);

#endif /* OFFLOAD_RSS_H */
