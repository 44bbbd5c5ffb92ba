/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * First the frames are sorted into kinds; in most bursts without bulk TCP that is all. Then each frame finds the run of
 * its flow, in a small hash table, and is appended, or ends it and begins another. Only what runs consist of is noted
 * meanwhile; at last they are laid out one after the other.
 */
#include <assert.h>

#include <rte_common.h>

#include "offload_wire.h"
#include "offload_csum.h"
#include "offload_lro.h"
#include "offload_parse.h"
#include "offload_tso.h"

#define NONE UINT8_MAX

#define IPV4_DF 0x4000

#define TCP_SEQ_AT    4
#define TCP_ACK_AT    8
#define TCP_FLAGS_AT  12
#define TCP_URGENT_AT 18
#define TCP_PSH       0x0008
#define TCP_ACK       0x0010
#define TCP_ECE       0x0040
#define TCP_FLAGS     0x0fff

static_assert(OFFLOAD_LRO_BURST < NONE, "frames and runs are linked by eight bits");
static_assert(OFFLOAD_LRO_HEADER_MAX == ETHER_HDR_LEN + OFFLOAD_MAX_TAGS * VLAN_TAG_LEN + IPV6_LEN + 60,
	"room for the headers");

enum kind {
	KIND_OTHER,    /* not TCP: of no concern */
	KIND_ENDS,     /* ends its flow's run */
	KIND_ENDS_ALL, /* belongs to any flow */
	KIND_APPENDED, /* is part of another now */
	KIND_LAST,     /* may be joined to what is before it */
	KIND_DATA,     /* may be joined */
};

static inline uint64_t
load_raw64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t
load_raw32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* A TCP frame, and where its headers are. */
struct view {
	struct offload_frame *f;
	const uint8_t *ip, *tcp;
	uint32_t hdr_len;
};

static inline struct view
view_of(struct offload_frame *f)
{
	const struct offload_headers *hdr = &f->hdr;
	struct view v = { .f = f };

	v.ip = f->seg[0].data + hdr->l2_len;
	v.tcp = v.ip + hdr->l3_len;
	v.hdr_len = (uint32_t)hdr->l2_len + hdr->l3_len + hdr->l4_len;
	return v;
}

static inline struct view
first_of(const struct offload_lro_run *run)
{
	return (struct view){ .f = run->frame, .ip = run->ip, .tcp = run->tcp, .hdr_len = run->hdr_len };
}

/* ---- kinds ---- */

/* Whether all that a sender left to do is the checksum of this TCP header. */
static inline bool
request_fits(const struct offload_frame *f)
{
	uint32_t l4_at = f->hdr.l2_len + f->hdr.l3_len;

	if (f->flags & (OFFLOAD_F_CSUM_BAD | OFFLOAD_F_INNER | OFFLOAD_F_OUTER_CSUM))
		return false;
	if (likely(f->request == OFFLOAD_NONE))
		return true;
	return f->request == OFFLOAD_CSUM && f->csum_start == l4_at && f->csum_field == l4_at + TCP_CSUM_AT;
}

/* Whether the layers are plain, and end with the frame. */
static inline bool
ip_fits(const struct view *v)
{
	const struct offload_frame *f = v->f;
	uint32_t ip_len = f->len - f->hdr.l2_len;

	if (f->hdr.flags & OFFLOAD_H_IPV6)
		return f->hdr.l3_len == IPV6_LEN && load_be16(v->ip + 4) + (uint32_t)IPV6_LEN == ip_len;
	return f->hdr.l3_len == IPV4_MIN_LEN && load_be16(v->ip + 2) == ip_len &&
		(load_be16(v->ip + 6) & ~IPV4_DF) == 0;
}

static inline enum kind
kind_of_tcp(struct offload_frame *f)
{
	struct view v = view_of(f);
	uint16_t flags;

	if (!(f->hdr.flags & OFFLOAD_H_TCP))
		return KIND_ENDS_ALL;
	if (f->len <= v.hdr_len)
		return KIND_ENDS;
	flags = load_be16(v.tcp + TCP_FLAGS_AT) & TCP_FLAGS;
	if ((flags & ~(TCP_PSH | TCP_ECE)) != TCP_ACK || !request_fits(f) || !ip_fits(&v))
		return KIND_ENDS;
	return flags & TCP_PSH ? KIND_LAST : KIND_DATA;
}

