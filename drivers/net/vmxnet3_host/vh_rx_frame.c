/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a frame of the guest to packet buffers: copied, with everything done that it asked for, as from a
 * NIC.
 */
#include "vh_rx_frame.h"

#include <string.h>

#include <rte_ether.h>

#include <offload_csum.h>
#include <offload_mbuf.h>
#include <offload_parse.h>
#include <offload_vlan.h>

#define VLAN_TAG_LEN 4
#define ETHER_TYPE_AT 12

/* ---- packet buffers ---- */

uint16_t
vh_rx_stock(struct vh_rxq *q, uint16_t want)
{
	struct vh_rx *rx = q->rx;
	uint16_t n;

	if (likely(rx->nb_stock >= want))
		return want;
	for (n = want - rx->nb_stock; n > 0; n /= 2) {
		if (likely(rte_pktmbuf_alloc_bulk(q->pool, rx->stock + rx->nb_stock, n) == 0))
			break;
		vh_count(&q->count[VH_RX_ALLOC_FAILED], 1);
	}
	rx->nb_stock = (uint16_t)(rx->nb_stock + n);
	return rx->nb_stock;
}

static inline struct rte_mbuf *
take_mbuf(struct vh_rxq *q)
{
	struct vh_rx *rx = q->rx;

	if (unlikely(rx->nb_stock == 0) && vh_rx_stock(q, VH_RX_STEP) == 0)
		return NULL;
	return rx->stock[--rx->nb_stock];
}

static inline void
emit(struct vh_rx *rx, struct rte_mbuf *m)
{
	if (likely(rx->nb_out < rx->max_out))
		rx->out[rx->nb_out++] = m;
	else
		rx->kept[rx->tail++ % VH_RX_KEPT] = m;
}

/* ---- one frame ---- */

static uint32_t
ptype_of(const struct offload_headers *h)
{
	uint32_t type = RTE_PTYPE_L2_ETHER;

	if (h->nb_tags > 0)
		type = h->nb_tags > 1 ? RTE_PTYPE_L2_ETHER_QINQ : RTE_PTYPE_L2_ETHER_VLAN;
	else if (h->ether_type == RTE_ETHER_TYPE_ARP)
		type = RTE_PTYPE_L2_ETHER_ARP;
	if (h->flags & OFFLOAD_H_IPV4)
		type |= RTE_PTYPE_L3_IPV4_EXT_UNKNOWN;
	else if (h->flags & OFFLOAD_H_IPV6)
		type |= RTE_PTYPE_L3_IPV6_EXT_UNKNOWN;
	if (h->flags & OFFLOAD_H_FRAG)
		type |= RTE_PTYPE_L4_FRAG;
	else if (h->flags & OFFLOAD_H_TCP)
		type |= RTE_PTYPE_L4_TCP;
	else if (h->flags & OFFLOAD_H_UDP)
		type |= RTE_PTYPE_L4_UDP;
	else if (h->flags & OFFLOAD_H_SCTP)
		type |= RTE_PTYPE_L4_SCTP;
	return type;
}

static uint64_t
csum_flags(const struct vh_rx *rx, const struct offload_frame *f)
{
	uint64_t flags = 0;

	if (!(f->flags & OFFLOAD_F_CSUM_GOOD))
		return 0;
	if (f->hdr.flags & OFFLOAD_H_IPV4 && rx->offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM)
		flags |= RTE_MBUF_F_RX_IP_CKSUM_GOOD;
	if ((f->hdr.flags & OFFLOAD_H_TCP && rx->offloads & RTE_ETH_RX_OFFLOAD_TCP_CKSUM) ||
			(f->hdr.flags & OFFLOAD_H_UDP && rx->offloads & RTE_ETH_RX_OFFLOAD_UDP_CKSUM))
		flags |= RTE_MBUF_F_RX_L4_CKSUM_GOOD;
	return flags;
}

/* What a packet buffer tells of the frame in it. */
static inline void
describe(const struct vh_rxq *q, struct rte_mbuf *m, struct offload_frame *f, uint16_t mss)
{
	const struct vh_rx *rx = q->rx;

	m->port = q->port->ethdev;
	m->ol_flags = csum_flags(rx, f);
	if (unlikely(f->flags & OFFLOAD_F_VLAN)) {
		m->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
		m->vlan_tci = f->vlan_tci;
	}
	if (mss != 0) {
		m->ol_flags |= RTE_MBUF_F_RX_LRO;
		m->tso_segsz = mss;
	}
	if (rx->ptypes != 0) {
		offload_frame_parse(f);
		m->packet_type = ptype_of(&f->hdr) & rx->ptypes;
	}
}

