/* SPDX-License-Identifier: BSD-3-Clause */
/* Which ports a polling core looks after the interrupts of, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_cycles.h>

#include "worker_intr.h"

/* Of a made-up clock, so fast that what passes on the real one is nothing. */
#define US UINT64_C(1000000000)

#define NB_PORTS 4

/* Ids in different words of the sets; the last is owned, the first has no interrupts. */
static const uint16_t ids[NB_PORTS] = { 3, 63, 64, MAX_PORTS - 1 };

static struct {
	struct port port[NB_PORTS];
	unsigned int polled[NB_PORTS];
	uint32_t most[NB_PORTS]; /* when it was polled last */
	uint64_t takes;          /* each time it raises something */
	enum vmxnet3_dev_intr_held holds[NB_PORTS];
	bool due[NB_PORTS];
	struct topology topo;
	struct topo_work work;
	struct forward fwd;
	struct worker_intr intr;
} t;

static enum vmxnet3_dev_intr_held
on_poll(struct port *port, uint32_t *left)
{
	uint32_t i = (uint32_t)(port - t.port);

	t.polled[i]++;
	t.most[i] = *left;
	if (*left > 0 && t.takes > 0) {
		t.fwd.ctx.clock.mark -= t.takes;
		*left -= 1;
	}
	return t.holds[i];
}

static bool
on_due(const struct port *port)
{
	return t.due[port - t.port];
}

static const struct port_ops device_ops = { .intr_poll = on_poll, .intr_due = on_due };
static const struct port_ops ethdev_ops;

static int
setup(void **state)
{
	uint32_t i;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.topo.nb_workers = 2;
	t.topo.work = &t.work;
	for (i = 0; i < NB_PORTS; i++) {
		t.port[i] = (struct port){ .id = ids[i], .ops = i == 0 ? &ethdev_ops : &device_ops };
		t.topo.port[ids[i]].port = &t.port[i];
		t.due[i] = true;
		if (port_cost_init(&t.port[i].cost, 1, 1) < 0)
			return -1;
	}
	t.work.owned[t.work.nb_owned++] = &t.port[3];
	t.fwd.ctx.tsc = 1000000 * US;
	t.fwd.ctx.clock.mark = rte_rdtsc();
	worker_intr_init(&t.intr, 1000000 * US);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < NB_PORTS; i++)
		port_cost_fini(&t.port[i].cost);
	return 0;
}

/* How often somebody was charged for interrupts of port @p i. */
static uint64_t
charged(uint32_t i)
{
	return port_cost_of(&t.port[i].cost, port_cost_intr(&t.port[i].cost)).frames;
}

static void
touch(uint32_t i)
{
	t.fwd.touched[ids[i] / 64] |= UINT64_C(1) << ids[i] % 64;
}

static unsigned int
round_of(uint32_t us, uint32_t i, bool idle)
{
	unsigned int before = t.polled[i];

	t.fwd.ctx.tsc += us * US;
	worker_intr_round(&t.intr, &t.fwd, &t.topo, &t.work, idle);
	return t.polled[i] - before;
}

/* A round without frames, so much later. @return how often port @p i was polled in it */
static unsigned int
round_later(uint32_t us, uint32_t i)
{
	return round_of(us, i, true);
}

static void
touched_once(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < NB_PORTS; i++)
		touch(i);
	worker_intr_flush(&t.intr, &t.fwd, &t.topo);
	worker_intr_flush(&t.intr, &t.fwd, &t.topo);
	for (i = 0; i < NB_PORTS; i++)
		assert_int_equal(t.polled[i], i > 0);
	assert_false(worker_intr_held(&t.intr));
}

