/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Starts DPDK's environment: memory, polling cores, log. */
#ifndef VSWITCHD_EAL_H
#define VSWITCHD_EAL_H

#include <stdbool.h>

#include "conf.h"
#include "error.h"

/**
 * Starts EAL as the configuration wants it. It can be started once per process only, also after a
 * failure.
 *
 * @param[out] no_hugepages  set when hugepages looked available but could not be had, and the configuration
 *             can do without: a new process should try with HUGEPAGES_NO
 * @return 0, or a negative errno with a sentence
 */
int eal_start(const struct daemon_conf *conf, bool *no_hugepages, struct error *err);
void eal_stop(void);

bool eal_uses_hugepages(void);

/** The level of the component dpdk has been changed. */
void eal_log_level_changed(void);

#endif /* VSWITCHD_EAL_H */
