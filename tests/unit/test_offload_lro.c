/* SPDX-License-Identifier: BSD-3-Clause */
#include "lro_burst.h"

/* ---- two frames ---- */

static struct shape
bulk(bool ipv6)
{
	return (struct shape){ .ipv6 = ipv6, .proto = 6, .tcp_options = 12, .payload = 1448, .tcp_flags = ACK,
		.ip_id = 0xffff, .seq = 0xfffffff0 };
}

/* The frame after @p i others. */
static void
build_next(const struct shape *s, uint32_t i, uint32_t payload)
{
	struct shape next = *s;

	next.seq += i * s->payload;
	next.ip_id = (uint16_t)(s->ip_id + i);
	next.payload = payload;
	build(&built, &next);
}

/* Whether these two are joined; if so, the result is cut and compared. */
static bool
two_joined(void)
{
	struct offload_frame *f, *piece;
	uint16_t i;

	if (run(MAX_LEN, 255) == 2) {
		assert_ptr_equal(burst.out[0], burst.in[0]);
		assert_ptr_equal(burst.out[1], burst.in[1]);
		clear();
		return false;
	}
	assert_int_equal(burst.nb_out, 1);
	f = burst.out[0];
	assert_int_equal(check_joined(f, MAX_LEN, 255), 2);
	assert_int_equal(offload_tso_begin(&tso, f), 2);
	for (i = 0; i < 2; i++) {
		piece = offload_tso_next(&tso);
		assert_int_equal(gather(piece, bytes), burst.len[i]);
		assert_memory_equal(bytes, burst.sent[i], burst.len[i]);
	}
	clear();
	return true;
}

enum what { L2, IP, TCP };

/* Two frames that follow each other; @p mask of one byte is changed in both, in the second or in none. */
static bool
with_byte(bool ipv6, enum what layer, uint32_t at, uint8_t mask, bool both)
{
	struct shape s = bulk(ipv6);
	uint32_t i, offset;

	for (i = 0; i < 2; i++) {
		build_next(&s, i, s.payload);
		offset = at + (layer == L2 ? 0 : layer == IP ? built.l2 : l4_at(&built));
		if (i == 1 || both)
			built.data[offset] ^= mask;
		seal();
		add(OFFLOAD_HEADER_BYTES, 2, false);
	}
	return two_joined();
}

static void
plain(void **state)
{
	(void)state;
	assert_true(with_byte(false, TCP, 0, 0, false));
	assert_true(with_byte(true, TCP, 0, 0, false));
}

/* Each byte of the headers: what differs keeps frames apart, and if all have it, it is kept. */
static void
every_field(void **state)
{
	uint32_t at, bit;

	(void)state;
	for (bit = 0; bit < 8; bit++) {
		uint8_t mask = (uint8_t)(1u << bit);

		for (at = 0; at < 12; at++) { /* addresses; an EtherType of another kind is not TCP */
			assert_false(with_byte(false, L2, at, mask, false));
			assert_true(with_byte(false, L2, at, mask, true));
			assert_false(with_byte(true, L2, at, mask, false));
			assert_true(with_byte(true, L2, at, mask, true));
		}
		/* IPv4: TOS with ECN, TTL, protocol, addresses; lengths and fragments have tests of their own */
		for (at = 1; at < 20; at++) {
			if (at != 1 && at < 8)
				continue;
			if (at == 10 || at == 11)
				continue;
			assert_false(with_byte(false, IP, at, mask, false));
			if (at != 9)
				assert_true(with_byte(false, IP, at, mask, true));
		}
		/* IPv6: traffic class, flow label, hop limit, addresses */
		for (at = 1; at < 40; at++) {
			if (at >= 4 && at < 7)
				continue;
			assert_false(with_byte(true, IP, at, mask, false));
			assert_true(with_byte(true, IP, at, mask, true));
		}
		/* Ports, acknowledgement, window, urgent pointer, options */
		for (at = 0; at < 32; at++) {
			if ((at >= 4 && at < 8) || at == 12 || at == 13 || at == 16 || at == 17)
				continue;
			assert_false(with_byte(at & 1, TCP, at, mask, false));
			assert_true(with_byte(at & 1, TCP, at, mask, true));
		}
		/* A gap, a repetition */
		for (at = 4; at < 8; at++)
			assert_false(with_byte(at & 1, TCP, at, mask, false));
	}
	/* A reserved flag, and a longer header */
	for (bit = 0; bit < 4; bit++)
		assert_false(with_byte(false, TCP, 12, (uint8_t)(1u << bit), true));
}

