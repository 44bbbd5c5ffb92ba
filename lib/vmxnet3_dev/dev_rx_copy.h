/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Private to receive: the copy of what needs nothing else. */
#ifndef DEV_RX_COPY_H
#define DEV_RX_COPY_H

#include <string.h>

#include <rte_memcpy.h>

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

/** A frame that stays as it is, into one piece. A guest that sends to itself may send out of its receive buffers. */
static inline void
dev_rx_copy(uint8_t *to, const struct offload_frame *f)
{
	const struct offload_seg *seg = f->seg, *end = seg + f->nb_segs;

	if (unlikely(seg->len < DEV_MIN_FRAME))
		memcpy(to, seg->data, seg->len);
	else
		dev_rx_copy_headers(to, seg->data, seg->len);
	for (to += seg->len; unlikely(++seg < end); to += seg->len)
		memmove(to, seg->data, seg->len);
}

#endif /* DEV_RX_COPY_H */
