/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>

#include "eth_pool.h"

#define PAGE_POOL_FLAGS (RTE_MEMPOOL_F_NO_SPREAD | RTE_MEMPOOL_F_NO_IOVA_CONTIG)

/* A pool's per-core cache holds up to one and a half times its size. */
static uint32_t
with_caches(uint32_t nb, uint16_t nb_workers)
{
	return nb + (nb_workers + 1u) * ETH_POOL_CACHE * 2;
}

static void
next_name(char *name, size_t len)
{
	static unsigned int serial;

	snprintf(name, len, "vsw%u", serial++);
}

struct rte_mempool *
eth_pool_create(uint32_t nb, uint32_t frame, uint16_t nb_workers)
{
	char name[RTE_MEMPOOL_NAMESIZE];
	uint32_t room = RTE_ALIGN_CEIL(RTE_PKTMBUF_HEADROOM + frame, RTE_CACHE_LINE_SIZE);

	if (room > UINT16_MAX)
		return NULL;
	next_name(name, sizeof(name));
	return rte_pktmbuf_pool_create(name, with_caches(nb, nb_workers), ETH_POOL_CACHE, 0,
		(uint16_t)room, SOCKET_ID_ANY);
}

static void
unmap(struct rte_mempool_memhdr *memhdr, void *opaque __rte_unused)
{
	munmap(memhdr->addr, memhdr->len);
}

/* A packet buffer that fills a page together with what the pool itself needs. */
static uint32_t
page_object(void)
{
	struct rte_mempool_objsz size;

	rte_mempool_calc_obj_size(sizeof(struct rte_mbuf), PAGE_POOL_FLAGS, &size);
	return (uint32_t)getpagesize() - size.header_size - size.trailer_size;
}

uint32_t
eth_page_room(void)
{
	return page_object() - sizeof(struct rte_mbuf) - RTE_PKTMBUF_HEADROOM;
}

struct rte_mempool *
eth_pool_create_pages(uint32_t nb, uint16_t nb_workers)
{
	uint32_t page = (uint32_t)getpagesize(), n = with_caches(nb, nb_workers);
	char name[RTE_MEMPOOL_NAMESIZE];
	struct rte_mempool *pool;
	void *mem;
	int ret;

	next_name(name, sizeof(name));
	pool = rte_mempool_create_empty(name, n, page_object(), ETH_POOL_CACHE,
		sizeof(struct rte_pktmbuf_pool_private), SOCKET_ID_ANY, PAGE_POOL_FLAGS);
	if (pool == NULL)
		return NULL;
	if (rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL) < 0)
		goto fail;
	rte_pktmbuf_pool_init(pool, NULL);
	mem = mmap(NULL, (size_t)n * page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		goto fail;
	ret = rte_mempool_populate_iova(pool, mem, RTE_BAD_IOVA, (size_t)n * page, unmap, NULL);
	/* Otherwise the memory is the pool's. */
	if (ret <= 0)
		munmap(mem, (size_t)n * page);
	if (ret != (int)n)
		goto fail;
	rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return pool;

fail:
	rte_mempool_free(pool);
	return NULL;
}

void
eth_pool_destroy(struct rte_mempool *pool)
{
	rte_mempool_free(pool);
}
