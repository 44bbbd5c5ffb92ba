/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A port's life over vfio-user: a thread that watches the connection, hears events, and connects again when the
 * server has gone.
 */
#ifndef VX_LIFE_H
#define VX_LIFE_H

#include "vx_dev.h"

struct vx_life;

/**
 * Starts the thread for a port whose vx_user.h is connected.
 * @return NULL: no memory or no thread; a line is in the log
 */
struct vx_life *vx_life_start(struct vx_dev *dev);

/**
 * Ends the thread; the port is as it was then. Waits, so not with vx_dev::ctl held, nor in a callback of the port.
 * NULL is allowed.
 */
void vx_life_stop(struct vx_life *life);

#endif /* VX_LIFE_H */
