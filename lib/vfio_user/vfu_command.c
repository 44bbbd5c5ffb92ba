/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of commands, and the handlers of those that have no file of their own.
 *
 * A handler finds the payload's length and the number of descriptors within the bounds of its
 * entry, and the payload in a private copy; argsz is at least what the fixed part takes.
 */
#include "vfu_command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vfu_irq.h"
#include "vfu_region.h"
#include "vfu_reply.h"

/* More JSON than anybody sends; QEMU's is 210 bytes. */
#define VERSION_TEXT_MAX 4096u

/* Descriptors that a client may send with one message, as told to it. SET_IRQS takes VFU_MAX_FDS
 * all the same: some clients send 16 whatever the server says. */
#define OFFERED_FDS 8

static int
handle_version(struct vfu_server *server, struct vfu_msg *msg)
{
	struct vfio_user_version *reply, req;
	char text[160];
	int len;

	memcpy(&req, msg->data, sizeof(req));
	if (atomic_load_explicit(&server->connected, memory_order_relaxed))
		return vfu_reject(server, msg, EINVAL, "it has been agreed on already");
	if (req.major != VFIO_USER_MAJOR)
		return vfu_reject(server, msg, EINVAL,
			"version %u.%u asked for, %u.%u is spoken here", req.major, req.minor,
			VFIO_USER_MAJOR, VFIO_USER_MINOR);

	/*
	 * The client's capabilities are limits on what the server sends, and it sends nothing that
	 * any client could not take; so its text is not looked at. The answer must fit into QEMU's
	 * request of 214 bytes, or QEMU drops the connection.
	 */
	len = snprintf(text, sizeof(text),
		"{\"capabilities\":{\"max_msg_fds\":%d,\"max_data_xfer_size\":%u,\"max_dma_maps\":%"
		"u}}",
		OFFERED_FDS, VFIO_USER_MAX_XFER, server->dev.max_dma_maps);
	reply = vfu_reply(msg, sizeof(*reply) + len + 1);
	if (reply == NULL)
		return -ENOMEM;
	reply->major = VFIO_USER_MAJOR;
	reply->minor = VFIO_USER_MINOR;
	memcpy(reply + 1, text, len + 1);

	atomic_store_explicit(&server->connected, true, memory_order_release);
	if (server->dev.connected != NULL)
		server->dev.connected(server->dev.ctx);
	return 0;
}

static void
dma_changed(struct vfu_server *server)
{
	if (server->dev.dma_changed != NULL)
		server->dev.dma_changed(server->dev.ctx);
}

static int
handle_dma_map(struct vfu_server *server, struct vfu_msg *msg)
{
	const uint32_t access = VFIO_USER_F_DMA_MMAP | VFIO_USER_F_DMA_FILEIO;
	int fd = msg->nb_fds > 0 ? msg->fds[0] : -1;
	struct vfio_user_dma_map req;
	uint32_t prot = 0;
	int rc;

	memcpy(&req, msg->data, sizeof(req));
	if ((req.flags & ~(VFIO_USER_F_DMA_READ | VFIO_USER_F_DMA_WRITE | access)) != 0)
		return vfu_reject(server, msg, EINVAL, "unknown flags 0x%x", req.flags);
	if ((req.flags & access) == access || ((req.flags & access) != 0 && fd < 0))
		return vfu_reject(server, msg, EINVAL, "access mode 0x%x %s a descriptor",
			req.flags & access, fd < 0 ? "without" : "with");
	if ((req.flags & VFIO_USER_F_DMA_FILEIO) != 0)
		return vfu_reject(server, msg, ENOTSUP, "memory by file I/O is not supported");

	if ((req.flags & VFIO_USER_F_DMA_READ) != 0)
		prot |= VFU_DMA_READ;
	if ((req.flags & VFIO_USER_F_DMA_WRITE) != 0)
		prot |= VFU_DMA_WRITE;
	rc = vfu_dma_map(server->dma, req.address, req.size, prot, fd, req.offset);
	if (rc != 0)
		return vfu_reject(server, msg, -rc,
			"address 0x%" PRIx64 " size 0x%" PRIx64 " file offset 0x%" PRIx64
			" flags 0x%x%s",
			req.address, req.size, req.offset, req.flags,
			fd < 0 ? " no descriptor" : "");
	dma_changed(server);
	return 0;
}

