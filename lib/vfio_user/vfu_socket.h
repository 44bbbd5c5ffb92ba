/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A vfio-user server's Unix socket, and the loop that serves one client after the other on it.
 */
#ifndef VFU_SOCKET_H
#define VFU_SOCKET_H

#include <stdatomic.h>
#include <sys/types.h>

#include "vfu_server.h"

/** Milliseconds a peer may take to finish a message it began, and to take a reply. */
#define VFU_MESSAGE_TIMEOUT_MS 2000

struct vfu_socket_conf {
	const char *path;
	uid_t owner; /**< (uid_t)-1: as it comes */
	gid_t group; /**< (gid_t)-1: as it comes */
	mode_t mode; /**< permission bits; 0: 0660 */
};

struct vfu_socket;

/**
 * Binds and listens. A socket file on which nobody listens is replaced; one on which somebody does
 * is refused (-EADDRINUSE), and so is a path that is something other than a socket (-EEXIST).
 *
 * @param errbuf,errlen  gets a sentence that names the path and the cure, on error
 * @return 0 and *sock, or a negative errno.
 */
int vfu_socket_open(
	const struct vfu_socket_conf *conf, struct vfu_socket **sock, char *errbuf, size_t errlen);

/**
 * Serves clients until vfu_socket_stop(): accepts one, processes its messages until it leaves,
 * accepts the next. Further clients are closed at once while one is connected (they would wait for
 * ever otherwise). A peer that stalls in the middle of a message is cut off after
 * VFU_MESSAGE_TIMEOUT_MS.
 */
void vfu_socket_run(struct vfu_socket *sock, struct vfu_server *server);

/** Makes vfu_socket_run() return soon. Callable from any thread, any number of times. */
void vfu_socket_stop(struct vfu_socket *sock);

/**
 * Runs @p fn on the thread inside vfu_socket_run(), between two messages, and waits for it.
 * Callable from any other thread while vfu_socket_run() runs.
 *
 * @return 0, or -ESHUTDOWN when the loop has ended (fn was not run).
 */
int vfu_socket_call(struct vfu_socket *sock, void (*fn)(void *arg), void *arg);

/** Closes and unlinks the socket file (only if it is still ours). NULL is allowed. */
void vfu_socket_close(struct vfu_socket *sock);

#endif /* VFU_SOCKET_H */
