/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfu_command.h"
#include "vfu_irq.h"
#include "vfu_region.h"
#include "vfu_reply.h"

#define DEFAULT_MAX_DMA_MAPS 65535u

static bool
device_valid(const struct vfu_device *dev)
{
	return dev->region_read != NULL && dev->region_write != NULL && vfu_regions_valid(dev);
}

struct vfu_server *
vfu_server_create(const struct vfu_device *device)
{
	struct vfu_server *server;
	int rc;

	if (!device_valid(device)) {
		errno = EINVAL;
		return NULL;
	}
	server = calloc(1, sizeof(*server));
	if (server == NULL)
		return NULL;
	server->dev = *device;
	if (server->dev.max_dma_maps == 0 || server->dev.max_dma_maps > DEFAULT_MAX_DMA_MAPS)
		server->dev.max_dma_maps = DEFAULT_MAX_DMA_MAPS;
	atomic_init(&server->connected, false);
	rc = vfu_irqs_create(server);
	if (rc == 0) {
		server->dma =
			vfu_dma_create(server->dev.max_dma_maps, device->quiesce, device->ctx);
		if (server->dma == NULL)
			rc = -errno;
	}
	if (rc != 0) {
		vfu_irqs_destroy(server);
		free(server);
		errno = -rc;
		return NULL;
	}
	return server;
}

void
vfu_server_destroy(struct vfu_server *server)
{
	if (server == NULL)
		return;
	vfu_server_detach(server);
	vfu_dma_destroy(server->dma);
	vfu_irqs_destroy(server);
	free(server);
}

void
vfu_server_attach(struct vfu_server *server, const struct vfu_transport *transport)
{
	vfu_server_detach(server);
	server->transport = *transport;
	server->attached = true;
}

void
vfu_server_detach(struct vfu_server *server)
{
	if (!server->attached)
		return;
	server->attached = false;
	if (atomic_exchange_explicit(&server->connected, false, memory_order_acq_rel) &&
		server->dev.disconnected != NULL)
		server->dev.disconnected(server->dev.ctx);
	vfu_irqs_clear(server);
	vfu_dma_clear(server->dma);
}

/* Sends the reply that the handler made, or its error as a bare header. */
static int
send_reply(struct vfu_server *server, struct vfu_msg *msg, int result)
{
	struct vfio_user_header hdr = {
		.msg_id = msg->hdr.msg_id,
		.command = msg->hdr.command,
		.msg_size = sizeof(hdr),
		.flags = VFIO_USER_F_TYPE_REPLY,
	};
	const struct vfu_transport *t = &server->transport;

	if (result < 0) {
		hdr.flags |= VFIO_USER_F_ERROR;
		hdr.error_no = -result;
		return t->send(t->ctx, &hdr, sizeof(hdr), -1);
	}
	if (msg->reply == NULL)
		return t->send(t->ctx, &hdr, sizeof(hdr), -1);
	hdr.msg_size = msg->reply_len;
	memcpy(msg->reply, &hdr, sizeof(hdr));
	return t->send(t->ctx, msg->reply, msg->reply_len, msg->reply_fd);
}

/*
 * Receives a header and finds out whether a payload of known length follows. When it does not,
 * where the next message starts is unknown too, and the connection ends.
 */
static int
receive_header(struct vfu_server *server, struct vfu_msg *msg)
{
	const struct vfu_transport *t = &server->transport;
	struct vfio_user_header *hdr = &msg->hdr;
	int rc;

	rc = t->recv(t->ctx, hdr, sizeof(*hdr), msg->fds, &msg->nb_fds);
	if (rc != 0)
		return rc;
	msg->command = vfu_command_find(hdr->command);
	if ((hdr->flags & VFIO_USER_F_TYPE_MASK) != VFIO_USER_F_TYPE_COMMAND)
		return vfu_reject(server, msg, EPROTO,
			"flags 0x%x, which is not a command; nothing was asked", hdr->flags);
	if (hdr->msg_size < sizeof(*hdr) || hdr->msg_size > VFU_MAX_MESSAGE) {
		rc = vfu_reject(server, msg, hdr->msg_size < sizeof(*hdr) ? EINVAL : EMSGSIZE,
			"message size %u, %zu to %zu are allowed", hdr->msg_size, sizeof(*hdr),
			VFU_MAX_MESSAGE);
		send_reply(server, msg, rc);
		return -EPROTO;
	}
	return 0;
}

