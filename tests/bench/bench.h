/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What the measuring programs share: a clock, and a device with its guest on that clock. */
#ifndef BENCH_H
#define BENCH_H

#include <stdatomic.h>
#include <stdint.h>

#include "mini_driver.h"

/** Nanoseconds of CLOCK_MONOTONIC, the clock that vswitchd gives its devices. */
uint64_t bench_now(void);

/** Prints what is wrong and ends the program. */
void bench_die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/** A device in use by the tests' driver; interrupts go to an eventfd, as to a virtual machine. */
struct bench_card {
	struct vmxnet3_dev *dev;
	struct mini_mem mem;
	struct mini m;
	struct vmxnet3_burst *burst;
	_Atomic(uint32_t) *bar0;    /**< the page that a guest maps */
	int event;                  /**< eventfd of vector 0 */
	_Atomic uint64_t raised_at; /**< ns, when vector 0 was raised last */
};

/** Opens a card at the newest revision, MSI-X on, and activates it. Interrupts moderated as by default, or not at all. */
void bench_card_open(struct bench_card *c, bool moderated);
void bench_card_close(struct bench_card *c);

/** As a guest does: by a store to the shared page, unknown to the device. */
static inline void
bench_card_unmask(struct bench_card *c)
{
	atomic_store(&c->bar0[0], 0);
}

/** Writes an Ethernet header from one card to another; the rest of @p frame is left as it is. */
void bench_frame_header(uint8_t *frame);

#endif /* BENCH_H */
