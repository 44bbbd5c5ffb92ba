/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "vfu_socket_internal.h"

#define BACKLOG	     4
#define DEFAULT_MODE 0660

/* Waiting for another process that starts up in the same folder. */
#define LOCK_TRIES   100
#define LOCK_STEP_NS 10000000

struct why {
	char *buf;
	size_t len;
	const char *path;
};

/* Says what went wrong, and how to cure it; returns -@err. */
static int __attribute__((format(printf, 3, 4)))
fail(const struct why *why, int err, const char *fmt, ...)
{
	size_t used;
	va_list ap;

	if (why->buf == NULL || why->len == 0)
		return -err;
	snprintf(why->buf, why->len, "socket %s: ", why->path);
	used = strlen(why->buf);
	va_start(ap, fmt);
	vsnprintf(why->buf + used, why->len - used, fmt, ap);
	va_end(ap);
	return -err;
}

static int
fail_errno(const struct why *why, const char *what)
{
	int err = errno;
	char text[128];

	return fail(why, err, "%s: %s", what, strerror_r(err, text, sizeof(text)));
}

/*
 * Between "nobody listens on this file" and its removal another process could have put its own
 * there. A lock on the folder keeps two that both know of it apart, and leaves nothing behind.
 * Somebody else could hold the lock for ever, so it is not waited for without end.
 */
static int
lock_folder(const char *path)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];
	const struct timespec step = {.tv_nsec = LOCK_STEP_NS};
	int fd, tries;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	for (tries = 0; tries < LOCK_TRIES; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			break;
		nanosleep(&step, NULL);
	}
	return fd;
}

/* Whether somebody listens: connecting does not wait, and is undone at once. */
static int
is_live(const struct sockaddr_un *addr)
{
	int fd, err = 0;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0)
		err = errno;
	close(fd);
	if (err == 0 || err == EAGAIN || err == EPROTOTYPE)
		return 1;
	return err == ECONNREFUSED || err == ENOENT ? 0 : -err;
}

/* Removes the socket file of a process that has gone. */
static int
remove_stale(const struct why *why, const struct sockaddr_un *addr)
{
	struct stat st;
	int live;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : fail_errno(why, "cannot look at what is there");
	if (!S_ISSOCK(st.st_mode))
		return fail(why, EEXIST,
			"the path exists and is not a socket; remove it or choose "
			"another path");
	live = is_live(addr);
	if (live < 0) {
		errno = -live;
		return fail_errno(why, "cannot find out whether somebody listens there");
	}
	if (live > 0)
		return fail(why, EADDRINUSE,
			"another process listens there; stop it or choose "
			"another path");
	if (unlink(addr->sun_path) != 0 && errno != ENOENT)
		return fail_errno(why, "nobody listens there any more, but it cannot be removed");
	return 0;
}

static int
bind_path(const struct why *why, int fd, const struct sockaddr_un *addr)
{
	int rc;

	if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
		return 0;
	if (errno == EADDRINUSE) {
		rc = remove_stale(why, addr);
		if (rc != 0)
			return rc;
		if (bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0)
			return 0;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return fail(why, errno, "its folder does not exist; create it");
	if (errno == EACCES || errno == EPERM || errno == EROFS)
		return fail(why, errno, "this user may not create files in its folder");
	return fail_errno(why, "cannot bind");
}

static int
set_access(const struct why *why, const struct vfu_socket_conf *conf, mode_t mode)
{
	if ((conf->owner != (uid_t)-1 || conf->group != (gid_t)-1) &&
		lchown(conf->path, conf->owner, conf->group) != 0)
		return fail_errno(why, "cannot set owner and group");
	if (chmod(conf->path, mode) != 0)
		return fail_errno(why, "cannot set the mode");
	return 0;
}

/*
 * Until listen() nobody can connect, so there is no moment at which the file's mode is too open;
 * and the process's umask, which belongs to all its threads, is left alone.
 */
static int
bind_and_listen(const struct why *why, const struct vfu_socket_conf *conf, struct vfu_socket *sock)
{
	mode_t mode = conf->mode != 0 ? conf->mode : DEFAULT_MODE;
	struct stat st;
	int rc;

	/* The file gets the mode of the socket's inode. */
	if (fchmod(sock->listen_fd, mode) != 0)
		return fail_errno(why, "cannot set the mode");
	rc = bind_path(why, sock->listen_fd, &sock->addr);
	if (rc != 0)
		return rc;
	rc = set_access(why, conf, mode);
	if (rc == 0 && lstat(conf->path, &st) != 0)
		rc = fail_errno(why, "cannot find it again");
	if (rc == 0 && listen(sock->listen_fd, BACKLOG) != 0)
		rc = fail_errno(why, "cannot listen");
	if (rc != 0) {
		unlink(conf->path);
		return rc;
	}
	sock->dev = st.st_dev;
	sock->ino = st.st_ino;
	return 0;
}

static int
open_descriptors(const struct why *why, struct vfu_socket *sock)
{
	sock->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock->listen_fd < 0)
		return fail_errno(why, "cannot create a socket");
	sock->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (sock->wake_fd < 0)
		return fail_errno(why, "cannot create an eventfd");
	return 0;
}

static void
sock_free(struct vfu_socket *sock)
{
	if (sock->listen_fd >= 0)
		close(sock->listen_fd);
	if (sock->wake_fd >= 0)
		close(sock->wake_fd);
	pthread_mutex_destroy(&sock->lock);
	free(sock);
}

int
vfu_socket_open(
	const struct vfu_socket_conf *conf, struct vfu_socket **out, char *errbuf, size_t errlen)
{
	const struct why why = {.buf = errbuf, .len = errlen, .path = conf->path};
	struct vfu_socket *sock;
	int rc, folder;

	if (conf->path[0] == '\0' || strlen(conf->path) >= sizeof(sock->addr.sun_path))
		return fail(&why, ENAMETOOLONG, "the path must have 1 to %zu characters",
			sizeof(sock->addr.sun_path) - 1);
	sock = calloc(1, sizeof(*sock));
	if (sock == NULL)
		return fail(&why, ENOMEM, "out of memory");
	sock->listen_fd = -1;
	sock->wake_fd = -1;
	sock->addr.sun_family = AF_UNIX;
	strcpy(sock->addr.sun_path, conf->path);
	atomic_init(&sock->stop, false);
	pthread_mutex_init(&sock->lock, NULL);
	TAILQ_INIT(&sock->calls);

	rc = open_descriptors(&why, sock);
	if (rc == 0) {
		folder = lock_folder(conf->path);
		rc = bind_and_listen(&why, conf, sock);
		if (folder >= 0)
			close(folder);
	}
	if (rc != 0) {
		sock_free(sock);
		return rc;
	}
	*out = sock;
	return 0;
}

void
vfu_socket_close(struct vfu_socket *sock)
{
	struct stat st;

	if (sock == NULL)
		return;
	if (lstat(sock->addr.sun_path, &st) == 0 && st.st_dev == sock->dev &&
		st.st_ino == sock->ino)
		unlink(sock->addr.sun_path);
	sock_free(sock);
}
