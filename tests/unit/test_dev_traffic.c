/* SPDX-License-Identifier: BSD-3-Clause */
/* Several threads in one device: two deliver to one queue, control pulls the rug from under them. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include <rte_common.h>

#include "card.h"

#define SECOND 1000000000ull

static uint64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* ---- two producers, one queue ---- */

#define PRODUCERS 2

struct producer {
	struct card card;
	struct card *to;
	uint32_t id;
	uint32_t sent;      /* frames, the sequence number */
	uint64_t delivered;
	atomic_bool *stop;
	const char *error;
	pthread_t thread;
};

static struct producer producers[PRODUCERS];

/* Sequence number and length decide every byte. */
static void
fill_pattern(uint8_t *data, uint32_t id, uint32_t seq, uint32_t len)
{
	static const uint8_t head[14] = { 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x02, 0, 0, 0, 0, 0, 0x88,
		0xb5 };
	uint32_t i;

	memcpy(data, head, sizeof(head));
	put32(data + 14, id);
	put32(data + 18, seq);
	put32(data + 22, len);
	for (i = 26; i < len; i++)
		data[i] = (uint8_t)(seq * 7 + i * (id + 3));
}

static bool
pattern_holds(const uint8_t *data, uint32_t id, uint32_t seq, uint32_t len)
{
	static uint8_t want[16384];

	fill_pattern(want, id, seq, len);
	return memcmp(want, data, len) == 0;
}

static void *
produce(void *arg)
{
	struct producer *p = arg;
	struct offload_frame *frames, *list[VMXNET3_BURST_FRAMES];
	uint32_t seed = p->id + 1, i, n, len;
	uint8_t data[4096];

	while (!atomic_load(p->stop)) {
		for (i = 0; i < 1 + seed % 40; i++) {
			seed = seed * 1103515245 + 12345;
			len = seed >> 16 & 1 ? 60 + (seed >> 8) % 200 : 60 + (seed >> 8) % 3800;
			fill_pattern(data, p->id, p->sent++, len);
			if (mini_send(&p->card.m, 0, data, len, NULL, 0, NULL) != 0)
				p->error = p->card.m.error;
		}
		do {
			n = vmxnet3_dev_tx_begin(p->card.dev, 0, p->card.burst,
				VMXNET3_BURST_FRAMES, &frames);
			for (i = 0; i < n; i++)
				list[i] = &frames[i];
			if (n > 0) {
				p->delivered += vmxnet3_dev_deliver(p->to->dev, list, (uint16_t)n);
				vmxnet3_dev_tx_end(p->card.dev, 0, p->card.burst);
			}
		} while (n > 0);
		if (mini_reap(&p->card.m, 0) < 0)
			p->error = p->card.m.error;
		if (p->error != NULL)
			break;
	}
	return NULL;
}

/* Takes frames until none is left and the producers have stopped. */
static void
consume(struct card *b, uint64_t until, uint64_t got[PRODUCERS], atomic_bool *stop)
{
	uint32_t next[PRODUCERS] = { 0 }, id, seq, len;
	struct mini_frame f;
	int ret;

	for (;;) {
		bool last = atomic_load(stop);

		if (!last && clock_ns() > until) {
			uint32_t i;

			atomic_store(stop, true);
			for (i = 0; i < PRODUCERS; i++)
				pthread_join(producers[i].thread, NULL);
			continue;
		}
		while ((ret = mini_recv(&b->m, 0, &f)) == 1) {
			id = get32(f.data + 14);
			seq = get32(f.data + 18);
			len = get32(f.data + 22);
			assert_true(id < PRODUCERS && len == f.len && seq >= next[id]);
			next[id] = seq + 1;
			assert_true(pattern_holds(f.data, id, seq, len));
			got[id]++;
			if (got[id] % 8 == 0)
				mini_refill(&b->m, 0, UINT32_MAX);
		}
		if (ret < 0)
			fail_msg("%s", b->m.error);
		mini_refill(&b->m, 0, UINT32_MAX);
		if (last)
			return;
	}
}

