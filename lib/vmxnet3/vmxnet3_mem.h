/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * vmxnet3 as seen in guest memory: the shared area, queue descriptors, ring entries. No behaviour.
 *
 * All fields are little-endian. Ring entries are given as 32-bit words with shifts and masks, because
 * a device reads and writes them by whole words; bit-field layout is left to no compiler.
 */
#ifndef VMXNET3_MEM_H
#define VMXNET3_MEM_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#define VMXNET3_MAGIC 0xbabefee1u

#define VMXNET3_RING_ALIGN       512
#define VMXNET3_QUEUE_DESC_ALIGN 128
#define VMXNET3_RING_MAX         4096 /**< command rings and the transmit completion ring */
#define VMXNET3_RX_COMP_RING_MAX 8192
#define VMXNET3_MTU_MIN          60
#define VMXNET3_MTU_MAX_V1       9000
#define VMXNET3_MTU_MAX          9190 /**< revision 6 on */
#define VMXNET3_TX_DATA_DESC_MIN 128
#define VMXNET3_DATA_DESC_MAX    2048

/** Where a variable-length structure lies. */
struct vmxnet3_var_conf {
	uint32_t ver;
	uint32_t len;
	uint64_t pa;
};

struct vmxnet3_misc_conf {
	uint32_t driver_version;
	uint32_t gos;
	uint32_t rev_spt;
	uint32_t upt_ver_spt;
	uint64_t upt_features;
	uint64_t dd_pa;
	uint64_t queue_desc_pa;
	uint32_t dd_len;
	uint32_t queue_desc_len;
	uint32_t mtu;
	uint16_t max_num_rx_sg;
	uint8_t num_tx_queues;
	uint8_t num_rx_queues;
	uint32_t reserved[4];
};

struct vmxnet3_intr_conf {
	uint8_t auto_mask;
	uint8_t num_intrs;
	uint8_t event_intr_idx;
	uint8_t mod_levels[25];
	uint32_t intr_ctrl; /**< VMXNET3_IC_DISABLE_ALL */
	uint32_t reserved[2];
};

#define VMXNET3_IC_DISABLE_ALL 0x1u

struct vmxnet3_rx_filter_conf {
	uint32_t rx_mode;
	uint16_t mf_table_len;
	uint16_t pad;
	uint64_t mf_table_pa;
	uint32_t vf_table[128];
};

struct vmxnet3_ring_buf_size {
	uint16_t ring1_buf_size_type0;
	uint16_t ring1_buf_size_type1;
	uint16_t ring2_buf_size_type1;
	uint16_t pad;
};

union vmxnet3_cmd_info {
	struct vmxnet3_var_conf var_conf;
	uint32_t rss_fields;
	struct vmxnet3_ring_buf_size ring_buf_size;
	uint8_t set_polling;
	uint64_t data[2];
};

struct vmxnet3_intr_conf_ext {
	uint8_t auto_mask;
	uint8_t num_intrs;
	uint8_t event_intr_idx;
	uint8_t reserved;
	uint32_t intr_ctrl;
	uint32_t reserved1;
	uint8_t mod_levels[65];
	uint8_t pad[3];
};

/** DriverShared. Drivers before revision 6 allocate only the first VMXNET3_SHARED_V1_BYTES. */
struct vmxnet3_shared {
	uint32_t magic;
	uint32_t size; /**< not to be relied on */
	struct vmxnet3_misc_conf misc;
	struct vmxnet3_intr_conf intr;
	struct vmxnet3_rx_filter_conf rx_filter;
	struct vmxnet3_var_conf rss_conf;
	struct vmxnet3_var_conf pm_conf;
	struct vmxnet3_var_conf plugin_conf;
	uint32_t ecr;
	uint32_t reserved;
	union vmxnet3_cmd_info cmd_info;
	struct vmxnet3_intr_conf_ext intr_ext;
};

#define VMXNET3_SHARED_V1_BYTES 720

struct vmxnet3_tx_stats {
	uint64_t tso_pkts, tso_bytes;
	uint64_t ucast_pkts, ucast_bytes;
	uint64_t mcast_pkts, mcast_bytes;
	uint64_t bcast_pkts, bcast_bytes;
	uint64_t error_pkts, discard_pkts;
};

struct vmxnet3_rx_stats {
	uint64_t lro_pkts, lro_bytes;
	uint64_t ucast_pkts, ucast_bytes;
	uint64_t mcast_pkts, mcast_bytes;
	uint64_t bcast_pkts, bcast_bytes;
	uint64_t out_of_buf_pkts, error_pkts;
};

