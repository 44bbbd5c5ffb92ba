/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vfu_internal.h"

#define LINE_MAX_LEN 256

static void
put(struct vfu_server *server, enum vfu_log_level level, const char *line)
{
	server->dev.log(server->dev.ctx, level, line);
}

/* Whether one more line fits into this second's budget. */
static bool
admit(struct vfu_server *server)
{
	struct vfu_log_limit *limit = &server->log_limit;
	struct timespec now;
	char line[LINE_MAX_LEN];

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec != limit->second) {
		if (limit->dropped > 0) {
			snprintf(line, sizeof(line), "vfio-user: %u more lines were left out",
				limit->dropped);
			put(server, VFU_LOG_WARNING, line);
		}
		*limit = (struct vfu_log_limit){.second = now.tv_sec};
	}
	if (limit->lines >= VFU_LOG_LINES_PER_SECOND) {
		limit->dropped++;
		return false;
	}
	limit->lines++;
	return true;
}

void
vfu_log(struct vfu_server *server, enum vfu_log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	va_list ap;

	if (server->dev.log == NULL || !admit(server))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	put(server, level, line);
}

int
vfu_reject(struct vfu_server *server, const struct vfu_msg *msg, int err, const char *fmt, ...)
{
	const struct vfu_command *command = vfu_command_find(msg->hdr.command);
	const char *err_name = strerrorname_np(err);
	char reason[LINE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	if (command != NULL)
		vfu_log(server, VFU_LOG_WARNING, "vfio-user: %s refused with %s: %s", command->name,
			err_name != NULL ? err_name : "?", reason);
	else
		vfu_log(server, VFU_LOG_WARNING, "vfio-user: command %u refused with %s: %s",
			msg->hdr.command, err_name != NULL ? err_name : "?", reason);
	return -err;
}
