/* SPDX-License-Identifier: BSD-3-Clause */
/* How often a polling core looks at which queue, and whom it charges. Ports are made up; so is its clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "poll_round.h"

#define US        1000u /* of the clock */
#define NB_PORTS  28
#define NB_QUEUES 4

static struct {
	struct port port[NB_PORTS];
	struct port_queue queue[NB_PORTS][NB_QUEUES];
	struct port_counters counters[NB_PORTS];
	uint16_t used[NB_PORTS];                   /* queues in use */
	uint32_t frames[NB_PORTS][NB_QUEUES];      /* that come at each look */
	uint32_t cycles;                           /* that a burst takes, at least */
	uint32_t polled[NB_PORTS][NB_QUEUES];
	uint64_t seen[NB_PORTS][NB_QUEUES];        /* clock of the last look */
	uint64_t longest[NB_PORTS][NB_QUEUES];     /* between two looks */
	struct topology *topo;
	struct forward *fwd;
	struct poll_round *round;
} t;

static uint16_t
on_queues(const struct port *port)
{
	return t.used[port->id];
}

static uint16_t
on_begin(struct port *port, uint16_t q, struct port_ctx *ctx, struct offload_frame **frames)
{
	static uint8_t data[OFFLOAD_HEADROOM + 60];
	static struct offload_seg seg = { .data = data + OFFLOAD_HEADROOM, .len = 60 };
	static struct offload_frame frame[PORT_BURST];
	uint64_t gap = ctx->tsc - t.seen[port->id][q];

	assert_true(q < t.used[port->id]);
	t.polled[port->id][q]++;
	t.longest[port->id][q] = RTE_MAX(t.longest[port->id][q], gap);
	t.seen[port->id][q] = ctx->tsc;
	for (uint32_t i = 0; i < t.frames[port->id][q]; i++)
		frame[i] = (struct offload_frame){ .seg = &seg, .nb_segs = 1, .len = 60 };
	*frames = frame;
	return (uint16_t)t.frames[port->id][q];
}

static void
on_end(struct port *port, uint16_t q, struct port_ctx *ctx)
{
	uint64_t begin = rte_rdtsc();

	(void)ctx;
	assert_true(t.frames[port->id][q] > 0);
	while (rte_rdtsc() - begin < t.cycles)
		;
}

static enum vmxnet3_dev_intr_held
on_intr(struct port *port, uint32_t *left)
{
	(void)port;
	(void)left;
	return VMXNET3_DEV_INTR_NONE;
}

static bool
on_due(const struct port *port)
{
	(void)port;
	return false;
}

/* What is told of the only port that can be looked at so. */
static uint64_t
on_pending(const void *look, uint64_t queues)
{
	uint64_t pending = 0;

	assert_ptr_equal(look, &t);
	for (uint16_t q = 0; q < t.used[0]; q++) {
		if (t.frames[0][q] > 0)
			pending |= queues & UINT64_C(1) << q;
	}
	return pending;
}

static const struct port_ops ops = { .rx_queues = on_queues, .rx_begin = on_begin, .rx_end = on_end };
static const struct port_ops guest_ops = { .rx_queues = on_queues, .rx_begin = on_begin, .rx_end = on_end,
	.intr_poll = on_intr, .intr_due = on_due };

static void
publish(void)
{
	struct port *ports[NB_PORTS];

	for (uint16_t i = 0; i < NB_PORTS; i++)
		ports[i] = &t.port[i];
	topology_free(t.topo);
	t.topo = topology_create(ports, NB_PORTS, NULL, 0, 2);
	assert_non_null(t.topo);
}

static int
setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	for (uint16_t i = 0; i < NB_PORTS; i++) {
		/* A port that is down: its frames go nowhere. */
		t.port[i] = (struct port){ .id = i, .ops = &ops, .nb_queues = NB_QUEUES, .queue = t.queue[i],
			.counters = &t.counters[i] };
		t.used[i] = 1;
		if (port_cost_init(&t.port[i].cost, 2, NB_QUEUES) < 0)
			return -1;
	}
	t.fwd = calloc(1, sizeof(*t.fwd));
	t.round = calloc(1, sizeof(*t.round));
	if (t.fwd == NULL || t.round == NULL)
		return -1;
	t.fwd->ctx.tsc = 1000000 * US;
	poll_round_init(t.round, t.fwd, 1000000 * US);
	publish();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < NB_PORTS; i++)
		port_cost_fini(&t.port[i].cost);
	topology_free(t.topo);
	free(t.round);
	free(t.fwd);
	return 0;
}

/* So many rounds, each of which takes a microsecond. */
static void
go_round(uint32_t n)
{
	memset(t.polled, 0, sizeof(t.polled));
	memset(t.longest, 0, sizeof(t.longest));
	for (; n > 0; n--) {
		t.fwd->ctx.tsc += US;
		poll_round(t.round, t.topo);
	}
}

static void
test_idle_cores_look_at_all(void **state)
{
	(void)state;
	go_round(1000);
	for (uint16_t i = 0; i < NB_PORTS; i++) {
		assert_int_equal(t.polled[i][0], 1000);
		assert_int_equal(t.polled[i][1], 0); /* not in use */
	}
}

static void
test_silent_ports_are_visited_less(void **state)
{
	(void)state;
	t.frames[3][0] = 1;
	go_round(1);
	go_round(1000);
	for (uint16_t i = 0; i < NB_PORTS; i++) {
		if (i == 3) {
			assert_int_equal(t.polled[i][0], 1000);
			continue;
		}
		assert_in_range(t.polled[i][0], 18, 21);
		/* What is promised to their first frame, but for the round. */
		assert_in_range(t.longest[i][0], 1, 50 * US + US);
	}
}

