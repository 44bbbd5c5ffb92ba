/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive rings: buffers and completion slots for frames.
 *
 * Ring positions in the state advance here, when slots are reserved, because the next producer has to
 * start behind them. They are exact, with every completion before them visible, whenever no thread is
 * inside the device, which is when control saves or hands over the state. A process that dies between
 * reservation and completion leaves slots that stay empty, and drivers wait at the first of them:
 * whoever takes over such a state must make the driver start anew (RQERR), it cannot go on.
 */
#include "dev_rx_ring.h"

#include "dev_queue.h"

/* BODY descriptors skipped on the way to a HEAD at once; drivers leave a few after a short frame. */
#define MAX_SKIP 64
/* A HEAD buffer has at least this much. */
#define MIN_HEAD 128
/* Distance in ring entries at which descriptors are fetched into the cache; four are in a line. */
#define PREFETCH_DESCS 8
/* What is looked at in a descriptor to tell whether a frame can begin there. */
#define HEAD_MASK (UINT64_C(1) << VMXNET3_RXD_GEN_SHIFT | VMXNET3_RXD_DTYPE | VMXNET3_RXD_BODY)

struct cursor {
	struct vmxnet3_dev *dev;
	struct dev_rxq *q;
	struct dev_ring_pos ring[2], comp;
	uint32_t queue, nb_rxq;
	uint32_t max_bufs;
	uint32_t data_size; /* of a slot in the data ring; 0: none */
	uint32_t error; /* VMXNET3_ERR_*, with RX_BAD_DESC */
};

static inline bool
read_desc(const struct cursor *c, unsigned int r, const struct dev_ring_pos *pos,
	struct vmxnet3_desc *d)
{
	return dev_ring_read(&c->q->ring[r], pos, VMXNET3_RXD_GEN_SHIFT, d);
}

static inline uint32_t
desc_len(const struct vmxnet3_desc *d)
{
	return d->dw[2] & VMXNET3_RXD_LEN_MASK;
}

static enum rx_fit
broken(struct cursor *c, uint32_t error)
{
	c->error = error;
	return RX_BAD_DESC;
}

/*
 * Moves ring 0 to its next HEAD. BODYs on the way are given up for good, whatever becomes of the frame:
 * no frame can begin with them.
 */
static inline enum rx_fit
find_head(struct cursor *c, struct vmxnet3_desc *d)
{
	struct dev_ring_pos *pos = &c->ring[0];
	unsigned int i;

	for (i = 0; i <= MAX_SKIP; i++) {
		if (!read_desc(c, 0, pos, d))
			return RX_NO_BUFFER;
		if (unlikely(d->dw[2] & VMXNET3_RXD_DTYPE))
			return broken(c, VMXNET3_ERR_DESC_NOT_SPT);
		if (likely(!(d->dw[2] & VMXNET3_RXD_BODY)))
			return likely(desc_len(d) >= MIN_HEAD) ? RX_FITS :
				broken(c, VMXNET3_ERR_SMALL_BUF);
		dev_ring_advance(pos);
	}
	return RX_NO_BUFFER;
}

/* The next BODY: the one that follows in ring 0 if there is one, else that of ring 1. */
static enum rx_fit
find_body(struct cursor *c, struct dev_ring_pos pos[2], struct vmxnet3_desc *d, unsigned int *ring)
{
	*ring = 0;
	if (!read_desc(c, 0, &pos[0], d) || !(d->dw[2] & VMXNET3_RXD_BODY)) {
		*ring = 1;
		if (pos[1].size == 0 || !read_desc(c, 1, &pos[1], d))
			return RX_NO_BUFFER;
		if (!(d->dw[2] & VMXNET3_RXD_BODY))
			return broken(c, VMXNET3_ERR_DESC_NOT_SPT);
	}
	if (d->dw[2] & VMXNET3_RXD_DTYPE)
		return broken(c, VMXNET3_ERR_DESC_NOT_SPT);
	return desc_len(d) > 0 ? RX_FITS : broken(c, VMXNET3_ERR_SMALL_BUF);
}

static void
add_slot(const struct cursor *c, struct dev_ring_pos *comp, struct rx_batch *b, uint32_t index,
	uint32_t id, uint32_t len)
{
	b->slot[b->nb_slots++] = (struct rx_slot){
		.comp = dev_ring_entry(&c->q->comp, comp->next),
		.dw0 = (index & VMXNET3_RCD_INDEX_MASK) | id << VMXNET3_RCD_RQID_SHIFT,
		.len = (uint16_t)len,
		.gen = (uint8_t)comp->gen,
	};
	dev_ring_advance(comp);
}

