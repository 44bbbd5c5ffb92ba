/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receive burst. Most frames lie whole in one buffer, the very next one, and have no error: these are taken here, and three
 * comparisons tell that a completion is of that kind. All others are vx_rx_frame.c's.
 */
#include "vx_rx.h"

#include <rte_prefetch.h>

#include "vx_rx_fill.h"
#include "vx_rx_frame.h"
#include "vx_rx_meta.h"

/* Distance in frames at which the mbufs that will be filled in are fetched into the cache. */
#define PREFETCH 4

/*
 * Of generation and type what matters: large frames have type 4; all others should have 3, but QEMU's device
 * leaves 0 there.
 */
#define KIND_MASK (1u << (VMXNET3_CD_GEN_SHIFT - VMXNET3_CD_TYPE_SHIFT) | VMXNET3_CD_TYPE_RX_LRO)

static_assert((VMXNET3_CD_TYPE_RX & VMXNET3_CD_TYPE_RX_LRO) == 0, "a bit that only large frames have");

static inline bool
is_there(const struct vx_rxq *q, uint32_t next)
{
	uint64_t hi = vx_load_gen(&q->comp[next & q->comp_mask]);

	return hi >> 63 == vx_gen(next, q->comp_log2);
}

/* Takes whole frames up to the first completion that is something else. */
static inline uint16_t
take_whole(struct vx_rxq *q, struct rte_mbuf **pkts, uint32_t nb)
{
	struct vx_rx_ring *r = &q->ring[VX_RX_HEAD];
	uint32_t next = q->next, done = r->done, n;
	uint64_t bytes = 0;

	nb = RTE_MIN(nb, r->fill - done);
	for (n = 0; n < nb; n++, next++, done++) {
		const struct vx_entry *e = &q->comp[next & q->comp_mask];
		uint64_t hi = vx_load_gen(e), lo;
		struct rte_mbuf *m;
		uint32_t len;

		if ((VX_COMP_KIND(hi) & KIND_MASK) != vx_comp_kind(next, q->comp_log2, 0))
			break;
		lo = vx_load_lo(e);
		if (unlikely((((uint32_t)lo ^ (q->whole | (done & r->mask))) & VX_RX_PLACE_MASK) != 0))
			break;
		len = hi & (VMXNET3_RCD_LEN_MASK | VMXNET3_RCD_ERR);
		if (unlikely(len - 1 >= q->buf_len))
			break;
		m = r->buf[done & r->mask];
		rte_prefetch0(r->buf[(done + PREFETCH) & r->mask]);
		vx_rx_rearm(m, q->rearm);
		m->pkt_len = len;
		m->data_len = (uint16_t)len;
		vx_rx_describe(m, lo, hi);
		bytes += len;
		pkts[n] = m;
	}
	q->next = next;
	r->done = done;
	vx_count(&q->stats.bytes, bytes);
	return (uint16_t)n;
}

/* A device that lies could keep this going for ever: it ends after as many odd completions as the ring has. */
static inline uint16_t
receive(struct vx_rxq *q, struct rte_mbuf **pkts, uint16_t nb)
{
	uint32_t odd = 0;
	uint16_t n = 0;

	for (;;) {
		n = (uint16_t)(n + take_whole(q, pkts + n, nb - n));
		if (n == nb || likely(!is_there(q, q->next)) || odd++ > q->comp_mask)
			return n;
		pkts[n] = vx_rx_take(q);
		if (pkts[n] != NULL)
			vx_count(&q->stats.bytes, pkts[n++]->pkt_len);
	}
}

static bool
is_wanted(const struct vx_mac_filter *f, const struct rte_mbuf *m)
{
	const struct rte_ether_addr *dst = rte_pktmbuf_mtod(m, const struct rte_ether_addr *);
	uint16_t i;

	if (m->data_len < RTE_ETHER_ADDR_LEN || rte_is_multicast_ether_addr(dst))
		return true;
	for (i = 0; i < f->nb; i++) {
		if (rte_is_same_ether_addr(dst, &f->addr[i]))
			return true;
	}
	return false;
}

static uint16_t
filter(struct vx_rxq *q, struct rte_mbuf **pkts, uint16_t nb)
{
	uint16_t i, n = 0;

	for (i = 0; i < nb; i++) {
		if (is_wanted(q->filter, pkts[i])) {
			pkts[n++] = pkts[i];
			continue;
		}
		vx_count(&q->stats.bytes, -(uint64_t)pkts[i]->pkt_len);
		vx_count(&q->stats.filtered, 1);
		rte_pktmbuf_free(pkts[i]);
	}
	return n;
}

/* "Nothing" must not be said while there is more: who hears it may go to sleep. It ends, for nothing is refilled meanwhile. */
static uint16_t
receive_filtered(struct vx_rxq *q, struct rte_mbuf **pkts, uint16_t nb)
{
	uint16_t n, got;

	do {
		got = receive(q, pkts, nb);
		n = filter(q, pkts, got);
	} while (n == 0 && got != 0);
	return n;
}

static void
refill(struct vx_rxq *q, struct vx_rx_ring *r)
{
	uint32_t before = r->fill;

	if (unlikely(!vx_rx_fill(q, r))) {
		vx_count(&q->stats.no_mbuf, 1);
		__atomic_fetch_add(&q->dev->eth_dev->data->rx_mbuf_alloc_failed, 1, __ATOMIC_RELAXED);
	}
	if (r->fill != before && q->desc->update_rx_prod)
		vx_rx_doorbell(q, r);
}

uint16_t
vx_rx_burst(void *rxq, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct vx_rxq *q = rxq;
	unsigned int i;
	uint16_t n;

	if (unlikely(!vx_gate_try(&q->gate)))
		return 0;
	if (likely(q->filter == NULL))
		n = receive(q, pkts, nb_pkts);
	else
		n = receive_filtered(q, pkts, nb_pkts);
	for (i = 0; i < VX_RX_RINGS; i++) {
		if (vx_rx_room(&q->ring[i]) >= q->ring[i].chunk)
			refill(q, &q->ring[i]);
	}
	vx_count(&q->stats.packets, n);
	vx_gate_leave(&q->gate);
	return n;
}
