/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to receive: what is to be placed into the guest's rings, and where it may go. */
#ifndef DEV_RX_RING_H
#define DEV_RX_RING_H

#include "dev_burst.h"

#define RX_BURST 64 /**< frames that are looked at together */
#define RX_NO_ITEM UINT8_MAX

/** Buffers of one frame: no driver takes more than one HEAD and 17 BODY. */
#define RX_MAX_BUFS 18
/** Longest frame that is placed whole. */
#define RX_LARGE_MAX 65535

/** Of one frame at most. */
#define RX_PIECES_MAX DEV_SEGS_MAX(RX_MAX_BUFS, RX_LARGE_MAX)

#define RX_SLOTS  (3 * RX_BURST + RX_MAX_BUFS)
#define RX_PIECES (3 * RX_BURST + RX_PIECES_MAX)

enum rx_fit {
	RX_FITS,
	RX_NO_BUFFER,   /**< too few buffers are posted, or the frame needs more than it may have */
	RX_BAD_ADDRESS,
	RX_BAD_DESC,    /**< the queue is to be stopped */
};

/** One frame for one queue. */
struct rx_item {
	struct offload_frame *frame;
	uint32_t len;        /**< bytes to be placed, padding included */
	uint32_t wire_bytes; /**< for statistics: of the frames that it is on the wire */
	uint16_t wire_pkts;
	uint16_t given;      /**< frames that are lost if it does not fit, e.g. those that were joined */
	uint16_t mss;        /**< not 0: a large frame, to be placed whole as @c wire_pkts segments */
	uint8_t cast;        /**< enum dev_cast */
	uint8_t next;        /**< item for the same queue */
	bool plain;          /**< unicast, one frame on the wire, and short enough for a descriptor */
	bool cut;            /**< to be segmented first; never reserved for */
	bool summed;         /**< the copy makes or verifies a checksum, or the frame goes whole with one that is open */
	bool open;           /**< with @c summed: the checksum that is asked for is not made all the same */

	uint32_t hash;
	uint32_t dw0, dw2, dw3; /**< what the last completion says of the frame */

	/* Set by dev_rx_reserve(). */
	uint8_t fit;         /**< enum rx_fit */
	uint8_t nb_slots;
	uint16_t first_slot;
	uint16_t first_piece;
	uint16_t nb_pieces;
};

/** A completion still to be written. */
struct rx_slot {
	struct vmxnet3_desc *comp;
	uint32_t dw0; /**< descriptor index and queue id */
	uint16_t len;
	uint8_t gen;
};

/** Where the items of one reservation go. */
struct rx_batch {
	uint16_t nb_slots, nb_pieces;
	struct rx_slot slot[RX_SLOTS];
	struct offload_seg piece[RX_PIECES]; /**< guest memory to be filled */
};

/**
 * Plain frames, placed one after the other: each in the one buffer at its turn, entry and completion of each following
 * those of the one before.
 */
struct rx_run {
	uint32_t len[RX_BURST];  /**< bytes to be placed, at most VMXNET3_RXD_LEN_MASK */
	uint8_t *to[RX_BURST];   /**< where they may be written */
	struct vmxnet3_desc *comp; /**< of the first */
	uint32_t index;          /**< ring entry of the first */
	uint32_t gen;            /**< of the completions */
	uint32_t data_size;      /**< those that are not longer are in the data ring */
	bool out;                /**< the driver has posted no more buffers: there are none for what has no place */
};

/** What the completion of frame @p i of a run says first: index and queue id. */
static inline uint32_t
dev_rx_run_dw0(const struct rx_run *run, uint32_t i, uint32_t queue, uint32_t nb_rxq)
{
	uint32_t id = run->len[i] <= run->data_size ? queue + 2 * nb_rxq : queue;

	return (run->index + i) | id << VMXNET3_RCD_RQID_SHIFT;
}

/**
 * Reserves for a run what dev_rx_reserve() does for items: for as many of its @p n frames as the rings have plain
 * places in a row, and counts those as unicast. Those that have none because there are no buffers are counted as such.
 *
 * @param run  with lengths; the rest is filled
 * @return number of frames that have a place
 */
uint16_t dev_rx_reserve_run(struct vmxnet3_dev *dev, uint32_t queue, uint32_t nb_rxq, struct rx_run *run,
	uint16_t n);

/**
 * Reserves buffers and completions for items, in their order, in one step under the queue's lock, and
 * counts them. Several threads may do so at once; each writes its own slots afterwards, without the
 * lock, and drivers stop at a slot that is not written yet.
 *
 * It ends before an item that is to be cut; when a large item does not fit whole (it is marked to be
 * cut); when @p b is full; after an item that breaks the queue; and with @p all_or_stop after the first
 * one that does not fit.
 *
 * @param queue  index of the queue, of @p nb_rxq in use
 * @return number of items that were decided, see rx_item::fit. If it is 0, the first is to be cut.
 */
uint16_t dev_rx_reserve(struct vmxnet3_dev *dev, uint32_t queue, uint32_t nb_rxq,
	struct rx_item *const *items, uint16_t n, bool all_or_stop, struct rx_batch *b);

#endif /* DEV_RX_RING_H */
