/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Device arguments. */
#ifndef VX_ARGS_H
#define VX_ARGS_H

#include "vx_dev.h"

/**
 * Reads device arguments. Unknown, repeated, contradictory ones and values out of range are errors.
 * @param name  of the device, for the log
 * @param text  "key=value,..." or NULL
 * @param vdev  whether path is wanted (vfio-user) or claim is allowed (PCI)
 * @return 0, or -EINVAL with a line in the log that names the argument and what is allowed
 */
int vx_args_parse(const char *name, const char *text, bool vdev, struct vx_args *args);

#endif /* VX_ARGS_H */
