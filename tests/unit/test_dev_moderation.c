/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupt moderation of the device core: how long a vector that is due may have to wait. */
#include "control_guest.h"

#define US UINT64_C(1000)
#define LONG_RING 4096u

static void
test_rate_cap(void **state)
{
	struct vmxnet3_dev_conf conf = guest_conf;
	struct vmxnet3_dev_stats stats;
	struct guest *g = *state;

	guest_close(g);
	conf.intr_rate = 10000; /* one in 100 us */
	guest_open_filled(g, &conf);
	start_msix(g, 0);
	assert_false(mark_and_poll(g, 1));
	g->now += 99999;
	assert_true(mark_and_poll(g, 1));
	assert_true(vmxnet3_dev_intr_poll(g->dev));
	assert_false(mark_and_poll(g, 2) && g->raised[VFU_IRQ_MSIX][2] == 0); /* each has its own */
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][2], 1);
	/* A masked vector is not held by the cap. */
	set_imr(g, 1, 1);
	assert_false(vmxnet3_dev_intr_poll(g->dev));
	set_imr(g, 1, 0);
	g->now += 1;
	assert_false(vmxnet3_dev_intr_poll(g->dev));
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 2);
	vmxnet3_dev_stats_get(g->dev, &stats);
	assert_int_equal(stats.interrupts, 3);
	assert_int_equal(stats.interrupts_held, 1);
}

/* How long what is left of a look is held for. */
static void
test_how_long_held(void **state)
{
	struct vmxnet3_dev_conf conf = guest_conf;
	struct guest *g = *state;

	guest_close(g);
	conf.intr_rate = 10000;
	guest_open_filled(g, &conf);
	start_msix(g, 0);
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_NONE);
	/* Sent frames wait to be told of, but those that are received would take them along. */
	dev_intr_mark(g->dev, 1, DEV_DUE_TX(1));
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_MORE);
	g->now += 2000 * US - VMXNET3_DEV_INTR_LATER_NS;
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_SOON);
	dev_intr_mark(g->dev, 1, DEV_DUE_RX(1));
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_NONE);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
	/* The gap takes neither. */
	dev_intr_mark(g->dev, 1, DEV_DUE_TX(1));
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_LATER);
	dev_intr_mark(g->dev, 1, DEV_DUE_RX(1));
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_LATER);
	/* The most urgent counts: one that may not be raised in this look. */
	dev_intr_mark(g->dev, 2, DEV_DUE_RX(1));
	assert_int_equal(poll_some(g, 0), VMXNET3_DEV_INTR_SOON);
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_LATER);
	g->now += 100000 - VMXNET3_DEV_INTR_LATER_NS - 1;
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_LATER);
	g->now += 1;
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_SOON);
	g->now += VMXNET3_DEV_INTR_LATER_NS;
	assert_int_equal(poll_some(g, 1), VMXNET3_DEV_INTR_NONE);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 2);
}

static uint32_t
set_coalesce(struct guest *g, uint32_t len, uint32_t mode, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t *scheme = (uint32_t *)(g->ram + AT_ARGS);

	shared_area(g)->cmd_info.var_conf =
		(struct vmxnet3_var_conf){ .ver = 1, .len = len, .pa = GUEST_IOVA + AT_ARGS };
	scheme[0] = mode;
	scheme[1] = a;
	scheme[2] = b;
	scheme[3] = c;
	return command(g, VMXNET3_CMD_SET_COALESCE);
}

