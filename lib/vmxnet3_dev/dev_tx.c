/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmit: frames out of the guest's rings.
 *
 * A burst has two passes. The first follows the generation bits, copies descriptors and fetches
 * the beginnings of frames into the cache; the second makes frames. Positions in the state move when the
 * burst ends, each after its completion is visible: a process that dies in between has lost nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "dev_intr.h"
#include "dev_queue.h"
#include "dev_tx_load.h"

/* A driver makes a frame valid at once, by its first descriptor: one without an end stays so. */
#define NOEOP_PATIENCE_NS 10000000ull

/* txNumDeferred, which drivers count up until a threshold, is set back once in so many frames. */
#define DEFERRED_SHIFT 16

/* Distance in ring entries at which descriptors are fetched into the cache; four are in a line. */
#define PREFETCH_DESCS 12

struct vmxnet3_burst *
vmxnet3_burst_create(void)
{
	struct vmxnet3_burst *b = aligned_alloc(RTE_CACHE_LINE_SIZE,
		RTE_ALIGN_CEIL(sizeof(*b), RTE_CACHE_LINE_SIZE));

	if (b != NULL)
		memset(b, 0, sizeof(*b));
	return b;
}

void
vmxnet3_burst_destroy(struct vmxnet3_burst *burst)
{
	free(burst);
}

uint16_t
vmxnet3_dev_nb_tx_queues(const struct vmxnet3_dev *dev)
{
	return (uint16_t)atomic_load_explicit(&dev->nb_txq, memory_order_acquire);
}

static void
queue_broken(struct vmxnet3_dev *dev, struct dev_txq *q, uint32_t error)
{
	dev_count(&q->st->stats.error_pkts, 1);
	dev_drop(dev, VMXNET3_DROP_TX_BAD_DESC, 1);
	dev_txq_fail(dev, q, error);
}

/* The next frame's descriptors end in nothing. @return whether to give the queue up. */
static bool
noeop_lasts(struct vmxnet3_dev *dev, struct dev_txq *q)
{
	uint64_t now = dev->ops.now(dev->ops.ctx);

	if (q->noeop_since == 0) {
		q->noeop_since = now | 1;
		return false;
	}
	return now - q->noeop_since > NOEOP_PATIENCE_NS;
}

/*
 * Copies the descriptors of the frame at @p pos.
 *
 * @return whether it is whole; @p pos is then after it. Otherwise *error is 0, there is no frame yet,
 *         or what the guest did.
 */
static inline bool
scan_packet(struct dev_txq *q, struct vmxnet3_burst *b, struct dev_ring_pos *pos,
	struct tx_packet *p, uint32_t *error)
{
	struct vmxnet3_desc *d = &b->desc[b->nb_descs];
	uint32_t max = RTE_MIN((uint32_t)VMXNET3_TX_MAX_DESCS, pos->size);
	struct dev_ring_pos at = *pos;
	uint32_t n, len = 0;

	*error = 0;
	for (n = 0; n < max; n++, d++) {
		if (!dev_ring_read(&q->ring, &at, VMXNET3_TXD_GEN_SHIFT, d)) {
			*error = n == 0 ? 0 : VMXNET3_ERR_NOEOP;
			return false;
		}
		if (unlikely(d->dw[2] & VMXNET3_TXD_DTYPE)) {
			*error = VMXNET3_ERR_DESC_NOT_SPT;
			return false;
		}
		len += tx_desc_len(d);
		if (d->dw[3] & VMXNET3_TXD_EOP)
			break;
		dev_ring_advance(&at);
	}
	if (unlikely(n == max)) {
		*error = max == pos->size ? VMXNET3_ERR_NOEOP : VMXNET3_ERR_BIG_PKT;
		return false;
	}
	p->first = b->nb_descs;
	p->nb_descs = (uint16_t)(n + 1);
	p->eop = (uint16_t)at.next;
	p->cq = d->dw[3] & VMXNET3_TXD_CQ;
	p->len = len;
	dev_ring_advance(&at);
	p->next = (uint16_t)at.next;
	p->gen = (uint8_t)at.gen;
	b->nb_descs = (uint16_t)(b->nb_descs + n + 1);
	*pos = at;
	return true;
}

