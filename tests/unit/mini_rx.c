/* SPDX-License-Identifier: BSD-3-Clause */
/* The receiving half of the tests' driver. */
#include <stdlib.h>
#include <string.h>

#include "mini_driver.h"

/* Buffers begin two bytes after a multiple of this, as those of many drivers do. */
#define BUF_ALIGN 64
#define BUF_SHIFT 2

/* Half an entry; the second half has the generation bit. */
typedef uint64_t __attribute__((may_alias)) half_t;

#define RCD_DW3_TYPE(dw3) ((dw3) >> VMXNET3_CD_TYPE_SHIFT & 0x7f)

static uint32_t
stride(uint32_t len)
{
	return (len + BUF_SHIFT + BUF_ALIGN - 1) / BUF_ALIGN * BUF_ALIGN;
}

static bool
is_body(const struct mini *m, unsigned int ring, uint32_t i)
{
	return ring == 1 || i % (1 + m->conf.group) != 0;
}

static uint32_t
buf_len(const struct mini *m, unsigned int ring, uint32_t i)
{
	return is_body(m, ring, i) ? m->conf.body_len : m->conf.head_len;
}

/* In ring 0 each entry has room for the longer of both kinds. */
static uint32_t
buf_stride(const struct mini *m, unsigned int ring)
{
	uint32_t len = m->conf.body_len;

	if (ring == 0 && (m->conf.group == 0 || m->conf.head_len > len))
		len = m->conf.head_len;
	return stride(len);
}

static uint64_t
buf_pa(const struct mini *m, const struct mini_rxq *r, unsigned int ring, uint32_t i)
{
	return r->buf[ring] + (uint64_t)i * buf_stride(m, ring) + BUF_SHIFT;
}

void
mini_rx_init(struct mini *m, uint32_t q)
{
	struct mini_rxq *r = &m->rxq[q];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		mini_ring_init(m, &r->ring[i], m->conf.rx_size[i], true);
		r->buf[i] = mini_mem_alloc(m->mem,
			(size_t)buf_stride(m, i) * m->conf.rx_size[i], BUF_ALIGN);
	}
	mini_ring_init(m, &r->comp, m->conf.rx_comp_size, false);
	if (m->conf.rx_data_size != 0)
		r->data_ring = mini_mem_alloc(m->mem,
			(size_t)m->conf.rx_data_size * m->conf.rx_size[0], BUF_ALIGN);
	r->frame.data = malloc(MINI_FRAME_MAX);
}

void
mini_rx_fini(struct mini *m, uint32_t q)
{
	struct mini_rxq *r = &m->rxq[q];

	free(r->ring[0].shadow);
	free(r->ring[1].shadow);
	free(r->frame.data);
}

void
mini_rx_reset(struct mini *m, uint32_t q)
{
	struct mini_rxq *r = &m->rxq[q];

	mini_ring_reset(m, &r->ring[0]);
	if (r->ring[1].size != 0)
		mini_ring_reset(m, &r->ring[1]);
	mini_ring_reset(m, &r->comp);
	r->open = false;
}

/* ---- posting ---- */

static void
post_entry(struct mini *m, struct mini_rxq *r, unsigned int ring)
{
	struct mini_ring *g = &r->ring[ring];
	uint32_t i = g->next, len = buf_len(m, ring, i);
	uint64_t pa = buf_pa(m, r, ring, i);
	struct vmxnet3_desc *e = mini_entry(m, g, i);
	struct vmxnet3_desc d = { .dw = { (uint32_t)pa, (uint32_t)(pa >> 32), len, 0 } };

	if (is_body(m, ring, i))
		d.dw[2] |= VMXNET3_RXD_BODY;
	d.dw[2] |= g->gen << VMXNET3_RXD_GEN_SHIFT;
	if (!m->conf.fast) {
		mini_mem_fill(m->mem, pa, MINI_CANARY, len);
		if (ring == 0 && m->conf.rx_data_size != 0)
			mini_mem_fill(m->mem, r->data_ring + (uint64_t)i * m->conf.rx_data_size,
				MINI_CANARY, m->conf.rx_data_size);
	}
	g->shadow[i] = d;
	/*
	 * The device may look before the entry is valid, and then believes nothing. Each half is one access, as its own
	 * are: ThreadSanitizer tells accesses of different sizes apart.
	 */
	__atomic_store_n((half_t *)&e->dw[0], pa, __ATOMIC_RELAXED);
	__atomic_store_n((half_t *)&e->dw[2], d.dw[2], __ATOMIC_RELEASE);
	mini_ring_step(g);
	g->used++;
}

