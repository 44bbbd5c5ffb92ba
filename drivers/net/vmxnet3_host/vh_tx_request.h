/* SPDX-License-Identifier: BSD-3-Clause */
/** @file From an mbuf's transmit requests to those of a frame. */
#ifndef VH_TX_REQUEST_H
#define VH_TX_REQUEST_H

#include <stdbool.h>

#include <rte_mbuf.h>

#include <offload_frame.h>

/** Bytes at the front of a frame that its requests are about: headers, with those around a tunnel; 0: no such request. */
uint32_t vh_tx_header_len(const struct rte_mbuf *m);

/** What can be said of requests without a look at the data. @return 0, -EINVAL or -ENOTSUP */
int vh_tx_check_request(const struct rte_mbuf *m);

/**
 * Makes the requests of a packet buffer those of its frame, whose seg[0] holds vh_tx_header_len() bytes if the frame is
 * that long. IPv4 header checksums are made here.
 *
 * @return whether they can be carried out: they are known, and fit the frame
 */
bool vh_tx_set_request(struct offload_frame *f, const struct rte_mbuf *m);

#endif /* VH_TX_REQUEST_H */
