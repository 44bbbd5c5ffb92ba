/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Getting to know a device. With vx_dev::ctl held. */
#ifndef VX_IDENTIFY_H
#define VX_IDENTIFY_H

#include "vx_dev.h"

/**
 * Selects a revision, stops what an earlier driver left running, asks for limits and MAC. Nothing the device says is
 * believed unchecked. A device without a usable address gets a random one in @p lim.
 * @return 0 and *lim, or a negative errno with a line in the log: -ENODEV does not answer like a vmxnet3, -ENOTSUP no common revision
 */
int vx_identify(struct vx_dev *dev, struct vx_limits *lim);

/**
 * Whether a device with limits @p lim can carry on what the port was configured for (its revision-dependent offloads,
 * queues, MTU). Logs the first thing that it cannot.
 */
bool vx_limits_suffice(const struct vx_dev *dev, const struct vx_limits *lim);

/** From now on the device is one with limits @p lim. */
void vx_take_limits(struct vx_dev *dev, const struct vx_limits *lim);

#endif /* VX_IDENTIFY_H */
