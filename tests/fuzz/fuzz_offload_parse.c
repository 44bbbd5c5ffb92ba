/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The header parse with any frame: outer headers, those inside of a tunnel, the hash of either, and VLAN tags, with which
 * what is known of the headers has to keep up. The frame is its own piece of heap, so that the address
 * sanitizer sees every byte read outside.
 *
 * Input: struct head, then the frame.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_thash.h>

#include <offload_parse.h>
#include <offload_rss.h>
#include <offload_toeplitz.h>
#include <offload_vlan.h>

#include "must.h"

#define MAX_LEN    70000
#define NB_TAG_OPS 8
#define TAGS_END   (12 + 4 * NB_TAG_OPS) /* none of the tags that can be taken off ends behind it */

struct head {
	uint8_t types[2]; /* to hash */
	uint8_t cut[2];   /* length of a shorter look at the frame, modulo its length */
	uint8_t tci[2];
	uint8_t tag_ops[2]; /* two bits each: push, pop, insert, remove */
};

static const uint8_t key_bytes[OFFLOAD_RSS_KEY_BYTES] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

static uint16_t
get16(const uint8_t *p)
{
	return (uint16_t)(p[0] * 256 + p[1]);
}

static uint32_t
get32(const uint8_t *p)
{
	return get16(p) * 65536u + get16(p + 2);
}

/* The structure has padding. */
static bool
same(const struct offload_headers *a, const struct offload_headers *b)
{
	return a->ether_type == b->ether_type && a->outer_tci == b->outer_tci && a->l2_len == b->l2_len &&
		a->l3_len == b->l3_len && a->l4_len == b->l4_len && a->nb_tags == b->nb_tags &&
		a->ip_proto == b->ip_proto && a->flags == b->flags;
}

/* What any answer has to be. */
static void
check_headers(const struct offload_headers *h, uint32_t len)
{
	uint32_t ip = h->flags & (OFFLOAD_H_IPV4 | OFFLOAD_H_IPV6);
	uint32_t l4 = h->flags & (OFFLOAD_H_TCP | OFFLOAD_H_UDP | OFFLOAD_H_SCTP);

	MUST((uint32_t)h->l2_len + h->l3_len + h->l4_len <= len);
	MUST(h->nb_tags <= OFFLOAD_MAX_TAGS);
	MUST((ip != 0) == (h->l3_len != 0) && (l4 != 0) == (h->l4_len != 0));
	MUST((ip & (ip - 1)) == 0 && (l4 & (l4 - 1)) == 0);
	MUST(l4 == 0 || (ip != 0 && !(h->flags & OFFLOAD_H_FRAG)));
	MUST(h->l3_len == 0 || h->l3_len >= (ip == OFFLOAD_H_IPV4 ? 20 : 40));
	MUST(!(h->flags & OFFLOAD_H_TCP) || (h->ip_proto == 6 && h->l4_len >= 20 && h->l4_len <= 60));
	MUST(!(h->flags & OFFLOAD_H_UDP) || (h->ip_proto == 17 && h->l4_len == 8));
	MUST(!(h->flags & OFFLOAD_H_SCTP) || (h->ip_proto == 132 && h->l4_len == 12));
}

/* A look at less of the frame finds less of the same. */
static void
check_shorter(const struct offload_headers *less, const struct offload_headers *all)
{
	MUST(less->nb_tags <= all->nb_tags && less->l2_len <= all->l2_len);
	MUST(less->nb_tags == all->nb_tags || less->l3_len == 0);
	MUST(less->l3_len == 0 || (less->l3_len == all->l3_len && less->ip_proto == all->ip_proto));
	MUST(less->l4_len == 0 || less->l4_len == all->l4_len);
	MUST((less->flags & all->flags) == less->flags);
}

static enum offload_tunnel
look(const uint8_t *data, uint32_t len, struct offload_headers *outer, struct offload_headers *inner)
{
	static const struct offload_headers nothing;
	enum offload_tunnel tunnel;

	offload_parse(data, len, outer);
	check_headers(outer, len);
	MUST(outer->l2_len == (len < 14 ? 0 : 14 + 4 * outer->nb_tags));
	memset(inner, 0xa5, sizeof(*inner));
	tunnel = offload_parse_inner(data, len, outer, inner);
	check_headers(inner, len);
	if (tunnel == OFFLOAD_TUNNEL_NONE) {
		MUST(same(inner, &nothing));
		return tunnel;
	}
	MUST(outer->l3_len != 0 && !(outer->flags & OFFLOAD_H_FRAG));
	MUST((outer->flags & OFFLOAD_H_UDP) ==
		(tunnel == OFFLOAD_TUNNEL_VXLAN || tunnel == OFFLOAD_TUNNEL_GENEVE ? OFFLOAD_H_UDP : 0));
	MUST(inner->l2_len >= outer->l2_len + outer->l3_len + outer->l4_len);
	return tunnel;
}

