/* SPDX-License-Identifier: BSD-3-Clause */
/** @file From a port's configuration to an ethdev that runs, and back. Main thread. */
#ifndef VSWITCHD_ETHDEV_OPEN_H
#define VSWITCHD_ETHDEV_OPEN_H

#include "ethdev.h"

#define ETH_DEFAULT_MTU 1500
#define ETH_MIN_MTU 68

/**
 * Largest MTU of a tap; its buffers are made for it from the start, so that it can change while
 * it runs.
 */
#define ETH_TAP_MAX_MTU 9190

/** Makes the device appear: sets id, device, driver, kind, interface. */
int ethdev_probe(struct port *port, struct error *err);
/** Queues, buffers, start. Its MTU is eth->mtu. */
int ethdev_setup(struct port *port, struct error *err);
/** Undoes both, or as much as there is. */
void ethdev_remove(struct port *port);

/** Largest MTU that the port could have. */
uint16_t ethdev_max_mtu(const struct eth_port *eth);
/** Tells the kernel or the driver; no polling core may know the port. */
int ethdev_apply_mtu(struct port *port, uint16_t mtu, struct error *err);

#endif /* VSWITCHD_ETHDEV_OPEN_H */
