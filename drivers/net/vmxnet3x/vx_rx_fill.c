/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_rx_fill.h"

/* Posts buffers that lie in the ring's entries already; @p n of them reach at most to the end of the ring. */
static inline void
post(const struct vx_rxq *q, struct vx_rx_ring *r, uint32_t n)
{
	uint32_t at = r->fill & r->mask;
	uint64_t hi = q->buf_len | r->kind | vx_gen(r->fill, r->log2) << VMXNET3_RXD_GEN_SHIFT;
	struct vx_entry *e = &r->desc[at], *end = e + n;
	struct rte_mbuf **buf = &r->buf[at];
	const uint16_t field = q->addr_field;

	for (; e < end; e++, buf++) {
		e->lo = rte_cpu_to_le_64(vx_buf_dma(*buf, field) + RTE_PKTMBUF_HEADROOM);
		vx_store_gen(e, hi);
	}
	r->fill += n;
}

bool
vx_rx_fill(struct vx_rxq *q, struct vx_rx_ring *r)
{
	while (vx_rx_room(r) >= r->chunk) {
		uint32_t at = r->fill & r->mask, n = RTE_MIN(r->chunk, r->mask + 1 - at), want = n;

		/* Part of a chunk is better than none: the pool's other users may wait for this ring. */
		while (unlikely(n > 0 && rte_mempool_get_bulk(q->pool, (void **)&r->buf[at], n) != 0))
			n /= 2;
		post(q, r, n);
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
