/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is joined, against DPDK's GRO, for what both define in the same way: TCP over IPv4 in order, frames of one
 * length in each flow, good checksums; gaps, short last frames, other acknowledgements, options, flags and
 * identification.
 */
#include "offload_frames.h"

#include <rte_common.h>
#include <rte_gro.h>
#include <rte_mbuf.h>

#include <offload_lro.h>

#define FLOWS   40
#define BURSTS  2500
#define FIRST_PORT 1000
#define PAYLOAD 1000

#define ACK 0x010
#define DF  0x40

struct flow {
	uint32_t seq, ack;
	uint16_t id;
	uint8_t options; /* what they are filled with */
	bool df, fixed_id;
	bool gap; /* the next frame comes after one */
};

static struct flow flows[FLOWS];
static struct offload_lro lro;
static struct built built;
static struct split split[OFFLOAD_LRO_BURST];
static struct rte_mbuf mbuf[OFFLOAD_LRO_BURST];
static uint8_t room[OFFLOAD_LRO_BURST][2048], bytes[FRAME_ROOM];

/* One that breaks a row does so in both: what GRO does with the frames around it is not always what we do. */
static void
build_next(struct flow *w, uint32_t index)
{
	static const uint16_t other[] = { 0x001, 0x002, 0x004, 0x020, 0x080 };
	struct shape s = { .proto = 6, .tcp_options = 12, .payload = PAYLOAD, .tcp_flags = ACK };
	uint32_t odd = rnd(60);
	uint8_t *tcp;

	/* 0 after 65535 is a gap to GRO only. */
	if (w->id > 65400) {
		w->id = 0;
		w->gap = true;
	}
	if (w->gap || odd == 0)
		w->seq += 20000;
	w->gap = false;
	if (odd == 1)
		w->ack += 5000;
	else if (odd == 2)
		w->options ^= 1; /* no-operation or end */
	else if (odd == 3)
		s.tcp_flags |= other[rnd(RTE_DIM(other))];
	else if (odd == 4 && !w->df)
		w->id += 7;
	else if (odd == 5)
		s.payload = 1 + rnd(PAYLOAD - 1);
	/* GRO joins what is longer to what is shorter, and the past to the future. */
	w->gap = odd == 3 || odd == 5;
	s.seq = w->seq;
	s.ip_id = w->id;
	build(&built, &s);
	tcp = built.data + l4_at(&built);
	put16(tcp, FIRST_PORT + index);
	put32(tcp + 8, w->ack);
	memset(tcp + 20, w->options, 12);
	if (w->df)
		built.data[built.l2 + 6] = DF;
	seal_ipv4(&built);
	w->seq += s.payload;
	if (!w->fixed_id)
		w->id++;
}

static void
add(uint32_t i)
{
	put32(built.data + l4_at(&built) + 32, i); /* known by it */
	put_csum(&built);
	split_random(&split[i], built.data, built.len, OFFLOAD_HEADER_BYTES, 1);
	memcpy(room[i], built.data, built.len);
	mbuf[i] = (struct rte_mbuf){
		.buf_addr = room[i],
		.buf_len = sizeof(room[i]),
		.refcnt = 1,
		.nb_segs = 1,
		.pkt_len = built.len,
		.data_len = (uint16_t)built.len,
		.packet_type = RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4 | RTE_PTYPE_L4_TCP,
		.l2_len = built.l2,
		.l3_len = built.l3,
		.l4_len = built.l4,
	};
}

/* The frames of which each one consists: @p head of a frame is the first that it is together with. */
static uint32_t
mark_ours(const struct offload_frame *f, uint8_t *head)
{
	uint32_t at = 66, len = gather(f, bytes), i, first, n = 0;

	first = get32(bytes + at);
	for (; at < len; n++) {
		i = get32(bytes + at);
		assert_true(i < OFFLOAD_LRO_BURST);
		head[i] = (uint8_t)first;
		at += split[i].f.len - 66;
	}
	return n;
}

static uint32_t
mark_theirs(const struct rte_mbuf *m, uint8_t *head, uint8_t *to)
{
	uint32_t n = 0, i, first = 0, at = 0;

	for (; m != NULL; m = m->next, n++) {
		const uint8_t *data = rte_pktmbuf_mtod(m, const uint8_t *);

		i = get32(data + (n == 0 ? 66 : 0));
		assert_true(i < OFFLOAD_LRO_BURST);
		if (n == 0)
			first = i;
		head[i] = (uint8_t)first;
		memcpy(to + at, data, m->data_len);
		at += m->data_len;
	}
	return at;
}

static void
same_partition(void **state)
{
	const struct rte_gro_param param = { .gro_types = RTE_GRO_TCP_IPV4, .max_flow_num = 64,
		.max_item_per_flow = 64 };
	uint64_t frames = 0, joined = 0;
	uint32_t b, i, k, n;

	(void)state;
	for (i = 0; i < FLOWS; i++)
		flows[i] = (struct flow){ .seq = rnd(0xffffffff), .id = (uint16_t)rnd(65536), .options = 1,
			.df = i & 1, .fixed_id = (i & 3) == 3 };
	for (b = 0; b < BURSTS; b++) {
		struct offload_frame *in[OFFLOAD_LRO_BURST], *out[OFFLOAD_LRO_BURST];
		uint8_t our_head[OFFLOAD_LRO_BURST], their_head[OFFLOAD_LRO_BURST];
		static uint8_t whole[OFFLOAD_LRO_BURST][FRAME_ROOM];
		uint32_t spread = 1 + rnd(FLOWS), len;
		struct rte_mbuf *pkts[OFFLOAD_LRO_BURST];
		uint16_t nb_ours, nb_theirs;

		n = 2 + rnd(OFFLOAD_LRO_BURST - 1);
		for (i = 0; i < n; i++) {
			k = rnd(spread);
			do
				build_next(&flows[k], k);
			while (built.len < 66 + 4); /* no room for a number */
			add(i);
			in[i] = &split[i].f;
			pkts[i] = &mbuf[i];
		}
		nb_ours = offload_lro(&lro, in, (uint16_t)n, out, 65535, 255);
		nb_theirs = rte_gro_reassemble_burst(pkts, (uint16_t)n, &param);
		assert_int_equal(nb_ours, nb_theirs);
		memset(our_head, 0xff, sizeof(our_head));
		memset(their_head, 0xff, sizeof(their_head));
		for (i = 0; i < nb_theirs; i++) {
			const uint8_t *first = rte_pktmbuf_mtod(pkts[i], const uint8_t *);

			mark_theirs(pkts[i], their_head, whole[get32(first + 66)]);
		}
		for (i = 0; i < nb_ours; i++) {
			k = mark_ours(out[i], our_head);
			joined += k > 1 ? k : 0;
			len = gather(out[i], bytes);
			k = get32(bytes + 66);
			/* Checksums are not GRO's. */
			put16(bytes + 24, get16(whole[k] + 24));
			put16(bytes + 50, get16(whole[k] + 50));
			assert_memory_equal(bytes, whole[k], len);
		}
		assert_memory_equal(our_head, their_head, n);
		frames += n;
		for (i = 0; i < n; i++)
			split_free(&split[i]);
	}
	print_message("%llu frames, %llu joined, by both alike\n", (unsigned long long)frames,
		(unsigned long long)joined);
	assert_true(frames > 50000 && joined > frames / 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_partition),
	};

	return cmocka_run_group_tests_name("offload_lro_gro", tests, NULL, NULL);
}
