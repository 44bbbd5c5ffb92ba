/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "capture_ring.h"

/*
 * Positions count bytes since creation and never wrap: tail <= sent <= ready <= head. What lies
 * between head and tail + size is free, and zeroed: a type of 0 is what tells a block that is reserved
 * from one that is complete.
 */
struct capture_ring {
	uint8_t *base; /* the memory twice, one behind the other: no block is ever split */
	size_t size;

	uint64_t head __rte_cache_aligned; /* reserved up to here */
	uint64_t tail __rte_cache_aligned; /* consumed up to here, a block's border */

	/* The consumer's own. */
	uint64_t sent;  /* consumed up to here, maybe inside a block */
	uint64_t ready; /* complete up to here, a block's border */
};

struct block {
	uint32_t type;
	uint32_t len;
};

static uint8_t *
map_twice(size_t size)
{
	uint8_t *base;
	int fd, saved;

	fd = memfd_create("capture-ring", MFD_CLOEXEC);
	if (fd < 0)
		return NULL;
	base = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (base == MAP_FAILED)
		goto fail;
	/* Populated: a polling core shall not meet page faults. */
	if (ftruncate(fd, (off_t)size) < 0 ||
	    mmap(base, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) ==
	    MAP_FAILED ||
	    mmap(base + size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd,
		    0) == MAP_FAILED)
		goto unmap;
	close(fd);
	return base;
unmap:
	saved = errno;
	munmap(base, 2 * size);
	errno = saved;
fail:
	saved = errno;
	close(fd);
	errno = saved;
	return NULL;
}

struct capture_ring *
capture_ring_create(size_t bytes)
{
	struct capture_ring *ring;

	ring = aligned_alloc(RTE_CACHE_LINE_SIZE, RTE_ALIGN_CEIL(sizeof(*ring), RTE_CACHE_LINE_SIZE));
	if (!ring)
		return NULL;
	memset(ring, 0, sizeof(*ring));
	ring->size = bytes;
	ring->base = map_twice(bytes);
	if (!ring->base) {
		free(ring);
		return NULL;
	}
	return ring;
}

void
capture_ring_destroy(struct capture_ring *ring)
{
	if (!ring)
		return;
	munmap(ring->base, 2 * ring->size);
	free(ring);
}

static inline uint8_t *
at(const struct capture_ring *ring, uint64_t pos)
{
	return ring->base + (pos & (ring->size - 1));
}

uint8_t *
capture_ring_reserve(struct capture_ring *ring, uint32_t len)
{
	uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);

	do {
		/* Acquire: the consumer's zeroes are there before our block is written. */
		uint64_t tail = __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);

		if (head + len > tail + ring->size)
			return NULL;
	} while (!__atomic_compare_exchange_n(&ring->head, &head, head + len, true, __ATOMIC_RELAXED,
		__ATOMIC_RELAXED));
	return at(ring, head);
}

const uint8_t *
capture_ring_peek(struct capture_ring *ring, size_t *len)
{
	const uint64_t head = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);

	while (ring->ready < head) {
		const struct block *block = (const struct block *)at(ring, ring->ready);

		if (__atomic_load_n(&block->type, __ATOMIC_ACQUIRE) == 0)
			break;
		ring->ready += block->len;
	}
	*len = (size_t)(ring->ready - ring->sent);
	return at(ring, ring->sent);
}

uint32_t
capture_ring_consume(struct capture_ring *ring, size_t len)
{
	uint64_t tail = ring->tail;
	uint32_t blocks = 0;

	ring->sent += len;
	while (tail < ring->ready) {
		uint8_t *block = at(ring, tail);
		uint32_t block_len = ((const struct block *)block)->len;

		if (tail + block_len > ring->sent)
			break;
		memset(block, 0, block_len);
		tail += block_len;
		blocks++;
	}
	__atomic_store_n(&ring->tail, tail, __ATOMIC_RELEASE);
	return blocks;
}