/* DPDK's hash of the same fields. */
static uint32_t
dpdk_hash(const uint8_t *data, const struct offload_headers *h, bool l4)
{
	uint32_t tuple[9], i, n = h->flags & OFFLOAD_H_IPV4 ? 2 : 8;
	const uint8_t *ip = data + h->l2_len;

	for (i = 0; i < n; i++)
		tuple[i] = get32(ip + (n == 2 ? 12 : 8) + 4 * i);
	if (l4)
		tuple[n++] = get32(ip + h->l3_len);
	return rte_softrss(tuple, n, key_bytes);
}

static void
check_hash(struct offload_frame *f, uint32_t types)
{
	static struct offload_rss_key key;
	static bool made;
	struct offload_headers outer, inner;
	uint32_t hash = 0, used, set;

	if (!made)
		offload_rss_key_set(&key, key_bytes);
	made = true;
	used = offload_rss_hash(&key, types, f, &hash);
	MUST((used & types) == used && (used & (used - 1)) == 0);
	if (used == 0)
		return;
	look(f->seg[0].data, f->seg[0].len, &outer, &inner);
	set = used & OFFLOAD_RSS_INNER_ALL ? used >> 8 : used;
	MUST(hash == dpdk_hash(f->seg[0].data, used == set ? &outer : &inner,
		!(set & (OFFLOAD_RSS_IPV4 | OFFLOAD_RSS_IPV6))));
}

/* What is known of the headers keeps up with tags that come and go; behind the tags nothing changes. */
static void
check_tags(struct offload_frame *f, const uint8_t *room, const struct head *head, const uint8_t *whole, uint32_t len)
{
	struct offload_vlan_tag tag = { 0x88a8, get16(head->tci) };
	struct offload_headers fresh;
	uint32_t i, ops = get16(head->tag_ops);

	for (i = 0; i < NB_TAG_OPS; i++, ops >>= 2) {
		uint32_t op = ops & 3, want = op == 0 ? 4 : op == 2 ? 4 + (f->flags & OFFLOAD_F_VLAN ? 4 : 0) : 0;

		if ((size_t)(f->seg[0].data - room) < want)
			continue;
		if (op == 0)
			offload_vlan_push(f);
		else if (op == 1)
			offload_vlan_pop(f);
		else if (op == 2)
			offload_vlan_insert(f, tag);
		else
			offload_vlan_remove(f, &tag);
		MUST(f->seg[0].len == f->len && f->len <= len + OFFLOAD_HEADROOM);
		if (f->flags & OFFLOAD_F_PARSED) {
			offload_parse(f->seg[0].data, f->seg[0].len, &fresh);
			MUST(same(&fresh, &f->hdr));
		}
	}
	MUST(memcmp(f->seg[0].data, whole, len < 12 ? len : 12) == 0);
	if (len > TAGS_END)
		MUST(memcmp(f->seg[0].data + f->len - (len - TAGS_END), whole + TAGS_END, len - TAGS_END) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct offload_headers outer, inner, less, less_inner;
	struct offload_frame f = { 0 };
	struct offload_seg seg;
	struct head head;
	uint32_t len, cut;
	uint8_t *room, *part;

	if (size <= sizeof(head) || size > MAX_LEN)
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	len = (uint32_t)(size - sizeof(head));
	cut = get16(head.cut) % (len + 1);

	room = malloc(OFFLOAD_HEADROOM + len);
	part = malloc(cut + 1);
	MUST(room != NULL && part != NULL);
	memcpy(room + OFFLOAD_HEADROOM, data, len);
	memcpy(part + 1, data, cut); /* at another alignment, too */
	seg = (struct offload_seg){ room + OFFLOAD_HEADROOM, len };
	f = (struct offload_frame){ .seg = &seg, .nb_segs = 1, .len = len };
	if (head.tag_ops[0] & 1) {
		f.flags |= OFFLOAD_F_VLAN;
		f.vlan_tci = get16(head.tci);
	}

	look(seg.data, len, &outer, &inner);
	if (look(part + 1, cut, &less, &less_inner) != OFFLOAD_TUNNEL_NONE)
		check_shorter(&less_inner, &inner);
	check_shorter(&less, &outer);
	check_hash(&f, get16(head.types));
	if (head.tag_ops[1] & 1)
		f.flags &= (uint8_t)~OFFLOAD_F_PARSED;
	check_tags(&f, room, &head, data, len);
	free(room);
	free(part);
	return 0;
}
