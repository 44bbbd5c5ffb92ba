/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Frames of the builder inside of every tunnel that the front end knows, and of one that it does not. */
#ifndef VX_WRAP_H
#define VX_WRAP_H

#include "offload_frames.h"

enum kind { VXLAN, LINUX_VXLAN, GENEVE, OTHER_PORT, GRE, NVGRE, IPIP, NB_KINDS };

struct wrap {
	enum kind kind;
	bool ipv6; /* outside */
	bool outer_csum;
	uint32_t options; /* bytes, Geneve's */
	struct shape inner;
};

static struct built in; /* what is inside */

/* What it should be on the wire, and where everything is. */
static struct {
	uint8_t data[FRAME_ROOM];
	uint32_t len, l3, l4; /* outer headers begin there */
	uint32_t in_l3, in_l4, in_field;
} out;

static inline bool
is_udp(enum kind kind)
{
	return kind < GRE;
}

static inline uint16_t
udp_port(enum kind kind)
{
	static const uint16_t ports[] = { 4789, 8472, 6081, 4790 };

	return ports[kind];
}

/* Tunnel headers between the outer layer 3 and what is inside. @return their bytes */
static inline uint32_t
put_tunnel(uint8_t *p, const struct wrap *w)
{
	memset(p, 0, 16 + w->options);
	switch (w->kind) {
	case GENEVE:
		p[8] = (uint8_t)(w->options / 4);
		put16(p + 10, 0x6558);
		memset(p + 16, 0x5a, w->options);
		return 16 + w->options;
	case GRE:
		put16(p + 2, in.ipv6 ? 0x86dd : 0x0800);
		return 4;
	case NVGRE:
		put16(p, 0x2000);
		put16(p + 2, 0x6558);
		put32(p + 4, 0x123400);
		return 8;
	case IPIP:
		return 0;
	default:
		p[8] = 0x08;
		put32(p + 12, 0x123400);
		return 16;
	}
}

static inline void
put_outer_udp(const struct wrap *w)
{
	uint8_t *udp = out.data + out.l4;
	uint32_t len = out.len - out.l4;
	uint16_t csum;

	put16(udp, 0xd00d);
	put16(udp + 2, udp_port(w->kind));
	put16(udp + 4, len);
	put16(udp + 6, 0);
	if (!w->outer_csum)
		return;
	csum = (uint16_t)~plain_sum(udp, len, plain_pseudo(out.data, out.l3, w->ipv6, 17, len));
	put16(udp + 6, csum == 0 ? 0xffff : csum);
}

static inline void
put_outer_ip(const struct wrap *w)
{
	uint8_t *ip = out.data + out.l3;
	uint8_t proto = is_udp(w->kind) ? 17 : w->kind == IPIP ? (in.ipv6 ? 41 : 4) : 47;

	if (w->ipv6) {
		ip[0] = 0x60;
		put16(ip + 4, out.len - out.l4);
		ip[6] = proto;
		ip[7] = 64;
		memset(ip + 8, 0x3d, 16);
		memset(ip + 24, 0x7c, 16);
		return;
	}
	ip[0] = 0x45;
	put16(ip + 2, out.len - out.l3);
	ip[8] = 64;
	ip[9] = proto;
	put32(ip + 12, 0xc6120001);
	put32(ip + 16, 0xc6120002);
	put16(ip + 10, ~plain_sum(ip, 20, 0));
}

static inline void
wrap(const struct wrap *w)
{
	uint32_t tunnel, skip;

	build(&in, &w->inner);
	memset(&out, 0, 64);
	memset(out.data, 0x02, 12);
	put16(out.data + 12, w->ipv6 ? 0x86dd : 0x0800);
	out.l3 = 14;
	out.l4 = out.l3 + (w->ipv6 ? 40 : 20);
	tunnel = put_tunnel(out.data + out.l4, w);
	/* An IP packet inside has no Ethernet header. */
	skip = w->kind == GRE || w->kind == IPIP ? in.l2 : 0;
	memcpy(out.data + out.l4 + tunnel, in.data + skip, in.len - skip);
	out.len = out.l4 + tunnel + in.len - skip;
	out.in_l3 = out.l4 + tunnel + in.l2 - skip;
	out.in_l4 = out.in_l3 + in.l3;
	out.in_field = out.in_l4 + (in.proto == 6 ? 16 : 6);
	memset(out.data + out.l3, 0, out.l4 - out.l3);
	put_outer_ip(w);
	if (is_udp(w->kind))
		put_outer_udp(w);
}

static inline struct wrap
random_wrap(void)
{
	struct wrap w = { .kind = rnd(NB_KINDS), .ipv6 = rnd(2), .options = rnd(4) * 4,
		.inner = { .tags = 0, .ipv6 = rnd(2), .proto = rnd(2) ? 6 : 17, .l3_extra = rnd(3) * 8,
			.tcp_options = rnd(4) * 4, .payload = rnd(1300) } };

	return w;
}

#endif /* VX_WRAP_H */
