/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A port, of either kind, behind one set of operations. A port knows nothing of bridges.
 *
 * The datapath operations run on polling cores, each with a context of its own; all others on the
 * main thread. A port may be closed once no polling core can know it any more.
 */
#ifndef VSWITCHD_PORT_H
#define VSWITCHD_PORT_H

#include <rte_common.h>

#include <offload_frame.h>
#include <vmxnet3_dev.h>

#include "conf.h"
#include "drop.h"
#include "error.h"
#include "port_cost.h"
#include "port_info.h"

/** Frames taken from a port at once. */
#define PORT_BURST VMXNET3_BURST_FRAMES

/** The polling core of a queue that nobody polls. */
#define PORT_NO_WORKER UINT16_MAX

struct capture;
struct eth_scratch;

/** What the ports need of a polling core. */
struct port_ctx {
	uint16_t worker;             /**< 0 to the number of polling cores less one */
	uint64_t tsc;                /**< at the begin of the round */
	struct cost_clock clock;
	struct vmxnet3_burst *burst;
	struct eth_scratch *eth;
};

/** Counters of one port on one polling core: written by that core alone. */
struct port_counters {
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
	uint64_t rx_tso;
	uint64_t drops[SWITCH_DROP_MAX];
} __rte_cache_aligned;

/** What the ports of a switch have in common. */
struct port_env {
	const char *run_dir;
	uint16_t nb_workers;
	/** Waits until every polling core has let go of what it knew; any thread. */
	void (*quiesce)(void *ctx);
	/** A device asks to be polled soon; any thread. @p ctx is the port. */
	void (*wake)(void *ctx);
};

/** A queue that frames enter the switch by: of a device, a transmit queue of the guest's. */
struct port_queue {
	/** Who polls it, PORT_NO_WORKER while it changes hands. Set by the main thread, any thread reads it. */
	uint16_t worker;
	/* For switch_balance.c */
	uint16_t pinned;  /**< the only polling core that may; PORT_NO_WORKER: any */
	int16_t node;     /**< NUMA node of its memory, or NUMA_NO_NODE */
	uint16_t rest;    /**< periods that it stays where it is */
	uint32_t measured, load; /**< thousandths of a core: in the last period, and on average of two */
	uint64_t cycles;  /**< that it had cost when that was measured */
	uint64_t moves;   /**< from one polling core to another */
};

struct port;

struct port_ops {
	/** From port->conf, with every default filled in on return. */
	int (*open)(struct port *port, struct error *err);
	void (*close)(struct port *port);

	/** Receive queues that are in use now, the first ones of nb_queues. */
	uint16_t (*rx_queues)(const struct port *port);
	/**
	 * Takes frames that enter the switch; they are valid until rx_end(), due after more than
	 * 0.
	 */
	uint16_t (*rx_begin)(struct port *port, uint16_t queue, struct port_ctx *ctx,
		struct offload_frame **frames);
	void (*rx_end)(struct port *port, uint16_t queue, struct port_ctx *ctx);
	/** Tells that rx_begin() follows soon. NULL: it would not be quicker for that. */
	void (*rx_prefetch)(const struct port *port, uint16_t queue);
	/**
	 * Of queues, a bit each, those for which rx_begin() is worth a call: for those that hardly ever have something.
	 * Takes port->look. NULL: only rx_begin() can tell.
	 */
	uint64_t (*rx_pending)(const void *look, uint64_t queues);
	/** Sends at most PORT_BURST frames; what cannot be sent is dropped and counted. */
	void (*deliver)(struct port *port, struct port_ctx *ctx,
		struct offload_frame *const *frames, uint16_t n);
	/** As vmxnet3_dev_intr_poll_some(). NULL: never needed. */
	enum vmxnet3_dev_intr_held (*intr_poll)(struct port *port, uint32_t *left);
	/** As vmxnet3_dev_intr_due(). NULL as intr_poll. */
	bool (*intr_due)(const struct port *port);

