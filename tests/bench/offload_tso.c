/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Segmentation of 64 KiB of TCP over IPv4: ours against rte_gso. Both end where a receiver's buffers are: each piece
 * linear, in memory of its own, with right IPv4 and TCP checksums. Counted are
 *
 *   ours, "copied":  offload_tso_begin(), and offload_tso_copy() of each piece into its buffer
 *   peer, "copied":  rte_gso_segment(), rte_ipv4_cksum() and rte_ipv4_udptcp_cksum_mbuf() of each segment, the copy of
 *                    its two buffers into the linear one, and giving them back to their pools
 *   "not copied":    the same without the copy: offload_tso_next(), whose pieces refer to the payload, against the
 *                    rest of the peer's list
 *
 * The large frame lies in one packet buffer before the clock starts, which rte_gso needs and ours does not. "Warm"
 * takes one frame again and again; "cold" takes the next of 64 with buffers of their own, 8 MiB in all.
 */
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_gso.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include <offload_tso.h>

#include "pair.h"

#define SETS       64
#define HDR_LEN    (14 + 20 + 32)
#define PAYLOAD    (UINT16_MAX - HDR_LEN) /* what one packet buffer can hold */
#define MAX_PIECES 48
#define ROOM       9216 /* of a linear buffer */
#define REPEAT     8    /* short, so that most timings have the core to themselves */

struct run {
	struct rte_mbuf *large[SETS];
	uint8_t *room[2]; /* ours, the peer's: MAX_PIECES buffers for each set */
	unsigned int set, sets;
	uint16_t mss;
	struct rte_gso_ctx gso;
	struct offload_tso tso;
	struct offload_frame frame;
	struct offload_seg seg;
};

static volatile uint32_t seen;

static struct rte_mempool *
pool(const char *name, unsigned int n, uint16_t room)
{
	struct rte_mempool *p = rte_pktmbuf_pool_create(name, n, n > 100 ? 64 : 0, 0, room, SOCKET_ID_ANY);

	if (p == NULL)
		rte_exit(EXIT_FAILURE, "pool %s: %s\n", name, rte_strerror(rte_errno));
	return p;
}

static void
fill(struct rte_mbuf *m)
{
	static const uint8_t timestamp[12] = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
	struct rte_ipv4_hdr *ip;
	struct rte_tcp_hdr *tcp;
	uint8_t *p;

	m->data_off = 0;
	p = (uint8_t *)rte_pktmbuf_append(m, HDR_LEN + PAYLOAD);
	if (p == NULL)
		rte_exit(EXIT_FAILURE, "no room\n");
	ip = (struct rte_ipv4_hdr *)(p + 14);
	tcp = (struct rte_tcp_hdr *)(p + 34);
	memset(p, 0, HDR_LEN);
	memset(p, 2, 12);
	p[12] = 8;
	ip->version_ihl = 0x45;
	ip->total_length = RTE_BE16(HDR_LEN + PAYLOAD - 14);
	ip->time_to_live = 64;
	ip->next_proto_id = 6;
	ip->src_addr = RTE_BE32(0x0a000001);
	ip->dst_addr = RTE_BE32(0x0a000002);
	tcp->data_off = 0x80;
	tcp->tcp_flags = RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG;
	memcpy(tcp + 1, timestamp, sizeof(timestamp));
	for (uint32_t i = 0; i < PAYLOAD; i++)
		p[HDR_LEN + i] = (uint8_t)rand();
	m->l2_len = 14;
	m->l3_len = 20;
	m->l4_len = 32;
}

static void
next_set(void *arg)
{
	struct run *r = arg;

	r->set = (r->set + 1) % r->sets;
}

static uint8_t *
room_for(const struct run *r, unsigned int whose, unsigned int piece)
{
	return r->room[whose] + ((size_t)r->set * MAX_PIECES + piece) * ROOM;
}

static void
begin_ours(struct run *r)
{
	struct rte_mbuf *m = r->large[r->set];

	r->seg = (struct offload_seg){ rte_pktmbuf_mtod(m, uint8_t *), m->data_len };
	r->frame = (struct offload_frame){ .seg = &r->seg, .nb_segs = 1, .len = m->data_len,
		.request = OFFLOAD_TSO, .hdr_len = HDR_LEN, .mss = r->mss };
	if (offload_tso_begin(&r->tso, &r->frame) < 0)
		rte_exit(EXIT_FAILURE, "refused\n");
}

