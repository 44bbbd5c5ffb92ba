/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>

#include "frame.h"

#define PATTERN_STARTS 65536u /* offsets in the pattern at which a frame may start */
#define HEAD_LEN sizeof(struct frame_head)

/* The finalizer of splitmix64: neighbours give unrelated numbers. */
static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

uint64_t
frame_random(uint64_t *state)
{
	*state += 0x9e3779b97f4a7c15;
	return mix(*state);
}

static uint64_t
hash(const struct frame_rule *rule, uint32_t lane, uint32_t flow, uint32_t seq)
{
	return mix(rule->seed ^ mix((uint64_t)lane << 48 | (uint64_t)flow << 32 | seq));
}

int
frame_rule_init(struct frame_rule *rule, uint64_t seed, uint32_t min, uint32_t max, bool uniform)
{
	uint64_t state = seed, word;
	size_t i;

	*rule = (struct frame_rule){.seed = mix(seed + 1), .min = min, .max = max,
		.uniform = uniform};
	rule->pattern = malloc(PATTERN_STARTS + FRAME_MAX);
	if (rule->pattern == NULL)
		return -1;
	for (i = 0; i < PATTERN_STARTS + FRAME_MAX; i++) {
		word = frame_random(&state);
		rule->pattern[i] = word;
	}
	return 0;
}

void
frame_rule_fini(struct frame_rule *rule)
{
	free(rule->pattern);
}

/*
 * One frame in 16 takes the next size in turn, so that none is left out. Of the others, most are small: so many
 * frames in little time meet all paths.
 */
uint32_t
frame_len(const struct frame_rule *rule, uint32_t lane, uint32_t flow, uint32_t seq)
{
	uint32_t span = rule->max - rule->min + 1;
	uint64_t h = hash(rule, lane, flow, seq);
	uint32_t kind = h % 16, pick = h >> 32;

	if (seq % 16 == 0)
		return rule->min + (seq / 16 + flow * (span / 4)) % span;
	if (!rule->uniform && kind != 0)
		span = RTE_MIN(span, kind < 13 ? 68u : 1455u);
	return rule->min + pick % span;
}

static uint32_t
tag_check(const struct frame_rule *rule, const struct frame_tag *tag)
{
	return mix(hash(rule, tag->lane, tag->flow, tag->seq) + tag->len);
}

bool
frame_tag_valid(const struct frame_rule *rule, const struct frame_tag *tag)
{
	return tag->check == tag_check(rule, tag);
}

void
frame_make(const struct frame_rule *rule, uint32_t lane, uint32_t flow, uint32_t seq, struct frame *f)
{
	struct frame_head *h = &f->head;
	uint16_t ip_len;

	f->len = frame_len(rule, lane, flow, seq);
	f->pattern = rule->pattern + (hash(rule, lane, flow, seq) >> 16) % PATTERN_STARTS;
	ip_len = f->len - sizeof(h->eth);
	h->eth.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	/* 198.18.0.0/15 is kept for measurements (RFC 2544). */
	h->ip = (struct rte_ipv4_hdr){.version_ihl = 0x45, .total_length = rte_cpu_to_be_16(ip_len),
		.packet_id = rte_cpu_to_be_16(seq), .time_to_live = 64, .next_proto_id = IPPROTO_UDP,
		.src_addr = rte_cpu_to_be_32(0xc6120001 + lane * 0x10000 + flow * 256),
		.dst_addr = rte_cpu_to_be_32(0xc6130001 + lane * 0x10000)};
	h->ip.hdr_checksum = rte_ipv4_cksum(&h->ip);
	h->udp = (struct rte_udp_hdr){.src_port = rte_cpu_to_be_16(1024 + flow),
		.dst_port = RTE_BE16(9), .dgram_len = rte_cpu_to_be_16(ip_len - sizeof(h->ip))};
	h->tag = (struct frame_tag){.lane = lane, .flow = flow, .seq = seq, .len = f->len};
	h->tag.check = tag_check(rule, &h->tag);
}

void
frame_copy(const struct frame *f, uint32_t from, uint32_t n, uint8_t *to)
{
	uint32_t head = 0;

	if (from < HEAD_LEN) {
		head = RTE_MIN(n, (uint32_t)HEAD_LEN - from);
		memcpy(to, (const uint8_t *)&f->head + from, head);
	}
	if (n > head)
		memcpy(to + head, f->pattern + from + head - HEAD_LEN, n - head);
}

static int64_t
first_difference(const uint8_t *a, const uint8_t *b, uint32_t n)
{
	uint32_t i;

	if (memcmp(a, b, n) == 0)
		return -1;
	for (i = 0; a[i] == b[i]; i++)
		;
	return i;
}

int64_t
frame_compare(const struct frame *f, uint32_t from, uint32_t n, const uint8_t *bytes)
{
	uint32_t head = 0;
	int64_t at;

	if (from < HEAD_LEN) {
		head = RTE_MIN(n, (uint32_t)HEAD_LEN - from);
		at = first_difference((const uint8_t *)&f->head + from, bytes, head);
		if (at >= 0)
			return from + at;
	}
	if (n == head)
		return -1;
	at = first_difference(f->pattern + from + head - HEAD_LEN, bytes + head, n - head);
	return at < 0 ? -1 : from + head + at;
}