uint32_t
mini_refill_ring(struct mini *m, uint32_t q, unsigned int ring, uint32_t max)
{
	struct mini_rxq *r = &m->rxq[q];
	uint32_t n;

	for (n = 0; n < max && r->ring[ring].used + 1 < r->ring[ring].size; n++)
		post_entry(m, r, ring);
	return n;
}

void
mini_refill(struct mini *m, uint32_t q, uint32_t max)
{
	max -= mini_refill_ring(m, q, 0, max);
	mini_refill_ring(m, q, 1, max);
}

/* ---- completions ---- */

/* Takes entries back up to @p index. Only BODYs of ring 0 may be passed over, before a HEAD. */
static int
take_entry(struct mini *m, struct mini_rxq *r, unsigned int ring, uint32_t index, bool sop)
{
	struct mini_ring *g = &r->ring[ring];
	uint32_t at;

	for (;;) {
		if (g->used == 0)
			return mini_fail(m, "descriptor %u of ring %u is not posted", index, ring);
		at = g->done;
		if (memcmp(mini_entry(m, g, at), &g->shadow[at], sizeof(*g->shadow)) != 0)
			return mini_fail(m, "descriptor %u of ring %u was changed", at, ring);
		g->done = at + 1 == g->size ? 0 : at + 1;
		g->used--;
		if (at == index)
			break;
		if (ring == 1 || !sop || !is_body(m, ring, at))
			return mini_fail(m, "descriptor %u of ring %u was passed over", at, ring);
	}
	if (is_body(m, ring, index) == sop)
		return mini_fail(m, "descriptor %u of ring %u is the wrong kind for sop %d", index, ring,
			sop);
	return 0;
}

static int
add_data(struct mini *m, struct mini_frame *f, uint64_t pa, uint32_t len, uint32_t room)
{
	if (len == 0 || len > room)
		return mini_fail(m, "%u bytes in a buffer of %u", len, room);
	if (f->len + len > MINI_FRAME_MAX)
		return mini_fail(m, "frame is too long");
	mini_mem_read(m->mem, pa, f->data + f->len, len);
	if (!m->conf.fast && !mini_mem_is(m->mem, pa + len, MINI_CANARY, room - len))
		return mini_fail(m, "bytes behind the %u of the frame were written", len);
	f->len += len;
	f->nb_bufs++;
	return 0;
}

/* One buffer of the frame. */
static int
take_buffer(struct mini *m, uint32_t q, const struct vmxnet3_desc *d, bool sop, bool eop)
{
	struct mini_rxq *r = &m->rxq[q];
	uint32_t index = d->dw[0] & VMXNET3_RCD_INDEX_MASK;
	uint32_t id = d->dw[0] >> VMXNET3_RCD_RQID_SHIFT & 0x3ff;
	uint32_t len = d->dw[2] & VMXNET3_RCD_LEN_MASK, size = m->conf.rx_data_size;
	unsigned int ring = id == q + m->conf.nb_rx;

	if (id == q + 2 * m->conf.nb_rx) {
		if (size == 0 || !sop || !eop || take_entry(m, r, 0, index, true) != 0)
			return mini_fail(m, "data ring entry %u out of place", index);
		r->frame.in_data_ring = true;
		return add_data(m, &r->frame, r->data_ring + (uint64_t)index * size, len, size);
	}
	if (id != q && ring == 0)
		return mini_fail(m, "queue id %u in queue %u", id, q);
	if (ring == 1 && sop)
		return mini_fail(m, "a frame begins in ring 1");
	if (take_entry(m, r, ring, index, sop) != 0)
		return -1;
	if (!eop && len != buf_len(m, ring, index))
		return mini_fail(m, "a buffer in the middle has %u of %u bytes", len,
			buf_len(m, ring, index));
	return add_data(m, &r->frame, buf_pa(m, r, ring, index), len, buf_len(m, ring, index));
}

