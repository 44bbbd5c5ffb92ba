/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_common.h>

#include "offload_wire.h"
#include "offload_parse.h"
#include "offload_rss.h"
#include "offload_toeplitz.h"

#define ESP_LEN 8 /* SPI and sequence number */

/* 32 bits of the key from that bit on. */
static uint32_t
key_window(const uint8_t *bytes, uint32_t bit)
{
	const uint8_t *p = bytes + bit / 8;
	uint64_t five = (uint64_t)load_be32(p) << 8;

	if (bit % 8 != 0) /* else there may be no fifth byte */
		five |= p[4];
	return (uint32_t)(five >> (8 - bit % 8));
}

void
offload_rss_key_set(struct offload_rss_key *key, const uint8_t bytes[OFFLOAD_RSS_KEY_BYTES])
{
	uint32_t i, k, value;

	memcpy(key->bytes, bytes, sizeof(key->bytes));
	memset(key->reversed, 0, sizeof(key->reversed));
	for (i = 0; i < OFFLOAD_RSS_KEY_BYTES * 8; i++)
		key->reversed[i / 64] |= (uint64_t)(bytes[i / 8] >> (7 - i % 8) & 1) << i % 64;
	for (i = 0; i < RTE_DIM(key->half_bytes); i++) {
		for (value = 0; value < 16; value++) {
			uint32_t sum = 0;

			for (k = 0; k < 4; k++)
				if (value >> (3 - k) & 1)
					sum ^= key_window(bytes, 4 * i + k);
			key->half_bytes[i][value] = sum;
		}
	}
}

/* The set with four bytes of layer 4 for these headers, 0 if there is none. */
static inline uint32_t
l4_set(const struct offload_headers *hdr, uint32_t len)
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
	case OFFLOAD_H_IPV4:
	case OFFLOAD_H_IPV6:
		if (hdr->ip_proto != PROTO_ESP || len - hdr->l2_len - hdr->l3_len < ESP_LEN)
			return 0;
		return hdr->flags == OFFLOAD_H_IPV4 ? OFFLOAD_RSS_ESP_IPV4 : OFFLOAD_RSS_ESP_IPV6;
	default:
		return 0;
	}
}

static inline uint32_t
address_set(const struct offload_headers *hdr)
{
	if (hdr->flags & OFFLOAD_H_IPV4)
		return OFFLOAD_RSS_IPV4;
	return hdr->flags & OFFLOAD_H_IPV6 ? OFFLOAD_RSS_IPV6 : 0;
}

/* Hashes by headers that lie in the first @p len bytes of @p data. */
static inline uint32_t
hash_headers(const struct offload_rss_key *key, uint32_t types, const uint8_t *data, uint32_t len,
	const struct offload_headers *hdr, uint32_t *hash)
{
	const uint8_t *ip = data + hdr->l2_len;
	struct offload_tuple t = { 0 };
	uint32_t type;

	type = types & l4_set(hdr, len);
	if (type != 0)
		t.l4 = ip + hdr->l3_len;
	else
		type = types & address_set(hdr);
	if (type == 0)
		return 0;

	/* The addresses end both fixed headers. */
	if (hdr->flags & OFFLOAD_H_IPV4) {
		t.addresses = ip + 12;
		t.address_bytes = 8;
	} else {
		t.addresses = ip + 8;
		t.address_bytes = 32;
	}
	*hash = offload_toeplitz(key, &t);
	return type;
}

static uint32_t
hash_inner(const struct offload_rss_key *key, uint32_t types, const struct offload_frame *f, uint32_t *hash)
{
	uint32_t len = RTE_MIN(f->seg[0].len, (uint32_t)OFFLOAD_HEADER_BYTES);
	const uint8_t *data = f->seg[0].data;
	struct offload_headers inner;

	if (offload_parse_inner(data, len, &f->hdr, &inner) == OFFLOAD_TUNNEL_NONE)
		return 0;
	return OFFLOAD_RSS_INNER(hash_headers(key, types, data, len, &inner, hash));
}

uint32_t
offload_rss_hash(const struct offload_rss_key *key, uint32_t types, struct offload_frame *f,
	uint32_t *hash)
{
	uint32_t type;

	offload_frame_parse(f);
	if (types & OFFLOAD_RSS_INNER_ALL) {
		type = hash_inner(key, types >> 8, f, hash);
		if (type != 0)
			return type;
	}
	return hash_headers(key, types & OFFLOAD_RSS_OUTER_ALL, f->seg[0].data, f->seg[0].len, &f->hdr,
		hash);
}
