/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Packet capture on a port: polling cores copy frames into a bounded ring, a thread of the capture's own
 * writes them as pcapng into a descriptor. A slow reader costs frames of the capture (counted), never
 * traffic. Whoever makes one attaches it to its port (switch_port_set_capture()) and takes it away
 * again.
 */
#ifndef VSWITCHD_CAPTURE_H
#define VSWITCHD_CAPTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <offload_frame.h>

#include "error.h"

struct capture;

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
 * Makes a capture. Frames are kept, as many as there is room for, until capture_run() says where
 * they go.
 *
 * @return 0 and *cap, or a negative errno: -EINVAL bad filter or value, -EMFILE too many captures,
 *         -ENOMEM.
 */
int capture_open(const struct capture_conf *conf, struct capture **cap, struct error *err);

/**
 * Writes to @p fd (a pipe, file or socket; made non-blocking, closed at the end) until capture_finish()
 * or until the reader goes away.
 *
 * @return 0, or a negative errno: the thread could not be started; fd is the caller's again
 */
int capture_run(struct capture *cap, int fd, struct error *err);

/** Whether the reader has gone, or has asked for the end by shutting down its writing side. */
bool capture_ended(const struct capture *cap);

/**
 * Ends it, once no polling core can offer it frames any more. What is left and the closing
 * statistics are still written, within a second. Does not wait.
 */
void capture_finish(struct capture *cap);

/** Whether everything has been written after capture_finish(): capture_close() will not wait. */
bool capture_finished(const struct capture *cap);

/** Finishes it if need be, waits for its thread, frees it. @param stats  may be NULL */
void capture_close(struct capture *cap, struct capture_stats *stats);

/**
 * Datapath: offers frames. Any polling core. Never blocks. The frames are seen as they are (large TSO frames
 * whole, an out-of-band VLAN tag put in line in the copy).
 */
void capture_frames(struct capture *cap, uint32_t direction,
	struct offload_frame *const *frames, uint32_t n);

#endif /* VSWITCHD_CAPTURE_H */
