/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Joining bursts of 32 frames against rte_gro_reassemble_burst(): TCP of 1, 4 and 32 flows (the last has nothing to
 * join), pure acknowledgements, UDP of 64 bytes. Both get parsed frames with good checksums, since GRO looks at none;
 * in the last row nobody knows them, and GRO's user looks first.
 *
 * With an argument, the burst of that name alone, ours only and so many times: for callgrind.
 */
#include <string.h>

#include <rte_gro.h>
#include <rte_ip.h>
#include <rte_mbuf.h>

#include <offload_csum.h>
#include <offload_lro.h>
#include <offload_parse.h>

#include "pair.h"

#define BURST  32
#define SETS   4 /* bursts in one call */
#define REPEAT 100
#define ROOM   2048

struct traffic {
	const char *name;
	uint32_t flows, payload;
	uint8_t proto;
	bool unknown;
};

/* The same frame for both. */
struct pair_frame {
	struct offload_frame frame;
	struct offload_seg seg;
	struct rte_mbuf mbuf;
	uint8_t data[ROOM], other[ROOM];
};

static struct pair_frame set[SETS][BURST];
static struct offload_lro lro;
static struct traffic traffic;
static uint32_t nb_out[2];

static void
put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static void
fill_ip(uint8_t *ip, uint32_t l4_bytes, uint32_t id)
{
	ip[0] = 0x45;
	put16(ip + 2, 20 + l4_bytes);
	put16(ip + 4, id);
	ip[8] = 64;
	ip[9] = traffic.proto;
	put32(ip + 12, 0x0a000001);
	put32(ip + 16, 0x0a000002);
	put16(ip + 10, (uint16_t)~rte_be_to_cpu_16(rte_raw_cksum(ip, 20)));
}

static void
fill(struct pair_frame *p, uint32_t index)
{
	uint32_t l3 = 20, l4 = traffic.proto == 6 ? 32 : 8, len = 14 + l3 + l4 + traffic.payload;
	uint32_t flow = index % traffic.flows, turn = index / traffic.flows;
	uint8_t *d = p->data + OFFLOAD_HEADROOM, *tcp = d + 14 + l3;

	memset(p->data, 0x5a, sizeof(p->data));
	memset(d + 14, 0, l3 + l4);
	put16(d + 12, 0x0800);
	fill_ip(d + 14, l4 + traffic.payload, turn);
	put16(tcp, 1000 + flow);
	put16(tcp + 2, 80);
	if (traffic.proto == 6) {
		put32(tcp + 4, 1000 + turn * traffic.payload);
		put32(tcp + 8, 99);
		tcp[12] = 0x80;
		tcp[13] = 0x10;
		memset(tcp + 20, 1, 12);
	} else {
		put16(tcp + 4, l4 + traffic.payload);
	}
	p->seg = (struct offload_seg){ d, len };
	p->frame = (struct offload_frame){ .seg = &p->seg, .nb_segs = 1, .len = len };
	offload_frame_parse(&p->frame);
	if (offload_csum_ask(&p->frame, &p->frame.hdr) != 0 || offload_csum_complete(&p->frame) != 0)
		abort();
	if (traffic.unknown)
		p->frame.flags &= (uint8_t)~OFFLOAD_F_CSUM_GOOD;
	memcpy(p->other, p->data, sizeof(p->data));
}

/* A burst that nobody has touched. */
static void
renew(void *arg)
{
	uint32_t i, k;

	(void)arg;
	for (k = 0; k < SETS; k++)
	for (i = 0; i < BURST; i++) {
		struct pair_frame *p = &set[k][i];

		p->mbuf = (struct rte_mbuf){
			.buf_addr = p->other,
			.buf_len = ROOM,
			.data_off = OFFLOAD_HEADROOM,
			.refcnt = 1,
			.nb_segs = 1,
			.pkt_len = p->frame.len,
			.data_len = (uint16_t)p->frame.len,
			.packet_type = RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 |
				(traffic.proto == 6 ? RTE_PTYPE_L4_TCP : RTE_PTYPE_L4_UDP),
			.l2_len = 14,
			.l3_len = 20,
			.l4_len = traffic.proto == 6 ? 32 : 8,
		};
		memcpy(p->other + OFFLOAD_HEADROOM + 14, p->seg.data + 14, 20);
		if (traffic.unknown)
			p->frame.flags &= (uint8_t)~(OFFLOAD_F_CSUM_GOOD | OFFLOAD_F_CSUM_BAD);
	}
}

static void
ours(void *arg)
{
	struct offload_frame *in[BURST], *out[BURST];
	uint32_t i, k;

	(void)arg;
	nb_out[0] = 0;
	for (k = 0; k < SETS; k++) {
		for (i = 0; i < BURST; i++)
			in[i] = &set[k][i].frame;
		nb_out[0] += offload_lro(&lro, in, BURST, out, 65535, 255);
	}
}

static void
gro(void *arg)
{
	const struct rte_gro_param param = { .gro_types = RTE_GRO_TCP_IPV4, .max_flow_num = BURST,
		.max_item_per_flow = BURST };
	struct rte_mbuf *pkts[BURST];
	uint32_t i, k;

	(void)arg;
	nb_out[1] = 0;
	for (k = 0; k < SETS; k++) {
		for (i = 0; i < BURST; i++) {
			const uint8_t *ip = set[k][i].other + OFFLOAD_HEADROOM + 14;

			pkts[i] = &set[k][i].mbuf;
			if (traffic.unknown && (rte_raw_cksum(ip, 20) != 0xffff ||
					rte_ipv4_udptcp_cksum_verify((const struct rte_ipv4_hdr *)ip, ip + 20) != 0))
				abort();
		}
		nb_out[1] += rte_gro_reassemble_burst(pkts, BURST, &param);
	}
}

static void
load(const struct traffic *t)
{
	uint32_t i, k;

	traffic = *t;
	for (k = 0; k < SETS; k++)
	for (i = 0; i < BURST; i++)
		fill(&set[k][i], i);
}

int
main(int argc, char **argv)
{
	static const struct traffic all[] = {
		{ "tcp4-1flow", 1, 1448, 6, false },
		{ "tcp4-4flows", 4, 1448, 6, false },
		{ "tcp4-32flows", 32, 1448, 6, false },
		{ "tcp4-acks", 4, 0, 6, false },
		{ "udp4-64", 4, 22, 17, false },
		{ "tcp4-1flow-unverified", 1, 1448, 6, true },
	};
	uint32_t i, n;

	for (i = 0; i < RTE_DIM(all); i++) {
		load(&all[i]);
		if (argc == 3) {
			if (strcmp(argv[1], all[i].name) == 0) {
				for (n = 0; n < (uint32_t)atoi(argv[2]); n++)
					ours(NULL);
				printf("%u bursts of %u frames\n", n * SETS, BURST);
			}
			continue;
		}
		renew(NULL);
		ours(NULL);
		gro(NULL);
		if (nb_out[0] != nb_out[1]) {
			fprintf(stderr, "%s: %u frames and %u\n", all[i].name, nb_out[0], nb_out[1]);
			return 1;
		}
		bench_pair(all[i].name, traffic.unknown ? "rte_ipv4_udptcp_cksum_verify, rte_gro" : "rte_gro", ours, gro,
			renew, NULL, REPEAT);
	}
	return 0;
}
