/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vfu_log.h"
#include "vfu_socket_internal.h"
#include "vfu_stream.h"

/* After accept() found no descriptor or memory left; the client waits in the backlog. */
#define ACCEPT_PAUSE_MS 100

struct vfu_call {
	TAILQ_ENTRY(vfu_call) link;
	void (*fn)(void *arg);
	void *arg;
	int result;
	bool done;
	pthread_cond_t finished;
};

/* The state of one vfu_socket_run(). */
struct loop {
	struct vfu_socket *sock;
	struct vfu_server *server;
	struct vfu_stream stream; /* fd -1: no client */
	bool accept_pause;
};

static void
wake(struct vfu_socket *sock)
{
	const uint64_t one = 1;

	/* The counter can only be full when the loop is about to wake up anyway. */
	if (write(sock->wake_fd, &one, sizeof(one)) < 0)
		return;
}

void
vfu_socket_stop(struct vfu_socket *sock)
{
	atomic_store(&sock->stop, true);
	wake(sock);
}

int
vfu_socket_call(struct vfu_socket *sock, void (*fn)(void *arg), void *arg)
{
	struct vfu_call call = {.fn = fn, .arg = arg, .finished = PTHREAD_COND_INITIALIZER};

	pthread_mutex_lock(&sock->lock);
	if (sock->ended) {
		pthread_mutex_unlock(&sock->lock);
		return -ESHUTDOWN;
	}
	TAILQ_INSERT_TAIL(&sock->calls, &call, link);
	wake(sock);
	while (!call.done)
		pthread_cond_wait(&call.finished, &sock->lock);
	pthread_mutex_unlock(&sock->lock);
	pthread_cond_destroy(&call.finished);
	return call.result;
}

/* Runs the calls that wait, or turns them away when the loop ends. */
static void
serve_calls(struct vfu_socket *sock, bool ending)
{
	struct vfu_call *call;

	pthread_mutex_lock(&sock->lock);
	sock->ended = ending;
	while ((call = TAILQ_FIRST(&sock->calls)) != NULL) {
		TAILQ_REMOVE(&sock->calls, call, link);
		call->result = ending ? -ESHUTDOWN : 0;
		if (!ending) {
			pthread_mutex_unlock(&sock->lock);
			call->fn(call->arg);
			pthread_mutex_lock(&sock->lock);
		}
		call->done = true;
		pthread_cond_signal(&call->finished);
	}
	pthread_mutex_unlock(&sock->lock);
}

static void
serve_wake(struct loop *loop)
{
	uint64_t count;

	/* Before the look at the queue, or a call that comes right after it would be slept over. */
	if (read(loop->sock->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	serve_calls(loop->sock, false);
}

/*
 * Closes a connection so that its client reads an end of file, whatever it is sending just now. What is
 * left unread at close() resets the connection, and QEMU 11.1 takes such an end for a reason to abort.
 */
static void
hang_up(int fd)
{
	char unread[4096];

	/* From here on nothing more comes in; descriptors that are among the rest are closed. */
	shutdown(fd, SHUT_RDWR);
	while (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) > 0)
		;
	close(fd);
}

static void
drop_client(struct loop *loop)
{
	vfu_server_detach(loop->server);
	hang_up(loop->stream.fd);
	loop->stream.fd = -1;
}

static void
take_client(struct loop *loop, int fd)
{
	const struct vfu_transport transport = {
		.ctx = &loop->stream,
		.recv = vfu_stream_recv,
		.send = vfu_stream_send,
	};
	struct ucred peer = {0};
	socklen_t len = sizeof(peer);

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len);
	loop->stream.fd = fd;
	vfu_server_attach(loop->server, &transport);
	vfu_log(loop->server, VFU_LOG_INFO, "vfio-user: client connected (pid %d, uid %u)",
		(int)peer.pid, (unsigned int)peer.uid);
}

