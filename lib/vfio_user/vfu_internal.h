/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The structures that the files of the server share. Not for users of the library.
 */
#ifndef VFU_INTERNAL_H
#define VFU_INTERNAL_H

#include <stdatomic.h>
#include <time.h>

#include "vfio_user.h"
#include "vfu_device.h"
#include "vfu_dma.h"

/** Largest message taken: a full region write, and some room for future fixed parts. */
#define VFU_MAX_MESSAGE                                                                            \
	(sizeof(struct vfio_user_header) + sizeof(struct vfio_user_region_access) +                \
		VFIO_USER_MAX_XFER + 4096)

/** One interrupt vector. */
struct vfu_vector {
	atomic_int visible; /**< what datapath threads see: fd, or -1 when detached or masked */
	int fd;		    /**< owned; -1: none */
	bool masked;
};

/** A request, and its reply in the making. */
struct vfu_msg {
	struct vfio_user_header hdr;
	const struct vfu_command *command; /**< that the header names; NULL: not known */
	uint8_t *data;	      /**< payload, owned; NULL when empty */
	uint32_t len;	      /**< of the payload */
	int fds[VFU_MAX_FDS]; /**< owned; a handler that keeps one puts -1 in its place */
	uint32_t nb_fds;
	uint8_t *reply;	    /**< header and payload, owned; NULL: header only */
	uint32_t reply_len; /**< header included */
	int reply_fd;	    /**< sent along, not owned; -1: none */
};

struct vfu_log_limit {
	time_t second; /**< the budget's */
	uint32_t lines;
	uint32_t dropped;
};

struct vfu_server {
	struct vfu_device dev;
	struct vfu_dma *dma;
	struct vfu_vector *irq[VFU_MAX_IRQS];
	int *old_fds; /**< room for one index's descriptors while they are being replaced */
	struct vfu_transport transport;
	bool attached;
	atomic_bool connected;
	struct vfu_log_limit log_limit;
};

/** Handles a message: 0, or a negative errno that becomes the reply. */
typedef int (*vfu_handler_t)(struct vfu_server *server, struct vfu_msg *msg);

/** What is known about a command before its handler runs. */
struct vfu_command {
	const char *name;
	vfu_handler_t handle;
	uint32_t min_len, max_len; /**< of the payload */
	uint32_t max_fds;
	bool has_argsz; /**< the payload begins with argsz, which must be min_len or more */
};

#endif /* VFU_INTERNAL_H */
