/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vfu_device.h>

#include "mini_driver.h"

#define PCI_COMMAND 0x04
#define PCI_MEMORY_AND_MASTER 0x6

/* Room for frames of one queue. */
#define AREA_BYTES (1u << 20)

int
mini_fail(struct mini *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m->error, sizeof(m->error), fmt, ap);
	va_end(ap);
	return -1;
}

struct mini_conf
mini_conf_default(uint32_t revision)
{
	return (struct mini_conf){
		.revision = revision,
		.nb_tx = 1,
		.nb_rx = 1,
		.tx_size = 256,
		.tx_comp_size = 256,
		.rx_size = { 256, 256 },
		.rx_comp_size = 512,
		.mtu = 1500,
		.features = VMXNET3_F_RXCSUM,
		.rx_mode = VMXNET3_RXM_UCAST | VMXNET3_RXM_BCAST,
		.head_len = 1522,
		.body_len = 4096,
	};
}

uint32_t
mini_read(struct mini *m, unsigned int bar, uint32_t reg)
{
	uint32_t v = 0;

	if (m->bus != NULL)
		m->bus->read(m->bus->ctx, bar, reg, &v, sizeof(v));
	else
		vmxnet3_dev_bar_read(m->dev, bar, reg, &v, sizeof(v));
	return v;
}

void
mini_write(struct mini *m, unsigned int bar, uint32_t reg, uint32_t value)
{
	if (m->bus != NULL)
		m->bus->write(m->bus->ctx, bar, reg, &value, sizeof(value));
	else
		vmxnet3_dev_bar_write(m->dev, bar, reg, &value, sizeof(value));
}

uint32_t
mini_cmd(struct mini *m, uint32_t cmd)
{
	mini_write(m, 1, VMXNET3_REG_CMD, cmd);
	return mini_read(m, 1, VMXNET3_REG_CMD);
}

struct vmxnet3_shared *
mini_shared(struct mini *m)
{
	return mini_mem_at(m->mem, m->shared);
}

struct vmxnet3_tx_queue_desc *
mini_txq_desc(struct mini *m, uint32_t q)
{
	return mini_mem_at(m->mem, m->queues + q * sizeof(struct vmxnet3_tx_queue_desc));
}

struct vmxnet3_rx_queue_desc *
mini_rxq_desc(struct mini *m, uint32_t q)
{
	return mini_mem_at(m->mem,
		m->queues + (m->conf.nb_tx + q) * sizeof(struct vmxnet3_rx_queue_desc));
}

struct vmxnet3_rss_conf *
mini_rss(struct mini *m)
{
	return mini_mem_at(m->mem, m->rss);
}

/* ---- rings ---- */

void
mini_ring_init(struct mini *m, struct mini_ring *r, uint32_t size, bool shadow)
{
	memset(r, 0, sizeof(*r));
	r->size = size;
	if (size == 0)
		return;
	r->pa = mini_mem_alloc(m->mem, size * sizeof(struct vmxnet3_desc), VMXNET3_RING_ALIGN);
	if (shadow)
		r->shadow = calloc(size, sizeof(*r->shadow));
}

void
mini_ring_reset(struct mini *m, struct mini_ring *r)
{
	r->next = 0;
	r->gen = 1;
	r->done = 0;
	r->used = 0;
	mini_mem_fill(m->mem, r->pa, 0, r->size * sizeof(struct vmxnet3_desc));
}

void
mini_ring_step(struct mini_ring *r)
{
	if (++r->next == r->size) {
		r->next = 0;
		r->gen ^= 1;
	}
}

struct vmxnet3_desc *
mini_entry(struct mini *m, const struct mini_ring *r, uint32_t i)
{
	return mini_mem_at(m->mem, r->pa + i * sizeof(struct vmxnet3_desc));
}

/* ---- set-up ---- */

void
mini_init(struct mini *m, struct vmxnet3_dev *dev, struct mini_mem *mem, const struct mini_conf *conf)
{
	uint32_t i;

	memset(m, 0, sizeof(*m));
	m->dev = dev;
	m->mem = mem;
	m->conf = *conf;
	m->shared = mini_mem_alloc(mem, sizeof(struct vmxnet3_shared), VFU_DMA_PAGE);
	m->rss = mini_mem_alloc(mem, sizeof(struct vmxnet3_rss_conf), 256);
	m->queues = mini_mem_alloc(mem, 256 * (conf->nb_tx + conf->nb_rx), 256);
	for (i = 0; i < conf->nb_tx; i++) {
		mini_ring_init(m, &m->txq[i].ring, conf->tx_size, true);
		mini_ring_init(m, &m->txq[i].comp, conf->tx_comp_size, false);
		m->txq[i].area = mini_mem_alloc(mem, AREA_BYTES, VFU_DMA_PAGE);
	}
	for (i = 0; i < conf->nb_rx; i++)
		mini_rx_init(m, i);
}

