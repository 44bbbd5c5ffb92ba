/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames to an ethdev: each becomes one linear packet buffer with nothing left to do for
 * hardware. What was asked for is done on the copy, never on the frame, which may go to other
 * ports too and whose memory may change meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include <offload_csum.h>
#include <offload_parse.h>
#include <offload_tso.h>
#include <offload_vlan.h>

#include "ethdev.h"

#define ETHER_HDR_LEN 14
#define VLAN_TAG_LEN 4

/* Tags that do not count towards the MTU. */
#define FREE_TAGS 2

struct eth_tx {
	uint16_t nb;
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
}

static bool
fits_mtu(const struct eth_port *eth, struct offload_frame *f)
{
	uint32_t tags;

	if (likely(f->len <= (uint32_t)eth->mtu + ETHER_HDR_LEN))
		return true;
	offload_frame_parse(f);
	tags = RTE_MIN(f->hdr.nb_tags, FREE_TAGS);
	return f->len <= (uint32_t)eth->mtu + ETHER_HDR_LEN + tags * VLAN_TAG_LEN;
}

static void
copy_frame(uint8_t *to, const struct offload_frame *f)
{
	for (uint16_t i = 0; i < f->nb_segs; i++) {
		memcpy(to, f->seg[i].data, f->seg[i].len);
		to += f->seg[i].len;
	}
}

/* Does on the copy what the frame asks for. @return whether that was possible. */
static bool
finish(struct rte_mbuf *m, const struct offload_frame *f)
{
	struct offload_seg seg = {.data = rte_pktmbuf_mtod(m, uint8_t *), .len = f->len};
	struct offload_frame copy = *f;

	copy.seg = &seg;
	copy.nb_segs = 1;
	if (copy.request == OFFLOAD_CSUM && offload_csum_complete(&copy) < 0)
		return false;
	offload_vlan_push(&copy);
	m->data_off = (uint16_t)(seg.data - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)seg.len;
	m->pkt_len = seg.len;
	return true;
}

/* One frame that needs no cutting. */
static void
emit(struct port *port, struct port_ctx *ctx, struct offload_frame *f)
{
	struct eth_port *eth = eth_of(port);
	struct eth_tx *tx = ctx->eth->tx;
	struct rte_mbuf *m;

	if (unlikely(!fits_mtu(eth, f))) {
		port_drop(port, ctx, SWITCH_DROP_ETH_TOO_LONG, 1);
		return;
	}
	m = rte_pktmbuf_alloc(eth->txq[tx_queue(eth, ctx)].pool);
	if (unlikely(m == NULL)) {
		port_drop(port, ctx, SWITCH_DROP_ETH_NO_MBUF, 1);
		return;
	}
	copy_frame(rte_pktmbuf_mtod(m, uint8_t *), f);
	if (unlikely(!finish(m, f))) {
		rte_pktmbuf_free(m);
		port_drop(port, ctx, SWITCH_DROP_ETH_BAD_OFFLOAD, 1);
		return;
	}
	tx->len[tx->nb] = m->pkt_len;
	/* net_tap compares this, and writes data_len bytes. */
	if (eth->max_pkt_len != 0)
		m->pkt_len = RTE_MIN(m->pkt_len, eth->max_pkt_len);
	tx->mbuf[tx->nb++] = m;
	if (tx->nb == PORT_BURST)
		flush(port, ctx);
}

static void
cut(struct port *port, struct port_ctx *ctx, struct offload_frame *f)
{
	struct offload_tso *tso = &ctx->eth->tx->tso;
	struct offload_frame *piece;

	if (unlikely(offload_tso_begin(tso, f) < 0)) {
		port_drop(port, ctx, SWITCH_DROP_ETH_BAD_OFFLOAD, 1);
		return;
	}
	while ((piece = offload_tso_next(tso)) != NULL)
		emit(port, ctx, piece);
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
		if (frames[i]->request == OFFLOAD_TSO)
			cut(port, ctx, frames[i]);
		else
			emit(port, ctx, frames[i]);
	}
	flush(port, ctx);
}
