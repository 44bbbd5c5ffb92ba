/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "receiver.h"

#define DESCRIBED_MAX 10u
#define BITS 64

int
receiver_init(struct receiver *r, struct lane *lane)
{
	*r = (struct receiver){.lane = lane};
	r->missing = calloc((size_t)lane->opt->flows * RECEIVER_WINDOW / BITS, sizeof(uint64_t));
	r->sizes = calloc(FRAME_MAX / BITS + 1, sizeof(uint64_t));
	return r->missing == NULL || r->sizes == NULL ? -1 : 0;
}

void
receiver_fini(struct receiver *r)
{
	free(r->missing);
	free(r->sizes);
}

static bool
test_and_put(uint64_t *bits, uint64_t i, bool value)
{
	uint64_t bit = UINT64_C(1) << i % BITS;
	bool was = (bits[i / BITS] & bit) != 0;

	bits[i / BITS] = value ? bits[i / BITS] | bit : bits[i / BITS] & ~bit;
	return was;
}

static bool
put_missing(struct receiver *r, uint32_t flow, uint32_t seq, bool value)
{
	return test_and_put(r->missing, (uint64_t)flow * RECEIVER_WINDOW + seq % RECEIVER_WINDOW,
		value);
}

static void __rte_format_printf(3, 4)
describe(struct receiver *r, const struct frame_tag *tag, const char *fmt, ...)
{
	va_list args;

	if (r->said++ >= DESCRIBED_MAX)
		return;
	printf("%u->%u: ", r->lane->tx_port, r->lane->rx_port);
	if (tag != NULL)
		printf("flow %u frame %u of %u bytes: ", tag->flow, tag->seq, tag->len);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

/* The driver may hand over what it likes in mbufs that contradict themselves. */
static const char *
mbuf_fault(const struct rte_mbuf *m)
{
	const struct rte_mbuf *seg;
	uint32_t len = 0, segs = 0;

	for (seg = m; seg != NULL && segs < UINT16_MAX; seg = seg->next, segs++)
		len += seg->data_len;
	if (segs != m->nb_segs)
		return "number of segments wrong";
	if (len != m->pkt_len)
		return "length and sum of its segments differ";
	if ((m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_BAD ||
	    (m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		return "marked with a bad checksum";
	return NULL;
}

static int64_t
compare(const struct frame *f, const struct rte_mbuf *m)
{
	const struct rte_mbuf *seg;
	uint32_t from = 0;
	int64_t at;

	for (seg = m; seg != NULL; from += seg->data_len, seg = seg->next) {
		at = frame_compare(f, from, seg->data_len, rte_pktmbuf_mtod(seg, uint8_t *));
		if (at >= 0)
			return at;
	}
	return -1;
}

/* Whether a frame is, byte for byte, the one that its tag says. */
static bool
unaltered(struct receiver *r, const struct rte_mbuf *m, const struct frame_head *head)
{
	const struct frame_tag tag = head->tag;
	const char *fault = mbuf_fault(m);
	struct frame f;
	int64_t at;

	if (fault != NULL) {
		describe(r, NULL, "a frame of %u bytes: %s", m->pkt_len, fault);
		return false;
	}
	if (!frame_tag_valid(r->lane->rule, &tag) || tag.lane != r->lane->index ||
	    tag.flow >= r->lane->opt->flows) {
		describe(r, NULL, "a frame of %u bytes: its tag is wrong", m->pkt_len);
		return false;
	}
	frame_make(r->lane->rule, tag.lane, tag.flow, tag.seq, &f);
	f.head.eth.dst_addr = r->lane->wanted.dst_addr;
	f.head.eth.src_addr = r->lane->wanted.src_addr;
	if (r->lane->opt->csum) {
		if (rte_ipv4_udptcp_cksum_mbuf_verify(m, &f.head.ip,
				offsetof(struct frame_head, udp)) != 0 ||
		    head->udp.dgram_cksum == 0) {
			describe(r, &tag, "checksum of UDP wrong or none");
			return false;
		}
		f.head.udp.dgram_cksum = head->udp.dgram_cksum;
	}
	if (m->pkt_len != f.len) {
		describe(r, &tag, "%u bytes have come", m->pkt_len);
		return false;
	}
	at = compare(&f, m);
	if (at >= 0)
		describe(r, &tag, "differs at offset %" PRId64 " (%u segments)", at, m->nb_segs);
	return at < 0;
}

/* Accounts for the frame and for those that it overtook, which will be late or lost. */
static void
in_order(struct receiver *r, uint32_t flow, uint32_t seq)
{
	struct lane *lane = r->lane;
	uint32_t buffers = 0, i;

	for (i = r->next[flow]; i != seq + 1; i++) {
		buffers += lane_buffers(lane, frame_len(lane->rule, lane->index, flow, i));
		put_missing(r, flow, i, i != seq);
	}
	r->next[flow] = seq + 1;
	atomic_fetch_add(&lane->accounted, buffers);
}

static void
take(struct receiver *r, const struct rte_mbuf *m, const struct frame_tag *tag)
{
	uint32_t flow = tag->flow, ahead = tag->seq - r->next[flow];

	if (ahead < RECEIVER_WINDOW) {
		if (ahead > 0)
			describe(r, tag, "comes before %u earlier ones of its flow", ahead);
		in_order(r, flow, tag->seq);
		r->good++;
		r->bytes += m->pkt_len;
		r->scattered += m->nb_segs > 1;
		test_and_put(r->sizes, tag->len, true);
	} else if (-ahead <= RECEIVER_WINDOW && put_missing(r, flow, tag->seq, false)) {
		r->reordered++;
	} else {
		describe(r, tag, "comes again");
		r->repeated++;
	}
}

static void
check(struct receiver *r, const struct rte_mbuf *m)
{
	uint8_t copy[sizeof(struct frame_head)] = {0};
	const struct frame_head *head = rte_pktmbuf_read(m, 0, sizeof(copy), copy);

	if (head == NULL || head->eth.ether_type != RTE_BE16(RTE_ETHER_TYPE_IPV4) ||
	    !rte_is_same_ether_addr(&head->eth.src_addr, &r->lane->wanted.src_addr))
		r->foreign++;
	else if (unaltered(r, m, head))
		take(r, m, &head->tag);
	else
		r->altered++;
}

uint32_t
receiver_step(struct receiver *r)
{
	struct rte_mbuf *burst[MAX_BURST];
	uint32_t q, sum = 0;
	uint16_t n, i;

	for (q = 0; q < r->lane->opt->queues; q++) {
		n = rte_eth_rx_burst(r->lane->rx_port, q, burst, r->lane->opt->burst);
		for (i = 0; i < n; i++)
			check(r, burst[i]);
		rte_pktmbuf_free_bulk(burst, n);
		sum += n;
	}
	return sum;
}

uint32_t
receiver_sizes(const struct receiver *r)
{
	uint32_t i, sum = 0;

	for (i = 0; i < FRAME_MAX / BITS + 1; i++)
		sum += __builtin_popcountll(r->sizes[i]);
	return sum;
}

uint64_t
receiver_lost(const struct receiver *r, uint64_t sent)
{
	uint64_t came = r->good + r->reordered + r->altered;

	return sent > came ? sent - came : 0;
}