/* @return number of frames that may be joined */
static inline uint32_t
sort_kinds(struct offload_lro *lro, struct offload_frame *const *in, uint16_t n, struct offload_frame **out)
{
	uint32_t data = 0, i;

	for (i = 0; i < n; i++) {
		struct offload_frame *f = in[i];
		enum kind kind = KIND_OTHER;

		offload_frame_parse(f);
		if (f->hdr.ip_proto == PROTO_TCP) {
			kind = kind_of_tcp(f);
			data += kind >= KIND_LAST;
		}
		lro->kind[i] = (uint8_t)kind;
		out[i] = f;
	}
	return data;
}

/* ---- flows ---- */

static inline uint32_t
flow_hash(const struct view *v)
{
	const uint64_t mix = 0x9e3779b97f4a7c15u;
	uint64_t h = load_raw32(v->tcp) * mix;

	if (v->f->hdr.flags & OFFLOAD_H_IPV4) {
		h ^= load_raw64(v->ip + 12);
	} else {
		h = (h ^ load_raw64(v->ip + 8)) * mix;
		h = (h ^ load_raw64(v->ip + 16)) * mix;
		h = (h ^ load_raw64(v->ip + 24)) * mix;
		h ^= load_raw64(v->ip + 32);
	}
	return (uint32_t)((h * mix) >> 32);
}

static inline bool
same_flow(const struct view *a, const struct view *b)
{
	if ((a->f->hdr.flags ^ b->f->hdr.flags) & (OFFLOAD_H_IPV4 | OFFLOAD_H_IPV6) ||
			load_raw32(a->tcp) != load_raw32(b->tcp))
		return false;
	if (a->f->hdr.flags & OFFLOAD_H_IPV4)
		return load_raw64(a->ip + 12) == load_raw64(b->ip + 12);
	return memcmp(a->ip + 8, b->ip + 8, 32) == 0;
}

/* Where the flow's open run is linked, or would be: NONE there. */
static inline uint8_t *
find_run(struct offload_lro *lro, const struct view *v, uint32_t hash)
{
	uint8_t *link = &lro->bucket[hash % OFFLOAD_LRO_BUCKETS];

	for (; *link != NONE; link = &lro->run[*link].next) {
		const struct offload_lro_run *run = &lro->run[*link];
		struct view first;

		if (run->hash != hash)
			continue;
		first = first_of(run);
		if (likely(same_flow(&first, v)))
			break;
	}
	return link;
}

static inline void
end_run(struct offload_lro *lro, uint8_t *link)
{
	*link = lro->run[*link].next;
	lro->nb_open--;
}

static void
end_all(struct offload_lro *lro)
{
	memset(lro->bucket, NONE, sizeof(lro->bucket));
	lro->nb_open = 0;
}

/* ---- may this frame be appended? ---- */

static inline bool
same_l2(const struct offload_frame *a, const struct offload_frame *b)
{
	const uint8_t *x = a->seg[0].data, *y = b->seg[0].data;

	if (a->hdr.l2_len != b->hdr.l2_len || (a->flags ^ b->flags) & OFFLOAD_F_VLAN)
		return false;
	if (unlikely(a->flags & OFFLOAD_F_VLAN) && a->vlan_tci != b->vlan_tci)
		return false;
	if (unlikely(a->hdr.l2_len != ETHER_HDR_LEN))
		return memcmp(x, y, a->hdr.l2_len) == 0;
	return ((load_raw64(x) ^ load_raw64(y)) | (load_raw64(x + 6) ^ load_raw64(y + 6))) == 0;
}

/* Addresses and what ip_fits() looked at are known to be right. */
static inline bool
same_ip(const struct view *a, const struct view *b)
{
	if (a->f->hdr.flags & OFFLOAD_H_IPV6)
		return load_raw32(a->ip) == load_raw32(b->ip) && load_raw16(a->ip + 6) == load_raw16(b->ip + 6);
	/* Version, TOS; DF, TTL, protocol */
	return load_raw16(a->ip) == load_raw16(b->ip) && load_raw32(a->ip + 6) == load_raw32(b->ip + 6);
}

/* All but ports, sequence number, PSH, checksum. */
static inline bool
same_tcp(const struct view *a, const struct view *b)
{
	const uint8_t *x = a->tcp, *y = b->tcp, *end = b->f->seg[0].data + b->hdr_len;
	uint32_t diff;

	diff = load_raw32(x + TCP_ACK_AT) ^ load_raw32(y + TCP_ACK_AT);
	diff |= (load_raw32(x + TCP_FLAGS_AT) ^ load_raw32(y + TCP_FLAGS_AT)) & ~rte_cpu_to_be_32(TCP_PSH << 16);
	diff |= load_raw16(x + TCP_URGENT_AT) ^ load_raw16(y + TCP_URGENT_AT);
	for (x += TCP_MIN_LEN, y += TCP_MIN_LEN; y < end; x += 4, y += 4)
		diff |= load_raw32(x) ^ load_raw32(y);
	return diff == 0;
}

