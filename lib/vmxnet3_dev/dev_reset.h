/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What power-on, reset and a change of revision take back. Control. */
#ifndef DEV_RESET_H
#define DEV_RESET_H

#include "dev_base.h"

/** What the machine's power switch and PCI reset do. The link belongs to the host and stays. */
void dev_power_on(struct vmxnet3_dev *dev);
/** RESET_DEV: the driver lets go; the revision and its capabilities stay. */
void dev_driver_reset(struct vmxnet3_dev *dev);
/** Selects a revision (0: none) and drops what belonged to the one before. */
void dev_select_revision(struct vmxnet3_dev *dev, uint32_t revision);

#endif /* DEV_RESET_H */
