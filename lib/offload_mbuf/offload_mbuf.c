/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "offload_csum.h"
#include "offload_mbuf.h"

bool
offload_mbuf_sound(const struct rte_mbuf *m)
{
	uint32_t len = 0;

	for (const struct rte_mbuf *s = m; s != NULL; s = s->next)
		len += rte_pktmbuf_data_len(s);
	return len == rte_pktmbuf_pkt_len(m);
}

/* A first segment must be writable, with room before it, and hold all headers. */
static bool
front_is_private(const struct rte_mbuf *m, uint32_t need)
{
	return RTE_MBUF_DIRECT(m) && rte_mbuf_refcnt_read(m) == 1 &&
	       rte_pktmbuf_headroom(m) >= OFFLOAD_HEADROOM &&
	       (m->nb_segs == 1 || rte_pktmbuf_data_len(m) >= need);
}

/* Copies @p want bytes from the begin of the chain; moves on to what follows them. */
static void
pull(uint8_t *to, uint32_t want, const struct rte_mbuf **m, uint32_t *offset)
{
	while (want > 0) {
		uint32_t n = RTE_MIN(want, rte_pktmbuf_data_len(*m) - *offset);

		memcpy(to, rte_pktmbuf_mtod_offset(*m, uint8_t *, *offset), n);
		to += n;
		want -= n;
		*offset += n;
		if (*offset == rte_pktmbuf_data_len(*m)) {
			*m = (*m)->next;
			*offset = 0;
		}
	}
}

uint16_t
offload_mbuf_segs(const struct rte_mbuf *m, uint32_t need, uint8_t *front, struct offload_seg *seg,
	uint16_t max)
{
	uint32_t offset = 0, rest = rte_pktmbuf_pkt_len(m);
	uint16_t n = 0;

	if (!front_is_private(m, need)) {
		seg[0].data = front + OFFLOAD_HEADROOM;
		seg[0].len = RTE_MIN(rest, need);
		pull(seg[0].data, seg[0].len, &m, &offset);
		rest -= seg[0].len;
		n = 1;
	}
	for (; m != NULL && rest > 0; m = m->next) {
		uint32_t len = RTE_MIN(rest, rte_pktmbuf_data_len(m) - offset);

		if (len > 0) {
			if (n == max)
				return 0;
			seg[n].data = rte_pktmbuf_mtod_offset(m, uint8_t *, offset);
			seg[n++].len = len;
			rest -= len;
		}
		offset = 0;
	}
	return n;
}

bool
offload_mbuf_finish(struct offload_mbuf *copy, struct rte_mbuf *m, struct offload_frame *f, unsigned int verify)
{
	const uint8_t csum = OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD | OFFLOAD_F_INNER_GOOD;
	uint8_t known;

	if (unlikely(f->request == OFFLOAD_CSUM) && offload_csum_check(f) != 0)
		return false;
	copy->seg.data = rte_pktmbuf_mtod(m, uint8_t *);
	copy->seg.len = f->len;
	known = offload_copy_frame(f, &copy->seg, 1, verify);
	copy->frame = *f;
	copy->frame.seg = &copy->seg;
	copy->frame.nb_segs = 1;
	copy->frame.request = OFFLOAD_NONE;
	copy->frame.flags &= (uint8_t)~(csum | OFFLOAD_F_INNER | OFFLOAD_F_OUTER_CSUM);
	copy->frame.flags |= known;
	/* A request for an odd place may have changed what was parsed. */
	if (unlikely(f->request == OFFLOAD_CSUM) && known == 0)
		copy->frame.flags &= (uint8_t)~OFFLOAD_F_PARSED;
	return true;
}
