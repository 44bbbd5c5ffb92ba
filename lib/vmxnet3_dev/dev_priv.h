/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The device core's own structures: what dev_state.h says in plain data, plus the pointers to work with.
 *
 * Files: dev.c (life, link, info), dev_pci.c (configuration space), dev_regs.c (BARs), dev_cmd.c
 * (commands), dev_activate.c (ACTIVATE: snapshot, validate, commit; rings into host pointers),
 * dev_load.c (filter, features, RSS), dev_intr.c (interrupts, events), dev_tx*.c and dev_rx*.c
 * (datapath), dev_mem.c (guest memory).
 * The datapath calls nothing of the control files except dev_txq_fail(), dev_rxq_fail() and
 * dev_intr_mark().
 */
#ifndef DEV_PRIV_H
#define DEV_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include <rte_spinlock.h>
#include <vfu_server.h>
#include <vmxnet3_rev.h>

#include "dev_state.h"
#include "vmxnet3_dev.h"

#define DEV_INTR_NONE UINT32_MAX /**< interrupt type: none can be signalled now */

/** vmxnet3_coalesce::mode */
enum { DEV_COALESCE_DISABLED, DEV_COALESCE_ADAPTIVE, DEV_COALESCE_STATIC, DEV_COALESCE_RATE };

#define DEV_PAGE_SHIFT 12
#define DEV_PAGE_SIZE  (1u << DEV_PAGE_SHIFT)
/** Pages that the longest ring (8192 entries of 16 bytes) can touch when it does not begin on a page. */
#define DEV_RING_PAGES 33

/**
 * A ring in host pointers. With a vIOMMU its pages lie anywhere, so each has its own pointer; an
 * entry never straddles two pages.
 */
struct dev_ring {
	struct dev_ring_pos *pos;
	uint32_t first_offset;          /**< of entry 0 in the first page */
	uint8_t *page[DEV_RING_PAGES];  /**< NULL: page not mapped now; the queue rests */
};

static inline struct vmxnet3_desc *
dev_ring_entry(const struct dev_ring *r, uint32_t i)
{
	uint32_t at = r->first_offset + i * (uint32_t)sizeof(struct vmxnet3_desc);

	return (struct vmxnet3_desc *)(r->page[at >> DEV_PAGE_SHIFT] + (at & (DEV_PAGE_SIZE - 1)));
}

static inline void
dev_ring_advance(struct dev_ring_pos *p)
{
	if (++p->next == p->size) {
		p->next = 0;
		p->gen ^= 1;
	}
}

/** The mapping hit last by one user; valid while the table's generation is @c generation. */
struct dev_tlb {
	struct vfu_dma_range range;
	uint64_t generation;
};

struct dev_txq {
	struct dev_txq_state *st;
	struct dev_ring ring, comp;
	struct dev_tlb tlb;
	uint8_t *deferred;      /**< txNumDeferred in the guest's queue descriptor, or NULL */
	uint64_t noeop_since;   /**< ns, when a frame without an end was seen first; 0: none */
	atomic_bool ready;      /**< rings mapped; pages change only while false and quiesced */
	atomic_bool failed;     /**< protocol broken by the guest: rests until the next activation */
	uint64_t frames, bytes, tso; /**< since creation */
} __attribute__((aligned(64)));

struct dev_rxq {
	struct dev_rxq_state *st;
	struct dev_ring ring[2], comp;
	rte_spinlock_t lock;    /**< held for the reservation of descriptors, never across a copy */
	struct dev_tlb tlb;     /**< under the lock */
	atomic_bool ready;
	atomic_bool failed;
	uint64_t frames, bytes, lro; /**< since creation; under the lock */
} __attribute__((aligned(64)));

struct vmxnet3_dev {
	/* Read by every burst. */
	atomic_uint nb_txq;     /**< published number of transmit queues; 0: not active */
	atomic_uint nb_rxq;
	struct dev_state *st;   /**< in the memory file @c state_fd */
	struct vfu_dma *dma;    /**< NULL while not attached */
	_Atomic(uint32_t) *bar0; /**< the shared page, as 32-bit registers */
	const struct vmxnet3_rev *rev; /**< of the selected revision; revision 1 before */

