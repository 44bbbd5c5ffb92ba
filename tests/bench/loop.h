/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Applications and the switch between them in one process, each as it is in life: the front end is a virtual device
 * behind a vfio-user socket, the ports and bridges are vswitchd's. Who measures does the work of both sides in turn, so
 * that the one can be told from the other and nothing waits. Errors end the program.
 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include <bridge.h>
#include <poll_round.h>

#define LOOP_PORTS 28 /* at most: DPDK as packaged allows 32 */
#define LOOP_CORES 2
#define LOOP_BURST 32

/** A port of the switch, and the application's port that is plugged into it. */
struct loop_port {
	struct port *port;
	uint16_t id; /**< of the ethdev */
};

/** A polling core; of what it writes, nothing shares a cache line with another's, as in vswitchd. */
struct loop_core {
	struct forward *fwd;
	struct poll_round round;
} __rte_cache_aligned;

struct loop {
	bool interrupts; /**< applications may ask for them; set before loop_open(), as are the next two */
	bool shares;     /**< who has had more of the core's time than others waits; else each round takes what there is */
	uint16_t rx_queues[LOOP_PORTS]; /**< of an application's port; 0: one */
	uint16_t nb_ports;
	struct loop_port port[LOOP_PORTS];
	struct rte_mempool *pool;
	struct loop_core core[LOOP_CORES];
};

extern struct loop loop;

void loop_die(const char *what) __attribute__((noreturn));

/**
 * Starts EAL and @p nb_ports ports, which are in no bridge yet.
 *
 * @param eal  EAL's options for memory and lcores, as far as NULL
 */
void loop_open(uint16_t nb_ports, const char *const *eal);
void loop_close(void);

/** A learning bridge of @p nb_ports ports from @p first on. */
struct bridge *loop_bridge(const char *name, uint16_t first, uint16_t nb_ports, uint32_t fdb_size);
/** The ports of a bridge; 2n and 2n + 1 are polled by core n % @p nb_cores. */
struct topology *loop_topology(struct bridge *bridge, uint16_t nb_cores);

/** An Ethernet frame of @p len bytes, not yet with addresses. */
struct rte_mbuf *loop_frame(uint32_t len);

/** What a polling core does in a round. */
void loop_round(const struct topology *topo, uint16_t core, uint64_t tsc);

#endif /* BENCH_LOOP_H */
