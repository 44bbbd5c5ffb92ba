/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "damage.h"
#include "sender.h"

/* Headers that a driver may look at lie in one piece. */
#define FIRST_SEGMENT_MIN offsetof(struct frame_head, tag)

void
sender_init(struct sender *s, struct lane *lane, struct rte_mempool *pool, uint32_t segments,
	uint64_t limit)
{
	*s = (struct sender){.lane = lane, .pool = pool, .segments = segments, .limit = limit,
		.random = lane->opt->seed * 2 + lane->index,
		.interval = lane->opt->interval * rte_get_tsc_hz()};
}

/* The length of the next segment when @left bytes are to go into at most @segments more. */
static uint32_t
segment_len(struct sender *s, uint32_t left, uint32_t segments, uint32_t min)
{
	uint32_t room = s->lane->opt->mbuf_size;
	uint32_t must = left > (segments - 1) * room ? left - (segments - 1) * room : 1;
	uint32_t most = RTE_MIN(left, room);

	must = RTE_MAX(must, RTE_MIN(min, most));
	if (segments == 1)
		return left;
	/* Often a few bytes only, which is where mistakes are. */
	if (frame_random(&s->random) % 4 == 0)
		most = RTE_MIN(most, must + 16);
	return must + frame_random(&s->random) % (most - must + 1);
}

static struct rte_mbuf *
fill(struct sender *s, const struct frame *f)
{
	uint32_t least = (f->len + s->lane->opt->mbuf_size - 1) / s->lane->opt->mbuf_size;
	uint32_t segments = least + frame_random(&s->random) % (s->segments - least + 1);
	struct rte_mbuf *m = NULL, *seg, **link = &m;
	uint32_t at, n;

	for (at = 0; at < f->len; at += n, segments--, link = &seg->next) {
		seg = rte_pktmbuf_alloc(s->pool);
		if (seg == NULL) {
			rte_pktmbuf_free(m);
			return NULL;
		}
		*link = seg;
		n = segment_len(s, f->len - at, segments, at == 0 ? FIRST_SEGMENT_MIN : 1);
		frame_copy(f, at, n, rte_pktmbuf_mtod(seg, uint8_t *));
		seg->data_len = n;
		if (seg != m)
			m->nb_segs++;
	}
	m->pkt_len = f->len;
	return m;
}

static void
ask_for_checksums(struct frame *f, struct rte_mbuf *m)
{
	m->l2_len = sizeof(f->head.eth);
	m->l3_len = sizeof(f->head.ip);
	m->ol_flags |= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_UDP_CKSUM;
}

/* @return false when there is no memory now */
static bool
add_frame(struct sender *s, uint32_t flow)
{
	const struct options *opt = s->lane->opt;
	struct rte_mbuf *m;
	struct frame f;

	frame_make(s->lane->rule, s->lane->index, flow, s->next[flow], &f);
	f.head.eth.dst_addr = s->lane->sent.dst_addr;
	f.head.eth.src_addr = s->lane->sent.src_addr;
	m = fill(s, &f);
	if (m == NULL)
		return false;
	if (opt->csum)
		ask_for_checksums(&f, m);
	s->next[flow]++;
	s->sent++;
	s->bytes += f.len;
	atomic_fetch_add(&s->lane->handed_over, lane_buffers(s->lane, f.len));
	s->burst[s->end++] = m;
	if (opt->damage != DAMAGE_NONE && s->sent / opt->damage_every > s->damaged &&
	    damage_last(opt->damage, s->burst, &s->end, s->pool, &s->random))
		s->damaged++;
	return true;
}

static bool
window_open(const struct sender *s)
{
	uint64_t on_the_way = atomic_load(&s->lane->handed_over) - atomic_load(&s->lane->accounted);

	return on_the_way < s->lane->opt->in_flight;
}

/* Flow f uses queue f modulo the number of queues: a flow keeps its order on one queue only. */
static void
build(struct sender *s)
{
	const struct options *opt = s->lane->opt;
	uint32_t flows = (opt->flows - s->queue + opt->queues - 1) / opt->queues;
	uint32_t pick;

	s->first = s->end = 0;
	/* One entry stays free for a frame that is repeated. */
	while (s->end + 1 < MAX_BURST && s->end < opt->burst && s->sent < s->limit && window_open(s)) {
		pick = frame_random(&s->random) % flows;
		if (!add_frame(s, s->queue + pick * opt->queues))
			break;
	}
}

static uint16_t
hand_over(struct sender *s)
{
	uint16_t left = s->end - s->first, n = left;

	if (s->lane->opt->csum)
		n = rte_eth_tx_prepare(s->lane->tx_port, s->queue, s->burst + s->first, left);
	n = rte_eth_tx_burst(s->lane->tx_port, s->queue, s->burst + s->first, n);
	s->first += n;
	if (n < left)
		s->refused++;
	return n;
}

uint16_t
sender_step(struct sender *s, uint64_t now)
{
	if (s->first == s->end) {
		if (atomic_load_explicit(&s->lane->ended, memory_order_relaxed) || now < s->next_due)
			return 0;
		s->queue = (s->queue + 1) % s->lane->opt->queues;
		build(s);
		if (s->end == 0 && s->sent < s->limit)
			return 0;
		s->next_due = now + s->interval;
		if (s->sent == s->limit)
			sender_end(s);
	}
	return s->first < s->end ? hand_over(s) : 0;
}

uint64_t
sender_due(const struct sender *s)
{
	if (s->first < s->end)
		return 0;
	return atomic_load(&s->lane->ended) || !window_open(s) ? UINT64_MAX : s->next_due;
}

void
sender_end(struct sender *s)
{
	atomic_store(&s->lane->ended, true);
}

void
sender_fini(struct sender *s)
{
	if (s->end > s->first)
		rte_pktmbuf_free_bulk(s->burst + s->first, s->end - s->first);
	s->first = s->end;
}
