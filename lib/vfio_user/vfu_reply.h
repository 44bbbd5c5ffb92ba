/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What a handler answers with: a payload, or a refusal. */
#ifndef VFU_REPLY_H
#define VFU_REPLY_H

#include "vfu_internal.h"

/** Room for a reply's payload, zeroed. @return NULL: out of memory. */
void *vfu_reply(struct vfu_msg *msg, uint32_t len);

/** Logs why a message is refused, and returns -@p err for the handler to return. */
int vfu_reject(struct vfu_server *server, const struct vfu_msg *msg, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* VFU_REPLY_H */
