/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_frames.h"

#include <offload_csum.h>
#include <offload_lro.h>
#include <offload_parse.h>
#include <offload_tso.h>

#define FIN 0x001
#define SYN 0x002
#define RST 0x004
#define PSH 0x008
#define ACK 0x010
#define URG 0x020
#define ECE 0x040
#define CWR 0x080
#define NS  0x100

#define MAX_LEN 65535

static struct offload_lro lro;
static struct offload_tso tso;
static struct built built;
static uint8_t bytes[FRAME_ROOM], other[FRAME_ROOM];

/* Frames on their way in, and what comes out. */
static struct {
	struct split split[OFFLOAD_LRO_BURST];
	uint8_t *sent[OFFLOAD_LRO_BURST]; /* as it is on the wire when all is done */
	uint8_t *before[OFFLOAD_LRO_BURST]; /* as it was given */
	uint32_t len[OFFLOAD_LRO_BURST];
	struct offload_frame *in[OFFLOAD_LRO_BURST], *out[OFFLOAD_LRO_BURST];
	uint16_t n, nb_out;
} burst;

static uint8_t *
copy_of(const uint8_t *data, uint32_t len)
{
	uint8_t *p = malloc(len);

	assert_non_null(p);
	memcpy(p, data, len);
	return p;
}

static void
clear(void)
{
	uint16_t i;

	for (i = 0; i < burst.n; i++) {
		split_free(&burst.split[i]);
		free(burst.sent[i]);
		free(burst.before[i]);
	}
	burst.n = 0;
}

/* Adds what is in @c built. With @p seed, its checksum is left to do. */
static struct offload_frame *
add(uint32_t first, uint32_t parts, bool seed)
{
	uint16_t i = burst.n++;
	struct split *s = &burst.split[i];

	burst.sent[i] = copy_of(built.data, built.len);
	burst.len[i] = built.len;
	if (seed)
		put_seed(&built);
	split_random(s, built.data, built.len, first, parts);
	burst.before[i] = copy_of(built.data, built.len);
	if (seed) {
		s->f.request = OFFLOAD_CSUM;
		s->f.csum_start = (uint16_t)l4_at(&built);
		s->f.csum_field = (uint16_t)field_at(&built);
	}
	burst.in[i] = &s->f;
	return &s->f;
}

static uint16_t
run(uint32_t max_len, uint16_t max_segs)
{
	uint16_t i;

	memset(&lro, 0xa5, sizeof(lro));
	burst.nb_out = offload_lro(&lro, burst.in, burst.n, burst.out, max_len, max_segs);
	for (i = 0; i < burst.n; i++) {
		assert_int_equal(gather(burst.in[i], other), burst.len[i]);
		assert_memory_equal(other, burst.before[i], burst.len[i]);
	}
	return burst.nb_out;
}

/* What a joined frame must be, besides what cutting it tells. @return how many it is */
static uint32_t
check_joined(struct offload_frame *f, uint32_t max_len, uint32_t max_segs)
{
	uint32_t payload = f->len - f->hdr_len, count = (payload + f->mss - 1) / f->mss, i, l4_at, l4_bytes;
	bool ipv6 = f->hdr.flags & OFFLOAD_H_IPV6;
	struct offload_headers hdr;
	const uint8_t *ip;

	assert_int_equal(f->request, OFFLOAD_TSO);
	assert_int_equal(f->flags & ~OFFLOAD_F_VLAN, OFFLOAD_F_PARSED | OFFLOAD_F_CSUM_GOOD);
	assert_true(f->len <= max_len && count >= 2 && count <= max_segs);
	assert_true(f->nb_segs < OFFLOAD_TSO_SEGS);
	assert_int_equal(f->seg[0].len, f->hdr_len);
	for (i = 0; i < f->nb_segs; i++)
		assert_true(f->seg[i].len > 0);
	gather(f, bytes);
	offload_parse(bytes, f->len, &hdr);
	assert_memory_equal(&hdr, &f->hdr, sizeof(hdr));
	l4_at = hdr.l2_len + hdr.l3_len;
	l4_bytes = f->len - l4_at;
	assert_int_equal(f->hdr_len, l4_at + hdr.l4_len);
	ip = bytes + hdr.l2_len;
	if (ipv6) {
		assert_int_equal(get16(ip + 4), l4_bytes);
	} else {
		assert_int_equal(get16(ip + 2), hdr.l3_len + l4_bytes);
		assert_int_equal(plain_sum(ip, hdr.l3_len, 0), 0xffff);
	}
	assert_int_equal(get16(bytes + l4_at + 16), plain_pseudo(bytes, hdr.l2_len, ipv6, 6, 0));
	return count;
}

/* ---- two frames ---- */

static struct shape
bulk(bool ipv6)
{
	return (struct shape){ .ipv6 = ipv6, .proto = 6, .tcp_options = 12, .payload = 1448, .tcp_flags = ACK,
		.ip_id = 0xffff, .seq = 0xfffffff0 };
}

static void
seal(void)
{
	if (!built.ipv6)
		seal_ipv4(&built);
	put_csum(&built);
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

/* ---- many flows at random ---- */

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
		cmocka_unit_test(at_random),
	};

	return cmocka_run_group_tests_name("offload_lro", tests, NULL, NULL);
}
