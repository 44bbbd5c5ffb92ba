/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The copy of many bytes that no cache near holds: memory of guests. What takes the time is that lines come and are
 * owned one after the other, so those of the bytes that come later are asked for on the way.
 */
#ifndef OFFLOAD_MOVE_H
#define OFFLOAD_MOVE_H

#include <stdint.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "offload_frame.h"

#define OFFLOAD_MOVE_LINE 64u /**< bytes copied at a time */

/** Where the copy goes on behind the last byte. It is only prefetched, so it may be anywhere. */
struct offload_next {
	const uint8_t *to, *from;
};

/** offload_move() of OFFLOAD_MOVE_LINE bytes and more, by the vectors that this CPU has. */
extern void (*offload_move_lines)(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next);

/** The same by those that every CPU has. */
void offload_move_generic(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next);

/**
 * Copies @p len bytes. Where the ranges overlap, as when a guest that sends to itself sends out of its receive buffers,
 * the copy has any bytes, but none beyond it is written.
 */
static inline void
offload_move(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next)
{
	if (likely(len >= OFFLOAD_MOVE_LINE))
		offload_move_lines(to, from, len, next);
	else
		memmove(to, from, len);
}

/**
 * Copies @p nb_segs segments to where they lie together. @p next comes after the last of them.
 *
 * @return where the last byte has gone, plus one
 */
static inline uint8_t *
offload_move_segs(uint8_t *to, const struct offload_seg *seg, uint16_t nb_segs, struct offload_next next)
{
	const struct offload_seg *end = seg + nb_segs;

	for (; seg < end; to += seg->len, seg++) {
		if (seg + 1 < end)
			offload_move(to, seg->data, seg->len, (struct offload_next){ .to = to + seg->len, .from = seg[1].data });
		else
			offload_move(to, seg->data, seg->len, next);
	}
	return to;
}

#endif /* OFFLOAD_MOVE_H */
