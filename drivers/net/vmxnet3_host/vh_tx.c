/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmit: frames to the guest. They are handed to the device where they lie in their packet buffers,
 * with the offloads that the application asked for; the device does what the guest's driver cannot take.
 * All are gone after the burst: a guest without room for one loses it, as at a NIC.
 */
#include "vh_tx.h"

#include <rte_errno.h>
#include <rte_ip.h>
#include <rte_malloc.h>

#include <offload_csum.h>
#include <offload_mbuf.h>
#include <offload_parse.h>

/* Frames handed to the device at once. */
#define STEP 32

/* Segments of one step; the longest frame has one more than it has buffers. */
#define SEGS 512

#define TCP_HDR_MIN 20
#define UDP_HDR 8

/* Requests that can be carried out. */
#define SUPPORTED (RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6 | \
	RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)
#define UNSUPPORTED (RTE_MBUF_F_TX_OFFLOAD_MASK & ~SUPPORTED)

/* Those that rest on the headers. */
#define HEADERS (RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_L4_MASK | RTE_MBUF_F_TX_TCP_SEG)

struct vh_tx {
	uint16_t nb, nb_segs;
	uint64_t bytes;
	struct offload_frame frame[STEP];
	struct offload_frame *list[STEP];
	struct offload_seg seg[SEGS];
	uint8_t front[STEP][OFFLOAD_HEADROOM + OFFLOAD_HEADER_MAX];
};

struct vh_tx *
vh_tx_create(unsigned int socket)
{
	struct vh_tx *tx = rte_zmalloc_socket("vh_tx", sizeof(*tx), 0, (int)socket);

	for (uint16_t i = 0; tx != NULL && i < STEP; i++)
		tx->list[i] = &tx->frame[i];
	return tx;
}

void
vh_tx_destroy(struct vh_tx *tx)
{
	rte_free(tx);
}

/* ---- requests ---- */

static uint32_t
l4_len_of(const struct rte_mbuf *m)
{
	if (m->ol_flags & RTE_MBUF_F_TX_TCP_SEG)
		return m->l4_len;
	switch (m->ol_flags & RTE_MBUF_F_TX_L4_MASK) {
	case RTE_MBUF_F_TX_TCP_CKSUM:
		return TCP_HDR_MIN;
	case RTE_MBUF_F_TX_UDP_CKSUM:
		return UDP_HDR;
	default:
		return 0;
	}
}

/* Bytes at the front of a frame that its request is about. */
static inline uint32_t
header_len(const struct rte_mbuf *m)
{
	if (likely(!(m->ol_flags & HEADERS)))
		return 0;
	return (uint32_t)m->l2_len + m->l3_len + l4_len_of(m);
}

/* The IPv4 header checksum is made here: it rests on nothing that the device changes later. */
static bool
make_ip_csum(const struct offload_frame *f, const struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(f->seg[0].data + m->l2_len);

	if (m->l3_len < sizeof(*ip) || rte_ipv4_hdr_len(ip) != m->l3_len)
		return false;
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	return true;
}

/*
 * The application need not have stored the sum of the pseudo-header. The lengths are those that it
 * gave, which may be of a layer 2 that we know nothing of; but whoever wants to walk extension headers
 * has to agree with us on them.
 */
static bool
ask_csum(struct offload_frame *f, const struct rte_mbuf *m, bool tcp)
{
	bool ipv6 = f->seg[0].data[m->l2_len] >> 4 == 6;
	struct offload_headers hdr = {
		.l2_len = m->l2_len,
		.l3_len = m->l3_len,
		.l4_len = tcp ? TCP_HDR_MIN : UDP_HDR,
		.ip_proto = tcp ? IPPROTO_TCP : IPPROTO_UDP,
		.flags = (uint8_t)((ipv6 ? OFFLOAD_H_IPV6 : OFFLOAD_H_IPV4) |
			(tcp ? OFFLOAD_H_TCP : OFFLOAD_H_UDP)),
	};

	if (ipv6 && m->l3_len > sizeof(struct rte_ipv6_hdr)) {
		offload_frame_parse(f);
		if (f->hdr.l2_len != hdr.l2_len || f->hdr.l3_len != hdr.l3_len ||
				f->hdr.ip_proto != hdr.ip_proto || f->hdr.l4_len == 0)
			return false;
	} else if (m->l3_len < (ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr))) {
		return false;
	}
	return offload_csum_ask(f, &hdr) == 0;
}

static bool
ask_tso(struct offload_frame *f, const struct rte_mbuf *m)
{
	if (m->tso_segsz == 0 || m->l4_len < TCP_HDR_MIN)
		return false;
	f->request = OFFLOAD_TSO;
	f->hdr_len = (uint16_t)header_len(m);
	f->mss = m->tso_segsz;
	return true;
}

