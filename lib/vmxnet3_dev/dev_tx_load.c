/* SPDX-License-Identifier: BSD-3-Clause */
/* From the private copies of descriptors to a frame: translate, snapshot the headers, check the request. */
#include "dev_tx_load.h"

#include <string.h>

#include <rte_ether.h>
#include <rte_memcpy.h>

#include <offload_parse.h>
#include <offload_tso.h>

#define TCP_HDR_MIN 20
#define TCP_OFFSET_AT 12 /* data offset, high four bits */
#define TCP_CSUM_AT 16
#define UDP_HDR 8
#define UDP_CSUM_AT 6

/*
 * Frames that one request may become. No stack goes below an MSS of 48 (1,365 of them in 64 KiB); a guest
 * that asks for one byte in each would make others wait.
 */
#define TSO_MAX_PIECES 1500

/*
 * Offload fields of a frame's first descriptor. For the headers inside of a tunnel revisions 4 to 6 have a mode of
 * their own, later ones a bit of the other modes. Where only a checksum is wanted, the mode does not say where.
 */
struct tx_offload {
	uint32_t om;     /* CSUM, TSO, or another: no request */
	uint32_t hlen;
	uint32_t msscof;
	bool inner;      /* about inner headers: hlen is where those end */
	bool outer_csum; /* and about the outer UDP checksum */
	bool no_field;   /* msscof does not say where the checksum is */
};

static inline struct tx_offload
tx_offload_of(const struct vmxnet3_desc *sop, const struct vmxnet3_rev *rev)
{
	uint32_t dw2 = sop->dw[2], dw3 = sop->dw[3];
	struct tx_offload o = {
		.om = dw3 >> VMXNET3_TXD_OM_SHIFT & VMXNET3_TXD_OM_MASK,
		.hlen = dw3 & VMXNET3_TXD_HLEN_MASK,
		.msscof = dw2 >> VMXNET3_TXD_MSSCOF_SHIFT,
		.inner = rev->ext1 && dw2 & VMXNET3_TXD_EXT1,
	};

	if (rev->encap && o.om == VMXNET3_OM_ENCAP) {
		o.inner = true;
		o.no_field = o.msscof == 0;
		o.om = o.no_field ? VMXNET3_OM_CSUM : VMXNET3_OM_TSO;
	}
	o.outer_csum = o.inner && dw2 & VMXNET3_TXD_OCO;
	return o;
}

/* Bytes of a longer frame that must be private: what decisions rest on, and where the checksum is stored. */
static uint32_t
snapshot_len(const struct tx_offload *o, uint32_t frame_len)
{
	uint32_t n = OFFLOAD_HEADER_BYTES;

	if (o->om != VMXNET3_OM_NONE)
		n = RTE_MAX(n, o->hlen);
	if (o->om == VMXNET3_OM_CSUM)
		n = RTE_MAX(n, o->msscof + 2);
	return RTE_MIN(RTE_MIN(n, (uint32_t)OFFLOAD_HEADER_MAX), frame_len);
}

/* Where layer 4 begins and ends; equal when it is unknown. */
static inline uint32_t
l4_begin(const struct offload_headers *hdr)
{
	return (uint32_t)hdr->l2_len + hdr->l3_len;
}

static inline uint32_t
l4_end(const struct offload_headers *hdr)
{
	return l4_begin(hdr) + hdr->l4_len;
}

/* Whether the frame is a tunnel's as we know them: then what is inside. */
static bool
is_tunnel(const struct offload_frame *f, struct offload_headers *inner)
{
	return offload_parse_inner(f->seg[0].data, f->seg[0].len, &f->hdr, inner) != OFFLOAD_TUNNEL_NONE;
}

/*
 * Where the inner checksum begins by the descriptor alone, in a tunnel that we do not know: revision 7 tells the end of
 * the header and where its checksum is.
 */
static bool
inner_csum_start(const struct offload_frame *f, const struct tx_offload *o, uint32_t *start)
{
	uint32_t at;

	if (o->hlen == o->msscof + UDP_HDR - UDP_CSUM_AT) {
		*start = o->hlen - UDP_HDR;
		return o->hlen >= UDP_HDR;
	}
	if (o->msscof < TCP_CSUM_AT || o->hlen < o->msscof - TCP_CSUM_AT + TCP_HDR_MIN)
		return false;
	at = o->msscof - TCP_CSUM_AT;
	if (at + TCP_HDR_MIN > f->seg[0].len)
		return false;
	*start = at;
	return o->hlen - at == (uint32_t)(f->seg[0].data[at + TCP_OFFSET_AT] >> 4) * 4;
}

/* Where the checksum of layer 4 is, from its begin; 0: it has none of this kind. */
static inline uint32_t
csum_at(const struct offload_headers *hdr)
{
	if (hdr->flags & OFFLOAD_H_TCP)
		return TCP_CSUM_AT;
	return hdr->flags & OFFLOAD_H_UDP ? UDP_CSUM_AT : 0;
}

