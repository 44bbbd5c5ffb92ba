/* SPDX-License-Identifier: BSD-3-Clause */
#include "offload_frames.h"

#include <offload_filter.h>

static const uint8_t own[6] = { 0x00, 0x0c, 0x29, 0x01, 0x02, 0x03 };
static const uint8_t other[6] = { 0x00, 0x0c, 0x29, 0x01, 0x02, 0x04 };
static const uint8_t group[6] = { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb };
static const uint8_t broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint32_t no_vlans[128];

static struct offload_filter flt;

static int
reset(void **state)
{
	(void)state;
	memset(&flt, 0xa5, sizeof(flt));
	memcpy(flt.mac, own, 6);
	flt.mode = 0;
	offload_filter_set_uc(&flt, NULL, 0);
	offload_filter_set_mc(&flt, NULL, 0);
	offload_filter_set_vlans(&flt, no_vlans);
	return 0;
}

static int
match(const uint8_t *dst)
{
	return offload_filter_match(&flt, dst, false, 0);
}

/* Each mode bit lets its own kind pass and nothing else. */
static void
modes(void **state)
{
	uint32_t mode;

	(void)state;
	offload_filter_set_mc(&flt, &group, 1);
	for (mode = 0; mode < 0x20; mode++) {
		bool all = mode & OFFLOAD_FILTER_PROMISC;
		bool mc = mode & (OFFLOAD_FILTER_MCAST | OFFLOAD_FILTER_ALL_MULTI);
		const uint8_t unlisted[6] = { 0x33, 0x33, 0, 0, 0, 1 };

		flt.mode = mode;
		assert_int_equal(match(own) == OFFLOAD_FILTER_PASS,
			all || mode & OFFLOAD_FILTER_UCAST);
		assert_int_equal(match(other) == OFFLOAD_FILTER_PASS, all);
		assert_int_equal(match(broadcast) == OFFLOAD_FILTER_PASS,
			all || mode & OFFLOAD_FILTER_BCAST);
		assert_int_equal(match(group) == OFFLOAD_FILTER_PASS, all || mc);
		assert_int_equal(match(unlisted) == OFFLOAD_FILTER_PASS,
			all || mode & OFFLOAD_FILTER_ALL_MULTI);
		if (!all)
			assert_int_equal(match(other), OFFLOAD_FILTER_NOT_MINE);
	}
}

static void
number_to_addr(uint32_t n, uint8_t *addr)
{
	put16(addr, 0x0100);
	put32(addr + 2, n * 2654435761u);
}

static void
lists(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 2, 100, OFFLOAD_FILTER_MAX_MC };
	static uint8_t list[OFFLOAD_FILTER_MAX_MC + 10][6];
	uint32_t i, n;

	(void)state;
	for (i = 0; i < OFFLOAD_FILTER_MAX_MC + 10; i++)
		number_to_addr(i, list[i]);
	flt.mode = OFFLOAD_FILTER_MCAST;
	for (n = 0; n < sizeof(sizes) / sizeof(sizes[0]); n++) {
		offload_filter_set_mc(&flt, (const uint8_t (*)[6])list, sizes[n]);
		assert_int_equal(flt.nb_mc, sizes[n]);
		for (i = 0; i < OFFLOAD_FILTER_MAX_MC + 10; i++)
			assert_int_equal(match(list[i]),
				i < sizes[n] ? OFFLOAD_FILTER_PASS : OFFLOAD_FILTER_NOT_MINE);
	}
	/* Ten too many are not taken. */
	offload_filter_set_mc(&flt, (const uint8_t (*)[6])list, OFFLOAD_FILTER_MAX_MC + 10);
	assert_int_equal(flt.nb_mc, OFFLOAD_FILTER_MAX_MC);
	assert_int_equal(match(list[0]), OFFLOAD_FILTER_PASS);
	assert_int_equal(match(list[OFFLOAD_FILTER_MAX_MC]), OFFLOAD_FILTER_NOT_MINE);

	/* All the same address. */
	for (i = 0; i < OFFLOAD_FILTER_MAX_MC; i++)
		memcpy(list[i], group, 6);
	offload_filter_set_mc(&flt, (const uint8_t (*)[6])list, OFFLOAD_FILTER_MAX_MC);
	assert_int_equal(match(group), OFFLOAD_FILTER_PASS);
	number_to_addr(1, list[0]);
	assert_int_equal(match(list[0]), OFFLOAD_FILTER_NOT_MINE);

	/* A shorter list forgets the longer one. */
	offload_filter_set_mc(&flt, NULL, 0);
	assert_int_equal(match(group), OFFLOAD_FILTER_NOT_MINE);
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, 6);
}

/* Whether a list that compare() has sorted has the address. */
static bool
listed(const uint8_t (*list)[6], uint32_t nb, const uint8_t *addr)
{
	return bsearch(addr, list, nb, 6, compare) != NULL;
}

/*
 * Addresses of one vendor, which differ in the last bytes only, at random and one after the other; some twice. What is asked
 * for is near to what is listed.
 */
