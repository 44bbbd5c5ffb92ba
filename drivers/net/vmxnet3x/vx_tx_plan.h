/* SPDX-License-Identifier: BSD-3-Clause */
/** @file From an mbuf's transmit requests to what the device is told, and what is left to software. */
#ifndef VX_TX_PLAN_H
#define VX_TX_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define VX_TX_MAX_DESCS	    16 /**< of a frame */
#define VX_TX_MAX_TSO_DESCS 24 /**< of one that is to be segmented */

/** What this device can be asked for, beyond checksums of the outermost headers. */
struct vx_tx_caps {
	uint32_t tunnels; /**< VMXNET3_CAP_* of VXLAN and Geneve */
	bool encap;	  /**< tunnels have an offload mode of their own (revisions 4 to 6) */
	bool tso;
};

/** A frame's descriptors. */
struct vx_tx_plan {
	uint32_t nb_descs;
	uint32_t nb_wire; /**< frames that it is on the wire */
	uint64_t hi; /**< offload fields of the first: words 2 and 3 */
	uint64_t software; /**< requests of the mbuf (RTE_MBUF_F_TX_*) that the device is not told of */
};

/** Whether requests are about headers inside of a tunnel: an mbuf then counts its inner lengths from there. */
static inline bool
vx_tx_is_tunnel(const struct rte_mbuf *m)
{
	return m->ol_flags & (RTE_MBUF_F_TX_TUNNEL_MASK | RTE_MBUF_F_TX_OUTER_IP_CKSUM |
		RTE_MBUF_F_TX_OUTER_UDP_CKSUM);
}

/** Where the header of layer 3 that checksums are asked for begins: that of the inner packet in a tunnel. */
static inline uint32_t
vx_tx_l3(const struct rte_mbuf *m)
{
	uint32_t outer = vx_tx_is_tunnel(m) ? m->outer_l2_len + (uint32_t)m->outer_l3_len : 0;

	return outer + m->l2_len;
}

/**
 * Looks at a frame's requests and shape; of its data only at the headers of tunnels, whose port must be one that
 * devices know: 4789 or 8472 for VXLAN, 6081 for Geneve.
 *
 * @return 0; -EINVAL: lengths or shape that cannot be sent; -ENOTSUP: a request that neither the device nor software
 *         carries out
 */
int vx_tx_plan(const struct vx_tx_caps *caps, const struct rte_mbuf *m, struct vx_tx_plan *plan);

#endif /* VX_TX_PLAN_H */
