/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Frames out of packet buffers and into packet buffers.
 *
 * Out of: a frame's segments are where the data of the buffers is; nothing is copied but a front that
 * cannot serve as the private segment. Into: always a copy, in which is done what the frame asks for, by the
 * caller or on the way.
 */
#ifndef OFFLOAD_MBUF_H
#define OFFLOAD_MBUF_H

#include <string.h>

#include <rte_mbuf.h>

#include "offload_copy.h"
#include "offload_frame.h"
#include "offload_tso.h"

/** Whether the lengths of a chain of buffers add up. */
bool offload_mbuf_sound(const struct rte_mbuf *m);

/**
 * Lists the segments of a frame that lies in a sound chain of buffers.
 *
 * @param need   bytes that seg[0] has to hold (all of the frame, if it is shorter)
 * @param front  OFFLOAD_HEADROOM and @p need bytes, used when the first buffer cannot be seg[0]:
 *               it is shared, has no room before its data, or holds too little
 * @param max    entries of @p seg
 * @return number of segments, 0: more than @p max.
 */
uint16_t offload_mbuf_segs(const struct rte_mbuf *m, uint32_t need, uint8_t *front,
	struct offload_seg *seg, uint16_t max);

/** A frame in one packet buffer. */
struct offload_mbuf {
	struct offload_frame frame;
	struct offload_seg seg;
};

/**
 * Copies a frame into an empty packet buffer, which has room for it; the copy keeps the request.
 * VLAN tags may be pushed into it and popped (RTE_PKTMBUF_HEADROOM is room enough for the former).
 * offload_mbuf_close() has to follow.
 */
static inline void
offload_mbuf_copy(struct offload_mbuf *copy, struct rte_mbuf *m, const struct offload_frame *f)
{
	uint8_t *to = rte_pktmbuf_mtod(m, uint8_t *);

	copy->frame = *f;
	copy->frame.seg = &copy->seg;
	copy->frame.nb_segs = 1;
	copy->seg.data = to;
	copy->seg.len = f->len;
	for (uint16_t i = 0; i < f->nb_segs; i++) {
		memcpy(to, f->seg[i].data, f->seg[i].len);
		to += f->seg[i].len;
	}
}

/**
 * The same without a request in the copy: a checksum is completed on the way, or verified as offload_copy_frame()
 * does it; what is known of them is in the copy's flags. The frame is not large.
 *
 * @param verify  OFFLOAD_VERIFY*
 * @return whether the request can be carried out; nothing is copied otherwise
 */
bool offload_mbuf_finish(struct offload_mbuf *copy, struct rte_mbuf *m, struct offload_frame *f, unsigned int verify);

/** The same with the next piece of a large frame, which is made there; there must be one. */
static inline void
offload_mbuf_cut(struct offload_mbuf *copy, struct rte_mbuf *m, struct offload_tso *tso)
{
	copy->seg.data = rte_pktmbuf_mtod(m, uint8_t *);
	copy->seg.len = offload_tso_next_len(tso);
	offload_tso_copy(tso, &copy->seg, 1);
	copy->frame = tso->piece;
	copy->frame.seg = &copy->seg;
	copy->frame.nb_segs = 1;
}

/** Makes the packet buffer say where the copy begins and how long it is. */
static inline void
offload_mbuf_close(const struct offload_mbuf *copy, struct rte_mbuf *m)
{
	m->data_off = (uint16_t)(copy->seg.data - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)copy->seg.len;
	m->pkt_len = copy->seg.len;
}

#endif /* OFFLOAD_MBUF_H */