static void
held_until_it_is_not(void **state)
{
	uint32_t i;

	(void)state;
	touch(2);
	t.holds[2] = VMXNET3_DEV_INTR_SOON;
	for (i = 1; i <= 3; i++) {
		worker_intr_flush(&t.intr, &t.fwd, &t.topo);
		assert_int_equal(t.polled[2], i);
		assert_true(worker_intr_held(&t.intr));
	}
	t.holds[2] = VMXNET3_DEV_INTR_NONE;
	worker_intr_flush(&t.intr, &t.fwd, &t.topo);
	assert_false(worker_intr_held(&t.intr));
	worker_intr_flush(&t.intr, &t.fwd, &t.topo);
	assert_int_equal(t.polled[2], 4);
	assert_int_equal(t.polled[1], 0);
}

static void
removed_while_held(void **state)
{
	(void)state;
	touch(2);
	t.holds[2] = VMXNET3_DEV_INTR_SOON;
	worker_intr_flush(&t.intr, &t.fwd, &t.topo);
	t.topo.port[ids[2]].port = NULL;
	worker_intr_flush(&t.intr, &t.fwd, &t.topo);
	assert_false(worker_intr_held(&t.intr));
	assert_int_equal(round_later(100, 2), 0);
	assert_int_equal(t.polled[2], 1);
}

/* Guests unmask without notice. */
static void
owned_again_and_again(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(round_later(0, 3), 1);
	assert_int_equal(round_later(19, 3), 0);
	assert_int_equal(round_later(1, 3), 1);
	for (i = 0; i < 100; i++)
		assert_int_equal(round_later(1000, 3), 1);
	assert_int_equal(t.polled[1] + t.polled[2], 0);
	/* What has nothing due is not looked at any closer. */
	t.due[3] = false;
	assert_int_equal(round_later(1000, 3), 0);
}

/* Each look costs the port that it is for, and nobody else. */
static void
charged_to_its_port(void **state)
{
	uint64_t begin = rte_rdtsc(), all = 0;

	(void)state;
	t.fwd.ctx.clock.mark = begin;
	touch(1);
	touch(2);
	worker_intr_flush(&t.intr, &t.fwd, &t.topo);
	round_later(100, 3);
	for (uint32_t i = 0; i < NB_PORTS; i++) {
		assert_int_equal(charged(i), t.polled[i]);
		all += port_cost_of(&t.port[i].cost, 1).cycles;
	}
	/* No cycle is charged twice. */
	assert_int_equal(all, t.fwd.ctx.clock.mark - begin);
}

/* Rounds of 1 ms in all, in which the port is rechecked as often as any is. */
static void
watched_for_1_ms(uint32_t i)
{
	for (uint32_t us = 0; us < 1000; us += 20) {
		assert_int_equal(round_later(19, i), 0);
		assert_int_equal(round_later(1, i), 1);
	}
}

/* The core that owns it may sleep: who has delivered looks after what is still due, however long, and no longer. */
static void
others_while_it_is_due(void **state)
{
	unsigned int i;

	(void)state;
	round_later(0, 1);
	touch(1);
	assert_int_equal(round_later(0, 1), 1);
	watched_for_1_ms(1);
	for (i = 0; i < 3; i++) {
		/* What comes in between is news. */
		touch(1);
		assert_int_equal(round_later(0, 1), 1);
		watched_for_1_ms(1);
	}
	watched_for_1_ms(1);
	/* Who does not unmask for so long is not waited for so eagerly. */
	for (i = 0; i < 100; i++) {
		assert_int_equal(round_later(400, 1), 0);
		assert_int_equal(round_later(400, 1), 0);
		assert_int_equal(round_later(200, 1), 1);
	}
	touch(1);
	assert_int_equal(round_later(0, 1), 1);
	watched_for_1_ms(1);
	t.due[1] = false;
	for (i = 0; i < 100; i++)
		assert_int_equal(round_later(20, 1), 0);
	assert_int_equal(t.polled[2], 0);
}

/* A busy round, so much after the last one. @return whether port 1 may raise something in it */
static bool
may_raise(uint32_t us)
{
	t.most[1] = 0;
	touch(1);
	round_of(us, 1, false);
	return t.most[1] > 0;
}