static void
ours_copied(void *arg)
{
	struct run *r = arg;
	struct offload_seg to;
	unsigned int i;

	begin_ours(r);
	for (i = 0; (to.len = offload_tso_next_len(&r->tso)) != 0; i++) {
		to.data = room_for(r, 0, i);
		offload_tso_copy(&r->tso, &to, 1);
	}
}

static void
ours_not_copied(void *arg)
{
	struct run *r = arg;
	const struct offload_frame *piece;

	begin_ours(r);
	while ((piece = offload_tso_next(&r->tso)) != NULL)
		seen += piece->nb_segs;
}

static void
sum(struct rte_mbuf *m)
{
	struct rte_ipv4_hdr *ip = rte_pktmbuf_mtod_offset(m, struct rte_ipv4_hdr *, 14);
	struct rte_tcp_hdr *tcp = rte_pktmbuf_mtod_offset(m, struct rte_tcp_hdr *, 34);

	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
	tcp->cksum = 0;
	tcp->cksum = rte_ipv4_udptcp_cksum_mbuf(m, ip, 34);
}

static void
peer(struct run *r, bool copy)
{
	struct rte_mbuf *out[MAX_PIECES], *m = r->large[r->set];
	int n, i;

	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4;
	n = rte_gso_segment(m, &r->gso, out, MAX_PIECES);
	for (i = 0; i < n; i++) {
		sum(out[i]);
		if (!copy)
			continue;
		uint8_t *to = room_for(r, 1, (unsigned int)i);

		for (const struct rte_mbuf *s = out[i]; s != NULL; s = s->next) {
			rte_memcpy(to, rte_pktmbuf_mtod(s, void *), s->data_len);
			to += s->data_len;
		}
	}
	if (n <= 0)
		rte_exit(EXIT_FAILURE, "rte_gso refused\n");
	rte_pktmbuf_free_bulk(out, (unsigned int)n);
}

static void
peer_copied(void *arg)
{
	peer(arg, true);
}

static void
peer_not_copied(void *arg)
{
	peer(arg, false);
}

/* Both make the same of it, or there is nothing to compare. */
static void
check(struct run *r)
{
	unsigned int n = (PAYLOAD + r->mss - 1) / r->mss, i;
	size_t len;

	ours_copied(r);
	peer_copied(r);
	for (i = 0; i < n; i++) {
		len = HDR_LEN + RTE_MIN(r->mss, PAYLOAD - i * r->mss);
		if (memcmp(room_for(r, 0, i), room_for(r, 1, i), len) != 0)
			rte_exit(EXIT_FAILURE, "piece %u differs\n", i);
	}
}

static void
measure(struct run *r, uint16_t mss, unsigned int sets)
{
	char what[80];

	r->mss = mss;
	r->sets = sets;
	r->set = 0;
	r->gso.gso_size = (uint16_t)(HDR_LEN + mss);
	check(r);
	snprintf(what, sizeof(what), "TSO 64 KiB, MSS %u, copied, %s", mss, sets > 1 ? "cold" : "warm");
	bench_pair(what, "rte_gso + checksums + copy", ours_copied, peer_copied, next_set, r, REPEAT);
	snprintf(what, sizeof(what), "TSO 64 KiB, MSS %u, not copied, %s", mss, sets > 1 ? "cold" : "warm");
	bench_pair(what, "rte_gso + checksums", ours_not_copied, peer_not_copied, next_set, r, REPEAT);
}

int
main(void)
{
	const char *args[] = { "offload_tso", "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "64",
		"--log-level=error" };
	static struct run r;
	struct rte_mempool *large;

	if (rte_eal_init((int)RTE_DIM(args), (char **)(uintptr_t)args) < 0)
		return 1;
	large = pool("large", SETS, UINT16_MAX);
	r.gso.direct_pool = pool("direct", 511, 2048);
	r.gso.indirect_pool = pool("indirect", 511, 0);
	r.gso.gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO;
	for (unsigned int i = 0; i < SETS; i++) {
		r.large[i] = rte_pktmbuf_alloc(large);
		fill(r.large[i]);
	}
	for (unsigned int i = 0; i < 2; i++) {
		r.room[i] = calloc((size_t)SETS * MAX_PIECES, ROOM);
		if (r.room[i] == NULL)
			return 1;
		memset(r.room[i], 1, (size_t)SETS * MAX_PIECES * ROOM);
	}
	for (unsigned int sets = 1; sets <= SETS; sets += SETS - 1) {
		measure(&r, 1448, sets);
		measure(&r, 8948, sets);
	}
	return 0;
}
