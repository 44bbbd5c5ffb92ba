/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_client_version.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfu_client_msg.h"
#include "vfu_range.h"

/* More JSON than any server answers with. */
#define TEXT_MAX 4096u

/* What the protocol says of a server that does not tell. */
#define DEFAULT_FDS  1u
#define DEFAULT_XFER VFIO_USER_MAX_XFER

/* A register must not be torn in two. */
#define LEAST_XFER 8u

#define MAX_DMA_MAPS 65535u

struct version_reply {
	struct vfio_user_version version;
	char text[TEXT_MAX + 1];
};

/*
 * Finds "key": number. One look for a key that stands nowhere else is all the JSON that is needed:
 * the text is the server's word about itself, and whatever it says is held to bounds.
 * @return 0, *value as it was when the key is missing; -EPROTO when it has no number
 */
static int
find_number(const char *text, const char *key, uint32_t *value)
{
	static const char space[] = " \t\r\n";
	const char *p = strstr(text, key);
	unsigned long long n;

	if (p == NULL)
		return 0;
	p += strlen(key);
	p += strspn(p, space);
	if (*p++ != ':')
		return -EPROTO;
	p += strspn(p, space);
	if (*p < '0' || *p > '9')
		return -EPROTO;
	n = strtoull(p, NULL, 10);
	*value = n < UINT32_MAX ? n : UINT32_MAX;
	return 0;
}

static int
read_limits(struct vfu_client *client, const char *text)
{
	client->max_fds = DEFAULT_FDS;
	client->max_xfer = DEFAULT_XFER;
	if (find_number(text, "\"max_msg_fds\"", &client->max_fds) != 0 ||
		find_number(text, "\"max_data_xfer_size\"", &client->max_xfer) != 0)
		return -EPROTO;
	if (client->max_fds == 0 || client->max_xfer < LEAST_XFER)
		return -EPROTO;
	if (client->max_fds > VFU_MAX_FDS)
		client->max_fds = VFU_MAX_FDS;
	if (client->max_xfer > VFIO_USER_MAX_XFER)
		client->max_xfer = VFIO_USER_MAX_XFER;
	return 0;
}

static int
agree_on_version(struct vfu_client *client)
{
	const struct vfio_user_version req = {VFIO_USER_MAJOR, VFIO_USER_MINOR};
	struct version_reply reply;
	char text[160];
	struct vfu_client_call call = {
		.command = VFIO_USER_VERSION,
		.req = &req,
		.req_len = sizeof(req),
		.data = text,
		.reply = &reply,
		.reply_min = sizeof(reply.version),
		.reply_room = offsetof(struct version_reply, text) + TEXT_MAX,
	};
	int rc;

	/* The client takes one descriptor, that of a region. */
	call.data_len = 1 + snprintf(text, sizeof(text),
				    "{\"capabilities\":{\"max_msg_fds\":1,\"max_data_xfer_size\":"
				    "%u,\"pgsizes\":%u,\"max_dma_maps\":%u}}",
				    VFIO_USER_MAX_XFER, VFU_DMA_PAGE, MAX_DMA_MAPS);
	rc = vfu_client_call(client, &call);
	if (rc != 0)
		return rc;
	((char *)&reply)[call.reply_len] = '\0';
	/* A server answers with the version proposed, or an older one, and there is none. */
	if (reply.version.major != VFIO_USER_MAJOR || reply.version.minor != VFIO_USER_MINOR)
		return -EPROTO;
	return read_limits(client, reply.text);
}

static int
ask_for_info(struct vfu_client *client)
{
	struct vfio_user_device_info info = {.argsz = sizeof(info)}, reply;
	struct vfu_client_call call = {
		.command = VFIO_USER_DEVICE_GET_INFO,
		.req = &info,
		.req_len = sizeof(info),
		.reply = &reply,
		.reply_min = sizeof(reply),
		.reply_room = sizeof(reply),
	};
	int rc = vfu_client_call(client, &call);

	if (rc != 0)
		return rc;
	client->nb_regions = reply.num_regions;
	client->nb_irqs = reply.num_irqs;
	client->can_reset = (reply.flags & VFIO_USER_F_DEVICE_RESET) != 0;
	return 0;
}

int
vfu_client_begin(int fd, uint32_t timeout_ms, struct vfu_client **out)
{
	struct vfu_client *client = calloc(1, sizeof(*client));
	int rc;

	if (client == NULL) {
		close(fd);
		return -ENOMEM;
	}
	client->stream = (struct vfu_stream){.fd = fd, .wake_fd = -1};
	client->timeout_ms = timeout_ms;
	atomic_init(&client->lost, false);
	atomic_init(&client->next_id, 0);
	pthread_mutex_init(&client->call_lock, NULL);
	pthread_mutex_init(&client->send_lock, NULL);
	rc = agree_on_version(client);
	if (rc == 0)
		rc = ask_for_info(client);
	if (rc != 0) {
		vfu_client_close(client);
		return rc;
	}
	*out = client;
	return 0;
}
