/* SPDX-License-Identifier: BSD-3-Clause */
/* Which polling core polls which queue: loads, pins and NUMA nodes are made up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "affinity.h"
#include "queue_plan.h"

#define DIM(array) (sizeof(array) / sizeof((array)[0]))

static const int16_t one_node[MAX_WORKERS];
static const int16_t two_nodes[4] = { 0, 0, 1, 1 };

/* A queue that is there already. */
static struct plan_queue
old(uint16_t port, uint16_t queue, uint16_t core, uint32_t load)
{
	return (struct plan_queue){ .port = port, .queue = queue, .core = core, .pinned = PLAN_NO_CORE,
		.node = PLAN_NO_NODE, .load = load };
}

static struct plan_queue
new(uint16_t port, uint16_t queue)
{
	return old(port, queue, PLAN_NO_CORE, 0);
}

static uint32_t
load_of(const struct plan_queue *q, uint32_t nb, uint16_t core)
{
	uint32_t load = 0;

	for (uint32_t i = 0; i < nb; i++)
		load += q[i].core == core ? q[i].load : 0;
	return load;
}

static void
wake_up(struct plan_queue *q, uint32_t nb)
{
	for (uint32_t i = 0; i < nb; i++)
		q[i].rests = false;
}

/* ---- new queues ---- */

static void
test_queues_of_a_port_are_spread(void **state)
{
	struct plan_queue q[8];
	uint32_t own[4] = { 0 };

	(void)state;
	for (uint16_t i = 0; i < DIM(q); i++)
		q[i] = new(0, i);
	queue_plan_place(one_node, 4, q, DIM(q));
	for (uint32_t i = 0; i < DIM(q); i++)
		own[q[i].core]++;
	for (uint32_t i = 0; i < DIM(own); i++)
		assert_int_equal(own[i], 2);
}

/* Most guests use one queue: those must not all come to one core. */
static void
test_first_queues_are_spread(void **state)
{
	struct plan_queue q[8 * 8];
	uint32_t first[4] = { 0 }, nb = 0;

	(void)state;
	for (uint16_t port = 0; port < 8; port++) {
		for (uint16_t i = 0; i < 8; i++)
			q[nb++] = new(port, i);
		queue_plan_place(one_node, 4, q, nb);
		first[q[nb - 8].core]++;
	}
	for (uint32_t i = 0; i < DIM(first); i++)
		assert_int_equal(first[i], 2);
}

static void
test_new_ones_go_where_less_is_done(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 900), new(1, 0), new(2, 0), new(3, 0) };

	(void)state;
	queue_plan_place(one_node, 2, q, DIM(q));
	assert_int_equal(q[0].core, 0);
	for (uint32_t i = 1; i < DIM(q); i++)
		assert_int_equal(q[i].core, 1);
}

static void
test_old_ones_stay_where_they_are(void **state)
{
	struct plan_queue q[] = { old(0, 0, 1, 10), old(1, 0, 1, 900), old(2, 0, 1, 900), new(3, 0) };

	(void)state;
	queue_plan_place(one_node, 2, q, DIM(q));
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(q[i].core, 1);
	assert_int_equal(q[3].core, 0);
}

/* ---- pins ---- */

static void
test_pins_are_obeyed(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 900), old(1, 0, 0, 900), new(2, 0), new(2, 1) };

	(void)state;
	q[0].pinned = 1;
	q[1].pinned = 0;
	q[2].pinned = 1;
	q[0].rests = true; /* says nothing to a pin */
	queue_plan_place(one_node, 2, q, DIM(q));
	assert_int_equal(q[0].core, 1);
	assert_int_equal(q[1].core, 0);
	assert_int_equal(q[2].core, 1);
	assert_int_equal(q[3].core, 0); /* the other queue of that port is elsewhere */
	q[2].load = 5000;
	assert_int_equal(queue_plan_balance(one_node, 2, q, DIM(q)), 0);
}

static void
test_what_is_free_makes_room_for_what_is_pinned(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 600), old(1, 0, 0, 300) };

	(void)state;
	q[0].pinned = 0;
	assert_int_equal(queue_plan_balance(one_node, 2, q, DIM(q)), 1);
	assert_int_equal(q[0].core, 0);
	assert_int_equal(q[1].core, 1);
}

/* ---- balance ---- */