	/** Whether the port's own end works, whatever carrier is offered to it. */
	bool (*link_own)(struct port *port);
	/** Offers a carrier. */
	void (*link_offer)(struct port *port, bool up);
	/** Whether link_own() cannot be known while no carrier is offered. NULL: no. */
	bool (*link_hidden)(const struct port *port);
	/** Whether a detached port is offered no carrier. */
	bool link_when_attached;

	int (*set_mtu)(struct port *port, uint16_t mtu, struct error *err);
	/** Whether no polling core may know the port during set_mtu(). */
	bool mtu_suspends;
	/** Whether somebody would lose something that only he can restore. */
	bool (*in_use)(struct port *port);
	/** Adds what the port itself counts. */
	void (*stats)(struct port *port, struct port_stats *stats);
	void (*info)(struct port *port, struct port_info *info);
	/** An address in the memory that a queue's frames come from, to ask for its place; may be gone. NULL: unknown. */
	const void *(*memory)(const struct port *port, uint16_t queue);
	/** NUMA node of all that, if there is no such address; or NUMA_NO_NODE. NULL: unknown. */
	int (*node)(const struct port *port);
	/** Frames given to different cores may leave in another order than they came in. NULL: no. */
	bool (*sends_apart)(const struct port *port);
};

struct port {
	uint16_t id;                    /**< below MAX_PORTS, unique among living ports */
	bool up;                        /**< datapath: the cable is plugged and its end works */
	const struct port_ops *ops;
	struct capture *capture;        /**< datapath: NULL: none */
	struct port_counters *counters; /**< [nb_workers] */

	struct port_conf conf;          /**< own copy */
	const struct port_env *env;
	void *priv;                     /**< of the kind */
	const void *look;               /**< of the kind, for rx_pending() */
	uint16_t nb_queues;             /**< that there can be, at most MAX_PORT_QUEUES; for the port's life */
	struct port_queue *queue;       /**< [nb_queues] */
	struct port_cost cost;
	bool offered;                   /**< the carrier that it was given last */
	uint32_t offered_at;            /**< when that changed, seconds */
	bool own;                       /**< link_own() as it was last */
	bool suspended;                 /**< left out of the topology while it is being changed */
};

/**
 * Checks the configuration and opens the port. It is not polled yet; no queue has a core.
 *
 * @param ops  of the kind that the configuration names
 * @param id   free
 */
int port_create(const struct port_conf *conf, const struct port_ops *ops, uint16_t id,
	const struct port_env *env, struct port **port, struct error *err);
void port_destroy(struct port *port);

/** Takes the key affinity over; it is not looked at here. @return 0 or -ENOMEM: nothing changed. */
int port_set_affinity(struct port *port, const char *affinity);

/** Takes the VLAN keys over, which count from the next topology on. @return 0 or -ENOMEM: nothing changed. */
int port_set_vlan(struct port *port, const struct port_conf *vlan);

/** All polling cores together, and what the port itself counts. */
void port_stats_get(struct port *port, struct port_stats *stats);

/**
 * Names of ports and bridges: 1 to NAME_LEN of letters, digits, '-', '_', '.', not led by '-' or
 * '.'.
 */
bool name_valid(const char *name);

static inline struct port_counters *
port_count(struct port *port, const struct port_ctx *ctx)
{
	return &port->counters[ctx->worker];
}

/** One writer, many readers: no atomic addition needed. */
static inline void
count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

static inline void
port_drop(struct port *port, const struct port_ctx *ctx, enum switch_drop reason, uint64_t n)
{
	count(&port_count(port, ctx)->drops[reason], n);
}

static inline uint16_t
port_worker(const struct port *port, uint16_t queue)
{
	return __atomic_load_n(&port->queue[queue].worker, __ATOMIC_RELAXED);
}

static inline bool
port_is_up(const struct port *port)
{
	return __atomic_load_n(&port->up, __ATOMIC_RELAXED);
}

#endif /* VSWITCHD_PORT_H */
