/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Transmit: frames to the guest. They are handed to the device where they lie in their packet buffers,
 * with the offloads that the application asked for; the device does what the guest's driver cannot take.
 * All are gone after the burst: a guest without room for one loses it, as at a NIC.
 */
#include "vh_tx.h"

#include <rte_errno.h>
#include <rte_malloc.h>

#include <offload_mbuf.h>

#include "vh_intr.h"
#include "vh_tx_request.h"

/* Frames handed to the device at once. */
#define STEP 32

/* Segments of one step; the longest frame has one more than it has buffers. */
#define SEGS 512

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
	uint32_t need = RTE_MAX(vh_tx_header_len(m), (uint32_t)OFFLOAD_HEADER_BYTES);

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
	if (unlikely(m->ol_flags & RTE_MBUF_F_TX_OFFLOAD_MASK) && !vh_tx_set_request(f, m))
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
		else if (unlikely(offload_is_large(&tx->frame[tx->nb - 1])))
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
		vh_intr_poll(port);
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
		int ret = vh_tx_check_request(m);

		if (ret == 0 && (m->nb_segs > VH_TX_MAX_SEGS || m->pkt_len > OFFLOAD_FRAME_MAX))
			ret = -EINVAL;
		if (unlikely(ret != 0)) {
			rte_errno = -ret;
			return i;
		}
	}
	return n;
}
