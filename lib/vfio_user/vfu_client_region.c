/* SPDX-License-Identifier: BSD-3-Clause */
#include "vfu_client_region.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "vfio_user.h"
#include "vfu_range.h"

static bool
is_aligned(uint64_t n)
{
	return (n & (VFU_DMA_PAGE - 1)) == 0;
}

static bool
area_valid(const struct vfio_user_sparse_area *area, uint64_t size)
{
	return is_aligned(area->offset | area->size) && area->offset <= size &&
	       area->size <= size - area->offset;
}

/* All areas must be right; the first that is not empty is used. */
static int
read_sparse(const uint8_t *payload, uint32_t len, uint32_t at, struct vfu_client_region *region)
{
	struct vfio_user_cap_sparse cap;
	uint32_t i;

	if (len - at < sizeof(cap))
		return -EPROTO;
	memcpy(&cap, payload + at, sizeof(cap));
	at += sizeof(cap);
	if (cap.version != 1 || cap.nr_areas > (len - at) / sizeof(struct vfio_user_sparse_area))
		return -EPROTO;
	region->area = (struct vfu_area){0, 0};
	for (i = 0; i < cap.nr_areas; i++) {
		struct vfio_user_sparse_area area;

		memcpy(&area, payload + at + i * sizeof(area), sizeof(area));
		if (!area_valid(&area, region->size))
			return -EPROTO;
		if (region->area.size == 0)
			region->area = (struct vfu_area){area.offset, area.size};
	}
	return 0;
}

/* Walks the chain of capabilities, which leads forward only, so that it ends. */
static int
read_caps(const uint8_t *payload, uint32_t len, uint32_t at, struct vfu_client_region *region)
{
	/* What every capability begins with. */
	struct {
		uint16_t id, version;
		uint32_t next;
	} cap = {.next = at};
	uint32_t end = sizeof(struct vfio_user_region_info);

	do {
		at = cap.next;
		if (at < end || at > len || len - at < sizeof(cap))
			return -EPROTO;
		memcpy(&cap, payload + at, sizeof(cap));
		end = at + sizeof(cap);
		if (cap.id == VFIO_USER_CAP_SPARSE_MMAP &&
			read_sparse(payload, len, at, region) != 0)
			return -EPROTO;
	} while (cap.next != 0);
	return 0;
}

/*
 * Whether the area can be touched once it is mapped: memory, and long enough. A file on FUSE or the
 * network can make who touches it wait for as long as its owner likes.
 */
static bool
is_behind(int fd, const struct vfu_client_region *region)
{
	struct statfs fs;
	struct stat st;
	uint64_t rest;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || fstatfs(fd, &fs) != 0)
		return false;
	if ((uint32_t)fs.f_type != TMPFS_MAGIC && (uint32_t)fs.f_type != HUGETLBFS_MAGIC)
		return false;
	if (region->fd_offset > (uint64_t)st.st_size)
		return false;
	rest = st.st_size - region->fd_offset;
	return region->area.offset <= rest && region->area.size <= rest - region->area.offset;
}

int
vfu_client_read_region(const uint8_t *payload, uint32_t len, uint32_t index, int fd,
	struct vfu_client_region *region)
{
	struct vfio_user_region_info info;

	memcpy(&info, payload, sizeof(info));
	region->fd = -1;
	if (info.index != index || !is_aligned(info.offset))
		return -EPROTO;
	*region = (struct vfu_client_region){
		.size = info.size,
		.readable = (info.flags & VFIO_USER_F_REGION_READ) != 0,
		.writable = (info.flags & VFIO_USER_F_REGION_WRITE) != 0,
		.fd = -1,
		.fd_offset = info.offset,
		.area = {0, info.size - info.size % VFU_DMA_PAGE},
	};
	if ((info.flags & VFIO_USER_F_REGION_CAPS) != 0 &&
		read_caps(payload, len, info.cap_offset, region) != 0)
		return -EPROTO;
	if ((info.flags & VFIO_USER_F_REGION_MMAP) != 0 && region->area.size > 0 &&
		is_behind(fd, region))
		region->fd = fd;
	else
		region->area = (struct vfu_area){0, 0};
	return 0;
}
