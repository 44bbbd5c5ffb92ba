/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_client_msg.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Most bytes that a request of the server can have: a DMA_WRITE, and some room. */
#define REQUEST_MAX (VFIO_USER_MAX_XFER + 4096u)

/* Errors beyond are none of the kernel's. */
#define ERRNO_MAX 4095u

/* Header, fixed part, data. */
#define NB_PARTS 3

struct outgoing {
	struct vfio_user_header hdr;
	struct iovec part[NB_PARTS];
	const int *fds;
	uint32_t nb_fds;
	size_t done; /* bytes sent */
};

struct incoming {
	struct vfio_user_header hdr;
	uint32_t len; /* of the payload */
	int fds[VFU_MAX_FDS];
	uint32_t nb_fds;
};

int
vfu_client_lose(struct vfu_client *client, int rc)
{
	/* The descriptor stays until close(), others may be polling it; they find it hung up. */
	if (!atomic_exchange(&client->lost, true))
		shutdown(client->stream.fd, SHUT_RDWR);
	if (rc == -ENODATA || rc == -ECONNRESET || rc == -EPIPE)
		return -ENOTCONN;
	return rc == -E2BIG ? -EPROTO : rc;
}

static void
prepare(struct outgoing *out, const struct vfu_client_call *call, uint16_t id, uint32_t flags)
{
	out->hdr = (struct vfio_user_header){
		.msg_id = id,
		.command = call->command,
		.msg_size = sizeof(out->hdr) + call->req_len + call->data_len,
		.flags = flags,
	};
	out->part[0] = (struct iovec){&out->hdr, sizeof(out->hdr)};
	out->part[1] = (struct iovec){(void *)call->req, call->req_len};
	out->part[2] = (struct iovec){(void *)call->data, call->data_len};
	out->fds = call->fds;
	out->nb_fds = call->nb_fds;
	out->done = 0;
}

/* Sends what the socket takes of the rest of a message, and says so to those who post. */
static ssize_t
send_some(struct vfu_client *client, struct outgoing *out)
{
	struct iovec part[NB_PARTS];
	size_t skip = out->done;
	int i, nb_parts = 0;
	ssize_t n;

	for (i = 0; i < NB_PARTS; i++) {
		const struct iovec *whole = &out->part[i];

		if (skip < whole->iov_len)
			part[nb_parts++] = (struct iovec){
				(char *)whole->iov_base + skip, whole->iov_len - skip};
		skip -= skip < whole->iov_len ? skip : whole->iov_len;
	}
	pthread_mutex_lock(&client->send_lock);
	n = vfu_stream_send_now(
		&client->stream, part, nb_parts, out->fds, out->done == 0 ? out->nb_fds : 0);
	if (n > 0)
		out->done += n;
	client->half_sent = out->done > 0 && out->done < out->hdr.msg_size;
	pthread_mutex_unlock(&client->send_lock);
	return n;
}

/* Sends a whole message before the deadline of the call. */
static int
send_all(struct vfu_client *client, struct outgoing *out)
{
	while (out->done < out->hdr.msg_size) {
		ssize_t n = send_some(client, out);

		if (n == -EAGAIN)
			n = vfu_stream_wait(&client->stream, POLLOUT, client->stream.deadline);
		else if (n == -EINTR)
			n = 0;
		/* A descriptor that cannot be sent is the caller's fault, and nothing went out. */
		if (n == -EBADF || n == -ETOOMANYREFS)
			return n;
		if (n < 0)
			return vfu_client_lose(client, n);
	}
	return 0;
}

static int
recv_some(struct vfu_client *client, struct incoming *in, void *buf, size_t len)
{
	return vfu_stream_recv(&client->stream, buf, len, in->fds, &in->nb_fds);
}

/* Takes a request of the server from the stream, and declines it. */
static int
decline(struct vfu_client *client, struct incoming *in)
{
	const struct vfu_client_call none = {.command = in->hdr.command};
	struct outgoing out;
	char waste[4096];

	if (in->len > REQUEST_MAX)
		return -EPROTO;
	while (in->len > 0) {
		size_t n = in->len < sizeof(waste) ? in->len : sizeof(waste);
		int rc = recv_some(client, in, waste, n);

		if (rc != 0)
			return rc;
		in->len -= n;
	}
	if ((in->hdr.flags & VFIO_USER_F_NO_REPLY) != 0)
		return 0;
	prepare(&out, &none, in->hdr.msg_id, VFIO_USER_F_TYPE_REPLY | VFIO_USER_F_ERROR);
	out.hdr.error_no = ENOTSUP;
	return send_all(client, &out);
}

/* Callers tell by -ENOTCONN that the connection is gone, so a server cannot answer it. */
static int
refusal(uint32_t error_no)
{
	if (error_no == 0 || error_no > ERRNO_MAX || error_no == ENOTCONN)
		return -EIO;
	return -(int)error_no;
}

