/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file A frame's bytes. Each follows from the seed and from the frame's direction, flow and number, so that the
 * receiver can tell what every byte must be without having seen the frame sent.
 */
#ifndef PKTCHECK_FRAME_H
#define PKTCHECK_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_udp.h>

#define FRAME_MIN 60
#define FRAME_MAX 9190

/** Says which frame it is, behind the headers. */
struct frame_tag {
	uint16_t lane;
	uint16_t flow;
	uint32_t seq;
	uint16_t len;
	uint32_t check; /**< of what is above, and of the seed */
} __rte_packed;

/** The front of a frame; a pattern fills the rest. */
struct frame_head {
	struct rte_ether_hdr eth;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	struct frame_tag tag;
} __rte_packed __rte_aligned(2);

_Static_assert(sizeof(struct frame_head) <= FRAME_MIN, "the shortest frame has room for it");

/** What all frames of a run have in common. */
struct frame_rule {
	uint64_t seed;
	uint32_t min, max;
	bool uniform;
	uint8_t *pattern;
};

/** One of its frames, as it must arrive. */
struct frame {
	struct frame_head head;
	const uint8_t *pattern; /**< of offset sizeof(head) and on */
	uint32_t len;
};

int frame_rule_init(struct frame_rule *rule, uint64_t seed, uint32_t min, uint32_t max, bool uniform);
void frame_rule_fini(struct frame_rule *rule);

/** How long frame number @p seq of a flow is. */
uint32_t frame_len(const struct frame_rule *rule, uint32_t lane, uint32_t flow, uint32_t seq);

/** All of a frame but its Ethernet addresses, which are left to the caller. Checksum of UDP: none. */
void frame_make(const struct frame_rule *rule, uint32_t lane, uint32_t flow, uint32_t seq,
	struct frame *f);

/** Whether a tag is one of this run's. */
bool frame_tag_valid(const struct frame_rule *rule, const struct frame_tag *tag);

/** Copies @p n bytes from offset @p from of a frame. */
void frame_copy(const struct frame *f, uint32_t from, uint32_t n, uint8_t *to);

/** Compares @p n bytes with those at offset @p from. @return offset of the first wrong byte, or -1 */
int64_t frame_compare(const struct frame *f, uint32_t from, uint32_t n, const uint8_t *bytes);

/** The next of a row of random numbers. */
uint64_t frame_random(uint64_t *state);

#endif /* PKTCHECK_FRAME_H */
