/* SPDX-License-Identifier: BSD-3-Clause */
/* The address table of a bridge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include <rte_eal.h>
#include <rte_lcore.h>

#include "fdb.h"

#define SIZE 64

static unsigned int quiesced;

static void
quiesce(void)
{
	quiesced++;
}

static const uint8_t *
mac(uint32_t n)
{
	static uint8_t m[6];

	m[0] = 0x02;
	memcpy(m + 2, &n, 4);
	return m;
}

static int
setup(void **state)
{
	*state = fdb_create(SIZE, quiesce);
	return *state == NULL;
}

static int
teardown(void **state)
{
	fdb_destroy(*state);
	return 0;
}

static void
learns_and_finds(void **state)
{
	struct fdb *fdb = *state;

	assert_int_equal(fdb_lookup(fdb, mac(1), 0), FDB_NO_PORT);
	assert_int_equal(fdb_learn(fdb, mac(1), 0, 7, 100), FDB_NEW);
	assert_int_equal(fdb_learn(fdb, mac(1), 0, 7, 101), FDB_KNOWN);
	assert_int_equal(fdb_lookup(fdb, mac(1), 0), 7);
	assert_int_equal(fdb_lookup(fdb, mac(2), 0), FDB_NO_PORT);
	assert_int_equal(fdb_used(fdb), 1);
}

static void
keeps_vlans_apart(void **state)
{
	struct fdb *fdb = *state;

	fdb_learn(fdb, mac(1), 10, 1, 100);
	fdb_learn(fdb, mac(1), 20, 2, 100);
	assert_int_equal(fdb_lookup(fdb, mac(1), 10), 1);
	assert_int_equal(fdb_lookup(fdb, mac(1), 20), 2);
	assert_int_equal(fdb_lookup(fdb, mac(1), 0), FDB_NO_PORT);
}

static void
follows_a_move(void **state)
{
	struct fdb *fdb = *state;

	fdb_learn(fdb, mac(1), 0, 1, 100);
	assert_int_equal(fdb_learn(fdb, mac(1), 0, 2, 100), FDB_MOVED);
	assert_int_equal(fdb_lookup(fdb, mac(1), 0), 2);
	assert_int_equal(fdb_used(fdb), 1);
}

static void
is_bounded_exactly(void **state)
{
	struct fdb *fdb = *state;

	for (uint32_t i = 0; i < SIZE; i++)
		assert_int_equal(fdb_learn(fdb, mac(i), 0, 1, 100), FDB_NEW);
	for (uint32_t i = SIZE; i < 3 * SIZE; i++)
		assert_int_equal(fdb_learn(fdb, mac(i), 0, 1, 100), FDB_FULL);
	assert_int_equal(fdb_used(fdb), SIZE);
	/* Those that are in it can still move. */
	assert_int_equal(fdb_learn(fdb, mac(0), 0, 2, 100), FDB_MOVED);
	/* A place that becomes free is used again. */
	assert_int_equal(fdb_flush(fdb, 2), 1);
	assert_int_equal(fdb_learn(fdb, mac(1000), 0, 1, 100), FDB_NEW);
	assert_int_equal(fdb_learn(fdb, mac(1001), 0, 1, 100), FDB_FULL);
}

static uint32_t
age_once_round(struct fdb *fdb, uint32_t now, uint32_t max_age)
{
	uint32_t dropped = 0;

	for (int i = 0; i < FDB_AGE_CALLS; i++)
		dropped += fdb_age(fdb, now, max_age);
	return dropped;
}

static void
ages(void **state)
{
	struct fdb *fdb = *state;

	fdb_learn(fdb, mac(1), 0, 1, 100);
	fdb_learn(fdb, mac(2), 0, 1, 100);
	fdb_learn(fdb, mac(1), 0, 1, 105);
	assert_int_equal(age_once_round(fdb, 110, 10), 0);
	assert_int_equal(age_once_round(fdb, 111, 10), 1);
	assert_int_equal(fdb_lookup(fdb, mac(1), 0), 1);
	assert_int_equal(fdb_lookup(fdb, mac(2), 0), FDB_NO_PORT);
	/* A core whose clock is a second ahead makes nothing old. */
	fdb_learn(fdb, mac(3), 0, 1, 112);
	assert_int_equal(age_once_round(fdb, 111, 10), 0);
	assert_int_equal(fdb_used(fdb), 2);
}

/* A position that is used again is not found by who was there before, however he was found. */
static void
forgets_who_has_left(void **state)
{
	struct fdb *fdb = *state;

	for (uint32_t round = 0; round < 50; round++) {
		/* Twice: by the hash, and by what that leaves behind. */
		for (uint32_t i = 0; i < 2 * SIZE; i++)
			fdb_learn(fdb, mac(round * SIZE + i % SIZE), 0, (uint16_t)(1 + round % 7), round);
		for (uint32_t i = 0; i < SIZE; i++)
			assert_int_equal(fdb_lookup(fdb, mac(round * SIZE + i), 0), 1 + round % 7);
		for (uint32_t i = 0; round > 0 && i < SIZE; i++)
			assert_int_equal(fdb_lookup(fdb, mac((round - 1) * SIZE + i), 0), FDB_NO_PORT);
		assert_int_equal(fdb_used(fdb), SIZE);
		assert_int_equal(fdb_flush(fdb, FDB_NO_PORT), SIZE);
		for (uint32_t i = 0; i < SIZE; i++)
			assert_int_equal(fdb_lookup(fdb, mac(round * SIZE + i), 0), FDB_NO_PORT);
	}
}

