/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A bounded ring of bytes from several polling cores to one writer, in blocks of any size.
 *
 * A block begins with two 32-bit words: its type, which is not 0, and its length, a multiple of 4. It is
 * contiguous in memory wherever it lies. A producer reserves room, fills it and stores the type last
 * (release): until then the consumer stops before it. Producers never wait, neither for the consumer nor
 * for each other.
 */
#ifndef VSWITCHD_CAPTURE_RING_H
#define VSWITCHD_CAPTURE_RING_H

#include <stddef.h>
#include <stdint.h>

struct capture_ring;

/** @param bytes  a power of two, at least a page. @return NULL with errno set. */
struct capture_ring *capture_ring_create(size_t bytes);
void capture_ring_destroy(struct capture_ring *ring);

/** Any producer: @p len zeroed bytes, or NULL: no room. Every reservation must be published. */
uint8_t *capture_ring_reserve(struct capture_ring *ring, uint32_t len);

/** The consumer: complete blocks not consumed yet, and how many bytes they are. */
const uint8_t *capture_ring_peek(struct capture_ring *ring, size_t *len);

/**
 * The consumer: has used the next @p len bytes, which may end inside a block.
 *
 * @return how many blocks this completed
 */
uint32_t capture_ring_consume(struct capture_ring *ring, size_t len);

#endif /* VSWITCHD_CAPTURE_RING_H */
