/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "vfu_client.h"
#include "vfu_client_version.h"
#include "vfu_stream.h"

/* Between two looks at a server's full backlog. */
#define STEP_NS 10000000

/* What a user may make of an errno. */
static const struct {
	int err;
	const char *sentence;
} cures[] = {
	{ENOENT, "there is no such socket; start the server, or correct the path"},
	{ENOTDIR, "there is no such socket; correct the path"},
	{ECONNREFUSED, "nobody listens there; start the server, or correct the path"},
	{EACCES, "this user may not connect; change the mode or the owner of the socket"},
	{EPROTOTYPE, "it is not a stream socket; correct the path"},
	{EBUSY, "the server hung up at once, as it does when its device is in use; end the other "
		"client"},
	{EPROTO, "what answers there does not speak vfio-user 0.0; correct the path"},
	{ETIMEDOUT, "the server does not answer; see whether it runs, and its log"},
	{ENAMETOOLONG, "the path must have 1 to 107 characters"},
};

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) == 108, "the sentence has the number");

static int
fail(int rc, const char *path, char *errbuf, size_t errlen)
{
	char text[128];
	const char *sentence = strerror_r(-rc, text, sizeof(text));
	size_t i;

	for (i = 0; i < sizeof(cures) / sizeof(cures[0]); i++) {
		if (cures[i].err == -rc)
			sentence = cures[i].sentence;
	}
	if (errbuf != NULL && errlen > 0)
		snprintf(errbuf, errlen, "socket %s: %s", path, sentence);
	return rc;
}

/* A full backlog is the one thing that is worth waiting for: the server accepts soon, or never. */
static int
connect_in_time(int fd, const struct sockaddr_un *addr)
{
	uint64_t deadline = vfu_now_ms() + VFU_CLIENT_TIMEOUT_MS;
	const struct timespec step = {.tv_nsec = STEP_NS};

	while (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) != 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (vfu_now_ms() >= deadline)
			return -ETIMEDOUT;
		nanosleep(&step, NULL);
	}
	return 0;
}

static int
connect_path(const char *path, struct vfu_client **client)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, rc;

	if (path[0] == '\0' || strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	rc = connect_in_time(fd, &addr);
	if (rc != 0) {
		close(fd);
		return rc;
	}
	rc = vfu_client_begin(fd, VFU_CLIENT_TIMEOUT_MS, client);
	return rc == -ENOTCONN ? -EBUSY : rc;
}

int
vfu_client_connect(const char *path, struct vfu_client **client, char *errbuf, size_t errlen)
{
	int rc = connect_path(path, client);

	return rc != 0 ? fail(rc, path, errbuf, errlen) : 0;
}