/* Takes a reply, which must be to this call. Returns 1. */
static int
take_reply(
	struct vfu_client *client, struct incoming *in, struct vfu_client_call *call, uint16_t id)
{
	uint32_t fixed;
	int rc;

	if (call == NULL || in->hdr.msg_id != id || in->hdr.command != call->command)
		return -EPROTO;
	if (in->hdr.flags == (VFIO_USER_F_TYPE_REPLY | VFIO_USER_F_ERROR) && in->len == 0) {
		call->result = refusal(in->hdr.error_no);
		return 1;
	}
	if (in->hdr.flags != VFIO_USER_F_TYPE_REPLY || in->len < call->reply_min ||
		in->len > (uint64_t)call->reply_room + call->in_room)
		return -EPROTO;
	fixed = in->len < call->reply_room ? in->len : call->reply_room;
	rc = recv_some(client, in, call->reply, fixed);
	if (rc == 0)
		rc = recv_some(client, in, call->in, in->len - fixed);
	call->reply_len = in->len;
	call->result = 0;
	return rc != 0 ? rc : 1;
}

/* Gives the call the one descriptor that it may get; any other is a fault, and closed. */
static int
settle_fds(struct incoming *in, struct vfu_client_call *call, int rc)
{
	if (in->nb_fds == 0)
		return rc;
	if (rc == 1 && call->takes_fd && call->result == 0 && in->nb_fds == 1) {
		call->reply_fd = in->fds[0];
		return rc;
	}
	while (in->nb_fds > 0)
		close(in->fds[--in->nb_fds]);
	return rc < 0 ? rc : -EPROTO;
}

/* Returns 1 when the call is answered, 0 when it was something else, or a negative errno. */
static int
receive(struct vfu_client *client, struct vfu_client_call *call, uint16_t id)
{
	struct incoming in = {.nb_fds = 0};
	int rc;

	rc = recv_some(client, &in, &in.hdr, sizeof(in.hdr));
	if (rc == 0) {
		in.len = in.hdr.msg_size - sizeof(in.hdr);
		if (in.hdr.msg_size < sizeof(in.hdr))
			rc = -EPROTO;
		else if ((in.hdr.flags & VFIO_USER_F_TYPE_MASK) == VFIO_USER_F_TYPE_COMMAND)
			rc = decline(client, &in);
		else
			rc = take_reply(client, &in, call, id);
	}
	rc = settle_fds(&in, call, rc);
	return rc < 0 ? vfu_client_lose(client, rc) : rc;
}

static void
start_clock(struct vfu_client *client)
{
	client->stream.deadline = vfu_now_ms() + client->timeout_ms;
}

int
vfu_client_call(struct vfu_client *client, struct vfu_client_call *call)
{
	struct outgoing out;
	uint16_t id;
	int rc;

	call->reply_fd = -1;
	pthread_mutex_lock(&client->call_lock);
	if (atomic_load(&client->lost)) {
		pthread_mutex_unlock(&client->call_lock);
		return -ENOTCONN;
	}
	start_clock(client);
	id = atomic_fetch_add(&client->next_id, 1);
	prepare(&out, call, id, VFIO_USER_F_TYPE_COMMAND);
	rc = send_all(client, &out);
	while (rc == 0) {
		rc = receive(client, call, id);
		/* Where there is always a request to read, nothing else looks at the clock. */
		if (rc == 0 && vfu_now_ms() >= client->stream.deadline)
			rc = vfu_client_lose(client, -ETIMEDOUT);
	}
	pthread_mutex_unlock(&client->call_lock);
	return rc < 0 ? rc : call->result;
}

int
vfu_client_receive_unasked(struct vfu_client *client)
{
	start_clock(client);
	return receive(client, NULL, 0);
}

/*
 * On a stream socket Linux takes a message this small whole or not at all, so a half one is not
 * finished later but ends the connection.
 */
int
vfu_client_call_posted(struct vfu_client *client, const struct vfu_client_call *call)
{
	struct outgoing out;
	ssize_t n = -EAGAIN;

	if (atomic_load(&client->lost))
		return -ENOTCONN;
	prepare(&out, call, atomic_fetch_add(&client->next_id, 1), VFIO_USER_F_NO_REPLY);
	pthread_mutex_lock(&client->send_lock);
	if (!client->half_sent)
		n = vfu_stream_send_now(&client->stream, out.part, NB_PARTS, NULL, 0);
	pthread_mutex_unlock(&client->send_lock);
	if (n == (ssize_t)out.hdr.msg_size)
		return 0;
	if (n == -EAGAIN || n == -EINTR)
		return -EAGAIN;
	return vfu_client_lose(client, n < 0 ? (int)n : -EIO);
}
