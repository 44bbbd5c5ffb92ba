/* SPDX-License-Identifier: BSD-3-Clause */
/* What a polling core keeps: which queues are busy, what ports cost, where their memory lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <numa.h>

#include <cmocka.h>

#include "numa_place.h"
#include "poll_list.h"
#include "port_cost.h"

static struct poll_list list;

static void
test_found_queues_are_busy(void **state)
{
	(void)state;
	poll_list_reset(&list, 7);
	assert_int_equal(list.generation, 7);
	assert_int_equal(poll_list_silent(&list, 0, 0xff, 4), 0xf); /* those in use */
	assert_int_equal(poll_list_silent(&list, 0, 0x5, 64), 0x5); /* those that are its own */
	assert_int_equal(poll_list_silent(&list, 0, UINT64_MAX, 0), 0);
	poll_list_add(&list, 3, 2, 100);
	poll_list_add(&list, 0, 63, 100);
	assert_int_equal(list.nb_busy, 2);
	assert_int_equal(list.busy[0].unit, 3);
	assert_int_equal(list.busy[0].queue, 2);
	assert_int_equal(poll_list_silent(&list, 3, 0xff, 8), 0xff & ~4);
	assert_true(poll_list_silent(&list, 0, UINT64_MAX, 64) == UINT64_MAX >> 1);
}

/* Each queue is looked at once, as a busy one or as a silent one, whatever comes and goes. */
static void
test_none_is_lost(void **state)
{
	enum { UNITS = 5, QUEUES = 8 };

	(void)state;
	srand(1);
	poll_list_reset(&list, 1);
	for (uint64_t tsc = 1; tsc < 20000; tsc++) {
		uint32_t seen[UNITS][QUEUES] = {{0}};

		for (uint32_t i = 0; i < list.nb_busy; i++) {
			seen[list.busy[i].unit][list.busy[i].queue]++;
			if (rand() % 3 == 0)
				list.busy[i].seen = tsc;
		}
		for (uint16_t u = 0; u < UNITS; u++) {
			uint64_t silent = poll_list_silent(&list, u, 0xff, QUEUES);

			for (; silent != 0; silent &= silent - 1) {
				uint16_t q = (uint16_t)__builtin_ctzll(silent);

				seen[u][q]++;
				if (rand() % 20 == 0)
					poll_list_add(&list, u, q, tsc);
			}
		}
		for (uint32_t i = 0; i < UNITS * QUEUES; i++)
			assert_int_equal(seen[i / QUEUES][i % QUEUES], 1);
		poll_list_age(&list, tsc - 5 + rand() % 3);
		for (uint32_t i = 0; i < list.nb_busy; i++)
			assert_true(list.busy[i].seen + 5 >= tsc);
	}
}

static void
test_a_full_list_loses_none(void **state)
{
	uint32_t silent = 0;

	(void)state;
	poll_list_reset(&list, 1);
	for (uint16_t u = 0; u < MAX_PORTS; u++) {
		for (uint16_t q = 0; q < 8; q++)
			poll_list_add(&list, u, q, 1);
	}
	assert_int_equal(list.nb_busy, POLL_BUSY_MAX);
	for (uint16_t u = 0; u < MAX_PORTS; u++)
		silent += (uint32_t)__builtin_popcountll(poll_list_silent(&list, u, 0xff, 8));
	assert_int_equal(silent + POLL_BUSY_MAX, MAX_PORTS * 8);
	poll_list_age(&list, 2);
	assert_int_equal(list.nb_busy, 0);
	assert_int_equal(poll_list_silent(&list, 0, 0xff, 8), 0xff);
}

/* ---- cost ---- */

static void
test_costs_add_up(void **state)
{
	struct port_cost cost;

	(void)state;
	assert_int_equal(port_cost_init(&cost, 3, 5), 0);
	port_cost_charge(&cost, 0, 0, 100, 2);
	port_cost_charge(&cost, 2, 0, 10, 1);
	port_cost_charge(&cost, 2, 4, 7, 3);
	port_cost_charge(&cost, 2, port_cost_intr(&cost), 1000, 1);
	assert_int_equal(port_cost_of(&cost, 0).cycles, 110);
	assert_int_equal(port_cost_of(&cost, 0).frames, 3);
	assert_int_equal(port_cost_on(&cost, 2).cycles, 17); /* without interrupts */
	assert_int_equal(port_cost_on(&cost, 2).frames, 4);
	assert_int_equal(port_cost_on(&cost, 1).cycles, 0);
	assert_int_equal(port_cost_get(&cost, 2, port_cost_intr(&cost)).cycles, 1000);
	/* Cores do not share cache lines. */
	assert_int_equal(cost.row * sizeof(struct cost) % 64, 0);
	assert_int_equal((uintptr_t)cost.cell % 64, 0);
	port_cost_fini(&cost);
}

/* ---- NUMA ---- */

/* Whatever the machine is, memory that was touched is on a node that exists, and all else is not known. */
static void
test_memory_has_a_node(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const void *address[70] = { NULL };
	int16_t node[70];
	char *mem;

	(void)state;
	mem = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(mem != MAP_FAILED);
	mem[page] = 1;
	assert_int_equal(munmap(mem + 3 * page, page), 0);
	address[1] = mem + page + 5;
	address[2] = mem + 2 * page; /* never touched */
	address[3] = mem + 3 * page; /* not mapped */
	address[69] = mem + page;    /* in another call */
	memset(node, 0x55, sizeof(node));
	numa_place_of(address, node, 70);
	assert_int_equal(node[0], NUMA_NO_NODE);
	assert_int_equal(node[2], NUMA_NO_NODE);
	assert_int_equal(node[3], NUMA_NO_NODE);
	assert_int_equal(node[69], node[1]);
	if (numa_available() >= 0)
		assert_in_range(node[1], 0, numa_max_node());
	else
		assert_int_equal(node[1], NUMA_NO_NODE);
	munmap(mem, 3 * page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_queues_are_busy),
		cmocka_unit_test(test_none_is_lost),
		cmocka_unit_test(test_a_full_list_loses_none),
		cmocka_unit_test(test_costs_add_up),
		cmocka_unit_test(test_memory_has_a_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
