/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large frames at random, as a sender leaves them for hardware: every length is that of the large frame, layer 4
 * checksum fields have the pseudo-header's sum. Made without lib/offload.
 */
#ifndef LARGE_FRAME_H
#define LARGE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#define LARGE_ROOM 66000

enum large_tunnel {
	LARGE_PLAIN,
	LARGE_VXLAN,
	LARGE_GENEVE,
	LARGE_NVGRE,
	LARGE_NB_TUNNELS,
};

/* What may come. */
struct large_limits {
	uint32_t tunnels;      /* a bit for each */
	uint32_t max_payload;  /* of the few big ones */
	uint32_t max_datagrams; /* pieces of a UDP frame at most */
	bool udp, ipv6, extras; /* extras: tags, options, extension headers */
	bool small_mss;
	bool single;           /* frames of one piece, plain ones only */
};

struct large_frame {
	uint8_t data[LARGE_ROOM];
	uint32_t len;
	enum large_tunnel tunnel;
	bool udp, v6, outer6, outer_csum, ecn;
	uint32_t tags, outer_l3, outer_l4; /* offsets; of the outer headers only with a tunnel */
	uint32_t l3, l4, hdr_len;
	uint32_t mss, payload, pieces;
};

/* Numbers that are the same in each run. */
uint32_t large_random(void);
uint32_t large_below(uint32_t limit);
void large_seed(uint64_t seed);

void large_make(struct large_frame *f, const struct large_limits *limits);

#endif /* LARGE_FRAME_H */
