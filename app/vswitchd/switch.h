/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The switch as its management sees it: ports, bridges, polling cores.
 *
 * A port and its place in a bridge are two things: attaching, detaching or taking the link down never
 * touches the guest's connection; only deleting the port ends it.
 *
 * Threading: everything here is called from the main thread only. Functions that can fail return 0 or a
 * negative errno and put a sentence (what, where, what to do) into @p err.
 */
#ifndef VSWITCHD_SWITCH_H
#define VSWITCHD_SWITCH_H

#include <vmxnet3_dev.h>

#include "conf.h"
#include "drop.h"
#include "error.h"

struct capture;

/** Starts the polling cores. EAL is up. */
int switch_start(const struct daemon_conf *conf, struct error *err);
/** Deletes every bridge and port, stops the polling cores. */
void switch_stop(void);
/** Ageing, link states, re-checks: call it about ten times a second. */
void switch_tick(void);

/* ---- ports ---- */

int switch_port_add(const struct port_conf *conf, struct error *err);
/** @param force  delete a device although a machine is connected: its card is dead until it restarts */
int switch_port_del(const char *name, bool force, struct error *err);
int switch_port_set_link(const char *name, bool up, struct error *err);
int switch_port_set_mtu(const char *name, uint16_t mtu, struct error *err);

struct port_info {
	const struct port_conf *conf; /**< the port's own copy, defaults filled in */
	const char *bridge;           /**< NULL: detached */
	bool link_up;                 /**< carrier as the port sees it: set up and its own link up */
	uint16_t ethdev_id;           /**< ethdev kinds */
	struct vmxnet3_dev_info dev;  /**< PORT_DEVICE */
	uint32_t nb_workers;          /**< that poll it */
	uint16_t workers[MAX_WORKERS];
};

struct port_stats {
	uint64_t rx_frames, rx_bytes; /**< into the switch (from the guest or the wire) */
	uint64_t tx_frames, tx_bytes; /**< out of the switch */
	uint64_t rx_tso, tx_lro;      /**< large frames among them */
	uint64_t interrupts, interrupts_held;
	uint64_t drops[SWITCH_DROP_MAX];
};

int switch_port_info(const char *name, struct port_info *info, struct error *err);
int switch_port_stats(const char *name, struct port_stats *stats, struct error *err);
/** Names of all ports in the order of their creation. @return how many. */
uint32_t switch_port_names(const char *names[MAX_PORTS]);

/* ---- bridges ---- */

int switch_bridge_add(const struct bridge_conf *conf, struct error *err);
/** Its ports are detached, not deleted. */
int switch_bridge_del(const char *name, struct error *err);
int switch_bridge_attach(const char *bridge, const char *port, struct error *err);
int switch_bridge_detach(const char *bridge, const char *port, struct error *err);

struct bridge_info {
	const struct bridge_conf *conf; /**< own copy; ports and nb_ports are not kept up to date */
	const char *ports[MAX_PORTS];   /**< attached now */
	uint32_t nb_ports;
	uint32_t fdb_used;
	uint64_t flooded;    /**< frames sent to every other port */
	uint64_t fdb_full;   /**< addresses not learnt because the table is full */
	uint64_t fdb_moves;  /**< addresses that came up on another port */
};

int switch_bridge_info(const char *name, struct bridge_info *info, struct error *err);
uint32_t switch_bridge_names(const char *names[MAX_BRIDGES]);

struct fdb_entry {
	uint8_t mac[6];
	uint16_t vlan;       /**< 0: untagged */
	const char *port;
	uint32_t age;        /**< seconds since last seen */
};

/** Calls @p fn for each address of a bridge. */
int switch_fdb_foreach(const char *bridge, void (*fn)(const struct fdb_entry *e, void *arg),
	void *arg, struct error *err);
/** @param port  only this port's addresses; NULL: all */
int switch_fdb_flush(const char *bridge, const char *port, struct error *err);

/* ---- polling cores ---- */

struct worker_info {
	uint16_t id;
	uint16_t cpu;
	uint32_t nb_queues;      /**< port queues that it polls */
	uint64_t loops, busy_loops;
	uint64_t busy_cycles, idle_cycles; /**< of the TSC; idle without sleep */
	uint64_t sleeps;
	uint64_t slept_us;
	uint32_t step;           /**< back-off step it is in now; 0: awake */
};

uint32_t switch_worker_list(struct worker_info info[MAX_WORKERS]);

/* ---- capture ---- */

/**
 * Attaches @p capture (capture.h) to a port or, with NULL, takes away what is there. When it returns, no
 * polling core uses the previous one.
 */
int switch_port_set_capture(const char *name, struct capture *capture, struct error *err);

#endif /* VSWITCHD_SWITCH_H */
