/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The kind of port that is a vmxnet3 device. */
#ifndef VSWITCHD_PORT_DEVICE_H
#define VSWITCHD_PORT_DEVICE_H

#include "port.h"

extern const struct port_ops port_device_ops;

#endif /* VSWITCHD_PORT_DEVICE_H */
