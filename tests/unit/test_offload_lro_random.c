/* SPDX-License-Identifier: BSD-3-Clause */
/* Many flows in random bursts: all that comes out, cut again where it was joined, is what went in. */
#include "lro_burst.h"

#define FLOWS     48
#define BURSTS    4000
#define FIRST_PORT 1000

struct flow {
	struct shape shape;
	uint32_t ack;
	uint16_t window;
	bool df, fixed_id;
	uint16_t tci;
	bool tagged;
};

static struct flow flows[FLOWS];

static void
new_flow(struct flow *f)
{
	*f = (struct flow){
		.shape = { .ipv6 = rnd(2), .proto = 6, .tags = rnd(8) ? 0 : 1 + rnd(2), .tcp_options = rnd(2) * 12,
			.payload = rnd(3) ? 1448 : 1 + rnd(600), .tcp_flags = ACK | (rnd(8) ? 0 : ECE),
			.ip_id = (uint16_t)rnd(65536), .seq = rnd(0xffffffff) },
		.ack = rnd(0xffffffff),
		.window = (uint16_t)rnd(65536),
		.df = rnd(2),
		.tagged = rnd(4) == 0,
		.tci = (uint16_t)rnd(65536),
	};
	f->fixed_id = f->df && rnd(2);
}

/* The flow's next frame, now and then an unusual one. */
static void
add_random(uint32_t index)
{
	struct flow *w = &flows[index];
	struct shape s = w->shape;
	uint32_t odd = rnd(100), layout = rnd(3);
	struct offload_frame *f;
	uint8_t *tcp;
	bool seed;

	if (odd == 0)
		s.payload = 0;
	else if (odd < 4)
		s.payload = 1 + rnd(s.payload);
	else if (odd < 8)
		s.tcp_flags |= PSH;
	else if (odd == 8)
		s.tcp_flags |= (uint16_t)(1u << rnd(12));
	else if (odd == 9)
		w->ack += 1000;
	else if (odd == 10)
		w->window++;
	else if (odd == 11)
		s.seq = w->shape.seq += rnd(2000);
	else if (odd == 12)
		s.l3_extra = 8;
	build(&built, &s);
	tcp = built.data + l4_at(&built);
	put16(tcp, FIRST_PORT + index);
	put32(tcp + 8, w->ack);
	put16(tcp + 14, w->window);
	if (!s.ipv6 && w->df)
		built.data[built.l2 + 6] = 0x40;
	if (odd == 13)
		built.data[built.l2 + 1] ^= s.ipv6 ? 0x30 : 3; /* CE */
	if (odd == 14 && !s.ipv6)
		put16(built.data + built.l2 + 6, rnd(65536));
	if (odd == 15)
		built.data[built.l2 + (s.ipv6 ? 7 : 8)]--;
	seal();
	if (odd == 16)
		built.data[built.len - 1] ^= 1;
	seed = odd > 16 && rnd(3) == 0;
	if (odd == 17)
		built.data[built.len++] = 0;
	f = add(layout == 0 ? 0 : layout == 1 ? l4_at(&built) + built.l4 : OFFLOAD_HEADER_BYTES,
		layout == 0 ? 1 : 1 + rnd(6), seed && odd != 17);
	if (odd != 16 && !seed && rnd(2))
		f->flags |= OFFLOAD_F_CSUM_GOOD;
	if (w->tagged) {
		f->flags |= OFFLOAD_F_VLAN;
		f->vlan_tci = w->tci;
	}
	w->shape.seq += s.payload;
	if (!w->fixed_id)
		w->shape.ip_id++;
}

static uint32_t
flow_of(const uint8_t *data, uint32_t len)
{
	struct offload_headers hdr;
	uint32_t flow;

	offload_parse(data, len, &hdr);
	flow = get16(data + hdr.l2_len + hdr.l3_len) - FIRST_PORT;
	assert_true(flow < FLOWS);
	return flow;
}

