/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The receive burst. Most frames lie whole in one buffer, the very next one, and have no error: these are taken
 * here, and three comparisons tell that a completion is of that kind. All others are vx_rx_frame.c's.
 */
#include "vx_rx.h"

#include <rte_prefetch.h>

#include "vx_rx_fill.h"
#include "vx_rx_frame.h"
#include "vx_rx_meta.h"
#include "vx_vec.h"

static inline bool
is_there(const struct vx_rxq *q, uint32_t next)
{
	uint64_t hi = vx_load_gen(&q->comp[next & q->comp_mask]);

	return hi >> 63 == vx_gen(next, q->comp_log2);
}

/* A completion, when it is there and of a whole frame in the buffer that is expected; but for its length. */
static inline bool
load_whole(const struct vx_entry *e, uint32_t sort, uint32_t place, uint64_t *lo, uint64_t *hi)
{
	*hi = vx_load_gen(e);
	if ((*hi >> 32 & VX_RX_SORT_MASK) != sort)
		return false;
	*lo = vx_load_lo(e);
	return likely((*lo & VX_RX_PLACE_MASK) == place);
}

static inline uint32_t
sort_of(const struct vx_rxq *q)
{
	return vx_gen(q->next, q->comp_log2) << VMXNET3_CD_GEN_SHIFT;
}

/* Whether vectors find enough: the first and the last of a group are there, the first to their taste. */
static inline bool
is_group(const struct vx_rxq *q)
{
	const struct vx_rx_ring *r = &q->ring[VX_RX_HEAD];
	uint64_t lo, hi;

	return load_whole(&q->comp[q->next & q->comp_mask], sort_of(q), q->whole | (r->done & r->mask), &lo, &hi) &&
		is_there(q, q->next + q->vec->group - 1);
}

/*
 * Takes whole frames, from the @p n-th on, up to the first completion that is something else, or to where a ring ends:
 * everything that follows from a position is constant until there, or one more each time. @return frames there are now
 */
static inline uint32_t
take_singly(const struct vx_rxq *q, struct rte_mbuf **pkts, uint32_t n, uint32_t nb, uint64_t *bytes)
{
	const struct vx_rx_ring *r = &q->ring[VX_RX_HEAD];
	const uint32_t sort = sort_of(q), buf_len = q->buf_len;
	const struct vx_entry *e = &q->comp[(q->next & q->comp_mask) + n];
	struct rte_mbuf **buf = &r->buf[r->done & r->mask];
	uint32_t place = q->whole | ((r->done & r->mask) + n);
	const uint64_t rearm = q->rearm;

	for (; n < nb; n++, e++, place++) {
		struct rte_mbuf *m = buf[n];
		uint64_t hi, lo;
		uint32_t len;

		if (!load_whole(e, sort, place, &lo, &hi))
			break;
		len = hi & (VMXNET3_RCD_LEN_MASK | VMXNET3_RCD_ERR);
		if (unlikely(len - 1 >= buf_len))
			break;
		rte_prefetch0(buf[n + VX_RX_AHEAD]);
		vx_rx_rearm(m, rearm);
		m->pkt_len = len;
		m->data_len = (uint16_t)len;
		vx_rx_describe(m, lo, hi);
		*bytes += len;
		pkts[n] = m;
	}
	return n;
}

static inline uint16_t
take_whole(struct vx_rxq *q, struct rte_mbuf **pkts, uint32_t nb)
{
	struct vx_rx_ring *r = &q->ring[VX_RX_HEAD];
	uint64_t bytes = 0;
	uint32_t n = 0;

	nb = RTE_MIN(nb, RTE_MIN(q->comp_mask - (q->next & q->comp_mask), r->mask - (r->done & r->mask)) + 1);
	nb = RTE_MIN(nb, r->fill - r->done);
	if (q->vec != NULL && nb >= q->vec->group && is_group(q))
		n = q->vec->take(q, pkts, nb, &bytes);
	n = take_singly(q, pkts, n, nb, &bytes);
	q->next += n;
	r->done += n;
	vx_count(&q->stats.bytes, bytes);
	return (uint16_t)n;
}

/*
 * What is inside of a frame is no whole one. A device that lies could keep this going for ever: it ends after as many odd
 * completions as the ring has.
 */
static inline uint16_t
receive(struct vx_rxq *q, struct rte_mbuf **pkts, uint16_t nb)
{
	uint32_t odd = 0;
	uint16_t n = 0, k;

	for (;;) {
		k = likely(q->first == NULL) ? take_whole(q, pkts + n, nb - n) : 0;
		n = (uint16_t)(n + k);
		if (n == nb || likely(!is_there(q, q->next)) || odd > q->comp_mask)
			return n;
		if (k != 0)
			continue;
		odd++;
		pkts[n] = vx_rx_take(q);
		if (pkts[n] != NULL)
			vx_count(&q->stats.bytes, pkts[n++]->pkt_len);
	}
}

/* The outer tag, wherever it is. */
static bool
tag_of(const struct rte_mbuf *m, uint16_t *tci)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(m, const struct rte_ether_hdr *);
	const struct rte_vlan_hdr *tag = (const struct rte_vlan_hdr *)(eth + 1);

	if (m->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) {
		*tci = m->vlan_tci;
		return true;
	}
	if (m->data_len < sizeof(*eth) + sizeof(*tag) || (eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_VLAN) &&
			eth->ether_type != RTE_BE16(RTE_ETHER_TYPE_QINQ)))
		return false;
	*tci = rte_be_to_cpu_16(tag->vlan_tci);
	return true;
}

static bool
is_wanted(const struct offload_filter *f, const struct rte_mbuf *m)
{
	const struct rte_ether_addr *dst = rte_pktmbuf_mtod(m, const struct rte_ether_addr *);
	bool tagged = false;
	uint16_t tci = 0;

	if (unlikely(m->data_len < RTE_ETHER_ADDR_LEN))
		return true;
	if (unlikely(!f->vlan_any))
		tagged = tag_of(m, &tci);
	else if (likely(rte_is_same_ether_addr(dst, (const struct rte_ether_addr *)f->mac)))
		return true;
	return offload_filter_match(f, dst->addr_bytes, tagged, tci) == OFFLOAD_FILTER_PASS;
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

/*
 * "Nothing" must not be said while there is more: who hears it may go to sleep. It ends, for nothing is refilled
 * meanwhile.
 */
static __rte_noinline uint16_t
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
	if (r->fill != before && __atomic_load_n(&q->desc->update_rx_prod, __ATOMIC_RELAXED))
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