/* Begin and place of the inner checksum. What we see inside of a tunnel must be what the driver says. */
static bool
inner_csum(const struct offload_frame *f, const struct tx_offload *o, uint32_t *start, uint32_t *field)
{
	struct offload_headers inner;

	if (!is_tunnel(f, &inner))
		return !o->no_field && inner_csum_start(f, o, start);
	*start = l4_begin(&inner);
	if (csum_at(&inner) == 0 || o->hlen != l4_end(&inner))
		return false;
	if (o->no_field)
		*field = *start + csum_at(&inner);
	return *field == *start + csum_at(&inner);
}

/* What every request for inner headers has in common. */
static bool
set_inner(struct offload_frame *f, const struct tx_offload *o)
{
	if (o->outer_csum && !(f->hdr.flags & OFFLOAD_H_UDP))
		return false;
	f->flags |= OFFLOAD_F_INNER | (o->outer_csum ? OFFLOAD_F_OUTER_CSUM : 0);
	return true;
}

/* A checksum must not fall into the headers before the one it is for. */
static bool
set_csum(struct offload_frame *f, const struct tx_offload *o)
{
	uint32_t start = o->hlen, field = o->msscof;

	offload_frame_parse(f);
	if (o->inner && (!inner_csum(f, o, &start, &field) || !set_inner(f, o)))
		return false;
	if (field < start || (field - start) % 2 != 0 || field + 2 > f->seg[0].len)
		return false;
	if (start == l4_begin(&f->hdr) && f->hdr.l4_len != 0) {
		if (o->inner || csum_at(&f->hdr) == 0 || field - start != csum_at(&f->hdr))
			return false;
	} else if (start < l4_end(&f->hdr)) {
		return false;
	} else if (f->hdr.l4_len != 0) {
		f->flags |= OFFLOAD_F_INNER;
	}
	f->request = OFFLOAD_CSUM;
	f->csum_start = (uint16_t)start;
	f->csum_field = (uint16_t)field;
	return true;
}

/*
 * The capability bits for tunnels tell a driver what it may ask for; a request without them set is carried out
 * all the same.
 */
static bool
set_tso(struct offload_frame *f, const struct tx_offload *o)
{
	const struct offload_headers *hdr = &f->hdr;
	struct offload_headers inner;

	offload_frame_parse(f);
	if (o->msscof == 0 || f->nb_segs >= OFFLOAD_TSO_SEGS)
		return false;
	if (o->inner) {
		if (!is_tunnel(f, &inner) || !set_inner(f, o))
			return false;
		hdr = &inner;
	}
	if (!(hdr->flags & OFFLOAD_H_TCP) || o->hlen != l4_end(hdr))
		return false;
	if ((f->len - o->hlen) / o->msscof >= TSO_MAX_PIECES)
		return false;
	f->request = OFFLOAD_TSO;
	f->hdr_len = (uint16_t)o->hlen;
	f->mss = (uint16_t)o->msscof;
	return true;
}

static bool
set_request(struct offload_frame *f, const struct tx_offload *o)
{
	if (o->om == VMXNET3_OM_NONE)
		return true;
	if (o->om == VMXNET3_OM_CSUM)
		return set_csum(f, o);
	/* The mode that is left exists in no revision but those where it is translated above. */
	return o->om == VMXNET3_OM_TSO && set_tso(f, o);
}

/*
 * Copies the first @p snap bytes into @p head and lists the rest in @p segs.
 *
 * @return false: some byte is not mapped.
 */
static bool
gather(struct vmxnet3_dev *dev, struct dev_tlb *tlb, const struct vmxnet3_desc *desc, uint32_t nb_descs,
	uint8_t *head, uint32_t snap, struct offload_seg *segs, uint16_t *nb_segs)
{
	uint32_t i, len, n;
	uint64_t iova;
	uint8_t *host;

	for (i = 0; i < nb_descs; i++) {
		iova = dev_desc_addr(&desc[i]);
		len = tx_desc_len(&desc[i]);
		for (; snap > 0 && len > 0; snap -= n, len -= n, iova += n, head += n) {
			n = RTE_MIN(len, snap);
			host = dev_tlb_at(dev, tlb, iova, &n, VFU_DMA_READ);
			if (unlikely(host == NULL))
				return false;
			memcpy(head, host, n);
		}
		if (len > 0 && !dev_segs_add(dev, tlb, iova, len, VFU_DMA_READ, segs, nb_segs))
			return false;
	}
	return true;
}

