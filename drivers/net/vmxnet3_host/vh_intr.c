/* SPDX-License-Identifier: BSD-3-Clause */
#include "vh_intr.h"

#include <rte_alarm.h>

/* A backstop: an application that polls has raised what was held long before. */
#define CHASE_US 5000

static void
chase(void *arg)
{
	struct vh_port *port = arg;
	bool held;

	vh_gate_enter(&port->chase_gate);
	held = vmxnet3_dev_intr_poll(port->dev);
	vh_gate_leave(&port->chase_gate);
	if (held)
		atomic_fetch_add(&port->chases, 1);
	if (atomic_fetch_sub(&port->chases, 1) > 1)
		rte_eal_alarm_set(CHASE_US, chase, port);
}

void
vh_intr_chase(struct vh_port *port, unsigned int times)
{
	unsigned int before = atomic_load(&port->chases);

	while (before < times && !atomic_compare_exchange_weak(&port->chases, &before, times))
		;
	if (before == 0)
		rte_eal_alarm_set(CHASE_US, chase, port);
}

void
vh_intr_end_chase(struct vh_port *port)
{
	rte_eal_alarm_cancel(chase, port);
}