static void
flags(void **state)
{
	static const uint16_t all[] = { FIN, SYN, RST, URG, CWR, NS, 0x200, 0x400, 0x800, FIN | PSH };
	struct shape s;
	uint32_t i;

	(void)state;
	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		/* both, the second, the first */
		s = bulk(i & 1);
		s.tcp_flags = ACK | all[i];
		build_next(&s, 0, s.payload);
		add(192, 2, false);
		build_next(&s, 1, s.payload);
		add(192, 2, false);
		assert_false(two_joined());
		s.tcp_flags = ACK;
		build_next(&s, 0, s.payload);
		add(192, 2, false);
		s.tcp_flags = ACK | all[i];
		build_next(&s, 1, s.payload);
		add(192, 2, false);
		assert_false(two_joined());
		build_next(&s, 0, s.payload);
		add(192, 2, false);
		s.tcp_flags = ACK;
		build_next(&s, 1, s.payload);
		add(192, 2, false);
		assert_false(two_joined());
	}
	/* Without ACK */
	s = bulk(false);
	s.tcp_flags = 0;
	build_next(&s, 0, s.payload);
	add(192, 2, false);
	build_next(&s, 1, s.payload);
	add(192, 2, false);
	assert_false(two_joined());
	/* ECE in both, or in one */
	for (i = 0; i < 4; i++) {
		s.tcp_flags = ACK | (i & 1 ? ECE : 0);
		build_next(&s, 0, s.payload);
		add(192, 2, false);
		s.tcp_flags = ACK | (i & 2 ? ECE : 0);
		build_next(&s, 1, s.payload);
		add(192, 2, false);
		assert_int_equal(two_joined(), i == 0 || i == 3);
	}
}

/* @p n frames of one flow of these payloads; flags of frame @p special are other ones. */
static uint16_t
row(const struct shape *shape, uint32_t n, uint32_t special, uint16_t special_flags, uint32_t last_payload)
{
	struct shape s = *shape;
	uint32_t i;

	for (i = 0; i < n; i++) {
		s.tcp_flags = i == special ? special_flags : shape->tcp_flags;
		build_next(&s, i, i == n - 1 ? last_payload : s.payload);
		add(192, 2, false);
	}
	return run(MAX_LEN, 255);
}

/* PSH ends a joined frame, which has it, and one that is alone stays so. */
static void
push(void **state)
{
	struct shape s = bulk(true);

	(void)state;
	assert_int_equal(row(&s, 6, 2, ACK | PSH, s.payload), 2);
	assert_int_equal(check_joined(burst.out[0], MAX_LEN, 255), 3);
	assert_int_equal(burst.out[0]->seg[0].data[14 + 40 + 13], ACK | PSH);
	assert_int_equal(check_joined(burst.out[1], MAX_LEN, 255), 3);
	assert_int_equal(burst.out[1]->seg[0].data[14 + 40 + 13], ACK);
	clear();
	assert_int_equal(row(&s, 6, 0, ACK | PSH, s.payload), 2);
	assert_ptr_equal(burst.out[0], burst.in[0]);
	assert_int_equal(check_joined(burst.out[1], MAX_LEN, 255), 5);
	clear();
	assert_int_equal(row(&s, 6, 3, ACK | FIN, s.payload), 3);
	assert_int_equal(check_joined(burst.out[0], MAX_LEN, 255), 3);
	assert_ptr_equal(burst.out[1], burst.in[3]);
	assert_int_equal(check_joined(burst.out[2], MAX_LEN, 255), 2);
	clear();
}

