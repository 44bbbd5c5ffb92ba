/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What the halves of loading share: values (config_load.c) and how they fit together. */
#ifndef VSWITCHD_CONFIG_CHECK_H
#define VSWITCHD_CONFIG_CHECK_H

#include "config.h"

struct yaml_doc;

struct config_load {
	struct config *config;
	struct yaml_doc *doc;
	char *errbuf; /* CONFIG_ERROR_LEN */
};

/** Writes "FILE:LINE: ..." and returns -EINVAL. */
int config_refuse(const struct config_load *load, unsigned int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Whether ports and bridges fit together (names, memberships, sockets, interfaces), and polling cores and the machine. */
int config_check(const struct config_load *load);

#endif /* VSWITCHD_CONFIG_CHECK_H */
