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

/**
 * Of generation and type, in word 3, what matters: large frames have type 4; all others should have 3, but QEMU's device
 * leaves 0 there.
 */
#define VX_RX_SORT_MASK (1u << VMXNET3_CD_GEN_SHIFT | VMXNET3_CD_TYPE_RX_LRO << VMXNET3_CD_TYPE_SHIFT)

static_assert((VMXNET3_CD_TYPE_RX & VMXNET3_CD_TYPE_RX_LRO) == 0, "a bit that only large frames have");

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
