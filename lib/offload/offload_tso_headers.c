/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "offload_wire.h"
#include "offload_parse.h"
#include "offload_tso_headers.h"

#define IPV4_LEN_AT  2
#define IPV4_ID_AT   4
#define IPV4_CSUM_AT 10
#define IPV6_LEN_AT  4

#define TCP_SEQ_AT   4
#define TCP_FLAGS_AT 12 /* with the data offset */
#define TCP_FIN      0x0001
#define TCP_PSH      0x0008
#define TCP_CWR      0x0080

#define UDP_LEN_AT 4

#define GRE_CSUM_AT  4
#define GRE_CSUM     0x80 /* in the first byte */
#define GRE_SEQUENCE 0x10

/* ---- before the first piece ---- */

static inline uint32_t
l4_at(const struct offload_headers *hdr)
{
	return (uint32_t)hdr->l2_len + hdr->l3_len;
}

/* A sum without a word that is in it. What is left never is zero, so that folding gives what adding the rest would. */
static inline uint32_t
sum_without(uint32_t sum, const uint8_t *field)
{
	return sum + (uint16_t)~load_raw16(field);
}

static void
plan_ip(struct offload_tso_headers *h, const uint8_t *data, const struct offload_headers *hdr)
{
	struct offload_tso_ip *ip = &h->ip[h->nb_ips++];
	const uint8_t *p = data + hdr->l2_len;
	uint32_t sum;

	*ip = (struct offload_tso_ip){ .at = hdr->l2_len, .ipv6 = hdr->flags & OFFLOAD_H_IPV6 };
	if (ip->ipv6)
		return;
	sum = rte_raw_cksum(p, hdr->l3_len);
	sum = sum_without(sum, p + IPV4_LEN_AT);
	sum = sum_without(sum, p + IPV4_ID_AT);
	sum = sum_without(sum, p + IPV4_CSUM_AT);
	ip->sum = fold_sum(sum);
}

static void
plan_l4(struct offload_tso_headers *h, const uint8_t *data, const struct offload_headers *hdr)
{
	const uint8_t *l4 = data + l4_at(hdr);
	uint32_t sum = __rte_raw_cksum(l4, hdr->l4_len, offload_pseudo_sum(data, hdr, 0));

	h->l4_at = (uint16_t)l4_at(hdr);
	h->udp = hdr->flags & OFFLOAD_H_UDP;
	sum = fold_sum(sum);
	if (h->udp) {
		sum = sum_without(sum, l4 + UDP_LEN_AT);
		sum = sum_without(sum, l4 + UDP_CSUM_AT);
	} else {
		sum = sum_without(sum, l4 + TCP_SEQ_AT);
		sum = sum_without(sum, l4 + TCP_SEQ_AT + 2);
		sum = sum_without(sum, l4 + TCP_FLAGS_AT);
		sum = sum_without(sum, l4 + TCP_CSUM_AT);
	}
	h->l4_sum = fold_sum(sum);
}

/*
 * An outer UDP checksum of zero stays: there is none. Any other is made anew, asked for or not, since one that was
 * right for the large frame is wrong for each piece.
 */
static void
plan_outer_udp(struct offload_tso_headers *h, const struct offload_frame *frame)
{
	const uint8_t *data = frame->seg[0].data;
	uint32_t field = h->tunnel_at + UDP_CSUM_AT;

	h->tunnel_udp = true;
	if (!(frame->flags & OFFLOAD_F_OUTER_CSUM) && load_raw16(data + field) == 0) {
		h->csum_good = !h->ip[0].ipv6;
		return;
	}
	h->tunnel_csum_at = (uint16_t)field;
	h->tunnel_pseudo = fold_sum(offload_pseudo_sum(data, &frame->hdr, 0));
}

