/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive: frames into the guest's rings.
 *
 * The frames that a burst begins with and that need nothing but the copy go a short way, if the driver lets them. Each
 * of the others is looked at (wanted? what is left to do?) and becomes an item, and those are delivered to their queues.
 */
#include <string.h>

#include <rte_ether.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <offload_copy.h>
#include <offload_csum.h>
#include <offload_filter.h>
#include <offload_lro.h>
#include <offload_parse.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#include "dev_rx.h"
#include "dev_rx_comp.h"

/* Segments that the completion of a large frame can count. */
#define LARGE_MAX_SEGS 255

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
		dev_rx_drop(c, v == OFFLOAD_FILTER_VLAN ? VMXNET3_DROP_RX_VLAN : VMXNET3_DROP_RX_NOT_MINE, 1);
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
		dev_rx_drop(c, VMXNET3_DROP_RX_RUNT, 1);
		return false;
	}
	offload_frame_parse(f);
	if (unlikely(f->flags & OFFLOAD_F_VLAN || f->hdr.nb_tags != 0 ||
			!offload_filter_is_own(c->filter, f->seg[0].data)) && !pass_filter(c, f))
		return false;
	if (unlikely(l3_bytes(f) > c->mtu)) {
		dev_rx_drop(c, VMXNET3_DROP_RX_TOO_LONG, 1);
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
		dev_rx_drop(c, VMXNET3_DROP_RX_BAD_OFFLOAD, 1);
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
		.next = RX_NO_ITEM,
		.plain = cast == DEV_CAST_UNI && len <= VMXNET3_RXD_LEN_MASK,
		.summed = dev_rx_to_be_verified(c, f),
		.dw0 = VMXNET3_RCD_CNC,
		.dw3 = dev_rx_layer_bits(f->hdr.flags),
	};
	if (unlikely(f->flags & OFFLOAD_F_VLAN))
		it->dw2 = VMXNET3_RCD_TS | (uint32_t)f->vlan_tci << VMXNET3_RCD_TCI_SHIFT;
	return likely(f->request == OFFLOAD_NONE) || settle_request(c, it);
}

/* ---- bursts ---- */

/* At most RX_BURST frames. */
static void
deliver_burst(struct rx_ctx *c, struct offload_frame *const *frames, uint16_t n)
{
	uint16_t i, nb = 0;

	for (i = 0; i < n; i++) {
		if (likely(is_wanted(c, frames[i]) && admit(c, frames[i], &c->item[nb])))
			nb++;
	}
	dev_rx_deliver_items(c, nb);
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
	dev_rx_deliver_items(c, admitted);
}

uint16_t
vmxnet3_dev_deliver(struct vmxnet3_dev *dev, struct offload_frame *const *frames, uint16_t n)
{
	enum vmxnet3_drop reason;
	struct rx_ctx c;
	uint16_t i, len;
	bool plain;

	if (n == 0)
		return 0;
	if (unlikely(!ctx_open(&c, dev, &reason))) {
		dev_drop(dev, reason, n);
		return 0;
	}
	plain = c.rss_types == 0 && !c.large;
	for (i = 0; i < n; i = (uint16_t)(i + len)) {
		len = (uint16_t)RTE_MIN(n - i, RX_BURST);
		if (plain) {
			i = (uint16_t)(i + dev_rx_deliver_plain(&c, frames + i, len));
			if (i == n)
				break;
			len = (uint16_t)RTE_MIN(n - i, RX_BURST);
		}
		if (c.large && len > 1)
			deliver_joined(&c, frames + i, len);
		else
			deliver_burst(&c, frames + i, len);
	}
	ctx_close(&c);
	return c.delivered;
}
