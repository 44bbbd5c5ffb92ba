/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The way of a burst of frames from the port it came in by to the ports it leaves by: ingress policy, forwarding,
 * egress policy, and then the port's own settling of offloads.
 */
#ifndef VSWITCHD_FORWARD_H
#define VSWITCHD_FORWARD_H

#include "topology.h"

/** Frames of the burst that leave by one port, in order. */
struct forward_out {
	uint16_t n;
	struct offload_frame *frame[PORT_BURST];
};

/** What becomes of frames between two stations. */
struct forward_decision {
	const struct topo_port *to; /**< NULL, with no port to blame: to all */
	struct port *blamed;        /**< not NULL: dropped there, by the reason */
	enum switch_drop reason;
};

/** The run of frames that a port is in the middle of, also from burst to burst. */
struct forward_run {
	uint8_t addr[12];           /**< destination and source */
	uint16_t vid;
	uint32_t now;               /**< the rest says how long the decision holds: a second, */
	uint32_t fdb_version;       /**< and as long as the table knows nothing new */
	uint64_t topology;          /**< of this topology; 0: there is no decision */
	struct forward_decision decision;
};

/** Of one polling core. Zeroed before first use. */
struct forward {
	struct port_ctx ctx;
	uint32_t now;                             /**< seconds */
	uint64_t touched[(MAX_PORTS + 63) / 64];  /**< ports that frames were delivered to, by id */
	uint16_t nb_outs;
	const struct topo_port *out_port[MAX_PORTS];
	const struct offload_frame *burst;        /**< the frames */
	struct vlan_place place[PORT_BURST];      /**< of each, in a bridge that knows VLANs */
	struct forward_run run[MAX_PORTS];        /**< by id of the port that frames come in by */
	struct forward_out out[MAX_PORTS];        /**< by id */
};

/** Switches @p n (at most PORT_BURST) frames that came in by @p in of @p topo and delivers them. */
void forward_burst(struct forward *fwd, const struct topology *topo, const struct topo_port *in,
	struct offload_frame *frames, uint16_t n);

#endif /* VSWITCHD_FORWARD_H */
