/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_frames.h"

#include <offload_csum.h>
#include <offload_parse.h>
#include <offload_vlan.h>

static struct built built, tagged;
static uint8_t bytes[FRAME_ROOM];

static void
fill_request(struct offload_frame *f, const struct built *b)
{
	f->request = OFFLOAD_CSUM;
	f->csum_start = (uint16_t)l4_at(b);
	f->csum_field = (uint16_t)field_at(b);
	f->hdr_len = (uint16_t)(l4_at(b) + b->l4);
}

/* What the frame says about itself is what a new look at its bytes says. */
static void
check_consistent(struct offload_frame *f)
{
	struct offload_headers fresh;

	offload_frame_parse(f);
	offload_parse(f->seg[0].data, f->seg[0].len, &fresh);
	assert_int_equal(f->hdr.ether_type, fresh.ether_type);
	assert_int_equal(f->hdr.outer_tci, fresh.outer_tci);
	assert_int_equal(f->hdr.l2_len, fresh.l2_len);
	assert_int_equal(f->hdr.l3_len, fresh.l3_len);
	assert_int_equal(f->hdr.l4_len, fresh.l4_len);
	assert_int_equal(f->hdr.nb_tags, fresh.nb_tags);
	assert_int_equal(f->hdr.flags, fresh.flags);
}

static void
round_trip(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 400; i++) {
		struct shape s = { .tags = i % 6, .tpid = i & 16 ? 0x88a8 : 0x8100,
			.ipv6 = i & 1, .proto = i & 2 ? 6 : 17, .payload = rnd(400) };
		struct split split;
		uint16_t tci = 0;

		build(&built, &s);
		put_seed(&built);
		split_random(&split, built.data, built.len, OFFLOAD_HEADER_BYTES, 1 + rnd(4));
		fill_request(&split.f, &built);
		split.f.flags = OFFLOAD_F_VLAN;
		split.f.vlan_tci = (uint16_t)rnd(65536);
		if (i & 8)
			offload_frame_parse(&split.f);
		assert_true(offload_vlan_outer(&split.f, &tci));
		assert_int_equal(tci, split.f.vlan_tci);

		offload_vlan_push(&split.f);
		assert_int_equal(split.f.flags & OFFLOAD_F_VLAN, 0);
		assert_int_equal(split.f.len, built.len + 4);
		assert_int_equal(split.f.csum_start, l4_at(&built) + 4);
		assert_int_equal(split.f.csum_field, field_at(&built) + 4);
		assert_int_equal(split.f.hdr_len, l4_at(&built) + built.l4 + 4);
		gather(&split.f, bytes);
		assert_memory_equal(bytes, built.data, 12);
		assert_int_equal(get16(bytes + 12), 0x8100);
		assert_int_equal(get16(bytes + 14), tci);
		assert_memory_equal(bytes + 16, built.data + 12, built.len - 12);
		check_consistent(&split.f);
		offload_vlan_push(&split.f); /* does nothing now */
		assert_int_equal(split.f.len, built.len + 4);

		split.f.vlan_tci = 0;
		assert_true(offload_vlan_pop(&split.f));
		assert_true(split.f.flags & OFFLOAD_F_VLAN);
		assert_int_equal(split.f.vlan_tci, tci);
		assert_int_equal(split.f.csum_start, l4_at(&built));
		assert_int_equal(split.f.csum_field, field_at(&built));
		assert_int_equal(split.f.hdr_len, l4_at(&built) + built.l4);
		assert_int_equal(gather(&split.f, bytes), built.len);
		assert_memory_equal(bytes, built.data, built.len);
		check_consistent(&split.f);
		split_free(&split);
	}
}

