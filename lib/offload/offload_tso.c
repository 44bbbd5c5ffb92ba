/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_common.h>

#include "offload_wire.h"
#include "offload_parse.h"
#include "offload_tso.h"

#define TCP_SEQ_AT   4
#define TCP_FLAGS_AT 12 /* with the data offset */
#define TCP_FIN      0x0001
#define TCP_PSH      0x0008
#define TCP_CWR      0x0080

/* Bytes that the length field of the IP header counts before the payload. */
static inline uint32_t
ip_overhead(const struct offload_headers *hdr)
{
	return hdr->l3_len + hdr->l4_len - (hdr->flags & OFFLOAD_H_IPV6 ? IPV6_LEN : 0);
}

static int
check_request(struct offload_frame *frame)
{
	const struct offload_headers *hdr = &frame->hdr;

	if (frame->request != OFFLOAD_TSO)
		return -EINVAL;
	if (frame->flags & OFFLOAD_F_INNER || frame->nb_segs >= OFFLOAD_TSO_SEGS)
		return -ENOTSUP;
	offload_frame_parse(frame);
	if (!(hdr->flags & OFFLOAD_H_TCP) || frame->mss == 0 ||
			frame->hdr_len != hdr->l2_len + hdr->l3_len + hdr->l4_len ||
			frame->hdr_len > OFFLOAD_HEADER_MAX || frame->hdr_len > frame->len ||
			frame->len > OFFLOAD_FRAME_MAX)
		return -EINVAL;
	if (ip_overhead(hdr) + RTE_MIN(frame->mss, frame->len - frame->hdr_len) > UINT16_MAX)
		return -EINVAL;
	return 0;
}

/* Sums what all pieces share: the headers without the fields that write_headers() fills. */
static void
sum_constant(struct offload_tso *tso)
{
	const struct offload_frame *frame = tso->frame;
	const struct offload_headers *hdr = &frame->hdr;
	uint8_t *data = tso->room + OFFLOAD_HEADROOM;
	uint8_t *ip = data + hdr->l2_len;
	uint8_t *tcp = ip + hdr->l3_len;

	memcpy(data, frame->seg[0].data, frame->hdr_len);
	memset(tcp + TCP_SEQ_AT, 0, 4);
	memset(tcp + TCP_FLAGS_AT, 0, 2);
	memset(tcp + TCP_CSUM_AT, 0, 2);
	tso->l4_sum = fold_sum(__rte_raw_cksum(tcp, hdr->l4_len,
		offload_pseudo_sum(data, hdr, 0)));

	if (hdr->flags & OFFLOAD_H_IPV4) {
		memset(ip + 2, 0, 4);
		memset(ip + 10, 0, 2);
		tso->l3_sum = rte_raw_cksum(ip, hdr->l3_len);
	}
}

int
offload_tso_begin(struct offload_tso *tso, struct offload_frame *frame)
{
	int ret;

	tso->index = 0;
	tso->count = 0;
	ret = check_request(frame);
	if (ret != 0)
		return ret;

	tso->frame = frame;
	tso->pos = 0;
	tso->payload = frame->len - frame->hdr_len;
	tso->cur_seg = frame->hdr_len == frame->seg[0].len;
	tso->cur_off = tso->cur_seg ? 0 : frame->hdr_len;
	tso->count = tso->payload ? (uint16_t)((tso->payload + frame->mss - 1) / frame->mss) : 1;
	sum_constant(tso);
	return tso->count;
}

/* Lays @p len bytes of payload into the segments after the first and returns their sum. */
static uint16_t
take_payload(struct offload_tso *tso, uint32_t len, uint16_t *nb_segs)
{
	const struct offload_frame *frame = tso->frame;
	struct offload_seg *out = &tso->seg[1];
	uint32_t sum = 0, done = 0;

	while (done < len && tso->cur_seg < frame->nb_segs) {
		const struct offload_seg *in = &frame->seg[tso->cur_seg];

		out->data = in->data + tso->cur_off;
		out->len = RTE_MIN(in->len - tso->cur_off, len - done);
		sum += part_sum(out->data, out->len, done);
		done += out->len;
		tso->cur_off += out->len;
		if (tso->cur_off == in->len) {
			tso->cur_seg++;
			tso->cur_off = 0;
		}
		out++;
	}
	*nb_segs = (uint16_t)(out - tso->seg);
	return fold_sum(sum);
}

