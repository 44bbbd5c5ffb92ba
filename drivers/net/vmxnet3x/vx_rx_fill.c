/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_rx_fill.h"

#include "vx_vec.h"

#define GEN (1u << VMXNET3_RXD_GEN_SHIFT)

/*
 * Posts buffers @p from, which may lie in the ring's list already; @p n of them, one at least, reach at most to the end
 * of the ring. The device stops at the first, whose generation is put right after everything else.
 */
static inline void
post(const struct vx_rxq *q, struct vx_rx_ring *r, struct rte_mbuf *const *from, uint32_t n)
{
	uint32_t at = r->fill & r->mask, i = 0;
	uint64_t hi = q->buf_len | r->kind | vx_gen(r->fill, r->log2) << VMXNET3_RXD_GEN_SHIFT;
	struct rte_mbuf **buf = &r->buf[at];
	struct vx_entry *e = &r->desc[at];
	const uint16_t field = q->addr_field;

	if (q->vec != NULL && q->distance != VX_NO_DISTANCE)
		i = q->vec->post(q, e, buf, from, n, hi ^ GEN, hi);
	for (; i < n; i++) {
		buf[i] = from[i];
		e[i].lo = rte_cpu_to_le_64(vx_buf_dma(from[i], field) + RTE_PKTMBUF_HEADROOM);
		e[i].hi = rte_cpu_to_le_64(i == 0 ? hi ^ GEN : hi);
	}
	vx_store_gen(e, hi);
	r->fill += n;
}

/* @return all @p n of them, where this core's cache of the pool has them, else in @p buf; NULL: there are not so many */
static inline struct rte_mbuf *const *
take_from_pool(struct rte_mempool *pool, struct rte_mbuf **buf, uint32_t n)
{
	struct rte_mempool_cache *cache = rte_mempool_default_cache(pool, rte_lcore_id());

	if (unlikely(cache == NULL || cache->len < n))
		return rte_mempool_get_bulk(pool, (void **)buf, n) == 0 ? buf : NULL;
	cache->len -= n;
	return (struct rte_mbuf *const *)&cache->objs[cache->len];
}

bool
vx_rx_fill(struct vx_rxq *q, struct vx_rx_ring *r)
{
	struct rte_mbuf *const *from;

	while (vx_rx_room(r) >= r->chunk) {
		uint32_t at = r->fill & r->mask, n = RTE_MIN(r->chunk, r->mask + 1 - at), want = n;

		/* Part of a chunk is better than none: the pool's other users may wait for this ring. */
		do
			from = take_from_pool(q->pool, &r->buf[at], n);
		while (unlikely(from == NULL && (n /= 2) > 0));
		if (likely(from != NULL))
			post(q, r, from, n);
		if (unlikely(n < want))
			return false;
	}
	return true;
}

void
vx_rx_doorbell(struct vx_rxq *q, const struct vx_rx_ring *r)
{
	vx_bar0_write(q->dev, r->doorbell, r->fill & r->mask);
}

void
vx_rx_drop(struct vx_rxq *q)
{
	unsigned int i;

	for (i = 0; i < VX_RX_RINGS; i++) {
		struct vx_rx_ring *r = &q->ring[i];

		for (; r->done != r->fill; r->done++)
			rte_mbuf_raw_free(r->buf[r->done & r->mask]);
	}
	rte_pktmbuf_free(q->first);
	q->first = NULL;
}
