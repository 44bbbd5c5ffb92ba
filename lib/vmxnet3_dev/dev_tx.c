/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmit: frames out of the guest's rings.
 *
 * A burst has two passes. The first follows the generation bits, copies what descriptors say and fetches
 * the beginnings of frames into the cache; the second makes frames. Positions in the state move once, when the
 * burst has ended and its completions are visible. A process that dies inside a burst leaves a queue whose driver has
 * to start anew (TQERR), as it does on the side of receive.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_ether.h>

#include "dev_intr.h"
#include "dev_queue.h"
#include "dev_tx_load.h"

/* A driver makes a frame valid at once, by its first descriptor: one without an end stays so. */
#define NOEOP_PATIENCE_NS 10000000ull

/* txNumDeferred, which drivers count up until a threshold, is set back once in so many frames. */
#define DEFERRED_SHIFT 16

/* Distance in ring entries at which descriptors are fetched into the cache; four are in a line. */
#define PREFETCH_DESCS 12
#define DESCS_PER_LINE 4

/* What is looked at in a descriptor to tell whether its frame is plain: of dwords 2 and 3. */
#define PLAIN_MASK DEV_HIGH(1u << VMXNET3_TXD_GEN_SHIFT | VMXNET3_TXD_DTYPE, \
	VMXNET3_TXD_EOP | VMXNET3_TXD_OM_MASK << VMXNET3_TXD_OM_SHIFT)

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
	p->host = NULL;
	p->first = b->nb_descs;
	p->nb_descs = (uint16_t)(n + 1);
	p->eop = (uint16_t)at.next;
	p->cq = d->dw[3] & VMXNET3_TXD_CQ;
	p->len = len;
	dev_ring_advance(&at);
	p->gen = (uint8_t)at.gen;
	b->nb_descs = (uint16_t)(b->nb_descs + n + 1);
	*pos = at;
	return true;
}

/*
 * Takes plain frames, up to the first that is not, or does not lie in the mapping hit last. The bytes that can be read
 * beyond are of the same mapping, and so is the longest frame: then its end need not be looked at.
 */
