/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What a server says about a region, checked. Not for users of the library. */
#ifndef VFU_CLIENT_REGION_H
#define VFU_CLIENT_REGION_H

#include "vfu_client.h"

/** Most bytes of a region's description that are taken: 4,000 areas. */
#define VFU_CLIENT_INFO_MAX 65536u

/**
 * Reads the payload of a GET_REGION_INFO reply.
 *
 * @param len  at least sizeof(struct vfio_user_region_info)
 * @param fd   that came along, or -1. Stays the caller's: region->fd is it when it is memory behind
 *             a mappable area, else -1.
 * @return 0, or -EPROTO (and region->fd -1): the numbers make no sense
 */
int vfu_client_read_region(const uint8_t *payload, uint32_t len, uint32_t index, int fd,
	struct vfu_client_region *region);

#endif /* VFU_CLIENT_REGION_H */
