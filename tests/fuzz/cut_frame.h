/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A frame in segments, each in memory of its own, so that the sanitizers see every byte beyond one. */
#ifndef FUZZ_CUT_FRAME_H
#define FUZZ_CUT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <offload_frame.h>

#include "must.h"

#define CUT_MAX_SEGS 128
#define CUT_MAX_LEN  (OFFLOAD_FRAME_MAX + 100)

/* The bytes of the frame, and where they are. */
static uint8_t whole[CUT_MAX_LEN];
static struct offload_seg segs[CUT_MAX_SEGS];
static void *mem[CUT_MAX_SEGS];

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] * 256 + p[1]);
}

/* The slow way, in network order, folded. */
static uint32_t
plain_sum(const uint8_t *p, uint32_t len, uint32_t before)
{
	uint64_t sum = before;
	uint32_t i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? p[i] : p[i] * 256u;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

/* The input with its tail repeated so many times 256 bytes. @return bytes of the frame */
static uint32_t
stretch(const uint8_t *data, size_t size, uint32_t times)
{
	uint32_t len = size < CUT_MAX_LEN ? (uint32_t)size : CUT_MAX_LEN;
	uint32_t longer = len + times * 256u;

	memcpy(whole, data, len);
	for (; len < longer && len < CUT_MAX_LEN; len++)
		whole[len] = (uint8_t)(whole[len - 1] * 3 + len);
	return len;
}

static void
add_segment(struct offload_frame *f, uint32_t at, uint32_t len)
{
	uint32_t room = f->nb_segs == 0 ? OFFLOAD_HEADROOM : 0;
	uint8_t *p = malloc(room + len);

	MUST(p != NULL);
	memcpy(p + room, whole + at, len);
	mem[f->nb_segs] = p;
	segs[f->nb_segs] = (struct offload_seg){ p + room, len };
	f->nb_segs++;
}

/* @param whole_headers  the first segment holds at least what a sender's does */
static void
cut_frame(struct offload_frame *f, uint32_t len, const uint8_t *cuts, uint32_t nb_cuts, bool whole_headers)
{
	uint32_t i, n, at = 0;

	*f = (struct offload_frame){ .seg = segs, .len = len };
	for (i = 0; i < nb_cuts && at < len && i < CUT_MAX_SEGS - 1; i++) {
		n = cuts[i] + 1u;
		if (i == 0 && whole_headers && n < OFFLOAD_HEADER_BYTES)
			n = OFFLOAD_HEADER_BYTES;
		if (n > len - at)
			n = len - at;
		add_segment(f, at, n);
		at += n;
	}
	if (at < len)
		add_segment(f, at, len - at);
}

static void
unload(struct offload_frame *f)
{
	while (f->nb_segs > 0)
		free(mem[--f->nb_segs]);
}

#endif /* FUZZ_CUT_FRAME_H */
