/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Settings that ACTIVATE and the UPDATE commands have in common. */
#ifndef DEV_LOAD_H
#define DEV_LOAD_H

#include "dev_base.h"

/** The filter that is not in use, a copy of the one in use at first; put in force by the second. */
struct offload_filter *dev_filter_edit(struct vmxnet3_dev *dev);
void dev_filter_publish(struct vmxnet3_dev *dev);
/**
 * Loaders shared by ACTIVATE and the UPDATE commands; take a private snapshot of DriverShared. Those of
 * filters need a dev_filter_publish() after them.
 */
void dev_load_rx_mode(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared);
void dev_load_mac_filters(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared);
void dev_load_vlan_filters(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared);
void dev_load_rss(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared);
/** Hash types as RSSConf, SET_RSS_FIELDS and the enabled capabilities have it now; key and table stay. */
void dev_update_rss_types(struct vmxnet3_dev *dev);
/** Features, and RSS as they and the driver's settings have it. */
void dev_load_features(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared);

#endif /* DEV_LOAD_H */