static void
two_producers_one_queue(void **state)
{
	struct mini_conf ca = mini_conf_default(3), cb = mini_conf_default(7);
	uint64_t got[PRODUCERS] = { 0 };
	atomic_bool stop = false;
	struct card b;
	uint32_t i;

	(void)state;
	cb.mtu = 4000;
	cb.rx_size[0] = 128;
	cb.rx_size[1] = 128;
	cb.rx_comp_size = 256;
	cb.head_len = 1000;
	cb.body_len = 1000;
	card_open(&b, &cb, NULL);
	for (i = 0; i < PRODUCERS; i++) {
		producers[i] = (struct producer){ .to = &b, .id = i, .stop = &stop };
		card_open(&producers[i].card, &ca, NULL);
	}
	for (i = 0; i < PRODUCERS; i++)
		assert_int_equal(0, pthread_create(&producers[i].thread, NULL, produce, &producers[i]));
	consume(&b, clock_ns() + SECOND, got, &stop);
	for (i = 0; i < PRODUCERS; i++) {
		if (producers[i].error != NULL)
			fail_msg("%s", producers[i].error);
		assert_true(producers[i].delivered > 0);
		assert_int_equal(producers[i].delivered, got[i]);
		card_close(&producers[i].card);
	}
	card_close(&b);
}

/* ---- control against datapath ---- */

#define POLLERS 2

/* A thread is inside the device only while it holds its own lock. */
static struct poller {
	pthread_mutex_t inside;
	pthread_t thread;
	uint64_t frames, delivered;
} pollers[POLLERS];

static struct card busy;
static atomic_bool stop_pollers;

static void
wait_for_pollers(void *ctx)
{
	unsigned int i;

	(void)ctx;
	for (i = 0; i < POLLERS; i++) {
		pthread_mutex_lock(&pollers[i].inside);
		pthread_mutex_unlock(&pollers[i].inside);
	}
}

/* The device's own frames, back to it. */
static void *
poll_device(void *arg)
{
	struct poller *p = arg;

	while (!atomic_load(&stop_pollers)) {
		pthread_mutex_lock(&p->inside);
		if (vmxnet3_dev_tx_pending(busy.dev, 1) != 0)
			p->frames += carry(&busy, 0, &busy);
		vmxnet3_dev_intr_poll(busy.dev);
		pthread_mutex_unlock(&p->inside);
		sched_yield();
	}
	return NULL;
}

/* Frames from elsewhere. */
static void *
deliver_to_device(void *arg)
{
	struct offload_frame *list[8];
	struct split s[8];
	uint8_t data[9000];
	struct poller *p = arg;
	unsigned int i;

	while (!atomic_load(&stop_pollers)) {
		for (i = 0; i < 8; i++) {
			uint32_t len = 60 + i * 1100;

			fill_pattern(data, 0, i, len);
			split_begin(&s[i]);
			split_add(&s[i], data, 60);
			if (len > 60)
				split_add(&s[i], data + 60, len - 60);
			list[i] = &s[i].f;
		}
		pthread_mutex_lock(&p->inside);
		p->delivered += vmxnet3_dev_deliver(busy.dev, list, 8);
		pthread_mutex_unlock(&p->inside);
		for (i = 0; i < 8; i++)
			split_free(&s[i]);
		sched_yield();
	}
	return NULL;
}

static void
start_pollers(void)
{
	void *(*const run[POLLERS])(void *) = { poll_device, deliver_to_device };
	unsigned int i;

	atomic_store(&stop_pollers, false);
	for (i = 0; i < POLLERS; i++)
		assert_int_equal(0, pthread_create(&pollers[i].thread, NULL, run[i], &pollers[i]));
}

static void
join_pollers(void)
{
	unsigned int i;

	atomic_store(&stop_pollers, true);
	for (i = 0; i < POLLERS; i++)
		pthread_join(pollers[i].thread, NULL);
}

static struct mini_conf
busy_conf(void)
{
	struct mini_conf conf = mini_conf_default(7);

	conf.mtu = 9000;
	conf.head_len = 2048;
	conf.rx_data_size = 128;
	return conf;
}

static void
open_busy(size_t memory)
{
	const struct card_opts opts = { .quiesce = wait_for_pollers, .memory = memory };
	const struct mini_conf conf = busy_conf();
	unsigned int i;

	for (i = 0; i < POLLERS; i++) {
		memset(&pollers[i], 0, sizeof(pollers[i]));
		pthread_mutex_init(&pollers[i].inside, NULL);
	}
	card_open(&busy, &conf, &opts);
	start_pollers();
}

