/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What whoever runs a device makes of the words of its configuration. */
#ifndef VMXNET3_WORDS_H
#define VMXNET3_WORDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * A locally administered address that is always the same for a name on one machine, and another one for
 * the same name on another machine.
 */
void vmxnet3_mac_from_name(const char *name, uint8_t mac[6]);

/**
 * The owner of a socket by name or number; NULL: (uid_t)-1 and (gid_t)-1, as it comes.
 *
 * @param errbuf,errlen  gets what is wrong, on error
 * @return 0 or -EINVAL.
 */
int vmxnet3_find_owner(const char *user, const char *group, uid_t *uid, gid_t *gid, char *errbuf,
	size_t errlen);

/** Nanoseconds of CLOCK_MONOTONIC, as vmxnet3_dev_ops::now. @p ctx is not used. */
uint64_t vmxnet3_now_ns(void *ctx);

#endif /* VMXNET3_WORDS_H */
