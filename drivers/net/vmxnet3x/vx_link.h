/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Link and events. */
#ifndef VX_LINK_H
#define VX_LINK_H

#include "vx_dev.h"

/** ethdev operation; also used after each activation. Never waits. */
int vx_link_update(struct rte_eth_dev *eth_dev, int wait_to_complete);

/**
 * The event vector fired (or may have): reads DriverShared.ecr, acknowledges, updates the link, reports stopped queues, calls the
 * application's callbacks (without ctl). Any thread that holds no lock.
 */
void vx_link_event(struct vx_dev *dev);

#endif /* VX_LINK_H */