static uint64_t nb_same, nb_other_id;

/* The next frame of its flow that was given; nothing else is lost than the identification of one with DF. */
static void
expect(uint8_t *data, uint32_t len, const struct offload_frame *f, uint16_t *at)
{
	uint32_t flow = flow_of(data, len);
	uint16_t i = at[flow];

	while (i < burst.n && flow_of(burst.sent[i], burst.len[i]) != flow)
		i++;
	assert_true(i < burst.n);
	at[flow] = i + 1;
	assert_int_equal(len, burst.len[i]);
	assert_int_equal(f->flags & OFFLOAD_F_VLAN, burst.in[i]->flags & OFFLOAD_F_VLAN);
	assert_int_equal(f->vlan_tci, burst.in[i]->vlan_tci);
	if (memcmp(data, burst.sent[i], len) == 0) {
		nb_same++;
		return;
	}
	assert_true(flows[flow].fixed_id && !flows[flow].shape.ipv6);
	put16(data + f->hdr.l2_len + 4, get16(burst.sent[i] + f->hdr.l2_len + 4));
	put16(data + f->hdr.l2_len + 10, 0);
	put16(data + f->hdr.l2_len + 10, ~plain_sum(data + f->hdr.l2_len, 20, 0));
	assert_memory_equal(data, burst.sent[i], len);
	nb_other_id++;
}

/* All that came out, cut again, is all that was put in, flow by flow. */
static uint32_t
check_burst(uint32_t max_len, uint16_t max_segs)
{
	uint16_t at[FLOWS] = { 0 }, i, total = 0;
	uint32_t joined = 0, count;

	for (i = 0; i < burst.nb_out; i++) {
		struct offload_frame *f = burst.out[i], *piece;

		if (f->request != OFFLOAD_TSO) {
			uint32_t len;

			if (f->request == OFFLOAD_CSUM)
				assert_int_equal(offload_csum_complete(f), 0);
			len = gather(f, bytes);
			expect(bytes, len, f, at);
			total++;
			continue;
		}
		count = check_joined(f, max_len, max_segs);
		joined += count;
		assert_int_equal(offload_tso_begin(&tso, f), count);
		while ((piece = offload_tso_next(&tso)) != NULL) {
			gather(piece, bytes);
			expect(bytes, piece->len, piece, at);
			total++;
		}
	}
	assert_int_equal(total, burst.n);
	return joined;
}

static void
at_random(void **state)
{
	uint64_t frames = 0, joined = 0;
	uint32_t i, k, n, index;

	(void)state;
	for (i = 0; i < FLOWS; i++)
		new_flow(&flows[i]);
	for (i = 0; i < BURSTS; i++) {
		uint32_t spread = 1 + rnd(rnd(2) ? 4 : FLOWS), base = rnd(FLOWS);
		uint32_t max_len = rnd(2) ? MAX_LEN : 2000 + rnd(30000);
		uint16_t max_segs = (uint16_t)(rnd(2) ? 255 : 1 + rnd(20));

		n = 1 + rnd(OFFLOAD_LRO_BURST);
		index = base;
		for (k = 0; k < n; k++) {
			if (rnd(3))
				index = (base + rnd(spread)) % FLOWS;
			add_random(index);
		}
		run(max_len, max_segs);
		frames += n;
		joined += check_burst(max_len, max_segs);
		clear();
		if (i % 8 == 0)
			new_flow(&flows[rnd(FLOWS)]);
	}
	print_message("%llu frames, %llu joined, %llu the same again, %llu but for the identification\n",
		(unsigned long long)frames, (unsigned long long)joined, (unsigned long long)nb_same,
		(unsigned long long)nb_other_id);
	assert_true(frames >= 100000 && joined >= frames / 3 && nb_other_id > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_random),
	};

	return cmocka_run_group_tests_name("offload_lro_random", tests, NULL, NULL);
}
