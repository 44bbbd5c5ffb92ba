/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The guest's interrupts, which bursts raise, and an alarm where no burst follows. */
#ifndef VH_INTR_H
#define VH_INTR_H

#include "vh_port.h"

/**
 * Looks after the guest's interrupts by an alarm.
 *
 * @param times  at least; on top of that as long as moderation holds one
 */
void vh_intr_chase(struct vh_port *port, unsigned int times);

/** Nobody looks at the port's device from here any more. Before it is closed; the port is stopped. */
void vh_intr_end_chase(struct vh_port *port);

/** At the end of a burst: raises what is due. */
static inline void
vh_intr_poll(struct vh_port *port)
{
	if (unlikely(vmxnet3_dev_intr_poll(port->dev)) &&
			atomic_load_explicit(&port->chases, memory_order_relaxed) == 0)
		vh_intr_chase(port, 1);
}

#endif /* VH_INTR_H */