static bool
add_pieces(const struct cursor *c, struct rx_item *it, struct rx_batch *b, uint64_t iova, uint32_t len)
{
	struct offload_seg *piece = &b->piece[it->first_piece];

	if (unlikely(!dev_segs_add(c->dev, &c->q->tlb, iova, len, VFU_DMA_WRITE, piece,
			&it->nb_pieces)))
		return false;
	/* It is written soon, after the lock is given back. */
	__builtin_prefetch(piece->data, 1, 3);
	return true;
}

/* The HEAD is all that is needed, or the slot of the receive data ring that belongs to it. */
static enum rx_fit
place_in_one(struct cursor *c, struct rx_item *it, struct rx_batch *b, uint64_t iova, uint32_t id)
{
	if (unlikely(!add_pieces(c, it, b, iova, it->len)))
		return RX_BAD_ADDRESS;
	add_slot(c, &c->comp, b, c->ring[0].next, id, it->len);
	dev_ring_advance(&c->ring[0]);
	return RX_FITS;
}

/* Into a chain of buffers, of which @p d, the HEAD, is the first. */
static enum rx_fit
place_in_chain(struct cursor *c, struct rx_item *it, struct rx_batch *b, struct vmxnet3_desc *d)
{
	struct dev_ring_pos pos[2] = { c->ring[0], c->ring[1] };
	struct dev_ring_pos comp = c->comp;
	uint32_t n, k, left = it->len;
	unsigned int ring = 0;
	enum rx_fit fit;

	for (k = 1;; k++) {
		n = RTE_MIN(left, desc_len(d));
		if (unlikely(!add_pieces(c, it, b, dev_desc_addr(d), n)))
			return RX_BAD_ADDRESS;
		add_slot(c, &comp, b, pos[ring].next, c->queue + ring * c->nb_rxq, n);
		dev_ring_advance(&pos[ring]);
		left -= n;
		if (left == 0)
			break;
		if (k == c->max_bufs)
			return RX_NO_BUFFER;
		fit = find_body(c, pos, d, &ring);
		if (fit != RX_FITS)
			return fit;
	}
	c->ring[0] = pos[0];
	c->ring[1] = pos[1];
	c->comp = comp;
	return RX_FITS;
}

/* Finds room for one frame. What does not fit consumes nothing. */
static enum rx_fit
place(struct cursor *c, struct rx_item *it, struct rx_batch *b)
{
	struct vmxnet3_desc d;
	enum rx_fit fit = find_head(c, &d);

	it->first_slot = b->nb_slots;
	it->first_piece = b->nb_pieces;
	it->nb_pieces = 0;
	if (unlikely(fit != RX_FITS))
		return fit;
	if (it->len <= c->data_size)
		fit = place_in_one(c, it, b, c->q->st->data_pa +
			(uint64_t)c->ring[0].next * c->data_size, c->queue + 2 * c->nb_rxq);
	else if (it->len <= desc_len(&d))
		fit = place_in_one(c, it, b, dev_desc_addr(&d), c->queue);
	else
		fit = place_in_chain(c, it, b, &d);
	if (unlikely(fit != RX_FITS)) {
		b->nb_slots = it->first_slot;
		return fit;
	}
	it->nb_slots = (uint8_t)(b->nb_slots - it->first_slot);
	b->nb_pieces = (uint16_t)(b->nb_pieces + it->nb_pieces);
	return RX_FITS;
}

/* What a run of items adds to the queue's statistics. */
struct sums {
	struct dev_tally cast;
	uint64_t frames, bytes;
	uint64_t lro, lro_bytes;
	uint64_t out_of_buf, errors;
	bool others; /* not only plain ones */
};

static void
sum_item(struct sums *s, const struct rx_item *it)
{
	s->others = true;
	if (unlikely(it->fit != RX_FITS)) {
		if (it->fit == RX_NO_BUFFER)
			s->out_of_buf += it->given;
		else
			s->errors += it->given;
		return;
	}
	s->frames++;
	s->bytes += it->len;
	s->cast.pkts[it->cast] += it->wire_pkts;
	s->cast.bytes[it->cast] += it->wire_bytes;
	if (it->mss != 0) {
		s->lro++;
		s->lro_bytes += it->len;
	}
}

