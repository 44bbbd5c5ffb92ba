/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "stream.h"

/* Room for several of the largest blocks. */
#define BUFFER_SIZE (1u << 20)
/* A frame of 256 KiB and what a packet block adds. */
#define BLOCK_MAX (300u << 10)
#define BLOCK_MIN 12

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_STATS   5u
#define BLOCK_PACKET  6u
#define BYTE_ORDER_MAGIC 0x1a2b3c4du

#define STATS_OPTIONS_AT 20
#define STATS_IFDROP     5

bool
stream_init(struct stream *stream, uint64_t limit)
{
	*stream = (struct stream){.limit = limit, .buf = malloc(BUFFER_SIZE)};
	return stream->buf != NULL;
}

void
stream_free(struct stream *stream)
{
	free(stream->buf);
}

uint8_t *
stream_room(struct stream *stream, size_t *len)
{
	*len = BUFFER_SIZE - stream->used;
	return stream->buf + stream->used;
}

void
stream_added(struct stream *stream, size_t len)
{
	stream->used += len;
}

static uint32_t
word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* The number of frames that could not be kept. */
static void
read_stats(struct stream *stream, const uint8_t *block, uint32_t len)
{
	size_t at = STATS_OPTIONS_AT;

	stream->closed = true;
	while (at + 4 <= len - 4) {
		uint16_t code, size;

		memcpy(&code, block + at, sizeof(code));
		memcpy(&size, block + at + 2, sizeof(size));
		if (code == 0 || at + 4 + size > len - 4)
			return;
		if (code == STATS_IFDROP && size == sizeof(stream->dropped))
			memcpy(&stream->dropped, block + at + 4, size);
		at += 4 + ((size + 3u) & ~3u);
	}
}

/* Looks at a complete block; returns whether it is wanted. */
static bool
look(struct stream *stream, const uint8_t *block, uint32_t len)
{
	if (word(block) == BLOCK_STATS)
		read_stats(stream, block, len);
	if (word(block) != BLOCK_PACKET)
		return true;
	if (stream->packets == stream->limit)
		return false;
	stream->packets++;
	return true;
}

bool
stream_take(struct stream *stream, const uint8_t **blocks, size_t *len)
{
	uint8_t *buf = stream->buf;
	size_t wanted = 0;

	while (stream->used - stream->scanned >= BLOCK_MIN) {
		uint8_t *block = buf + stream->scanned;
		const uint32_t block_len = word(block + 4);

		/* The daemon is on this machine: a section of the other byte order is no section of its. */
		if (word(block) == BLOCK_SECTION && word(block + 8) != BYTE_ORDER_MAGIC)
			return false;
		if (block_len < BLOCK_MIN || block_len > BLOCK_MAX || block_len % 4 != 0)
			return false;
		if (block_len > stream->used - stream->scanned)
			break;
		if (look(stream, block, block_len)) {
			memmove(buf + wanted, block, block_len);
			wanted += block_len;
		}
		stream->scanned += block_len;
	}
	*blocks = buf;
	*len = wanted;
	return true;
}

void
stream_taken(struct stream *stream)
{
	stream->used -= stream->scanned;
	memmove(stream->buf, stream->buf + stream->scanned, stream->used);
	stream->scanned = 0;
}
