/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "offload_wire.h"
#include "offload_parse.h"
#include "offload_vlan.h"

/* Moves the offsets of the frame and of its request; @p by is VLAN_TAG_LEN or its negative. */
static inline void
move_offsets(struct offload_frame *f, int by)
{
	f->len += by;
	f->seg[0].len += by;
	f->csum_start += by;
	f->csum_field += by;
	f->hdr_len += by;
}

/* In both of these, the headers that are known keep up with the tag. */
static void
put_in_line(struct offload_frame *f, uint16_t tpid, uint16_t tci)
{
	uint8_t *data = f->seg[0].data - VLAN_TAG_LEN;

	memmove(data, data + VLAN_TAG_LEN, ETHER_TYPE_AT);
	store_be16(data + ETHER_TYPE_AT, tpid);
	store_be16(data + ETHER_TYPE_AT + 2, tci);
	f->seg[0].data = data;
	move_offsets(f, VLAN_TAG_LEN);

	if (!(f->flags & OFFLOAD_F_PARSED))
		return;
	f->hdr.outer_tci = tci;
	f->hdr.l2_len += VLAN_TAG_LEN;
	/* More tags than the parse walks: what it finds now is different. */
	if (f->hdr.nb_tags++ == OFFLOAD_MAX_TAGS)
		f->flags &= (uint8_t)~OFFLOAD_F_PARSED;
}

/* The frame is parsed and has a tag in line. */
static void
take_from_line(struct offload_frame *f)
{
	uint8_t *data = f->seg[0].data;

	memmove(data + VLAN_TAG_LEN, data, ETHER_TYPE_AT);
	data += VLAN_TAG_LEN;
	f->seg[0].data = data;
	move_offsets(f, -VLAN_TAG_LEN);

	f->hdr.l2_len -= VLAN_TAG_LEN;
	/* There may be a tag behind the last one that was walked. */
	if (f->hdr.nb_tags-- == OFFLOAD_MAX_TAGS)
		f->flags &= (uint8_t)~OFFLOAD_F_PARSED;
	f->hdr.outer_tci = f->hdr.nb_tags ? load_be16(data + ETHER_HDR_LEN) : 0;
}

void
offload_vlan_push(struct offload_frame *f)
{
	/* What is too short for an Ethernet header has no place for a tag. */
	if (!(f->flags & OFFLOAD_F_VLAN) || f->seg[0].len < ETHER_HDR_LEN)
		return;
	put_in_line(f, RTE_ETHER_TYPE_VLAN, f->vlan_tci);
	f->flags &= (uint8_t)~OFFLOAD_F_VLAN;
}

bool
offload_vlan_pop(struct offload_frame *f)
{
	if (f->flags & OFFLOAD_F_VLAN)
		return true;
	offload_frame_parse(f);
	if (f->hdr.nb_tags == 0 ||
			load_be16(f->seg[0].data + ETHER_TYPE_AT) != RTE_ETHER_TYPE_VLAN)
		return false;
	f->vlan_tci = f->hdr.outer_tci;
	take_from_line(f);
	f->flags |= OFFLOAD_F_VLAN;
	return true;
}

void
offload_vlan_insert(struct offload_frame *f, struct offload_vlan_tag tag)
{
	offload_vlan_push(f);
	if (f->seg[0].len >= ETHER_HDR_LEN)
		put_in_line(f, tag.tpid, tag.tci);
}

bool
offload_vlan_remove(struct offload_frame *f, struct offload_vlan_tag *tag)
{
	if (f->flags & OFFLOAD_F_VLAN) {
		*tag = (struct offload_vlan_tag){.tpid = RTE_ETHER_TYPE_VLAN, .tci = f->vlan_tci};
		f->flags &= (uint8_t)~OFFLOAD_F_VLAN;
		return true;
	}
	offload_frame_parse(f);
	if (f->hdr.nb_tags == 0)
		return false;
	tag->tpid = load_be16(f->seg[0].data + ETHER_TYPE_AT);
	tag->tci = f->hdr.outer_tci;
	take_from_line(f);
	return true;
}

bool
offload_vlan_outer(struct offload_frame *f, uint16_t *tci)
{
	if (f->flags & OFFLOAD_F_VLAN) {
		*tci = f->vlan_tci;
		return true;
	}
	offload_frame_parse(f);
	*tci = f->hdr.outer_tci;
	return f->hdr.nb_tags != 0;
}
