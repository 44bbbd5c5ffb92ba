/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Joining bursts of any frames, most of them of a few flows that go on, with anything changed. What comes out is cut
 * again and must be what was put in: each frame once, in the order of its flow, byte for byte but for what may be lost.
 * Each segment is its own piece of heap, so that the address sanitizer sees every byte touched outside.
 *
 * Input: struct head, then a struct step for each frame; raw ones are followed by their bytes.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <offload_csum.h>
#include <offload_lro.h>
#include <offload_parse.h>
#include <offload_tso.h>

#include "must.h"

#define MAX_SEGS 40
#define ROOM     4096
#define FLOWS    8

struct head {
	uint8_t max_len; /* times 256 */
	uint8_t max_segs;
	uint8_t flow_options[2]; /* of the even flows, of the odd ones: OPT_* */
	uint8_t payload;         /* times 8, of frames in full */
};

#define OPT_IPV6    0x01
#define OPT_DF      0x02
#define OPT_SAME_ID 0x04
#define OPT_TAG     0x08 /* out of band */
#define OPT_INLINE  0x10
#define OPT_STAMPS  0x20
#define OPT_ECE     0x40

struct step {
	uint8_t what;  /* flow in the low three bits, STEP_* */
	uint8_t at;    /* byte that is changed, 0: none */
	uint8_t value;
	uint8_t less;  /* bytes of payload fewer than in full, or length of a raw frame */
	uint8_t cuts;  /* segments */
};

#define STEP_RAW     0x08
#define STEP_UNSEAL  0x10 /* checksums are not made after the change */
#define STEP_REQUEST 0x20
#define STEP_GOOD    0x40
#define STEP_PSH     0x80

struct input {
	struct offload_frame frame;
	struct offload_seg seg[MAX_SEGS];
	uint8_t *before;
	bool seen;
};

static struct input input[OFFLOAD_LRO_BURST];
static struct offload_frame *in[OFFLOAD_LRO_BURST], *out[OFFLOAD_LRO_BURST];
static struct { uint32_t seq; uint16_t id; } flow[FLOWS];
static struct head head;
static uint8_t bytes[ROOM + 64];

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t
build_ip(uint8_t *ip, uint8_t options, uint32_t l4_bytes, uint16_t id)
{
	if (options & OPT_IPV6) {
		ip[0] = 0x60;
		put16(ip + 4, l4_bytes);
		ip[6] = 6;
		ip[7] = 64;
		memset(ip + 8, 0x20, 32);
		return 40;
	}
	ip[0] = 0x45;
	put16(ip + 2, 20 + l4_bytes);
	put16(ip + 4, id);
	ip[6] = options & OPT_DF ? 0x40 : 0;
	ip[8] = 64;
	ip[9] = 6;
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0x0a000002);
	return 20;
}

/* The next frame of a flow. @return its length */
static uint32_t
build(const struct step *s)
{
	uint32_t k = s->what % FLOWS, at = 14, l4, payload = head.payload * 8u + 1, i;
	uint8_t options = head.flow_options[k & 1];
	uint8_t *tcp;

	memset(bytes, 0, 200);
	bytes[5] = 1;
	bytes[11] = 2;
	payload -= s->less < payload ? s->less : payload;
	if (options & OPT_INLINE) {
		put32(bytes + 12, 0x81002005);
		at += 4;
	}
	put16(bytes + at - 2, options & OPT_IPV6 ? 0x86dd : 0x0800);
	l4 = options & OPT_STAMPS ? 32 : 20;
	at += build_ip(bytes + at, options, l4 + payload, flow[k].id);
	tcp = bytes + at;
	put16(tcp, 1000 + k);
	put16(tcp + 2, 80);
	put32(tcp + 4, flow[k].seq);
	put32(tcp + 8, 1);
	tcp[12] = (uint8_t)(l4 * 4);
	tcp[13] = 0x10 | (s->what & STEP_PSH ? 0x08 : 0) | (options & OPT_ECE ? 0x40 : 0);
	memset(tcp + 20, 1, l4 - 20);
	for (i = 0; i < payload; i++)
		tcp[l4 + i] = (uint8_t)(flow[k].seq + i * 7);
	flow[k].seq += payload;
	if (!(options & OPT_SAME_ID))
		flow[k].id++;
	return at + l4 + payload;
}

