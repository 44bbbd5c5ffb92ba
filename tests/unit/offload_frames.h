/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames for the tests of lib/offload: a builder that knows where everything is, a checksum of the
 * plainest kind to compare with, and frames cut into segments, each in its own piece of heap so
 * that the address sanitizer sees every byte read or written outside.
 */
#ifndef OFFLOAD_FRAMES_H
#define OFFLOAD_FRAMES_H

#include <stdarg.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <offload_frame.h>

#define FRAME_ROOM 70000
#define MAX_SEGS   80

static uint32_t random_state = 0x2545f491;

static inline uint32_t
rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return below ? random_state % below : 0;
}

static inline uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] * 256 + p[1]);
}

static inline uint32_t
get32(const uint8_t *p)
{
	return get16(p) * 65536u + get16(p + 2);
}

static inline void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

struct shape {
	unsigned int tags;     /* in line */
	uint16_t tpid;         /* of the first tag, 0: 0x8100 */
	bool ipv6;
	uint8_t proto;         /* 6 or 17 */
	uint32_t l3_extra;     /* IPv4 options, or IPv6 destination options of 8 bytes each */
	uint32_t tcp_options;
	uint32_t payload;
	uint16_t ip_id;
	uint32_t seq;
	uint16_t tcp_flags;    /* low 12 bits of the word with the data offset */
};

struct built {
	uint32_t len, l2, l3, l4; /* l2..l4: lengths of the headers */
	bool ipv6;
	uint8_t proto;
	uint8_t data[FRAME_ROOM];
};

/* RFC 1071 over bytes in network order; @p sum is what came before (at an even offset). */
static inline uint16_t
plain_sum(const uint8_t *p, uint32_t len, uint32_t sum)
{
	uint64_t total = sum;
	uint32_t i;

	for (i = 0; i < len; i++)
		total += i & 1 ? p[i] : p[i] * 256u;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return (uint16_t)total;
}

static inline uint16_t
plain_pseudo(const uint8_t *frame, uint32_t l2, bool ipv6, uint8_t proto, uint32_t l4_bytes)
{
	uint32_t sum = proto + l4_bytes;

	return ipv6 ? plain_sum(frame + l2 + 8, 32, sum) : plain_sum(frame + l2 + 12, 8, sum);
}

static inline uint32_t
l4_at(const struct built *b)
{
	return b->l2 + b->l3;
}

static inline uint32_t
field_at(const struct built *b)
{
	return l4_at(b) + (b->proto == 6 ? 16 : 6);
}

static inline uint32_t
l4_bytes(const struct built *b)
{
	return b->len - l4_at(b);
}

static inline void
seal_ipv4(struct built *b)
{
	put16(b->data + b->l2 + 10, 0);
	put16(b->data + b->l2 + 10, ~plain_sum(b->data + b->l2, b->l3, 0));
}

/* The seed that a sender leaves for hardware: the pseudo-header's sum. */
static inline void
put_seed(struct built *b)
{
	put16(b->data + field_at(b),
		plain_pseudo(b->data, b->l2, b->ipv6, b->proto, l4_bytes(b)));
}

/* The finished checksum. */
static inline void
put_csum(struct built *b)
{
	uint16_t csum;

	put16(b->data + field_at(b), 0);
	csum = (uint16_t)~plain_sum(b->data + l4_at(b), l4_bytes(b),
		plain_pseudo(b->data, b->l2, b->ipv6, b->proto, l4_bytes(b)));
	put16(b->data + field_at(b), b->proto == 17 && csum == 0 ? 0xffff : csum);
}

static inline uint32_t
build_l2(uint8_t *p, const struct shape *s)
{
	uint32_t i, at = 12;

	for (i = 0; i < 12; i++)
		p[i] = (uint8_t)(0x02 + i);
	for (i = 0; i < s->tags; i++, at += 4) {
		put16(p + at, i == 0 && s->tpid ? s->tpid : 0x8100);
		put16(p + at + 2, 0x2064 + i);
	}
	put16(p + at, s->ipv6 ? 0x86dd : 0x0800);
	return at + 2;
}

