/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to receive: the copy of what needs nothing else. */
#ifndef DEV_RX_COPY_H
#define DEV_RX_COPY_H

#include <string.h>

#include <rte_memcpy.h>

#include <offload_move.h>

#include "dev_burst.h"

/** Exactly @p len bytes, DEV_MIN_FRAME at least, of private memory: blocks, the last ones once more from the end. */
static inline void
dev_rx_copy_headers(uint8_t *to, const uint8_t *from, uint32_t len)
{
	uint32_t i;

	if (unlikely(len < 64)) {
		rte_mov32(to, from);
		rte_mov32(to + len - 32, from + len - 32);
		return;
	}
	for (i = 0; i + 64 <= len; i += 64)
		rte_mov64(to + i, from + i);
	if (i < len)
		rte_mov64(to + len - 64, from + len - 64);
}

/** The beginning of a frame that stays as it is, into one piece: what the device has private. */
static inline void
dev_rx_copy_front(uint8_t *to, const struct offload_frame *f)
{
	const struct offload_seg *seg = f->seg;

	if (unlikely(seg->len < DEV_MIN_FRAME))
		memcpy(to, seg->data, seg->len);
	else
		dev_rx_copy_headers(to, seg->data, seg->len);
}

/** All that is behind, into the same piece. @p next is the frame to be copied after this one, to @p next_to. */
static inline void
dev_rx_copy_rest(uint8_t *to, const struct offload_frame *f, const uint8_t *next_to, const struct offload_frame *next)
{
	const struct offload_seg *seg = f->seg, *end = seg + f->nb_segs;
	const struct offload_next ahead = { .to = next_to, .from = next->seg[next->nb_segs - 1].data };

	for (to += seg->len; ++seg < end; to += seg->len)
		offload_move(to, seg->data, seg->len, ahead);
}

#endif /* DEV_RX_COPY_H */
