/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Private to the library: the Toeplitz hash itself, of the bytes that the caller chose.
 *
 * A bit i of the input that is set adds (by exclusive or) bits i to i + 31 of the key to the hash. That is the middle of
 * a product without carries of input and key, one of them with its bits in reverse: x86 CPUs since 2010
 * have an instruction for it (PCLMULQDQ), which needs the 40 bytes of the key and no table. Others look each half byte
 * up in a table of 16 words: 72 of these are 4.5 KiB per key. By whole bytes it would be 36 KiB, which is twice as fast
 * for IPv4 and 1.1 times for IPv6 when nothing else is in the cache, and evicts the frames when something is.
 */
#ifndef OFFLOAD_TOEPLITZ_H
#define OFFLOAD_TOEPLITZ_H

#include <stdint.h>

#include "offload_rss.h"

/** What is hashed: addresses, then four bytes of layer 4 unless there are none. */
struct offload_tuple {
	const uint8_t *addresses;
	const uint8_t *l4;      /**< four bytes, or NULL */
	uint32_t address_bytes; /**< of both: 8 or 32 */
};

/** Hash by the best way that this CPU has. */
uint32_t offload_toeplitz(const struct offload_rss_key *key, const struct offload_tuple *t);

/** The same by table, on any CPU. */
uint32_t offload_toeplitz_table(const struct offload_rss_key *key, const struct offload_tuple *t);

#endif /* OFFLOAD_TOEPLITZ_H */
