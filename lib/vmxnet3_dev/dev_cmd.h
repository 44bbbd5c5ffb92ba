/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Commands. */
#ifndef DEV_CMD_H
#define DEV_CMD_H

#include "dev_base.h"

/** Runs a command to its end; its result is in dev_state::cmd_result. Control. */
void dev_cmd(struct vmxnet3_dev *dev, uint32_t cmd);

#endif /* DEV_CMD_H */
