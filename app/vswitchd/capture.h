/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Packet capture on a port: polling cores copy frames into a bounded ring, a thread of the capture's own
 * writes them as pcapng into a descriptor. A slow reader costs frames of the capture (counted), never
 * traffic.
 */
#ifndef VSWITCHD_CAPTURE_H
#define VSWITCHD_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <offload_frame.h>

#include "switch.h"

#define CAPTURE_IN  0x1u /**< frames that enter the switch through the port */
#define CAPTURE_OUT 0x2u /**< frames that leave through it */

struct capture_conf {
	const char *port;
	uint32_t directions;  /**< CAPTURE_IN and/or CAPTURE_OUT */
	const char *filter;   /**< pcap filter expression; NULL: everything */
	uint32_t snaplen;     /**< bytes kept of each frame; 64 to 262144 */
};

struct capture_stats {
	uint64_t captured;    /**< written */
	uint64_t dropped;     /**< matched, but could not be kept */
};

/**
 * Starts a capture that writes to @p fd (a pipe, file or socket; taken over, closed at the end). It ends by
 * capture_stop() or when the reader goes away.
 *
 * @return 0 and *cap (already attached to the port), or a negative errno: -EINVAL bad filter or port,
 *         -EBUSY the port has one already.
 */
int capture_start(const struct capture_conf *conf, int fd, struct capture **cap,
	struct error *err);

/** Whether the reader has gone. */
bool capture_ended(const struct capture *cap);

/** Detaches it, writes what is left (bounded in time) and the closing statistics, frees it. */
void capture_stop(struct capture *cap, struct capture_stats *stats);

/**
 * Datapath: offers frames. Any polling core. Never blocks. The frames are seen as they are (large TSO frames
 * whole, an out-of-band VLAN tag put in line in the copy).
 */
void capture_frames(struct capture *cap, uint32_t direction,
	struct offload_frame *const *frames, uint32_t n);

#endif /* VSWITCHD_CAPTURE_H */