/* Completions before the last say nothing of the frame, but the first may have hash or LRO, and with it the tunnel. */
static int
check_not_last(struct mini *m, const struct vmxnet3_desc *d, bool sop)
{
	bool lro = RCD_DW3_TYPE(d->dw[3]) == VMXNET3_CD_TYPE_RX_LRO;
	uint32_t dw3 = d->dw[3] & (lro ? 0xff0000 : 0xffffff);
	uint32_t flags = VMXNET3_RCD_CNC | VMXNET3_RCD_INNER_RSS | (lro ? 0 : VMXNET3_RCD_INNER);

	if (d->dw[0] & flags || d->dw[2] & ~VMXNET3_RCD_LEN_MASK || dw3 != 0 ||
			(!sop && (d->dw[1] != 0 || d->dw[0] >> VMXNET3_RCD_RSS_TYPE_SHIFT & 0xf)))
		return mini_fail(m, "completion before the last says too much: %08x %08x %08x %08x",
			d->dw[0], d->dw[1], d->dw[2], d->dw[3]);
	return 0;
}

static int
take_lro(struct mini *m, struct mini_frame *f, const struct vmxnet3_desc *sop)
{
	if (RCD_DW3_TYPE(sop->dw[3]) != VMXNET3_CD_TYPE_RX_LRO)
		return 0;
	f->segs = sop->dw[1] & 0xff;
	f->mss = sop->dw[3] & 0xffff;
	if (m->conf.revision < 2 || !(m->conf.features & VMXNET3_F_LRO))
		return mini_fail(m, "large frame was not asked for");
	if (f->segs < 2 || f->mss == 0 || sop->dw[1] >> 8 != 0)
		return mini_fail(m, "large frame of %u segments, MSS %u", f->segs, f->mss);
	if (f->cnc || !f->tuc || !f->ipc || !f->tcp)
		return mini_fail(m, "large frame is not known to be good");
	if (sop->dw[0] >> VMXNET3_RCD_RSS_TYPE_SHIFT & 0xf)
		return mini_fail(m, "large frame has a hash in its first completion");
	if (!(sop->dw[0] & VMXNET3_RCD_INNER) != !f->inner)
		return mini_fail(m, "the first completion of a large frame says something else of a tunnel");
	return 0;
}

static int
check_csum(struct mini *m, const struct mini_frame *f, uint32_t dw3)
{
	bool lro_only = f->segs != 0 && f->nb_bufs == 1;

	if (!lro_only && dw3 & 0xffff)
		return mini_fail(m, "checksum field has 0x%x", dw3 & 0xffff);
	if (dw3 & VMXNET3_RCD_FCS ? false : true)
		return mini_fail(m, "frame CRC is not right");
	if (f->v4 && f->v6)
		return mini_fail(m, "IPv4 and IPv6");
	/* A wrong IP header leaves nothing that could be right. Wrong is: looked at, and not good. */
	if (f->cnc ? f->ipc || f->tuc : f->tcp == f->udp || (f->v4 && f->tuc && !f->ipc))
		return mini_fail(m, "checksum result 0x%x, cnc %d", dw3, f->cnc);
	if (f->inner && (f->cnc || !f->tuc || !(m->conf.features & VMXNET3_F_RXINNEROFLD)))
		return mini_fail(m, "inner result 0x%x", dw3);
	if (!f->cnc && (f->frg || !(m->conf.features & VMXNET3_F_RXCSUM)))
		return mini_fail(m, "checksum result where there should be none");
	return 0;
}