void
mini_fini(struct mini *m)
{
	uint32_t i;

	for (i = 0; i < m->conf.nb_tx; i++)
		free(m->txq[i].ring.shadow);
	for (i = 0; i < m->conf.nb_rx; i++)
		mini_rx_fini(m, i);
}

static void
fill_txq_desc(struct mini *m, uint32_t q)
{
	const struct mini_txq *t = &m->txq[q];
	struct vmxnet3_tx_queue_desc *d = mini_txq_desc(m, q);

	memset(d, 0, sizeof(*d));
	d->tx_ring_pa = t->ring.pa;
	d->tx_ring_size = t->ring.size;
	d->comp_ring_pa = t->comp.pa;
	d->comp_ring_size = t->comp.size;
	d->dd_pa = UINT64_MAX;
	d->intr_idx = (uint8_t)q;
	d->status.stopped = 1;
}

static void
fill_rxq_desc(struct mini *m, uint32_t q)
{
	const struct mini_rxq *r = &m->rxq[q];
	struct vmxnet3_rx_queue_desc *d = mini_rxq_desc(m, q);
	unsigned int i;

	memset(d, 0, sizeof(*d));
	for (i = 0; i < 2; i++) {
		d->rx_ring_pa[i] = r->ring[i].pa;
		d->rx_ring_size[i] = r->ring[i].size;
	}
	d->comp_ring_pa = r->comp.pa;
	d->comp_ring_size = r->comp.size;
	d->data_ring_pa = r->data_ring;
	d->data_ring_desc_size = (uint16_t)m->conf.rx_data_size;
	d->intr_idx = (uint8_t)q;
}

static void
fill_shared(struct mini *m)
{
	struct vmxnet3_shared *s = mini_shared(m);
	size_t bytes = m->conf.revision >= 6 ? sizeof(*s) : VMXNET3_SHARED_V1_BYTES;

	memset(s, 0, bytes);
	s->magic = VMXNET3_MAGIC;
	s->misc.driver_version = 0x01000000;
	s->misc.gos = 2 | 1 << 2;
	s->misc.rev_spt = 1;
	s->misc.upt_ver_spt = 1;
	s->misc.upt_features = m->conf.features;
	s->misc.queue_desc_pa = m->queues;
	s->misc.queue_desc_len = 256 * (m->conf.nb_tx + m->conf.nb_rx);
	s->misc.mtu = m->conf.mtu;
	s->misc.max_num_rx_sg = (uint16_t)m->conf.max_sg;
	s->misc.num_tx_queues = (uint8_t)m->conf.nb_tx;
	s->misc.num_rx_queues = (uint8_t)m->conf.nb_rx;
	s->intr.auto_mask = 1;
	s->intr.num_intrs = 25;
	s->intr.event_intr_idx = 24;
	if (m->conf.revision >= 6) {
		s->intr_ext.auto_mask = 1;
		s->intr_ext.num_intrs = 65;
		s->intr_ext.event_intr_idx = 64;
	}
	if (m->conf.features & VMXNET3_F_RSS) {
		s->rss_conf.ver = 1;
		s->rss_conf.len = sizeof(struct vmxnet3_rss_conf);
		s->rss_conf.pa = m->rss;
	}
}

void
mini_prepare(struct mini *m)
{
	uint32_t i;

	for (i = 0; i < m->conf.nb_tx; i++) {
		mini_ring_reset(m, &m->txq[i].ring);
		mini_ring_reset(m, &m->txq[i].comp);
		m->txq[i].area_used = 0;
		m->txq[i].pending = 0;
		fill_txq_desc(m, i);
	}
	for (i = 0; i < m->conf.nb_rx; i++) {
		mini_rx_reset(m, i);
		fill_rxq_desc(m, i);
	}
	fill_shared(m);
}

