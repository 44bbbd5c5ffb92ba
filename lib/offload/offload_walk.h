/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A place in a list of segments, and copies from one such place to another. */
#ifndef OFFLOAD_WALK_H
#define OFFLOAD_WALK_H

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "offload_frame.h"

struct offload_walk {
	const struct offload_seg *seg, *end;
	uint32_t at; /**< bytes of *seg that lie behind */
};

static inline struct offload_walk
offload_walk_begin(const struct offload_seg *seg, uint16_t nb_segs)
{
	return (struct offload_walk){ .seg = seg, .end = seg + nb_segs };
}

/** Bytes that lie together from here on, @p max at most; 0: the end is reached. Segments may be empty. */
static inline uint32_t
offload_walk_run(struct offload_walk *w, uint32_t max)
{
	while (w->seg < w->end && w->at == w->seg->len) {
		w->seg++;
		w->at = 0;
	}
	if (unlikely(w->seg == w->end))
		return 0;
	return RTE_MIN(w->seg->len - w->at, max);
}

/** Where they are; only after offload_walk_run() told of some. */
static inline uint8_t *
offload_walk_data(const struct offload_walk *w)
{
	return w->seg->data + w->at;
}

/** Goes on by @p len bytes, or to the end. */
void offload_walk_skip(struct offload_walk *w, uint32_t len);

/** Copies @p len bytes, or as many as there are and have room. */
void offload_walk_copy(struct offload_walk *from, struct offload_walk *to, uint32_t len);

/** The same. @return their sum, folded, in memory order, as if the first were at an even place */
uint16_t offload_walk_copy_sum(struct offload_walk *from, struct offload_walk *to, uint32_t len);

/** Fills all that is left with zeros. */
void offload_walk_zero(struct offload_walk *to);

#endif /* OFFLOAD_WALK_H */
