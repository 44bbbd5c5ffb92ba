/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Large frames at random, cut by lib/offload and by DPDK's rte_gso, and compared byte by byte:
 *
 *   gso_dpdk FRAMES SEED [spoil]
 *
 * Of what rte_gso knows in DPDK 22.11: TCP over IPv4, plain, inside of VXLAN and of NVGRE. What it does not do is done here
 * to its pieces with DPDK's other functions: checksums, and CWR, which it repeats in each piece (RFC 3168, 6.1.2, wants
 * it in the first packet only). Prints one line of JSON; the status is 0 when nothing differed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_gso.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include "our_pieces.h"

#define MAX_PIECES 256

static struct large_frame large;
static struct our_pieces ours;
static uint8_t theirs[LARGE_ROOM];
static struct rte_gso_ctx gso;
static struct rte_mempool *large_pool;
static unsigned long frames[LARGE_NB_TUNNELS], pieces, differing;

static void
set_up(const char *program)
{
	const char *args[] = { program, "--no-huge", "--no-shconf", "--no-pci", "--no-telemetry", "-m", "64",
		"--log-level=error" };

	if (rte_eal_init((int)RTE_DIM(args), (char **)(uintptr_t)args) < 0)
		rte_exit(EXIT_FAILURE, "EAL\n");
	large_pool = rte_pktmbuf_pool_create("large", 7, 0, 0, UINT16_MAX, SOCKET_ID_ANY);
	gso.direct_pool = rte_pktmbuf_pool_create("direct", 511, 0, 0, 2048, SOCKET_ID_ANY);
	gso.indirect_pool = rte_pktmbuf_pool_create("indirect", 1023, 0, 0, 0, SOCKET_ID_ANY);
	if (large_pool == NULL || gso.direct_pool == NULL || gso.indirect_pool == NULL)
		rte_exit(EXIT_FAILURE, "pools: %s\n", rte_strerror(rte_errno));
	gso.gso_types = RTE_ETH_TX_OFFLOAD_TCP_TSO | RTE_ETH_TX_OFFLOAD_VXLAN_TNL_TSO | RTE_ETH_TX_OFFLOAD_GRE_TNL_TSO;
}

static struct rte_mbuf *
to_mbuf(const struct large_frame *f)
{
	struct rte_mbuf *m = rte_pktmbuf_alloc(large_pool);
	char *to = m != NULL ? rte_pktmbuf_append(m, (uint16_t)f->len) : NULL;

	if (to == NULL)
		rte_exit(EXIT_FAILURE, "no buffer\n");
	memcpy(to, f->data, f->len);
	m->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_IPV4;
	m->l2_len = f->l3;
	m->l3_len = f->l4 - f->l3;
	m->l4_len = f->hdr_len - f->l4;
	m->tso_segsz = (uint16_t)f->mss;
	if (f->tunnel == LARGE_PLAIN)
		return m;
	m->ol_flags |= RTE_MBUF_F_TX_OUTER_IPV4 |
		(f->tunnel == LARGE_VXLAN ? RTE_MBUF_F_TX_TUNNEL_VXLAN : RTE_MBUF_F_TX_TUNNEL_GRE);
	m->outer_l2_len = f->outer_l3;
	m->outer_l3_len = f->outer_l4 - f->outer_l3;
	m->l2_len = f->l3 - f->outer_l4;
	return m;
}

static void
sum_ipv4(struct rte_ipv4_hdr *ip)
{
	ip->hdr_checksum = 0;
	ip->hdr_checksum = rte_ipv4_cksum(ip);
}

/* What rte_gso leaves to others, on a linear copy. */
static void
finish(bool first)
{
	struct rte_ipv4_hdr *ip = (struct rte_ipv4_hdr *)(theirs + large.l3);
	struct rte_tcp_hdr *tcp = (struct rte_tcp_hdr *)(theirs + large.l4);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(theirs + large.outer_l4);

	if (!first)
		tcp->tcp_flags &= (uint8_t)~RTE_TCP_CWR_FLAG;
	sum_ipv4(ip);
	tcp->cksum = 0;
	tcp->cksum = rte_ipv4_udptcp_cksum(ip, tcp);
	if (large.tunnel == LARGE_PLAIN)
		return;
	ip = (struct rte_ipv4_hdr *)(theirs + large.outer_l3);
	sum_ipv4(ip);
	if (!large.outer_csum)
		return;
	udp->dgram_cksum = 0;
	udp->dgram_cksum = rte_ipv4_udptcp_cksum(ip, udp);
}

static bool
compare_piece(const struct rte_mbuf *m, int i, bool spoil)
{
	int mine = our_next(&ours);
	const void *data;

	pieces++;
	if (mine <= 0 || rte_pktmbuf_pkt_len(m) != (uint32_t)mine)
		return false;
	data = rte_pktmbuf_read(m, 0, (uint32_t)mine, theirs);
	if (data != theirs)
		memcpy(theirs, data, (size_t)mine);
	finish(i == 0);
	theirs[large.l4 + 1] ^= spoil;
	return memcmp(ours.piece, theirs, (size_t)mine) == 0;
}

/* @return whether the frame came out the same. */
static bool
compare(bool spoil)
{
	struct rte_mbuf *m = to_mbuf(&large), *out[MAX_PIECES];
	int count = our_begin(&ours, &large), n, i;
	bool same;

	gso.gso_size = (uint16_t)(large.hdr_len + large.mss);
	n = rte_gso_segment(m, &gso, out, MAX_PIECES);
	same = n == count && n == (int)large.pieces;
	for (i = 0; i < n && same; i++)
		same = compare_piece(out[i], i, spoil);
	if (!same)
		fprintf(stderr, "piece %d of %u (ours %d, theirs %d), tunnel %d, mss %u, headers %u\n", i, large.pieces, count,
			n, large.tunnel, large.mss, large.hdr_len);
	if (n > 0)
		rte_pktmbuf_free_bulk(out, (unsigned int)n);
	rte_pktmbuf_free(m);
	return same;
}

int
main(int argc, char **argv)
{
	struct large_limits limits = { .tunnels = 1 << LARGE_PLAIN | 1 << LARGE_VXLAN | 1 << LARGE_NVGRE,
		.max_payload = 60000, .extras = true };
	unsigned long wanted, i;

	if (argc < 3)
		return 2;
	wanted = strtoul(argv[1], NULL, 0);
	large_seed(strtoull(argv[2], NULL, 0));
	set_up(argv[0]);
	for (i = 0; i < wanted && differing < 5; i++) {
		large_make(&large, &limits);
		frames[large.tunnel]++;
		differing += !compare(argc > 3 && i + 1 == wanted);
	}
	printf("{\"frames\": %lu, \"pieces\": %lu, \"differing\": %lu, \"plain\": %lu, \"vxlan\": %lu, \"nvgre\": %lu}\n", i,
		pieces, differing, frames[LARGE_PLAIN], frames[LARGE_VXLAN], frames[LARGE_NVGRE]);
	return differing != 0;
}