int
mini_start(struct mini *m)
{
	uint16_t command = PCI_MEMORY_AND_MASTER;
	uint32_t i, ret;

	if (m->bus != NULL)
		m->bus->write(m->bus->ctx, VFU_REGION_CONFIG, PCI_COMMAND, &command,
			sizeof(command));
	else
		vmxnet3_dev_pci_write(m->dev, PCI_COMMAND, &command, sizeof(command));
	mini_write(m, 1, VMXNET3_REG_VRRS, 1u << (m->conf.revision - 1));
	mini_write(m, 1, VMXNET3_REG_UVRS, 1);
	if (m->conf.dcr != 0)
		mini_write(m, 1, VMXNET3_REG_DCR, m->conf.dcr);
	mini_write(m, 1, VMXNET3_REG_DSAL, (uint32_t)m->shared);
	mini_write(m, 1, VMXNET3_REG_DSAH, (uint32_t)(m->shared >> 32));
	ret = mini_cmd(m, VMXNET3_CMD_ACTIVATE_DEV);
	if (ret != 0)
		return mini_fail(m, "activation failed: %u", ret);
	for (i = 0; i < m->conf.nb_tx; i++) {
		if (mini_txq_desc(m, i)->status.stopped)
			return mini_fail(m, "transmit queue %u is stopped", i);
	}
	for (i = 0; i < m->conf.nb_rx; i++) {
		if (!m->conf.empty)
			mini_refill(m, i, UINT32_MAX);
	}
	mini_shared(m)->rx_filter.rx_mode = m->conf.rx_mode;
	mini_cmd(m, VMXNET3_CMD_UPDATE_RX_MODE);
	return 0;
}

int
mini_activate(struct mini *m)
{
	mini_prepare(m);
	return mini_start(m);
}

/* ---- transmit ---- */

struct vmxnet3_desc
mini_tx_desc(uint64_t pa, uint32_t len, bool eop)
{
	return (struct vmxnet3_desc){ .dw = {
		(uint32_t)pa, (uint32_t)(pa >> 32), len & VMXNET3_TXD_LEN_MASK,
		eop ? VMXNET3_TXD_EOP | VMXNET3_TXD_CQ : 0,
	} };
}

void
mini_set_offload(struct vmxnet3_desc *first, struct vmxnet3_desc *last, const struct mini_offload *o)
{
	first->dw[2] |= o->msscof << VMXNET3_TXD_MSSCOF_SHIFT | (o->ext1 ? VMXNET3_TXD_EXT1 : 0) |
		(o->oco ? VMXNET3_TXD_OCO : 0);
	first->dw[3] |= o->hlen | o->om << VMXNET3_TXD_OM_SHIFT | (o->ti ? VMXNET3_TXD_TI : 0) |
		(uint32_t)o->tci << VMXNET3_TXD_TCI_SHIFT;
	if (o->no_cq)
		last->dw[3] &= ~VMXNET3_TXD_CQ;
}

static void
put_desc(struct vmxnet3_desc *d, const struct vmxnet3_desc *v, unsigned int gen_word)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		if (i != gen_word)
			__atomic_store_n(&d->dw[i], v->dw[i], __ATOMIC_RELAXED);
	}
	__atomic_store_n(&d->dw[gen_word], v->dw[gen_word], __ATOMIC_RELEASE);
}

int
mini_post(struct mini *m, uint32_t q, const struct vmxnet3_desc *desc, uint32_t nb)
{
	struct mini_txq *t = &m->txq[q];
	struct mini_ring *r = &t->ring;
	uint32_t i, first = r->next;

	if (nb == 0 || r->used + nb >= r->size)
		return mini_fail(m, "transmit ring %u has no room", q);
	for (i = 0; i < nb; i++) {
		struct vmxnet3_desc d = desc[i];

		d.dw[2] |= r->gen << VMXNET3_TXD_GEN_SHIFT;
		r->shadow[r->next] = d;
		if (i == 0)
			d.dw[2] ^= 1u << VMXNET3_TXD_GEN_SHIFT;
		put_desc(mini_entry(m, r, r->next), &d, 2);
		mini_ring_step(r);
		if (d.dw[3] & VMXNET3_TXD_EOP && d.dw[3] & VMXNET3_TXD_CQ)
			t->pending++;
	}
	r->used += nb;
	put_desc(mini_entry(m, r, first), &r->shadow[first], 2);
	return 0;
}

