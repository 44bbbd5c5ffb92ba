/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * Server half of the vfio-user protocol: one device, one client at a time.
 *
 * The server owns the wire: framing, descriptor passing, validation, replies, the table of DMA
 * mappings and of interrupt eventfds. What the device *is* comes in through struct vfu_device; how
 * bytes come and go through struct vfu_transport, so that the same code serves a socket or a
 * fuzzer.
 *
 * Threading: everything here runs on the one thread that calls vfu_socket_run() or
 * vfu_server_process(), and so do all callbacks, except where a function says otherwise.
 */
#ifndef VFU_SERVER_H
#define VFU_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "vfu_device.h"
#include "vfu_dma.h"

struct vfu_server;

/**
 * Creates a server for @p device, which is copied.
 *
 * @return the server, or NULL with errno set. Free with vfu_server_destroy().
 */
struct vfu_server *vfu_server_create(const struct vfu_device *device);

/** Ends the connection if there is one, and frees the server. NULL is allowed. */
void vfu_server_destroy(struct vfu_server *server);

/**
 * Serves one connection from its first message on: call vfu_server_process() until it fails, then
 * vfu_server_detach().
 */
void vfu_server_attach(struct vfu_server *server, const struct vfu_transport *transport);

/**
 * Receives one message, acts on it, answers.
 *
 * @return 0, or a negative errno: the connection cannot go on (end of stream: -ENODATA).
 */
int vfu_server_process(struct vfu_server *server);

/**
 * Calls @c disconnected when @c connected was called, drops every mapping and eventfd. Does nothing
 * when not attached.
 */
void vfu_server_detach(struct vfu_server *server);

/**
 * The eventfd of a vector, or -1: none attached, or the vector is masked. Callable from datapath
 * threads; the descriptor stays valid until the thread's next quiescent point. It is non-blocking:
 * a write that fails with EAGAIN found an interrupt that is still pending.
 */
int vfu_server_irq_fd(const struct vfu_server *server, uint32_t index, uint32_t vector);

/** The DMA table. It lives as long as the server. */
struct vfu_dma *vfu_server_dma(struct vfu_server *server);

/** Whether a client has got through VERSION and has not left. Callable from any thread. */
bool vfu_server_connected(const struct vfu_server *server);

#endif /* VFU_SERVER_H */
