/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_tx_free.h"

#include "vx_vec.h"

static inline void
put_back(struct rte_mbuf **buf, uint32_t n)
{
	rte_mempool_put_bulk(buf[0]->pool, (void **)buf, n);
}

/* @return how many can go back to the pool of the first */
static inline uint32_t
idle_run(const struct vx_txq *q, struct rte_mbuf **buf, uint32_t nb)
{
	const struct rte_mempool *pool = buf[0]->pool;
	uint32_t n = 0;

	if (q->vec != NULL && nb >= q->vec->group)
		n = q->vec->idle(buf, nb);
	while (n < nb && vx_tx_is_idle(buf[n]) && buf[n]->pool == pool)
		n++;
	return n;
}

/* Frames of one mbuf each; of any pool, and they may have other owners. Neighbours of one pool go back at once. */
static void
free_singles(const struct vx_txq *q, struct rte_mbuf **buf, uint32_t n)
{
	uint32_t i, k;

	for (i = 0; i < n; i += k) {
		k = idle_run(q, buf + i, n - i);
		if (likely(k > 0)) {
			put_back(buf + i, k);
			continue;
		}
		rte_pktmbuf_free_seg(buf[i]);
		k = 1;
	}
}

/* Entries that are neighbours in memory. */
static void
free_run(const struct vx_txq *q, struct rte_mbuf **buf, uint32_t n, bool odd)
{
	if (unlikely(odd))
		rte_pktmbuf_free_bulk(buf, n);
	else if (q->fast_free || likely((int32_t)(q->look - q->done) <= 0))
		put_back(buf, n);
	else
		free_singles(q, buf, n);
}

static void
free_until(struct vx_txq *q, uint32_t to)
{
	uint32_t at = q->done & q->mask, n = to - q->done;
	uint32_t run = RTE_MIN(n, q->mask + 1 - at);
	bool odd = (int32_t)(q->odd - q->done) > 0;

	free_run(q, &q->buf[at], run, odd);
	if (run < n)
		free_run(q, q->buf, n - run, odd);
	if ((int32_t)(q->look - to) < 0)
		q->look = to;
	q->done = to;
	/* Never far behind, so that the comparison holds when positions wrap. */
	if (!odd || (int32_t)(q->odd - to) < 0)
		q->odd = to;
}

/* @return where @p max frames that are sent end, or all of them; *n is how many */
static uint32_t
end_of(const struct vx_txq *q, uint32_t max, uint32_t *n)
{
	uint32_t pos = q->done;

	if (likely((int32_t)(q->odd - q->done) <= 0)) {
		*n = RTE_MIN(q->sent - q->done, max);
		return q->done + *n;
	}
	for (*n = 0; pos != q->sent && *n < max; pos++)
		*n += q->buf[pos & q->mask] != NULL;
	return pos;
}

/* A completion is for a frame's last entry and all before it. An honest device has fewer than the ring has entries. */
void
vx_tx_collect(struct vx_txq *q)
{
	const uint32_t mask = q->mask, log2 = q->log2, end = q->comp_next + mask + 1;
	uint32_t pos = q->comp_next, sent = q->sent, index, ahead;
	const struct vx_entry *comp = q->comp;

	for (; pos != end && vx_load_gen(&comp[pos & mask]) >> 63 == vx_gen(pos, log2); pos++) {
		index = vx_load_lo(&comp[pos & mask]) & VMXNET3_TCD_INDEX_MASK;
		ahead = (index - sent) & mask;
		if (likely(index <= mask && ahead < q->next - sent && q->buf[index] != NULL))
			sent += ahead + 1;
		else
			vx_count(&q->stats.bad_completions, 1);
	}
	q->comp_next = pos;
	q->sent = sent;
}

uint32_t
vx_tx_reclaim(struct vx_txq *q, uint32_t max)
{
	uint32_t n, to;

	vx_tx_collect(q);
	if (q->sent == q->done)
		return 0;
	to = end_of(q, max, &n);
	free_until(q, to);
	return n;
}

void
vx_tx_drop(struct vx_txq *q)
{
	if (q->next != q->done)
		free_until(q, q->next);
	q->sent = q->next;
}
