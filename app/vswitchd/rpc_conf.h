/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Configuration sections as JSON, under the keys of the configuration file. */
#ifndef VSWITCHD_RPC_CONF_H
#define VSWITCHD_RPC_CONF_H

#include <jansson.h>

#include "conf_key.h"
#include "error.h"

/**
 * Sets values from the members of an object. A value may be a string as in the file, a number or a
 * boolean.
 *
 * @param skip   a member that is left to the caller; NULL: none
 * @param about  what messages begin with, such as "port 'vm1': "
 * @param[out] given  bit n: key n has been set
 * @return 0, CONTROL_INVALID_PARAMS or -ENOMEM with a sentence
 */
int rpc_conf_set(const struct conf_key *keys, size_t n, const json_t *params, const char *skip,
	const char *about, void *conf, struct conf_strings *strings, uint32_t *given,
	struct error *err);

/** The values as an object: those that ports of the types (mask of ON_*) have. */
json_t *rpc_conf_get(const struct conf_key *keys, size_t n, uint32_t types, const void *conf);

#endif /* VSWITCHD_RPC_CONF_H */
