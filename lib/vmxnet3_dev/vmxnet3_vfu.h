/* SPDX-License-Identifier: BSD-3-Clause */
/** @file A device behind a vfio-user socket, with a control thread of its own. */
#ifndef VMXNET3_VFU_H
#define VMXNET3_VFU_H

#include <vfu_socket.h>

#include "vmxnet3_dev.h"

struct vmxnet3_vfu;

/**
 * Opens the socket and starts the control thread, which serves one machine after the other.
 *
 * @param quiesce,ctx  as vmxnet3_dev_ops::quiesce: also waits for readers of the DMA table and eventfds
 * @param errbuf,errlen  gets a sentence on error
 * @return 0 and *vfu, or a negative errno. The device must outlive it.
 */
int vmxnet3_vfu_start(struct vmxnet3_dev *dev, const struct vfu_socket_conf *conf,
	void (*quiesce)(void *ctx), void *ctx,
	void (*log)(void *ctx, enum vmxnet3_log_level level, const char *line),
	struct vmxnet3_vfu **vfu, char *errbuf, size_t errlen);

/** Ends the connection (the guest's card is dead until its machine restarts), the thread, the socket. */
void vmxnet3_vfu_stop(struct vmxnet3_vfu *vfu);

#endif /* VMXNET3_VFU_H */