	struct dev_txq txq[VMXNET3_MAX_TX_QUEUES];
	struct dev_rxq rxq[VMXNET3_MAX_RX_QUEUES];

	/* Interrupts: dev_intr.c */
	struct {
		_Atomic uint64_t pending[2];           /**< bit per vector */
		_Atomic uint64_t last[VMXNET3_MAX_INTRS]; /**< ns, when each was raised last */
		_Atomic uint32_t type;                 /**< VFU_IRQ_*, from PCI configuration */
		atomic_bool enabled;                   /**< active, bus master on */
		atomic_bool intx_level;
		/** intrCtrl and ecr in guest memory, or NULL; change only as ring pages do. */
		_Atomic(_Atomic(uint32_t) *) ctrl;
		_Atomic(_Atomic(uint32_t) *) ecr;
		_Atomic uint64_t min_gap;              /**< ns between two of one vector; 0: no cap */
		_Atomic uint64_t capped[2];            /**< bit per vector: counted in @c held */
		_Atomic uint64_t raised, held;
		struct vmxnet3_intr_ops ops;
	} intr;

	_Atomic uint64_t drops[VMXNET3_DROP_MAX];

	/* Control, under ctl. */
	pthread_mutex_t ctl;    /**< recursive: transports may nest (a write that resets) */
	uint32_t ctl_depth;     /**< how often its holder has it */
	bool changed;           /**< ops.changed is to be called when ctl is let go */
	bool filter_edited;     /**< the spare filter differs from the one in use */
	struct vmxnet3_dev_conf conf;
	struct vmxnet3_dev_ops ops;
	char name[64];
	int state_fd, bar0_fd;
	uint64_t activations;
	bool attached;
	uint64_t rings_generation; /**< of the DMA table, when rings were looked up last */

	/* Bounds what a guest can write into the log; any thread. */
	_Atomic uint64_t log_window; /**< ns, when the current window began */
	_Atomic uint32_t log_lines;  /**< wanted in it */
};

/*
 * What control changes while the datapath runs, and how the datapath reads it:
 *  - cfg.features, link_up: one word each, by an atomic load, once per burst or frame;
 *  - cfg.rss_types: once per frame, by dev_rss_types(); only when it is not 0 may rss_key, ind_table and
 *    ind_table_size be looked at (control stores 0, quiesces, changes them, stores the new types);
 *  - the receive filter: by dev_filter(), once per frame or burst.
 * The rest of cfg changes only while no queue is published.
 */
static inline uint32_t
dev_features(const struct vmxnet3_dev *dev)
{
	return __atomic_load_n(&dev->st->cfg.features, __ATOMIC_RELAXED);
}

static inline bool
dev_link_up(const struct vmxnet3_dev *dev)
{
	return __atomic_load_n(&dev->st->link_up, __ATOMIC_RELAXED) != 0;
}

static inline uint32_t
dev_rss_types(const struct vmxnet3_dev *dev)
{
	return __atomic_load_n(&dev->st->cfg.rss_types, __ATOMIC_ACQUIRE);
}

static inline const struct offload_filter *
dev_filter(const struct vmxnet3_dev *dev)
{
	return &dev->st->filter[__atomic_load_n(&dev->st->filter_index, __ATOMIC_ACQUIRE) & 1];
}

/* dev_mem.c: guest memory */

/**
 * Host address of @p iova with @p prot access. @p len is cut to what is contiguous from there.
 * @return NULL: not mapped (or read-only when write is asked).
 */
uint8_t *dev_mem_at(struct vmxnet3_dev *dev, struct dev_tlb *tlb, uint64_t iova, uint32_t *len,
	uint32_t prot);

/**
 * Forgets what every queue's TLB holds. Needed whenever dev->dma changes (attach, detach), with the
 * datapath quiesced: another table may be at the same generation.
 */
void dev_tlb_flush(struct vmxnet3_dev *dev);

/** Copies between guest and private memory across mappings. @return false: some byte is not mapped. */
bool dev_mem_read(struct vmxnet3_dev *dev, uint64_t iova, void *buf, uint32_t len);
bool dev_mem_write(struct vmxnet3_dev *dev, uint64_t iova, const void *buf, uint32_t len);