/* Pops tags one after the other and looks at the headers each time. */
static void
pop_all(void **state)
{
	unsigned int tags, left;
	uint16_t tci;

	(void)state;
	for (tags = 0; tags <= 6; tags++) {
		struct shape s = { .proto = 17, .tags = tags, .payload = 30 };
		struct split split;

		build(&tagged, &s);
		split_random(&split, tagged.data, tagged.len, tagged.len, 1);
		for (left = tags; left > 0; left--) {
			uint16_t expected = (uint16_t)(0x2064 + tags - left);

			assert_true(offload_vlan_outer(&split.f, &tci));
			assert_int_equal(tci, expected);
			assert_true(offload_vlan_pop(&split.f));
			assert_int_equal(split.f.vlan_tci, expected);
			check_consistent(&split.f);
			/* One out of band is all there can be. */
			assert_true(offload_vlan_pop(&split.f));
			assert_int_equal(split.f.vlan_tci, expected);
			split.f.flags &= (uint8_t)~OFFLOAD_F_VLAN;
		}
		assert_false(offload_vlan_outer(&split.f, &tci));
		assert_false(offload_vlan_pop(&split.f));
		assert_int_equal(split.f.len, 14 + 20 + 8 + 30);
		assert_int_equal(split.f.hdr.l4_len, 8);
		split_free(&split);
	}
}

/* A service tag is a tag, but not one that vmxnet3 takes out. */
static void
service_tag_stays(void **state)
{
	struct shape s = { .proto = 17, .tags = 2, .tpid = 0x88a8, .payload = 30 };
	struct split split;
	uint16_t tci = 0;

	(void)state;
	build(&built, &s);
	split_random(&split, built.data, built.len, built.len, 1);
	assert_true(offload_vlan_outer(&split.f, &tci));
	assert_int_equal(tci, 0x2064);
	assert_false(offload_vlan_pop(&split.f));
	gather(&split.f, bytes);
	assert_memory_equal(bytes, built.data, built.len);
	split_free(&split);
}

static void
short_frames(void **state)
{
	struct shape s = { .proto = 17, .tags = 1, .payload = 30 };
	struct split split;
	uint32_t len;
	uint16_t tci;

	(void)state;
	build(&built, &s);
	for (len = 1; len < 30; len++) {
		bool whole_tag = len >= 18;

		split_random(&split, built.data, len, len, 1);
		assert_int_equal(offload_vlan_outer(&split.f, &tci), whole_tag);
		assert_int_equal(offload_vlan_pop(&split.f), whole_tag);
		assert_int_equal(split.f.len, whole_tag ? len - 4 : len);
		split.f.flags |= OFFLOAD_F_VLAN;
		offload_vlan_push(&split.f);
		assert_int_equal(split.f.len, len < 14 || whole_tag ? len : len + 4);
		gather(&split.f, bytes);
		if (whole_tag)
			assert_memory_equal(bytes, built.data, len);
		split_free(&split);
	}
}

/* The request survives: a checksum completed under a pushed tag is the one without it. */
static void
complete_after_push(void **state)
{
	struct shape s = { .proto = 6, .payload = 301 };
	struct split split;

	(void)state;
	build(&built, &s);
	tagged = built;
	put_seed(&built);
	split_random(&split, built.data, built.len, 100, 4);
	fill_request(&split.f, &built);
	split.f.flags = OFFLOAD_F_VLAN;
	split.f.vlan_tci = 7;
	offload_vlan_push(&split.f);
	assert_int_equal(offload_csum_complete(&split.f), 0);
	assert_true(split.f.flags & OFFLOAD_F_CSUM_GOOD);
	assert_true(offload_vlan_pop(&split.f));
	gather(&split.f, bytes);
	assert_memory_equal(bytes, tagged.data, tagged.len);
	split_free(&split);
}

/*
 * A service tag goes around whatever there is, and comes off again with every bit: in and out of any
 * shape, in any number of segments.
 */
