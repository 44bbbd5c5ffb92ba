/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Bursts for the tests of LRO: frames that go in, and what must hold of those that come out. */
#ifndef LRO_BURST_H
#define LRO_BURST_H

#include "offload_frames.h"

#include <offload_csum.h>
#include <offload_lro.h>
#include <offload_parse.h>
#include <offload_tso.h>

#define FIN 0x001
#define SYN 0x002
#define RST 0x004
#define PSH 0x008
#define ACK 0x010
#define URG 0x020
#define ECE 0x040
#define CWR 0x080
#define NS  0x100

#define MAX_LEN 65535

static struct offload_lro lro;
static struct offload_tso tso;
static struct built built;
static uint8_t bytes[FRAME_ROOM], other[FRAME_ROOM];

/* Frames on their way in, and what comes out. */
static struct {
	struct split split[OFFLOAD_LRO_BURST];
	uint8_t *sent[OFFLOAD_LRO_BURST]; /* as it is on the wire when all is done */
	uint8_t *before[OFFLOAD_LRO_BURST]; /* as it was given */
	uint32_t len[OFFLOAD_LRO_BURST];
	struct offload_frame *in[OFFLOAD_LRO_BURST], *out[OFFLOAD_LRO_BURST];
	uint16_t n, nb_out;
} burst;

static inline uint8_t *
copy_of(const uint8_t *data, uint32_t len)
{
	uint8_t *p = malloc(len);

	assert_non_null(p);
	memcpy(p, data, len);
	return p;
}

static inline void
clear(void)
{
	uint16_t i;

	for (i = 0; i < burst.n; i++) {
		split_free(&burst.split[i]);
		free(burst.sent[i]);
		free(burst.before[i]);
	}
	burst.n = 0;
}

/* Adds what is in @c built. With @p seed, its checksum is left to do. */
static inline struct offload_frame *
add(uint32_t first, uint32_t parts, bool seed)
{
	uint16_t i = burst.n++;
	struct split *s = &burst.split[i];

	burst.sent[i] = copy_of(built.data, built.len);
	burst.len[i] = built.len;
	if (seed)
		put_seed(&built);
	split_random(s, built.data, built.len, first, parts);
	burst.before[i] = copy_of(built.data, built.len);
	if (seed) {
		s->f.request = OFFLOAD_CSUM;
		s->f.csum_start = (uint16_t)l4_at(&built);
		s->f.csum_field = (uint16_t)field_at(&built);
	}
	burst.in[i] = &s->f;
	return &s->f;
}

static inline uint16_t
run(uint32_t max_len, uint16_t max_segs)
{
	uint16_t i;

	memset(&lro, 0xa5, sizeof(lro));
	burst.nb_out = offload_lro(&lro, burst.in, burst.n, burst.out, max_len, max_segs);
	for (i = 0; i < burst.n; i++) {
		assert_int_equal(gather(burst.in[i], other), burst.len[i]);
		assert_memory_equal(other, burst.before[i], burst.len[i]);
	}
	return burst.nb_out;
}

/* What a joined frame must be, besides what cutting it tells. @return how many it is */
static inline uint32_t
check_joined(struct offload_frame *f, uint32_t max_len, uint32_t max_segs)
{
	uint32_t payload = f->len - f->hdr_len, count = (payload + f->mss - 1) / f->mss, i, l4_at, l4_bytes;
	bool ipv6 = f->hdr.flags & OFFLOAD_H_IPV6;
	struct offload_headers hdr;
	const uint8_t *ip;

	assert_int_equal(f->request, OFFLOAD_TSO);
	assert_int_equal(f->flags & ~OFFLOAD_F_VLAN, OFFLOAD_F_PARSED | OFFLOAD_F_CSUM_GOOD);
	assert_true(f->len <= max_len && count >= 2 && count <= max_segs);
	assert_true(f->nb_segs < OFFLOAD_TSO_SEGS);
	assert_int_equal(f->seg[0].len, f->hdr_len);
	for (i = 0; i < f->nb_segs; i++)
		assert_true(f->seg[i].len > 0);
	gather(f, bytes);
	offload_parse(bytes, f->len, &hdr);
	assert_memory_equal(&hdr, &f->hdr, sizeof(hdr));
	l4_at = hdr.l2_len + hdr.l3_len;
	l4_bytes = f->len - l4_at;
	assert_int_equal(f->hdr_len, l4_at + hdr.l4_len);
	ip = bytes + hdr.l2_len;
	if (ipv6) {
		assert_int_equal(get16(ip + 4), l4_bytes);
	} else {
		assert_int_equal(get16(ip + 2), hdr.l3_len + l4_bytes);
		assert_int_equal(plain_sum(ip, hdr.l3_len, 0), 0xffff);
	}
	assert_int_equal(get16(bytes + l4_at + 16), plain_pseudo(bytes, hdr.l2_len, ipv6, 6, 0));
	return count;
}

static inline void
seal(void)
{
	if (!built.ipv6)
		seal_ipv4(&built);
	put_csum(&built);
}

#endif /* LRO_BURST_H */
