/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Before the transmit burst: requests are checked, and what is left to drivers is done. */
#ifndef VX_TX_PREPARE_H
#define VX_TX_PREPARE_H

#include <stdint.h>

#include <rte_mbuf.h>

/**
 * ethdev operation. Checks requests and does in software what the device leaves to drivers: IPv4 header checksums, inner and
 * outer; sums of pseudo-headers; in tunnels that the device does not know, the inner checksum; around one that it makes, the
 * outer one. Data that others share (a clone, an external buffer or mbuf with more than one reference) is not
 * written: such a frame is refused unless the right value is there already.
 *
 * @return number of frames in order; if fewer than @p nb_pkts, rte_errno is EINVAL or ENOTSUP
 */
uint16_t vx_tx_prepare(void *txq, struct rte_mbuf **pkts, uint16_t nb_pkts);

#endif /* VX_TX_PREPARE_H */
