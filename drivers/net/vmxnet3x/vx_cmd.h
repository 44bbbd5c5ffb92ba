/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Commands. With vx_dev::ctl held. While the device is away they do nothing and return all ones. */
#ifndef VX_CMD_H
#define VX_CMD_H

#include "vx_dev.h"

/** A command without result. */
void vx_cmd(struct vx_dev *dev, enum vmxnet3_cmd cmd);

/** A command and its result. */
uint32_t vx_cmd_get(struct vx_dev *dev, enum vmxnet3_cmd cmd);

#endif /* VX_CMD_H */
