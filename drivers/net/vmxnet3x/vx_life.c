/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_life.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <pmd_compat.h>

#include "vx_ethdev.h"
#include "vx_link.h"
#include "vx_user.h"

#define FIRST_PAUSE_MS	50
#define LOG_INTERVAL_MS 60000

struct vx_life {
	struct vx_dev *dev;
	pmd_thread thread;
	int wake_fd;
	atomic_bool stop;
	/* Since the server has gone: */
	uint64_t lost_at;  /* ms */
	uint32_t pause_ms; /* before the next attempt */
	uint64_t log_at;   /* when the same sentence may be logged again */
	char sentence[256];
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
drain(int fd)
{
	uint64_t count;

	/* It is non-blocking, and one read takes all. */
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
}

/* The same sentence once a minute. */
static void
log_failure(struct vx_life *life, const char *sentence)
{
	uint64_t now = now_ms();

	if (strcmp(sentence, life->sentence) == 0 && now < life->log_at)
		return;
	snprintf(life->sentence, sizeof(life->sentence), "%s", sentence);
	life->log_at = now + LOG_INTERVAL_MS;
	VX_LOG(WARNING, life->dev, "cannot reconnect yet: %s", sentence);
}

static void
drop(struct vx_life *life)
{
	vx_lock(life->dev);
	vx_user_drop(life->dev);
	vx_unlock(life->dev);
}

static void
lost(struct vx_life *life)
{
	struct vx_dev *dev = life->dev;

	VX_LOG(WARNING, dev, "lost the server at %s%s", dev->args.path,
		dev->args.reconnect_ms > 0 ? "; reconnecting" : "");
	vx_ethdev_lost(dev);
	drop(life);
	life->lost_at = now_ms();
	life->pause_ms = RTE_MIN(FIRST_PAUSE_MS, dev->args.reconnect_ms);
	life->sentence[0] = '\0';
}

/* Waits for something to do while there is a server. */
static void
serve(struct vx_life *life)
{
	struct vx_dev *dev = life->dev;
	struct pollfd fds[] = {
		{ .fd = life->wake_fd, .events = POLLIN },
		{ .fd = vx_user_fd(dev), .events = POLLIN },
		{ .fd = vx_user_event_fd(dev), .events = POLLIN },
	};

	if (poll(fds, RTE_DIM(fds), -1) <= 0)
		return;
	if (fds[1].revents != 0 && !vx_user_check(dev)) {
		lost(life);
		return;
	}
	if (fds[2].revents != 0) {
		drain(fds[2].fd);
		/* A device that the port does not use may ring, too. */
		if (!atomic_load(&dev->away))
			vx_link_event(dev);
	}
}

/* Puts a port on a server that vx_user_open() has found. */
static int
resume(struct vx_life *life)
{
	struct vx_dev *dev = life->dev;
	int rc;

	vx_lock(dev);
	rc = vx_user_use(dev);
	vx_unlock(dev);
	if (rc == 0)
		rc = vx_ethdev_back(dev);
	if (rc == 0)
		VX_LOG(NOTICE, dev, "back on the server at %s after %llu ms", dev->args.path,
			(unsigned long long)(now_ms() - life->lost_at));
	else if (rc == -ENOTSUP)
		VX_LOG(ERR, dev, "the port stays down until there is another server at %s", dev->args.path);
	else
		drop(life);
	return rc;
}

static void
reconnect(struct vx_life *life)
{
	struct vx_dev *dev = life->dev;
	struct pollfd wake = { .fd = life->wake_fd, .events = POLLIN };
	char sentence[256];
	int rc;

	if (poll(&wake, 1, dev->args.reconnect_ms > 0 ? (int)life->pause_ms : -1) != 0)
		return;
	life->pause_ms = RTE_MIN(life->pause_ms * 2, dev->args.reconnect_ms);
	rc = vx_user_open(dev, sentence, sizeof(sentence));
	if (rc == 0) {
		rc = resume(life);
		snprintf(sentence, sizeof(sentence), "the device at %s does not start: %s", dev->args.path,
			strerror(-rc));
	}
	if (rc != 0 && rc != -ENOTSUP)
		log_failure(life, sentence);
}

static pmd_thread_result
live(void *arg)
{
	struct vx_life *life = arg;

	while (!atomic_load(&life->stop)) {
		if (vx_user_fd(life->dev) >= 0)
			serve(life);
		else
			reconnect(life);
	}
	return PMD_THREAD_DONE;
}

struct vx_life *
vx_life_start(struct vx_dev *dev)
{
	struct vx_life *life = calloc(1, sizeof(*life));
	char name[16];
	int rc;

	if (life == NULL) {
		VX_LOG(ERR, dev, "no memory");
		return NULL;
	}
	life->dev = dev;
	life->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = life->wake_fd >= 0 ? 0 : -errno;
	snprintf(name, sizeof(name), "vx-life-%u", dev->eth_dev->data->port_id);
	if (rc == 0)
		rc = pmd_thread_create(&life->thread, name, live, life);
	if (rc != 0) {
		VX_LOG(ERR, dev, "no thread to watch the server: %s", strerror(-rc));
		if (life->wake_fd >= 0)
			close(life->wake_fd);
		free(life);
		return NULL;
	}
	return life;
}

void
vx_life_stop(struct vx_life *life)
{
	const uint64_t one = 1;

	if (life == NULL)
		return;
	atomic_store(&life->stop, true);
	/* The counter is far from full, so this cannot fail. */
	if (write(life->wake_fd, &one, sizeof(one)) != sizeof(one))
		VX_LOG(ERR, life->dev, "cannot wake the thread that watches the server");
	pmd_thread_join(life->thread);
	close(life->wake_fd);
	free(life);
}
