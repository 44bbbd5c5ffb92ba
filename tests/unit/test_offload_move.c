/* SPDX-License-Identifier: BSD-3-Clause */
/* The copy that asks for lines ahead: every length, any alignment, no byte beyond, by all vectors. */
#include "offload_frames.h"

#include <sys/mman.h>

#include <rte_common.h>

#include <offload_move.h>

#define PAGE 4096u

typedef void (*move_fn)(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next);

static void
generic(uint8_t *to, const uint8_t *from, uint32_t len, struct offload_next next)
{
	if (len >= OFFLOAD_MOVE_LINE)
		offload_move_generic(to, from, len, next);
	else
		memmove(to, from, len);
}

static const move_fn ways[] = { offload_move, generic };

/* The ranges end where their allocations do, and begin at the places given. */
static void
move_one(move_fn move, uint32_t len, uint32_t from_at, uint32_t to_at)
{
	const struct offload_next nowhere = { .to = NULL, .from = NULL };
	uint8_t *from = malloc(from_at + len), *to = malloc(to_at + len);
	uint32_t i;

	for (i = 0; i < from_at + len; i++)
		from[i] = (uint8_t)rnd(256);
	memset(to, 0xa5, to_at + len);
	move(to + to_at, from + from_at, len, nowhere);
	for (i = 0; i < to_at; i++)
		assert_int_equal(to[i], 0xa5);
	assert_memory_equal(to + to_at, from + from_at, len);
	free(from);
	free(to);
}

static void
every_length(void **state)
{
	uint32_t way, len;

	(void)state;
	for (way = 0; way < RTE_DIM(ways); way++) {
		for (len = 0; len < 1500; len++)
			move_one(ways[way], len, rnd(70), rnd(70));
		for (; len < 70000; len += 1 + rnd(500))
			move_one(ways[way], len, rnd(70), rnd(70));
	}
}

/* Lines are asked for behind both ranges and at what comes next, wherever that is: nobody dies of it. */
static void
asking_is_harmless(void **state)
{
	uint8_t *from = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *to = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const struct offload_next hole = { .to = to + PAGE, .from = from + PAGE };
	const struct offload_next far = { .to = (const uint8_t *)UINTPTR_MAX, .from = (const uint8_t *)UINTPTR_MAX };
	uint32_t way;

	(void)state;
	assert_true(from != MAP_FAILED && to != MAP_FAILED);
	assert_return_code(mprotect(from + PAGE, PAGE, PROT_NONE), 0);
	assert_return_code(mprotect(to + PAGE, PAGE, PROT_NONE), 0);
	memset(from, 0x5a, PAGE);
	for (way = 0; way < RTE_DIM(ways); way++) {
		memset(to, 0, PAGE);
		ways[way](to, from, PAGE, hole);
		assert_memory_equal(to, from, PAGE);
		ways[way](to, from, PAGE, far);
	}
	munmap(from, 2 * PAGE);
	munmap(to, 2 * PAGE);
}

/* A guest may send out of its receive buffer. */
static void
overlapping_writes_nothing_beyond(void **state)
{
	enum { ROOM = 4096, MARGIN = 64 };
	static uint8_t buf[ROOM + 2 * MARGIN];
	const struct offload_next nowhere = { .to = NULL, .from = NULL };
	uint32_t way, i, k;

	(void)state;
	for (way = 0; way < RTE_DIM(ways); way++)
		for (i = 0; i < 2000; i++) {
			uint32_t len = rnd(ROOM / 2), to = MARGIN + rnd(ROOM / 2), from = MARGIN + rnd(ROOM / 2);

			memset(buf, 0xa5, sizeof(buf));
			memset(buf + from, 0x5a, len);
			ways[way](buf + to, buf + from, len, nowhere);
			for (k = 0; k < sizeof(buf); k++)
				if ((k < to || k >= to + len) && (k < from || k >= from + len))
					assert_int_equal(buf[k], 0xa5);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length),
		cmocka_unit_test(asking_is_harmless),
		cmocka_unit_test(overlapping_writes_nothing_beyond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