static void
test_who_speaks_is_visited_more(void **state)
{
	(void)state;
	t.frames[3][0] = 1;
	go_round(100);
	t.frames[7][0] = 1;
	go_round(51);
	t.frames[7][0] = 0;
	go_round(80);
	assert_int_equal(t.polled[7][0], 80);
	go_round(100);
	go_round(250);
	assert_in_range(t.polled[7][0], 4, 6);
}

static void
test_new_queues_are_found(void **state)
{
	(void)state;
	t.frames[3][0] = t.frames[3][2] = 1;
	go_round(100);
	assert_int_equal(t.polled[3][2], 0);
	t.used[3] = 3;
	go_round(51);
	go_round(250);
	assert_int_equal(t.polled[3][2], 250);
	assert_in_range(t.polled[3][1], 4, 6);
}

/* A port that tells from outside what its queues have is asked for what there is. */
static void
test_quick_looks_are_enough(void **state)
{
	const struct port_ops quick = { .rx_pending = on_pending, .rx_begin = on_begin, .rx_end = on_end };

	(void)state;
	t.port[0].ops = &quick;
	t.port[0].look = &t;
	publish();
	t.frames[3][0] = 1;
	t.used[0] = 3;
	go_round(200);
	for (uint16_t q = 0; q < NB_QUEUES; q++)
		assert_int_equal(t.polled[0][q], 0);
	t.frames[0][1] = 1;
	go_round(51);
	go_round(100);
	assert_int_equal(t.polled[0][1], 100);
	assert_int_equal(t.polled[0][0] + t.polled[0][2], 0);
}

/* From the next topology on; queues of others are never looked at. */
static void
test_queues_go_to_another_core(void **state)
{
	(void)state;
	t.frames[3][0] = t.frames[4][0] = 1;
	go_round(100);
	t.queue[3][0].worker = 1;
	t.queue[5][0].worker = PORT_NO_WORKER;
	publish();
	go_round(100);
	assert_int_equal(t.polled[3][0], 0);
	assert_int_equal(t.polled[5][0], 0);
	assert_int_equal(t.polled[4][0], 100);
	t.queue[3][0].worker = 0;
	publish();
	go_round(100);
	assert_int_equal(t.polled[3][0], 100);
}

static void
test_who_has_frames_is_charged(void **state)
{
	uint64_t before, all = 0;

	(void)state;
	t.frames[3][0] = t.frames[4][0] = 1;
	before = t.fwd->ctx.clock.mark = rte_rdtsc();
	go_round(1000);
	for (uint16_t i = 0; i < NB_PORTS; i++) {
		struct cost cost = port_cost_of(&t.port[i].cost, 0);

		assert_int_equal(cost.frames, t.frames[i][0] > 0 ? 1000 : 0);
		assert_true((cost.cycles > 0) == (t.frames[i][0] > 0));
		all += cost.cycles;
	}
	assert_true(all <= t.fwd->ctx.clock.mark - before);
	assert_int_equal(port_cost_get(&t.port[3].cost, 1, 0).frames, 0); /* the other core */
}

static uint64_t
cycles_of(uint16_t port)
{
	return port_cost_on(&t.port[port].cost, 0).cycles;
}

/* Two ports with all queues full, one with a single one: rounds until the first have had no more than its share each. */
static bool
share_evenly(void)
{
	for (uint32_t tries = 0; tries < 100; tries++) {
		uint64_t single;

		go_round(300);
		single = cycles_of(5);
		if (cycles_of(3) < single + single / 4 && cycles_of(4) < single + single / 4)
			return true;
	}
	return false;
}

static void
test_many_queues_get_no_more(void **state)
{
	(void)state;
	t.cycles = 5000;
	cost_lap(&t.fwd->ctx.clock);
	for (uint16_t i = 3; i <= 5; i++) {
		t.port[i].ops = &guest_ops;
		t.used[i] = i == 5 ? 1 : NB_QUEUES;
		for (uint16_t q = 0; q < t.used[i]; q++)
			t.frames[i][q] = PORT_BURST;
	}
	publish();
	assert_true(share_evenly());
	go_round(1000);
	/* Each of the queues has its turn. */
	for (uint16_t q = 0; q < NB_QUEUES; q++) {
		assert_in_range(t.polled[3][q], 150, 400);
		assert_in_range(t.polled[4][q], 150, 400);
	}
	assert_in_range(t.polled[5][0], 900, 1000);
}

/* Who has little to send holds nobody back, nor does an uplink wait. */
static void
test_little_holds_nobody_back(void **state)
{
	(void)state;
	t.cycles = 5000;
	for (uint16_t i = 3; i <= 4; i++)
		t.port[i].ops = &guest_ops;
	t.used[3] = NB_QUEUES;
	for (uint16_t q = 0; q < NB_QUEUES; q++)
		t.frames[3][q] = PORT_BURST;
	t.frames[4][0] = 1;
	publish();
	go_round(200);
	go_round(1000);
	for (uint16_t q = 0; q < NB_QUEUES; q++)
		assert_int_equal(t.polled[3][q], 1000);
	t.frames[4][0] = PORT_BURST;
	t.port[3].ops = &ops;
	publish();
	go_round(200);
	go_round(1000);
	for (uint16_t q = 0; q < NB_QUEUES; q++)
		assert_int_equal(t.polled[3][q], 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_idle_cores_look_at_all),
		TEST(test_silent_ports_are_visited_less),
		TEST(test_who_speaks_is_visited_more),
		TEST(test_new_queues_are_found),
		TEST(test_quick_looks_are_enough),
		TEST(test_queues_go_to_another_core),
		TEST(test_who_has_frames_is_charged),
		TEST(test_many_queues_get_no_more),
		TEST(test_little_holds_nobody_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
