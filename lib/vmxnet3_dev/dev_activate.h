/* SPDX-License-Identifier: BSD-3-Clause */
/** @file From a driver's shared area to running queues and back. */
#ifndef DEV_ACTIVATE_H
#define DEV_ACTIVATE_H

#include "dev_base.h"

/** @return 0, or 1 as the driver gets it; the reason is logged. */
uint32_t dev_activate(struct vmxnet3_dev *dev);
/** Stops the datapath: no guest memory is touched after it returns. Keeps DSA, MAC, filters. */
void dev_quiesce(struct vmxnet3_dev *dev);
/** Publishes or withdraws the queues as activation, bus master and power state have it now. */
void dev_run_update(struct vmxnet3_dev *dev);
/** Looks the rings up again if the DMA table has changed; does not wait for cached lookups. */
void dev_dma_sync(struct vmxnet3_dev *dev);
/** Copies DriverShared up to cmdInfo. @return false: not there, or no access now. */
bool dev_shared_read(struct vmxnet3_dev *dev, struct vmxnet3_shared *shared);
/**
 * Looks rings (and intrCtrl, ecr, txNumDeferred) up again after the DMA table changed. Queues whose
 * pages moved or went rest first, are quiesced, and go on if all their pages are there.
 */
void dev_rings_remap(struct vmxnet3_dev *dev);

#endif /* DEV_ACTIVATE_H */
