/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Interrupts: masks. Vectors are the bus's. */
#ifndef VX_IRQ_H
#define VX_IRQ_H

#include "vx_dev.h"

/** Connects vectors as the port is configured; no interrupts at all is a failure only if it asks for some. @return 0 or a negative errno, logged */
int vx_irq_start(struct vx_dev *dev);
void vx_irq_stop(struct vx_dev *dev);

/* ---- for activation; ctl held ---- */

/** Writes the interrupt configuration that the device is going to read, interrupts off; vectors of a device without any into its queues. */
void vx_irq_fill(struct vx_dev *dev);

/** Lets an activated device interrupt. */
void vx_irq_enable(struct vx_dev *dev);

/** No interrupts any more. */
void vx_irq_disable(struct vx_dev *dev);

/** Lets the event vector fire again: a device masks it when it does. */
void vx_irq_rearm(struct vx_dev *dev);

/* ---- ethdev operations ---- */

int vx_rx_queue_intr_enable(struct rte_eth_dev *eth_dev, uint16_t queue);
int vx_rx_queue_intr_disable(struct rte_eth_dev *eth_dev, uint16_t queue);

#endif /* VX_IRQ_H */