static inline uint32_t
build_l3(uint8_t *ip, const struct shape *s, uint32_t l4_len)
{
	uint32_t i, n;

	if (!s->ipv6) {
		n = 20 + s->l3_extra;
		memset(ip, 0, n);
		memset(ip + 20, 1, s->l3_extra);
		ip[0] = (uint8_t)(0x40 | n / 4);
		put16(ip + 2, n + l4_len);
		put16(ip + 4, s->ip_id);
		ip[8] = 64;
		ip[9] = s->proto;
		put32(ip + 12, 0xc0a80117);
		put32(ip + 16, 0x0a01fe02);
		return n;
	}
	n = 40 + s->l3_extra;
	memset(ip, 0, n);
	ip[0] = 0x60;
	put16(ip + 4, s->l3_extra + l4_len);
	ip[6] = s->l3_extra ? 60 : s->proto;
	ip[7] = 64;
	for (i = 8; i < 40; i++)
		ip[i] = (uint8_t)(i * 37);
	for (i = 40; i < n; i += 8) {
		ip[i] = i + 8 < n ? 60 : s->proto;
		ip[i + 2] = 1; /* PadN of six bytes */
		ip[i + 3] = 4;
	}
	return n;
}

static inline void
build(struct built *b, const struct shape *s)
{
	uint32_t l4 = s->proto == 6 ? 20 + s->tcp_options : 8;
	uint8_t *p;
	uint32_t i;

	b->ipv6 = s->ipv6;
	b->proto = s->proto;
	b->l2 = build_l2(b->data, s);
	b->l3 = build_l3(b->data + b->l2, s, l4 + s->payload);
	b->l4 = l4;
	b->len = b->l2 + b->l3 + l4 + s->payload;
	assert_true(b->len <= FRAME_ROOM);

	p = b->data + l4_at(b);
	memset(p, 0, l4);
	put16(p, 0xc001);
	put16(p + 2, 443);
	if (s->proto == 6) {
		put32(p + 4, s->seq);
		put32(p + 8, 0x01020304);
		put16(p + 12, (l4 / 4) << 12 | s->tcp_flags);
		put16(p + 14, 0xfff0);
		memset(p + 20, 1, s->tcp_options);
	} else {
		put16(p + 4, l4 + s->payload);
	}
	for (i = 0; i < s->payload; i++)
		p[l4 + i] = (uint8_t)rnd(256);
	if (!s->ipv6)
		seal_ipv4(b);
	put_csum(b);
}

struct split {
	struct offload_frame f;
	struct offload_seg seg[MAX_SEGS];
	uint8_t *mem[MAX_SEGS];
};

/* Adds a segment with @p len bytes; the first one gets the headroom. */
static inline void
split_add(struct split *s, const uint8_t *data, uint32_t len)
{
	uint32_t room = s->f.nb_segs == 0 ? OFFLOAD_HEADROOM : 0;
	struct offload_seg *seg = &s->seg[s->f.nb_segs];

	assert_true(s->f.nb_segs < MAX_SEGS && len > 0);
	s->mem[s->f.nb_segs++] = malloc(room + len);
	seg->data = s->mem[s->f.nb_segs - 1] + room;
	seg->len = len;
	memcpy(seg->data, data, len);
	s->f.len += len;
}

static inline void
split_begin(struct split *s)
{
	memset(s, 0, sizeof(*s));
	s->f.seg = s->seg;
}

/* The frame in at most @p parts segments cut at random, the first of at least @p first bytes. */
static inline void
split_random(struct split *s, const uint8_t *data, uint32_t len, uint32_t first, uint32_t parts)
{
	uint32_t at, n;

	split_begin(s);
	if (first > len)
		first = len;
	n = parts == 1 ? len : first + rnd(len - first + 1);
	if (n == 0)
		n = 1;
	split_add(s, data, n);
	for (at = n; at < len; at += n) {
		n = s->f.nb_segs + 1u >= parts ? len - at : 1 + rnd(2 * (len - at) / parts + 2);
		if (n > len - at)
			n = len - at;
		split_add(s, data + at, n);
	}
}

static inline void
split_free(struct split *s)
{
	uint32_t i;

	for (i = 0; i < s->f.nb_segs; i++)
		free(s->mem[i]);
}

/* All bytes of a frame; returns how many. */
static inline uint32_t
gather(const struct offload_frame *f, uint8_t *to)
{
	uint32_t i, at = 0;

	for (i = 0; i < f->nb_segs; i++) {
		assert_true(at + f->seg[i].len <= FRAME_ROOM);
		memcpy(to + at, f->seg[i].data, f->seg[i].len);
		at += f->seg[i].len;
	}
	assert_int_equal(at, f->len);
	return at;
}

#endif /* OFFLOAD_FRAMES_H */