static void
count_sums(struct dev_rxq *q, const struct sums *s)
{
	struct vmxnet3_rx_stats *st = &q->st->stats;

	dev_count(&st->ucast_pkts, s->cast.pkts[DEV_CAST_UNI]);
	dev_count(&st->ucast_bytes, s->cast.bytes[DEV_CAST_UNI]);
	dev_count(&q->frames, s->frames);
	dev_count(&q->bytes, s->bytes);
	if (likely(!s->others))
		return;
	dev_count(&st->lro_pkts, s->lro);
	dev_count(&st->lro_bytes, s->lro_bytes);
	dev_count(&st->mcast_pkts, s->cast.pkts[DEV_CAST_MULTI]);
	dev_count(&st->mcast_bytes, s->cast.bytes[DEV_CAST_MULTI]);
	dev_count(&st->bcast_pkts, s->cast.pkts[DEV_CAST_BROAD]);
	dev_count(&st->bcast_bytes, s->cast.bytes[DEV_CAST_BROAD]);
	dev_count(&st->out_of_buf_pkts, s->out_of_buf);
	dev_count(&st->error_pkts, s->errors);
	dev_count(&q->lro, s->lro);
}

static void
cursor_open(struct cursor *c, struct vmxnet3_dev *dev, uint32_t queue, uint32_t nb_rxq)
{
	struct dev_rxq *q = &dev->rxq[queue];
	uint32_t sg = dev->st->cfg.max_num_rx_sg;

	c->dev = dev;
	c->q = q;
	c->queue = queue;
	c->nb_rxq = nb_rxq;
	c->max_bufs = sg != 0 ? RTE_MIN(sg, (uint32_t)RX_MAX_BUFS) : RX_MAX_BUFS;
	c->data_size = q->st->data_desc_size;
	c->error = 0;
	rte_spinlock_lock(&q->lock);
	c->ring[0] = q->st->ring[0];
	c->ring[1] = q->st->ring[1];
	c->comp = q->st->comp;
	dev_tlb_begin(dev, &q->tlb);
}

static void
cursor_close(struct cursor *c, const struct sums *s)
{
	struct dev_rxq *q = c->q;

	dev_pos_put(&q->st->ring[0], &c->ring[0]);
	dev_pos_put(&q->st->ring[1], &c->ring[1]);
	dev_pos_put(&q->st->comp, &c->comp);
	count_sums(q, s);
	rte_spinlock_unlock(&q->lock);
}

static inline void
advance_by(struct dev_ring_pos *pos, uint32_t n)
{
	pos->next += n;
	if (pos->next == pos->size) {
		pos->next = 0;
		pos->gen ^= 1;
	}
}

/*
 * The usual: each frame of a run into the one buffer at its turn, in the mapping hit last. Up to the first that needs
 * more thought, or where a ring's entries do not go on.
 *
 * @return number of frames placed
 */
static inline uint16_t
place_run(struct cursor *c, struct rx_run *r, uint16_t n)
{
	const struct vfu_dma_range *range = &c->q->tlb.range;
	const uint64_t longest = VMXNET3_RXD_LEN_MASK;
	const uint64_t room = range->len > longest && range->prot & VFU_DMA_WRITE ? range->len - longest : 0;
	const uint32_t want = c->ring[0].gen << VMXNET3_RXD_GEN_SHIFT;
	const uint32_t data_size = c->data_size;
	uint64_t data_pa = c->q->st->data_pa + (uint64_t)c->ring[0].next * data_size;
	uint32_t run, comp_run;
	struct vmxnet3_desc *d;
	uint16_t i;

	d = dev_ring_run(&c->q->ring[0], c->ring[0].next, &run);
	r->comp = dev_ring_run(&c->q->comp, c->comp.next, &comp_run);
	r->index = c->ring[0].next;
	r->gen = c->comp.gen;
	r->data_size = data_size;
	r->out = false;
	n = (uint16_t)RTE_MIN((uint32_t)n, RTE_MIN(run, comp_run));
	for (i = 0; i < n; i++, d++, data_pa += data_size) {
		const uint32_t dw2 = (uint32_t)dev_desc_high(d), len = r->len[i];
		const uint32_t buffer = dw2 & VMXNET3_RXD_LEN_MASK;
		uint64_t offset = dev_desc_low(d);

		if (unlikely((dw2 ^ want) & (uint32_t)HEAD_MASK || buffer < MIN_HEAD)) {
			r->out = (dw2 ^ want) >> VMXNET3_RXD_GEN_SHIFT & 1;
			break;
		}
		if (len <= data_size)
			offset = data_pa;
		else if (unlikely(len > buffer))
			break;
		offset -= range->iova;
		if (unlikely(offset >= room))
			break;
		r->to[i] = range->host + offset;
		/* Both are written soon, after the lock is given back. */
		__builtin_prefetch(r->to[i], 1, 3);
		__builtin_prefetch(r->comp + i, 1, 3);
		__builtin_prefetch(d + PREFETCH_DESCS);
	}
	advance_by(&c->ring[0], i);
	advance_by(&c->comp, i);
	return i;
}

