/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to transmit: the burst, and the step from descriptors to a frame. */
#ifndef DEV_TX_LOAD_H
#define DEV_TX_LOAD_H

#include <string.h>

#include "dev_burst.h"

/* The pools of a burst. When one is used up, the burst ends early and the next frame waits in its ring. */
#define BURST_DESCS 512
#define BURST_SEGS  1024
#define BURST_BYTES (32 * 1024)

/** Headers are copied by blocks of so many bytes. */
#define TX_BEYOND 64

/**
 * A frame in the ring. A plain one is a single descriptor that asks for nothing, in one piece of memory: where that is
 * is all there is to know. Of the others the pool has private copies of the descriptors.
 */
struct tx_packet {
	const uint8_t *host; /**< plain: TX_BEYOND more bytes can be read than it has; else NULL */
	uint32_t len;        /**< bytes in all descriptors */
	uint32_t dw3;        /**< of the first descriptor, when plain */
	uint16_t first;      /**< when not plain: in the pool of descriptors */
	uint16_t nb_descs;
	uint16_t eop;        /**< ring index of its last descriptor */
	uint8_t gen;         /**< generation of the ring position after it */
	bool cq;             /**< completion wanted */
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

/** What lies before the headers in the pool of bytes is their headroom; it also puts them on a cache line. */
#define TX_BYTES_BEFORE 64
#define TX_ROOM_SHORT (TX_BYTES_BEFORE + OFFLOAD_HEADER_BYTES)
#define TX_ROOM_LONG  (TX_BYTES_BEFORE + OFFLOAD_HEADER_MAX)
/** Segments of one frame at most. */
#define TX_SEGS_LONG (1 + DEV_SEGS_MAX(VMXNET3_TX_MAX_DESCS, OFFLOAD_FRAME_MAX))

static_assert(TX_BYTES_BEFORE >= OFFLOAD_HEADROOM && TX_ROOM_LONG <= BURST_BYTES && TX_ROOM_SHORT % 64 == 0 &&
	TX_SEGS_LONG <= BURST_SEGS, "an empty burst has room for every frame");
static_assert(OFFLOAD_HEADER_BYTES % TX_BEYOND == 0, "headers are copied by whole blocks");

/** Whether the burst's pools have room for every frame. */
static inline bool
dev_tx_has_room(const struct vmxnet3_burst *b)
{
	return b->nb_bytes <= BURST_BYTES - TX_ROOM_LONG && b->nb_segs <= BURST_SEGS - TX_SEGS_LONG;
}

/** Short frames are filled up to the least that there is. Only those that are private as a whole can be too short. */
static inline void
dev_tx_pad(struct offload_frame *f)
{
	if (likely(f->len >= DEV_MIN_FRAME))
		return;
	memset(f->seg[0].data + f->len, 0, DEV_MIN_FRAME - f->len);
	f->len = DEV_MIN_FRAME;
	f->seg[0].len = DEV_MIN_FRAME;
}

/**
 * Makes the burst's next frame out of a packet that is not plain. dev_tx_has_room() must be true.
 *
 * @return false: it cannot be one, by *reason
 */
bool dev_tx_load(struct vmxnet3_dev *dev, struct dev_txq *q, struct vmxnet3_burst *b,
	const struct tx_packet *p, enum vmxnet3_drop *reason);

/**
 * The same for plain packets, from @p p up to the first that is not, or to @p end, or until there is no room left.
 *
 * @return the one behind the last that was taken
 */
const struct tx_packet *dev_tx_load_plain(struct vmxnet3_burst *b, const struct tx_packet *p,
	const struct tx_packet *end);

static inline uint32_t
tx_desc_len(const struct vmxnet3_desc *d)
{
	uint32_t len = d->dw[2] & VMXNET3_TXD_LEN_MASK;

	return len != 0 ? len : VMXNET3_TXD_LEN_ZERO;
}

#endif /* DEV_TX_LOAD_H */
