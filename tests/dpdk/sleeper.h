/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Sleeps until a receive queue raises its interrupt. */
#ifndef PKTCHECK_SLEEPER_H
#define PKTCHECK_SLEEPER_H

#include <stdbool.h>
#include <stdint.h>

struct sleeper {
	uint16_t ports[2];
	uint32_t nb_ports;
	uint32_t queues;
	uint64_t wakeups;   /**< by an interrupt */
	uint64_t timeouts;
};

/** Makes the calling thread the one that the interrupts wake. @return 0, or a negative errno */
int sleeper_init(struct sleeper *s);

/** Asks each queue for an interrupt. A frame that was there before raises none: look once more, then sleep. */
int sleeper_arm(struct sleeper *s);

/** Sleeps, at most @p ms. @return whether an interrupt came */
bool sleeper_sleep(struct sleeper *s, int ms);

/** No interrupts, until armed again. */
int sleeper_disarm(struct sleeper *s);

void sleeper_fini(struct sleeper *s);

#endif /* PKTCHECK_SLEEPER_H */