static void
test_coalescing(void **state)
{
	struct guest *g = *state;
	uint32_t *scheme = (uint32_t *)(g->ram + AT_ARGS);

	start_msix(g, 0);
	assert_int_equal(g->dev->intr.gap, 0);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 20000, 0, 0), 0);
	assert_int_equal(g->dev->intr.gap, 50000);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 99, 0, 0), 1);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 100001, 0, 0), 1);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 0, 129, 0), 1);
	assert_int_equal(set_coalesce(g, 16, 4, 0, 0, 0), 1);
	assert_int_equal(set_coalesce(g, 15, DEV_COALESCE_DISABLED, 0, 0, 0), 1);
	assert_int_equal(g->dev->intr.gap, 50000);
	memset(scheme, 0xff, 16);
	assert_int_equal(command(g, VMXNET3_CMD_GET_COALESCE), 1); /* the length is 15 still */
	assert_int_equal(scheme[0], UINT32_MAX);
	shared_area(g)->cmd_info.var_conf.len = 16;
	assert_int_equal(command(g, VMXNET3_CMD_GET_COALESCE), 0);
	assert_int_equal(scheme[0], DEV_COALESCE_RATE);
	assert_int_equal(scheme[1], 20000);
	assert_int_equal(scheme[3], 0);
	shared_area(g)->cmd_info.var_conf.pa = 0x1000;
	assert_int_equal(command(g, VMXNET3_CMD_GET_COALESCE), 1);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_DISABLED, 0, 0, 0), 0);
	assert_int_equal(g->dev->intr.gap, 0);
	/* A new driver finds the default. */
	set_coalesce(g, 16, DEV_COALESCE_RATE, 20000, 0, 0);
	select_revision(g, 3);
	assert_int_equal(g->dev->intr.gap, 0);
	assert_int_equal(g->dev->st->coalesce.mode, DEV_COALESCE_ADAPTIVE);
}

/* One queue each way on vector 1, not masked by itself; long after any interrupt before. */
static void
start_moderated(struct guest *g)
{
	start_msix(g, 0);
	g->now += 1000000 * US;
}

/* @return whether this made an interrupt on vector 1. */
static bool
raises(struct guest *g, uint64_t due)
{
	unsigned int before = g->raised[VFU_IRQ_MSIX][1];

	if (due != 0)
		dev_intr_mark(g->dev, 1, due);
	vmxnet3_dev_intr_poll(g->dev);
	assert_in_range(g->raised[VFU_IRQ_MSIX][1] - before, 0, 1);
	return g->raised[VFU_IRQ_MSIX][1] != before;
}

static uint64_t
gap_us(struct guest *g)
{
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(g->dev, &info);
	return info.moderation.gap_ns / US;
}

/* Interrupts of a stream of single frames, one every @p every ns; polled each microsecond. */
static unsigned int
stream(struct guest *g, uint64_t every, uint64_t for_us)
{
	uint64_t end = g->now + for_us * US, next = g->now;
	unsigned int n = 0;

	for (; g->now < end; g->now += US) {
		bool due = g->now >= next;

		if (due)
			next += every;
		n += raises(g, due ? DEV_DUE_RX(1) : 0);
	}
	return n;
}

static void
test_adaptive(void **state)
{
	struct guest *g = *state;

	/* A long ring, so that a quarter of it is more than gathers. */
	rx_desc(g, 0)->rx_ring_pa[0] = GUEST_IOVA + AT_MC;
	rx_desc(g, 0)->rx_ring_size[0] = LONG_RING;
	start_moderated(g);
	/* Sparse frames wait for nothing: each is an interrupt. */
	assert_int_equal(stream(g, 200 * US, 100000), 500);
	assert_int_equal(stream(g, 100 * US, 100000), 1000);
	assert_int_equal(gap_us(g), 0);
	/* Dense ones gather for 100 us, whatever their rate. */
	stream(g, 10 * US, 1000);
	assert_int_equal(gap_us(g), 100);
	assert_in_range(stream(g, 10 * US, 100000), 990, 1010);
	assert_in_range(stream(g, 1 * US, 100000), 990, 1010);
	assert_in_range(stream(g, 25 * US, 100000), 990, 1010);
	/* Those of which few would gather wait for nothing, either. */
	assert_in_range(stream(g, 40 * US, 100000), 2490, 2510);
	/* A quarter of the ring does not wait for the gap's end, or the ring could run dry. */
	stream(g, 1 * US, 1000);
	while (raises(g, DEV_DUE_RX(1)) == false)
		g->now += US;
	assert_int_equal(gap_us(g), 100);
	assert_false(raises(g, DEV_DUE_RX(LONG_RING / 4 - 1)));
	assert_true(raises(g, DEV_DUE_RX(1)));
	/* The first one after silence does not wait for what was before it. */
	stream(g, 1 * US, 1000);
	assert_int_equal(gap_us(g), 100);
	g->now += 500 * US;
	raises(g, 0);
	g->now += 500 * US;
	assert_true(raises(g, DEV_DUE_RX(1)));
	assert_int_equal(gap_us(g), 0);
}