/* The first one says how long the others are; a shorter one is the last. */
static void
lengths(void **state)
{
	struct shape s = bulk(false);
	uint32_t i;

	(void)state;
	assert_int_equal(row(&s, 5, 9, 0, 1), 1);
	assert_int_equal(check_joined(burst.out[0], MAX_LEN, 255), 5);
	assert_int_equal(burst.out[0]->len, 14 + 20 + 32 + 4 * 1448 + 1);
	clear();
	assert_int_equal(row(&s, 5, 9, 0, s.payload + 1), 2);
	assert_int_equal(check_joined(burst.out[0], MAX_LEN, 255), 4);
	clear();
	/* A short one in the middle */
	for (i = 0; i < 5; i++) {
		build_next(&s, i, i == 2 ? 1400 : 1448);
		if (i > 2) {
			put32(built.data + l4_at(&built) + 4, s.seq + i * 1448 - 48);
			seal();
		}
		add(192, 2, false);
	}
	assert_int_equal(run(MAX_LEN, 255), 2);
	assert_int_equal(check_joined(burst.out[0], MAX_LEN, 255), 3);
	assert_int_equal(check_joined(burst.out[1], MAX_LEN, 255), 2);
	clear();
	/* Pure acknowledgements: alone, and between data */
	s.payload = 0;
	assert_int_equal(row(&s, 4, 9, 0, 0), 4);
	clear();
	s.payload = 100;
	build_next(&s, 0, 100);
	add(192, 2, false);
	build_next(&s, 1, 0);
	add(192, 2, false);
	build_next(&s, 1, 100);
	add(192, 2, false);
	assert_int_equal(run(MAX_LEN, 255), 3);
	clear();
	/* One byte each */
	s.payload = 1;
	assert_int_equal(row(&s, 64, 99, 0, 1), 1);
	assert_int_equal(check_joined(burst.out[0], MAX_LEN, 255), 64);
	clear();
}

static bool
with_ids(uint16_t frag, uint16_t first, uint16_t second, uint16_t third, uint16_t *nb_out)
{
	const uint16_t id[3] = { first, second, third };
	struct shape s = bulk(false);
	uint32_t i;

	for (i = 0; i < 3; i++) {
		build_next(&s, i, s.payload);
		put16(built.data + built.l2 + 4, id[i]);
		put16(built.data + built.l2 + 6, frag);
		seal();
		add(192, 2, false);
	}
	*nb_out = run(MAX_LEN, 255);
	clear();
	return *nb_out == 1;
}

static void
identification(void **state)
{
	const uint16_t df = 0x4000;
	uint16_t n;

	(void)state;
	assert_true(with_ids(0, 7, 8, 9, &n));
	assert_true(with_ids(0, 0xfffe, 0xffff, 0, &n));
	assert_true(with_ids(df, 7, 8, 9, &n));
	assert_true(with_ids(df, 7, 7, 7, &n));
	assert_true(with_ids(df, 0, 0, 0, &n));
	assert_false(with_ids(0, 7, 7, 7, &n));
	assert_int_equal(n, 3);
	assert_false(with_ids(0, 7, 8, 10, &n));
	assert_int_equal(n, 2);
	assert_false(with_ids(df, 7, 8, 8, &n));
	assert_false(with_ids(df, 7, 7, 8, &n));
	assert_false(with_ids(df, 7, 9, 11, &n));
	assert_int_equal(n, 3);
	assert_false(with_ids(0x8000, 7, 8, 9, &n)); /* the reserved bit */
	assert_false(with_ids(0x2000, 7, 8, 9, &n)); /* fragments */
	assert_false(with_ids(0x0001, 7, 8, 9, &n));
}

