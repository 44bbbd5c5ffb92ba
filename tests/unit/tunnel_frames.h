/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Frames of the builder inside of VXLAN and Geneve. */
#ifndef TUNNEL_FRAMES_H
#define TUNNEL_FRAMES_H

#include "offload_frames.h"

struct tunnel {
	bool geneve;
	bool ipv6;        /* outside */
	bool csum;        /* the outer UDP checksum is there */
	uint32_t options; /* Geneve: bytes, a multiple of 4 */
	uint32_t tags;    /* outside */
	uint16_t ip_id;   /* outside */
};

/* Where the inner frame begins. */
static inline uint32_t
tunnel_end(const struct built *outer, const struct tunnel *t)
{
	return l4_at(outer) + 8 + 8 + (t->geneve ? t->options : 0);
}

static inline void
wrap(struct built *outer, const struct built *inner, const struct tunnel *t)
{
	uint32_t hdr = 8 + (t->geneve ? t->options : 0);
	struct shape s = { .proto = 17, .ipv6 = t->ipv6, .tags = t->tags, .ip_id = t->ip_id,
		.payload = hdr + inner->len };
	uint8_t *p;

	build(outer, &s);
	p = outer->data + l4_at(outer);
	put16(p + 2, t->geneve ? 6081 : 4789);
	p += 8;
	memset(p, 0, hdr);
	if (t->geneve) {
		p[0] = (uint8_t)(t->options / 4);
		put16(p + 2, 0x6558);
		put32(p + 4, 0x12345600);
		if (t->options > 0) {
			put32(p + 8, 0x01028000 | (t->options - 4) / 4);
			memset(p + 12, 0xa5, t->options - 4);
		}
	} else {
		p[0] = 0x08;
		put32(p + 4, 0x12345600);
	}
	memcpy(p + hdr, inner->data, inner->len);
	put16(outer->data + field_at(outer), 0);
	if (t->csum)
		put_csum(outer);
}

/* Of any kind. Over IPv6 a checksum is due. */
static inline void
shuffle_tunnel(struct tunnel *t)
{
	*t = (struct tunnel){
		.geneve = rnd(2),
		.ipv6 = rnd(2),
		.csum = rnd(2),
		.options = rnd(4) * 4 * rnd(4),
		.tags = rnd(3) == 0,
		.ip_id = (uint16_t)rnd(65536),
	};
	t->csum |= t->ipv6;
}

#endif /* TUNNEL_FRAMES_H */