/* Where the oldest frame that the device still has begins. */
static uint32_t
area_tail(const struct mini_txq *t)
{
	const struct vmxnet3_desc *d = &t->ring.shadow[t->ring.done];
	uint64_t at = ((uint64_t)d->dw[1] << 32 | d->dw[0]) - t->area;

	return at < AREA_BYTES ? (uint32_t)at : 0;
}

/* Pieces lie apart and begin anywhere, in a circle. */
static int
put_piece(struct mini *m, uint32_t q, const uint8_t *data, uint32_t len, uint64_t *pa)
{
	struct mini_txq *t = &m->txq[q];
	uint32_t tail = t->ring.used > 0 ? area_tail(t) : 0;

	if (t->area_used >= tail && t->area_used + len + 64 > AREA_BYTES)
		t->area_used = 0;
	if (t->area_used + len + 64 > (t->area_used < tail ? tail : AREA_BYTES))
		return mini_fail(m, "no room for frames of queue %u", q);
	*pa = t->area + t->area_used;
	mini_mem_write(m->mem, *pa, data, len);
	t->area_used += len + 1 + len % 7 * 5;
	return 0;
}

int
mini_send(struct mini *m, uint32_t q, const void *frame, uint32_t len, const uint32_t *split,
	uint32_t nb, const struct mini_offload *o)
{
	struct vmxnet3_desc desc[128];
	uint32_t i, n, at = 0;
	uint64_t pa = 0;

	if (m->txq[q].ring.used == 0)
		m->txq[q].area_used = 0;
	for (i = 0; at < len && i < 128 && (split == NULL || i < nb); i++) {
		n = split != NULL ? split[i] : len - at;
		if (n > VMXNET3_TXD_LEN_ZERO)
			n = VMXNET3_TXD_LEN_ZERO;
		if (put_piece(m, q, (const uint8_t *)frame + at, n, &pa) != 0)
			return -1;
		at += n;
		desc[i] = mini_tx_desc(pa, n, at == len);
	}
	if (at != len || len == 0)
		return mini_fail(m, "the split does not fit %u bytes", len);
	if (o != NULL)
		mini_set_offload(&desc[0], &desc[i - 1], o);
	return mini_post(m, q, desc, i);
}

/* Gives descriptors back up to @p eop, the end of the next frame that wants a completion. */
static int
release_tx(struct mini *m, uint32_t q, uint32_t eop)
{
	struct mini_txq *t = &m->txq[q];
	struct mini_ring *r = &t->ring;
	uint32_t at, flags;

	do {
		at = r->done;
		if (r->used == 0)
			return mini_fail(m, "completion %u of queue %u: nothing is posted", eop, q);
		if (memcmp(mini_entry(m, r, at), &r->shadow[at], sizeof(*r->shadow)) != 0)
			return mini_fail(m, "transmit descriptor %u was changed", at);
		flags = r->shadow[at].dw[3];
		r->done = at + 1 == r->size ? 0 : at + 1;
		r->used--;
	} while (!(flags & VMXNET3_TXD_EOP) || !(flags & VMXNET3_TXD_CQ));
	t->pending--;
	if (at != eop)
		return mini_fail(m, "completion of queue %u is for %u, not %u", q, eop, at);
	return 0;
}

int
mini_reap(struct mini *m, uint32_t q)
{
	struct mini_ring *c = &m->txq[q].comp;
	struct vmxnet3_desc d;
	int n = 0;

	for (;; n++) {
		const struct vmxnet3_desc *e = mini_entry(m, c, c->next);

		d.dw[3] = __atomic_load_n(&e->dw[3], __ATOMIC_ACQUIRE);
		if (d.dw[3] >> VMXNET3_CD_GEN_SHIFT != c->gen)
			return n;
		memcpy(d.dw, e->dw, 3 * sizeof(d.dw[0]));
		if (d.dw[0] & ~VMXNET3_TCD_INDEX_MASK || d.dw[1] != 0 || d.dw[2] != 0 ||
				d.dw[3] != c->gen << VMXNET3_CD_GEN_SHIFT)
			return mini_fail(m, "transmit completion has more in it: %08x %08x %08x %08x",
				d.dw[0], d.dw[1], d.dw[2], d.dw[3]);
		mini_ring_step(c);
		if (release_tx(m, q, d.dw[0]) != 0)
			return -1;
	}
}
