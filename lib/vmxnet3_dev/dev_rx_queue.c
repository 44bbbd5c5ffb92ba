/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive, the general way: items of a burst are sorted by queue, and then placed queue by queue: reserved under the
 * lock, copied, published. Large ones are cut here if need be.
 */
#include <string.h>

#include <offload_copy.h>
#include <offload_rss.h>
#include <offload_tso.h>

#include "dev_intr.h"
#include "dev_rx.h"
#include "dev_rx_comp.h"
#include "dev_rx_copy.h"

/* Kinds of hash, each of outer or inner headers. */
#define RSS_TYPES 8

static_assert(RX_BURST < RX_NO_ITEM, "items are linked by eight bits");
static_assert(VMXNET3_MAX_RX_QUEUES <= 32, "queues in use are a mask of 32 bits");

/* ---- copy ---- */

/* The bytes as the sender left them; the driver is told that they are good. */
static __rte_noinline uint8_t
copy_open(const struct offload_frame *f, const struct offload_seg *to, uint16_t nb_to)
{
	struct offload_frame plain = *f;

	plain.request = OFFLOAD_NONE;
	offload_copy_frame(&plain, to, nb_to, false);
	return OFFLOAD_F_CSUM_GOOD;
}

/* @return what is known of the copy's checksums: DEV_RX_CSUM_KNOWN, and OFFLOAD_F_INNER_GOOD */
static inline uint8_t
copy_frame(const struct rx_ctx *c, const struct rx_item *it)
{
	const struct offload_seg *to = &c->batch.piece[it->first_piece];
	struct offload_frame *f = it->frame;
	uint8_t known;

	if (likely(!it->summed && it->nb_pieces == 1 && f->len == it->len)) {
		dev_rx_copy(to->data, f, to->data, f);
		return f->flags & (DEV_RX_CSUM_KNOWN | OFFLOAD_F_INNER_GOOD);
	}
	if (unlikely(it->open))
		return copy_open(f, to, it->nb_pieces);
	known = offload_copy_frame(f, to, it->nb_pieces, it->summed ? c->verify : 0);
	/* A large frame that goes whole has sums that are not made: its driver knows. */
	return it->mss != 0 ? OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_INNER_GOOD : known;
}

/* @param known  as copy_frame() returns it */
static inline void
tell_csum(const struct rx_ctx *c, struct rx_item *it, uint8_t known)
{
	if (known & DEV_RX_CSUM_KNOWN && c->csum)
		dev_rx_tell_csum(it, known & OFFLOAD_F_CSUM_GOOD, c->inner && known & OFFLOAD_F_INNER_GOOD);
}

/* ---- queues ---- */

static void
count_unfit(struct rx_ctx *c, const struct rx_item *it)
{
	static const enum vmxnet3_drop reason[] = {
		[RX_NO_BUFFER] = VMXNET3_DROP_RX_NO_BUFFER,
		[RX_BAD_ADDRESS] = VMXNET3_DROP_RX_BAD_ADDRESS,
		[RX_BAD_DESC] = VMXNET3_DROP_RX_BAD_DESC,
	};

	dev_rx_drop(c, reason[it->fit], it->given);
}

/*
 * Cuts a large frame and delivers the pieces: their lengths are known before, so that a run of them is
 * reserved at once. What does not fit ends it; the sender's TCP finds out how much arrived. The checksum results are the
 * same for all of them.
 *
 * @return pieces delivered
 */
static uint32_t
deliver_cut(struct rx_ctx *c, uint32_t queue, const struct rx_item *large)
{
	struct rx_item item[RX_BURST], *list[RX_BURST], model = *large;
	struct offload_frame *f = large->frame;
	uint32_t payload, left, done = 0;
	struct offload_tso tso;
	uint16_t i, n, decided;
	int count;

	count = offload_tso_begin(&tso, f);
	if (count <= 0) {
		dev_rx_drop(c, VMXNET3_DROP_RX_BAD_OFFLOAD, large->given);
		return 0;
	}
	model.mss = 0;
	model.cut = false;
	model.wire_pkts = 1;
	payload = f->len - f->hdr_len;
	for (left = (uint32_t)count; left > 0; left -= n) {
		n = (uint16_t)RTE_MIN(left, (uint32_t)RX_BURST);
		for (i = 0; i < n; i++) {
			item[i] = model;
			item[i].wire_bytes = f->hdr_len + RTE_MIN(payload, (uint32_t)f->mss);
			item[i].len = RTE_MAX(item[i].wire_bytes, (uint32_t)DEV_MIN_FRAME);
			item[i].given = (uint16_t)(left - i);
			payload -= RTE_MIN(payload, (uint32_t)f->mss);
			list[i] = &item[i];
		}
		decided = dev_rx_reserve(c->dev, queue, c->nb_rxq, list, n, true, &c->batch);
		for (i = 0; i < decided && item[i].fit == RX_FITS; i++) {
			offload_tso_copy(&tso, &c->batch.piece[item[i].first_piece], item[i].nb_pieces);
			if (done == 0)
				tell_csum(c, &model, tso.piece.flags |
					(f->flags & OFFLOAD_F_INNER ? OFFLOAD_F_INNER_GOOD : 0));
			item[i].dw0 = model.dw0;
			item[i].dw3 = model.dw3;
			dev_rx_publish(&item[i], &c->batch);
			done++;
		}
		if (i < decided) {
			count_unfit(c, &item[i]);
			break;
		}
		n = decided;
		payload = f->len - f->hdr_len;
		payload -= RTE_MIN(payload, tso.pos);
	}
	return done;
}

