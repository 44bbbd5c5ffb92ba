/* SPDX-License-Identifier: BSD-3-Clause */
/* Every way to sum that this CPU can go, against DPDK's. */
#include "offload_frames.h"

#include <stdio.h>

#include <rte_ip.h>

#include <offload_copy.h>
#include <offload_sum.h>

#define LONGEST 300
#define SHIFTS  64

static uint8_t large[OFFLOAD_FRAME_MAX];

static void
fill(uint8_t *p, uint32_t len, uint32_t kind)
{
	for (uint32_t i = 0; i < len; i++)
		p[i] = kind == 0 ? 0 : kind == 1 ? 0xff : (uint8_t)rnd(256);
}

static void
check(const struct offload_sum_path *path, const uint8_t *src, uint8_t *dst, uint32_t len)
{
	uint16_t expected = rte_raw_cksum(src, len);

	assert_int_equal(offload_sum_fold(path->sum(src, len)), expected);
	assert_int_equal(offload_sum_fold(path->copy(dst, src, len)), expected);
	assert_memory_equal(dst, src, len);
	offload_sum_path = *path;
	assert_int_equal(offload_sum_bytes(src, len), expected);
	memset(dst, 0x5a, len);
	assert_int_equal(offload_copy_sum(dst, src, len), expected);
	assert_memory_equal(dst, src, len);
}

/* All lengths, all alignments, each in its own piece of heap: a byte too far is seen. */
static void
lengths_and_alignments(void **state)
{
	const struct offload_sum_path *path;
	uint32_t len, shift, to;

	(void)state;
	for (path = offload_sum_paths(); path->name != NULL; path++)
	for (len = 0; len <= LONGEST; len++)
	for (shift = 0; shift < SHIFTS; shift++) {
		uint8_t *src = malloc(shift + len), *dst;

		to = rnd(SHIFTS);
		dst = malloc(to + len);
		fill(src, shift + len, shift % 8);
		check(path, src + shift, dst + to, len);
		free(src);
		free(dst);
	}
}

/* Nothing is lost where carries are the most, nor beside the copy. */
static void
long_ranges(void **state)
{
	const struct offload_sum_path *path;
	uint8_t *dst = malloc(sizeof(large) + 2);
	uint32_t i, from, len;

	(void)state;
	for (path = offload_sum_paths(); path->name != NULL; path++)
	for (i = 0; i < 60; i++) {
		fill(large, sizeof(large), i);
		from = i < 4 ? 0 : rnd(200);
		len = i < 4 ? sizeof(large) : rnd(sizeof(large) - from + 1);
		dst[0] = dst[len + 1] = 0xc3;
		check(path, large + from, dst + 1, len);
		assert_true(dst[0] == 0xc3 && dst[len + 1] == 0xc3);
	}
	free(dst);
}

/* A source that overlaps its copy may give any bytes, none of them outside. */
static void
overlap(void **state)
{
	const struct offload_sum_path *path;
	uint32_t i, len, from, to;

	(void)state;
	for (path = offload_sum_paths(); path->name != NULL; path++)
	for (i = 0; i < 2000; i++) {
		uint8_t *room = malloc(1000);

		fill(room, 1000, 2);
		len = rnd(600);
		from = rnd(400);
		to = rnd(400);
		memset(large, 0, 1000);
		memcpy(large, room, 1000);
		path->copy(room + to, room + from, len);
		assert_memory_equal(room, large, to);
		assert_memory_equal(room + to + len, large + to + len, 1000 - to - len);
		free(room);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_and_alignments),
		cmocka_unit_test(long_ranges),
		cmocka_unit_test(overlap),
	};
	const struct offload_sum_path *path;

	for (path = offload_sum_paths(); path->name != NULL; path++)
		printf("%s%s", path == offload_sum_paths() ? "ways to sum: " : ", ", path->name);
	putchar('\n');
	return cmocka_run_group_tests_name("offload_sum", tests, NULL, NULL);
}
