/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_thash.h>

#include "offload_wire.h"
#include "offload_parse.h"
#include "offload_rss.h"

/* Two IPv6 addresses and the ports, in words. */
#define TUPLE_WORDS 9

void
offload_rss_key_set(struct offload_rss_key *key, const uint8_t bytes[OFFLOAD_RSS_KEY_BYTES])
{
	unsigned int i;

	memcpy(key->bytes, bytes, sizeof(key->bytes));
	for (i = 0; i < RTE_DIM(key->words); i++)
		key->words[i] = load_be32(key->bytes + 4 * i);
}

/* The set with ports for these headers, 0 if they have none. */
static inline uint32_t
ports_type(const struct offload_headers *hdr)
{
	switch (hdr->flags) {
	case OFFLOAD_H_IPV4 | OFFLOAD_H_TCP:
		return OFFLOAD_RSS_TCP_IPV4;
	case OFFLOAD_H_IPV6 | OFFLOAD_H_TCP:
		return OFFLOAD_RSS_TCP_IPV6;
	case OFFLOAD_H_IPV4 | OFFLOAD_H_UDP:
		return OFFLOAD_RSS_UDP_IPV4;
	case OFFLOAD_H_IPV6 | OFFLOAD_H_UDP:
		return OFFLOAD_RSS_UDP_IPV6;
	default:
		return 0;
	}
}

static inline uint32_t
addresses_type(const struct offload_headers *hdr)
{
	if (hdr->flags & OFFLOAD_H_IPV4)
		return OFFLOAD_RSS_IPV4;
	return hdr->flags & OFFLOAD_H_IPV6 ? OFFLOAD_RSS_IPV6 : 0;
}

uint32_t
offload_rss_hash(const struct offload_rss_key *key, uint32_t types, struct offload_frame *f,
	uint32_t *hash)
{
	const struct offload_headers *hdr = &f->hdr;
	uint32_t tuple[TUPLE_WORDS];
	uint32_t type, n, i;
	const uint8_t *ip;

	offload_frame_parse(f);
	type = types & ports_type(hdr);
	if (type == 0)
		type = types & addresses_type(hdr);
	if (type == 0)
		return 0;

	/* The addresses end both fixed headers; the ports begin both headers of layer 4. */
	ip = f->seg[0].data + hdr->l2_len;
	n = hdr->flags & OFFLOAD_H_IPV4 ? 2 : 8;
	ip += hdr->flags & OFFLOAD_H_IPV4 ? 12 : 8;
	for (i = 0; i < n; i++)
		tuple[i] = load_be32(ip + 4 * i);
	if (type & ~(OFFLOAD_RSS_IPV4 | OFFLOAD_RSS_IPV6))
		tuple[n++] = load_be32(f->seg[0].data + hdr->l2_len + hdr->l3_len);
	*hash = rte_softrss_be(tuple, n, (const uint8_t *)key->words);
	return type;
}
