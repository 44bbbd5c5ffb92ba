/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The kind of port that is an ethdev. */
#ifndef VSWITCHD_PORT_ETHDEV_H
#define VSWITCHD_PORT_ETHDEV_H

#include "port.h"

extern const struct port_ops port_ethdev_ops;

#endif /* VSWITCHD_PORT_ETHDEV_H */
