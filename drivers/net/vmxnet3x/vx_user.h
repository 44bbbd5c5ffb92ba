/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A device behind a vfio-user socket: registers, memory, interrupts.
 *
 * There is at most one server at a time. The eventfds of interrupts and the address of BAR0 are the same with
 * all servers, so that what an application waits for, and a store that comes late, need not know.
 */
#ifndef VX_USER_H
#define VX_USER_H

#include "vx_dev.h"

struct vx_user;

/**
 * Makes dev->bus_priv and eth_dev->intr_handle; no server yet.
 * @return 0, or a negative errno with a line in the log
 */
int vx_user_create(struct vx_dev *dev);

/** Undoes vx_user_create() after vx_user_drop(). */
void vx_user_destroy(struct vx_dev *dev);

/**
 * Connects to a server, resets the device, shares all memory. Not used before vx_user_use(). No lock held.
 * @param errbuf,errlen  gets a sentence on error
 * @return 0, or a negative errno
 */
int vx_user_open(struct vx_dev *dev, char *errbuf, size_t errlen);

/**
 * The server of vx_user_open() becomes the device, interrupts that were on are connected to it. With vx_dev::ctl
 * held and bursts outside, or before there is a port.
 * @return 0, or a negative errno with a line in the log: vx_user_drop() follows; -ENOTSUP it has too few vectors
 */
int vx_user_use(struct vx_dev *dev);

/** Hangs up. Locks as vx_user_use(); nothing else may be inside. Without server it does nothing. */
void vx_user_drop(struct vx_dev *dev);

/** For the thread that calls vx_user_use(): what to poll, -1 without server; readable means vx_user_check(). */
int vx_user_fd(const struct vx_dev *dev);

/** @return false: the server is gone */
bool vx_user_check(struct vx_dev *dev);

/** The eventfd of the event vector; non-blocking. */
int vx_user_event_fd(const struct vx_dev *dev);

struct vx_memory *vx_user_memory(const struct vx_dev *dev);

/* Of struct vx_bus_ops; its close is for those who made more. */
uint32_t vx_user_read(struct vx_dev *dev, uint32_t reg);
void vx_user_write(struct vx_dev *dev, uint32_t reg, uint32_t value);
void vx_user_bar0_write(struct vx_dev *dev, uint32_t reg, uint32_t value);
int vx_user_intr_on(struct vx_dev *dev, uint16_t nb_rx);
void vx_user_intr_off(struct vx_dev *dev);
bool vx_user_can_reach(struct vx_dev *dev, struct rte_mempool *pool);

#endif /* VX_USER_H */
