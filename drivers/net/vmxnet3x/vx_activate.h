/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Getting to know a device, and switching it on and off. All with vx_dev::ctl held. */
#ifndef VX_ACTIVATE_H
#define VX_ACTIVATE_H

#include "vx_dev.h"

/**
 * Selects a revision, asks for limits and MAC, quiesces. Nothing the device says is believed unchecked.
 * @return 0 and *lim, or a negative errno with a line in the log: -ENODEV does not answer like a vmxnet3, -ENOTSUP no common revision
 */
int vx_identify(struct vx_dev *dev, struct vx_limits *lim);

/**
 * Whether a device with limits @p lim can carry on what the port was configured for (its revision-dependent offloads,
 * queues, MTU). Logs the first thing that it cannot.
 */
bool vx_limits_suffice(const struct vx_dev *dev, const struct vx_limits *lim);

/**
 * Fills rings and DriverShared, activates, replays filters, RSS, VLANs, features, interrupts. Bursts are outside.
 * @return 0, or a negative errno; the log says which limits the device was given and what it answered
 */
int vx_activate(struct vx_dev *dev);

/** Stops the device: when it returns it touches no memory of ours. Keeps counters (vx_stats_keep()). */
void vx_quiesce(struct vx_dev *dev);

#endif /* VX_ACTIVATE_H */