static void
ip_shapes(void **state)
{
	struct shape s;
	uint32_t i, v6;

	(void)state;
	for (v6 = 0; v6 < 2; v6++) {
		/* IP options, extension headers */
		s = bulk(v6);
		s.l3_extra = 8;
		assert_int_equal(row(&s, 3, 9, 0, s.payload), 3);
		clear();
		/* Trailing bytes */
		s = bulk(v6);
		for (i = 0; i < 2; i++) {
			build_next(&s, i, s.payload);
			built.data[built.len++] = 0;
			add(192, 2, false);
		}
		assert_false(two_joined());
		/* The same where it would fit: a last frame, shorter, with one byte more than it says */
		build_next(&s, 0, s.payload);
		add(192, 2, false);
		build_next(&s, 1, 1000);
		built.data[built.len++] = 0;
		add(192, 2, false);
		assert_false(two_joined());
		/* Longer than it is */
		for (i = 0; i < 2; i++) {
			build_next(&s, i, s.payload);
			built.len--;
			add(192, 2, false);
		}
		assert_false(two_joined());
		/* Up to four tags in line, all the same */
		for (s.tags = 1; s.tags <= 4; s.tags++) {
			assert_int_equal(row(&s, 3, 9, 0, s.payload), 1);
			check_joined(burst.out[0], MAX_LEN, 255);
			clear();
		}
	}
	/* Headers as long as they get */
	s = bulk(true);
	s.tags = 4;
	s.tcp_options = 40;
	assert_int_equal(row(&s, 3, 9, 0, s.payload), 1);
	assert_int_equal(burst.out[0]->hdr_len, OFFLOAD_LRO_HEADER_MAX);
	clear();
	/* UDP */
	s = bulk(false);
	s.proto = 17;
	assert_int_equal(row(&s, 3, 9, 0, s.payload), 3);
	clear();
}

static void
vlan(void **state)
{
	struct shape s = bulk(false);
	uint32_t i, k;

	(void)state;
	for (k = 0; k < 4; k++) {
		for (i = 0; i < 2; i++) {
			struct offload_frame *f;

			s.tags = k == 3; /* an inner one */
			build_next(&s, i, s.payload);
			f = add(192, 2, false);
			if (k != 2 || i == 1)
				f->flags |= OFFLOAD_F_VLAN;
			f->vlan_tci = (uint16_t)(0x2005 + (k == 1 ? i * 0x2000 : 0));
		}
		if (k == 0 || k == 3) {
			assert_int_equal(run(MAX_LEN, 255), 1);
			check_joined(burst.out[0], MAX_LEN, 255);
			assert_true(burst.out[0]->flags & OFFLOAD_F_VLAN);
			assert_int_equal(burst.out[0]->vlan_tci, 0x2005);
			clear();
		} else {
			assert_false(two_joined());
		}
	}
	/* Different tags in line */
	for (i = 0; i < 2; i++) {
		s.tags = 1;
		build_next(&s, i, s.payload);
		built.data[15] = (uint8_t)(built.data[15] + i);
		add(192, 2, false);
	}
	assert_false(two_joined());
}

