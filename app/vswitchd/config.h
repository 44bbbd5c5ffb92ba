/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * The configuration file: YAML to struct daemon_conf (config_load.c) and back (config_save.c).
 */
#ifndef VSWITCHD_CONFIG_H
#define VSWITCHD_CONFIG_H

#include "conf_key.h"

struct config {
	struct daemon_conf conf;
	struct conf_strings strings; /**< that @c conf points to */
	char *file;
};

/** Room for "FILE:LINE: what is wrong; allowed: ...". */
#define CONFIG_ERROR_LEN 1536

/**
 * Loads and checks a configuration file.
 *
 * @return NULL with errno set and a message that begins with the file and, where there is one, the line
 */
struct config *config_load(const char *file, char errbuf[CONFIG_ERROR_LEN]);
void config_free(struct config *config);

/**
 * Writes a configuration as the text of a file: what differs from the defaults.
 *
 * @return a text for free(), or NULL: no memory
 */
char *config_format(const struct daemon_conf *conf);

#endif /* VSWITCHD_CONFIG_H */
