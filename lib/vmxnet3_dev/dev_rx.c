/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive: frames into the guest's rings.
 *
 * Frames are looked at one by one (wanted? which queue? what is left to do?), sorted by queue, and
 * then placed queue by queue: reserve under the lock, copy, publish.
 */
#include <string.h>

#include <rte_ether.h>
#include <rte_memcpy.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <offload_copy.h>
#include <offload_csum.h>
#include <offload_filter.h>
#include <offload_lro.h>
#include <offload_parse.h>
#include <offload_rss.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#include "dev_intr.h"
#include "dev_rx_comp.h"

/* Segments that the completion of a large frame can count. */
#define LARGE_MAX_SEGS 255

#define NO_ITEM UINT8_MAX

/* Kinds of hash, each of outer or inner headers. */
#define RSS_TYPES 8

#define CSUM_KNOWN (OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD)

static_assert(RX_BURST < NO_ITEM, "items are linked by eight bits");
static_assert(VMXNET3_MAX_RX_QUEUES <= 32, "queues in use are a mask of 32 bits");

/* One call of vmxnet3_dev_deliver(): the device as it was found, and what comes of the frames. */
struct rx_ctx {
	struct vmxnet3_dev *dev;
	const struct offload_filter *filter;
	uint32_t features, mtu, rss_types, nb_rxq;
	bool csum;  /* the driver wants to know about checksums */
	bool inner; /* and about those inside of tunnels */
	unsigned int verify; /* the same for the copy */
	bool large; /* it takes large frames */
	bool large_inner; /* and those inside of tunnels */
	bool skip;  /* a sum that the sender has left open may stay so */
	uint16_t delivered;
	bool dropped; /* something in drops */
	uint32_t drops[VMXNET3_DROP_MAX];

	struct rx_item item[RX_BURST];
	struct rx_batch batch;
};

static bool
ctx_open(struct rx_ctx *c, struct vmxnet3_dev *dev, enum vmxnet3_drop *reason)
{
	c->dev = dev;
	c->nb_rxq = atomic_load_explicit(&dev->nb_rxq, memory_order_acquire);
	if (c->nb_rxq == 0) {
		*reason = VMXNET3_DROP_RX_INACTIVE;
		return false;
	}
	if (!dev_link_up(dev)) {
		*reason = VMXNET3_DROP_RX_LINK_DOWN;
		return false;
	}
	c->filter = dev_filter(dev);
	c->features = dev_features(dev);
	c->mtu = dev->st->cfg.mtu;
	c->rss_types = dev_rss_types(dev);
	c->csum = c->features & VMXNET3_F_RXCSUM;
	c->inner = c->csum && c->features & VMXNET3_F_RXINNEROFLD;
	c->verify = (c->csum ? OFFLOAD_VERIFY : 0) | (c->inner ? OFFLOAD_VERIFY_INNER : 0);
	c->skip = c->csum && dev->conf.skip_local_csum;
	c->large = c->csum && dev->rev->lro_type4 && c->features & VMXNET3_F_LRO;
	c->large_inner = c->large && c->inner && dev->conf.whole_tunnel_tso;
	c->delivered = 0;
	c->dropped = false;
	memset(c->drops, 0, sizeof(c->drops));
	return true;
}

static inline void
drop(struct rx_ctx *c, enum vmxnet3_drop reason, uint32_t n)
{
	c->drops[reason] += n;
	c->dropped = true;
}

static void
ctx_close(const struct rx_ctx *c)
{
	unsigned int i;

	if (likely(!c->dropped))
		return;
	for (i = 0; i < VMXNET3_DROP_MAX; i++) {
		if (c->drops[i] != 0)
			dev_drop(c->dev, (enum vmxnet3_drop)i, c->drops[i]);
	}
}

/* ---- one frame ---- */

/* Puts the outer tag where the driver wants it. @return whether it wants the frame at all. */
static __rte_noinline bool
pass_filter(struct rx_ctx *c, struct offload_frame *f)
{
	enum offload_filter_verdict v;
	bool tagged = false;
	uint16_t tci = 0;

	if (unlikely(f->flags & OFFLOAD_F_VLAN || f->hdr.nb_tags != 0))
		tagged = offload_vlan_outer(f, &tci);
	v = offload_filter_match(c->filter, f->seg[0].data, tagged, tci);
	if (unlikely(v != OFFLOAD_FILTER_PASS)) {
		drop(c, v == OFFLOAD_FILTER_VLAN ? VMXNET3_DROP_RX_VLAN : VMXNET3_DROP_RX_NOT_MINE, 1);
		return false;
	}
	if (likely(!tagged))
		return true;
	if (c->features & VMXNET3_F_RXVLAN)
		offload_vlan_pop(f);
	else
		offload_vlan_push(f);
	offload_frame_parse(f);
	return true;
}

/* Bytes of the longest frame that this one is on the wire, without link layer header and tags. */
static inline uint32_t
l3_bytes(const struct offload_frame *f)
{
	uint32_t len = f->len;

	if (unlikely(offload_is_large(f)))
		len = RTE_MIN(len, (uint32_t)f->hdr_len + f->mss);
	return len - f->hdr.l2_len;
}

