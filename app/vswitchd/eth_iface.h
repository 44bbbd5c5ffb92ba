/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Network interfaces of the kernel, in the network namespace that we run in, by name. */
#ifndef VSWITCHD_ETH_IFACE_H
#define VSWITCHD_ETH_IFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Whether the kernel would take it: 1 to 15 characters, no '/', ':', '%', ',' or space. */
bool iface_name_valid(const char *name);

/* These return 0 or a negative errno; -ENODEV: there is none of that name. */

/** IFF_UP and its like. */
int iface_flags(const char *name, uint32_t *flags);
int iface_set_up(const char *name, bool up);
int iface_mtu(const char *name, uint16_t *mtu);
int iface_set_mtu(const char *name, uint16_t mtu);
/** Carrier, where the driver lets it be set (tap does). */
int iface_set_carrier(const char *name, bool up);
/** As ethtool -i tells it; at most @p len bytes with the final zero. */
int iface_driver(const char *name, char *driver, size_t len);
/** The other end of a veth pair; -ENODEV: it is in another network namespace. */
int iface_veth_peer(const char *name, char *peer, size_t len);
/** Whether an XDP program is on it: 1 and its name ("?": not known), 0, or a negative errno. */
int iface_xdp_program(const char *name, char *program, size_t len);
/** Tries whether net_tap could have it: -EBUSY, -EINVAL (no multi-queue tap), -EPERM, ... */
int iface_try_tap(const char *name);

#endif /* VSWITCHD_ETH_IFACE_H */