static bool
load_headers(struct vmxnet3_dev *dev, struct dev_txq *q, const struct vmxnet3_desc *desc,
	const struct tx_packet *p, struct offload_frame *f, enum vmxnet3_drop *reason)
{
	const struct tx_offload o = tx_offload_of(desc, dev->rev);
	uint16_t nb_segs = 0;

	f->seg->len = snapshot_len(&o, p->len);
	*reason = VMXNET3_DROP_TX_BAD_ADDRESS;
	if (!gather(dev, &q->tlb, desc, p->nb_descs, f->seg->data, f->seg->len, f->seg + 1, &nb_segs))
		return false;
	f->nb_segs = (uint16_t)(1 + nb_segs);
	*reason = VMXNET3_DROP_TX_BAD_OFFLOAD;
	return set_request(f, &o);
}

bool
dev_tx_load(struct vmxnet3_dev *dev, struct dev_txq *q, struct vmxnet3_burst *b,
	const struct tx_packet *p, enum vmxnet3_drop *reason)
{
	const struct vmxnet3_desc *desc = &b->desc[p->first];
	struct offload_frame *f = &b->frame[b->nb_frames];
	struct offload_seg *seg = &b->seg[b->nb_segs];
	uint32_t dw3 = desc->dw[3];

	if (unlikely(p->len < RTE_ETHER_HDR_LEN || p->len > OFFLOAD_FRAME_MAX)) {
		*reason = p->len < RTE_ETHER_HDR_LEN ? VMXNET3_DROP_TX_RUNT :
			VMXNET3_DROP_TX_TOO_LONG;
		return false;
	}
	seg->data = b->bytes + b->nb_bytes + TX_BYTES_BEFORE;
	seg->len = p->len;
	*f = (struct offload_frame){
		.seg = seg,
		.nb_segs = 1,
		.flags = dw3 & VMXNET3_TXD_TI ? OFFLOAD_F_VLAN : 0,
		.len = p->len,
		.vlan_tci = (uint16_t)(dw3 >> VMXNET3_TXD_TCI_SHIFT),
	};
	if (!load_headers(dev, q, desc, p, f, reason))
		return false;
	/* A large frame ends where its payload does. */
	if (f->request != OFFLOAD_TSO)
		dev_tx_pad(f);
	b->nb_bytes += seg->len <= OFFLOAD_HEADER_BYTES ? TX_ROOM_SHORT : TX_ROOM_LONG;
	b->nb_segs = (uint16_t)(b->nb_segs + f->nb_segs);
	b->nb_frames++;
	return true;
}

/* Copies the headers, by whole blocks. What is behind the frame in the last one is of no meaning to anybody. */
static inline void
copy_headers(uint8_t *to, const uint8_t *from, uint32_t len)
{
	const uint8_t *end = from + len;

	do {
		rte_mov64(to, from);
		to += TX_BEYOND;
		from += TX_BEYOND;
	} while (from < end);
}

const struct tx_packet *
dev_tx_load_plain(struct vmxnet3_burst *b, const struct tx_packet *p, const struct tx_packet *end)
{
	struct offload_frame *f = &b->frame[b->nb_frames];
	struct offload_seg *seg = &b->seg[b->nb_segs];
	uint8_t *head = b->bytes + b->nb_bytes + TX_BYTES_BEFORE;
	/* Where either pool might not do for the longest frame any more. */
	const uint8_t *last_head = b->bytes + BURST_BYTES - TX_ROOM_LONG + TX_BYTES_BEFORE;
	const struct offload_seg *last_seg = &b->seg[BURST_SEGS - TX_SEGS_LONG];

	for (; p < end && p->host != NULL && head <= last_head && seg <= last_seg; p++, f++) {
		const uint32_t len = p->len;

		*f = (struct offload_frame){
			.seg = seg,
			.nb_segs = 1,
			.flags = p->dw3 & VMXNET3_TXD_TI ? OFFLOAD_F_VLAN : 0,
			.len = len,
			.vlan_tci = (uint16_t)(p->dw3 >> VMXNET3_TXD_TCI_SHIFT),
		};
		*seg++ = (struct offload_seg){ .data = head, .len = len };
		if (likely(len <= OFFLOAD_HEADER_BYTES)) {
			copy_headers(head, p->host, len);
			dev_tx_pad(f);
		} else {
			copy_headers(head, p->host, OFFLOAD_HEADER_BYTES);
			seg[-1].len = OFFLOAD_HEADER_BYTES;
			*seg++ = (struct offload_seg){
				.data = (uint8_t *)(uintptr_t)p->host + OFFLOAD_HEADER_BYTES,
				.len = len - OFFLOAD_HEADER_BYTES,
			};
			f->nb_segs = 2;
		}
		head += TX_ROOM_SHORT;
	}
	b->nb_bytes = (uint32_t)(head - TX_BYTES_BEFORE - b->bytes);
	b->nb_segs = (uint16_t)(seg - b->seg);
	b->nb_frames = (uint16_t)(f - b->frame);
	return p;
}