static void
serve_listener(struct loop *loop)
{
	int fd = accept4(loop->sock->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0) {
		if (errno == EAGAIN || errno == ECONNABORTED || errno == EINTR)
			return;
		vfu_log(loop->server, VFU_LOG_ERR,
			"vfio-user: a client waits, but accept failed: %s", strerrorname_np(errno));
		loop->accept_pause = true;
		return;
	}
	if (loop->stream.fd < 0) {
		take_client(loop, fd);
		return;
	}
	/* One socket is one card. Kept waiting, the second client would hang where it is. */
	vfu_log(loop->server, VFU_LOG_WARNING,
		"vfio-user: a second client was turned away: this card is in use");
	hang_up(fd);
}

static void
serve_client(struct loop *loop)
{
	int rc;

	vfu_stream_start(&loop->stream);
	rc = vfu_server_process(loop->server);
	if (rc == 0)
		return;
	if (rc == -ENODATA || rc == -ECONNRESET || rc == -EPIPE)
		vfu_log(loop->server, VFU_LOG_INFO, "vfio-user: the client has left");
	else if (rc == -ETIMEDOUT)
		vfu_log(loop->server, VFU_LOG_WARNING,
			"vfio-user: client cut off: it stalled in the middle of a message for %d "
			"ms",
			VFU_MESSAGE_TIMEOUT_MS);
	else if (rc == -E2BIG)
		vfu_log(loop->server, VFU_LOG_WARNING,
			"vfio-user: client cut off: a message with more "
			"than %d descriptors, or no descriptors left in this process",
			VFU_MAX_FDS);
	else if (rc != -ECANCELED)
		vfu_log(loop->server, VFU_LOG_WARNING, "vfio-user: client cut off: %s",
			strerrorname_np(-rc));
	drop_client(loop);
}

/*
 * One round: waits, and serves what is ready. The listener stands before the client, and poll()
 * looks at them in this order: when a client dies and another connects, the round that sees the
 * second sees the first one's end too, and does not mistake the second for a rival.
 */
static void
serve_round(struct loop *loop)
{
	enum { LISTENER, CLIENT, WAKE, NB };
	struct pollfd p[NB] = {
		[LISTENER] = {.fd = loop->accept_pause ? -1 : loop->sock->listen_fd,
			.events = POLLIN},
		[CLIENT] = {.fd = loop->stream.fd, .events = POLLIN | POLLRDHUP},
		[WAKE] = {.fd = loop->sock->wake_fd, .events = POLLIN},
	};
	int n = poll(p, NB, loop->accept_pause ? ACCEPT_PAUSE_MS : -1);

	loop->accept_pause = false;
	if (n <= 0)
		return;
	if (p[WAKE].revents != 0)
		serve_wake(loop);
	if (p[LISTENER].revents != 0 && (p[CLIENT].revents & (POLLHUP | POLLRDHUP | POLLERR)) == 0)
		serve_listener(loop);
	if (p[CLIENT].revents != 0)
		serve_client(loop);
}

/*
 * Nothing more comes in, and what has come is answered. A client that waits for an answer is not
 * woken by the end of the connection: a virtual machine would stand still until QEMU's time-out.
 */
static void
say_farewell(struct loop *loop)
{
	shutdown(loop->stream.fd, SHUT_RD);
	do
		vfu_stream_start(&loop->stream);
	while (vfu_server_process(loop->server) == 0);
	drop_client(loop);
}

void
vfu_socket_run(struct vfu_socket *sock, struct vfu_server *server)
{
	struct loop loop = {
		.sock = sock,
		.server = server,
		.stream = {.fd = -1, .wake_fd = sock->wake_fd, .stop = &sock->stop},
	};

	pthread_mutex_lock(&sock->lock);
	sock->ended = false;
	pthread_mutex_unlock(&sock->lock);
	while (!atomic_load(&sock->stop))
		serve_round(&loop);
	if (loop.stream.fd >= 0)
		say_farewell(&loop);
	serve_calls(sock, true);
}
