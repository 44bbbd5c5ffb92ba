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

/**
 * A frame of DEV_MIN_FRAME bytes and more that stays as it is, into one piece. @p next is the one to be copied after it,
 * to @p next_to.
 */
static inline void
dev_rx_copy(uint8_t *to, const struct offload_frame *f, const uint8_t *next_to, const struct offload_frame *next)
{
	if (likely(f->nb_segs == 1))
		dev_rx_copy_headers(to, f->seg->data, f->len);
	else
		offload_move_segs(to, f->seg, f->nb_segs,
			(struct offload_next){ .to = next_to, .from = next->seg[next->nb_segs - 1].data });
}

#endif /* DEV_RX_COPY_H */
