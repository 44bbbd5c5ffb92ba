/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * What the two halves of the socket share: its file (vfu_socket.c) and its loop (vfu_loop.c).
 */
#ifndef VFU_SOCKET_INTERNAL_H
#define VFU_SOCKET_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/un.h>

#include "vfu_socket.h"

struct vfu_call;

TAILQ_HEAD(vfu_call_queue, vfu_call);

struct vfu_socket {
	int listen_fd;
	int wake_fd; /**< eventfd: look at @c stop and @c calls */
	struct sockaddr_un addr;
	dev_t dev; /**< of the socket file, to know it again */
	ino_t ino;
	atomic_bool stop;

	pthread_mutex_t lock; /**< for the two below */
	struct vfu_call_queue calls;
	bool ended; /**< the loop has run and will take no more calls */
};

#endif /* VFU_SOCKET_INTERNAL_H */
