/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What a port costs the polling cores, as JSON. */
#ifndef VSWITCHD_RPC_COST_H
#define VSWITCHD_RPC_COST_H

#include <jansson.h>

#include "port_info.h"

/** A new object: sums, and arrays by core and by queue. */
json_t *rpc_cost(const struct port_cost_info *info);

#endif /* VSWITCHD_RPC_COST_H */