/* The flags of the original that belong into this piece, with the data offset. */
static uint16_t
tcp_flags_word(const struct offload_tso *tso, const uint8_t *tcp)
{
	uint16_t flags = load_be16(tcp + TCP_FLAGS_AT);

	if (tso->index != 0)
		flags &= (uint16_t)~TCP_CWR;
	if (tso->index + 1 != tso->count)
		flags &= (uint16_t)~(TCP_FIN | TCP_PSH);
	return flags;
}

static void
write_ip(const struct offload_tso *tso, uint8_t *ip, uint32_t len)
{
	const struct offload_headers *hdr = &tso->frame->hdr;
	uint16_t ip_len = (uint16_t)(ip_overhead(hdr) + len);
	uint32_t sum;

	if (hdr->flags & OFFLOAD_H_IPV6) {
		store_be16(ip + 4, ip_len);
		return;
	}
	store_be16(ip + 2, ip_len);
	store_be16(ip + 4, (uint16_t)(load_be16(ip + 4) + tso->index));
	sum = tso->l3_sum + load_raw16(ip + 2);
	sum += load_raw16(ip + 4);
	store_raw16(ip + 10, (uint16_t)~fold_sum(sum));
}

static void
write_tcp(const struct offload_tso *tso, uint8_t *tcp, uint32_t len, uint16_t payload_sum)
{
	uint32_t sum;

	store_be32(tcp + TCP_SEQ_AT, load_be32(tcp + TCP_SEQ_AT) + tso->pos);
	store_be16(tcp + TCP_FLAGS_AT, tcp_flags_word(tso, tcp));
	sum = tso->l4_sum + payload_sum;
	sum += rte_cpu_to_be_16((uint16_t)(tso->frame->hdr.l4_len + len));
	sum = __rte_raw_cksum(tcp + TCP_SEQ_AT, 4, sum);
	sum += load_raw16(tcp + TCP_FLAGS_AT);
	store_raw16(tcp + TCP_CSUM_AT, (uint16_t)~fold_sum(sum));
}

static void
write_headers(struct offload_tso *tso, uint32_t len, uint16_t payload_sum)
{
	const struct offload_frame *frame = tso->frame;
	const struct offload_headers *hdr = &frame->hdr;
	uint8_t *data = tso->room + OFFLOAD_HEADROOM;

	memcpy(data, frame->seg[0].data, frame->hdr_len);
	write_ip(tso, data + hdr->l2_len, len);
	write_tcp(tso, data + hdr->l2_len + hdr->l3_len, len, payload_sum);
	tso->seg[0].data = data;
	tso->seg[0].len = frame->hdr_len;
}

/* Everything afresh each time: whoever got the last piece may have pushed a tag into it. */
struct offload_frame *
offload_tso_next(struct offload_tso *tso)
{
	const struct offload_frame *frame = tso->frame;
	uint16_t payload_sum, nb_segs;
	uint32_t len;

	if (tso->index == tso->count)
		return NULL;
	len = RTE_MIN(frame->mss, tso->payload - tso->pos);
	payload_sum = take_payload(tso, len, &nb_segs);
	write_headers(tso, len, payload_sum);

	tso->piece = (struct offload_frame){
		.seg = tso->seg,
		.nb_segs = nb_segs,
		.request = OFFLOAD_NONE,
		.flags = (frame->flags & OFFLOAD_F_VLAN) | OFFLOAD_F_PARSED | OFFLOAD_F_CSUM_GOOD,
		.len = frame->hdr_len + len,
		.vlan_tci = frame->vlan_tci,
		.hdr = frame->hdr,
	};
	tso->pos += len;
	tso->index++;
	return &tso->piece;
}

int
offload_tso_whole(struct offload_frame *frame)
{
	const struct offload_headers *hdr = &frame->hdr;
	uint8_t *ip;

	offload_frame_parse(frame);
	if (check_request(frame) != 0 || frame->len - hdr->l2_len > UINT16_MAX)
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
