/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The device core's ground: its structures (what dev_state.h says in plain data, plus the pointers to
 * work with), the control lock, the log, and the calls to whoever runs the device.
 *
 * The files of the core, from the top down; each uses only those below it:
 *  - dev.c: life, link, info; vmxnet3_vfu.c: the device behind a vfio-user server;
 *  - dev_regs.c: what the guest reads and writes by messages;
 *  - dev_cmd.c: commands;
 *  - dev_reset.c: power-on, reset, change of revision;
 *  - dev_activate.c: ACTIVATE (snapshot, validate, commit), rings into host pointers, stop and go;
 *  - dev_load.c: filter, features, RSS; the datapath: dev_tx.c on dev_tx_load.c; dev_rx.c on dev_rx_plain.c and
 *    dev_rx_queue.c, those on dev_rx_comp.h, dev_rx_copy.h and dev_rx_ring.c; all on dev_burst.h;
 *  - dev_queue.c: queue descriptors in guest memory, queues that their driver broke;
 *  - dev_intr.c: interrupts, events, on dev_moderation.c: when they may be raised;
 *  - dev_pci.c: configuration space; dev_mem.c: guest memory.
 * The datapath calls nothing of the control files except dev_txq_fail(), dev_rxq_fail() and
 * dev_intr_mark().
 */
#ifndef DEV_BASE_H
#define DEV_BASE_H

#include <pthread.h>
#include <stdatomic.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_spinlock.h>
#include <vfu_server.h>
#include <vmxnet3_rev.h>

#include "dev_state.h"
#include "vmxnet3_dev.h"

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
	struct vmxnet3_desc *base;      /**< entry 0, when the pages follow each other as entries do; else NULL */
	uint32_t first_offset;          /**< of entry 0 in the first page */
	uint8_t *page[DEV_RING_PAGES];  /**< NULL: page not mapped now; the queue rests */
};

static inline struct vmxnet3_desc *
dev_ring_entry(const struct dev_ring *r, uint32_t i)
{
	uint32_t at;

	if (likely(r->base != NULL))
		return r->base + i;
	at = r->first_offset + i * (uint32_t)sizeof(struct vmxnet3_desc);
	return (struct vmxnet3_desc *)(r->page[at >> DEV_PAGE_SHIFT] + (at & (DEV_PAGE_SIZE - 1)));
}

/** As dev_ring_entry(). @param run  set to the number of entries that lie one after the other from there on */
static inline struct vmxnet3_desc *
dev_ring_run(const struct dev_ring *r, uint32_t i, uint32_t *run)
{
	struct vmxnet3_desc *d = dev_ring_entry(r, i);

	*run = r->pos->size - i;
	if (unlikely(r->base == NULL))
		*run = RTE_MIN(*run, (DEV_PAGE_SIZE - ((uint32_t)(uintptr_t)d & (DEV_PAGE_SIZE - 1))) /
			(uint32_t)sizeof(*d));
	return d;
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
	/* All that a look at an empty queue reads of it: one line here, and one in the guest. */
	const struct vmxnet3_desc *next; /**< the entry at the ring's position, and the bit that makes it valid; */
	uint32_t next_gen;      /**< both follow the position once a burst has ended */
	atomic_bool ready;      /**< rings mapped; pages change only while false and quiesced */
	atomic_bool failed;     /**< protocol broken by the guest: rests until the next activation */

	struct dev_txq_state *st;
	struct dev_ring ring, comp;
	struct dev_tlb tlb;
	uint8_t *deferred;      /**< txNumDeferred in the guest's queue descriptor, or NULL */
	uint64_t noeop_since;   /**< ns, when a frame without an end was seen first; 0: none */
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

/** What is due on an interrupt vector, and how it is moderated (dev_moderation.h). Times in ns. */
struct dev_vector {
	_Atomic uint64_t due;         /**< completions since it was raised last; 0: none */
	_Atomic uint64_t last;        /**< when it was raised last */
	_Atomic uint64_t since;       /**< when what is due was seen first; 0: not yet */
	_Atomic uint32_t rx_depth, tx_depth; /**< completions that need not wait for more */
	_Atomic uint32_t rx_full;     /**< receive completions that do not wait for the end of @c gap */
	_Atomic uint32_t gap;         /**< least time after @c last, found by adaptation */
	_Atomic uint32_t raises;      /**< of the window; so are frames */
	_Atomic uint64_t frames;
	_Atomic uint64_t window;      /**< when it began */
	_Atomic uint64_t alone_until; /**< no adaptation before */
	_Atomic uint64_t one_way_until; /**< no waiting for answers to what is sent before */
	_Atomic uint64_t one_way;     /**< for how long, the last time; 0: answers have come since */
	atomic_bool unanswered;       /**< it was raised last when they had been waited for in vain */
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
		/* All that a look at vectors that may not be raised reads here. */
		_Atomic uint64_t pending[2] __attribute__((aligned(64))); /**< bit per vector */
		_Atomic uint32_t type;                 /**< VFU_IRQ_*, from PCI configuration */
		_Atomic uint32_t first;                /**< vector that the next look begins with */
		atomic_bool enabled;                   /**< active, bus master on */
		atomic_bool intx_level;
		/** intrCtrl and ecr in guest memory, or NULL; change only as ring pages do. */
		_Atomic(_Atomic(uint32_t) *) ctrl;
		_Atomic(_Atomic(uint32_t) *) ecr;
		struct dev_vector vector[VMXNET3_MAX_INTRS];
		_Atomic uint64_t gap;                  /**< ns, least time between two of one vector */
		_Atomic uint64_t wait;                 /**< ns, that completions wait for others at most */
		atomic_bool adaptive;                  /**< each vector has a gap of its own, too */
		_Atomic uint64_t waits[2];             /**< bit per vector: counted in @c held */
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
	uint64_t rss_refused;   /**< RSS settings that made no sense */
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

/** RSS fields in force: of those that the driver asked for, those that it can have. */
static inline uint32_t
dev_rss_fields(const struct vmxnet3_dev *dev)
{
	return dev->st->rss_fields & vmxnet3_rev_rss_fields(dev->rev, dev->st->dcr[0]);
}

static inline const struct offload_filter *
dev_filter(const struct vmxnet3_dev *dev)
{
	return &dev->st->filter[__atomic_load_n(&dev->st->filter_index, __ATOMIC_ACQUIRE) & 1];
}

void dev_lock(struct vmxnet3_dev *dev);
void dev_unlock(struct vmxnet3_dev *dev);
/** ops.quiesce, if there is one. */
void dev_wait_datapath(struct vmxnet3_dev *dev);
void dev_wake(struct vmxnet3_dev *dev);
void dev_log(struct vmxnet3_dev *dev, enum vmxnet3_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static inline void
dev_drop(struct vmxnet3_dev *dev, enum vmxnet3_drop reason, uint64_t n)
{
	atomic_fetch_add_explicit(&dev->drops[reason], n, memory_order_relaxed);
}

#endif /* DEV_BASE_H */