static inline uint32_t
nb_segments(const struct offload_frame *f)
{
	uint32_t payload = f->len - f->hdr_len;

	return payload == 0 ? 1 : (payload + f->mss - 1) / f->mss;
}

/*
 * Makes a segmentation request one large frame, if it can go to the driver as such: only TCP, and inside of a tunnel only if
 * somebody who knows the guest says so, since the device cannot tell the drivers that lose such frames from those that do not.
 */
static bool
settle_large(const struct rx_ctx *c, struct offload_frame *f)
{
	uint32_t n;

	if (!c->large || f->request != OFFLOAD_TSO || (f->flags & OFFLOAD_F_INNER && !c->large_inner))
		return false;
	if (f->len > RX_LARGE_MAX || f->mss == 0 || f->hdr_len > f->len)
		return false;
	n = nb_segments(f);
	return n >= 2 && n <= LARGE_MAX_SEGS && offload_tso_whole(f) == 0;
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

/* Whether the request is for the checksum that the driver will be told is right, and all else of that is. */
static __rte_noinline bool
may_stay_open(const struct offload_frame *f)
{
	const struct offload_headers *hdr = &f->hdr;
	uint32_t start = (uint32_t)hdr->l2_len + hdr->l3_len;
	uint32_t field = start + (hdr->flags & OFFLOAD_H_TCP ? (uint32_t)offsetof(struct rte_tcp_hdr, cksum)
		: (uint32_t)offsetof(struct rte_udp_hdr, dgram_cksum));

	if (f->request != OFFLOAD_CSUM || f->flags & OFFLOAD_F_INNER || f->csum_start != start ||
			f->csum_field != field || !(hdr->flags & (OFFLOAD_H_TCP | OFFLOAD_H_UDP)))
		return false;
	return hdr->flags & OFFLOAD_H_IPV6 || offload_sum(f, hdr->l2_len, hdr->l3_len) == 0xffff;
}

/* Whether the driver wants the frame, as it is on the wire. */
static inline bool
is_wanted(struct rx_ctx *c, struct offload_frame *f)
{
	if (unlikely(f->seg[0].len < RTE_ETHER_HDR_LEN)) {
		drop(c, VMXNET3_DROP_RX_RUNT, 1);
		return false;
	}
	offload_frame_parse(f);
	if (unlikely(f->flags & OFFLOAD_F_VLAN || f->hdr.nb_tags != 0 ||
			!offload_filter_is_own(c->filter, f->seg[0].data)) && !pass_filter(c, f))
		return false;
	if (unlikely(l3_bytes(f) > c->mtu)) {
		drop(c, VMXNET3_DROP_RX_TOO_LONG, 1);
		return false;
	}
	return true;
}

/* What the sender left to do, for a frame that is wanted. @return false: nobody could */
static __rte_noinline bool
settle_request(struct rx_ctx *c, struct rx_item *it)
{
	struct offload_frame *f = it->frame;

	if (f->request == OFFLOAD_CSUM && offload_csum_check(f) != 0) {
		drop(c, VMXNET3_DROP_RX_BAD_OFFLOAD, 1);
		return false;
	}
	it->summed = true;
	it->open = c->skip && may_stay_open(f);
	if (!offload_is_large(f))
		return true;
	it->plain = false;
	it->cut = !settle_large(c, f);
	if (!it->cut) {
		it->mss = f->mss;
		it->wire_pkts = (uint16_t)nb_segments(f);
		it->wire_bytes += (it->wire_pkts - 1u) * f->hdr_len;
	}
	return true;
}

/* Whether the copy shall look at a checksum: nothing is known of it, and the driver wants to know. */
static inline bool
is_to_be_verified(const struct rx_ctx *c, const struct offload_frame *f)
{
	if (!c->csum || !(f->hdr.flags & (OFFLOAD_H_TCP | OFFLOAD_H_UDP)))
		return false;
	return !(f->flags & CSUM_KNOWN) ||
		(c->inner && f->hdr.flags & OFFLOAD_H_UDP && !(f->flags & OFFLOAD_F_INNER_GOOD));
}

/*
 * Does with a frame that is wanted what can be done before it is copied. What is known of its checksums comes after
 * that; until then it is nothing. @return false: it is dropped
 */
static inline bool
admit(struct rx_ctx *c, struct offload_frame *f, struct rx_item *it)
{
	const uint32_t len = RTE_MAX(f->len, (uint32_t)DEV_MIN_FRAME);
	const enum dev_cast cast = dev_cast_of(f->seg[0].data);

	*it = (struct rx_item){
		.frame = f,
		.len = len,
		.wire_bytes = len,
		.wire_pkts = 1,
		.given = 1,
		.cast = (uint8_t)cast,
		.next = NO_ITEM,
		.plain = cast == DEV_CAST_UNI && len <= VMXNET3_RXD_LEN_MASK,
		.summed = is_to_be_verified(c, f),
		.dw0 = VMXNET3_RCD_CNC,
		.dw3 = dev_rx_layer_bits(f->hdr.flags),
	};
	if (unlikely(f->flags & OFFLOAD_F_VLAN))
		it->dw2 = VMXNET3_RCD_TS | (uint32_t)f->vlan_tci << VMXNET3_RCD_TCI_SHIFT;
	return likely(f->request == OFFLOAD_NONE) || settle_request(c, it);
}

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

/* Exactly @p len bytes, DEV_MIN_FRAME at least, of private memory: blocks, and the last ones once more from the end. */
static inline void
copy_headers(uint8_t *to, const uint8_t *from, uint32_t len)
{
	uint32_t i;

	if (unlikely(len < 64)) {
		rte_mov32(to, from);
		rte_mov32(to + len - 32, from + len - 32);
		return;
	}
	for (i = 0; i + 64 <= len; i += 64)
		rte_mov64(to + i, from + i);
	if (i < len)
		rte_mov64(to + len - 64, from + len - 64);
}

/* A guest that sends to itself may send out of its receive buffers. */
static inline void
copy_plain(uint8_t *to, const struct offload_frame *f)
{
	const struct offload_seg *seg = f->seg, *end = seg + f->nb_segs;

	if (unlikely(seg->len < DEV_MIN_FRAME))
		memcpy(to, seg->data, seg->len);
	else
		copy_headers(to, seg->data, seg->len);
	for (to += seg->len; unlikely(++seg < end); to += seg->len)
		memmove(to, seg->data, seg->len);
}

/* @return what is known of the copy's checksums: CSUM_KNOWN, and OFFLOAD_F_INNER_GOOD */
static inline uint8_t
copy_frame(const struct rx_ctx *c, const struct rx_item *it)
{
	const struct offload_seg *to = &c->batch.piece[it->first_piece];
	struct offload_frame *f = it->frame;
	uint8_t known;

	if (likely(!it->summed && it->nb_pieces == 1 && f->len == it->len)) {
		copy_plain(to->data, f);
		return f->flags & (CSUM_KNOWN | OFFLOAD_F_INNER_GOOD);
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
	if (known & CSUM_KNOWN && c->csum)
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

	drop(c, reason[it->fit], it->given);
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
		drop(c, VMXNET3_DROP_RX_BAD_OFFLOAD, large->given);
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
		if (unlikely(!atomic_load_explicit(&q->ready, memory_order_acquire) ||
				atomic_load_explicit(&q->failed, memory_order_relaxed))) {
			while (n-- > 0)
				drop(c, VMXNET3_DROP_RX_INACTIVE, list[n]->given);
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
		for (k = first[queue]; k != NO_ITEM; k = c->item[k].next)
			list[len++] = &c->item[k];
		deliver_queue(c, queue, list, len);
	}
}

/* Delivers what has been admitted, @p n items. */
static inline void
deliver_items(struct rx_ctx *c, uint16_t n)
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

/* At most RX_BURST frames. */
static void
deliver_burst(struct rx_ctx *c, struct offload_frame *const *frames, uint16_t n)
{
	uint16_t i, nb = 0;

	for (i = 0; i < n; i++) {
		if (likely(is_wanted(c, frames[i]) && admit(c, frames[i], &c->item[nb])))
			nb++;
	}
	deliver_items(c, nb);
}

/*
 * The same for a driver that takes large frames: small ones that follow each other are joined first. A function of its
 * own, so that only these drivers pay for the room on the stack.
 */
static __rte_noinline void
deliver_joined(struct rx_ctx *c, struct offload_frame *const *frames, uint16_t n)
{
	static_assert(RX_BURST <= OFFLOAD_LRO_BURST, "a burst is joined at once");
	struct offload_frame *wanted[RX_BURST], *list[RX_BURST];
	struct offload_lro lro;
	uint16_t i, nb = 0, admitted = 0;

	for (i = 0; i < n; i++) {
		if (is_wanted(c, frames[i]))
			wanted[nb++] = frames[i];
	}
	nb = offload_lro(&lro, wanted, nb, list, RX_LARGE_MAX, LARGE_MAX_SEGS);
	for (i = 0; i < nb; i++) {
		struct rx_item *it = &c->item[admitted];

		if (!admit(c, list[i], it))
			continue;
		if (offload_lro_is_joined(&lro, list[i]))
			it->given = (uint16_t)nb_segments(list[i]);
		admitted++;
	}
	deliver_items(c, admitted);
}

uint16_t
vmxnet3_dev_deliver(struct vmxnet3_dev *dev, struct offload_frame *const *frames, uint16_t n)
{
	enum vmxnet3_drop reason;
	struct rx_ctx c;
	uint16_t i, len;

	if (n == 0)
		return 0;
	if (unlikely(!ctx_open(&c, dev, &reason))) {
		dev_drop(dev, reason, n);
		return 0;
	}
	for (i = 0; i < n; i = (uint16_t)(i + len)) {
		len = (uint16_t)RTE_MIN(n - i, RX_BURST);
		if (c.large && len > 1)
			deliver_joined(&c, frames + i, len);
		else
			deliver_burst(&c, frames + i, len);
	}
	ctx_close(&c);
	return c.delivered;
}
