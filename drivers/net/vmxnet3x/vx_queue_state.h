/* SPDX-License-Identifier: BSD-3-Clause */
/** @file How a queue is doing: ethdev operations that at most take notice of what is sent. */
#ifndef VX_QUEUE_STATE_H
#define VX_QUEUE_STATE_H

#include <pmd_compat.h>

#include "vx_dev.h"

void vx_rxq_info_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_rxq_info *info);
void vx_txq_info_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_txq_info *info);
int vx_rx_burst_mode_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_burst_mode *mode);
int vx_tx_burst_mode_get(struct rte_eth_dev *eth_dev, uint16_t queue, struct rte_eth_burst_mode *mode);

/** Completions that wait to be received. */
pmd_queue_count vx_rx_queue_count(void *rxq);
int vx_rx_descriptor_status(void *rxq, uint16_t offset);
int vx_tx_descriptor_status(void *txq, uint16_t offset);

/** @return frames freed: of those that are sent, at most @p free_cnt (0: all) */
int vx_tx_done_cleanup(void *txq, uint32_t free_cnt);

#endif /* VX_QUEUE_STATE_H */
