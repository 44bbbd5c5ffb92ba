/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transmit burst. It has one moment at which the device gets to see anything: all descriptors are written, the
 * first of them with the wrong generation, so that the device stops there; the last asks for a completion;
 * then the first one's generation is put right.
 */
#include "vx_tx.h"

#include "vx_tx_csum.h"
#include "vx_tx_free.h"
#include "vx_vec.h"

#define GEN (1u << VMXNET3_TXD_GEN_SHIFT)
/* One descriptor has room for it, and its length needs no thought. */
#define PLAIN_MAX VMXNET3_TXD_LEN_MASK

/* A part of a burst while it is written. */
struct batch {
	uint32_t first, next; /* entries written */
	uint32_t packets;
	uint32_t wire; /* frames that they are on the wire */
	uint64_t bytes;
};

/* One mbuf, no requests. */
static inline bool
is_plain(const struct rte_mbuf *m)
{
	return (m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) == 0 && m->nb_segs == 1 &&
		(uint32_t)m->data_len - RTE_ETHER_HDR_LEN <= PLAIN_MAX - RTE_ETHER_HDR_LEN;
}

/* The generation of entries from @p pos to the end of the ring; of the first of a batch the other one. */
static inline uint64_t
gen_of(const struct vx_txq *q, const struct batch *b, uint32_t pos)
{
	uint32_t gen = vx_gen(pos, q->log2) << VMXNET3_TXD_GEN_SHIFT;

	return pos == b->first ? gen ^ GEN : gen;
}

static inline void
put(struct vx_txq *q, struct batch *b, uint64_t addr, uint64_t hi, struct rte_mbuf *ends)
{
	uint32_t at = b->next & q->mask;

	q->ring[at].lo = rte_cpu_to_le_64(addr);
	q->ring[at].hi = rte_cpu_to_le_64(hi | gen_of(q, b, b->next));
	q->buf[at] = ends;
	b->next++;
}

/* Plain frames up to the first that is none, or to the end of the ring. @return how many */
static inline uint32_t
put_plain(struct vx_txq *q, struct batch *b, struct rte_mbuf **pkts, uint32_t nb)
{
	uint32_t at = b->next & q->mask, n = 0;
	const uint64_t first = VX_WORD3(VMXNET3_TXD_EOP) | gen_of(q, b, b->next);
	const uint64_t hi = VX_WORD3(VMXNET3_TXD_EOP) | gen_of(q, b, b->next + (b->next == b->first));
	struct vx_entry *e = &q->ring[at];
	struct rte_mbuf **buf = &q->buf[at];
	const uint16_t field = q->addr_field;
	uint64_t bytes = 0;
	bool look = false;

	nb = RTE_MIN(nb, q->mask + 1 - at);
	if (q->vec != NULL && nb >= q->vec->group && is_plain(pkts[0]))
		n = q->vec->put(q, at, pkts, nb, first, hi, &bytes, q->fast_free ? NULL : &look);
	for (; n < nb && likely(is_plain(pkts[n])); n++) {
		const struct rte_mbuf *m = pkts[n];

		e[n].lo = rte_cpu_to_le_64(vx_buf_dma(m, field) + m->data_off);
		e[n].hi = rte_cpu_to_le_64((n == 0 ? first : hi) | m->data_len);
		buf[n] = pkts[n];
		bytes += m->data_len;
		look |= !q->fast_free && (!vx_tx_is_idle(m) || m->pool != q->pool);
	}
	b->next += n;
	if (unlikely(look)) {
		q->look = b->next;
		q->pool = pkts[n - 1]->pool;
	}
	b->wire += n;
	b->bytes += bytes;
	return n;
}

static void
refuse(struct vx_txq *q, struct rte_mbuf *m)
{
	vx_count(&q->stats.errors, 1);
	rte_pktmbuf_free(m);
}

/* Segments without a byte have no descriptor. */
static void
put_segments(struct vx_txq *q, struct batch *b, struct rte_mbuf *m, const struct vx_tx_plan *plan)
{
	uint32_t at, len, left = plan->nb_descs;
	uint64_t hi = plan->hi;
	const struct rte_mbuf *s;

	for (s = m; s != NULL; s = s->next) {
		for (at = 0; at < s->data_len; at += len, hi = 0) {
			len = RTE_MIN(s->data_len - at, VMXNET3_TXD_LEN_ZERO);
			left--;
			put(q, b, vx_buf_dma(s, q->addr_field) + s->data_off + at,
				hi | (len & VMXNET3_TXD_LEN_MASK) |
					(left == 0 ? VX_WORD3(VMXNET3_TXD_EOP) : 0),
				left == 0 ? m : NULL);
		}
	}
}

