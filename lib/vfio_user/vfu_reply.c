/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfu_log.h"

#define REASON_MAX_LEN 256

void *
vfu_reply(struct vfu_msg *msg, uint32_t len)
{
	free(msg->reply);
	msg->reply_len = sizeof(struct vfio_user_header) + len;
	msg->reply = calloc(1, msg->reply_len);
	return msg->reply != NULL ? msg->reply + sizeof(struct vfio_user_header) : NULL;
}

int
vfu_reject(struct vfu_server *server, const struct vfu_msg *msg, int err, const char *fmt, ...)
{
	const char *err_name = strerrorname_np(err);
	char reason[REASON_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	if (msg->command != NULL)
		vfu_log(server, VFU_LOG_WARNING, "vfio-user: %s refused with %s: %s",
			msg->command->name, err_name != NULL ? err_name : "?", reason);
	else
		vfu_log(server, VFU_LOG_WARNING, "vfio-user: command %u refused with %s: %s",
			msg->hdr.command, err_name != NULL ? err_name : "?", reason);
	return -err;
}
