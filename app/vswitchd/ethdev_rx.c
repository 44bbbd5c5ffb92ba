/* SPDX-License-Identifier: BSD-3-Clause */
/* Frames from an ethdev, seen where they lie in its packet buffers. */
#include <stdlib.h>
#include <string.h>

#include <rte_mbuf.h>

#include <offload_csum.h>

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

/* A first segment must be writable, with room before it, and hold all headers. */
static bool
front_is_private(const struct rte_mbuf *m)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 &&
	       rte_pktmbuf_headroom(m) >= OFFLOAD_HEADROOM &&
	       (m->nb_segs == 1 || rte_pktmbuf_data_len(m) >= OFFLOAD_HEADER_BYTES);
}

/* Copies @p want bytes from the begin of the chain; moves on to what follows them. */
static void
pull(uint8_t *to, uint32_t want, const struct rte_mbuf **m, uint32_t *offset)
{
	while (want > 0) {
		uint32_t n = RTE_MIN(want, rte_pktmbuf_data_len(*m) - *offset);

		memcpy(to, rte_pktmbuf_mtod_offset(*m, uint8_t *, *offset), n);
		to += n;
		want -= n;
		*offset += n;
		if (*offset == rte_pktmbuf_data_len(*m)) {
			*m = (*m)->next;
			*offset = 0;
		}
	}
}

/* @return the number of segments, 0: too many */
static uint16_t
list_segs(struct eth_rx *rx, uint16_t i, const struct rte_mbuf *m)
{
	struct offload_seg *seg = rx->seg[i];
	uint32_t offset = 0, rest = rte_pktmbuf_pkt_len(m);
	uint16_t n = 0;

	if (!front_is_private(m)) {
		seg[0].data = rx->front[i] + OFFLOAD_HEADROOM;
		seg[0].len = RTE_MIN(rest, (uint32_t)OFFLOAD_HEADER_BYTES);
		pull(seg[0].data, seg[0].len, &m, &offset);
		rest -= seg[0].len;
		n = 1;
	}
	for (; m != NULL && rest > 0; m = m->next) {
		uint32_t len = RTE_MIN(rest, rte_pktmbuf_data_len(m) - offset);

		if (len > 0) {
			if (n == MAX_SEGS)
				return 0;
			seg[n].data = rte_pktmbuf_mtod_offset(m, uint8_t *, offset);
			seg[n++].len = len;
			rest -= len;
		}
		offset = 0;
	}
	return n;
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

static bool
chain_is_sound(const struct rte_mbuf *m)
{
	uint32_t len = 0;

	for (const struct rte_mbuf *s = m; s != NULL; s = s->next)
		len += rte_pktmbuf_data_len(s);
	return len == rte_pktmbuf_pkt_len(m);
}

/* @return the reason not to take it, SWITCH_DROP_MAX: none */
static enum switch_drop
take(struct eth_rx *rx, uint16_t i, const struct rte_mbuf *m)
{
	struct offload_frame *f = &rx->frame[i];

	if (rte_pktmbuf_pkt_len(m) < ETHER_HDR_LEN || !chain_is_sound(m))
		return SWITCH_DROP_ETH_RUNT;
	if (rte_pktmbuf_pkt_len(m) > OFFLOAD_FRAME_MAX)
		return SWITCH_DROP_ETH_TOO_LONG;
	*f = (struct offload_frame){
		.seg = rx->seg[i],
		.nb_segs = list_segs(rx, i, m),
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