/* @return whether the request is one, and fits the frame. */
static bool
set_request(struct offload_frame *f, const struct rte_mbuf *m)
{
	uint64_t flags = m->ol_flags;

	if (flags & UNSUPPORTED)
		return false;
	if (flags & RTE_MBUF_F_TX_VLAN) {
		f->flags |= OFFLOAD_F_VLAN;
		f->vlan_tci = m->vlan_tci;
	}
	if (!(flags & HEADERS))
		return true;
	if (m->l3_len == 0 || header_len(m) > f->seg[0].len)
		return false;
	if (flags & RTE_MBUF_F_TX_IP_CKSUM && !make_ip_csum(f, m))
		return false;
	if (flags & RTE_MBUF_F_TX_TCP_SEG)
		return ask_tso(f, m);
	switch (flags & RTE_MBUF_F_TX_L4_MASK) {
	case RTE_MBUF_F_TX_L4_NO_CKSUM:
		return true;
	case RTE_MBUF_F_TX_TCP_CKSUM:
		return ask_csum(f, m, true);
	case RTE_MBUF_F_TX_UDP_CKSUM:
		return ask_csum(f, m, false);
	default:
		return false;
	}
}

/* ---- bursts ---- */

static inline bool
is_sound(const struct rte_mbuf *m)
{
	return m->pkt_len != 0 && m->pkt_len <= OFFLOAD_FRAME_MAX && m->nb_segs <= VH_TX_MAX_SEGS &&
		offload_mbuf_sound(m);
}

/* Makes the next frame of the step. */
static inline enum vh_tx_count
load(struct vh_tx *tx, const struct rte_mbuf *m)
{
	struct offload_frame *f = &tx->frame[tx->nb];
	uint32_t need = RTE_MAX(header_len(m), (uint32_t)OFFLOAD_HEADER_BYTES);

	if (unlikely(!is_sound(m)))
		return VH_TX_BAD_MBUF;
	if (unlikely(need > OFFLOAD_HEADER_MAX))
		return VH_TX_BAD_OFFLOAD;
	*f = (struct offload_frame){
		.seg = &tx->seg[tx->nb_segs],
		.nb_segs = offload_mbuf_segs(m, need, tx->front[tx->nb], &tx->seg[tx->nb_segs],
			VH_TX_MAX_SEGS + 1),
		.len = m->pkt_len,
	};
	if (unlikely(m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) && !set_request(f, m))
		return VH_TX_BAD_OFFLOAD;
	tx->nb++;
	tx->nb_segs = (uint16_t)(tx->nb_segs + f->nb_segs);
	tx->bytes += m->pkt_len;
	return VH_TX_PACKETS;
}

static void
deliver(struct vh_txq *q)
{
	struct vh_tx *tx = q->tx;
	uint16_t done, nb = tx->nb;

	done = vmxnet3_dev_deliver(q->port->dev, tx->list, nb);
	vh_count(&q->count[VH_TX_PACKETS], done);
	if (likely(done == nb)) {
		vh_count(&q->count[VH_TX_BYTES], tx->bytes);
		return;
	}
	/* Which ones they were is not told: their share of the bytes. */
	vh_count(&q->count[VH_TX_BYTES], tx->bytes * done / nb);
	vh_count(&q->count[VH_TX_NOT_TAKEN], (uint64_t)nb - done);
}

/* @return packet buffers dealt with: all, or as many as one step has room for. */
static uint16_t
send_step(struct vh_txq *q, struct rte_mbuf **pkts, uint16_t n)
{
	struct vh_tx *tx = q->tx;
	enum vh_tx_count verdict;
	uint16_t i, nb_tso = 0;

	tx->nb = 0;
	tx->nb_segs = 0;
	tx->bytes = 0;
	for (i = 0; i < n && tx->nb < STEP && tx->nb_segs <= SEGS - (VH_TX_MAX_SEGS + 1); i++) {
		verdict = load(tx, pkts[i]);
		if (unlikely(verdict != VH_TX_PACKETS))
			vh_count(&q->count[verdict], 1);
		else if (unlikely(tx->frame[tx->nb - 1].request == OFFLOAD_TSO))
			nb_tso++;
	}
	if (nb_tso > 0)
		vh_count(&q->count[VH_TX_TSO], nb_tso);
	if (likely(tx->nb > 0))
		deliver(q);
	return i;
}

uint16_t
vh_tx_burst(void *queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct vh_txq *q = queue;
	struct vh_port *port = q->port;
	uint16_t sent = 0;

	vh_gate_enter(&q->gate);
	if (likely(atomic_load_explicit(&port->running, memory_order_relaxed))) {
		while (sent < n)
			sent = (uint16_t)(sent + send_step(q, pkts + sent, (uint16_t)(n - sent)));
		vmxnet3_dev_intr_poll(port->dev);
	}
	vh_gate_leave(&q->gate);
	rte_pktmbuf_free_bulk(pkts, sent);
	return sent;
}

uint16_t
vh_tx_prepare(void *queue __rte_unused, struct rte_mbuf **pkts, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++) {
		const struct rte_mbuf *m = pkts[i];
		int ret = rte_validate_tx_offload(m);

		if (m->ol_flags & UNSUPPORTED ||
				(m->ol_flags & RTE_MBUF_F_TX_L4_MASK) == RTE_MBUF_F_TX_SCTP_CKSUM)
			ret = -ENOTSUP;
		else if (m->nb_segs > VH_TX_MAX_SEGS || m->pkt_len > OFFLOAD_FRAME_MAX ||
				header_len(m) > RTE_MIN(m->pkt_len, (uint32_t)OFFLOAD_HEADER_MAX))
			ret = -EINVAL;
		if (unlikely(ret != 0)) {
			rte_errno = -ret;
			return i;
		}
	}
	return n;
}
