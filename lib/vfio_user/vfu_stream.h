/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Bytes and descriptors over a connected Unix socket, each message within a time-out.
 */
#ifndef VFU_STREAM_H
#define VFU_STREAM_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "vfu_device.h"

struct vfu_stream {
	int fd;			 /**< connected, SOCK_STREAM */
	int wake_fd;		 /**< readable when @c stop may have been set; -1: none */
	const atomic_bool *stop; /**< ends a wait with -ECANCELED */
	uint64_t deadline;	 /**< for the message being received, see vfu_stream_start() */
};

/** A message is about to be received: its time runs from now on. */
void vfu_stream_start(struct vfu_stream *stream);

/** The two functions of a struct vfu_transport whose ctx is a struct vfu_stream. */
int vfu_stream_recv(void *ctx, void *buf, size_t len, int *fds, uint32_t *nb_fds);
int vfu_stream_send(void *ctx, const void *buf, size_t len, int fd);

/**
 * Sends what the socket takes now; never waits, never raises SIGPIPE. At most VFU_MAX_FDS
 * descriptors go with the first byte.
 * @return bytes sent, or a negative errno (-EAGAIN: none, the socket is full)
 */
ssize_t vfu_stream_send_now(const struct vfu_stream *stream, const struct iovec *iov, int nb_iov,
	const int *fds, uint32_t nb_fds);

/** Waits for POLLIN or POLLOUT until @p deadline of vfu_now_ms(). @return 0 or a negative errno */
int vfu_stream_wait(const struct vfu_stream *stream, short events, uint64_t deadline);

/** Milliseconds of the monotonic clock. */
uint64_t vfu_now_ms(void);

#endif /* VFU_STREAM_H */
