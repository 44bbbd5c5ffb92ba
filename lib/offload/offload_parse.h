/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Bounded header parse. */
#ifndef OFFLOAD_PARSE_H
#define OFFLOAD_PARSE_H

#include "offload_frame.h"

/** In-line VLAN tags and IPv6 extension headers walked at most. */
#define OFFLOAD_MAX_TAGS 4
#define OFFLOAD_MAX_EXT_HEADERS 8

/**
 * Finds the headers in @p len bytes of @p data. Any content and any length is allowed; no byte
 * beyond the data is read, and the work is bounded.
 *
 * A layer is reported only if its whole header lies within @p len and its length fields are
 * sane (IHL >= 5, TCP data offset >= 5, UDP length not checked here). Layer 4 is reported
 * for unfragmented packets only.
 */
void offload_parse(const uint8_t *data, uint32_t len, struct offload_headers *hdr);

/** Parses seg[0] of a frame once; later calls return at once. */
static inline void
offload_frame_parse(struct offload_frame *f)
{
	if (f->flags & OFFLOAD_F_PARSED)
		return;
	offload_parse(f->seg[0].data, f->seg[0].len, &f->hdr);
	f->flags |= OFFLOAD_F_PARSED;
}

#endif /* OFFLOAD_PARSE_H */
