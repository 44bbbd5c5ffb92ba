/* SPDX-License-Identifier: BSD-3-Clause */
/* A wire's two ends follow each other, and never hold each other down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "link.h"

#define STEPS 20

/* An end as it really is, and what the switch sees of it. */
struct real {
	struct link_end end;
	bool works;  /* its cable, its driver ... */
	int coming;  /* steps that its link still needs to come up */
	int delay;   /* ... of how many */
	int offered_for;
};

static void
see(struct real *r)
{
	r->end.own = r->works && (!r->end.hidden || (r->end.offered && r->coming == 0));
	if (r->end.offered && r->coming > 0)
		r->coming--;
	r->end.settling = r->offered_for < 5;
}

static void
offer(struct real *r, bool carrier)
{
	r->offered_for = carrier == r->end.offered ? r->offered_for + 1 : 0;
	if (!r->end.offered && carrier)
		r->coming = r->delay;
	r->end.offered = carrier;
}

/* What ten ticks and more make of them. @return how often a carrier changed in the second half */
static int
settle(struct real *a, struct real *b)
{
	int changes = 0;

	for (int i = 0; i < 2 * STEPS; i++) {
		bool was_a = a->end.offered, was_b = b->end.offered;

		see(a);
		see(b);
		offer(a, link_wire_carrier(&a->end, &b->end));
		offer(b, link_wire_carrier(&b->end, &a->end));
		if (i >= STEPS)
			changes += (a->end.offered != was_a) + (b->end.offered != was_b);
	}
	return changes;
}

#define assert_settles(a, b, offered_a, offered_b) do { \
	assert_int_equal(settle(a, b), 0); \
	assert_int_equal((a)->end.offered, offered_a); \
	assert_int_equal((b)->end.offered, offered_b); \
} while (0)

static void
both_ends_down_and_up(bool hidden_a, bool hidden_b, int delay)
{
	struct real a = {.end = {.plugged = true, .hidden = hidden_a}, .works = true,
		.delay = delay};
	struct real b = {.end = {.plugged = true, .hidden = hidden_b}, .works = true,
		.delay = delay};

	assert_settles(&a, &b, true, true);
	a.works = false;
	assert_settles(&a, &b, true, false);
	a.works = true;
	assert_settles(&a, &b, true, true);

	/* Both fail, in one order and the other, and come back. */
	a.works = false;
	settle(&a, &b);
	b.works = false;
	settle(&a, &b);
	a.works = true;
	settle(&a, &b);
	b.works = true;
	assert_settles(&a, &b, true, true);

	a.works = b.works = false;
	settle(&a, &b);
	b.works = true;
	settle(&a, &b);
	a.works = true;
	assert_settles(&a, &b, true, true);
}

static void
follows_whatever_can_be_seen(void **state)
{
	(void)state;
	for (int kinds = 0; kinds < 4; kinds++) {
		for (int delay = 0; delay < 4; delay++)
			both_ends_down_and_up(kinds & 1, kinds & 2, delay);
	}
}

static void
a_pulled_cable_is_dark_on_both_sides(void **state)
{
	struct real a = {.end = {.plugged = true}, .works = true};
	struct real b = {.end = {.plugged = true}, .works = true};

	(void)state;
	assert_settles(&a, &b, true, true);
	a.end.plugged = false;
	assert_settles(&a, &b, false, false);
	b.end.plugged = false;
	assert_settles(&a, &b, false, false);
	a.end.plugged = true;
	assert_settles(&a, &b, false, false);
	b.end.plugged = true;
	assert_settles(&a, &b, true, true);
}

static void
one_end_alone_is_dark(void **state)
{
	struct link_end end = {.plugged = true, .own = true};

	(void)state;
	assert_false(link_wire_carrier(&end, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_whatever_can_be_seen),
		cmocka_unit_test(a_pulled_cable_is_dark_on_both_sides),
		cmocka_unit_test(one_end_alone_is_dark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
