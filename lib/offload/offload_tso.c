/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "offload_wire.h"
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
	tso->next = offload_walk_begin(frame->seg, frame->nb_segs);
	offload_walk_skip(&tso->next, frame->hdr_len);
	tso->count = tso->payload ? (uint16_t)((tso->payload + frame->mss - 1) / frame->mss) : 1;
	return tso->count;
}

/* Lays @p len bytes of payload into the segments after the first and returns their sum. */
static uint16_t
take_payload(struct offload_tso *tso, uint32_t len, uint16_t *nb_segs)
{
	struct offload_seg *out = &tso->seg[1];
	uint32_t sum = 0, done = 0;

	for (; done < len; out++) {
		out->len = offload_walk_run(&tso->next, len - done);
		if (unlikely(out->len == 0))
			break;
		out->data = offload_walk_data(&tso->next);
		tso->next.at += out->len;
		sum += part_sum(out->data, out->len, done);
		done += out->len;
	}
	*nb_segs = (uint16_t)(out - tso->seg);
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
	struct offload_walk head = offload_walk_begin(to, nb_to), rest = head, from;
	struct offload_seg headers;
	uint16_t payload_sum;
	uint32_t len;

	if (unlikely(tso->index == tso->count))
		return;
	headers.len = tso->frame->hdr_len;
	len = offload_tso_next_len(tso) - headers.len;
	offload_walk_skip(&rest, headers.len);
	payload_sum = offload_walk_copy_sum(&tso->next, &rest, len);
	offload_walk_zero(&rest);
	headers.data = make_headers(tso, len, payload_sum);
	from = offload_walk_begin(&headers, 1);
	offload_walk_copy(&from, &head, headers.len);
	finish_piece(tso, len);
}

int
offload_tso_whole(struct offload_frame *frame)
{
	struct offload_tso_headers plan;
	int ret;

	if (frame->request == OFFLOAD_USO)
		return -ENOTSUP;
	ret = offload_tso_headers_plan(&plan, frame);
	if (ret != 0)
		return ret;
	if (frame->len - plan.ip[0].at > UINT16_MAX)
		return -EINVAL;
	if (plan.nb_ips > 1 && !plan.tunnel_udp)
		return -ENOTSUP;
	offload_tso_headers_whole(&plan, frame->seg[0].data, frame->len);
	return 0;
}