static void
waits_before_it_reuses(void **state)
{
	struct fdb *fdb = *state;

	fdb_learn(fdb, mac(1), 0, 1, 100);
	quiesced = 0;
	assert_int_equal(fdb_flush(fdb, 5), 0);
	assert_int_equal(quiesced, 0);
	assert_int_equal(fdb_flush(fdb, 1), 1);
	/* Before hints to it are taken back, and after. */
	assert_int_equal(quiesced, 2);
	assert_int_equal(fdb_used(fdb), 0);
}

struct seen {
	unsigned int n;
	uint32_t sum;
};

static void
see(const struct fdb_address *a, void *arg)
{
	struct seen *seen = arg;
	uint32_t n;

	memcpy(&n, a->mac + 2, 4);
	assert_int_equal(a->port, n + 1);
	assert_int_equal(a->seen, 100);
	seen->n++;
	seen->sum += n;
}

static void
lists(void **state)
{
	struct fdb *fdb = *state;
	struct seen seen = {0};

	for (uint32_t i = 1; i <= 20; i++)
		fdb_learn(fdb, mac(i), 0, (uint16_t)(i + 1), 100);
	fdb_foreach(fdb, see, &seen);
	assert_int_equal(seen.n, 20);
	assert_int_equal(seen.sum, 210);
	assert_int_equal(fdb_flush(fdb, FDB_NO_PORT), 20);
	seen = (struct seen){0};
	fdb_foreach(fdb, see, &seen);
	assert_int_equal(seen.n, 0);
}

/* ---- two cores learn the same addresses while the main thread takes them away ---- */

#define NB_THREADS 2
#define ROUNDS 20000

static struct {
	struct fdb *fdb;
	unsigned int round[NB_THREADS];
	bool done[NB_THREADS];
} race;

/* Until each has begun another round, or has ended. */
static void
quiesce_race(void)
{
	for (int t = 0; t < NB_THREADS; t++) {
		unsigned int was = __atomic_load_n(&race.round[t], __ATOMIC_SEQ_CST);

		while (__atomic_load_n(&race.round[t], __ATOMIC_SEQ_CST) == was &&
		       !__atomic_load_n(&race.done[t], __ATOMIC_SEQ_CST))
			sched_yield();
	}
}

static void *
learner(void *arg)
{
	uintptr_t t = (uintptr_t)arg;
	unsigned long failures = 0;
	uint8_t m[6] = {2};

	rte_thread_register();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		uint16_t port;

		__atomic_store_n(&race.round[t], i + 1, __ATOMIC_SEQ_CST);
		m[5] = (uint8_t)(i % (SIZE + 8));
		fdb_learn(race.fdb, m, 0, (uint16_t)t, i);
		port = fdb_lookup(race.fdb, m, 0);
		if (port != FDB_NO_PORT && port >= NB_THREADS)
			failures++;
	}
	__atomic_store_n(&race.done[t], true, __ATOMIC_SEQ_CST);
	rte_thread_unregister();
	return (void *)failures;
}

static void
survives_a_race(void **state)
{
	pthread_t thread[NB_THREADS];
	void *failures;

	(void)state;
	race.fdb = fdb_create(SIZE, quiesce_race);
	assert_non_null(race.fdb);
	for (uintptr_t t = 0; t < NB_THREADS; t++)
		assert_int_equal(pthread_create(&thread[t], NULL, learner, (void *)t), 0);
	while (!__atomic_load_n(&race.done[0], __ATOMIC_SEQ_CST) ||
	       !__atomic_load_n(&race.done[1], __ATOMIC_SEQ_CST)) {
		fdb_flush(race.fdb, 0);
		fdb_age(race.fdb, ROUNDS, ROUNDS / 2);
		assert_true(fdb_used(race.fdb) <= SIZE);
	}
	for (int t = 0; t < NB_THREADS; t++) {
		pthread_join(thread[t], &failures);
		assert_null(failures);
	}
	/* Nothing is lost: what is counted is what is there, and all of it fits again. */
	fdb_flush(race.fdb, FDB_NO_PORT);
	assert_int_equal(fdb_used(race.fdb), 0);
	for (uint32_t i = 0; i < SIZE; i++)
		assert_int_equal(fdb_learn(race.fdb, mac(i), 0, 1, 100), FDB_NEW);
	fdb_destroy(race.fdb);
}

int
main(void)
{
	char *args[] = {"test", "--no-huge", "-m", "64", "--no-shconf", "--no-pci", "--lcores",
		"0@(0)", "--log-level", "error", NULL};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(learns_and_finds, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_vlans_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(follows_a_move, setup, teardown),
		cmocka_unit_test_setup_teardown(is_bounded_exactly, setup, teardown),
		cmocka_unit_test_setup_teardown(ages, setup, teardown),
		cmocka_unit_test_setup_teardown(forgets_who_has_left, setup, teardown),
		cmocka_unit_test_setup_teardown(waits_before_it_reuses, setup, teardown),
		cmocka_unit_test_setup_teardown(lists, setup, teardown),
		cmocka_unit_test(survives_a_race),
	};

	if (rte_eal_init(10, args) < 0)
		return EXIT_FAILURE;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