/**
 * Fills @p ring's pages from ring->pos (pa, size). @return false and all pages NULL: not wholly mapped.
 */
bool dev_ring_map(struct vmxnet3_dev *dev, struct dev_ring *ring, uint32_t prot);

/* dev_intr.c */

/** Marks vector @p idx due. Any thread. Out-of-range indices are ignored. */
void dev_intr_mark(struct vmxnet3_dev *dev, uint32_t idx);

/**
 * Ors @p bits into DriverShared.ecr (through intr.ecr) and marks the event vector due. Any thread that is
 * inside a datapath function or holds ctl.
 */
void dev_event(struct vmxnet3_dev *dev, uint32_t bits);

/** Forgets due interrupts and lowers INTx. Control, while no datapath thread is inside. */
void dev_intr_stop(struct vmxnet3_dev *dev);
/** Looks at PCI configuration again: which type of interrupt. Control. */
void dev_intr_reconfigure(struct vmxnet3_dev *dev);
/** Computes the gap between interrupts from conf.intr_rate and what the driver asked for. Control. */
void dev_intr_moderate(struct vmxnet3_dev *dev);
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

/* dev_activate.c */

/** @return 0, or 1 as the driver gets it; the reason is logged. */
uint32_t dev_activate(struct vmxnet3_dev *dev);
/** Stops the datapath: no guest memory is touched after it returns. Keeps DSA, MAC, filters. */
void dev_quiesce(struct vmxnet3_dev *dev);
/** Whether PCI lets the device access guest memory: attached, bus master on, power state D0. */
bool dev_dma_allowed(const struct vmxnet3_dev *dev);
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

/* dev_load.c */

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
/** Features, and RSS as they and the driver's settings have it. */
void dev_load_features(struct vmxnet3_dev *dev, const struct vmxnet3_shared *shared);

/* dev_cmd.c */
void dev_cmd(struct vmxnet3_dev *dev, uint32_t cmd);
/** What a new driver finds, whatever the one before it set: coalescing, RSS fields, capabilities. */
void dev_forget_driver(struct vmxnet3_dev *dev, bool keep_caps);
/** Writes status and statistics of every queue into the guest's queue descriptors. */
void dev_write_queue_status(struct vmxnet3_dev *dev);
void dev_write_queue_stats(struct vmxnet3_dev *dev);

/* dev_pci.c */
void dev_pci_power_on(struct vmxnet3_dev *dev);
bool dev_pci_bus_master(const struct vmxnet3_dev *dev);
/** Interrupt type in force, VFU_IRQ_*, or DEV_INTR_NONE. */
uint32_t dev_pci_intr_type(const struct vmxnet3_dev *dev);

/* dev_regs.c */
/** BAR0 as after RESET: every vector masked, no doorbell. */
void dev_bar0_reset(struct vmxnet3_dev *dev);
/** Capabilities that the selected revision offers in DCR[0]. */
uint32_t dev_caps_supported(const struct vmxnet3_dev *dev);

/* dev.c */
void dev_lock(struct vmxnet3_dev *dev);
void dev_unlock(struct vmxnet3_dev *dev);
/** ops.quiesce, if there is one. */
void dev_wait_datapath(struct vmxnet3_dev *dev);
void dev_wake(struct vmxnet3_dev *dev);
/** Selects a revision (0: none) and drops what belonged to the one before. */
void dev_select_revision(struct vmxnet3_dev *dev, uint32_t revision);
void dev_log(struct vmxnet3_dev *dev, enum vmxnet3_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * Datapath: the guest broke the queue's protocol. Stops this queue, writes its status into the guest's
 * queue descriptor, raises TQERR or RQERR. The driver answers with a reset. In dev_activate.c.
 */
void dev_txq_fail(struct vmxnet3_dev *dev, struct dev_txq *q, uint32_t error);
void dev_rxq_fail(struct vmxnet3_dev *dev, struct dev_rxq *q, uint32_t error);

static inline void
dev_drop(struct vmxnet3_dev *dev, enum vmxnet3_drop reason, uint64_t n)
{
	atomic_fetch_add_explicit(&dev->drops[reason], n, memory_order_relaxed);
}

#endif /* DEV_PRIV_H */
