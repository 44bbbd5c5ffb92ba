/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <vmxnet3_rev.h>

#include "bench.h"

#define MEMORY       (32u << 20)
#define DEFAULT_INTR_RATE 50000u /* of both that have ports */

static const uint8_t card_mac[6] = { 0x02, 0x03, 0x04, 0x05, 0x06, 0x07 };

uint64_t
bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void
bench_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t
card_now(void *ctx)
{
	(void)ctx;
	return bench_now();
}

static void
card_log(void *ctx, enum vmxnet3_log_level level, const char *line)
{
	(void)ctx;
	if (level <= VMXNET3_LOG_WARNING)
		fprintf(stderr, "%s\n", line);
}

static void
card_raise(void *ctx, uint32_t index, uint32_t vector)
{
	struct bench_card *c = ctx;
	const uint64_t one = 1;

	(void)index;
	if (vector != 0)
		return;
	atomic_store_explicit(&c->raised_at, bench_now(), memory_order_release);
	if (write(c->event, &one, sizeof(one)) < 0)
		bench_die("cannot write to an eventfd");
}

/* Finds the MSI-X capability and turns it on. */
static void
enable_msix(struct bench_card *c)
{
	uint8_t at = 0, id = 0;
	uint16_t control;
	int i;

	vmxnet3_dev_pci_read(c->dev, 0x34, &at, 1);
	for (i = 0; i < 48 && at != 0; i++) {
		vmxnet3_dev_pci_read(c->dev, at, &id, 1);
		if (id == 0x11)
			break;
		vmxnet3_dev_pci_read(c->dev, at + 1u, &at, 1);
	}
	if (id != 0x11)
		bench_die("the device has no MSI-X capability");
	control = 0x8000;
	vmxnet3_dev_pci_write(c->dev, at + 2u, &control, sizeof(control));
}

void
bench_card_open(struct bench_card *c, bool moderated)
{
	const struct vmxnet3_dev_ops ops = { .ctx = c, .now = card_now, .log = card_log };
	const struct vmxnet3_intr_ops intr = { .ctx = c, .raise = card_raise };
	struct vmxnet3_dev_conf dev_conf = {
		.name = "bench",
		.max_tx_queues = 1,
		.max_rx_queues = 1,
		.revisions = VMXNET3_REV_MASK_DEFAULT,
		.mtu = 1500,
		.link_speed = 10000,
		.intr_rate = moderated ? DEFAULT_INTR_RATE : 0,
		.low_latency = !moderated,
	};
	struct mini_conf conf = mini_conf_default(7);
	char why[256] = "";

	memcpy(dev_conf.mac, card_mac, sizeof(card_mac));
	memset(c, 0, sizeof(*c));
	conf.fast = true;
	c->event = eventfd(0, EFD_CLOEXEC);
	c->dev = vmxnet3_dev_create(&dev_conf, &ops, why, sizeof(why));
	if (c->event < 0 || c->dev == NULL)
		bench_die("no device: %s", why);
	if (mini_mem_init(&c->mem, MEMORY, false, NULL, NULL) != 0)
		bench_die("no guest memory");
	c->bar0 = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		vmxnet3_dev_bar0_fd(c->dev), 0);
	c->burst = vmxnet3_burst_create();
	if (c->bar0 == MAP_FAILED || c->burst == NULL)
		bench_die("no memory");
	vmxnet3_dev_attach(c->dev, c->mem.dma, &intr);
	enable_msix(c);
	mini_init(&c->m, c->dev, &c->mem, &conf);
	if (mini_activate(&c->m) != 0)
		bench_die("%s", c->m.error);
	bench_card_unmask(c);
}

void
bench_card_close(struct bench_card *c)
{
	vmxnet3_dev_detach(c->dev);
	mini_fini(&c->m);
	vmxnet3_dev_destroy(c->dev);
	mini_mem_fini(&c->mem);
	vmxnet3_burst_destroy(c->burst);
	munmap((void *)c->bar0, 4096);
	close(c->event);
}

void
bench_frame_header(uint8_t *frame)
{
	static const uint8_t source[6] = { 0x02, 0, 0, 0, 0, 0x01 };

	memcpy(frame, card_mac, 6);
	memcpy(frame + 6, source, 6);
	/* An EtherType for local experiments. */
	frame[12] = 0x88;
	frame[13] = 0xb5;
}