static inline void
prefetch_ring(const struct dev_ring *ring, const struct dev_ring_pos *pos)
{
	uint32_t i = pos->next + PREFETCH_DESCS;

	if (i % 4 == 0)
		rte_prefetch0(dev_ring_entry(ring, i < pos->size ? i : 0));
}

/* Where a frame begins; its first bytes are wanted in the second pass. */
static inline void
prefetch_packet(struct vmxnet3_dev *dev, struct dev_txq *q, const struct vmxnet3_desc *sop)
{
	uint32_t len = 1;
	uint8_t *host = dev_tlb_at(dev, &q->tlb, dev_desc_addr(sop), &len, VFU_DMA_READ);

	if (likely(host != NULL))
		rte_prefetch0(host);
}

/* First pass: as many frames as are in the ring, at most @p max. */
static void
scan(struct vmxnet3_dev *dev, struct dev_txq *q, struct vmxnet3_burst *b, uint16_t max)
{
	struct dev_ring_pos pos = q->st->ring;
	uint32_t error = 0;

	while (b->nb_packets < max && b->nb_descs + VMXNET3_TX_MAX_DESCS <= BURST_DESCS) {
		struct tx_packet *p = &b->packet[b->nb_packets];

		if (!scan_packet(q, b, &pos, p, &error))
			break;
		prefetch_ring(&q->ring, &pos);
		prefetch_packet(dev, q, &b->desc[p->first]);
		b->nb_packets++;
	}
	if (likely(error == 0 || b->nb_packets > 0)) {
		/* An error waits until the frames before it are done. */
		if (unlikely(q->noeop_since != 0))
			q->noeop_since = 0;
		return;
	}
	if (error != VMXNET3_ERR_NOEOP || noeop_lasts(dev, q))
		queue_broken(dev, q, error);
}

static void
count_drop(struct vmxnet3_dev *dev, struct dev_txq *q, enum vmxnet3_drop reason)
{
	dev_drop(dev, reason, 1);
	dev_count(reason == VMXNET3_DROP_TX_LINK_DOWN ? &q->st->stats.discard_pkts :
		&q->st->stats.error_pkts, 1);
}

/* What goes on the wire for a large frame: after segmentation. */
static void
count_tso(struct dev_txq *q, const struct offload_frame *f, uint64_t *pkts, uint64_t *bytes)
{
	uint32_t payload = f->len - f->hdr_len;
	uint32_t n = payload == 0 ? 1 : (payload + f->mss - 1) / f->mss;

	*pkts += n;
	*bytes += payload + (uint64_t)n * f->hdr_len;
	dev_count(&q->st->stats.tso_pkts, 1);
	dev_count(&q->st->stats.tso_bytes, f->len);
	dev_count(&q->tso, 1);
}

static void
count_frames(struct dev_txq *q, const struct vmxnet3_burst *b)
{
	struct vmxnet3_tx_stats *s = &q->st->stats;
	struct dev_tally t = { { 0 }, { 0 } };
	uint64_t bytes = 0;
	uint16_t i;

	for (i = 0; i < b->nb_frames; i++) {
		const struct offload_frame *f = &b->frame[i];
		enum dev_cast cast = dev_cast_of(f->seg[0].data);

		bytes += f->len;
		if (unlikely(f->request == OFFLOAD_TSO)) {
			count_tso(q, f, &t.pkts[cast], &t.bytes[cast]);
		} else {
			t.pkts[cast]++;
			t.bytes[cast] += f->len;
		}
	}
	dev_count(&s->ucast_pkts, t.pkts[DEV_CAST_UNI]);
	dev_count(&s->ucast_bytes, t.bytes[DEV_CAST_UNI]);
	dev_count(&s->mcast_pkts, t.pkts[DEV_CAST_MULTI]);
	dev_count(&s->mcast_bytes, t.bytes[DEV_CAST_MULTI]);
	dev_count(&s->bcast_pkts, t.pkts[DEV_CAST_BROAD]);
	dev_count(&s->bcast_bytes, t.bytes[DEV_CAST_BROAD]);
	dev_count(&q->frames, b->nb_frames);
	dev_count(&q->bytes, bytes);
}

