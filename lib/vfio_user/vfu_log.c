/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_log.h"

#include <stdarg.h>
#include <stdio.h>

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
