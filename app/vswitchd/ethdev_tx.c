/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames to an ethdev: each becomes one linear packet buffer, or a chain when hardware cuts it. What was
 * asked for is left to hardware that can, else done on the copy, never on the frame, which may go
 * to other ports too and whose memory may change meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include <offload_csum.h>
#include <offload_mbuf.h>
#include <offload_parse.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#include "ethdev_hw.h"

struct eth_tx {
	uint16_t nb;
	uint16_t nb_bufs; /* of all those: a large frame may have many */
	struct rte_mbuf *mbuf[PORT_BURST];
	uint32_t len[PORT_BURST];
	struct offload_tso tso;
};

struct eth_tx *
eth_tx_create(void)
{
	return calloc(1, sizeof(struct eth_tx));
}

struct eth_scratch *
eth_scratch_create(void)
{
	struct eth_scratch *scratch = calloc(1, sizeof(*scratch));

	if (scratch == NULL)
		return NULL;
	scratch->rx = eth_rx_create();
	scratch->tx = eth_tx_create();
	if (scratch->rx == NULL || scratch->tx == NULL) {
		eth_scratch_destroy(scratch);
		return NULL;
	}
	return scratch;
}

void
eth_scratch_destroy(struct eth_scratch *scratch)
{
	if (scratch == NULL)
		return;
	free(scratch->rx);
	free(scratch->tx);
	free(scratch);
}

static uint16_t
tx_queue(const struct eth_port *eth, const struct port_ctx *ctx)
{
	return ctx->worker % eth->nb_txq;
}

/* Those that the driver cannot send as they ask for are dropped: nothing comes behind them undone. */
static void
prepare(struct port *port, struct port_ctx *ctx, uint16_t queue)
{
	struct eth_port *eth = eth_of(port);
	struct eth_tx *tx = ctx->eth->tx;
	uint16_t done = 0;

	for (;;) {
		done += rte_eth_tx_prepare(eth->id, queue, tx->mbuf + done, tx->nb - done);
		if (likely(done == tx->nb))
			return;
		rte_pktmbuf_free(tx->mbuf[done]);
		port_drop(port, ctx, SWITCH_DROP_ETH_BAD_OFFLOAD, 1);
		tx->nb--;
		memmove(&tx->mbuf[done], &tx->mbuf[done + 1], (tx->nb - done) * sizeof(tx->mbuf[0]));
		memmove(&tx->len[done], &tx->len[done + 1], (tx->nb - done) * sizeof(tx->len[0]));
	}
}

static uint16_t
tx_burst(struct eth_port *eth, uint16_t queue, struct eth_tx *tx)
{
	uint16_t sent;

	if (!eth->tx_shared)
		return rte_eth_tx_burst(eth->id, queue, tx->mbuf, tx->nb);
	rte_spinlock_lock(&eth->txq[queue].lock);
	sent = rte_eth_tx_burst(eth->id, queue, tx->mbuf, tx->nb);
	rte_spinlock_unlock(&eth->txq[queue].lock);
	return sent;
}

static void
flush(struct port *port, struct port_ctx *ctx)
{
	struct eth_port *eth = eth_of(port);
	struct eth_tx *tx = ctx->eth->tx;
	struct port_counters *c = port_count(port, ctx);
	uint64_t bytes = 0;
	uint16_t sent;

	if (tx->nb == 0)
		return;
	if (eth->tx_offloads != 0)
		prepare(port, ctx, tx_queue(eth, ctx));
	sent = tx_burst(eth, tx_queue(eth, ctx), tx);
	for (uint16_t i = 0; i < sent; i++)
		bytes += tx->len[i];
	count(&c->tx_frames, sent);
	count(&c->tx_bytes, bytes);
	if (unlikely(sent < tx->nb)) {
		rte_pktmbuf_free_bulk(&tx->mbuf[sent], tx->nb - sent);
		port_drop(port, ctx, SWITCH_DROP_ETH_TX_FULL, tx->nb - sent);
	}
	tx->nb = 0;
	tx->nb_bufs = 0;
}

/* Copies a frame whose checksum may be left to hardware. @return whether what it asks for can be done. */
static bool
finish_open(const struct eth_port *eth, struct rte_mbuf *m, const struct offload_frame *f, struct offload_mbuf *copy)
{
	offload_mbuf_copy(copy, m, f);
	if (!eth_hw_vlan(eth, m, &copy->frame))
		offload_vlan_push(&copy->frame);
	return eth_hw_csum(eth, m, &copy->frame) || offload_csum_complete(&copy->frame) == 0;
}

