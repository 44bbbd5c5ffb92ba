/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Which polling core polls which queue of which port: what queues cost is measured period by period, queue_plan.h says
 * where they shall be, and they are moved here and nowhere else. Main thread only.
 *
 * A queue that moves is polled by nobody for a moment: first the polling cores get a topology without it, and when all
 * have let go of the old one, another with it. So no two cores ever poll one queue, and all frames that the first core
 * took have been delivered before the second takes one: frames of one queue stay in order.
 */
#ifndef VSWITCHD_SWITCH_BALANCE_H
#define VSWITCHD_SWITCH_BALANCE_H

#include "conf.h"
#include "error.h"
#include "port.h"

void balance_start(const struct workers_conf *conf);

/**
 * Gives the queues of a port that is not in the switch yet their cores.
 *
 * @return 0, -ENOMEM, or -EINVAL with a sentence: its affinity names a queue that it does not have, or a CPU on
 *         which nothing polls
 */
int balance_add(struct port *port, struct error *err);

/** Pins the queues of a port of the switch anew; those that have to move do at once. @return as balance_add() */
int balance_set_affinity(struct port *port, const char *affinity, struct error *err);

/** Measures and moves when a period is over; call it about ten times a second. */
void balance_tick(void);

/** What its queues cost a polling core in the last period, in thousandths of it. */
uint32_t balance_load(uint16_t worker);
/** Queues that came to a polling core from another one. */
uint64_t balance_moves(uint16_t worker);

#endif /* VSWITCHD_SWITCH_BALANCE_H */
