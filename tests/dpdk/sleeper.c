/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include <rte_ethdev.h>
#include <rte_interrupts.h>

#include "sleeper.h"

typedef int (*queue_fn)(uint16_t port, uint16_t queue);

static int
each_queue(const struct sleeper *s, queue_fn fn)
{
	uint32_t p, q;
	int rc = 0;

	for (p = 0; p < s->nb_ports; p++)
		for (q = 0; rc == 0 && q < s->queues; q++)
			rc = fn(s->ports[p], q);
	return rc;
}

static int
add(uint16_t port, uint16_t queue)
{
	return rte_eth_dev_rx_intr_ctl_q(port, queue, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, NULL);
}

static int
del(uint16_t port, uint16_t queue)
{
	return rte_eth_dev_rx_intr_ctl_q(port, queue, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_DEL, NULL);
}

int
sleeper_init(struct sleeper *s)
{
	int rc = each_queue(s, add);

	return rc < 0 ? rc : each_queue(s, rte_eth_dev_rx_intr_disable);
}

int
sleeper_arm(struct sleeper *s)
{
	return each_queue(s, rte_eth_dev_rx_intr_enable);
}

bool
sleeper_sleep(struct sleeper *s, int ms)
{
	struct rte_epoll_event events[8];
	int n = rte_epoll_wait(RTE_EPOLL_PER_THREAD, events, RTE_DIM(events), ms);

	if (n > 0)
		s->wakeups++;
	else
		s->timeouts++;
	return n > 0;
}

int
sleeper_disarm(struct sleeper *s)
{
	return each_queue(s, rte_eth_dev_rx_intr_disable);
}

void
sleeper_fini(struct sleeper *s)
{
	each_queue(s, del);
}
