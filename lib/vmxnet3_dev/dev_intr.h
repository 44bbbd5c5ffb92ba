/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Interrupts and events. */
#ifndef DEV_INTR_H
#define DEV_INTR_H

#include "dev_moderation.h"

/**
 * Marks vector @p idx due, by DEV_DUE_RX(), DEV_DUE_TX() or DEV_DUE_EVENT. After what it tells of was written. Any thread.
 * Out-of-range indices are ignored.
 */
void dev_intr_mark(struct vmxnet3_dev *dev, uint32_t idx, uint64_t due);

/**
 * Ors @p bits into DriverShared.ecr (through intr.ecr) and marks the event vector due. Any thread that is
 * inside a datapath function or holds ctl.
 */
void dev_event(struct vmxnet3_dev *dev, uint32_t bits);

/** Forgets due interrupts and lowers INTx. Control, while no datapath thread is inside. */
void dev_intr_stop(struct vmxnet3_dev *dev);
/** Looks at PCI configuration again: which type of interrupt. Control. */
void dev_intr_reconfigure(struct vmxnet3_dev *dev);
/** The INTx line as the guest sees it in ICR and in PCI status; reading ICR lowers it. Control. */
bool dev_intr_intx_level(const struct vmxnet3_dev *dev);
uint32_t dev_intr_icr_read(struct vmxnet3_dev *dev);
/** The guest masked vector @p idx by a message. Control. */
void dev_intr_masked(struct vmxnet3_dev *dev, uint32_t idx);
/** The bus has lowered the line (it does so at any access to a BAR): raises it again if it is asserted. */
void dev_intr_eoi(struct vmxnet3_dev *dev);
/** DriverShared.ecr as the register shows it, and its write-one-to-clear. Control. */
uint32_t dev_ecr_read(struct vmxnet3_dev *dev);
void dev_ecr_clear(struct vmxnet3_dev *dev, uint32_t bits);

#endif /* DEV_INTR_H */