static void
test_a_full_core_is_relieved(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 250), old(1, 0, 0, 250), old(2, 0, 0, 250), old(3, 0, 0, 250) };

	(void)state;
	assert_int_equal(queue_plan_balance(one_node, 2, q, DIM(q)), 2);
	assert_int_equal(load_of(q, DIM(q), 0), 500);
	assert_int_equal(load_of(q, DIM(q), 1), 500);
	wake_up(q, DIM(q));
	assert_int_equal(queue_plan_balance(one_node, 2, q, DIM(q)), 0);
}

static void
test_small_gains_are_left_alone(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 500), old(1, 0, 0, 90), old(2, 0, 1, 420) };
	struct plan_queue calm[] = { old(0, 0, 0, 240), old(1, 0, 0, 240) };
	struct plan_queue alone[] = { old(0, 0, 0, 1000) };

	(void)state;
	assert_int_equal(queue_plan_balance(one_node, 2, q, DIM(q)), 0);
	/* Nothing waits for a core that is half idle. */
	assert_int_equal(queue_plan_balance(one_node, 2, calm, DIM(calm)), 0);
	/* One queue is one core's. */
	assert_int_equal(queue_plan_balance(one_node, 2, alone, DIM(alone)), 0);
	assert_int_equal(queue_plan_balance(one_node, 1, calm, DIM(calm)), 0);
}

static void
test_those_that_rest_stay(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 500), old(1, 0, 0, 500) };

	(void)state;
	q[0].rests = q[1].rests = true;
	assert_int_equal(queue_plan_balance(one_node, 2, q, DIM(q)), 0);
	q[1].rests = false;
	assert_int_equal(queue_plan_balance(one_node, 2, q, DIM(q)), 1);
	assert_int_equal(q[1].core, 1);
	assert_true(q[1].rests);
}

static void
test_moves_are_bounded(void **state)
{
	struct plan_queue q[100];

	(void)state;
	for (uint16_t i = 0; i < DIM(q); i++)
		q[i] = old(i, 0, 0, 1000);
	assert_int_equal(queue_plan_balance(one_node, 64, q, DIM(q)), PLAN_MOVES);
}

static uint32_t
random_below(uint32_t n)
{
	return (uint32_t)rand() % n;
}

static uint32_t
busiest(const struct plan_queue *q, uint32_t nb, uint16_t nb_cores)
{
	uint32_t most = 0;

	for (uint16_t c = 0; c < nb_cores; c++) {
		uint32_t load = load_of(q, nb, c);

		most = load > most ? load : most;
	}
	return most;
}

/* For any loads that do not change: the busiest core never gets busier, and soon nothing moves any more. */
static void
test_it_comes_to_rest(void **state)
{
	(void)state;
	srand(1);
	for (uint32_t turn = 0; turn < 500; turn++) {
		uint16_t nb_cores = (uint16_t)(1 + random_below(8));
		uint32_t nb = 1 + random_below(60), rounds = 0, before;
		struct plan_queue q[60];

		for (uint32_t i = 0; i < nb; i++) {
			q[i] = old((uint16_t)i, 0, (uint16_t)random_below(nb_cores), random_below(300));
			if (random_below(8) == 0)
				q[i].pinned = q[i].core;
		}
		do {
			before = busiest(q, nb, nb_cores);
			wake_up(q, nb);
			assert_true(++rounds < 100);
		} while (queue_plan_balance(one_node, nb_cores, q, nb) > 0 && busiest(q, nb, nb_cores) <= before);
		assert_true(busiest(q, nb, nb_cores) <= before);
		for (uint32_t i = 0; i < nb; i++)
			assert_true(q[i].pinned == PLAN_NO_CORE || q[i].core == q[i].pinned);
	}
}

/* Loads as they are measured: nothing moves because of noise. */
static void
test_noise_moves_nothing(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 0), old(1, 0, 0, 0), old(2, 0, 1, 0), old(3, 0, 1, 0) };

	(void)state;
	srand(2);
	for (uint32_t period = 0; period < 10000; period++) {
		for (uint32_t i = 0; i < DIM(q); i++)
			q[i].load = 400 + random_below(50);
		wake_up(q, DIM(q));
		assert_int_equal(queue_plan_balance(one_node, 2, q, DIM(q)), 0);
	}
}

/* ---- NUMA ---- */

static void
test_memory_is_near(void **state)
{
	struct plan_queue q[] = { new(0, 0), new(1, 0), new(2, 0), new(3, 0) };

	(void)state;
	for (uint32_t i = 0; i < DIM(q); i++)
		q[i].node = i < 2 ? 1 : 0;
	queue_plan_place(two_nodes, 4, q, DIM(q));
	assert_int_equal(two_nodes[q[0].core], 1);
	assert_int_equal(two_nodes[q[1].core], 1);
	assert_int_not_equal(q[0].core, q[1].core);
	assert_int_equal(two_nodes[q[2].core], 0);
	assert_int_equal(two_nodes[q[3].core], 0);
	assert_int_not_equal(q[2].core, q[3].core);
}