/* The last completion, and all that the driver may now believe. */
static int
take_last(struct mini *m, struct mini_rxq *r, const struct vmxnet3_desc *d)
{
	struct mini_frame *f = &r->frame;
	uint32_t dw0 = d->dw[0], dw2 = d->dw[2], dw3 = d->dw[3];
	uint32_t sop_rss = r->sop.dw[0] >> VMXNET3_RCD_RSS_TYPE_SHIFT & 0xf;

	f->cnc = dw0 & VMXNET3_RCD_CNC;
	f->inner = dw0 & VMXNET3_RCD_INNER;
	f->inner_hash = dw0 & VMXNET3_RCD_INNER_RSS;
	f->rss_type = dw0 >> VMXNET3_RCD_RSS_TYPE_SHIFT & 0xf;
	f->hash = f->rss_type != 0 ? d->dw[1] : 0;
	f->tagged = dw2 & VMXNET3_RCD_TS;
	f->tci = (uint16_t)(dw2 >> VMXNET3_RCD_TCI_SHIFT);
	f->ipc = dw3 & VMXNET3_RCD_IPC;
	f->tuc = dw3 & VMXNET3_RCD_TUC;
	f->v4 = dw3 & VMXNET3_RCD_V4;
	f->v6 = dw3 & VMXNET3_RCD_V6;
	f->tcp = dw3 & VMXNET3_RCD_TCP;
	f->udp = dw3 & VMXNET3_RCD_UDP;
	f->frg = dw3 & VMXNET3_RCD_FRG;
	if (dw2 & VMXNET3_RCD_ERR)
		return mini_fail(m, "frame has the error bit");
	if ((f->tagged && !(m->conf.features & VMXNET3_F_RXVLAN)) || (!f->tagged && f->tci != 0))
		return mini_fail(m, "tag %04x, ts %d", f->tci, f->tagged);
	if (f->rss_type > (m->conf.revision < 4 ? 4 : 8) || (f->rss_type == 0 && f->inner_hash) ||
			(f->rss_type != 0 && !(m->conf.features & VMXNET3_F_RSS)))
		return mini_fail(m, "rssType %u", f->rss_type);
	if (take_lro(m, f, &r->sop) != 0 || check_csum(m, f, dw3) != 0)
		return -1;
	if (f->segs == 0 && (sop_rss != f->rss_type || r->sop.dw[1] != d->dw[1] ||
			(f->rss_type == 0 && d->dw[1] != 0)))
		return mini_fail(m, "hash differs between first and last completion");
	return 0;
}

static int
take_completion(struct mini *m, uint32_t q, const struct vmxnet3_desc *d)
{
	struct mini_rxq *r = &m->rxq[q];
	bool sop = d->dw[0] & VMXNET3_RCD_SOP, eop = d->dw[0] & VMXNET3_RCD_EOP;
	uint32_t type = RCD_DW3_TYPE(d->dw[3]);
	uint8_t *data = r->frame.data;

	if (sop == r->open)
		return mini_fail(m, "sop %d while a frame is %s", sop, r->open ? "open" : "not open");
	if (type != VMXNET3_CD_TYPE_RX && !(sop && type == VMXNET3_CD_TYPE_RX_LRO))
		return mini_fail(m, "completion type %u, sop %d", type, sop);
	if (d->dw[0] & (1u << 31 | (m->conf.revision < 4 ? VMXNET3_RCD_INNER | VMXNET3_RCD_INNER_RSS : 0)))
		return mini_fail(m, "reserved bits: %08x", d->dw[0]);
	if (sop) {
		r->frame = (struct mini_frame){ .data = data };
		r->sop = *d;
		r->open = true;
	}
	if (take_buffer(m, q, d, sop, eop) != 0)
		return -1;
	if (!eop)
		return check_not_last(m, d, sop);
	r->open = false;
	return take_last(m, r, d) == 0 ? 1 : -1;
}

int
mini_recv(struct mini *m, uint32_t q, struct mini_frame *f)
{
	struct mini_rxq *r = &m->rxq[q];
	struct mini_ring *c = &r->comp;
	struct vmxnet3_desc d;
	uint64_t high;
	int ret;

	for (;;) {
		const struct vmxnet3_desc *e = mini_entry(m, c, c->next);

		high = __atomic_load_n((const half_t *)&e->dw[2], __ATOMIC_ACQUIRE);
		d.dw[2] = (uint32_t)high;
		d.dw[3] = (uint32_t)(high >> 32);
		if (d.dw[3] >> VMXNET3_CD_GEN_SHIFT != c->gen)
			return 0;
		memcpy(d.dw, e->dw, 2 * sizeof(d.dw[0]));
		mini_ring_step(c);
		ret = take_completion(m, q, &d);
		if (ret != 0)
			break;
	}
	*f = r->frame;
	return ret;
}
