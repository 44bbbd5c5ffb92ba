/* SPDX-License-Identifier: BSD-3-Clause */
/** @file From a completion to the fields of an mbuf. */
#ifndef VX_RX_META_H
#define VX_RX_META_H

#include "vx_ring.h"

/**
 * What a completion says of its frame besides lengths, tag and hash, as an index: bits 0 to 6 are VMXNET3_RCD_TUC to
 * FRG of word 3, then word 0's "not calculated", word 2's VMXNET3_RCD_TS, and whether there is a hash.
 */
#define VX_RX_KINDS	1024
#define VX_RX_KIND_MASK 0x7fu
#define VX_RX_KIND_CNC	0x80u
#define VX_RX_KIND_TAG	0x100u
#define VX_RX_KIND_HASH 0x200u
#define VX_RX_KIND_SHIFT 16 /* of VMXNET3_RCD_TUC */

/** Sixteen bytes, as vectors are; both fields where vectors want them. */
struct vx_rx_kind {
	uint32_t packet_type;
	uint32_t reserved;
	uint64_t ol_flags;
};

extern struct vx_rx_kind vx_rx_kinds[VX_RX_KINDS];

static_assert(VMXNET3_RCD_TUC == 1u << VX_RX_KIND_SHIFT &&
	VMXNET3_RCD_FRG == 0x40u << VX_RX_KIND_SHIFT, "seven bits in a row");

static_assert(offsetof(struct rte_mbuf, refcnt) == offsetof(struct rte_mbuf, data_off) + 2 &&
	offsetof(struct rte_mbuf, nb_segs) == offsetof(struct rte_mbuf, data_off) + 4 &&
	offsetof(struct rte_mbuf, port) == offsetof(struct rte_mbuf, data_off) + 6, "four fields in a row");

/** data_off, refcnt, nb_segs and port at once. */
static inline void
vx_rx_rearm(struct rte_mbuf *m, uint64_t rearm)
{
	memcpy((char *)m + offsetof(struct rte_mbuf, data_off), &rearm, sizeof(rearm));
}

/** The argument of vx_rx_rearm() for what port @p port receives. */
static inline uint64_t
vx_rx_rearm_of(uint16_t port)
{
	struct rte_mbuf m = { .data_off = RTE_PKTMBUF_HEADROOM, .nb_segs = 1, .port = port };
	uint64_t rearm;

	rte_mbuf_refcnt_set(&m, 1);
	memcpy(&rearm, (const char *)&m + offsetof(struct rte_mbuf, data_off), sizeof(rearm));
	return rearm;
}

/** Bits of word 0 that are not all 0 when a completion has a hash. */
#define VX_RX_HASH_MASK (0xfu << VMXNET3_RCD_RSS_TYPE_SHIFT)

/** Index into vx_rx_kinds. */
static inline uint32_t
vx_rx_kind_of(uint32_t dw0, uint32_t dw2, uint32_t dw3)
{
	return (dw3 >> VX_RX_KIND_SHIFT & VX_RX_KIND_MASK) | (dw0 & VMXNET3_RCD_CNC ? VX_RX_KIND_CNC : 0) |
		(dw2 & VMXNET3_RCD_TS ? VX_RX_KIND_TAG : 0) | (dw0 & VX_RX_HASH_MASK ? VX_RX_KIND_HASH : 0);
}

/** Fills what the last completion of a frame says of it as a whole, but its lengths. */
static inline void
vx_rx_describe(struct rte_mbuf *m, uint64_t lo, uint64_t hi)
{
	const struct vx_rx_kind *k = &vx_rx_kinds[vx_rx_kind_of((uint32_t)lo, (uint32_t)hi, (uint32_t)(hi >> 32))];

	m->packet_type = k->packet_type;
	m->ol_flags = k->ol_flags;
	m->vlan_tci = (uint16_t)((uint32_t)hi >> VMXNET3_RCD_TCI_SHIFT);
	m->hash.rss = (uint32_t)(lo >> 32);
}

#endif /* VX_RX_META_H */
