/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive: frames from the guest, each copied into packet buffers of the queue's pool with everything done
 * that it asked for, as from a NIC.
 *
 * Packet buffers are there before a frame is taken: without any, frames wait in the guest's ring. Only
 * pieces of large frames cannot be foreseen. What they are more than the application asked for is kept
 * for its next burst, and while large frames come they are taken one at a time.
 */
#include "vh_rx.h"

#include <string.h>

#include <rte_malloc.h>
#include <rte_net.h>

#include <offload_csum.h>
#include <offload_mbuf.h>
#include <offload_parse.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#define VLAN_TAG_LEN 4
#define ETHER_TYPE_AT 12

/* Frames taken at once. */
#define STEP 32

/* Pieces kept for later at most; a power of two. 32 frames of 64 KiB with an MSS of 1448 fit. */
#define KEPT 2048

struct vh_rx {
	struct vmxnet3_burst *burst;
	uint16_t step;        /**< frames to take next; 1: the last ones were cut */
	uint16_t next_queue;  /**< of the guest's that this one polls, where to begin */

	/* Of the burst that runs. */
	struct rte_mbuf **out;
	uint16_t nb_out, max_out;
	uint64_t offloads;
	uint32_t mtu, ptypes, room;
	bool cut_one;

	uint16_t nb_stock;
	struct rte_mbuf *stock[STEP];
	uint32_t head, tail;
	struct rte_mbuf *kept[KEPT];
	struct offload_tso tso;
};

struct vh_rx *
vh_rx_create(unsigned int socket)
{
	struct vh_rx *rx = rte_zmalloc_socket("vh_rx", sizeof(*rx), 0, (int)socket);

	if (rx == NULL)
		return NULL;
	rx->step = STEP;
	rx->burst = vmxnet3_burst_create();
	if (rx->burst == NULL) {
		rte_free(rx);
		return NULL;
	}
	return rx;
}

void
vh_rx_drain(struct vh_rxq *q)
{
	struct vh_rx *rx = q->rx;

	rte_pktmbuf_free_bulk(rx->stock, rx->nb_stock);
	rx->nb_stock = 0;
	vh_count(&q->count[VH_RX_STOPPED], rx->tail - rx->head);
	for (; rx->head != rx->tail; rx->head++)
		rte_pktmbuf_free(rx->kept[rx->head % KEPT]);
}

void
vh_rx_destroy(struct vh_rx *rx)
{
	if (rx == NULL)
		return;
	vmxnet3_burst_destroy(rx->burst);
	rte_free(rx);
}

/* ---- packet buffers ---- */

/* @return how many of @p want there are now. */
static uint16_t
fill_stock(struct vh_rxq *q, uint16_t want)
{
	struct vh_rx *rx = q->rx;

	if (likely(rx->nb_stock >= want))
		return want;
	if (likely(rte_pktmbuf_alloc_bulk(q->pool, rx->stock + rx->nb_stock,
			want - rx->nb_stock) == 0)) {
		rx->nb_stock = want;
		return want;
	}
	vh_count(&q->count[VH_RX_ALLOC_FAILED], 1);
	return rx->nb_stock;
}

static inline struct rte_mbuf *
take_mbuf(struct vh_rxq *q)
{
	struct vh_rx *rx = q->rx;

	if (unlikely(rx->nb_stock == 0) && fill_stock(q, STEP) == 0 && fill_stock(q, 1) == 0)
		return NULL;
	return rx->stock[--rx->nb_stock];
}