struct vmxnet3_queue_status {
	uint8_t stopped;
	uint8_t pad[3];
	uint32_t error;
};

struct vmxnet3_tx_queue_desc {
	uint32_t tx_num_deferred;
	uint32_t tx_threshold;
	uint64_t reserved0;
	uint64_t tx_ring_pa;
	uint64_t data_ring_pa;
	uint64_t comp_ring_pa;
	uint64_t dd_pa;
	uint64_t reserved1;
	uint32_t tx_ring_size;
	uint32_t data_ring_size;
	uint32_t comp_ring_size;
	uint32_t dd_len;
	uint8_t intr_idx;
	uint8_t pad0;
	uint16_t tx_data_ring_desc_size;
	uint8_t pad1[4];
	struct vmxnet3_queue_status status;
	struct vmxnet3_tx_stats stats;
	uint64_t ts_ring_pa;
	uint16_t ts_ring_desc_size;
	uint16_t pad2;
	uint16_t sample_rate; /**< written by the device; 0: no time stamps */
	uint8_t pad3[74];
};

struct vmxnet3_rx_queue_desc {
	uint8_t update_rx_prod;
	uint8_t pad0[7];
	uint64_t reserved0;
	uint64_t rx_ring_pa[2];
	uint64_t comp_ring_pa;
	uint64_t dd_pa;
	uint64_t data_ring_pa;
	uint32_t rx_ring_size[2];
	uint32_t comp_ring_size;
	uint32_t dd_len;
	uint8_t intr_idx;
	uint8_t pad1;
	uint16_t data_ring_desc_size;
	uint8_t pad2[4];
	struct vmxnet3_queue_status status;
	struct vmxnet3_rx_stats stats;
	uint64_t ts_ring_pa;
	uint16_t ts_ring_desc_size;
	uint8_t pad3[78];
};

struct vmxnet3_rss_conf {
	uint16_t hash_type; /**< VMXNET3_RSS_HASH_* */
	uint16_t hash_func; /**< 0 none, 1 Toeplitz */
	uint16_t hash_key_size;
	uint16_t ind_table_size;
	uint8_t hash_key[40];
	uint8_t ind_table[128];
};

#define VMXNET3_RSS_HASH_IPV4     0x1u
#define VMXNET3_RSS_HASH_TCP_IPV4 0x2u
#define VMXNET3_RSS_HASH_IPV6     0x4u
#define VMXNET3_RSS_HASH_TCP_IPV6 0x8u

struct vmxnet3_coalesce {
	uint32_t mode; /**< 0 disabled, 1 adaptive, 2 static, 3 rate-based */
	uint32_t param[3];
};

/** Any ring entry: descriptors and completions have 16 bytes. */
struct vmxnet3_desc {
	uint32_t dw[4];
} __attribute__((aligned(16)));

/* Transmit descriptor: dw0-1 address. */
#define VMXNET3_TXD_LEN_MASK     0x3fffu /* dw2; 0 means 16384 */
#define VMXNET3_TXD_LEN_ZERO     16384u
#define VMXNET3_TXD_GEN_SHIFT    14      /* dw2 */
#define VMXNET3_TXD_OCO          (1u << 15)
#define VMXNET3_TXD_DTYPE        (1u << 16)
#define VMXNET3_TXD_EXT1         (1u << 17)
#define VMXNET3_TXD_MSSCOF_SHIFT 18
#define VMXNET3_TXD_HLEN_MASK    0x3ffu  /* dw3 */
#define VMXNET3_TXD_OM_SHIFT     10
#define VMXNET3_TXD_OM_MASK      0x3u
#define VMXNET3_TXD_EOP          (1u << 12)
#define VMXNET3_TXD_CQ           (1u << 13)
#define VMXNET3_TXD_EXT2         (1u << 14)
#define VMXNET3_TXD_TI           (1u << 15)
#define VMXNET3_TXD_TCI_SHIFT    16

#define VMXNET3_OM_NONE  0
#define VMXNET3_OM_ENCAP 1
#define VMXNET3_OM_CSUM  2
#define VMXNET3_OM_TSO   3

/* Transmit completion. */
#define VMXNET3_TCD_INDEX_MASK 0xfffu     /* dw0 */
#define VMXNET3_CD_GEN_SHIFT   31         /* dw3 of both completions */
#define VMXNET3_CD_TYPE_SHIFT  24         /* dw3 */
#define VMXNET3_CD_TYPE_TX     0
#define VMXNET3_CD_TYPE_RX     3
#define VMXNET3_CD_TYPE_RX_LRO 4

