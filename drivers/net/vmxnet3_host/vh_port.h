/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A port of the back-end driver: the device core as an ethdev.
 *
 * What the guest transmits, the ethdev receives, and the other way round; rx and tx below are always
 * the ethdev's, unless a name says "guest".
 *
 * The files of the driver, from the top down; each uses only those below it:
 *  - vh_vdev.c: probe and remove; vh_ops.c: the ethdev's operations;
 *  - vh_stats.c, vh_link.c: statistics, link;
 *  - vh_rx.c on vh_rx_frame.c, vh_tx.c on vh_tx_request.c: bursts;
 *  - vh_intr.c: the guest's interrupts;
 *  - vh_port.c: the device, its socket, waiting for bursts to end;
 *  - vh_args.c: device arguments; vh_count.h: what queues count.
 *
 * Threading. A control thread of the device serves the guest's commands. It must never wait for anything
 * that waits for a guest, and a DPDK application may be the guest of its own port, waiting with EAL's
 * memory lock held: so this thread calls nothing that allocates DPDK memory or runs callbacks of
 * the application. When it takes something away from the bursts it waits until none is inside that
 * could have seen it (vh_port_quiesce()). Each queue says in its gate when a burst is inside.
 */
#ifndef VH_PORT_H
#define VH_PORT_H

#include <stdatomic.h>

#include <ethdev_driver.h>
#include <rte_log.h>
#include <rte_spinlock.h>

#include <vmxnet3_vfu.h>

#include "vh_args.h"
#include "vh_count.h"

/** Queues of an ethdev in each direction: as many as an application may have cores. */
#define VH_MAX_QUEUES 128

extern int vh_logtype;

#define VH_LOG(level, name, fmt, ...) \
	rte_log(RTE_LOG_##level, (uint32_t)vh_logtype, "%s: " fmt "\n", name, ##__VA_ARGS__)

/** A turnstile: odd while its one thread is inside. */
struct vh_gate {
	atomic_uint turns;
};

/** What is published before vh_port_quiesce() is called is seen after this, or the call waits. */
static inline void
vh_gate_enter(struct vh_gate *gate)
{
	unsigned int turns = atomic_load_explicit(&gate->turns, memory_order_relaxed);

	atomic_store_explicit(&gate->turns, turns + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_seq_cst);
}

static inline void
vh_gate_leave(struct vh_gate *gate)
{
	unsigned int turns = atomic_load_explicit(&gate->turns, memory_order_relaxed);

	atomic_store_explicit(&gate->turns, turns + 1, memory_order_release);
}

struct vh_rx; /* vh_rx_frame.h */
struct vh_tx; /* vh_tx.c */

struct vh_rxq {
	struct vh_gate gate;
	uint16_t id, nb_desc;
	struct vh_port *port;
	struct rte_mempool *pool;
	struct vh_rx *rx;                 /**< room for its bursts; NULL: not set up */
	uint64_t count[VH_RX_COUNT_MAX];  /**< since creation; one thread writes */
	uint64_t base[VH_RX_COUNT_MAX];   /**< at the last reset of the statistics */
} __rte_cache_aligned;

struct vh_txq {
	struct vh_gate gate;
	uint16_t id, nb_desc;
	struct vh_port *port;
	struct vh_tx *tx;
	uint64_t count[VH_TX_COUNT_MAX];
	uint64_t base[VH_TX_COUNT_MAX];
} __rte_cache_aligned;

struct vh_port {
	/* Read by every burst. */
	struct vmxnet3_dev *dev;
	atomic_bool running;           /**< started: bursts do something */
	uint16_t nb_rxq;               /**< between start and stop */
	uint16_t ethdev;               /**< its number */
	_Atomic uint32_t mtu;
	_Atomic uint32_t ptypes;       /**< mask of packet type layers that are told */
	_Atomic uint64_t rx_offloads;  /**< enabled ones */
	uint32_t max_lro;              /**< bytes of the longest frame that may come whole */

	struct rte_eth_dev *eth;
	struct vmxnet3_vfu *vfu;
	struct vh_args args;
	struct rte_ether_addr mac;     /**< of the ethdev itself */
	atomic_bool admin_up;          /**< not set down by the application */
	atomic_bool active;            /**< the guest's driver runs */

	rte_spinlock_t link_lock;      /**< vh_link.c */
	struct vh_gate chase_gate;     /**< vh_intr.c */
	atomic_uint chases;            /**< the same: alarms to come */
	struct vmxnet3_dev_stats base; /**< at the last reset of the statistics */

	struct vh_rxq rxq[VH_MAX_QUEUES];
	struct vh_txq txq[VH_MAX_QUEUES];
};

static inline struct vh_port *
vh_port_of(const struct rte_eth_dev *eth)
{
	return eth->data->dev_private;
}

/** Adds to a counter of one thread that others may read. */
static inline void
vh_count(uint64_t *count, uint64_t n)
{
	__atomic_store_n(count, *count + n, __ATOMIC_RELAXED);
}

static inline uint64_t
vh_count_read(const uint64_t *count)
{
	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

/**
 * Makes the device and opens its socket. The port's args, eth and mac are set.
 *
 * @param changed  called when the guest's driver comes or goes, on the control thread
 * @param errbuf,errlen  gets a sentence on error
 * @return 0 or a negative errno.
 */
int vh_port_open(struct vh_port *port, void (*changed)(void *port), char *errbuf, size_t errlen);

/** Ends the connection, the socket and the device. No burst may be inside. */
void vh_port_close(struct vh_port *port);

/** Returns when no burst is inside that began before it was called. Not from inside one. */
void vh_port_quiesce(void *port);

#endif /* VH_PORT_H */
