/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A device's state as plain data in one memory file: no pointer in it, every index checked before use.
 *
 * It says everything about the device that must survive if another process takes over. A ring
 * position advances only after its completion is visible to the guest.
 */
#ifndef DEV_STATE_H
#define DEV_STATE_H

#include <offload_filter.h>
#include <offload_rss.h>
#include <vmxnet3_mem.h>
#include <vmxnet3_regs.h>

#include "vmxnet3_drop.h"

#define DEV_STATE_MAGIC   0x33786d76u /* "vmx3" */
#define DEV_STATE_VERSION 2
#define DEV_PCI_CONFIG_BYTES 256

/** Position in a ring that one side fills and the other follows by generation bit. */
struct dev_ring_pos {
	uint64_t pa;
	uint32_t size; /**< entries; 0: no such ring */
	uint32_t next; /**< entry to be looked at next */
	uint32_t gen;  /**< generation bit that makes it valid (or that we write) */
};

struct dev_txq_state {
	struct dev_ring_pos ring, comp;
	uint32_t stopped, error;
	uint32_t intr_idx;
	struct vmxnet3_tx_stats stats; /**< since activation */
};

struct dev_rxq_state {
	struct dev_ring_pos ring[2], comp;
	uint64_t data_pa;
	uint32_t data_desc_size; /**< 0: no receive data ring */
	uint32_t stopped, error;
	uint32_t intr_idx;
	struct vmxnet3_rx_stats stats;
};

/** What ACTIVATE and the UPDATE commands loaded; never re-read from the guest in between. */
struct dev_config {
	uint64_t queue_desc_pa;
	uint32_t features; /**< VMXNET3_F_* */
	uint32_t mtu;
	uint32_t max_num_rx_sg;
	uint32_t nb_txq, nb_rxq; /**< 0 while not active */
	uint32_t auto_mask, nb_intrs, event_intr_idx;
	uint32_t intr_ctrl_offset; /**< of intrCtrl in DriverShared (base or extended area) */
	uint32_t driver_version, gos;
	uint32_t rss_types; /**< OFFLOAD_RSS_*; 0: no RSS */
	uint32_t rss_hash_type; /**< of RSSConf */
	uint32_t rss_loaded;    /**< key and table are good */
	uint32_t ind_table_size;
	uint8_t ind_table[128]; /**< every entry < nb_rxq */
	struct offload_rss_key rss_key;
};

struct dev_state {
	uint32_t magic, version, size, reserved;

	uint8_t perm_mac[6], mac[6];
	uint32_t mac_staged;  /**< MACL as written, not yet committed by MACH */
	uint32_t revision;    /**< 1 to 9; 0: none selected */
	uint32_t active;
	uint32_t link_up;
	uint64_t shared_pa;   /**< DriverShared, as in use */
	uint32_t shared_valid;
	uint32_t dsal, dsah;  /**< as written */
	uint32_t cmd, cmd_result;
	uint32_t dcr[VMXNET3_NB_DCR]; /**< enabled capabilities */
	uint32_t rss_fields;  /**< VMXNET3_RSS_FIELDS_* asked for */
	struct vmxnet3_coalesce coalesce;
	uint32_t intx_asserted;
	uint8_t pci[DEV_PCI_CONFIG_BYTES];

	struct dev_config cfg;
	/** The datapath uses filter[filter_index]; control fills the other one and flips the index. */
	uint32_t filter_index;
	struct offload_filter filter[2];

	struct dev_txq_state txq[VMXNET3_MAX_TX_QUEUES];
	struct dev_rxq_state rxq[VMXNET3_MAX_RX_QUEUES];
};

#endif /* DEV_STATE_H */
