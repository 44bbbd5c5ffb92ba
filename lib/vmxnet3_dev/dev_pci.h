/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Configuration space. Control. */
#ifndef DEV_PCI_H
#define DEV_PCI_H

#include "dev_base.h"

#define DEV_INTR_NONE UINT32_MAX /**< interrupt type: none can be signalled now */

void dev_pci_power_on(struct vmxnet3_dev *dev);
bool dev_pci_bus_master(const struct vmxnet3_dev *dev);
/** Whether PCI lets the device access guest memory: attached, bus master on, power state D0. */
bool dev_dma_allowed(const struct vmxnet3_dev *dev);
/** Interrupt type in force, VFU_IRQ_*, or DEV_INTR_NONE. */
uint32_t dev_pci_intr_type(const struct vmxnet3_dev *dev);

/** A read at any place; what lies outside is 0. The status register shows @p intx_level. */
void dev_pci_read(const struct vmxnet3_dev *dev, bool intx_level, uint64_t offset, void *buf,
	uint32_t len);
/** A write at any place; read-only bits stay. @return false: all of it lies outside. */
bool dev_pci_write(struct vmxnet3_dev *dev, uint64_t offset, const void *buf, uint32_t len);

#endif /* DEV_PCI_H */
