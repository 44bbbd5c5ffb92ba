/* SPDX-License-Identifier: BSD-3-Clause */
/** @file How a client begins a connection. Not for users of the library. */
#ifndef VFU_CLIENT_VERSION_H
#define VFU_CLIENT_VERSION_H

#include "vfu_client.h"

/**
 * Makes a client of a connected stream socket: agrees on the version, asks what the device has.
 *
 * @param fd          now the client's; closed on error
 * @param timeout_ms  for each reply
 * @return 0 and *client, or a negative errno: -ENOTCONN the server hung up, -EPROTO, -ETIMEDOUT
 */
int vfu_client_begin(int fd, uint32_t timeout_ms, struct vfu_client **client);

#endif /* VFU_CLIENT_VERSION_H */
