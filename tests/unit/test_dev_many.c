/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several cores deliver to one receive queue at once, while its driver takes frames and posts buffers as fast as it can.
 * Each frame says who sent it, the how manieth it is, and what must be in it: none may be altered or come twice, and what
 * one core sent must come in its order. The driver (mini_driver.h) looks after descriptors and completions itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdatomic.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "card.h"

#define NB_CORES   3
#define SECONDS    1
#define MIN_FRAMES 200 /* of each core, however busy the machine */
#define LIMIT      100  /* seconds */
#define BURST      32
#define NAP_US     50
#define MIN_LEN    60
#define MAX_LEN    1514

struct head {
	uint8_t addresses[12];
	uint16_t type;
	uint16_t core;
	uint32_t number, len;
} __attribute__((packed));

struct core {
	pthread_t thread;
	struct vmxnet3_dev *dev;
	uint16_t index;
	unsigned int seed;
	uint32_t sent;              /* frames that were shown to the device */
	_Atomic uint64_t delivered; /* ... that it took */
	uint32_t next;              /* the driver's: number that comes next at the earliest */
	uint8_t room[BURST][OFFLOAD_HEADROOM + MAX_LEN];
};

static struct core cores[NB_CORES];
static atomic_bool stop;

static uint8_t
byte_of(const struct head *h, uint32_t i)
{
	return (uint8_t)(h->number * 7 + h->core * 31 + i);
}

static void
make(struct core *c, uint8_t *data, uint32_t len)
{
	static const uint8_t mac[6] = CARD_MAC;
	struct head h = { .type = 0xb588, .core = c->index, .number = c->sent++, .len = len };

	memcpy(h.addresses, mac, sizeof(mac));
	h.addresses[6] = 2;
	h.addresses[11] = (uint8_t)c->index;
	memcpy(data, &h, sizeof(h));
	for (uint32_t i = sizeof(h); i < len; i++)
		data[i] = byte_of(&h, i);
}

/* @return whether the device took all of it */
static bool
deliver_burst(struct core *c)
{
	uint16_t n = (uint16_t)(1 + rand_r(&c->seed) % BURST);
	struct offload_frame frames[BURST], *list[BURST];
	struct offload_seg segs[BURST];
	uint16_t taken;

	for (uint16_t i = 0; i < n; i++) {
		uint32_t len = MIN_LEN + (uint32_t)rand_r(&c->seed) % (MAX_LEN - MIN_LEN);

		make(c, c->room[i] + OFFLOAD_HEADROOM, len);
		segs[i] = (struct offload_seg){ .data = c->room[i] + OFFLOAD_HEADROOM, .len = len };
		frames[i] = (struct offload_frame){ .seg = &segs[i], .nb_segs = 1, .len = len };
		list[i] = &frames[i];
	}
	taken = vmxnet3_dev_deliver(c->dev, list, n);
	atomic_fetch_add(&c->delivered, taken);
	return taken == n;
}

static void *
work(void *arg)
{
	struct core *c = arg;

	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		bool all = deliver_burst(c);

		vmxnet3_dev_intr_poll(c->dev);
		/* The driver has to share a CPU with them. */
		if (!all)
			usleep(NAP_US);
	}
	return NULL;
}

/* ---- the driver ---- */

static void
check_frame(const struct mini_frame *f)
{
	struct head h;

	assert_in_range(f->len, MIN_LEN, MAX_LEN);
	memcpy(&h, f->data, sizeof(h));
	assert_in_range(h.core, 0, NB_CORES - 1);
	assert_int_equal(h.len, f->len);
	assert_true(h.number >= cores[h.core].next);
	cores[h.core].next = h.number + 1;
	for (uint32_t i = sizeof(h); i < f->len; i++)
		assert_int_equal(f->data[i], byte_of(&h, i));
}

/* @return frames that were there */
static uint64_t
take_all(struct card *card)
{
	struct mini_frame f;
	uint64_t n = 0;
	int ret;

	while ((ret = mini_recv(&card->m, 0, &f)) > 0) {
		check_frame(&f);
		n++;
		if (n % 16 == 0)
			mini_refill(&card->m, 0, 64);
	}
	if (ret < 0)
		fail_msg("%s", card->m.error);
	mini_refill(&card->m, 0, UINT32_MAX);
	return n;
}

static bool
enough(time_t begin)
{
	time_t now = time(NULL);

	assert_true(now < begin + LIMIT);
	for (unsigned int i = 0; i < NB_CORES; i++) {
		if (atomic_load(&cores[i].delivered) < MIN_FRAMES)
			return false;
	}
	return now > begin + SECONDS;
}

static void
deliver_together(struct card *card)
{
	time_t begin = time(NULL);
	uint64_t taken = 0, delivered = 0;

	atomic_store(&stop, false);
	memset(cores, 0, sizeof(cores));
	for (uint16_t i = 0; i < NB_CORES; i++) {
		cores[i].dev = card->dev;
		cores[i].index = i;
		cores[i].seed = i + 1;
		assert_int_equal(pthread_create(&cores[i].thread, NULL, work, &cores[i]), 0);
	}
	while (!enough(begin))
		taken += take_all(card);
	atomic_store(&stop, true);
	for (unsigned int i = 0; i < NB_CORES; i++) {
		pthread_join(cores[i].thread, NULL);
		delivered += cores[i].delivered;
	}
	taken += take_all(card);
	/* All that the device says it delivered, and no frame more. */
	assert_true(taken == delivered);
}

static void
one_buffer(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	struct card card;

	(void)state;
	card_open(&card, &conf, NULL);
	mini_mem_join(&card.mem);
	deliver_together(&card);
	card_close(&card);
}

/* Frames lie in several buffers each, small ones in the data ring: slots of several cores alternate. */
static void
many_buffers(void **state)
{
	struct mini_conf conf = mini_conf_default(7);
	struct card card;

	(void)state;
	conf.head_len = 256;
	conf.body_len = 256;
	conf.group = 2;
	conf.rx_data_size = 128;
	card_open(&card, &conf, NULL);
	mini_mem_join(&card.mem);
	deliver_together(&card);
	card_close(&card);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_buffer),
		cmocka_unit_test(many_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
