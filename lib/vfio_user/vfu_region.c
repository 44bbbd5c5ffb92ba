/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_region.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "vfu_reply.h"

/* Areas of one region; their capability then fits into one page. */
#define MAX_AREAS 64u

static bool
area_valid(const struct vfu_region *region, const struct vfu_area *area)
{
	return ((area->offset | area->size) & (VFU_DMA_PAGE - 1)) == 0 &&
	       area->offset <= region->size && area->size <= region->size - area->offset;
}

bool
vfu_regions_valid(const struct vfu_device *dev)
{
	uint32_t i, j;

	for (i = 0; i < VFU_MAX_REGIONS; i++) {
		const struct vfu_region *region = &dev->region[i];

		if (region->nb_areas > MAX_AREAS || (region->nb_areas > 0 && region->areas == NULL))
			return false;
		if (region->size > 0 && region->fd >= 0 &&
			(region->fd_offset & (VFU_DMA_PAGE - 1)) != 0)
			return false;
		for (j = 0; j < region->nb_areas; j++) {
			if (!area_valid(region, &region->areas[j]))
				return false;
		}
	}
	return true;
}

static void
put_sparse_areas(struct vfio_user_cap_sparse *cap, const struct vfu_region *region)
{
	uint32_t i;

	cap->id = VFIO_USER_CAP_SPARSE_MMAP;
	cap->version = 1;
	cap->nr_areas = region->nb_areas;
	for (i = 0; i < region->nb_areas; i++) {
		cap->areas[i].offset = region->areas[i].offset;
		cap->areas[i].size = region->areas[i].size;
	}
}

static uint32_t
region_flags(const struct vfu_region *region)
{
	return (region->readable ? VFIO_USER_F_REGION_READ : 0) |
	       (region->writable ? VFIO_USER_F_REGION_WRITE : 0) |
	       (region->fd >= 0 ? VFIO_USER_F_REGION_MMAP : 0);
}

int
vfu_handle_get_region_info(struct vfu_server *server, struct vfu_msg *msg)
{
	struct vfio_user_region_info *reply, req;
	const struct vfu_region *region;
	uint32_t needed = sizeof(*reply);
	bool caps;

	memcpy(&req, msg->data, sizeof(req));
	if (req.index >= VFU_MAX_REGIONS)
		return vfu_reject(server, msg, EINVAL, "there is no region %u", req.index);
	region = &server->dev.region[req.index];
	caps = region->size > 0 && region->fd >= 0 && region->nb_areas > 0;
	if (caps)
		needed += sizeof(struct vfio_user_cap_sparse) +
			  region->nb_areas * sizeof(struct vfio_user_sparse_area);

	/* A client without room for the areas learns how much it takes, and asks again. */
	reply = vfu_reply(msg, req.argsz >= needed ? needed : sizeof(*reply));
	if (reply == NULL)
		return -ENOMEM;
	reply->argsz = needed;
	reply->index = req.index;
	if (region->size == 0)
		return 0;
	reply->flags = region_flags(region);
	reply->size = region->size;
	if (region->fd < 0)
		return 0;
	reply->offset = region->fd_offset;
	if (req.argsz < needed)
		return 0;
	msg->reply_fd = region->fd;
	if (caps) {
		reply->flags |= VFIO_USER_F_REGION_CAPS;
		reply->cap_offset = sizeof(*reply);
		put_sparse_areas((struct vfio_user_cap_sparse *)(reply + 1), region);
	}
	return 0;
}

/* Whether the range lies inside the region, and the region may be accessed in this direction. */
static int
check_access(struct vfu_server *server, const struct vfu_msg *msg,
	const struct vfio_user_region_access *req, bool is_write)
{
	const struct vfu_region *region;

	if (req->region >= VFU_MAX_REGIONS || server->dev.region[req->region].size == 0)
		return vfu_reject(server, msg, EINVAL, "there is no region %u", req->region);
	region = &server->dev.region[req->region];
	if (req->count == 0 || req->count > VFIO_USER_MAX_XFER)
		return vfu_reject(server, msg, EINVAL, "%u bytes, 1 to %u are allowed", req->count,
			VFIO_USER_MAX_XFER);
	if (req->count > region->size || req->offset > region->size - req->count)
		return vfu_reject(server, msg, EINVAL,
			"offset 0x%" PRIx64 " count %u is outside of region %u", req->offset,
			req->count, req->region);
	if (is_write ? !region->writable : !region->readable)
		return vfu_reject(server, msg, EACCES, "region %u is not %s", req->region,
			is_write ? "writable" : "readable");
	return 0;
}

int
vfu_handle_region_read(struct vfu_server *server, struct vfu_msg *msg)
{
	struct vfio_user_region_access *reply, req;
	int rc;

	memcpy(&req, msg->data, sizeof(req));
	rc = check_access(server, msg, &req, false);
	if (rc != 0)
		return rc;
	reply = vfu_reply(msg, sizeof(*reply) + req.count);
	if (reply == NULL)
		return -ENOMEM;
	*reply = req;
	return server->dev.region_read(
		server->dev.ctx, req.region, req.offset, reply + 1, req.count);
}

int
vfu_handle_region_write(struct vfu_server *server, struct vfu_msg *msg)
{
	struct vfio_user_region_access *reply, req;
	int rc;

	memcpy(&req, msg->data, sizeof(req));
	rc = check_access(server, msg, &req, true);
	if (rc != 0)
		return rc;
	if (msg->len != sizeof(req) + req.count)
		return vfu_reject(server, msg, EINVAL, "%zu bytes came, %u were announced",
			msg->len - sizeof(req), req.count);
	reply = vfu_reply(msg, sizeof(*reply));
	if (reply == NULL)
		return -ENOMEM;
	*reply = req;
	return server->dev.region_write(
		server->dev.ctx, req.region, req.offset, msg->data + sizeof(req), req.count);
}
