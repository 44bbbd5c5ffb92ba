/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Receive: frames from the guest, each copied into packet buffers of the queue's pool.
 *
 * Packet buffers are there before a frame is taken: without any, frames wait in the guest's ring. Only
 * pieces of large frames cannot be foreseen. What they are more than the application asked for is kept
 * for its next burst, and while large frames come they are taken one at a time.
 */
#include "vh_rx.h"

#include <rte_malloc.h>

#include "vh_intr.h"
#include "vh_rx_frame.h"

struct vh_rx *
vh_rx_create(unsigned int socket)
{
	struct vh_rx *rx = rte_zmalloc_socket("vh_rx", sizeof(*rx), 0, (int)socket);

	if (rx == NULL)
		return NULL;
	rx->step = VH_RX_STEP;
	rx->burst = vmxnet3_burst_create();
	if (rx->burst == NULL) {
		rte_free(rx);
		return NULL;
	}
	return rx;
}

static void
return_stock(struct vh_rx *rx)
{
	rte_pktmbuf_free_bulk(rx->stock, rx->nb_stock);
	rx->nb_stock = 0;
}

void
vh_rx_drain(struct vh_rxq *q)
{
	struct vh_rx *rx = q->rx;

	return_stock(rx);
	vh_count(&q->count[VH_RX_STOPPED], rx->tail - rx->head);
	for (; rx->head != rx->tail; rx->head++)
		rte_pktmbuf_free(rx->kept[rx->head % VH_RX_KEPT]);
}

void
vh_rx_destroy(struct vh_rx *rx)
{
	if (rx == NULL)
		return;
	vmxnet3_burst_destroy(rx->burst);
	rte_free(rx);
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
		want = vh_rx_stock(q, want);
		if (unlikely(want == 0))
			return;
		got = vmxnet3_dev_tx_begin(dev, guest_queue, rx->burst, want, &frames);
		if (got == 0)
			return;
		rx->cut_one = false;
		for (uint16_t i = 0; i < got; i++)
			vh_rx_take(q, &frames[i]);
		vmxnet3_dev_tx_end(dev, guest_queue, rx->burst);
		rx->step = rx->cut_one ? 1 : RTE_MIN((uint16_t)(rx->step * 2), (uint16_t)VH_RX_STEP);
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
		rx->out[rx->nb_out++] = rx->kept[rx->head++ % VH_RX_KEPT];
}

/* An idle queue holds no buffer: it has one while it looks for a frame. */
static void
rest(struct vh_rx *rx)
{
	if (rx->empty < VH_RX_IDLE && ++rx->empty < VH_RX_IDLE)
		return;
	rx->step = 1;
	return_stock(rx);
}

static inline void
count_burst(struct vh_rxq *q)
{
	struct vh_rx *rx = q->rx;
	uint64_t bytes = 0;

	rx->empty = 0;

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
		else
			rest(q->rx);
		vh_intr_poll(port);
	}
	vh_gate_leave(&q->gate);
	return got;
}