/* What is around the inner packet. @p inner is filled. */
static int
plan_tunnel(struct offload_tso_headers *h, const struct offload_frame *frame, struct offload_headers *inner)
{
	const struct offload_headers *outer = &frame->hdr;
	const uint8_t *data = frame->seg[0].data;
	enum offload_tunnel kind = offload_parse_inner(data, frame->seg[0].len, outer, inner);

	if (kind == OFFLOAD_TUNNEL_NONE || outer->flags & OFFLOAD_H_FRAG)
		return -EINVAL;
	plan_ip(h, data, outer);
	h->tunnel_at = (uint16_t)l4_at(outer);
	switch (kind) {
	case OFFLOAD_TUNNEL_NVGRE:
	case OFFLOAD_TUNNEL_GRE:
		if (data[h->tunnel_at] & GRE_SEQUENCE)
			return -ENOTSUP;
		if (data[h->tunnel_at] & GRE_CSUM)
			h->tunnel_csum_at = (uint16_t)(h->tunnel_at + GRE_CSUM_AT);
		return 0;
	case OFFLOAD_TUNNEL_IPIP:
		return 0;
	default:
		plan_outer_udp(h, frame);
		return 0;
	}
}

/* Whether the outermost length field, which counts most, can tell the length of the longest piece. */
static bool
lengths_fit(const struct offload_tso_headers *h, const struct offload_frame *frame)
{
	uint32_t longest = frame->hdr_len + RTE_MIN(frame->mss, frame->len - frame->hdr_len);

	return longest - h->ip[0].at - (h->ip[0].ipv6 ? IPV6_LEN : 0) <= UINT16_MAX;
}

int
offload_tso_headers_plan(struct offload_tso_headers *h, struct offload_frame *frame)
{
	const struct offload_headers *hdr = &frame->hdr;
	struct offload_headers inner;
	int ret;

	*h = (struct offload_tso_headers){ .len = frame->hdr_len, .csum_good = true };
	offload_frame_parse(frame);
	if (!offload_is_large(frame) || frame->mss == 0 || frame->hdr_len > OFFLOAD_HEADER_MAX ||
			frame->hdr_len > frame->len || frame->len > OFFLOAD_FRAME_MAX)
		return -EINVAL;
	if (frame->flags & OFFLOAD_F_INNER) {
		ret = plan_tunnel(h, frame, &inner);
		if (ret != 0)
			return ret;
		hdr = &inner;
	}
	if (!(hdr->flags & (frame->request == OFFLOAD_TSO ? OFFLOAD_H_TCP : OFFLOAD_H_UDP)) ||
			frame->hdr_len != l4_at(hdr) + hdr->l4_len || frame->hdr_len > frame->seg[0].len)
		return -EINVAL;
	plan_ip(h, frame->seg[0].data, hdr);
	plan_l4(h, frame->seg[0].data, hdr);
	return lengths_fit(h, frame) ? 0 : -EINVAL;
}

/* ---- a piece ---- */

/* @p end is where the piece ends. */
static void
write_ip(const struct offload_tso_ip *at, uint8_t *data, uint32_t end, uint16_t index)
{
	uint32_t len = end - at->at, sum;
	uint8_t *ip = data + at->at;

	if (at->ipv6) {
		store_be16(ip + IPV6_LEN_AT, (uint16_t)(len - IPV6_LEN));
		return;
	}
	store_be16(ip + IPV4_LEN_AT, (uint16_t)len);
	store_be16(ip + IPV4_ID_AT, (uint16_t)(load_be16(ip + IPV4_ID_AT) + index));
	sum = at->sum + load_raw16(ip + IPV4_LEN_AT);
	sum += load_raw16(ip + IPV4_ID_AT);
	store_raw16(ip + IPV4_CSUM_AT, (uint16_t)~fold_sum(sum));
}

