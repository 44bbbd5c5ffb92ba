/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <offload_parse.h>

#include "ethdev_hw.h"

#define CHECKSUMS (RTE_ETH_TX_OFFLOAD_TCP_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
/* Who cuts has to make all checksums, and take a frame in several buffers. */
#define CUTTING                                                                                    \
	(RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_TCP_CKSUM | \
		RTE_ETH_TX_OFFLOAD_MULTI_SEGS)

#define TCP_CSUM_AT 16
#define UDP_CSUM_AT 6

/* What an mbuf has bits for. */
#define MAX_L2_LEN 127
#define MAX_L3_LEN 511

uint64_t
eth_hw_choose(const struct eth_port *eth, const struct rte_eth_dev_info *info)
{
	uint64_t has = info->tx_offload_capa;
	uint64_t use = has & (CHECKSUMS | RTE_ETH_TX_OFFLOAD_VLAN_INSERT);

	/* net_tap computes checksums in software, on another copy; net_af_xdp has nothing. */
	if (eth->kind != ETH_GENERIC)
		return 0;
	return (has & CUTTING) == CUTTING ? use | CUTTING : use;
}

bool
eth_hw_vlan(const struct eth_port *eth, struct rte_mbuf *m, struct offload_frame *f)
{
	if (likely(!(f->flags & OFFLOAD_F_VLAN)))
		return true;
	if (!(eth->tx_offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT))
		return false;
	m->vlan_tci = f->vlan_tci;
	m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	return true;
}

/* Tells where the headers are. @return false: an mbuf cannot. */
static bool
describe(struct rte_mbuf *m, const struct offload_headers *hdr)
{
	if (hdr->l4_len == 0 || hdr->l2_len > MAX_L2_LEN || hdr->l3_len > MAX_L3_LEN)
		return false;
	m->l2_len = hdr->l2_len;
	m->l3_len = hdr->l3_len;
	m->l4_len = hdr->l4_len;
	m->ol_flags |= hdr->flags & OFFLOAD_H_IPV4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
	return true;
}

bool
eth_hw_csum(const struct eth_port *eth, struct rte_mbuf *m, struct offload_frame *f)
{
	const struct offload_headers *hdr = &f->hdr;
	uint32_t start;
	bool tcp;

	if (!(eth->tx_offloads & CHECKSUMS) || f->flags & OFFLOAD_F_INNER)
		return false;
	offload_frame_parse(f);
	tcp = hdr->flags & OFFLOAD_H_TCP;
	if (!tcp && !(hdr->flags & OFFLOAD_H_UDP))
		return false;
	if (!(eth->tx_offloads &
			(tcp ? RTE_ETH_TX_OFFLOAD_TCP_CKSUM : RTE_ETH_TX_OFFLOAD_UDP_CKSUM)))
		return false;
	/* The hardware finds the field by itself: it must be the one that was asked for. */
	start = (uint32_t)hdr->l2_len + hdr->l3_len;
	if (f->csum_start != start || f->csum_field != start + (tcp ? TCP_CSUM_AT : UDP_CSUM_AT) ||
			!describe(m, hdr))
		return false;
	m->ol_flags |= tcp ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM;
	return true;
}

/* Copies the frame into as many buffers as it needs. @return whether there were enough. */
static bool
fill_chain(struct rte_mbuf *head, const struct offload_frame *f)
{
	struct rte_mbuf *m = head;

	for (uint16_t i = 0; i < f->nb_segs; i++) {
		const uint8_t *from = f->seg[i].data;
		uint32_t left = f->seg[i].len, n;

		while (left > 0) {
			if (rte_pktmbuf_tailroom(m) == 0) {
				m->next = rte_pktmbuf_alloc(head->pool);
				if (m->next == NULL)
					return false;
				m = m->next;
				head->nb_segs++;
			}
			n = RTE_MIN(left, rte_pktmbuf_tailroom(m));
			memcpy(rte_pktmbuf_mtod_offset(m, uint8_t *, m->data_len), from, n);
			m->data_len = (uint16_t)(m->data_len + n);
			head->pkt_len += n;
			from += n;
			left -= n;
		}
	}
	return true;
}

struct rte_mbuf *
eth_hw_large(const struct eth_port *eth, struct rte_mempool *pool, const struct offload_frame *f)
{
	bool tag = f->flags & OFFLOAD_F_VLAN;
	struct rte_mbuf *m;

	if (!(eth->tx_offloads & RTE_ETH_TX_OFFLOAD_TCP_TSO) || f->request != OFFLOAD_TSO ||
			f->flags & OFFLOAD_F_INNER ||
			(tag && !(eth->tx_offloads & RTE_ETH_TX_OFFLOAD_VLAN_INSERT)))
		return NULL;
	m = rte_pktmbuf_alloc(pool);
	if (m == NULL)
		return NULL;
	if (!describe(m, &f->hdr) || !fill_chain(m, f) || m->nb_segs > eth->max_segs) {
		rte_pktmbuf_free(m);
		return NULL;
	}
	m->tso_segsz = f->mss;
	m->ol_flags |= RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM;
	if (f->hdr.flags & OFFLOAD_H_IPV4)
		m->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	if (tag) {
		m->vlan_tci = f->vlan_tci;
		m->ol_flags |= RTE_MBUF_F_TX_VLAN;
	}
	return m;
}
