/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A vfio-user server, looked at: whether there is a vmxnet3 behind it, and what of it can be used how. */
#ifndef VX_SERVER_H
#define VX_SERVER_H

#include <vfu_client.h>

#include "vx_dev.h"

struct vx_server {
	struct vfu_client *client; /**< NULL: no server */
	uint32_t nb_vectors;	   /**< of MSI-X, at least 1 */
	int bar0_fd;		   /**< memory of BAR0 that cannot shrink; -1: BAR0 is written by messages */
	uint64_t bar0_offset;	   /**< in it */
};

#define VX_SERVER_NONE ((struct vx_server){ .client = NULL, .bar0_fd = -1 })

/**
 * Connects to dev->args.path, resets the device, does what firmware and operating system would: memory and DMA on,
 * MSI-X.
 * @param errbuf,errlen  gets a sentence on error
 * @return 0, or a negative errno and *s none
 */
int vx_server_open(const struct vx_dev *dev, struct vx_server *s, char *errbuf, size_t errlen);

/** Hangs up. */
void vx_server_close(struct vx_server *s);

#endif /* VX_SERVER_H */