/* Delivers items to a queue, in their order. */
static void
deliver_queue(struct rx_ctx *c, uint32_t queue, struct rx_item **list, uint16_t n)
{
	struct dev_rxq *q = &c->dev->rxq[queue];
	uint32_t published = 0;
	uint16_t i, decided;

	while (n > 0) {
		if (unlikely(!dev_rx_is_ready(q))) {
			while (n-- > 0)
				dev_rx_drop(c, VMXNET3_DROP_RX_INACTIVE, list[n]->given);
			break;
		}
		decided = dev_rx_reserve(c->dev, queue, c->nb_rxq, list, n, false, &c->batch);
		for (i = 0; i < decided; i++) {
			if (unlikely(list[i]->fit != RX_FITS)) {
				count_unfit(c, list[i]);
				continue;
			}
			tell_csum(c, list[i], copy_frame(c, list[i]));
			dev_rx_publish(list[i], &c->batch);
			published++;
			c->delivered = (uint16_t)(c->delivered + list[i]->given);
		}
		list += decided;
		n = (uint16_t)(n - decided);
		if (unlikely(n > 0 && (*list)->cut)) {
			uint32_t pieces = deliver_cut(c, queue, *list);

			published += pieces;
			c->delivered = (uint16_t)(c->delivered + RTE_MIN(pieces, (*list)->given));
			list++;
			n--;
		}
	}
	if (published != 0)
		dev_intr_mark(c->dev, q->st->intr_idx, DEV_DUE_RX(published));
}

/* The queue by the driver's key and table. @return index of the queue. */
static uint32_t
choose_queue(const struct rx_ctx *c, struct rx_item *it)
{
	/* The types are bits in the order of rssType, and once more for inner headers. */
	static_assert(OFFLOAD_RSS_IPV4 == 1u << (VMXNET3_RSS_TYPE_IPV4 - 1) &&
		OFFLOAD_RSS_TCP_IPV4 == 1u << (VMXNET3_RSS_TYPE_TCP4 - 1) &&
		OFFLOAD_RSS_IPV6 == 1u << (VMXNET3_RSS_TYPE_IPV6 - 1) &&
		OFFLOAD_RSS_TCP_IPV6 == 1u << (VMXNET3_RSS_TYPE_TCP6 - 1) &&
		OFFLOAD_RSS_UDP_IPV4 == 1u << (VMXNET3_RSS_TYPE_UDP4 - 1) &&
		OFFLOAD_RSS_UDP_IPV6 == 1u << (VMXNET3_RSS_TYPE_UDP6 - 1) &&
		OFFLOAD_RSS_ESP_IPV4 == 1u << (VMXNET3_RSS_TYPE_ESP4 - 1) &&
		OFFLOAD_RSS_ESP_IPV6 == 1u << (VMXNET3_RSS_TYPE_ESP6 - 1), "rssType");
	const struct dev_config *cfg = &c->dev->st->cfg;
	uint32_t size = RTE_MIN(cfg->ind_table_size, (uint32_t)RTE_DIM(cfg->ind_table));
	uint32_t type, queue;

	type = offload_rss_hash(&cfg->rss_key, c->rss_types, it->frame, &it->hash);
	if (type == 0 || size == 0)
		return 0;
	it->dw0 |= (uint32_t)(__builtin_ctz(type) % RSS_TYPES + 1) << VMXNET3_RCD_RSS_TYPE_SHIFT;
	if (unlikely(type & OFFLOAD_RSS_INNER_ALL))
		it->dw0 |= VMXNET3_RCD_INNER_RSS;
	queue = cfg->ind_table[(size & (size - 1)) == 0 ? it->hash & (size - 1) : it->hash % size];
	return queue < c->nb_rxq ? queue : 0;
}

/* Sorts items by the queue that is theirs. */
static __rte_noinline void
deliver_spread(struct rx_ctx *c, uint16_t n)
{
	uint8_t first[VMXNET3_MAX_RX_QUEUES], last[VMXNET3_MAX_RX_QUEUES], k;
	struct rx_item *list[RX_BURST];
	uint32_t queues = 0, queue;
	uint16_t i, len;

	for (i = 0; i < n; i++) {
		queue = choose_queue(c, &c->item[i]);
		if (queues >> queue & 1)
			c->item[last[queue]].next = (uint8_t)i;
		else
			first[queue] = (uint8_t)i;
		queues |= 1u << queue;
		last[queue] = (uint8_t)i;
	}
	for (; queues != 0; queues &= queues - 1) {
		queue = (uint32_t)__builtin_ctz(queues);
		len = 0;
		for (k = first[queue]; k != RX_NO_ITEM; k = c->item[k].next)
			list[len++] = &c->item[k];
		deliver_queue(c, queue, list, len);
	}
}

void
dev_rx_deliver_items(struct rx_ctx *c, uint16_t n)
{
	struct rx_item *list[RX_BURST];
	uint16_t i;

	if (c->rss_types != 0) {
		deliver_spread(c, n);
		return;
	}
	for (i = 0; i < n; i++)
		list[i] = &c->item[i];
	deliver_queue(c, 0, list, n);
}
