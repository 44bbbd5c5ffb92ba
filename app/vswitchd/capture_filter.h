/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The filter of a capture: a pcap expression, evaluated on frames as they are on the packet path. */
#ifndef VSWITCHD_CAPTURE_FILTER_H
#define VSWITCHD_CAPTURE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include <offload_frame.h>

#include "error.h"

struct capture_filter;

/** @return 0, -EINVAL: not a filter, -ENOMEM */
int capture_filter_create(const char *expression, struct capture_filter **filter,
	struct error *err);
void capture_filter_destroy(struct capture_filter *filter);

/** Whether the filter wants the frame, an out-of-band VLAN tag taken as in line. Any thread. */
bool capture_filter_match(const struct capture_filter *filter, const struct offload_frame *f);

/** Bytes of the frame with its tag in line. */
uint32_t capture_frame_len(const struct offload_frame *f);

/** Copies the first @p len bytes of the frame, its tag in line. @p len is at most capture_frame_len(). */
void capture_frame_copy(const struct offload_frame *f, uint8_t *to, uint32_t len);

#endif /* VSWITCHD_CAPTURE_FILTER_H */
