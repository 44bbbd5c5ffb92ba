/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mini_mem.h"

#define PAGE VFU_DMA_PAGE

/* Pages are swapped in pairs, and the first pairs lie behind the last ones. */
static size_t
file_offset(const struct mini_mem *m, uint64_t offset)
{
	size_t page = offset / PAGE, nb = m->size / PAGE;

	if (m->scattered)
		page = (nb - 1 - page) ^ 1;
	return page * PAGE + offset % PAGE;
}

static int
map_pages(struct mini_mem *m)
{
	size_t step = m->scattered ? PAGE : m->size;
	uint64_t at;
	int ret;

	for (at = 0; at < m->size; at += step) {
		ret = vfu_dma_map(m->dma, MINI_MEM_IOVA + at, step, VFU_DMA_READ | VFU_DMA_WRITE,
			m->fd, file_offset(m, at));
		if (ret != 0)
			return ret;
	}
	return 0;
}

int
mini_mem_init(struct mini_mem *m, size_t size, bool scattered, vfu_dma_quiesce_t quiesce, void *ctx)
{
	int ret;

	memset(m, 0, sizeof(*m));
	m->size = (size + 2 * PAGE - 1) / (2 * PAGE) * (2 * PAGE);
	m->scattered = scattered;
	m->fd = memfd_create("mini", MFD_CLOEXEC);
	if (m->fd < 0)
		return -errno;
	if (ftruncate(m->fd, (off_t)m->size) != 0)
		return -errno;
	m->base = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
	if (m->base == MAP_FAILED)
		return -errno;
	m->dma = vfu_dma_create(1 << 16, quiesce, ctx);
	if (m->dma == NULL)
		return -errno;
	ret = map_pages(m);
	return ret;
}

void
mini_mem_fini(struct mini_mem *m)
{
	vfu_dma_destroy(m->dma);
	if (!m->joined)
		munmap(m->base, m->size);
	close(m->fd);
}

void
mini_mem_join(struct mini_mem *m)
{
	struct vfu_dma_range range;

	if (m->scattered || !vfu_dma_lookup(m->dma, MINI_MEM_IOVA, &range) || range.len < m->size) {
		fprintf(stderr, "mini_mem: memory in pieces cannot be joined\n");
		abort();
	}
	munmap(m->base, m->size);
	m->base = range.host;
	m->joined = true;
}

uint64_t
mini_mem_alloc(struct mini_mem *m, size_t bytes, size_t align)
{
	uint64_t at = (m->used + align - 1) / align * align;

	if (at + bytes > m->size) {
		fprintf(stderr, "mini_mem: %zu bytes are too few\n", m->size);
		abort();
	}
	m->used = at + bytes;
	mini_mem_fill(m, MINI_MEM_IOVA + at, 0, bytes);
	return MINI_MEM_IOVA + at;
}

void *
mini_mem_at(const struct mini_mem *m, uint64_t iova)
{
	return m->base + file_offset(m, iova - MINI_MEM_IOVA);
}

/* Bytes up to the end of the page, at most @p len. */
static size_t
in_page(uint64_t iova, size_t len)
{
	size_t n = PAGE - iova % PAGE;

	return n < len ? n : len;
}

void
mini_mem_write(const struct mini_mem *m, uint64_t iova, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	size_t n;

	for (; len > 0; len -= n, iova += n, from += n) {
		n = in_page(iova, len);
		memcpy(mini_mem_at(m, iova), from, n);
	}
}

void
mini_mem_read(const struct mini_mem *m, uint64_t iova, void *buf, size_t len)
{
	uint8_t *to = buf;
	size_t n;

	for (; len > 0; len -= n, iova += n, to += n) {
		n = in_page(iova, len);
		memcpy(to, mini_mem_at(m, iova), n);
	}
}

void
mini_mem_fill(const struct mini_mem *m, uint64_t iova, uint8_t byte, size_t len)
{
	size_t n;

	for (; len > 0; len -= n, iova += n) {
		n = in_page(iova, len);
		memset(mini_mem_at(m, iova), byte, n);
	}
}

bool
mini_mem_is(const struct mini_mem *m, uint64_t iova, uint8_t byte, size_t len)
{
	size_t n, i;

	for (; len > 0; len -= n, iova += n) {
		const uint8_t *p = mini_mem_at(m, iova);

		n = in_page(iova, len);
		for (i = 0; i < n; i++) {
			if (p[i] != byte)
				return false;
		}
	}
	return true;
}
