/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "vfu_socket.h"

uint64_t
vfu_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
vfu_stream_start(struct vfu_stream *stream)
{
	stream->deadline = vfu_now_ms() + VFU_MESSAGE_TIMEOUT_MS;
}

/* Ends when the socket is ready, the deadline passes, or the loop is told to stop. */
int
vfu_stream_wait(const struct vfu_stream *stream, short events, uint64_t deadline)
{
	struct pollfd p[2] = {
		{.fd = stream->fd, .events = events},
		{.fd = stream->wake_fd, .events = POLLIN},
	};

	for (;;) {
		uint64_t now = vfu_now_ms();
		int n;

		if (stream->stop != NULL && atomic_load(stream->stop))
			return -ECANCELED;
		if (now >= deadline)
			return -ETIMEDOUT;
		n = poll(p, 2, deadline - now);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && p[0].revents != 0)
			return 0;
		/* Woken for something that waits until this message is through. */
		if (n > 0 && p[1].revents != 0 &&
			(stream->stop == NULL || !atomic_load(stream->stop)))
			p[1].fd = -1;
	}
}

/* Appends the descriptors of one recvmsg; those that there is no room for are closed. */
static int
take_fds(struct msghdr *mh, int *fds, uint32_t *nb_fds)
{
	struct cmsghdr *c;
	int rc = 0;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		size_t i, n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (*nb_fds < VFU_MAX_FDS) {
				fds[(*nb_fds)++] = fd;
			} else {
				close(fd);
				rc = -E2BIG;
			}
		}
	}
	/* Cut: more than there is room for, or this process has no descriptors left. Which ones are
	 * missing cannot be told, so the message cannot be acted on. */
	return (mh->msg_flags & MSG_CTRUNC) != 0 ? -E2BIG : rc;
}

static ssize_t
receive_some(struct vfu_stream *stream, void *buf, size_t len, int *fds, uint32_t *nb_fds)
{
	union {
		char buf[CMSG_SPACE(VFU_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {.iov_base = buf, .iov_len = len};
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n;
	int rc;

	n = recvmsg(stream->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	rc = take_fds(&mh, fds, nb_fds);
	return rc != 0 ? rc : n;
}

int
vfu_stream_recv(void *ctx, void *buf, size_t len, int *fds, uint32_t *nb_fds)
{
	struct vfu_stream *stream = ctx;
	size_t done = 0;

	while (done < len) {
		ssize_t n = receive_some(stream, (char *)buf + done, len - done, fds, nb_fds);

		if (n == 0)
			return done == 0 ? -ENODATA : -ECONNRESET;
		if (n == -EAGAIN)
			n = vfu_stream_wait(stream, POLLIN, stream->deadline);
		else if (n == -EINTR)
			n = 0;
		if (n < 0)
			return n;
		done += n;
	}
	return 0;
}

ssize_t
vfu_stream_send_now(const struct vfu_stream *stream, const struct iovec *iov, int nb_iov,
	const int *fds, uint32_t nb_fds)
{
	union {
		char buf[CMSG_SPACE(VFU_MAX_FDS * sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct msghdr mh = {.msg_iov = (struct iovec *)iov, .msg_iovlen = nb_iov};
	ssize_t n;

	if (nb_fds > VFU_MAX_FDS)
		return -E2BIG;
	if (nb_fds > 0) {
		struct cmsghdr *c;

		mh.msg_control = control.buf;
		mh.msg_controllen = CMSG_SPACE(nb_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nb_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nb_fds * sizeof(int));
	}
	n = sendmsg(stream->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n < 0 ? -errno : n;
}

int
vfu_stream_send(void *ctx, const void *buf, size_t len, int fd)
{
	uint64_t deadline = vfu_now_ms() + VFU_MESSAGE_TIMEOUT_MS;
	struct vfu_stream *stream = ctx;
	size_t done = 0;

	while (done < len) {
		const struct iovec iov = {(char *)buf + done, len - done};
		ssize_t n = vfu_stream_send_now(stream, &iov, 1, &fd, fd >= 0 && done == 0);

		if (n == -EAGAIN)
			n = vfu_stream_wait(stream, POLLOUT, deadline);
		else if (n == -EINTR)
			n = 0;
		if (n < 0)
			return n;
		done += n;
	}
	return 0;
}
