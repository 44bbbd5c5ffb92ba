/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Link and events.
 *
 * A device stops a queue in which it found something impossible. The log says which and why, and the device is
 * activated anew, once per second at most, so that the port goes on; what its rings held is lost. An application
 * gets RTE_ETH_EVENT_INTR_RESET only if that failed: the port is down then until it is stopped and started.
 */
#ifndef VX_LINK_H
#define VX_LINK_H

#include "vx_dev.h"

/** Asks an active device for its link. Without one it is down. With ctl held. @return whether the link changed */
bool vx_link_refresh(struct vx_dev *dev);

/** ethdev operation. Never waits. Without interrupts it also looks for stopped queues. */
int vx_link_update(struct rte_eth_dev *eth_dev, int wait_to_complete);

/**
 * The event vector fired (or may have): reads DriverShared.ecr, acknowledges, updates the link, reports stopped queues, calls the
 * application's callbacks (without ctl). Any thread that holds no lock.
 */
void vx_link_event(struct vx_dev *dev);

/** Link state as GET_LINK's @p answer tells it. */
void vx_link_decode(const struct vmxnet3_rev *rev, uint32_t answer, struct rte_eth_link *link);

/** Tells the application of a link that changed. Without ctl. */
void vx_link_report(struct vx_dev *dev);

/** Forgets what is to be done later. Without ctl. */
void vx_link_cancel(struct vx_dev *dev);

#endif /* VX_LINK_H */
