/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What management is told of a port. */
#ifndef VSWITCHD_PORT_INFO_H
#define VSWITCHD_PORT_INFO_H

#include <vmxnet3_dev.h>

#include "conf.h"
#include "drop.h"

/** Who does what a frame asks for when it leaves the switch by a port. */
enum port_exit {
	PORT_EXIT_SOFTWARE, /**< the switch, while it copies */
	PORT_EXIT_HARDWARE, /**< the ethdev */
	PORT_EXIT_PEER,     /**< nobody: the guest takes the frame as it is */
};

/** Now: a guest's driver may change its mind at any time. */
struct port_offloads {
	enum port_exit checksum; /**< TCP and UDP */
	enum port_exit tso;      /**< TCP, a large frame */
	enum port_exit vlan;     /**< a tag out of band; a guest takes it there if it strips tags */
};

struct port_info {
	const struct port_conf *conf; /**< the port's own copy, defaults filled in */
	const char *bridge;           /**< NULL: detached */
	bool link_up;                 /**< the carrier that it sees: set up, its own link up */
	struct port_offloads offloads;
	uint16_t ethdev_id;           /**< ethdev kinds */
	const char *driver;           /**< ethdev kinds: DPDK's name of it */
	struct vmxnet3_dev_info dev;  /**< PORT_DEVICE */
	uint32_t nb_workers;          /**< that poll it */
	uint16_t workers[MAX_WORKERS];
};

/** A queue that frames enter the switch by. */
struct port_queue_info {
	uint16_t queue, worker, cpu;
	bool pinned;
	bool used;                    /**< by the guest's driver, now */
	int16_t node;                 /**< NUMA node of its memory; negative: not known */
	uint32_t load;                /**< thousandths of a core, lately */
	uint64_t moves;               /**< from one polling core to another */
	uint64_t cycles, frames;      /**< on all cores; TSC */
};

/** What a port costs a polling core: its frames on their way, and its interrupts. */
struct port_core_info {
	uint16_t worker;
	uint64_t cycles, frames, intr_cycles;
};

struct port_cost_info {
	uint32_t nb_queues, nb_cores;
	struct port_queue_info queue[MAX_PORT_QUEUES];
	struct port_core_info core[MAX_WORKERS];
};

struct port_stats {
	uint64_t rx_frames, rx_bytes; /**< into the switch (from the guest or the wire) */
	uint64_t tx_frames, tx_bytes; /**< out of the switch */
	uint64_t rx_tso, tx_lro;      /**< large frames among them */
	uint64_t interrupts, interrupts_held;
	uint64_t drops[SWITCH_DROP_MAX];
};

#endif /* VSWITCHD_PORT_INFO_H */