/* Second pass. What cannot become a frame is completed in its turn like the others. */
static void
load(struct vmxnet3_dev *dev, struct dev_txq *q, struct vmxnet3_burst *b)
{
	bool link_up = dev_link_up(dev);
	enum vmxnet3_drop reason;
	uint16_t i;

	for (i = 0; i < b->nb_packets; i++) {
		enum tx_verdict v = TX_DROP;

		reason = VMXNET3_DROP_TX_LINK_DOWN;
		if (likely(link_up))
			v = dev_tx_load(dev, q, b, &b->packet[i], &reason);
		if (likely(v == TX_TAKEN))
			b->nb_frames++;
		else if (v == TX_DROP)
			count_drop(dev, q, reason);
		else
			break;
	}
	b->nb_taken = i;
}

static bool
queue_usable(struct vmxnet3_dev *dev, uint16_t queue)
{
	const struct dev_txq *q;

	if (queue >= vmxnet3_dev_nb_tx_queues(dev))
		return false;
	q = &dev->txq[queue];
	return atomic_load_explicit(&q->ready, memory_order_acquire) &&
		!atomic_load_explicit(&q->failed, memory_order_relaxed);
}

uint16_t
vmxnet3_dev_tx_begin(struct vmxnet3_dev *dev, uint16_t queue, struct vmxnet3_burst *burst, uint16_t max,
	struct offload_frame **frames)
{
	struct dev_txq *q;

	if (!queue_usable(dev, queue))
		return 0;
	q = &dev->txq[queue];
	burst->nb_packets = 0;
	burst->nb_taken = 0;
	burst->nb_frames = 0;
	burst->nb_descs = 0;
	burst->nb_segs = 0;
	burst->nb_bytes = 0;
	dev_tlb_begin(dev, &q->tlb);
	scan(dev, q, burst, RTE_MIN(max, (uint16_t)VMXNET3_BURST_FRAMES));
	if (burst->nb_packets == 0)
		return 0;
	load(dev, q, burst);
	if (burst->nb_frames == 0)
		vmxnet3_dev_tx_end(dev, queue, burst);
	else
		count_frames(q, burst);
	*frames = burst->frame;
	return burst->nb_frames;
}

/* Positions of a memory file: another process may read them at any time, so their order is kept. */
static inline void
complete(struct dev_txq *q, const struct tx_packet *p)
{
	struct dev_ring_pos *comp = &q->st->comp;

	if (likely(p->cq)) {
		dev_comp_write(dev_ring_entry(&q->comp, comp->next), p->eop, 0, 0,
			comp->gen << VMXNET3_CD_GEN_SHIFT);
		atomic_thread_fence(memory_order_release);
		dev_ring_advance(comp);
	}
	q->st->ring.next = p->next;
	q->st->ring.gen = p->gen;
	atomic_thread_fence(memory_order_release);
}

/* A threshold that is out of reach spares the driver its doorbells; its counter must not get there. */
static inline void
reset_deferred(const struct vmxnet3_dev *dev, struct dev_txq *q, uint64_t frames_before)
{
	if (likely((q->frames ^ frames_before) >> DEFERRED_SHIFT == 0))
		return;
	if (q->deferred != NULL && dev->conf.doorbell == VMXNET3_DOORBELL_MEMORY)
		__atomic_store_n((uint32_t *)(void *)q->deferred, 0, __ATOMIC_RELAXED);
}

void
vmxnet3_dev_tx_end(struct vmxnet3_dev *dev, uint16_t queue, struct vmxnet3_burst *burst)
{
	struct dev_txq *q = &dev->txq[queue];
	bool completed = false;
	uint16_t i;

	for (i = 0; i < burst->nb_taken; i++) {
		complete(q, &burst->packet[i]);
		completed |= burst->packet[i].cq;
	}
	burst->nb_taken = 0;
	if (completed)
		dev_intr_mark(dev, q->st->intr_idx);
	reset_deferred(dev, q, q->frames - burst->nb_frames);
}