/* A frame of any kind, or its end when it can never be sent. @return false: there is no room yet */
static bool
put_any(struct vx_txq *q, struct batch *b, struct rte_mbuf *m)
{
	struct vx_tx_plan plan;

	if (vx_tx_plan(&q->caps, m, &plan) != 0) {
		refuse(q, m);
		return true;
	}
	if (plan.nb_descs > q->mask - (b->next - q->done))
		return false;
	if (unlikely(plan.software != 0 && vx_tx_software(m, plan.software) != 0)) {
		refuse(q, m);
		return true;
	}
	put_segments(q, b, m, &plan);
	if (plan.nb_descs != 1 || m->nb_segs != 1)
		q->odd = b->next;
	q->look = b->next;
	b->wire += plan.nb_wire;
	b->bytes += m->pkt_len;
	b->packets++;
	return true;
}

/* Lets the device see what was written. */
static inline void
publish(struct vx_txq *q, const struct batch *b)
{
	struct vx_entry *first = &q->ring[b->first & q->mask];

	if (unlikely(b->next == b->first))
		return;
	q->ring[(b->next - 1) & q->mask].hi |= rte_cpu_to_le_64(VX_WORD3(VMXNET3_TXD_CQ));
	vx_store_gen(first, rte_le_to_cpu_64(first->hi) ^ GEN);
	q->next = b->next;
}

/* As many as share one completion. @return frames taken; 0: the ring is full */
static inline uint16_t
send_some(struct vx_txq *q, struct rte_mbuf **pkts, uint32_t nb, uint32_t *wire)
{
	struct batch b = { .first = q->next, .next = q->next };
	uint32_t limit = RTE_MIN(q->mask - (q->next - q->done), q->span), n = 0, k;

	while (n < nb && b.next - b.first < limit) {
		k = put_plain(q, &b, pkts + n, RTE_MIN(nb - n, limit - (b.next - b.first)));
		n += k;
		b.packets += k;
		if (likely(k != 0))
			continue;
		if (!put_any(q, &b, pkts[n]))
			break;
		n++;
	}
	publish(q, &b);
	*wire += b.wire;
	vx_count(&q->stats.packets, b.packets);
	vx_count(&q->stats.bytes, b.bytes);
	return (uint16_t)n;
}

/* The device says how many frames make a doorbell worth while; it may not want any. */
static inline void
doorbell(struct vx_txq *q, uint32_t wire)
{
	uint32_t *count = &q->desc->tx_num_deferred, *threshold = &q->desc->tx_threshold;
	uint32_t deferred = rte_le_to_cpu_32(__atomic_load_n(count, __ATOMIC_RELAXED)) + wire;
	bool ring = deferred >= rte_le_to_cpu_32(__atomic_load_n(threshold, __ATOMIC_RELAXED));

	__atomic_store_n(count, ring ? 0 : rte_cpu_to_le_32(deferred), __ATOMIC_RELAXED);
	if (ring)
		vx_bar0_write(q->dev, VMXNET3_REG_TXPROD + q->id * VMXNET3_REG_STRIDE, q->next & q->mask);
}

uint16_t
vx_tx_burst(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts)
{
	struct vx_txq *q = txq;
	uint32_t wire = 0;
	uint16_t n = 0, k;

	if (unlikely(!vx_gate_try(&q->gate)))
		return 0;
	if (q->next - q->done + nb_pkts > q->busy)
		vx_tx_reclaim(q, UINT32_MAX);
	while (n < nb_pkts) {
		k = send_some(q, pkts + n, nb_pkts - n, &wire);
		if (unlikely(k == 0 && vx_tx_reclaim(q, UINT32_MAX) == 0)) {
			vx_count(&q->stats.ring_full, 1);
			break;
		}
		n = (uint16_t)(n + k);
	}
	if (likely(wire != 0))
		doorbell(q, wire);
	vx_gate_leave(&q->gate);
	return n;
}