/* Each frame comes only after the one before was seen, 20 us later: waiting gathers nothing. */
static void
test_adaptive_leaves_answers_alone(void **state)
{
	struct guest *g = *state;
	uint64_t begin;
	unsigned int i;

	start_moderated(g);
	begin = g->now;
	for (i = 0; i < 10000; i++) {
		dev_intr_mark(g->dev, 1, DEV_DUE_RX(1));
		while (!raises(g, 0))
			g->now += US;
		g->now += 20 * US;
	}
	/* Looking whether it helps costs less than a tenth. */
	assert_in_range(g->now - begin, i * 20 * US, i * 22 * US);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], i);
}

/* Sends a frame, so long after the last interrupt. @return microseconds until it is told so */
static uint64_t
sent_waits(struct guest *g, uint64_t pause_us)
{
	uint64_t begin;

	g->now += pause_us * US;
	begin = g->now;
	for (bool told = raises(g, DEV_DUE_TX(1)); !told; told = raises(g, 0))
		g->now += US;
	return (g->now - begin) / US;
}

static void
test_transmit_waits_for_receive(void **state)
{
	struct guest *g = *state;

	start_moderated(g);
	assert_false(raises(g, DEV_DUE_TX(1)));
	assert_true(vmxnet3_dev_intr_poll(g->dev)); /* held: somebody must come again */
	g->now += 50 * US;
	assert_false(raises(g, DEV_DUE_TX(1)));
	assert_true(raises(g, DEV_DUE_RX(1)));
	assert_false(vmxnet3_dev_intr_poll(g->dev));
	/* Alone it waits for 2 ms since it was seen, not since the last interrupt. */
	g->now += 1000 * US;
	assert_int_equal(sent_waits(g, 5000), 2000);
	/* A quarter of the ring does not wait. */
	g->now += 1000 * US;
	assert_false(raises(g, DEV_DUE_TX(RING_SIZE / 4 - 1)));
	assert_true(raises(g, DEV_DUE_TX(1)));
	/* Nor does an event. */
	g->now += 1000 * US;
	assert_false(raises(g, DEV_DUE_TX(1)));
	assert_true(raises(g, DEV_DUE_EVENT));
}

/* What is sent one way, by who waits for its buffers back, is told of soon; what is answered is not. */
static void
test_answers_are_waited_for(void **state)
{
	struct guest *g = *state;
	uint64_t quiet, begin = 0;
	unsigned int i;

	start_moderated(g);
	/* The first that sends on, once it is told of what it has sent, is found out, and then tried ever more seldom. */
	for (quiet = 10000; quiet <= 1000000; quiet *= 2) {
		assert_int_equal(sent_waits(g, 200), 2000);
		begin = g->now;
		for (i = 0; g->now - begin < (quiet - 1000) * US; i++)
			assert_int_equal(sent_waits(g, 200), 100);
		g->now = begin + (quiet + 1) * US;
	}
	/* The longest pause is a second. */
	assert_int_equal(sent_waits(g, 200), 2000);
	begin = g->now;
	while (g->now - begin < 999000 * US)
		assert_int_equal(sent_waits(g, 200), 100);
	g->now = begin + 1000001 * US;
	/* An answer: it begins anew. */
	assert_false(raises(g, DEV_DUE_TX(1)));
	g->now += 1500 * US;
	assert_true(raises(g, DEV_DUE_RX(1)));
	g->now += 10000 * US;
	assert_int_equal(sent_waits(g, 200), 2000);
	assert_int_equal(sent_waits(g, 200), 100);
	g->now += 10000 * US;
	/* Who sends something now and then is none of those. */
	for (i = 0; i < 100; i++)
		assert_int_equal(sent_waits(g, 5000), 2000);
	/* Nor is any mode but adaptive so. */
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 50000, 0, 0), 0);
	assert_int_equal(sent_waits(g, 5000), 100);
}