static inline void
sum_run(struct sums *s, const struct rx_run *r, uint16_t n)
{
	uint64_t bytes = 0;
	uint16_t i;

	for (i = 0; i < n; i++)
		bytes += r->len[i];
	s->frames += n;
	s->bytes += bytes;
	s->cast.pkts[DEV_CAST_UNI] += n;
	s->cast.bytes[DEV_CAST_UNI] += bytes;
}

/* The same for items: their beginning that is a run. @return number of items placed */
static uint16_t
place_plain(struct cursor *c, struct rx_item *const *items, uint16_t n, struct rx_batch *b, struct sums *s)
{
	struct rx_run run;
	uint16_t i, nb = 0;

	for (; nb < n && items[nb]->plain; nb++)
		run.len[nb] = items[nb]->len;
	nb = place_run(c, &run, nb);
	for (i = 0; i < nb; i++) {
		struct rx_item *it = items[i];

		b->piece[b->nb_pieces] = (struct offload_seg){ .data = run.to[i], .len = it->len };
		b->slot[b->nb_slots] = (struct rx_slot){
			.comp = run.comp + i,
			.dw0 = dev_rx_run_dw0(&run, i, c->queue, c->nb_rxq),
			.len = (uint16_t)it->len,
			.gen = (uint8_t)run.gen,
		};
		it->fit = RX_FITS;
		it->nb_slots = 1;
		it->nb_pieces = 1;
		it->first_slot = b->nb_slots++;
		it->first_piece = b->nb_pieces++;
	}
	sum_run(s, &run, nb);
	return nb;
}

/* Whether a batch has room for a burst of plain frames, and one of any kind. */
static inline bool
has_room(const struct rx_batch *b)
{
	return b->nb_slots + RX_BURST + RX_MAX_BUFS <= RX_SLOTS &&
		b->nb_pieces + RX_BURST + RX_PIECES_MAX <= RX_PIECES;
}

uint16_t
dev_rx_reserve(struct vmxnet3_dev *dev, uint32_t queue, uint32_t nb_rxq, struct rx_item *const *items,
	uint16_t n, bool all_or_stop, struct rx_batch *b)
{
	struct sums sums = { .frames = 0 };
	struct cursor c;
	uint16_t i = 0;

	b->nb_slots = 0;
	b->nb_pieces = 0;
	cursor_open(&c, dev, queue, nb_rxq);
	while (i < n && has_room(b)) {
		struct rx_item *it;

		i = (uint16_t)(i + place_plain(&c, items + i, (uint16_t)(n - i), b, &sums));
		if (i == n || items[i]->cut)
			break;
		it = items[i];
		it->fit = (uint8_t)place(&c, it, b);
		if (unlikely(it->fit != RX_FITS && it->mss != 0 && it->fit != RX_BAD_DESC)) {
			it->cut = true;
			break;
		}
		sum_item(&sums, it);
		i++;
		if (unlikely(it->fit == RX_BAD_DESC || (all_or_stop && it->fit != RX_FITS)))
			break;
	}
	cursor_close(&c, &sums);
	if (unlikely(c.error != 0) && !atomic_load_explicit(&dev->rxq[queue].failed, memory_order_relaxed))
		dev_rxq_fail(dev, &dev->rxq[queue], c.error);
	return i;
}

uint16_t
dev_rx_reserve_run(struct vmxnet3_dev *dev, uint32_t queue, uint32_t nb_rxq, struct rx_run *run, uint16_t n)
{
	struct sums sums = { .frames = 0 };
	struct cursor c;
	uint16_t placed;

	cursor_open(&c, dev, queue, nb_rxq);
	placed = place_run(&c, run, n);
	sum_run(&sums, run, placed);
	if (unlikely(run->out)) {
		sums.out_of_buf = n - placed;
		sums.others = true;
	}
	cursor_close(&c, &sums);
	return placed;
}