static inline void
emit(struct vh_rx *rx, struct rte_mbuf *m)
{
	if (likely(rx->nb_out < rx->max_out))
		rx->out[rx->nb_out++] = m;
	else
		rx->kept[rx->tail++ % KEPT] = m;
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

/* Does what the frame asks for, puts its tag where the application wants it. */
static inline bool
settle(const struct vh_rx *rx, struct offload_frame *f)
{
	if (unlikely(f->request == OFFLOAD_CSUM) && offload_csum_complete(f) != 0)
		return false;
	if (!(rx->offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP))
		offload_vlan_push(f);
	else if (unlikely(has_tag(f)))
		offload_vlan_pop(f);
	return true;
}

static bool
put_linear(struct vh_rxq *q, struct offload_frame *f, struct rte_mbuf *m, uint16_t mss, uint32_t tag)
{
	struct offload_mbuf copy;

	m->data_off = (uint16_t)(m->data_off + tag);
	offload_mbuf_copy(&copy, m, f);
	if (unlikely(!settle(q->rx, &copy.frame)))
		return false;
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

/* A frame without a segmentation request. @param mss  not 0: it is several, aggregated */
static inline enum vh_rx_count
put(struct vh_rxq *q, struct offload_frame *f, uint16_t mss)
{
	struct vh_rx *rx = q->rx;
	enum vh_rx_count verdict = VH_RX_PACKETS;
	uint32_t tag = 0;
	struct rte_mbuf *m;

	if (unlikely(f->flags & OFFLOAD_F_VLAN) && !(rx->offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP))
		tag = VLAN_TAG_LEN;
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
	if (unlikely((uint32_t)left > KEPT - (rx->tail - rx->head) + rx->max_out - rx->nb_out)) {
		vh_count(&q->count[VH_RX_TOO_MANY], (uint64_t)left);
		return;
	}
	vh_count(&q->count[VH_RX_CUT], 1);
	rx->cut_one = true;
	for (; left > 0; left--) {
		verdict = put(q, offload_tso_next(&rx->tso), 0);
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

	if (unlikely(f->request == OFFLOAD_TSO))
		len = RTE_MIN(len, (uint32_t)f->hdr_len + f->mss);
	return len;
}

static inline void
take_frame(struct vh_rxq *q, struct offload_frame *f)
{
	enum vh_rx_count verdict;
	uint16_t mss = 0;

	if (unlikely(!offload_fits_mtu(f, wire_len(f), q->rx->mtu))) {
		vh_count(&q->count[VH_RX_TOO_LONG], 1);
		return;
	}
	if (unlikely(f->request == OFFLOAD_TSO)) {
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

/* ---- bursts ---- */

static void
poll_guest_queue(struct vh_rxq *q, uint16_t guest_queue)
{
	struct vmxnet3_dev *dev = q->port->dev;
	struct offload_frame *frames;
	struct vh_rx *rx = q->rx;
	uint16_t want, got;

	while (rx->nb_out < rx->max_out) {
		want = (uint16_t)RTE_MIN(rx->max_out - rx->nb_out, (int)rx->step);
		want = fill_stock(q, want);
		if (unlikely(want == 0))
			return;
		got = vmxnet3_dev_tx_begin(dev, guest_queue, rx->burst, want, &frames);
		if (got == 0)
			return;
		rx->cut_one = false;
		for (uint16_t i = 0; i < got; i++)
			take_frame(q, &frames[i]);
		vmxnet3_dev_tx_end(dev, guest_queue, rx->burst);
		rx->step = rx->cut_one ? 1 : RTE_MIN((uint16_t)(rx->step * 2), (uint16_t)STEP);
		if (got < want)
			return;
	}
}

/* This queue's share of the guest's, each time beginning with the next. */
static void
poll_guest(struct vh_rxq *q)
{
	uint16_t nb = vmxnet3_dev_nb_tx_queues(q->port->dev), nb_rxq = q->port->nb_rxq, mine, i;
	struct vh_rx *rx = q->rx;

	if (q->id >= nb)
		return;
	mine = (uint16_t)((nb - q->id + nb_rxq - 1) / nb_rxq);
	for (i = 0; i < mine && rx->nb_out < rx->max_out; i++) {
		if (rx->next_queue >= mine)
			rx->next_queue = 0;
		poll_guest_queue(q, (uint16_t)(q->id + rx->next_queue++ * nb_rxq));
	}
}

static void
burst_begin(struct vh_rxq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct vh_port *port = q->port;
	struct vh_rx *rx = q->rx;

	rx->out = pkts;
	rx->max_out = n;
	rx->nb_out = 0;
	rx->offloads = atomic_load_explicit(&port->rx_offloads, memory_order_relaxed);
	rx->mtu = atomic_load_explicit(&port->mtu, memory_order_relaxed);
	rx->ptypes = atomic_load_explicit(&port->ptypes, memory_order_relaxed);
	rx->room = (uint32_t)(rte_pktmbuf_data_room_size(q->pool) - RTE_PKTMBUF_HEADROOM);
	while (unlikely(rx->head != rx->tail) && rx->nb_out < n)
		rx->out[rx->nb_out++] = rx->kept[rx->head++ % KEPT];
}

static inline void
count_burst(struct vh_rxq *q)
{
	const struct vh_rx *rx = q->rx;
	uint64_t bytes = 0;

	for (uint16_t i = 0; i < rx->nb_out; i++)
		bytes += rx->out[i]->pkt_len;
	vh_count(&q->count[VH_RX_PACKETS], rx->nb_out);
	vh_count(&q->count[VH_RX_BYTES], bytes);
}

uint16_t
vh_rx_burst(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vh_rxq *q = queue;
	struct vh_port *port = q->port;
	uint16_t got = 0;

	vh_gate_enter(&q->gate);
	if (likely(atomic_load_explicit(&port->running, memory_order_relaxed))) {
		burst_begin(q, pkts, n);
		poll_guest(q);
		got = q->rx->nb_out;
		if (got > 0)
			count_burst(q);
		vmxnet3_dev_intr_poll(port->dev);
	}
	vh_gate_leave(&q->gate);
	return got;
}
