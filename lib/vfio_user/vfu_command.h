/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The table of commands. */
#ifndef VFU_COMMAND_H
#define VFU_COMMAND_H

#include "vfu_internal.h"

/** The entry of a command, or NULL. */
const struct vfu_command *vfu_command_find(uint16_t command);

#endif /* VFU_COMMAND_H */