static void
load(struct input *p, const struct step *s, uint32_t len)
{
	uint32_t parts = s->cuts % MAX_SEGS + 1, at = 0, n, room = OFFLOAD_HEADROOM;
	struct offload_frame *f = &p->frame;

	*p = (struct input){ .frame = { .seg = p->seg, .len = len } };
	while (at < len) {
		uint8_t *mem;

		n = parts == 1 ? len - at : 1 + (len - at) / parts;
		if (at == 0 && !(s->what & STEP_RAW) && n < OFFLOAD_HEADER_BYTES)
			n = OFFLOAD_HEADER_BYTES;
		if (n > len - at)
			n = len - at;
		mem = malloc(room + n);
		MUST(mem != NULL);
		memcpy(mem + room, bytes + at, n);
		p->seg[f->nb_segs++] = (struct offload_seg){ mem + room, n };
		room = 0;
		at += n;
		parts -= parts > 1;
	}
	p->before = malloc(len);
	MUST(p->before != NULL);
	memcpy(p->before, bytes, len);
}

/* Checksums and requests, as the step wants them. */
static void
settle(struct input *p, const struct step *s, uint8_t options)
{
	struct offload_frame *f = &p->frame;
	struct offload_headers hdr;
	uint8_t *data = p->seg[0].data;

	if (options & OPT_TAG) {
		f->flags |= OFFLOAD_F_VLAN;
		f->vlan_tci = 0x2064;
	}
	if (s->what & STEP_UNSEAL)
		return;
	offload_parse(data, p->seg[0].len, &hdr);
	if (hdr.flags & OFFLOAD_H_IPV4) {
		put16(data + hdr.l2_len + 10, 0);
		put16(data + hdr.l2_len + 10, (uint16_t)~__builtin_bswap16(offload_sum(f, hdr.l2_len, hdr.l3_len)));
	}
	if (offload_csum_ask(f, &hdr) == 0 && !(s->what & STEP_REQUEST)) {
		struct offload_frame work = *f;

		f->request = OFFLOAD_NONE;
		if (offload_csum_complete(&work) != 0)
			return;
		/* Made of all there is, which is not always what the length fields say. */
		work.flags &= (uint8_t)~(OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD);
		offload_csum_verify(&work);
		if (s->what & STEP_GOOD)
			f->flags |= work.flags & OFFLOAD_F_CSUM_GOOD;
	}
}

static uint32_t
gather(const struct offload_frame *f, uint8_t *to)
{
	uint32_t i, at = 0;

	for (i = 0; i < f->nb_segs; i++) {
		MUST(f->seg[i].len > 0 && at + f->seg[i].len <= f->len);
		memcpy(to + at, f->seg[i].data, f->seg[i].len);
		at += f->seg[i].len;
	}
	MUST(at == f->len);
	return at;
}

/* Whether a piece of a joined frame is that frame. */
static bool
is_again(const struct offload_frame *piece, const uint8_t *data, const struct input *p)
{
	const struct offload_headers *hdr = &piece->hdr;
	uint8_t was[ROOM + 64], now[ROOM + 64];
	uint32_t len = piece->len;

	if (p->frame.len != len || p->frame.vlan_tci != piece->vlan_tci ||
			(p->frame.flags ^ piece->flags) & OFFLOAD_F_VLAN)
		return false;
	memcpy(was, p->before, len);
	memcpy(now, data, len);
	if (hdr->flags & OFFLOAD_H_IPV4 && now[hdr->l2_len + 6] == 0x40) {
		memset(was + hdr->l2_len + 4, 0, 2);
		memset(now + hdr->l2_len + 4, 0, 2);
		memset(was + hdr->l2_len + 10, 0, 2);
		memset(now + hdr->l2_len + 10, 0, 2);
	}
	if (p->frame.request == OFFLOAD_CSUM) {
		memset(was + hdr->l2_len + hdr->l3_len + 16, 0, 2);
		memset(now + hdr->l2_len + hdr->l3_len + 16, 0, 2);
	}
	return memcmp(was, now, len) == 0;
}

