/* SPDX-License-Identifier: BSD-3-Clause */
/** @file From an mbuf's transmit requests to what the device is told, and what is left to software. */
#ifndef VX_TX_PREPARE_H
#define VX_TX_PREPARE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>

#define VX_TX_MAX_DESCS	    16 /**< of a frame */
#define VX_TX_MAX_TSO_DESCS 24 /**< of one that is to be segmented */

/** A frame's descriptors. */
struct vx_tx_plan {
	uint32_t nb_descs;
	uint32_t nb_wire; /**< frames that it is on the wire */
	uint64_t hi; /**< offload fields of the first: words 2 and 3 */
};

/**
 * Looks at a frame's requests and shape; reads no data.
 * @return 0; -EINVAL: lengths or shape that cannot be sent; -ENOTSUP: a request that the device knows nothing of
 */
int vx_tx_plan(const struct rte_mbuf *m, struct vx_tx_plan *plan);

/**
 * Stores the IPv4 header checksum if it is asked for, and takes the request back.
 * @return 0; -EINVAL: the header is not in the first segment, or has to be written and is shared
 */
int vx_tx_ipv4_checksum(struct rte_mbuf *m);

/**
 * ethdev operation. Checks requests and does in software what the device leaves to drivers: the IPv4 header
 * checksum, and sums of pseudo-headers. Data that others share (a clone, an external buffer or mbuf with more than
 * one reference) is not written: such a frame is refused unless the right value is there already.
 *
 * @return number of frames in order; if fewer than @p nb_pkts, rte_errno is EINVAL or ENOTSUP
 */
uint16_t vx_tx_prepare(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* VX_TX_PREPARE_H */