/* While there are frames to move, a port's interrupts have one part in 64 of the time, whatever it asks for. */
static void
storm_has_its_part(void **state)
{
	unsigned int raised = 0, i;

	(void)state;
	t.holds[1] = VMXNET3_DEV_INTR_SOON;
	t.takes = 60 * US;
	/* 1 ms ahead, and then 60 us in each 3840. */
	for (i = 0; i < 100000; i++)
		raised += may_raise(10);
	assert_in_range(raised, 1000000 / 3840, 1000000 / 3840 + 2);
	/* Looks that could raise nothing were not taken, but for the first. */
	assert_in_range(t.polled[1], raised, 2 * raised);
	/* Others are not touched by that. */
	touch(2);
	round_of(10, 2, false);
	assert_in_range(t.most[2], 1, 4);
	assert_true(worker_intr_held(&t.intr));
}

/* Nobody is kept from anything in rounds without frames: all may be raised, and nothing is paid for that later. */
static void
storm_when_nobody_waits(void **state)
{
	unsigned int i;

	(void)state;
	t.holds[1] = VMXNET3_DEV_INTR_SOON;
	t.takes = 60 * US;
	touch(1);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(round_of(60, 1, true) > 0, true);
		assert_in_range(t.most[1], 1, 4);
	}
	assert_true(may_raise(60));
	while (may_raise(10))
		;
	assert_int_equal(round_of(10, 1, true) > 0, true);
	assert_int_equal(t.most[1] > 0, true);
	assert_false(may_raise(10));
}

/* One that lost its CPU for 100 ms while it raised something is not told to pay for all of it. */
static void
late_is_no_storm(void **state)
{
	(void)state;
	t.takes = 100000 * US;
	assert_true(may_raise(10));
	t.takes = 0;
	assert_false(may_raise(10));
	assert_true(may_raise(5400));
}

/* What is held for long is not looked at for each burst, but in time, and whenever there is nothing else to do. */
static void
later_is_not_now(void **state)
{
	unsigned int i;

	(void)state;
	t.holds[1] = VMXNET3_DEV_INTR_LATER;
	for (i = 0; i < 100; i++) {
		assert_int_equal(may_raise(2), true);
		touch(2);
		assert_int_equal(round_of(2, 2, false), 1); /* nobody else's look is put off */
		assert_false(may_raise(7));
		assert_true(worker_intr_held(&t.intr));
		t.fwd.ctx.tsc += US;
	}
	assert_true(may_raise(0));
	assert_int_equal(round_of(1, 1, true), 1);
	/* One that gathers is, if more comes; a look while nothing does is in vain. */
	t.holds[1] = VMXNET3_DEV_INTR_MORE;
	assert_true(may_raise(10));
	assert_int_equal(round_of(2, 1, false), 0);
	assert_true(may_raise(1));
	assert_int_equal(round_of(9, 1, false), 0);
	assert_int_equal(round_of(1, 1, false), 1);
	/* It may pass at any time again. */
	t.holds[1] = VMXNET3_DEV_INTR_SOON;
	assert_true(may_raise(10));
	assert_true(may_raise(1));
	assert_true(may_raise(1));
}

/* Looks that raise nothing cost nothing, however many there are. */
static void
looks_are_free(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		t.fwd.ctx.clock.mark -= US;
		assert_true(may_raise(1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(touched_once, setup, teardown),
		cmocka_unit_test_setup_teardown(held_until_it_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(removed_while_held, setup, teardown),
		cmocka_unit_test_setup_teardown(owned_again_and_again, setup, teardown),
		cmocka_unit_test_setup_teardown(others_while_it_is_due, setup, teardown),
		cmocka_unit_test_setup_teardown(charged_to_its_port, setup, teardown),
		cmocka_unit_test_setup_teardown(storm_has_its_part, setup, teardown),
		cmocka_unit_test_setup_teardown(storm_when_nobody_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(late_is_no_storm, setup, teardown),
		cmocka_unit_test_setup_teardown(later_is_not_now, setup, teardown),
		cmocka_unit_test_setup_teardown(looks_are_free, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
