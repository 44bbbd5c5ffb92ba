/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Checksums that software makes before a frame is sent, and what a device begins with that makes others.
 *
 * The headers have to be in the first segment. Data that others share (a clone, an external buffer or mbuf with more than one
 * reference) is not written: that is refused, unless the right value is there already. Both return 0 or -EINVAL.
 */
#ifndef VX_TX_CSUM_H
#define VX_TX_CSUM_H

#include "vx_tx_plan.h"

/** Makes the checksums that the plan (vx_tx_plan::software) leaves to software, and takes the requests for them back. */
int vx_tx_software(struct rte_mbuf *m, uint64_t requests);

/** Stores the sums of pseudo-headers for the requests that are left. */
int vx_tx_seed(const struct rte_mbuf *m);

#endif /* VX_TX_CSUM_H */