static void
checksums(void **state)
{
	uint32_t v6, bad, i;

	(void)state;
	for (v6 = 0; v6 < 2; v6++) {
		struct shape s = bulk(v6);
		struct offload_frame *f;

		/* A wrong one: the first, the second; found out here */
		for (bad = 0; bad < 2; bad++) {
			for (i = 0; i < 2; i++) {
				build_next(&s, i, s.payload);
				built.data[built.len - 1] ^= i == bad;
				add(192, 2, false);
			}
			assert_int_equal(run(MAX_LEN, 255), 2);
			assert_int_equal(burst.in[bad]->flags & OFFLOAD_F_CSUM_BAD, OFFLOAD_F_CSUM_BAD);
			clear();
		}
		/* Known to be good: nobody looks. Known to be bad. */
		for (bad = 0; bad < 2; bad++) {
			for (i = 0; i < 2; i++) {
				build_next(&s, i, s.payload);
				built.data[built.len - 1] ^= 1;
				f = add(192, 2, false);
				f->flags |= bad && i ? OFFLOAD_F_CSUM_BAD : OFFLOAD_F_CSUM_GOOD;
			}
			assert_int_equal(run(MAX_LEN, 255), 1 + bad);
			clear();
		}
		/* Left to do, in one or both */
		for (bad = 1; bad < 4; bad++) {
			for (i = 0; i < 2; i++) {
				build_next(&s, i, s.payload);
				add(192, 2, bad >> i & 1);
			}
			assert_true(two_joined());
		}
		/* Another request: to another place, inside of a tunnel */
		for (bad = 0; bad < 3; bad++) {
			for (i = 0; i < 2; i++) {
				build_next(&s, i, s.payload);
				f = add(192, 2, true);
				if (bad == 0)
					f->csum_start += 2;
				else if (bad == 1)
					f->csum_field -= 2;
				else
					f->flags |= OFFLOAD_F_INNER;
			}
			assert_false(two_joined());
		}
		/* Nothing is summed when there is nothing to join. */
		build_next(&s, 0, s.payload);
		add(192, 2, false);
		build_next(&s, 2, s.payload);
		add(192, 2, false);
		assert_int_equal(run(MAX_LEN, 255), 2);
		assert_int_equal(burst.in[0]->flags | burst.in[1]->flags, OFFLOAD_F_PARSED);
		clear();
	}
	/* A wrong IPv4 header sum below a request */
	for (bad = 0; bad < 2; bad++) {
		struct shape s = bulk(false);

		for (i = 0; i < 2; i++) {
			build_next(&s, i, s.payload);
			built.data[built.l2 + 11] ^= i == bad;
			add(192, 2, true);
		}
		assert_false(two_joined());
	}
}

static void
limits(void **state)
{
	struct shape s = bulk(false);
	uint32_t i;

	(void)state;
	row(&s, 64, 99, 0, s.payload);
	assert_int_equal(burst.nb_out, 2); /* two segments each, 71 in all */
	assert_int_equal(check_joined(burst.out[0], MAX_LEN, 255), (OFFLOAD_TSO_SEGS - 2) / 2);
	assert_int_equal(run(MAX_LEN, 4), 16);
	for (i = 0; i < 16; i++)
		assert_int_equal(check_joined(burst.out[i], MAX_LEN, 4), 4);
	assert_int_equal(run(14 + 20 + 32 + 10 * 1448, 255), 7);
	assert_int_equal(check_joined(burst.out[0], 14 + 20 + 32 + 10 * 1448, 255), 10);
	assert_int_equal(run(14 + 20 + 32 + 10 * 1448 - 1, 255), 8);
	assert_int_equal(check_joined(burst.out[0], 14 + 20 + 32 + 10 * 1448 - 1, 255), 9);
	assert_int_equal(run(MAX_LEN, 1), 64);
	assert_int_equal(run(0, 255), 64);
	clear();

	/* An IP packet of more than 64 KiB cannot be */
	for (i = 0; i < 60; i++) {
		build_next(&s, i, s.payload);
		add(0, 1, false);
	}
	assert_int_equal(run(OFFLOAD_FRAME_MAX + 100000, 255), 2);
	assert_int_equal(check_joined(burst.out[0], 14 + 65535, 255), 45);
	clear();
}

