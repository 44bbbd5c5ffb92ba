/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Regions: what the device says of them, and access by messages. */
#ifndef VFU_REGION_H
#define VFU_REGION_H

#include "vfu_internal.h"

/** Whether the device's regions make sense. */
bool vfu_regions_valid(const struct vfu_device *dev);

int vfu_handle_get_region_info(struct vfu_server *server, struct vfu_msg *msg);
int vfu_handle_region_read(struct vfu_server *server, struct vfu_msg *msg);
int vfu_handle_region_write(struct vfu_server *server, struct vfu_msg *msg);

#endif /* VFU_REGION_H */