static int
receive(struct vfu_server *server, struct vfu_msg *msg)
{
	const struct vfu_transport *t = &server->transport;
	int rc;

	rc = receive_header(server, msg);
	if (rc != 0)
		return rc;
	msg->len = msg->hdr.msg_size - sizeof(msg->hdr);
	if (msg->len == 0)
		return 0;
	msg->data = malloc(msg->len);
	if (msg->data == NULL)
		return -ENOMEM;
	rc = t->recv(t->ctx, msg->data, msg->len, msg->fds, &msg->nb_fds);
	/* An end of stream is clean only between two messages. */
	return rc == -ENODATA ? -ECONNRESET : rc;
}

static int
dispatch(struct vfu_server *server, struct vfu_msg *msg)
{
	const uint32_t known = VFIO_USER_F_TYPE_MASK | VFIO_USER_F_NO_REPLY;
	const struct vfu_command *command = msg->command;
	uint32_t argsz = UINT32_MAX;
	int rc;

	if ((msg->hdr.flags & ~known) != 0)
		return vfu_reject(server, msg, EINVAL, "unknown flags 0x%x", msg->hdr.flags);
	if (msg->hdr.command != VFIO_USER_VERSION &&
		!atomic_load_explicit(&server->connected, memory_order_relaxed))
		return vfu_reject(server, msg, EINVAL, "the first message must be VERSION");
	if (command == NULL)
		return vfu_reject(server, msg, ENOSYS, "not known");
	if (msg->len < command->min_len || msg->len > command->max_len)
		return vfu_reject(server, msg, EINVAL, "payload of %u bytes, %u to %u are allowed",
			msg->len, command->min_len, command->max_len);
	if (msg->nb_fds > command->max_fds)
		return vfu_reject(server, msg, EINVAL, "%u descriptors, %u are allowed",
			msg->nb_fds, command->max_fds);
	if (command->has_argsz)
		memcpy(&argsz, msg->data, sizeof(argsz));
	if (argsz < command->min_len)
		return vfu_reject(
			server, msg, EINVAL, "argsz %u is less than %u", argsz, command->min_len);
	rc = command->handle(server, msg);
	/* What a device returns is not checked anywhere else. */
	return rc > 0 ? -EIO : rc;
}

/* Closes what the handler did not keep; before the reply, so that it tells the client so. */
static void
close_fds(struct vfu_msg *msg)
{
	uint32_t i;

	for (i = 0; i < msg->nb_fds; i++) {
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	}
	msg->nb_fds = 0;
}

int
vfu_server_process(struct vfu_server *server)
{
	struct vfu_msg msg = {.reply_fd = -1};
	int rc, result = 0;

	if (!server->attached)
		return -ENOTCONN;
	rc = receive(server, &msg);
	if (rc == 0)
		result = dispatch(server, &msg);
	close_fds(&msg);
	if (rc == 0 && (msg.hdr.flags & VFIO_USER_F_NO_REPLY) == 0)
		rc = send_reply(server, &msg, result);
	free(msg.data);
	free(msg.reply);
	return rc;
}

int
vfu_server_irq_fd(const struct vfu_server *server, uint32_t index, uint32_t vector)
{
	return vfu_irq_fd(server, index, vector);
}

struct vfu_dma *
vfu_server_dma(struct vfu_server *server)
{
	return server->dma;
}

bool
vfu_server_connected(const struct vfu_server *server)
{
	return atomic_load_explicit(&server->connected, memory_order_acquire);
}
