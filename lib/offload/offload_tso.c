/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "offload_wire.h"
#include "offload_copy.h"
#include "offload_parse.h"
#include "offload_tso.h"

int
offload_tso_begin(struct offload_tso *tso, struct offload_frame *frame)
{
	int ret;

	tso->index = 0;
	tso->count = 0;
	tso->pos = 0;
	tso->payload = 0;
	if (frame->nb_segs >= OFFLOAD_TSO_SEGS)
		return -ENOTSUP;
	ret = offload_tso_headers_plan(&tso->headers, frame);
	if (ret != 0)
		return ret;

	tso->frame = frame;
	tso->payload = frame->len - frame->hdr_len;
	tso->cur_seg = frame->hdr_len == frame->seg[0].len;
	tso->cur_off = tso->cur_seg ? 0 : frame->hdr_len;
	tso->count = tso->payload ? (uint16_t)((tso->payload + frame->mss - 1) / frame->mss) : 1;
	return tso->count;
}

/* The next payload bytes that lie together, at most @p len; they count as taken. 0: none are left. */
static inline uint32_t
take_run(struct offload_tso *tso, uint32_t len, uint8_t **data)
{
	const struct offload_seg *in = &tso->frame->seg[tso->cur_seg];
	uint32_t n;

	if (unlikely(tso->cur_seg == tso->frame->nb_segs))
		return 0;
	n = RTE_MIN(in->len - tso->cur_off, len);
	*data = in->data + tso->cur_off;
	tso->cur_off += n;
	if (tso->cur_off == in->len) {
		tso->cur_seg++;
		tso->cur_off = 0;
	}
	return n;
}

/* Lays @p len bytes of payload into the segments after the first and returns their sum. */
static uint16_t
take_payload(struct offload_tso *tso, uint32_t len, uint16_t *nb_segs)
{
	struct offload_seg *out = &tso->seg[1];
	uint32_t sum = 0, done = 0;

	for (; done < len; out++) {
		out->len = take_run(tso, len - done, &out->data);
		if (unlikely(out->len == 0))
			break;
		sum += part_sum(out->data, out->len, done);
		done += out->len;
	}
	*nb_segs = (uint16_t)(out - tso->seg);
	return fold_sum(sum);
}

/* A place in a list of segments. */
struct place {
	const struct offload_seg *seg, *end;
	uint32_t at;
};

/* The next bytes there that lie together, at most @p len; they count as used. 0: there is no more room. */
static inline uint32_t
use_run(struct place *to, uint32_t len, uint8_t **data)
{
	uint32_t n;

	while (to->seg < to->end && to->at == to->seg->len) {
		to->seg++;
		to->at = 0;
	}
	if (to->seg == to->end)
		return 0;
	n = RTE_MIN(to->seg->len - to->at, len);
	*data = to->seg->data + to->at;
	to->at += n;
	return n;
}

/* Copies @p len bytes to the place, or as much as there is room. */
static void
put_bytes(struct place *to, const uint8_t *from, uint32_t len)
{
	uint8_t *data;
	uint32_t n;

	for (; len > 0 && (n = use_run(to, len, &data)) != 0; len -= n, from += n)
		memcpy(data, from, n);
}

static void
put_zeros(struct place *to)
{
	uint8_t *data;
	uint32_t n;

	while ((n = use_run(to, UINT32_MAX, &data)) != 0)
		memset(data, 0, n);
}

static struct place
skip_bytes(struct place to, uint32_t len)
{
	uint8_t *data;
	uint32_t n;

	for (; len > 0 && (n = use_run(&to, len, &data)) != 0; len -= n)
		;
	return to;
}

/* Copies @p len bytes of payload to the place and returns their sum. */
static uint16_t
put_payload(struct offload_tso *tso, struct place *to, uint32_t len)
{
	uint32_t sum = 0, done = 0, run, n;
	uint8_t *from, *data;
	uint16_t part;

	for (; done < len && (run = take_run(tso, len - done, &from)) != 0; ) {
		for (; run > 0 && (n = use_run(to, run, &data)) != 0; run -= n, from += n) {
			part = offload_copy_sum(data, from, n);
			sum += done & 1 ? rte_bswap16(part) : part;
			done += n;
		}
	}
	return fold_sum(sum);
}

