/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A pcapng stream that comes in pieces of any size: cut into blocks, packets counted. */
#ifndef VSWITCHCTL_STREAM_H
#define VSWITCHCTL_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stream {
	uint64_t limit;    /**< packets that are wanted */
	uint64_t packets;  /**< handed out so far */
	uint64_t dropped;  /**< as the closing statistics tell */
	bool closed;       /**< the closing statistics have come */
	uint8_t *buf;
	size_t used;       /**< bytes in buf */
	size_t scanned;    /**< of these, in complete blocks that have been looked at */
};

/** @param limit  packets behind this number are left out. @return whether there is memory. */
bool stream_init(struct stream *stream, uint64_t limit);
void stream_free(struct stream *stream);

/** Where the next bytes go and how many there is room for; more than 0 if what was complete was taken. */
uint8_t *stream_room(struct stream *stream, size_t *len);

/** So many bytes have been put there. */
void stream_added(struct stream *stream, size_t len);

/**
 * The complete blocks that are wanted: moved to the front of the buffer, to be written from there.
 *
 * @param len  how many bytes they are
 * @return whether this is pcapng as vswitchd writes it
 */
bool stream_take(struct stream *stream, const uint8_t **blocks, size_t *len);

/** The blocks of stream_take() have been used. */
void stream_taken(struct stream *stream);

#endif /* VSWITCHCTL_STREAM_H */