static inline bool
has_tag(const struct offload_frame *f)
{
	const uint8_t *type = f->seg[0].data + ETHER_TYPE_AT;

	return type[0] == RTE_ETHER_TYPE_VLAN >> 8 && type[1] == (RTE_ETHER_TYPE_VLAN & 0xff);
}

static inline void
place_tag(const struct vh_rx *rx, struct offload_frame *f)
{
	if (!(rx->offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP))
		offload_vlan_push(f);
	else if (unlikely(has_tag(f)))
		offload_vlan_pop(f);
}

/* Does what the frame asks for, puts its tag where the application wants it. */
static inline bool
settle(const struct vh_rx *rx, struct offload_frame *f)
{
	if (unlikely(f->request == OFFLOAD_CSUM) && offload_csum_complete(f) != 0)
		return false;
	place_tag(rx, f);
	return true;
}

/* Whether the application wants to know of checksums, also of those that the guest made itself. */
static inline bool
verifies(const struct vh_rx *rx)
{
	return rx->offloads & (RTE_ETH_RX_OFFLOAD_TCP_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM);
}

static bool
put_linear(struct vh_rxq *q, struct offload_frame *f, struct rte_mbuf *m, uint16_t mss, uint32_t tag)
{
	struct offload_mbuf copy;

	m->data_off = (uint16_t)(m->data_off + tag);
	if (unlikely(!offload_mbuf_finish(&copy, m, f, verifies(q->rx) ? OFFLOAD_VERIFY : 0)))
		return false;
	place_tag(q->rx, &copy.frame);
	offload_mbuf_close(&copy, m);
	describe(q, m, &copy.frame, mss);
	return true;
}

/* Copies a segment to the end of a chain. @return its last buffer, or NULL: there is no further one. */
static struct rte_mbuf *
append(struct vh_rxq *q, struct rte_mbuf *first, struct rte_mbuf *last, const struct offload_seg *seg)
{
	uint32_t at = 0, n;

	while (at < seg->len) {
		n = RTE_MIN(seg->len - at, (uint32_t)rte_pktmbuf_tailroom(last));
		if (n == 0) {
			struct rte_mbuf *m = take_mbuf(q);

			if (m == NULL)
				return NULL;
			last->next = m;
			last = m;
			first->nb_segs++;
			continue;
		}
		memcpy(rte_pktmbuf_mtod_offset(last, uint8_t *, last->data_len), seg->data + at, n);
		last->data_len = (uint16_t)(last->data_len + n);
		first->pkt_len += n;
		at += n;
	}
	return last;
}

static enum vh_rx_count
put_chain(struct vh_rxq *q, struct offload_frame *f, struct rte_mbuf *first, uint16_t mss)
{
	struct rte_mbuf *last = first;

	/* On the frame itself: its headers may be in several buffers then. */
	if (!settle(q->rx, f))
		return VH_RX_BAD_OFFLOAD;
	for (uint16_t i = 0; i < f->nb_segs && last != NULL; i++)
		last = append(q, first, last, &f->seg[i]);
	if (last == NULL)
		return VH_RX_NO_MBUF;
	describe(q, first, f, mss);
	return VH_RX_PACKETS;
}

/* Bytes that the frame's tag takes in the packet buffer. */
static inline uint32_t
tag_len(const struct vh_rx *rx, const struct offload_frame *f)
{
	return unlikely(f->flags & OFFLOAD_F_VLAN) && !(rx->offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP) ?
		VLAN_TAG_LEN : 0;
}

