/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket itself: one daemon each, whatever the previous one left behind. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "control_priv.h"
#include "log.h"

#define SOCKET_MODE 0660
#define BACKLOG 64

static struct {
	struct event_base *base;
	struct evconnlistener *listener;
	struct event *retry;
	struct sockaddr_un addr;
	struct stat file; /* the socket file that is ours */
} control;

struct event_base *
control_event_base(void)
{
	return control.base;
}

const char *
control_path(void)
{
	return control.listener != NULL ? control.addr.sun_path : NULL;
}

/* Keeps two daemons that start at once from both finding the socket stale. */
static int
lock_folder(struct error *err)
{
	char path[sizeof(control.addr.sun_path)];
	const char *folder;
	int fd;

	snprintf(path, sizeof(path), "%s", control.addr.sun_path);
	folder = dirname(path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set(err, -errno, "control socket %s: folder %s: %s", control.addr.sun_path,
			folder, strerror(errno));
	if (flock(fd, LOCK_EX) != 0) {
		int saved = errno;

		close(fd);
		return error_set(err, -saved, "control socket %s: cannot lock its folder: %s",
			control.addr.sun_path, strerror(saved));
	}
	return fd;
}

/* Removes a socket file that nobody listens on; refuses any other file. */
static int
remove_stale(struct error *err)
{
	const struct sockaddr *addr = (const struct sockaddr *)&control.addr;
	const char *path = control.addr.sun_path;
	struct stat st;
	int fd, rc;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 :
			error_set(err, -errno, "control socket %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return error_set(err, -EEXIST,
			"control socket %s: there is a file that is no socket; remove it or choose another path",
			path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, -errno, "control socket: %s", strerror(errno));
	rc = connect(fd, addr, sizeof(control.addr)) == 0 ? 0 : -errno;
	close(fd);
	if (rc == 0 || rc == -EAGAIN)
		return error_set(err, -EADDRINUSE,
			"control socket %s is in use: another vswitchd is running; stop it, or choose another path with -s",
			path);
	if (rc != -ECONNREFUSED)
		return error_set(err, rc, "control socket %s: %s", path, strerror(-rc));
	if (unlink(path) != 0)
		return error_set(err, -errno, "control socket %s is stale and cannot be removed: %s",
			path, strerror(errno));
	log_info(CONTROL, "replaced stale socket %s", path);
	return 0;
}

static int
set_group(const char *name, struct error *err)
{
	const char *path = control.addr.sun_path;
	const struct group *group;
	char *end;
	gid_t gid;

	if (name == NULL)
		return 0;
	gid = strtoul(name, &end, 10);
	if (*end != '\0') {
		group = getgrnam(name);
		if (group == NULL)
			return error_set(err, -ENOENT, "control socket %s: there is no group '%.64s'",
				path, name);
		gid = group->gr_gid;
	}
	if (chown(path, -1, gid) != 0)
		return error_set(err, -errno, "control socket %s: cannot give it to group '%.64s': %s",
			path, name, strerror(errno));
	return 0;
}

static int
bind_and_listen(const char *group, struct error *err)
{
	const struct sockaddr *addr = (const struct sockaddr *)&control.addr;
	const char *path = control.addr.sun_path;
	mode_t mask;
	int fd, rc;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return error_set(err, -errno, "control socket: %s", strerror(errno));
	mask = umask(0777 & ~SOCKET_MODE);
	rc = bind(fd, addr, sizeof(control.addr)) == 0 ? 0 : -errno;
	umask(mask);
	if (rc != 0) {
		close(fd);
		return error_set(err, rc, "control socket %s: %s", path, strerror(-rc));
	}
	rc = set_group(group, err);
	if (rc == 0 && listen(fd, BACKLOG) != 0)
		rc = error_set(err, -errno, "control socket %s: %s", path, strerror(errno));
	if (rc == 0 && lstat(path, &control.file) != 0)
		rc = error_set(err, -errno, "control socket %s: %s", path, strerror(errno));
	if (rc != 0) {
		unlink(path);
		close(fd);
		return rc;
	}
	return fd;
}

static void
accepted(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *addr, int len,
	void *arg)
{
	(void)listener;
	(void)addr;
	(void)len;
	(void)arg;
	control_client_new(control.base, fd);
}

static void
accept_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	evconnlistener_enable(control.listener);
}

/* Out of descriptors, most likely: the connection stays pending, so asking again at once would spin. */
static void
accept_failed(struct evconnlistener *listener, void *arg)
{
	static const struct timeval pause = { .tv_sec = 1 };

	(void)arg;
	log_warning(CONTROL, "cannot accept a client: %s", strerror(errno));
	evconnlistener_disable(listener);
	event_add(control.retry, &pause);
}

int
control_start(struct event_base *base, const char *path, const char *group, struct error *err)
{
	int lock, fd, rc;

	control.base = base;
	if (strlen(path) >= sizeof(control.addr.sun_path))
		return error_set(err, -ENAMETOOLONG,
			"control socket %.128s: the path is too long; at most %zu characters", path,
			sizeof(control.addr.sun_path) - 1);
	control.addr.sun_family = AF_UNIX;
	snprintf(control.addr.sun_path, sizeof(control.addr.sun_path), "%s", path);
	lock = lock_folder(err);
	if (lock < 0)
		return lock;
	rc = remove_stale(err);
	fd = rc == 0 ? bind_and_listen(group, err) : rc;
	close(lock);
	if (fd < 0)
		return fd;
	control.retry = evtimer_new(base, accept_again, NULL);
	control.listener = control.retry == NULL ? NULL : evconnlistener_new(base, accepted, NULL,
		LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (control.listener == NULL) {
		unlink(path);
		close(fd);
		return error_set(err, -ENOMEM, "control socket: out of memory");
	}
	evconnlistener_set_error_cb(control.listener, accept_failed);
	return 0;
}

void
control_stop(void)
{
	struct stat st;

	if (control.listener == NULL)
		return;
	control_clients_drop();
	/* Someone may have removed our file and put another daemon's in its place. */
	if (lstat(control.addr.sun_path, &st) == 0 && st.st_dev == control.file.st_dev &&
	    st.st_ino == control.file.st_ino)
		unlink(control.addr.sun_path);
	evconnlistener_free(control.listener);
	control.listener = NULL;
	event_free(control.retry);
}