/* The flags of the original that belong into this piece, with the data offset. */
static uint16_t
tcp_flags_word(const uint8_t *tcp, const struct offload_tso_piece *piece)
{
	uint16_t flags = load_be16(tcp + TCP_FLAGS_AT);

	if (piece->index != 0)
		flags &= (uint16_t)~TCP_CWR;
	if (!piece->last)
		flags &= (uint16_t)~(TCP_FIN | TCP_PSH);
	return flags;
}

static void
write_tcp(const struct offload_tso_headers *h, uint8_t *tcp, uint32_t l4_len, const struct offload_tso_piece *piece)
{
	uint32_t sum = h->l4_sum + piece->payload_sum;

	store_be32(tcp + TCP_SEQ_AT, load_be32(tcp + TCP_SEQ_AT) + piece->pos);
	store_be16(tcp + TCP_FLAGS_AT, tcp_flags_word(tcp, piece));
	sum += rte_cpu_to_be_16((uint16_t)l4_len);
	sum += load_raw16(tcp + TCP_SEQ_AT);
	sum += load_raw16(tcp + TCP_SEQ_AT + 2);
	sum += load_raw16(tcp + TCP_FLAGS_AT);
	store_raw16(tcp + TCP_CSUM_AT, (uint16_t)~fold_sum(sum));
}

/* The length is in the header and in the pseudo-header. */
static void
write_udp(const struct offload_tso_headers *h, uint8_t *udp, uint32_t l4_len, const struct offload_tso_piece *piece)
{
	uint32_t sum = h->l4_sum + piece->payload_sum;
	uint16_t csum;

	store_be16(udp + UDP_LEN_AT, (uint16_t)l4_len);
	sum += 2u * load_raw16(udp + UDP_LEN_AT);
	csum = (uint16_t)~fold_sum(sum);
	store_raw16(udp + UDP_CSUM_AT, csum == 0 ? 0xffff : csum);
}

/* After everything behind it: its checksum covers all of that. */
static void
write_tunnel(const struct offload_tso_headers *h, uint8_t *data, const struct offload_tso_piece *piece)
{
	uint16_t len = (uint16_t)(h->len - h->tunnel_at + piece->len), csum;
	uint32_t sum = h->tunnel_pseudo + piece->payload_sum;

	if (h->tunnel_udp) {
		store_be16(data + h->tunnel_at + UDP_LEN_AT, len);
		sum += rte_cpu_to_be_16(len);
	}
	if (h->tunnel_csum_at == 0)
		return;
	store_raw16(data + h->tunnel_csum_at, 0);
	sum = __rte_raw_cksum(data + h->tunnel_at, h->len - h->tunnel_at, sum);
	csum = (uint16_t)~fold_sum(sum);
	store_raw16(data + h->tunnel_csum_at, h->tunnel_udp && csum == 0 ? 0xffff : csum);
}

void
offload_tso_headers_write(const struct offload_tso_headers *h, uint8_t *data,
	const struct offload_tso_piece *piece)
{
	uint32_t l4_len = h->len - h->l4_at + piece->len;

	for (uint8_t i = 0; i < h->nb_ips; i++)
		write_ip(&h->ip[i], data, h->len + piece->len, piece->index);
	if (h->udp)
		write_udp(h, data + h->l4_at, l4_len, piece);
	else
		write_tcp(h, data + h->l4_at, l4_len, piece);
	if (h->nb_ips > 1)
		write_tunnel(h, data, piece);
}

void
offload_tso_headers_whole(const struct offload_tso_headers *h, uint8_t *data, uint32_t end)
{
	for (uint8_t i = 0; i < h->nb_ips; i++)
		write_ip(&h->ip[i], data, end, 0);
	if (!h->tunnel_udp)
		return;
	store_be16(data + h->tunnel_at + UDP_LEN_AT, (uint16_t)(end - h->tunnel_at));
	if (h->tunnel_csum_at != 0)
		store_raw16(data + h->tunnel_csum_at,
			fold_sum((uint32_t)h->tunnel_pseudo + load_raw16(data + h->tunnel_at + UDP_LEN_AT)));
}