static bool
same_flow(const struct offload_frame *a, const struct offload_frame *b)
{
	const uint8_t *x = a->seg[0].data + a->hdr.l2_len, *y = b->seg[0].data + b->hdr.l2_len;
	bool ipv6 = a->hdr.flags & OFFLOAD_H_IPV6;

	if (!(a->hdr.flags & b->hdr.flags & OFFLOAD_H_TCP) || (a->hdr.flags ^ b->hdr.flags) & OFFLOAD_H_IPV6)
		return false;
	return memcmp(x + (ipv6 ? 8 : 12), y + (ipv6 ? 8 : 12), ipv6 ? 32 : 8) == 0 &&
		memcmp(x + a->hdr.l3_len, y + b->hdr.l3_len, 4) == 0;
}

/* Takes frame @p i as come out: nothing of its flow before it is still inside. */
static void
take(uint32_t i)
{
	uint32_t k;

	MUST(!input[i].seen);
	input[i].seen = true;
	for (k = 0; k < i; k++)
		MUST(input[k].seen || !same_flow(&input[k].frame, &input[i].frame));
}

static uint32_t
check_joined(struct offload_frame *f, uint32_t n)
{
	static struct offload_tso tso;
	struct offload_frame *piece;
	uint32_t i;
	int count;

	MUST(f->request == OFFLOAD_TSO && f->len <= head.max_len * 256u && f->nb_segs < OFFLOAD_TSO_SEGS);
	MUST(f->flags & OFFLOAD_F_CSUM_GOOD && f->flags & OFFLOAD_F_PARSED);
	count = offload_tso_begin(&tso, f);
	MUST(count >= 2 && count <= head.max_segs && count <= OFFLOAD_LRO_MAX_SEGS);
	while ((piece = offload_tso_next(&tso)) != NULL) {
		MUST(piece->len <= sizeof(bytes));
		gather(piece, bytes);
		for (i = 0; i < n && (input[i].seen || !is_again(piece, bytes, &input[i])); i++)
			;
		MUST(i < n);
		take(i);
		piece->flags &= (uint8_t)~OFFLOAD_F_CSUM_GOOD;
		offload_csum_verify(piece);
		MUST(piece->flags & OFFLOAD_F_CSUM_GOOD);
	}
	return (uint32_t)count;
}

static void
check(uint32_t n)
{
	static struct offload_lro lro;
	uint32_t nb_out, i, total = 0;

	nb_out = offload_lro(&lro, in, (uint16_t)n, out, head.max_len * 256u, head.max_segs);
	for (i = 0; i < n; i++) {
		gather(&input[i].frame, bytes);
		MUST(memcmp(bytes, input[i].before, input[i].frame.len) == 0);
	}
	for (i = 0; i < nb_out; i++) {
		const struct input *p = (const struct input *)out[i];

		if (p >= input && p < input + n) {
			take((uint32_t)(p - input));
			total++;
		} else {
			total += check_joined(out[i], n);
		}
	}
	MUST(total == n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t n = 0, len, i;
	struct step s;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	data += sizeof(head);
	size -= sizeof(head);
	for (i = 0; i < FLOWS; i++) {
		flow[i].seq = 0u - i * 1000;
		flow[i].id = (uint16_t)(0u - i);
	}
	for (; n < OFFLOAD_LRO_BURST && size >= sizeof(s); n++) {
		memcpy(&s, data, sizeof(s));
		data += sizeof(s);
		size -= sizeof(s);
		if (s.what & STEP_RAW) {
			len = s.less < size ? s.less : (uint32_t)size;
			if (len == 0)
				break;
			memcpy(bytes, data, len);
			data += len;
			size -= len;
		} else {
			len = build(&s);
			if (s.at != 0 && s.at < len)
				bytes[s.at] ^= s.value;
		}
		load(&input[n], &s, len);
		settle(&input[n], &s, s.what & STEP_RAW ? 0 : head.flow_options[s.what & 1]);
		gather(&input[n].frame, input[n].before);
		in[n] = &input[n].frame;
	}
	if (n > 0)
		check(n);
	while (n-- > 0) {
		for (i = 0; i < input[n].frame.nb_segs; i++)
			free(input[n].seg[i].data - (i == 0 ? OFFLOAD_HEADROOM : 0));
		free(input[n].before);
	}
	return 0;
}
