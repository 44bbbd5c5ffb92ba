/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to transmit: the burst, and the step from descriptors to a frame. */
#ifndef DEV_TX_LOAD_H
#define DEV_TX_LOAD_H

#include "dev_burst.h"

/* The pools of a burst. When one is used up, the burst ends early and the next frame waits in its ring. */
#define BURST_DESCS 512
#define BURST_SEGS  1024
#define BURST_BYTES (32 * 1024)

#define TX_DESC_BYTES_MAX VMXNET3_TXD_LEN_ZERO

/** A frame in the ring, private copies of its descriptors in the pool. */
struct tx_packet {
	uint16_t first;     /**< in the pool of descriptors */
	uint16_t nb_descs;
	uint16_t eop;       /**< ring index of its last descriptor */
	uint16_t next;      /**< ring position after it */
	uint8_t gen;        /**< and the generation there */
	bool cq;            /**< completion wanted */
	uint32_t len;       /**< bytes in all descriptors */
};

struct vmxnet3_burst {
	uint16_t nb_packets; /**< found in the ring */
	uint16_t nb_taken;   /**< of these, consumed: in frames, or dropped; to be completed */
	uint16_t nb_frames;
	uint16_t nb_descs, nb_segs;
	uint32_t nb_bytes;
	struct tx_packet packet[VMXNET3_BURST_FRAMES];
	struct offload_frame frame[VMXNET3_BURST_FRAMES];
	struct vmxnet3_desc desc[BURST_DESCS];
	struct offload_seg seg[BURST_SEGS];
	uint8_t bytes[BURST_BYTES] __attribute__((aligned(64)));
};

enum tx_verdict {
	TX_TAKEN,
	TX_DROP, /**< by *reason */
	TX_WAIT, /**< no room left in the burst's pools */
};

/** Makes the burst's next frame out of packet @p p. Private to it until the caller counts it. */
enum tx_verdict dev_tx_load(struct vmxnet3_dev *dev, struct dev_txq *q, struct vmxnet3_burst *b,
	const struct tx_packet *p, enum vmxnet3_drop *reason);

static inline uint32_t
tx_desc_len(const struct vmxnet3_desc *d)
{
	uint32_t len = d->dw[2] & VMXNET3_TXD_LEN_MASK;

	return len != 0 ? len : VMXNET3_TXD_LEN_ZERO;
}

#endif /* DEV_TX_LOAD_H */