static int
handle_dma_unmap(struct vfu_server *server, struct vfu_msg *msg)
{
	struct vfio_user_dma_unmap *reply, req;
	int rc;

	memcpy(&req, msg->data, sizeof(req));
	if ((req.flags & ~VFIO_USER_F_UNMAP_ALL) != 0)
		return vfu_reject(server, msg, EINVAL, "unknown flags 0x%x", req.flags);
	if (req.flags != 0 && (req.address != 0 || req.size != 0))
		return vfu_reject(server, msg, EINVAL, "unmap-all with an address or a size");

	/* Before anything is changed: afterwards it is too late to fail. */
	reply = vfu_reply(msg, sizeof(*reply));
	if (reply == NULL)
		return -ENOMEM;
	*reply = req;
	reply->argsz = sizeof(*reply);

	if (req.flags != 0) {
		vfu_dma_clear(server->dma);
	} else {
		rc = vfu_dma_unmap(server->dma, req.address, req.size);
		if (rc != 0)
			return vfu_reject(server, msg, -rc,
				"address 0x%" PRIx64 " size 0x%" PRIx64 " is no range of whole mappings",
				req.address, req.size);
	}
	dma_changed(server);
	return 0;
}

static int
handle_get_info(struct vfu_server *server, struct vfu_msg *msg)
{
	struct vfio_user_device_info *reply;

	(void)server;
	reply = vfu_reply(msg, sizeof(*reply));
	if (reply == NULL)
		return -ENOMEM;
	reply->argsz = sizeof(*reply);
	reply->flags = VFIO_USER_F_DEVICE_RESET | VFIO_USER_F_DEVICE_PCI;
	reply->num_regions = VFU_MAX_REGIONS;
	reply->num_irqs = VFU_MAX_IRQS;
	return 0;
}

static int
handle_reset(struct vfu_server *server, struct vfu_msg *msg)
{
	(void)msg;
	if (server->dev.reset != NULL)
		server->dev.reset(server->dev.ctx);
	return 0;
}

static int
handle_unsupported(struct vfu_server *server, struct vfu_msg *msg)
{
	return vfu_reject(server, msg, ENOTSUP, "not offered by this server");
}

#define EXACTLY(type)	  .min_len = sizeof(struct type), .max_len = sizeof(struct type)
#define AT_LEAST(type, n) .min_len = sizeof(struct type), .max_len = sizeof(struct type) + (n)
#define ANY_LENGTH	  .min_len = 0, .max_len = UINT32_MAX

static const struct vfu_command commands[] = {
	[VFIO_USER_VERSION] = {"VERSION", handle_version,
		AT_LEAST(vfio_user_version, VERSION_TEXT_MAX)},
	[VFIO_USER_DMA_MAP] = {"DMA_MAP", handle_dma_map, EXACTLY(vfio_user_dma_map),
		.has_argsz = true, .max_fds = 1},
	[VFIO_USER_DMA_UNMAP] = {"DMA_UNMAP", handle_dma_unmap, EXACTLY(vfio_user_dma_unmap),
		.has_argsz = true},
	[VFIO_USER_DEVICE_GET_INFO] = {"GET_INFO", handle_get_info, EXACTLY(vfio_user_device_info),
		.has_argsz = true},
	[VFIO_USER_DEVICE_GET_REGION_INFO] = {"GET_REGION_INFO", vfu_handle_get_region_info,
		EXACTLY(vfio_user_region_info), .has_argsz = true},
	[VFIO_USER_DEVICE_GET_REGION_IO_FDS] = {"GET_REGION_IO_FDS", handle_unsupported,
		ANY_LENGTH},
	[VFIO_USER_DEVICE_GET_IRQ_INFO] = {"GET_IRQ_INFO", vfu_handle_get_irq_info,
		EXACTLY(vfio_user_irq_info), .has_argsz = true},
	[VFIO_USER_DEVICE_SET_IRQS] = {"SET_IRQS", vfu_handle_set_irqs,
		AT_LEAST(vfio_user_irq_set, VFU_MAX_VECTORS), .max_fds = VFU_MAX_FDS,
		.has_argsz = true},
	[VFIO_USER_REGION_READ] = {"REGION_READ", vfu_handle_region_read,
		EXACTLY(vfio_user_region_access)},
	[VFIO_USER_REGION_WRITE] = {"REGION_WRITE", vfu_handle_region_write,
		AT_LEAST(vfio_user_region_access, VFIO_USER_MAX_XFER)},
	[VFIO_USER_DEVICE_RESET] = {"RESET", handle_reset, .max_len = 0},
	[VFIO_USER_DIRTY_PAGES] = {"DIRTY_PAGES", handle_unsupported, ANY_LENGTH},
	[VFIO_USER_REGION_WRITE_MULTI] = {"REGION_WRITE_MULTI", handle_unsupported, ANY_LENGTH},
	[VFIO_USER_DEVICE_FEATURE] = {"FEATURE", handle_unsupported, ANY_LENGTH},
	[VFIO_USER_MIG_DATA_READ] = {"MIG_DATA_READ", handle_unsupported, ANY_LENGTH},
	[VFIO_USER_MIG_DATA_WRITE] = {"MIG_DATA_WRITE", handle_unsupported, ANY_LENGTH},
};

const struct vfu_command *
vfu_command_find(uint16_t command)
{
	if (command >= sizeof(commands) / sizeof(commands[0]) || commands[command].handle == NULL)
		return NULL;
	return &commands[command];
}