/* The driver at work for a moment: frames sent, completions taken, all of them by the rules. */
static void
work(uint64_t ns)
{
	uint64_t until = clock_ns() + ns;
	struct mini_frame f;
	uint8_t data[3000];
	uint32_t len;
	int ret;

	while (clock_ns() < until) {
		len = 60 + rnd(2900);
		fill_pattern(data, 1, 0, len);
		if (busy.m.txq[0].ring.used < 200)
			assert_int_equal(0, mini_send(&busy.m, 0, data, len, NULL, 0, NULL));
		if (mini_reap(&busy.m, 0) < 0)
			fail_msg("%s", busy.m.error);
		while ((ret = mini_recv(&busy.m, 0, &f)) == 1)
			assert_true(pattern_holds(f.data, get32(f.data + 14), get32(f.data + 18),
				f.len));
		if (ret < 0)
			fail_msg("%s", busy.m.error);
		mini_refill(&busy.m, 0, UINT32_MAX);
	}
}

static void
stop_device(uint32_t how)
{
	switch (how) {
	case 0:
		mini_cmd(&busy.m, VMXNET3_CMD_QUIESCE_DEV);
		break;
	case 1:
		assert_int_equal(0, mini_cmd(&busy.m, VMXNET3_CMD_RESET_DEV));
		break;
	case 2:
		mini_write(&busy.m, 1, VMXNET3_REG_DSAL, 0);
		break;
	case 3:
		vmxnet3_dev_pci_reset(busy.dev);
		break;
	default:
		break;
	}
}

/* After each kind of stop, guest memory stays as it is; then all works again. */
static void
reset_under_fire(void **state)
{
	static uint8_t *copy;
	uint32_t round;

	(void)state;
	open_busy(4u << 20);
	copy = malloc(busy.mem.size);
	for (round = 0; round < 200; round++) {
		work(SECOND / 500);
		stop_device(round % 5);
		if (round % 5 < 4) {
			memcpy(copy, busy.mem.base, busy.mem.size);
			sched_yield();
			sched_yield();
			assert_memory_equal(copy, busy.mem.base, busy.mem.size);
		}
		if (round % 5 == 4) {
			/* A second driver's probe: activation of an active device. */
			assert_int_equal(0, mini_cmd(&busy.m, VMXNET3_CMD_ACTIVATE_DEV));
			stop_device(1);
		}
		if (mini_activate(&busy.m) != 0)
			fail_msg("%s", busy.m.error);
	}
	join_pollers();
	assert_true(pollers[0].frames > 0 && pollers[1].delivered > 0);
	free(copy);
	card_close(&busy);
}

/* Mappings come and go: rings and buffers vanish, and are back. */
static void
unmap_under_fire(void **state)
{
	uint32_t round;
	int ret;

	(void)state;
	open_busy(4u << 20);
	for (round = 0; round < 200; round++) {
		work(SECOND / 1000);
		/* Something else in the table changes; then all of the device's memory goes. */
		assert_int_equal(0, vfu_dma_map(busy.mem.dma, 0x10000, 0x1000, VFU_DMA_READ,
			busy.mem.fd, 0));
		vmxnet3_dev_dma_changed(busy.dev);
		work(SECOND / 2000);
		assert_int_equal(0, vfu_dma_unmap(busy.mem.dma, 0x10000, 0x1000));
		assert_int_equal(0, vfu_dma_unmap(busy.mem.dma, MINI_MEM_IOVA, busy.mem.size));
		sched_yield();
		ret = vfu_dma_map(busy.mem.dma, MINI_MEM_IOVA, busy.mem.size,
			VFU_DMA_READ | VFU_DMA_WRITE, busy.mem.fd, 0);
		assert_int_equal(0, ret);
		vmxnet3_dev_dma_changed(busy.dev);
	}
	work(SECOND / 100);
	join_pollers();
	assert_true(pollers[0].frames > 0 && pollers[1].delivered > 0);
	card_close(&busy);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_producers_one_queue),
		cmocka_unit_test(reset_under_fire),
		cmocka_unit_test(unmap_under_fire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
