/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfu_client_msg.h"
#include "vfu_client_region.h"

/* Messages that one vfu_client_check() handles; a server that sends more finds others waiting. */
#define CHECK_BATCH 32

void
vfu_client_close(struct vfu_client *client)
{
	if (client == NULL)
		return;
	close(client->stream.fd);
	pthread_mutex_destroy(&client->call_lock);
	pthread_mutex_destroy(&client->send_lock);
	free(client);
}

bool
vfu_client_alive(const struct vfu_client *client)
{
	return !atomic_load(&client->lost);
}

int
vfu_client_fd(const struct vfu_client *client)
{
	return client->stream.fd;
}

static bool
is_readable(const struct vfu_client *client)
{
	struct pollfd p = {.fd = client->stream.fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

int
vfu_client_check(struct vfu_client *client)
{
	int n = 0;

	/* Who waits for a reply handles whatever comes before it. */
	if (pthread_mutex_trylock(&client->call_lock) == 0) {
		while (n++ < CHECK_BATCH && vfu_client_alive(client) && is_readable(client))
			vfu_client_receive_unasked(client);
		pthread_mutex_unlock(&client->call_lock);
	}
	return vfu_client_alive(client) ? 0 : -ENOTCONN;
}

/*
 * Asks about a region with room for so many bytes of answer.
 * @return 0; 1 when the areas did not fit and *room is what they take; or a negative errno
 */
static int
ask_region(struct vfu_client *client, uint32_t index, uint8_t *payload, uint32_t *room,
	struct vfu_client_region *region)
{
	const struct vfio_user_region_info req = {.argsz = *room, .index = index};
	struct vfu_client_call call = {
		.command = VFIO_USER_DEVICE_GET_REGION_INFO,
		.req = &req,
		.req_len = sizeof(req),
		.reply = payload,
		.reply_room = *room,
		.reply_min = sizeof(req),
		.takes_fd = true,
	};
	uint32_t needed;
	int rc = vfu_client_call(client, &call);

	if (rc != 0)
		return rc;
	memcpy(&needed, payload + offsetof(struct vfio_user_region_info, argsz), sizeof(needed));
	region->fd = -1;
	if (needed > *room) {
		*room = needed;
		rc = 1;
	} else {
		rc = vfu_client_read_region(payload, call.reply_len, index, call.reply_fd, region);
	}
	if (call.reply_fd >= 0 && region->fd < 0)
		close(call.reply_fd);
	return rc < 0 ? vfu_client_lose(client, rc) : rc;
}

int
vfu_client_region_info(struct vfu_client *client, uint32_t index, struct vfu_client_region *region)
{
	uint8_t few[sizeof(struct vfio_user_region_info)], *many;
	uint32_t room = sizeof(few);
	int rc;

	if (index >= VFU_MAX_REGIONS || index >= client->nb_regions)
		return -EINVAL;
	rc = ask_region(client, index, few, &room, region);
	if (rc != 1)
		return rc;
	if (room > VFU_CLIENT_INFO_MAX)
		return vfu_client_lose(client, -EPROTO);
	many = malloc(room);
	if (many == NULL)
		return -ENOMEM;
	rc = ask_region(client, index, many, &room, region);
	free(many);
	/* It was told what it asked for, and is not content. */
	return rc == 1 ? vfu_client_lose(client, -EPROTO) : rc;
}

static int
read_piece(struct vfu_client *client, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	const struct vfio_user_region_access req = {offset, region, len};
	struct vfio_user_region_access reply;
	struct vfu_client_call call = {
		.command = VFIO_USER_REGION_READ,
		.req = &req,
		.req_len = sizeof(req),
		.reply = &reply,
		.reply_room = sizeof(reply),
		.in = buf,
		.in_room = len,
		.reply_min = sizeof(reply) + len,
	};
	int rc = vfu_client_call(client, &call);

	return rc == 0 && reply.count != len ? vfu_client_lose(client, -EPROTO) : rc;
}

static int
write_piece(
	struct vfu_client *client, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	const struct vfio_user_region_access req = {offset, region, len};
	struct vfio_user_region_access reply;
	struct vfu_client_call call = {
		.command = VFIO_USER_REGION_WRITE,
		.req = &req,
		.req_len = sizeof(req),
		.data = buf,
		.data_len = len,
		.reply = &reply,
		.reply_room = sizeof(reply),
	};
	int rc = vfu_client_call(client, &call);

	/* Some servers answer with the header alone. */
	if (rc != 0 || call.reply_len == 0)
		return rc;
	if (call.reply_len != sizeof(reply) || reply.count != len)
		return vfu_client_lose(client, -EPROTO);
	return 0;
}

static bool
is_range(uint64_t offset, uint32_t len, uint32_t most)
{
	return len > 0 && len <= most && offset <= UINT64_MAX - len;
}

int
vfu_client_region_read(
	struct vfu_client *client, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	uint32_t done, n;
	int rc = 0;

	if (!is_range(offset, len, VFIO_USER_MAX_XFER))
		return -EINVAL;
	for (done = 0; done < len && rc == 0; done += n) {
		n = len - done < client->max_xfer ? len - done : client->max_xfer;
		rc = read_piece(client, region, offset + done, (char *)buf + done, n);
	}
	return rc;
}

int
vfu_client_region_write(
	struct vfu_client *client, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	uint32_t done, n;
	int rc = 0;

	if (!is_range(offset, len, VFIO_USER_MAX_XFER))
		return -EINVAL;
	for (done = 0; done < len && rc == 0; done += n) {
		n = len - done < client->max_xfer ? len - done : client->max_xfer;
		rc = write_piece(client, region, offset + done, (const char *)buf + done, n);
	}
	return rc;
}

int
vfu_client_region_post(
	struct vfu_client *client, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	const struct vfio_user_region_access req = {offset, region, len};
	const struct vfu_client_call call = {
		.command = VFIO_USER_REGION_WRITE,
		.req = &req,
		.req_len = sizeof(req),
		.data = buf,
		.data_len = len,
	};

	if (!is_range(offset, len, VFU_CLIENT_POST_MAX))
		return -EINVAL;
	return vfu_client_call_posted(client, &call);
}

int
vfu_client_dma_map(
	struct vfu_client *client, uint64_t address, uint64_t size, int fd, uint64_t fd_offset)
{
	const struct vfio_user_dma_map req = {
		.argsz = sizeof(req),
		.flags = VFIO_USER_F_DMA_READ | VFIO_USER_F_DMA_WRITE,
		.offset = fd_offset,
		.address = address,
		.size = size,
	};
	struct vfu_client_call call = {
		.command = VFIO_USER_DMA_MAP,
		.req = &req,
		.req_len = sizeof(req),
		.fds = &fd,
		.nb_fds = 1,
	};

	return vfu_client_call(client, &call);
}

int
vfu_client_dma_unmap(struct vfu_client *client, uint64_t address, uint64_t size)
{
	const struct vfio_user_dma_unmap req = {
		.argsz = sizeof(req),
		.address = address,
		.size = size,
	};
	struct vfio_user_dma_unmap reply;
	struct vfu_client_call call = {
		.command = VFIO_USER_DMA_UNMAP,
		.req = &req,
		.req_len = sizeof(req),
		.reply = &reply,
		.reply_room = sizeof(reply),
	};
	int rc = vfu_client_call(client, &call);

	/* Some servers answer with the header alone. */
	if (rc != 0 || call.reply_len == 0)
		return rc;
	if (call.reply_len != sizeof(reply) || reply.address != address || reply.size != size)
		return vfu_client_lose(client, -EPROTO);
	return 0;
}

int
vfu_client_irq_count(struct vfu_client *client, uint32_t index)
{
	const struct vfio_user_irq_info req = {.argsz = sizeof(req), .index = index};
	struct vfio_user_irq_info reply;
	struct vfu_client_call call = {
		.command = VFIO_USER_DEVICE_GET_IRQ_INFO,
		.req = &req,
		.req_len = sizeof(req),
		.reply = &reply,
		.reply_room = sizeof(reply),
		.reply_min = sizeof(reply),
	};
	int rc;

	if (index >= client->nb_irqs)
		return 0;
	rc = vfu_client_call(client, &call);
	if (rc != 0)
		return rc;
	if (reply.index != index || reply.count > VFU_MAX_VECTORS)
		return vfu_client_lose(client, -EPROTO);
	return reply.count;
}

static int
set_irqs(struct vfu_client *client, const struct vfio_user_irq_set *req, const int *fds,
	uint32_t nb_fds)
{
	struct vfu_client_call call = {
		.command = VFIO_USER_DEVICE_SET_IRQS,
		.req = req,
		.req_len = sizeof(*req),
		.fds = fds,
		.nb_fds = nb_fds,
	};

	return vfu_client_call(client, &call);
}

/* How many of the first descriptors one message can carry: all are there, or none is. */
static uint32_t
irq_batch(const struct vfu_client *client, const int *fds, uint32_t count)
{
	uint32_t n;

	for (n = 1; n < count && (fds[n] < 0) == (fds[0] < 0); n++) {
		if (fds[0] >= 0 && n == client->max_fds)
			break;
	}
	return n;
}

int
vfu_client_irq_set(
	struct vfu_client *client, uint32_t index, uint32_t start, uint32_t count, const int *fds)
{
	uint32_t done, n;
	int rc = 0;

	if (count == 0 || count > VFU_MAX_VECTORS || start > VFU_MAX_VECTORS - count)
		return -EINVAL;
	for (done = 0; done < count && rc == 0; done += n) {
		const struct vfio_user_irq_set req = {
			.argsz = sizeof(req),
			.flags = VFIO_USER_IRQ_DATA_EVENTFD | VFIO_USER_IRQ_ACTION_TRIGGER,
			.index = index,
			.start = start + done,
			.count = n = irq_batch(client, fds + done, count - done),
		};

		rc = set_irqs(client, &req, fds + done, fds[done] >= 0 ? n : 0);
	}
	return rc;
}

int
vfu_client_irq_disable(struct vfu_client *client, uint32_t index)
{
	const struct vfio_user_irq_set req = {
		.argsz = sizeof(req),
		.flags = VFIO_USER_IRQ_DATA_NONE | VFIO_USER_IRQ_ACTION_TRIGGER,
		.index = index,
	};

	return set_irqs(client, &req, NULL, 0);
}

int
vfu_client_reset(struct vfu_client *client)
{
	struct vfu_client_call call = {.command = VFIO_USER_DEVICE_RESET};

	return client->can_reset ? vfu_client_call(client, &call) : -ENOTSUP;
}
