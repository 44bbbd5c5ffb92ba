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

/** Of one polling core. Zeroed before first use. */
struct forward {
	struct port_ctx ctx;
	uint32_t now;                             /**< seconds */
	uint64_t touched[(MAX_PORTS + 63) / 64];  /**< ports that frames were delivered to, by id */
	uint16_t nb_outs;
	const struct topo_port *out_port[MAX_PORTS];
	const struct offload_frame *burst;        /**< the frames */
	struct vlan_place place[PORT_BURST];      /**< of each, in a bridge that knows VLANs */
	struct forward_out out[MAX_PORTS];        /**< by id */
};

/** Switches @p n (at most PORT_BURST) frames that came in by @p in of @p topo and delivers them. */
void forward_burst(struct forward *fwd, const struct topology *topo, const struct topo_port *in,
	struct offload_frame *frames, uint16_t n);

#endif /* VSWITCHD_FORWARD_H */