static void
service_tag_round_trip(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 600; i++) {
		struct shape s = { .tags = i % 4, .tpid = i & 32 ? 0x88a8 : 0x8100, .ipv6 = i & 1,
			.proto = i & 2 ? 6 : 17, .payload = rnd(300) };
		struct offload_vlan_tag tag = { .tpid = i & 4 ? 0x88a8 : 0x8100,
			.tci = (uint16_t)rnd(65536) };
		bool own = i & 16; /* a tag out of band, which belongs inside of the new one */
		struct offload_vlan_tag got = { 0 };
		uint16_t own_tci = (uint16_t)rnd(65536);
		uint32_t more = own ? 8 : 4;
		struct split split;

		build(&built, &s);
		put_seed(&built);
		split_random(&split, built.data, built.len, OFFLOAD_HEADER_BYTES, 1 + rnd(4));
		fill_request(&split.f, &built);
		split.f.flags = own ? OFFLOAD_F_VLAN : 0;
		split.f.vlan_tci = own_tci;
		if (i & 8)
			offload_frame_parse(&split.f);

		offload_vlan_insert(&split.f, tag);
		assert_int_equal(split.f.flags & OFFLOAD_F_VLAN, 0);
		assert_int_equal(gather(&split.f, bytes), built.len + more);
		assert_memory_equal(bytes, built.data, 12);
		assert_int_equal(get16(bytes + 12), tag.tpid);
		assert_int_equal(get16(bytes + 14), tag.tci);
		if (own) {
			assert_int_equal(get16(bytes + 16), 0x8100);
			assert_int_equal(get16(bytes + 18), own_tci);
		}
		assert_memory_equal(bytes + 12 + more, built.data + 12, built.len - 12);
		assert_int_equal(split.f.csum_start, l4_at(&built) + more);
		assert_int_equal(split.f.csum_field, field_at(&built) + more);
		assert_int_equal(split.f.hdr_len, l4_at(&built) + built.l4 + more);
		check_consistent(&split.f);

		assert_true(offload_vlan_remove(&split.f, &got));
		assert_int_equal(got.tpid, tag.tpid);
		assert_int_equal(got.tci, tag.tci);
		check_consistent(&split.f);
		if (own) {
			assert_true(offload_vlan_remove(&split.f, &got));
			assert_int_equal(got.tpid, 0x8100);
			assert_int_equal(got.tci, own_tci);
		}
		assert_int_equal(gather(&split.f, bytes), built.len);
		assert_memory_equal(bytes, built.data, built.len);
		assert_int_equal(split.f.csum_start, l4_at(&built));
		check_consistent(&split.f);
		split_free(&split);
	}
}

/* Outermost first: the one out of band, then those in line, whatever their kinds. */
static void
remove_all(void **state)
{
	struct shape s = { .proto = 17, .tags = 6, .tpid = 0x88a8, .payload = 30 };
	struct offload_vlan_tag tag = { 0 };
	struct split split;
	unsigned int i;

	(void)state;
	build(&tagged, &s);
	split_random(&split, tagged.data, tagged.len, tagged.len, 1);
	split.f.flags = OFFLOAD_F_VLAN;
	split.f.vlan_tci = 0xf123;
	assert_true(offload_vlan_remove(&split.f, &tag));
	assert_int_equal(tag.tpid, 0x8100);
	assert_int_equal(tag.tci, 0xf123);
	assert_int_equal(split.f.len, tagged.len);
	for (i = 0; i < 6; i++) {
		assert_true(offload_vlan_remove(&split.f, &tag));
		assert_int_equal(tag.tpid, i == 0 ? 0x88a8 : 0x8100);
		assert_int_equal(tag.tci, 0x2064 + i);
		check_consistent(&split.f);
	}
	assert_false(offload_vlan_remove(&split.f, &tag));
	assert_int_equal(split.f.len, 14 + 20 + 8 + 30);
	split_free(&split);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(pop_all),
		cmocka_unit_test(service_tag_stays),
		cmocka_unit_test(short_frames),
		cmocka_unit_test(complete_after_push),
		cmocka_unit_test(service_tag_round_trip),
		cmocka_unit_test(remove_all),
	};

	return cmocka_run_group_tests_name("offload_vlan", tests, NULL, NULL);
}