static inline void
scan_plain(struct dev_txq *q, struct vmxnet3_burst *b, struct dev_ring_pos *pos, uint16_t max)
{
	const struct vfu_dma_range *range = &q->tlb.range;
	const uint64_t beyond = VMXNET3_TXD_LEN_ZERO + TX_BEYOND;
	const uint64_t room = range->len > beyond && range->prot & VFU_DMA_READ ? range->len - beyond : 0;
	const uint64_t want = DEV_HIGH(pos->gen << VMXNET3_TXD_GEN_SHIFT, VMXNET3_TXD_EOP);
	struct tx_packet *p = &b->packet[b->nb_packets], *end;
	const struct vmxnet3_desc *d;
	uint32_t run, at = pos->next;

	d = dev_ring_run(&q->ring, at, &run);
	end = p + RTE_MIN((uint32_t)max - b->nb_packets, run);
	for (; p < end; p++, d++, at++) {
		uint64_t high = dev_desc_high(d), offset;
		uint32_t len = (uint32_t)high & VMXNET3_TXD_LEN_MASK;

		if ((high ^ want) & PLAIN_MASK)
			break;
		offset = dev_desc_low(d) - range->iova;
		if (unlikely(offset >= room || len < RTE_ETHER_HDR_LEN))
			break;
		p->host = range->host + offset;
		rte_prefetch0(p->host);
		if (len > RTE_CACHE_LINE_SIZE) {
			rte_prefetch0(p->host + RTE_CACHE_LINE_SIZE);
			rte_prefetch0(p->host + 2 * RTE_CACHE_LINE_SIZE);
		}
		rte_prefetch0(d + PREFETCH_DESCS);
		p->len = len;
		p->dw3 = (uint32_t)(high >> 32);
		p->eop = (uint16_t)at;
		p->gen = (uint8_t)pos->gen;
		p->cq = p->dw3 & VMXNET3_TXD_CQ;
	}
	b->nb_packets = (uint16_t)(p - b->packet);
	pos->next = at;
	if (at == pos->size) {
		pos->next = 0;
		pos->gen ^= 1;
		p[-1].gen ^= 1;
	}
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

	while (b->nb_descs + VMXNET3_TX_MAX_DESCS <= BURST_DESCS) {
		struct tx_packet *p;

		scan_plain(q, b, &pos, max);
		p = &b->packet[b->nb_packets];
		if (b->nb_packets == max || !scan_packet(q, b, &pos, p, &error))
			break;
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

/* A large frame. @return how many it is on the wire, after segmentation, and *bytes of them */
static uint32_t
count_tso(struct dev_txq *q, const struct offload_frame *f, uint64_t *bytes)
{
	uint32_t payload = f->len - f->hdr_len;
	uint32_t n = payload == 0 ? 1 : (payload + f->mss - 1) / f->mss;

	*bytes = payload + (uint64_t)n * f->hdr_len;
	dev_count(&q->st->stats.tso_pkts, 1);
	dev_count(&q->st->stats.tso_bytes, f->len);
	dev_count(&q->tso, 1);
	return n;
}

/* Those that are neither unicast nor small: few. */
static __rte_noinline void
count_other(struct dev_txq *q, const struct offload_frame *f)
{
	struct vmxnet3_tx_stats *s = &q->st->stats;
	uint64_t pkts = 1, bytes = f->len;

	if (f->request == OFFLOAD_TSO)
		pkts = count_tso(q, f, &bytes);
	switch (dev_cast_of(f->seg[0].data)) {
	case DEV_CAST_UNI:
		dev_count(&s->ucast_pkts, pkts);
		dev_count(&s->ucast_bytes, bytes);
		break;
	case DEV_CAST_MULTI:
		dev_count(&s->mcast_pkts, pkts);
		dev_count(&s->mcast_bytes, bytes);
		break;
	default:
		dev_count(&s->bcast_pkts, pkts);
		dev_count(&s->bcast_bytes, bytes);
	}
}

static void
count_frames(struct dev_txq *q, const struct vmxnet3_burst *b)
{
	const struct offload_frame *f = b->frame, *end = f + b->nb_frames;
	uint64_t bytes = 0, unicast = 0, unicast_bytes = 0;

	for (; f < end; f++) {
		bytes += f->len;
		if (unlikely(f->request == OFFLOAD_TSO || f->seg[0].data[0] & 1)) {
			count_other(q, f);
			continue;
		}
		unicast++;
		unicast_bytes += f->len;
	}
	dev_count(&q->st->stats.ucast_pkts, unicast);
	dev_count(&q->st->stats.ucast_bytes, unicast_bytes);
	dev_count(&q->frames, b->nb_frames);
	dev_count(&q->bytes, bytes);
}

/* Second pass. What cannot become a frame is completed in its turn like the others. */
static void
load(struct vmxnet3_dev *dev, struct dev_txq *q, struct vmxnet3_burst *b)
{
	const struct tx_packet *p = b->packet, *end = p + b->nb_packets;
	const bool link_up = dev_link_up(dev);
	enum vmxnet3_drop reason;

	while (p < end && dev_tx_has_room(b)) {
		if (unlikely(!link_up))
			count_drop(dev, q, VMXNET3_DROP_TX_LINK_DOWN);
		else if (p->host != NULL)
			p = dev_tx_load_plain(b, p, end) - 1;
		else if (!dev_tx_load(dev, q, b, p, &reason))
			count_drop(dev, q, reason);
		p++;
	}
	b->nb_taken = (uint16_t)(p - b->packet);
}

static bool
queue_usable(const struct vmxnet3_dev *dev, uint16_t queue)
{
	const struct dev_txq *q;

	if (queue >= vmxnet3_dev_nb_tx_queues(dev))
		return false;
	q = &dev->txq[queue];
	return atomic_load_explicit(&q->ready, memory_order_acquire) &&
		!atomic_load_explicit(&q->failed, memory_order_relaxed);
}

void
vmxnet3_dev_tx_prefetch(const struct vmxnet3_dev *dev, uint16_t queue)
{
	if (!queue_usable(dev, queue))
		return;
	rte_prefetch0(dev->txq[queue].next);
	rte_prefetch0(dev->txq[queue].next + DESCS_PER_LINE);
}

uint64_t
vmxnet3_dev_tx_pending(const struct vmxnet3_dev *dev, uint64_t queues)
{
	uint64_t left = queues & ((UINT64_C(1) << vmxnet3_dev_nb_tx_queues(dev)) - 1), pending = 0;

	static_assert(VMXNET3_MAX_TX_QUEUES < 64, "a bit each");
	for (; left != 0; left &= left - 1) {
		uint16_t i = (uint16_t)__builtin_ctzll(left);
		const struct dev_txq *q = &dev->txq[i];

		if (queue_usable(dev, i) && (dev_desc_high(q->next) >> VMXNET3_TXD_GEN_SHIFT & 1) == q->next_gen)
			pending |= left & -left;
	}
	return pending;
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

/*
 * Writes what completions are wanted, then the positions, of a memory file that others may read at any time: they are
 * exact whenever no thread is inside the device. @return number of completions
 */
static uint32_t
complete(struct dev_txq *q, const struct tx_packet *p, uint16_t n)
{
	const struct tx_packet *end = p + n;
	struct dev_ring_pos comp = q->st->comp;
	uint32_t completed = 0;

	for (; p < end; p++) {
		if (unlikely(!p->cq))
			continue;
		dev_comp_write(dev_ring_entry(&q->comp, comp.next), p->eop, 0, 0,
			comp.gen << VMXNET3_CD_GEN_SHIFT);
		dev_ring_advance(&comp);
		completed++;
	}
	dev_pos_put(&q->st->comp, &comp);
	atomic_thread_fence(memory_order_release);
	q->st->ring.next = end[-1].eop + 1u == q->st->ring.size ? 0 : end[-1].eop + 1u;
	q->st->ring.gen = end[-1].gen;
	dev_txq_find_next(q);
	return completed;
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
	uint32_t completed;

	if (burst->nb_taken > 0) {
		completed = complete(q, burst->packet, burst->nb_taken);
		if (completed != 0)
			dev_intr_mark(dev, q->st->intr_idx, DEV_DUE_TX(completed));
	}
	burst->nb_taken = 0;
	reset_deferred(dev, q, q->frames - burst->nb_frames);
}
