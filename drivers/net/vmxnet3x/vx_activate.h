/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Switching a device on and off. All with vx_dev::ctl held. */
#ifndef VX_ACTIVATE_H
#define VX_ACTIVATE_H

#include "vx_dev.h"

/**
 * Fills rings and DriverShared, activates, replays filters, RSS, VLANs, features, interrupts. Bursts are outside.
 * @return 0, or a negative errno; the log says which limits the device was given and what it answered
 */
int vx_activate(struct vx_dev *dev);

/** Stops the device: when it returns it touches no memory of ours. Keeps counters (vx_stats_keep()). */
void vx_quiesce(struct vx_dev *dev);

/**
 * Quiesces a running device and activates it anew, for what it reads at activation only. What the rings hold is lost: received
 * frames not yet taken, frames to be sent. Bursts return 0 meanwhile, and from then on if this fails.
 * @return 0, or a negative errno: the device is inactive
 */
int vx_reactivate(struct vx_dev *dev);

/** misc.uptFeatures for the port's offloads as they are now; told to an active device by vx_features_update(). */
uint64_t vx_features(const struct vx_dev *dev);
void vx_features_update(struct vx_dev *dev);

/** Bytes of the port's smallest receive buffer. */
uint32_t vx_smallest_buffer(const struct vx_dev *dev);

/** The MTU that the device must be told for the port's: with tags left in frames, those are longer. */
uint32_t vx_device_mtu(const struct vx_dev *dev);

#endif /* VX_ACTIVATE_H */