static void
test_static_counts(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_info info;
	unsigned int i;

	start_moderated(g);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 64, 3, 5), 0);
	vmxnet3_dev_info_get(g->dev, &info);
	assert_int_equal(info.moderation.mode, VMXNET3_MODERATION_STATIC);
	assert_int_equal(info.moderation.tx_frames, 3);
	assert_int_equal(info.moderation.rx_frames, 5);
	for (i = 1; i <= 100; i++)
		assert_int_equal(raises(g, DEV_DUE_RX(1)), i % 5 == 0);
	for (i = 1; i <= 99; i++)
		assert_int_equal(raises(g, DEV_DUE_TX(1)), i % 3 == 0);
	assert_true(raises(g, DEV_DUE_RX(17))); /* a burst is not divided */
	/* Two of each are neither three nor five. They wait for 1 ms. */
	assert_false(raises(g, DEV_DUE_RX(2) + DEV_DUE_TX(2)));
	g->now += 999 * US;
	assert_false(raises(g, 0));
	g->now += 1 * US;
	assert_true(raises(g, 0));
	/* Deeper than the ring bears. */
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 0, 128, 128), 0);
	assert_false(raises(g, DEV_DUE_RX(RING_SIZE / 4 - 1)));
	assert_true(raises(g, DEV_DUE_RX(1)));
	/* Depths of zero: nothing to gather. */
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 0, 0, 0), 0);
	assert_true(raises(g, DEV_DUE_RX(1)));
	assert_true(raises(g, DEV_DUE_TX(1)));
}

static void
test_disabled_and_rate(void **state)
{
	struct guest *g = *state;
	unsigned int i;

	start_moderated(g);
	stream(g, US, 1000);
	assert_int_equal(gap_us(g), 100);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_DISABLED, 0, 0, 0), 0);
	g->now += 1000 * US;
	raises(g, 0);
	for (i = 0; i < 1000; i++) {
		assert_true(raises(g, DEV_DUE_RX(1)));
		assert_true(raises(g, DEV_DUE_TX(1)));
	}
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 1000, 0, 0), 0);
	g->now += 1000 * US;
	raises(g, 0);
	assert_in_range(stream(g, US, 100000), 99, 101);
	assert_in_range(stream(g, 500 * US, 100000), 99, 101);
	assert_in_range(stream(g, 5000 * US, 100000), 20, 20);
}

static void
test_low_latency(void **state)
{
	struct vmxnet3_dev_conf conf = guest_conf;
	struct guest *g = *state;
	unsigned int i;

	guest_close(g);
	conf.low_latency = true;
	guest_open_filled(g, &conf);
	start_moderated(g);
	for (i = 0; i < 1000; i++) {
		assert_true(raises(g, DEV_DUE_RX(1)));
		assert_true(raises(g, DEV_DUE_TX(1)));
		g->now += US;
	}
	/* The driver is not asked, but finds its settings. */
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 64, 64, 64), 0);
	assert_int_equal(command(g, VMXNET3_CMD_GET_COALESCE), 0);
	assert_int_equal(((uint32_t *)(g->ram + AT_ARGS))[0], DEV_COALESCE_STATIC);
	assert_true(raises(g, DEV_DUE_RX(1)));
	assert_true(raises(g, DEV_DUE_TX(1)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(test_rate_cap),
		guest_test(test_how_long_held),
		guest_test(test_coalescing),
		guest_test(test_adaptive),
		guest_test(test_adaptive_leaves_answers_alone),
		guest_test(test_transmit_waits_for_receive),
		guest_test(test_answers_are_waited_for),
		guest_test(test_static_counts),
		guest_test(test_disabled_and_rate),
		guest_test(test_low_latency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
