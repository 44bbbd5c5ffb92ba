/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Interrupt moderation: when a vector that is due may be raised.
 *
 * One rule for all modes. A vector is raised when enough has gathered on it (so many receive completions, or so many
 * transmit completions, or the oldest has waited for long enough), and not sooner than a gap after the last time. The modes
 * differ in these numbers only.
 */
#ifndef DEV_MODERATION_H
#define DEV_MODERATION_H

#include "dev_base.h"

/** vmxnet3_coalesce::mode */
enum { DEV_COALESCE_DISABLED, DEV_COALESCE_ADAPTIVE, DEV_COALESCE_STATIC, DEV_COALESCE_RATE };

/** Completions that a driver may ask to gather, at most. */
#define DEV_COALESCE_DEPTH_MAX 128u

/* What is due on a vector: receive completions in the low half, transmit completions in the high one. */
#define DEV_DUE_RX(n) ((uint64_t)(n))
#define DEV_DUE_TX(n) ((uint64_t)(n) << 32)
/** An event waits for nothing to gather: it counts as more than any depth. */
#define DEV_DUE_EVENT DEV_DUE_RX(DEV_COALESCE_DEPTH_MAX)

/** Takes the numbers from the configuration, the driver's settings and the rings in use. Control. */
void dev_moderation_set(struct vmxnet3_dev *dev);

/**
 * Whether @p v, on which @p due has gathered, may not be raised yet at @p now (ns). Any thread.
 */
enum vmxnet3_dev_intr_held dev_moderation_holds(struct vmxnet3_dev *dev, struct dev_vector *v, uint64_t due, uint64_t now);

/** @p v is about to be raised for what was due on it. Any thread. */
void dev_moderation_raised(struct vmxnet3_dev *dev, struct dev_vector *v, uint64_t due, uint64_t now);

/** For those who watch. Control. */
void dev_moderation_info(const struct vmxnet3_dev *dev, struct vmxnet3_dev_moderation *info);

#endif /* DEV_MODERATION_H */
