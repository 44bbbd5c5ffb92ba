/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from an ethdev, seen where they lie in its packet buffers. */
#include <stdlib.h>

#include <offload_csum.h>
#include <offload_mbuf.h>

#include "ethdev.h"

#define ETHER_HDR_LEN 14

/* Pieces of one frame: its front and the buffers behind. */
#define MAX_SEGS 9

struct eth_rx {
	uint16_t nb_mbufs;
	struct rte_mbuf *mbuf[PORT_BURST];
	struct offload_frame frame[PORT_BURST];
	struct offload_seg seg[PORT_BURST][MAX_SEGS];
	/* The fronts of frames whose first buffer cannot serve as the private segment. */
	uint8_t front[PORT_BURST][OFFLOAD_HEADROOM + OFFLOAD_HEADER_BYTES];
};

struct eth_rx *
eth_rx_create(void)
{
	return calloc(1, sizeof(struct eth_rx));
}

static uint8_t
flags_of(uint64_t ol_flags)
{
	uint64_t l3 = ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
	uint64_t l4 = ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint8_t flags = 0;

	if (l3 == RTE_MBUF_F_RX_IP_CKSUM_BAD || l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		flags |= OFFLOAD_F_CSUM_BAD;
	else if (l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		flags |= OFFLOAD_F_CSUM_GOOD;
	if (ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED)
		flags |= OFFLOAD_F_VLAN;
	return flags;
}

/* @return the reason not to take it, SWITCH_DROP_MAX: none */
static enum switch_drop
take(struct eth_rx *rx, uint16_t i, const struct rte_mbuf *m)
{
	struct offload_frame *f = &rx->frame[i];

	if (rte_pktmbuf_pkt_len(m) < ETHER_HDR_LEN || !offload_mbuf_sound(m))
		return SWITCH_DROP_ETH_RUNT;
	if (rte_pktmbuf_pkt_len(m) > OFFLOAD_FRAME_MAX)
		return SWITCH_DROP_ETH_TOO_LONG;
	*f = (struct offload_frame){
		.seg = rx->seg[i],
		.nb_segs = offload_mbuf_segs(m, OFFLOAD_HEADER_BYTES, rx->front[i], rx->seg[i],
			MAX_SEGS),
		.request = OFFLOAD_NONE,
		.flags = flags_of(m->ol_flags),
		.len = rte_pktmbuf_pkt_len(m),
		.vlan_tci = m->vlan_tci,
	};
	return f->nb_segs == 0 ? SWITCH_DROP_ETH_TOO_LONG : SWITCH_DROP_MAX;
}

uint16_t
eth_rx_begin(struct port *port, uint16_t queue, struct port_ctx *ctx,
	struct offload_frame **frames)
{
	struct eth_port *eth = eth_of(port);
	struct eth_rx *rx = ctx->eth->rx;
	struct port_counters *c = port_count(port, ctx);
	uint64_t bytes = 0;
	uint16_t n = 0;

	if (ctx->tsc < eth->rxq[queue].poll_at)
		return 0;
	rx->nb_mbufs = rte_eth_rx_burst(eth->id, queue, rx->mbuf, PORT_BURST);
	if (rx->nb_mbufs == 0) {
		eth->rxq[queue].poll_at = ctx->tsc + eth->poll_gap;
		return 0;
	}
	for (uint16_t i = 0; i < rx->nb_mbufs; i++) {
		enum switch_drop drop = take(rx, n, rx->mbuf[i]);

		if (unlikely(drop != SWITCH_DROP_MAX)) {
			port_drop(port, ctx, drop, 1);
			continue;
		}
		if (eth->repair_csum)
			offload_csum_repair(&rx->frame[n]);
		bytes += rx->frame[n].len;
		n++;
	}
	count(&c->rx_frames, n);
	count(&c->rx_bytes, bytes);
	if (n == 0)
		eth_rx_end(port, queue, ctx);
	*frames = rx->frame;
	return n;
}

void
eth_rx_end(struct port *port __rte_unused, uint16_t queue __rte_unused, struct port_ctx *ctx)
{
	struct eth_rx *rx = ctx->eth->rx;

	rte_pktmbuf_free_bulk(rx->mbuf, rx->nb_mbufs);
	rx->nb_mbufs = 0;
}