/* Everything afresh each time: whoever got the last piece may have pushed a tag into it. */
static uint8_t *
make_headers(struct offload_tso *tso, uint32_t len, uint16_t payload_sum)
{
	const struct offload_frame *frame = tso->frame;
	const struct offload_tso_piece piece = {
		.index = tso->index,
		.last = tso->index + 1 == tso->count,
		.payload_sum = payload_sum,
		.pos = tso->pos,
		.len = len,
	};
	uint8_t *data = tso->room + OFFLOAD_HEADROOM;

	memcpy(data, frame->seg[0].data, frame->hdr_len);
	offload_tso_headers_write(&tso->headers, data, &piece);
	return data;
}

static void
finish_piece(struct offload_tso *tso, uint32_t len)
{
	const struct offload_frame *frame = tso->frame;

	tso->piece = (struct offload_frame){
		.request = OFFLOAD_NONE,
		.flags = (frame->flags & OFFLOAD_F_VLAN) | OFFLOAD_F_PARSED |
			(tso->headers.csum_good ? OFFLOAD_F_CSUM_GOOD : 0),
		.len = frame->hdr_len + len,
		.vlan_tci = frame->vlan_tci,
		.hdr = frame->hdr,
	};
	tso->pos += len;
	tso->index++;
}

struct offload_frame *
offload_tso_next(struct offload_tso *tso)
{
	uint16_t payload_sum, nb_segs;
	uint32_t len;

	if (tso->index == tso->count)
		return NULL;
	len = offload_tso_next_len(tso) - tso->frame->hdr_len;
	payload_sum = take_payload(tso, len, &nb_segs);
	tso->seg[0].data = make_headers(tso, len, payload_sum);
	tso->seg[0].len = tso->frame->hdr_len;
	finish_piece(tso, len);
	tso->piece.seg = tso->seg;
	tso->piece.nb_segs = nb_segs;
	return &tso->piece;
}

/* Headers are made in private memory and copied last: they may be split anywhere, their checksum fields too. */
void
offload_tso_copy(struct offload_tso *tso, const struct offload_seg *to, uint16_t nb_to)
{
	struct place head = { to, to + nb_to, 0 }, rest;
	uint32_t hdr_len, len;
	uint16_t payload_sum;

	if (unlikely(tso->index == tso->count))
		return;
	hdr_len = tso->frame->hdr_len;
	len = offload_tso_next_len(tso) - hdr_len;
	rest = skip_bytes(head, hdr_len);
	payload_sum = put_payload(tso, &rest, len);
	put_zeros(&rest);
	put_bytes(&head, make_headers(tso, len, payload_sum), hdr_len);
	finish_piece(tso, len);
}

int
offload_tso_whole(struct offload_frame *frame)
{
	const struct offload_headers *hdr = &frame->hdr;
	struct offload_tso_headers plan;
	uint8_t *ip;

	if (frame->request == OFFLOAD_USO || frame->flags & OFFLOAD_F_INNER)
		return -ENOTSUP;
	if (offload_tso_headers_plan(&plan, frame) != 0 || frame->len - hdr->l2_len > UINT16_MAX)
		return -EINVAL;
	ip = frame->seg[0].data + hdr->l2_len;
	if (hdr->flags & OFFLOAD_H_IPV6) {
		store_be16(ip + 4, (uint16_t)(frame->len - hdr->l2_len - IPV6_LEN));
		return 0;
	}
	store_be16(ip + 2, (uint16_t)(frame->len - hdr->l2_len));
	store_raw16(ip + 10, 0);
	store_raw16(ip + 10, (uint16_t)~rte_raw_cksum(ip, hdr->l3_len));
	return 0;
}