static inline bool
id_follows(struct offload_lro_run *run, const struct view *v)
{
	uint16_t step;

	if (v->f->hdr.flags & OFFLOAD_H_IPV6)
		return true;
	step = (uint16_t)(load_be16(v->ip + 4) - run->id);
	if (run->count == 1)
		run->fixed_id = step == 0 && load_be16(v->ip + 6) & IPV4_DF;
	return step == (run->fixed_id ? 0 : run->count);
}

/* A request leaves the sum of the IPv4 header to nobody. */
static inline bool
checksums_good(const struct view *v)
{
	if (v->f->request == OFFLOAD_CSUM)
		return v->f->hdr.flags & OFFLOAD_H_IPV6 || rte_raw_cksum(v->ip, IPV4_MIN_LEN) == 0xffff;
	if (!(v->f->flags & OFFLOAD_F_CSUM_GOOD))
		offload_csum_verify(v->f);
	return v->f->flags & OFFLOAD_F_CSUM_GOOD;
}

static inline uint32_t
payload_segs(const struct view *v)
{
	return v->f->nb_segs - (v->f->seg[0].len == v->hdr_len);
}

/* Appends the frame to its flow's run if that can be. */
static inline bool
append(struct offload_lro *lro, const struct view *v, uint8_t i, struct offload_lro_run *run,
	uint32_t max_len, uint32_t max_segs)
{
	uint32_t payload = v->f->len - v->hdr_len, need;
	struct view first = first_of(run);

	if (load_be32(v->tcp + TCP_SEQ_AT) != run->next_seq || v->hdr_len != run->hdr_len || payload > run->mss ||
			!same_l2(first.f, v->f) || !same_ip(&first, v) || !same_tcp(&first, v) || !id_follows(run, v))
		return false;
	/* The first frame's segments are not taken before there is a second. */
	need = payload_segs(v) + (run->count == 1 ? 1 + payload_segs(&first) : 0);
	if (run->len + payload > RTE_MIN(max_len, v->f->hdr.l2_len + (uint32_t)UINT16_MAX) ||
			run->count >= max_segs || need > lro->segs_left || run->nb_segs + need >= OFFLOAD_TSO_SEGS)
		return false;
	if ((run->count == 1 && !checksums_good(&first)) || !checksums_good(v))
		return false;

	lro->segs_left = (uint16_t)(lro->segs_left - need);
	run->nb_segs = (uint16_t)(run->nb_segs + need);
	lro->next[run->last] = i;
	lro->next[i] = NONE;
	run->last = i;
	run->count++;
	run->len += payload;
	run->next_seq += payload;
	return true;
}

static inline void
begin_run(struct offload_lro *lro, const struct view *v, uint8_t i, uint32_t hash, uint8_t *link)
{
	struct offload_lro_run *run = &lro->run[lro->nb_runs];
	uint32_t payload = v->f->len - v->hdr_len;

	*run = (struct offload_lro_run){
		.frame = v->f,
		.ip = v->ip,
		.tcp = v->tcp,
		.hash = hash,
		.len = v->f->len,
		.next_seq = load_be32(v->tcp + TCP_SEQ_AT) + payload,
		.hdr_len = (uint16_t)v->hdr_len,
		.mss = (uint16_t)payload,
		.id = load_be16(v->ip + 4),
		.first = i,
		.last = i,
		.count = 1,
		.next = *link,
	};
	lro->run_of[i] = (uint8_t)lro->nb_runs;
	lro->next[i] = NONE;
	*link = (uint8_t)lro->nb_runs++;
	lro->nb_open++;
}

/* Finds a TCP frame's place: appended to the open run of its flow, or that run ends with it. */
static inline void
place(struct offload_lro *lro, struct offload_frame *f, uint8_t i, uint32_t max_len, uint32_t max_segs)
{
	struct view v = view_of(f);
	uint32_t hash = flow_hash(&v);
	enum kind kind = lro->kind[i];
	uint8_t *link = find_run(lro, &v, hash);

	if (*link != NONE) {
		struct offload_lro_run *run = &lro->run[*link];

		if (kind >= KIND_LAST && append(lro, &v, i, run, max_len, max_segs)) {
			lro->kind[i] = KIND_APPENDED;
			/* Nothing follows a PSH, nor what is shorter than the first. */
			if (kind == KIND_LAST || f->len - v.hdr_len < run->mss)
				end_run(lro, link);
			return;
		}
		end_run(lro, link);
	}
	/* It may have been found to be bad just now. */
	if (kind == KIND_DATA && !(f->flags & OFFLOAD_F_CSUM_BAD))
		begin_run(lro, &v, i, hash, link);
}