static void
unicast_lists(void **state)
{
	static const uint32_t sizes[] = { 0, 1, 2, 127, 128, 129, 255, OFFLOAD_FILTER_MAX_UC };
	static uint8_t list[OFFLOAD_FILTER_MAX_UC][6];
	uint32_t n, i, round, hits;
	uint8_t asked[6];

	(void)state;
	flt.mode = OFFLOAD_FILTER_UCAST;
	for (round = 0; round < 40; round++) {
		n = sizes[round % (sizeof(sizes) / sizeof(sizes[0]))];
		for (i = 0; i < n; i++) {
			memcpy(list[i], own, 6);
			put16(list[i] + 4, round % 2 ? 0x0204 + i : rnd(1024));
		}
		offload_filter_set_uc(&flt, (const uint8_t (*)[6])list, n);
		qsort(list, n, 6, compare);
		memcpy(asked, own, 6);
		for (i = 0, hits = 0; i < 2048; i++) {
			put16(asked + 4, i);
			assert_int_equal(match(asked) == OFFLOAD_FILTER_PASS,
				listed((const uint8_t (*)[6])list, n, asked) || memcmp(asked, own, 6) == 0);
			hits += listed((const uint8_t (*)[6])list, n, asked);
		}
		assert_int_equal(hits, flt.nb_uc);
		assert_int_equal(match(own), OFFLOAD_FILTER_PASS);
		assert_int_equal(match(group), OFFLOAD_FILTER_NOT_MINE);
	}
	/* Without the mode the list is nothing. */
	flt.mode = OFFLOAD_FILTER_MCAST | OFFLOAD_FILTER_BCAST;
	assert_int_equal(match(list[0]), OFFLOAD_FILTER_NOT_MINE);
}

/* Groups and zeros are no addresses of anybody; and a table from a damaged file has an end. */
static void
odd_unicast_lists(void **state)
{
	static const uint8_t list[3][6] = { { 0x01, 0x00, 0x5e, 0x00, 0x00, 0xfb }, { 0 }, { 0x00, 0x0c, 0x29, 0x01, 0x02, 0x04 } };
	static const uint8_t none[6];

	(void)state;
	flt.mode = OFFLOAD_FILTER_UCAST;
	offload_filter_set_uc(&flt, list, 3);
	assert_int_equal(1, flt.nb_uc);
	assert_int_equal(match(group), OFFLOAD_FILTER_NOT_MINE);
	assert_int_equal(match(none), OFFLOAD_FILTER_NOT_MINE);
	assert_int_equal(match(other), OFFLOAD_FILTER_PASS);
	memset(flt.uc, 0xff, sizeof(flt.uc));
	assert_int_equal(match(other), OFFLOAD_FILTER_NOT_MINE);
}

/* A list entry is for multicast only, and a count from a damaged file is not believed. */
static void
odd_lists(void **state)
{
	(void)state;
	flt.mode = OFFLOAD_FILTER_MCAST | OFFLOAD_FILTER_UCAST;
	offload_filter_set_mc(&flt, &other, 1);
	assert_int_equal(match(other), OFFLOAD_FILTER_NOT_MINE);
	memset(flt.mc, 0, sizeof(flt.mc));
	memset(flt.mc_hash, 0xff, sizeof(flt.mc_hash));
	flt.nb_mc = UINT16_MAX;
	assert_int_equal(match(group), OFFLOAD_FILTER_NOT_MINE);
}

static void
vlans(void **state)
{
	uint32_t table[128] = { 0 };
	uint32_t vid, tci;

	(void)state;
	flt.mode = OFFLOAD_FILTER_UCAST;
	for (tci = 0; tci < 65536; tci++) /* the table of zeros that reset() set */
		assert_int_equal(offload_filter_match(&flt, own, true, (uint16_t)tci),
			OFFLOAD_FILTER_PASS);

	for (vid = 0; vid < 4096; vid += 13) {
		memset(table, 0, sizeof(table));
		table[vid >> 5] |= 1u << (vid & 31);
		offload_filter_set_vlans(&flt, table);
		for (tci = 0; tci < 65536; tci += 7)
			assert_int_equal(offload_filter_match(&flt, own, true, (uint16_t)tci),
				(tci & 4095) == vid || (tci & 4095) == 0 ?
				OFFLOAD_FILTER_PASS : OFFLOAD_FILTER_VLAN);
		assert_int_equal(offload_filter_match(&flt, own, false, 5), OFFLOAD_FILTER_PASS);
	}

	/* The address is looked at first; promiscuous mode looks at nothing. */
	assert_int_equal(offload_filter_match(&flt, other, true, 5), OFFLOAD_FILTER_NOT_MINE);
	flt.mode = OFFLOAD_FILTER_PROMISC;
	assert_int_equal(offload_filter_match(&flt, other, true, 5), OFFLOAD_FILTER_PASS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(modes, reset),
		cmocka_unit_test_setup(lists, reset),
		cmocka_unit_test_setup(odd_lists, reset),
		cmocka_unit_test_setup(unicast_lists, reset),
		cmocka_unit_test_setup(odd_unicast_lists, reset),
		cmocka_unit_test_setup(vlans, reset),
	};

	return cmocka_run_group_tests_name("offload_filter", tests, NULL, NULL);
}