/* A frame without a segmentation request. @param mss  not 0: it is several, aggregated */
static inline enum vh_rx_count
put(struct vh_rxq *q, struct offload_frame *f, uint16_t mss)
{
	struct vh_rx *rx = q->rx;
	enum vh_rx_count verdict = VH_RX_PACKETS;
	uint32_t tag = tag_len(rx, f);
	struct rte_mbuf *m;

	if (unlikely(f->len + tag > rx->room) && !(rx->offloads & RTE_ETH_RX_OFFLOAD_SCATTER))
		return VH_RX_NO_ROOM;
	m = take_mbuf(q);
	if (unlikely(m == NULL))
		return VH_RX_NO_MBUF;
	if (likely(f->len + tag <= rx->room)) {
		if (unlikely(!put_linear(q, f, m, mss, tag)))
			verdict = VH_RX_BAD_OFFLOAD;
	} else {
		verdict = put_chain(q, f, m, mss);
	}
	if (likely(verdict == VH_RX_PACKETS))
		emit(rx, m);
	else
		rte_pktmbuf_free(m);
	return verdict;
}

/* ---- large frames ---- */

/* Makes the frame a large one without a request, if the application takes it so. */
static bool
stays_whole(const struct vh_rxq *q, struct offload_frame *f)
{
	const struct vh_rx *rx = q->rx;
	uint32_t len = f->len + VLAN_TAG_LEN;

	if (!(rx->offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO) || len > q->port->max_lro ||
			f->len <= (uint32_t)f->hdr_len + f->mss)
		return false;
	if (len > rx->room && !(rx->offloads & RTE_ETH_RX_OFFLOAD_SCATTER))
		return false;
	if (offload_tso_whole(f) != 0)
		return false;
	f->request = OFFLOAD_NONE;
	if (offload_csum_ask(f, &f->hdr) == 0)
		return true;
	f->request = OFFLOAD_TSO;
	return false;
}

/* The next piece of a large frame, made where it goes to if that is one packet buffer. */
static inline enum vh_rx_count
put_piece(struct vh_rxq *q, const struct offload_frame *f)
{
	struct vh_rx *rx = q->rx;
	uint32_t tag = tag_len(rx, f);
	struct offload_mbuf copy;
	struct rte_mbuf *m;

	if (unlikely(offload_tso_next_len(&rx->tso) + tag > rx->room))
		return put(q, offload_tso_next(&rx->tso), 0);
	m = take_mbuf(q);
	if (unlikely(m == NULL))
		return VH_RX_NO_MBUF;
	m->data_off = (uint16_t)(m->data_off + tag);
	offload_mbuf_cut(&copy, m, &rx->tso);
	place_tag(rx, &copy.frame);
	offload_mbuf_close(&copy, m);
	describe(q, m, &copy.frame, 0);
	emit(rx, m);
	return VH_RX_PACKETS;
}

static void
cut(struct vh_rxq *q, struct offload_frame *f)
{
	struct vh_rx *rx = q->rx;
	int left = offload_tso_begin(&rx->tso, f);
	enum vh_rx_count verdict;

	if (unlikely(left < 0)) {
		vh_count(&q->count[VH_RX_BAD_OFFLOAD], 1);
		return;
	}
	if (unlikely((uint32_t)left > VH_RX_KEPT - (rx->tail - rx->head) + rx->max_out - rx->nb_out)) {
		vh_count(&q->count[VH_RX_TOO_MANY], (uint64_t)left);
		return;
	}
	vh_count(&q->count[VH_RX_CUT], 1);
	rx->cut_one = true;
	for (; left > 0; left--) {
		verdict = put_piece(q, f);
		if (unlikely(verdict != VH_RX_PACKETS)) {
			/* The others would meet the same. */
			vh_count(&q->count[verdict], (uint64_t)left);
			return;
		}
	}
}

static inline uint32_t
wire_len(const struct offload_frame *f)
{
	uint32_t len = f->len;

	if (unlikely(offload_is_large(f)))
		len = RTE_MIN(len, (uint32_t)f->hdr_len + f->mss);
	return len;
}

void
vh_rx_take(struct vh_rxq *q, struct offload_frame *f)
{
	enum vh_rx_count verdict;
	uint16_t mss = 0;

	if (unlikely(!offload_fits_mtu(f, wire_len(f), q->rx->mtu))) {
		vh_count(&q->count[VH_RX_TOO_LONG], 1);
		return;
	}
	if (unlikely(offload_is_large(f))) {
		mss = f->mss;
		if (!stays_whole(q, f)) {
			cut(q, f);
			return;
		}
	}
	verdict = put(q, f, mss);
	if (unlikely(verdict != VH_RX_PACKETS))
		vh_count(&q->count[verdict], 1);
	else if (unlikely(mss != 0))
		vh_count(&q->count[VH_RX_LRO], 1);
}