static void
test_a_queue_comes_home(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 300) };

	(void)state;
	q[0].node = 1;
	assert_int_equal(queue_plan_balance(two_nodes, 4, q, DIM(q)), 1);
	assert_int_equal(two_nodes[q[0].core], 1);
	assert_int_equal(q[0].load, 200); /* near memory costs less */
	wake_up(q, DIM(q));
	assert_int_equal(queue_plan_balance(two_nodes, 4, q, DIM(q)), 0);
}

/* Better far away than where there is no room; and it does not come back while there is none. */
static void
test_a_full_node_gives_away(void **state)
{
	struct plan_queue q[] = { old(0, 0, 0, 600), old(1, 0, 0, 400), old(2, 0, 1, 500), old(3, 0, 1, 500) };

	(void)state;
	for (uint32_t i = 0; i < DIM(q); i++)
		q[i].node = 0;
	assert_int_equal(queue_plan_balance(two_nodes, 4, q, DIM(q)), 2);
	assert_true(busiest(q, DIM(q), 4) <= 750);
	for (uint32_t turn = 0; turn < 10; turn++) {
		wake_up(q, DIM(q));
		assert_int_equal(queue_plan_balance(two_nodes, 4, q, DIM(q)), 0);
	}
}

static void
test_a_pin_counts_more_than_a_node(void **state)
{
	struct plan_queue q[] = { new(0, 0) };

	(void)state;
	q[0].node = 1;
	q[0].pinned = 0;
	queue_plan_place(two_nodes, 4, q, DIM(q));
	assert_int_equal(q[0].core, 0);
	assert_int_equal(queue_plan_balance(two_nodes, 4, q, DIM(q)), 0);
}

/* ---- affinity ---- */

static void
test_affinity_is_read(void **state)
{
	struct affinity a;

	(void)state;
	assert_true(affinity_parse("0:1,2-3:12", &a));
	assert_int_equal(a.nb_queues, 4);
	assert_int_equal(a.cpu[0], 1);
	assert_int_equal(a.cpu[1], -1);
	assert_int_equal(a.cpu[2], 12);
	assert_int_equal(a.cpu[3], 12);
	assert_true(affinity_parse(NULL, &a));
	assert_int_equal(a.nb_queues, 0);
	assert_true(affinity_parse("none", &a));
	assert_int_equal(a.nb_queues, 0);
	assert_true(affinity_parse("63:1023", &a));
	assert_int_equal(a.nb_queues, 64);
}

static void
test_no_affinity(void **state)
{
	static const char *const bad[] = { "", "0", "0:", ":1", "0:1,", ",0:1", "0:1;1:1", "64:1", "0:1024", "1-0:1", "0:1,0:1",
		"0-2:1,1:0", "-1:0", "0:-1", "0: 1", "0-:1", "0:1-2", "x", "0:1 ", "99999999999999999999:1", "none,0:1" };
	struct affinity a;

	(void)state;
	for (unsigned int i = 0; i < DIM(bad); i++)
		assert_false(affinity_parse(bad[i], &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queues_of_a_port_are_spread),
		cmocka_unit_test(test_first_queues_are_spread),
		cmocka_unit_test(test_new_ones_go_where_less_is_done),
		cmocka_unit_test(test_old_ones_stay_where_they_are),
		cmocka_unit_test(test_pins_are_obeyed),
		cmocka_unit_test(test_what_is_free_makes_room_for_what_is_pinned),
		cmocka_unit_test(test_a_full_core_is_relieved),
		cmocka_unit_test(test_small_gains_are_left_alone),
		cmocka_unit_test(test_those_that_rest_stay),
		cmocka_unit_test(test_moves_are_bounded),
		cmocka_unit_test(test_it_comes_to_rest),
		cmocka_unit_test(test_noise_moves_nothing),
		cmocka_unit_test(test_memory_is_near),
		cmocka_unit_test(test_a_queue_comes_home),
		cmocka_unit_test(test_a_full_node_gives_away),
		cmocka_unit_test(test_a_pin_counts_more_than_a_node),
		cmocka_unit_test(test_affinity_is_read),
		cmocka_unit_test(test_no_affinity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
