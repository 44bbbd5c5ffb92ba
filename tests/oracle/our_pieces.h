/* SPDX-License-Identifier: BSD-3-Clause */
/* What lib/offload makes of a large frame of the oracle tests, both ways at once. */
#ifndef OUR_PIECES_H
#define OUR_PIECES_H

#include <offload_tso.h>

#include "large_frame.h"

#define OUR_MAX_SEGS 12

struct our_pieces {
	struct offload_frame frame;
	struct offload_seg seg[OUR_MAX_SEGS];
	uint8_t mem[OFFLOAD_HEADROOM + LARGE_ROOM + OUR_MAX_SEGS];
	struct offload_tso next, copy;
	uint8_t piece[LARGE_ROOM], copied[LARGE_ROOM];
};

/* Cuts the frame into segments at random and asks for it to be cut. @return pieces, or an error of the library */
int our_begin(struct our_pieces *o, const struct large_frame *f);

/* The next piece in o->piece. @return its length, 0: none is left, -1: the two ways differ */
int our_next(struct our_pieces *o);

#endif /* OUR_PIECES_H */