static void
make_runs(struct offload_lro *lro, struct offload_frame *const *in, uint16_t n, uint32_t max_len, uint32_t max_segs)
{
	uint8_t i;

	for (i = 0; i < n; i++) {
		enum kind kind = lro->kind[i];

		lro->run_of[i] = NONE;
		if (unlikely(kind == KIND_ENDS_ALL))
			end_all(lro);
		else if (kind >= KIND_LAST || (kind == KIND_ENDS && lro->nb_open != 0))
			place(lro, in[i], i, max_len, max_segs);
	}
}

/* ---- joined frames ---- */

/* Appends the payload of the frames of a run to a list of segments. @return the end of the list */
static struct offload_seg *
lay_payload(const struct offload_lro *lro, struct offload_frame *const *in, const struct offload_lro_run *run,
	struct offload_seg *to)
{
	uint8_t i;

	for (i = run->first; i != NONE; i = lro->next[i]) {
		const struct offload_seg *from = in[i]->seg, *end = from + in[i]->nb_segs;

		if (from->len != run->hdr_len) {
			to->data = from->data + run->hdr_len;
			to->len = from->len - run->hdr_len;
			to++;
		}
		while (++from < end)
			*to++ = *from;
	}
	return to;
}

/* What a sender of one large frame writes: PSH if any piece has it, a sum without the length. */
static void
write_tcp(struct offload_frame *f, const struct view *last)
{
	uint8_t *data = f->seg[0].data, *tcp = data + f->hdr.l2_len + f->hdr.l3_len;

	tcp[TCP_FLAGS_AT + 1] |= last->tcp[TCP_FLAGS_AT + 1] & TCP_PSH;
	store_raw16(tcp + TCP_CSUM_AT, fold_sum(offload_pseudo_sum(data, &f->hdr, 0)));
}

/* @return the end of the segments */
static struct offload_seg *
join(const struct offload_lro *lro, struct offload_frame *const *in, const struct offload_lro_run *run, uint8_t *room,
	struct offload_frame *f, struct offload_seg *seg)
{
	const struct offload_frame *first = run->frame;
	const struct view last = view_of(in[run->last]);
	struct offload_seg *end;

	seg->data = room + OFFLOAD_HEADROOM;
	seg->len = run->hdr_len;
	memcpy(seg->data, first->seg[0].data, run->hdr_len);
	end = lay_payload(lro, in, run, seg + 1);
	*f = (struct offload_frame){
		.seg = seg,
		.nb_segs = (uint16_t)(end - seg),
		.request = OFFLOAD_TSO,
		.flags = (first->flags & OFFLOAD_F_VLAN) | OFFLOAD_F_PARSED | OFFLOAD_F_CSUM_GOOD,
		.len = run->len,
		.vlan_tci = first->vlan_tci,
		.hdr_len = run->hdr_len,
		.mss = run->mss,
		.hdr = first->hdr,
	};
	write_tcp(f, &last);
	offload_tso_whole(f);
	return end;
}

static uint16_t
lay_out(struct offload_lro *lro, struct offload_frame *const *in, uint16_t n, struct offload_frame **out)
{
	struct offload_seg *seg = lro->seg;
	uint16_t i, nb_out = 0, nb_joined = 0;

	for (i = 0; i < n; i++) {
		uint8_t run = lro->run_of[i];

		if (lro->kind[i] == KIND_APPENDED)
			continue;
		if (run == NONE || lro->run[run].count == 1) {
			out[nb_out++] = in[i];
			continue;
		}
		out[nb_out++] = &lro->frame[nb_joined];
		seg = join(lro, in, &lro->run[run], lro->room[nb_joined], &lro->frame[nb_joined], seg);
		nb_joined++;
	}
	return nb_out;
}

uint16_t
offload_lro(struct offload_lro *lro, struct offload_frame *const *in, uint16_t n, struct offload_frame **out,
	uint32_t max_len, uint16_t max_segs)
{
	if (sort_kinds(lro, in, n, out) < 2)
		return n;
	lro->nb_runs = 0;
	lro->segs_left = OFFLOAD_LRO_SEGS;
	end_all(lro);
	make_runs(lro, in, n, max_len, RTE_MIN(max_segs, OFFLOAD_LRO_MAX_SEGS));
	return lay_out(lro, in, n, out);
}