/* Copies a frame and does on the way what it asks for. @return whether that was possible. */
static bool
finish(const struct eth_port *eth, struct rte_mbuf *m, struct offload_frame *f)
{
	struct offload_mbuf copy;

	if (f->request == OFFLOAD_CSUM && !(f->flags & OFFLOAD_F_INNER) && eth_hw_has_csum(eth)) {
		if (!finish_open(eth, m, f, &copy))
			return false;
	} else {
		if (!offload_mbuf_finish(&copy, m, f, 0))
			return false;
		if (!eth_hw_vlan(eth, m, &copy.frame))
			offload_vlan_push(&copy.frame);
	}
	offload_mbuf_close(&copy, m);
	return true;
}

/* A packet buffer for @p len bytes of a frame, or NULL and why not. */
static struct rte_mbuf *
take_mbuf(struct eth_port *eth, struct port_ctx *ctx, struct offload_frame *f, uint32_t len, enum switch_drop *why)
{
	if (unlikely(!offload_fits_mtu(f, len, eth->mtu))) {
		*why = SWITCH_DROP_ETH_TOO_LONG;
		return NULL;
	}
	*why = SWITCH_DROP_ETH_NO_MBUF;
	return rte_pktmbuf_alloc(eth->txq[tx_queue(eth, ctx)].pool);
}

static void
append(struct port *port, struct port_ctx *ctx, struct rte_mbuf *m)
{
	struct eth_port *eth = eth_of(port);
	struct eth_tx *tx = ctx->eth->tx;

	tx->len[tx->nb] = m->pkt_len;
	/* net_tap compares this, and writes data_len bytes. */
	if (eth->max_pkt_len != 0)
		m->pkt_len = RTE_MIN(m->pkt_len, eth->max_pkt_len);
	tx->mbuf[tx->nb++] = m;
	tx->nb_bufs = (uint16_t)(tx->nb_bufs + m->nb_segs);
	if (tx->nb_bufs >= PORT_BURST)
		flush(port, ctx);
}

/* One frame that needs no cutting. */
static void
emit(struct port *port, struct port_ctx *ctx, struct offload_frame *f)
{
	enum switch_drop why;
	struct rte_mbuf *m = take_mbuf(eth_of(port), ctx, f, f->len, &why);

	if (unlikely(m == NULL)) {
		port_drop(port, ctx, why, 1);
		return;
	}
	if (unlikely(!finish(eth_of(port), m, f))) {
		rte_pktmbuf_free(m);
		port_drop(port, ctx, SWITCH_DROP_ETH_BAD_OFFLOAD, 1);
		return;
	}
	append(port, ctx, m);
}

/* A large frame for hardware that cuts. @return false: cut it here. */
static bool
emit_large(struct port *port, struct port_ctx *ctx, struct offload_frame *f)
{
	struct eth_port *eth = eth_of(port);
	struct rte_mbuf *m;

	if (!offload_fits_mtu(f, RTE_MIN(f->len, (uint32_t)f->hdr_len + f->mss), eth->mtu))
		return false;
	m = eth_hw_large(eth, eth->txq[tx_queue(eth, ctx)].pool, f);
	if (m == NULL)
		return false;
	append(port, ctx, m);
	return true;
}

/* Each piece is made in its packet buffer. When one cannot be, the rest is of no use to the receiver. */
static void
cut(struct port *port, struct port_ctx *ctx, struct offload_frame *f)
{
	struct offload_tso *tso = &ctx->eth->tx->tso;
	int left = offload_tso_begin(tso, f);
	struct offload_mbuf copy;
	enum switch_drop why;
	struct rte_mbuf *m;

	if (unlikely(left < 0)) {
		port_drop(port, ctx, SWITCH_DROP_ETH_BAD_OFFLOAD, 1);
		return;
	}
	if (left > 1 && eth_of(port)->tx_offloads != 0 && emit_large(port, ctx, f))
		return;
	for (; left > 0; left--) {
		m = take_mbuf(eth_of(port), ctx, f, offload_tso_next_len(tso), &why);
		if (unlikely(m == NULL)) {
			port_drop(port, ctx, why, (uint64_t)left);
			return;
		}
		offload_mbuf_cut(&copy, m, tso);
		offload_vlan_push(&copy.frame);
		offload_mbuf_close(&copy, m);
		append(port, ctx, m);
	}
}

void
eth_deliver(struct port *port, struct port_ctx *ctx, struct offload_frame *const *frames,
	uint16_t n)
{
	if (unlikely(!port_is_up(port))) {
		port_drop(port, ctx, SWITCH_DROP_LINK_DOWN, n);
		return;
	}
	for (uint16_t i = 0; i < n; i++) {
		if (offload_is_large(frames[i]))
			cut(port, ctx, frames[i]);
		else
			emit(port, ctx, frames[i]);
	}
	flush(port, ctx);
}
