/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_rx_frame.h"

#include <rte_memcpy.h>

#include "vx_rx_inner.h"
#include "vx_rx_meta.h"

/* Longest frame: 64 KiB of layer 3 under a header with tags. */
#define FRAME_MAX (UINT16_MAX + RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

/* ---- the unfinished frame ---- */

static void
frame_begin(struct vx_rxq *q, struct rte_mbuf *m, uint64_t lo, uint64_t hi)
{
	uint32_t type = VX_COMP_KIND(hi) & 0x7f;

	q->first = q->last = m;
	q->whole = VX_RX_NEVER;
	/* A large frame tells its MSS where others have the hash and a checksum, and only there. */
	q->mss = type == VMXNET3_CD_TYPE_RX_LRO && (lo >> 32 & 0xff) > 1 ? (uint16_t)(hi >> 32) : 0;
}

static void
frame_end(struct vx_rxq *q)
{
	q->first = NULL;
	q->whole = VX_RX_WHOLE(q->id);
}

/* What has come of the frame is given up, and so is what may still come. */
static void
nonsense(struct vx_rxq *q, uint64_t lo)
{
	vx_count(&q->stats.bad_completions, 1);
	rte_pktmbuf_free(q->first);
	frame_end(q);
	q->skip = !(lo & VMXNET3_RCD_EOP);
}

/* ---- one buffer ---- */

/* Bytes that fit, by the ring that a completion names; 0: there is no such ring. */
static uint32_t
room_of(struct vx_rxq *q, uint32_t id, struct vx_rx_ring **r)
{
	*r = &q->ring[VX_RX_HEAD];
	if (likely(id == q->id))
		return q->buf_len;
	if (id == (uint32_t)q->id + 2 * q->nb_rxq)
		return q->data_size;
	*r = &q->ring[VX_RX_BODY];
	return id == (uint32_t)q->id + q->nb_rxq && (*r)->mask != 0 ? q->buf_len : 0;
}

/* Takes entry @p index back from the device, and those before it, which it passed over. NULL: it does not have it. */
static struct rte_mbuf *
take_entry(struct vx_rx_ring *r, uint32_t index)
{
	uint32_t ahead = (index - r->done) & r->mask;

	if (unlikely(index > r->mask || ahead >= r->fill - r->done))
		return NULL;
	for (; unlikely(ahead > 0); ahead--)
		rte_mbuf_raw_free(r->buf[r->done++ & r->mask]);
	return r->buf[r->done++ & r->mask];
}

static void
copy_data(const struct vx_rxq *q, struct rte_mbuf *m, uint32_t index, uint32_t len)
{
	rte_memcpy((char *)m->buf_addr + RTE_PKTMBUF_HEADROOM, q->data + (size_t)index * q->data_size, len);
}

/* Adds a buffer that is filled. @return whether the frame may be that long */
static bool
append(struct vx_rxq *q, struct rte_mbuf *m, uint32_t len)
{
	struct rte_mbuf *first = q->first;

	if (unlikely(first->pkt_len + len > FRAME_MAX || first->nb_segs > q->ring[VX_RX_BODY].mask))
		return false;
	q->last->next = m;
	q->last = m;
	first->nb_segs++;
	first->pkt_len += len;
	return true;
}

/* ---- completions ---- */

static void
prepare(const struct vx_rxq *q, struct rte_mbuf *m, uint32_t len)
{
	vx_rx_rearm(m, q->rearm);
	m->pkt_len = len;
	m->data_len = (uint16_t)len;
}

/* The frame is whole. @return it, or NULL */
static struct rte_mbuf *
finish(struct vx_rxq *q, uint64_t lo, uint64_t hi)
{
	struct rte_mbuf *m = q->first;

	frame_end(q);
	if (unlikely(hi & VMXNET3_RCD_ERR)) {
		vx_count(&q->stats.errors, 1);
		rte_pktmbuf_free(m);
		return NULL;
	}
	vx_rx_describe(m, lo, hi);
	if (unlikely(lo & VMXNET3_RCD_INNER))
		vx_rx_describe_inner(q, m);
	if (q->mss != 0) {
		m->ol_flags |= RTE_MBUF_F_RX_LRO;
		m->tso_segsz = q->mss;
		if (lo & VMXNET3_RCD_SOP)
			m->ol_flags &= ~RTE_MBUF_F_RX_RSS_HASH;
	}
	return m;
}

/*
 * A filled buffer in its place in a frame.
 *
 * @param ring0  it is of the first ring or of the data ring
 * @return whether there is a frame now that it belongs to; if not, it is freed
 */
static bool
place(struct vx_rxq *q, struct rte_mbuf *m, uint64_t lo, uint64_t hi, uint32_t len, bool ring0)
{
	bool sop = lo & VMXNET3_RCD_SOP;

	if (sop) {
		if (unlikely(q->first != NULL))
			nonsense(q, lo);
		q->skip = false;
		if (likely(ring0 && len != 0)) {
			frame_begin(q, m, lo, hi);
			return true;
		}
		/* Without a byte, and alone: the device had no use for the buffer. */
		if (!ring0 || !(lo & VMXNET3_RCD_EOP))
			nonsense(q, lo);
	} else if (q->first != NULL) {
		if (len == 0 && !ring0) {
			rte_mbuf_raw_free(m);
			return true;
		}
		if (likely(!ring0 && append(q, m, len)))
			return true;
		nonsense(q, lo);
	} else if (!q->skip) {
		nonsense(q, lo);
	} else {
		q->skip = !(lo & VMXNET3_RCD_EOP);
	}
	rte_mbuf_raw_free(m);
	return false;
}

struct rte_mbuf *
vx_rx_take(struct vx_rxq *q)
{
	const struct vx_entry *e = &q->comp[q->next++ & q->comp_mask];
	uint64_t hi = vx_load_gen(e), lo = vx_load_lo(e);
	uint32_t index = lo & VMXNET3_RCD_INDEX_MASK, len = hi & VMXNET3_RCD_LEN_MASK;
	uint32_t id = lo >> VMXNET3_RCD_RQID_SHIFT & VX_RX_ID_MASK;
	uint32_t room;
	bool in_data = id == (uint32_t)q->id + 2 * q->nb_rxq;
	struct vx_rx_ring *r;
	struct rte_mbuf *m;

	room = room_of(q, id, &r);
	if (unlikely(room == 0)) {
		nonsense(q, lo);
		return NULL;
	}
	m = take_entry(r, index);
	if (unlikely(m == NULL)) {
		nonsense(q, lo);
		return NULL;
	}
	prepare(q, m, len);
	if (unlikely(len > room || (in_data && (~lo & (VMXNET3_RCD_SOP | VMXNET3_RCD_EOP))))) {
		rte_mbuf_raw_free(m);
		nonsense(q, lo);
		return NULL;
	}
	if (in_data)
		copy_data(q, m, index, len);
	if (!place(q, m, lo, hi, len, r == &q->ring[VX_RX_HEAD]) || !(lo & VMXNET3_RCD_EOP))
		return NULL;
	return finish(q, lo, hi);
}
