/* SPDX-License-Identifier: BSD-3-Clause */
#include "dev_base.h"

#include <stdarg.h>
#include <stdio.h>

/* A guest can make log lines at will; so many of them pass in one window. */
#define LOG_WINDOW_NS UINT64_C(10000000000)
#define LOG_LINES     20

static void
log_line(struct vmxnet3_dev *dev, enum vmxnet3_log_level level, const char *fmt, va_list ap)
{
	char line[512];
	int n;

	n = snprintf(line, sizeof(line), "%s: ", dev->name);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	dev->ops.log(dev->ops.ctx, level, line);
}

static void __attribute__((format(printf, 3, 4)))
log_always(struct vmxnet3_dev *dev, enum vmxnet3_log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_line(dev, level, fmt, ap);
	va_end(ap);
}

/*
 * Whether one more line may pass. Two threads at a window's turn may let a line too many through.
 */
static bool
log_allowed(struct vmxnet3_dev *dev)
{
	uint64_t now = dev->ops.now(dev->ops.ctx);
	uint64_t began = atomic_load_explicit(&dev->log_window, memory_order_relaxed);
	uint32_t lines;

	if (now - began >= LOG_WINDOW_NS &&
		atomic_compare_exchange_strong(&dev->log_window, &began, now)) {
		lines = atomic_exchange(&dev->log_lines, 0);
		if (lines > LOG_LINES)
			log_always(dev, VMXNET3_LOG_WARNING, "%u log lines left out",
				lines - LOG_LINES);
	}
	return atomic_fetch_add(&dev->log_lines, 1) < LOG_LINES;
}

void
dev_log(struct vmxnet3_dev *dev, enum vmxnet3_log_level level, const char *fmt, ...)
{
	va_list ap;

	if (dev->ops.log == NULL || !log_allowed(dev))
		return;
	va_start(ap, fmt);
	log_line(dev, level, fmt, ap);
	va_end(ap);
}

void
dev_lock(struct vmxnet3_dev *dev)
{
	pthread_mutex_lock(&dev->ctl);
	dev->ctl_depth++;
}

/*
 * ops.changed is called without the lock: its owner may take a lock of its own there, under which
 * others call control functions.
 */
void
dev_unlock(struct vmxnet3_dev *dev)
{
	bool tell = false;

	if (--dev->ctl_depth == 0) {
		tell = dev->changed;
		dev->changed = false;
	}
	pthread_mutex_unlock(&dev->ctl);
	if (tell && dev->ops.changed != NULL)
		dev->ops.changed(dev->ops.ctx);
}

void
dev_wait_datapath(struct vmxnet3_dev *dev)
{
	if (dev->ops.quiesce != NULL)
		dev->ops.quiesce(dev->ops.ctx);
}

void
dev_wake(struct vmxnet3_dev *dev)
{
	if (dev->ops.wake != NULL)
		dev->ops.wake(dev->ops.ctx);
}