/* Many flows in turn, more segments than there is room for. */
static void
many_flows(void **state)
{
	uint32_t flows, i, used, k;

	(void)state;
	for (flows = 1; flows <= 64; flows++) {
		struct shape s = bulk(flows & 1);

		for (i = 0; i < 64; i++) {
			build_next(&s, i / flows, s.payload);
			put16(built.data + l4_at(&built), 2000 + i % flows);
			seal();
			add(192, 2, false);
		}
		run(MAX_LEN, 255);
		assert_int_equal(burst.nb_out, flows == 1 ? 2 : flows < 64 ? flows : 64);
		for (i = 0; i < burst.nb_out; i++)
			assert_int_equal(get16(burst.out[i]->seg[0].data + l4_at(&built)), 2000 + i % flows);
		clear();
	}
	for (k = 5; k <= 30; k += 5) {
		struct shape s = bulk(false);

		for (i = 0; i < 64; i++) {
			uint32_t j;

			build_next(&s, i % 2, s.payload);
			put16(built.data + l4_at(&built), 2000 + i / 2);
			seal();
			add(66, 1, false);
			/* The payload in pieces of the same memory */
			split_free(&burst.split[i]);
			split_begin(&burst.split[i]);
			split_add(&burst.split[i], built.data, 66);
			for (j = 0; j < k; j++)
				split_add(&burst.split[i], built.data + 66 + j * 1448 / k,
					(j + 1) * 1448 / k - j * 1448 / k);
		}
		run(MAX_LEN, 255);
		for (i = used = 0; i < burst.nb_out; i++)
			used += burst.out[i]->request == OFFLOAD_TSO ? burst.out[i]->nb_segs : 0;
		assert_true(used <= OFFLOAD_LRO_SEGS);
		if (32 * (2 * k + 1) <= OFFLOAD_LRO_SEGS)
			assert_int_equal(burst.nb_out, 32);
		else
			assert_int_equal(64 - burst.nb_out, OFFLOAD_LRO_SEGS / (2 * k + 1));
		clear();
	}
}

/* What cannot be joined ends its flow's frame, so that nothing overtakes. */
static void
order(void **state)
{
	struct shape s = bulk(false);
	uint32_t kind, i;

	(void)state;
	/* data 0, X, data 1: X is of the flow, and in between */
	for (kind = 0; kind < 6; kind++) {
		build_next(&s, 0, s.payload);
		add(192, 2, false);
		s.l3_extra = kind == 4 ? 8 : 0; /* with options, hence not joined */
		build_next(&s, 1, kind == 3 ? 4000 : kind == 4 ? 1448 : 0);
		s.l3_extra = 0;
		if (kind == 1)
			built.data[built.l2 + 6] = 0x20; /* a fragment: may be of any flow */
		if (kind == 2)
			put16(built.data + l4_at(&built), 1); /* another flow: does not matter */
		if (kind == 5)
			built.data[built.l2 + 9] = 17; /* not TCP: does not matter */
		seal();
		add(192, 2, false);
		if (kind == 3) {
			burst.in[1]->request = OFFLOAD_TSO;
			burst.in[1]->hdr_len = 66;
			burst.in[1]->mss = 1000;
		}
		build_next(&s, 1, s.payload);
		add(192, 2, false);
		run(MAX_LEN, 255);
		assert_int_equal(burst.nb_out, kind == 2 || kind == 5 ? 2 : 3);
		if (burst.nb_out == 3) {
			for (i = 0; i < 3; i++)
				assert_ptr_equal(burst.out[i], burst.in[i]);
		} else {
			assert_int_equal(check_joined(burst.out[0], MAX_LEN, 255), 2);
			assert_ptr_equal(burst.out[1], burst.in[1]);
		}
		clear();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(every_field),
		cmocka_unit_test(flags),
		cmocka_unit_test(push),
		cmocka_unit_test(lengths),
		cmocka_unit_test(identification),
		cmocka_unit_test(ip_shapes),
		cmocka_unit_test(vlan),
		cmocka_unit_test(checksums),
		cmocka_unit_test(limits),
		cmocka_unit_test(many_flows),
		cmocka_unit_test(order),
	};

	return cmocka_run_group_tests_name("offload_lro", tests, NULL, NULL);
}
