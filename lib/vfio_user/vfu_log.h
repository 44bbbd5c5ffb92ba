/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The server's log lines. */
#ifndef VFU_LOG_H
#define VFU_LOG_H

#include "vfu_internal.h"

/** Log lines per second and server; a client that does nothing but nonsense cannot fill a disk. */
#define VFU_LOG_LINES_PER_SECOND 10u

/** Logs a line through the device, within the server's budget. Server's thread only. */
void vfu_log(struct vfu_server *server, enum vfu_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* VFU_LOG_H */
