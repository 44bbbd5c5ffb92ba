/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Whether there are hugepages for the packet memory. */
#ifndef VSWITCHD_HUGEPAGES_H
#define VSWITCHD_HUGEPAGES_H

#include <stdbool.h>

#include "conf.h"
#include "error.h"

/**
 * Decides by configuration and what the machine has free; logs a decision against them with what it costs.
 *
 * @return 0 and *use, or -ENOMEM with a sentence: they are demanded and there are not enough
 */
int hugepages_decide(const struct daemon_conf *conf, bool *use, struct error *err);

#endif /* VSWITCHD_HUGEPAGES_H */