/* Receive descriptor: dw0-1 address. */
#define VMXNET3_RXD_LEN_MASK  0x3fffu /* dw2 */
#define VMXNET3_RXD_BODY      (1u << 14)
#define VMXNET3_RXD_DTYPE     (1u << 15)
#define VMXNET3_RXD_GEN_SHIFT 31

/* Receive completion. */
#define VMXNET3_RCD_INDEX_MASK     0xfffu    /* dw0 */
#define VMXNET3_RCD_INNER_RSS      (1u << 12)
#define VMXNET3_RCD_INNER          (1u << 13)
#define VMXNET3_RCD_EOP            (1u << 14)
#define VMXNET3_RCD_SOP            (1u << 15)
#define VMXNET3_RCD_RQID_SHIFT     16
#define VMXNET3_RCD_RSS_TYPE_SHIFT 26
#define VMXNET3_RCD_CNC            (1u << 30)
#define VMXNET3_RCD_LEN_MASK       0x3fffu   /* dw2 */
#define VMXNET3_RCD_ERR            (1u << 14)
#define VMXNET3_RCD_TS             (1u << 15)
#define VMXNET3_RCD_TCI_SHIFT      16
#define VMXNET3_RCD_TUC            (1u << 16) /* dw3 */
#define VMXNET3_RCD_UDP            (1u << 17)
#define VMXNET3_RCD_TCP            (1u << 18)
#define VMXNET3_RCD_IPC            (1u << 19)
#define VMXNET3_RCD_V6             (1u << 20)
#define VMXNET3_RCD_V4             (1u << 21)
#define VMXNET3_RCD_FRG            (1u << 22)
#define VMXNET3_RCD_FCS            (1u << 23)

#define VMXNET3_CHECK_OFFSET(type, field, off) \
	static_assert(offsetof(struct type, field) == (off), #type "." #field)

static_assert(sizeof(struct vmxnet3_shared) == 800, "DriverShared");
VMXNET3_CHECK_OFFSET(vmxnet3_shared, misc, 0x008);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, misc.upt_features, 0x018);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, misc.queue_desc_pa, 0x028);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, misc.mtu, 0x038);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, misc.max_num_rx_sg, 0x03c);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, misc.num_rx_queues, 0x03f);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, intr, 0x050);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, intr.mod_levels, 0x053);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, intr.intr_ctrl, 0x06c);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, rx_filter, 0x078);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, rx_filter.mf_table_len, 0x07c);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, rx_filter.mf_table_pa, 0x080);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, rx_filter.vf_table, 0x088);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, rss_conf, 0x288);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, pm_conf, 0x298);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, plugin_conf, 0x2a8);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, ecr, 0x2b8);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, cmd_info, 0x2c0);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, intr_ext, VMXNET3_SHARED_V1_BYTES);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, intr_ext.intr_ctrl, 0x2d4);
VMXNET3_CHECK_OFFSET(vmxnet3_shared, intr_ext.mod_levels, 0x2dc);

static_assert(sizeof(struct vmxnet3_tx_queue_desc) == 256, "TxQueueDesc");
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, tx_threshold, 0x04);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, tx_ring_pa, 0x10);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, comp_ring_pa, 0x20);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, tx_ring_size, 0x38);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, comp_ring_size, 0x40);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, intr_idx, 0x48);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, tx_data_ring_desc_size, 0x4a);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, status, 0x50);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, stats, 0x58);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, ts_ring_pa, 0xa8);
VMXNET3_CHECK_OFFSET(vmxnet3_tx_queue_desc, sample_rate, 0xb4);

static_assert(sizeof(struct vmxnet3_rx_queue_desc) == 256, "RxQueueDesc");
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, rx_ring_pa, 0x10);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, comp_ring_pa, 0x20);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, data_ring_pa, 0x30);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, rx_ring_size, 0x38);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, comp_ring_size, 0x40);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, intr_idx, 0x48);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, data_ring_desc_size, 0x4a);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, status, 0x50);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, stats, 0x58);
VMXNET3_CHECK_OFFSET(vmxnet3_rx_queue_desc, ts_ring_pa, 0xa8);

static_assert(sizeof(struct vmxnet3_desc) == 16, "ring entry");
static_assert(sizeof(struct vmxnet3_rss_conf) == 176, "RSSConf");
static_assert(sizeof(struct vmxnet3_coalesce) == 16, "CoalesceScheme");
static_assert(sizeof(union vmxnet3_cmd_info) == 16, "cmdInfo");

#endif /* VMXNET3_MEM_H */
