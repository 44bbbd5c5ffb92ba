/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Completions of any kind: parts of frames, large frames, the receive data ring, errors, nonsense. */
#ifndef VX_RX_FRAME_H
#define VX_RX_FRAME_H

#include "vx_rxq.h"

/** Bits of word 0 that say where a completion belongs. */
#define VX_RX_PLACE_MASK                                                                           \
	(VMXNET3_RCD_INDEX_MASK | VMXNET3_RCD_INNER | VMXNET3_RCD_EOP | VMXNET3_RCD_SOP |          \
		VX_RX_ID_MASK << VMXNET3_RCD_RQID_SHIFT)
#define VX_RX_ID_MASK 0x3ffu

/** vx_rxq::whole between frames, and inside of one: a bit that no place has. */
#define VX_RX_WHOLE(id)                                                                            \
	(VMXNET3_RCD_SOP | VMXNET3_RCD_EOP | (uint32_t)(id) << VMXNET3_RCD_RQID_SHIFT)
#define VX_RX_NEVER (1u << 31)

/**
 * Takes one completion that is there, of any kind.
 * @return a frame that it was the last of, or NULL
 */
struct rte_mbuf *vx_rx_take(struct vx_rxq *q);

#endif /* VX_RX_FRAME_H */
