/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_tx_free.h"

/* mbufs that go back to a pool at once. */
#define STASH 64

static void
put_back(struct rte_mbuf **stash, uint32_t n)
{
	if (n > 0)
		rte_mempool_put_bulk(stash[0]->pool, (void **)stash, n);
}

/* Frames of one mbuf each; of any pool, and they may have other owners. */
static void
free_singles(struct rte_mbuf **buf, uint32_t n)
{
	struct rte_mbuf *stash[STASH], *m;
	uint32_t i, k = 0;

	for (i = 0; i < n; i++) {
		m = rte_pktmbuf_prefree_seg(buf[i]);
		if (unlikely(m == NULL))
			continue;
		if (unlikely(k == STASH || (k > 0 && m->pool != stash[0]->pool))) {
			put_back(stash, k);
			k = 0;
		}
		stash[k++] = m;
	}
	put_back(stash, k);
}

/* Entries that are neighbours in memory. */
static void
free_run(const struct vx_txq *q, struct rte_mbuf **buf, uint32_t n, bool odd)
{
	if (unlikely(odd))
		rte_pktmbuf_free_bulk(buf, n);
	else if (q->fast_free)
		put_back(buf, n);
	else
		free_singles(buf, n);
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
	q->done = to;
	/* Never far behind, so that the comparison holds when positions wrap. */
	if (!odd || (int32_t)(q->odd - to) < 0)
		q->odd = to;
}

/* Frames that end in the entries from done up to @p to. */
static uint32_t
count_frames(const struct vx_txq *q, uint32_t to)
{
	uint32_t i, n = 0;

	if (likely((int32_t)(q->odd - q->done) <= 0))
		return to - q->done;
	for (i = q->done; i != to; i++)
		n += q->buf[i & q->mask] != NULL;
	return n;
}

/* Takes the next completion, which is there. @return the position after the frame that it names, or @p done if that cannot be */
static inline uint32_t
take_completion(struct vx_txq *q, uint32_t done)
{
	const struct vx_entry *e = &q->comp[q->comp_next++ & q->mask];
	uint32_t index = vx_load_lo(e) & VMXNET3_TCD_INDEX_MASK;
	uint32_t ahead = (index - done) & q->mask;

	if (likely(index <= q->mask && ahead < q->next - done && q->buf[index] != NULL))
		return done + ahead + 1;
	vx_count(&q->stats.bad_completions, 1);
	return done;
}

uint32_t
vx_tx_reclaim(struct vx_txq *q, uint32_t enough)
{
	uint32_t n = 0, looks, to;

	/* An honest device has fewer completions than the ring has entries. */
	for (looks = 0; looks <= q->mask && n < enough && vx_tx_is_done(q); looks++) {
		to = take_completion(q, q->done);
		if (to == q->done)
			continue;
		n += count_frames(q, to);
		free_until(q, to);
	}
	return n;
}

void
vx_tx_drop(struct vx_txq *q)
{
	free_until(q, q->next);
}
