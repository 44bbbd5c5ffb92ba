/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "vx_bare.h"

static struct hand_ring
ring(uint64_t at, uint32_t size)
{
	return (struct hand_ring){ .entry = (void *)(uintptr_t)at, .size = size, .gen = 1 };
}

void
hand_open(struct hand *h, struct bare *p, uint16_t queue)
{
	const struct vmxnet3_tx_queue_desc *t = &p->dev->txqd[queue];
	const struct vmxnet3_rx_queue_desc *r = &p->dev->rxqd[queue];

	memset(h, 0, sizeof(*h));
	h->tx = ring(t->tx_ring_pa, t->tx_ring_size);
	h->tx_comp = ring(t->comp_ring_pa, t->comp_ring_size);
	h->rx[0] = ring(r->rx_ring_pa[0], r->rx_ring_size[0]);
	h->rx[1] = ring(r->rx_ring_pa[1], r->rx_ring_size[1]);
	h->rx_comp = ring(r->comp_ring_pa, r->comp_ring_size);
	h->data = (void *)(uintptr_t)r->data_ring_pa;
	h->data_size = r->data_ring_desc_size;
	h->q = queue;
	h->nb_rxq = p->eth->data->nb_rx_queues;
}

static void
step(struct hand_ring *r)
{
	if (++r->next == r->size) {
		r->next = 0;
		r->gen ^= 1;
	}
}

/* The next entry, if the driver has made it valid. */
static bool
peek(const struct hand_ring *r, unsigned int gen_shift, struct vmxnet3_desc *d)
{
	const struct vmxnet3_desc *e = &r->entry[r->next];

	if (r->size == 0 || (__atomic_load_n(&e->dw[2], __ATOMIC_ACQUIRE) >> gen_shift & 1) != r->gen)
		return false;
	*d = *e;
	return true;
}

static void
write_completion(struct hand_ring *r, const uint32_t dw[4])
{
	struct vmxnet3_desc *e = &r->entry[r->next];
	unsigned int i;

	for (i = 0; i < 3; i++)
		__atomic_store_n(&e->dw[i], dw[i], __ATOMIC_RELAXED);
	__atomic_store_n(&e->dw[3], dw[3] | r->gen << VMXNET3_CD_GEN_SHIFT, __ATOMIC_RELEASE);
	step(r);
}

static uint8_t *
address(const struct vmxnet3_desc *d)
{
	return (uint8_t *)((uintptr_t)d->dw[1] << 32 | d->dw[0]);
}

/* ---- transmit ---- */

bool
hand_take(struct hand *h, struct hand_frame *f)
{
	struct vmxnet3_desc d;
	uint32_t len;

	if (!peek(&h->tx, VMXNET3_TXD_GEN_SHIFT, &d))
		return false;
	f->first = d;
	f->len = f->nb_descs = 0;
	for (;;) {
		len = d.dw[2] & VMXNET3_TXD_LEN_MASK;
		len = len != 0 ? len : VMXNET3_TXD_LEN_ZERO;
		assert_true(f->len + len <= HAND_MAX);
		assert_int_equal(0, d.dw[2] & VMXNET3_TXD_DTYPE);
		memcpy(f->data + f->len, address(&d), len);
		f->len += len;
		f->nb_descs++;
		f->eop = h->tx.next;
		f->cq = d.dw[3] & VMXNET3_TXD_CQ;
		step(&h->tx);
		if (d.dw[3] & VMXNET3_TXD_EOP)
			return true;
		/* After the first, all are valid. */
		assert_true(peek(&h->tx, VMXNET3_TXD_GEN_SHIFT, &d));
	}
}

void
hand_complete(struct hand *h, uint32_t index)
{
	write_completion(&h->tx_comp, (const uint32_t[4]){ index, 0, 0, 0 });
}

uint32_t
hand_send_all(struct hand *h, struct hand_frame *f)
{
	uint32_t n;

	for (n = 0; hand_take(h, f); n++) {
		if (f->cq)
			hand_complete(h, f->eop);
	}
	return n;
}

/* ---- receive ---- */

int
hand_buffer(struct hand *h, unsigned int ring, struct vmxnet3_desc *d)
{
	struct hand_ring *r = &h->rx[ring];
	int index = (int)r->next;

	if (!peek(r, VMXNET3_RXD_GEN_SHIFT, d))
		return -1;
	assert_int_equal(ring == 0 ? 0 : VMXNET3_RXD_BODY, d->dw[2] & VMXNET3_RXD_BODY);
	step(r);
	return index;
}

void
hand_completion(struct hand *h, uint32_t dw0, uint32_t dw1, uint32_t dw2, uint32_t dw3)
{
	write_completion(&h->rx_comp, (const uint32_t[4]){ dw0, dw1, dw2, dw3 });
}

static void
count_up(uint8_t *data, uint32_t len, uint8_t seed)
{
	while (len-- > 0)
		*data++ = seed++;
}

int
hand_put(struct hand *h, uint8_t seed, uint32_t len, const struct hand_says *says)
{
	static const struct hand_says nothing;
	uint32_t at, n, ring = 0, dw0, dw1, dw2, dw3;
	struct vmxnet3_desc d;
	int index, bufs = 0;

	says = says != NULL ? says : &nothing;
	for (at = 0; at < len; at += n, ring = 1, bufs++) {
		index = hand_buffer(h, ring, &d);
		if (index < 0)
			return -1;
		n = RTE_MIN(len - at, d.dw[2] & VMXNET3_RXD_LEN_MASK);
		count_up(address(&d), n, (uint8_t)(seed + at));
		dw0 = (uint32_t)index | (h->q + ring * h->nb_rxq) << VMXNET3_RCD_RQID_SHIFT;
		dw1 = 0;
		dw2 = n;
		dw3 = VMXNET3_CD_TYPE_RX << VMXNET3_CD_TYPE_SHIFT;
		if (at == 0)
			dw0 |= VMXNET3_RCD_SOP;
		if (at + n == len) {
			dw0 |= VMXNET3_RCD_EOP | says->dw0;
			dw1 = says->dw1;
			dw2 |= says->dw2;
			dw3 |= says->dw3;
		}
		if (at == 0 && says->mss != 0) {
			dw1 = says->segs;
			dw3 = (dw3 & 0xffffff) | VMXNET3_CD_TYPE_RX_LRO << VMXNET3_CD_TYPE_SHIFT | says->mss;
		}
		hand_completion(h, dw0, dw1, dw2, dw3);
	}
	return bufs;
}

void
hand_put_data(struct hand *h, uint8_t seed, uint32_t len)
{
	struct vmxnet3_desc d;
	int index = hand_buffer(h, 0, &d);

	assert_true(index >= 0 && len <= h->data_size);
	count_up(h->data + (uint32_t)index * h->data_size, len, seed);
	hand_completion(h, (uint32_t)index | (uint32_t)(h->q + 2 * h->nb_rxq) << VMXNET3_RCD_RQID_SHIFT |
		VMXNET3_RCD_SOP | VMXNET3_RCD_EOP, 0, len, VMXNET3_CD_TYPE_RX << VMXNET3_CD_TYPE_SHIFT);
}
