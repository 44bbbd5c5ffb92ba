/* SPDX-License-Identifier: BSD-3-Clause */
/* Tunnels of every kind for the tests of lib/offload: frames in frames, with everything at known places. */
#ifndef OFFLOAD_TUNNELS_H
#define OFFLOAD_TUNNELS_H

#include "offload_frames.h"

#include <offload_parse.h>

/* A tunnel's own header, and what is to be found behind it. */
struct wrap {
	enum offload_tunnel tunnel;
	uint8_t proto;     /* of the outer IP packet */
	uint16_t port;     /* UDP destination */
	uint32_t len;
	uint8_t head[264];
	bool ethernet;     /* inside; else IP */
};

/* Fills in GRE with these flags and this type. */
static inline void
set_gre(struct wrap *w, uint16_t flags, uint16_t type)
{
	w->proto = 47;
	memset(w->head, 0xcc, sizeof(w->head));
	put16(w->head, flags);
	put16(w->head + 2, type);
	w->len = 4 + (flags & 0x8000 ? 4 : 0) + (flags & 0x2000 ? 4 : 0) + (flags & 0x1000 ? 4 : 0);
}

/* The usual form of each kind; those that hold IP hold IPv4. */
static inline struct wrap
wrap_of(enum offload_tunnel tunnel)
{
	struct wrap w = { .tunnel = tunnel, .proto = 17, .len = 8, .ethernet = true };

	switch (tunnel) {
	case OFFLOAD_TUNNEL_VXLAN:
		w.port = 4789;
		w.head[0] = 8;
		break;
	case OFFLOAD_TUNNEL_GENEVE:
		w.port = 6081;
		put16(w.head + 2, 0x6558);
		break;
	case OFFLOAD_TUNNEL_NVGRE:
		set_gre(&w, 0x2000, 0x6558);
		break;
	case OFFLOAD_TUNNEL_GRE:
		w.ethernet = false;
		set_gre(&w, 0, 0x0800);
		break;
	default:
		w.ethernet = false;
		w.proto = 4;
		w.len = 0;
		break;
	}
	return w;
}

/*
 * Makes an outer frame with the tunnel's header and the inner frame (or the IP packet of it) in it, and the inner
 * frame on its own. @return where the inner packet begins.
 */
static inline uint32_t
wrap_up(struct built *outer, struct built *inner, const struct shape *o, const struct shape *i, const struct wrap *w)
{
	struct shape s = *o;
	uint32_t at, skip;

	build(inner, i);
	skip = w->ethernet ? 0 : inner->l2;
	s.proto = w->proto == 17 ? 17 : 6;
	s.payload = w->len + inner->len - skip;
	build(outer, &s);
	/* Other protocols begin where TCP was. */
	at = l4_at(outer) + (w->proto == 17 ? 8 : 0);
	if (w->proto == 17) {
		put16(outer->data + at - 6, w->port);
	} else {
		outer->data[outer->l2 + (!s.ipv6 ? 9 : s.l3_extra ? outer->l3 - 8 : 6)] = w->proto;
		outer->len -= outer->l4;
	}
	memcpy(outer->data + at, w->head, w->len);
	memcpy(outer->data + at + w->len, inner->data + skip, inner->len - skip);
	return at + w->len;
}

#endif /* OFFLOAD_TUNNELS_H */
