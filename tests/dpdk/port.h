/* SPDX-License-Identifier: BSD-3-Clause */
/** @file Brings a port up as the options want it. Each function prints what is wrong. */
#ifndef PKTCHECK_PORT_H
#define PKTCHECK_PORT_H

#include <rte_mempool.h>

#include "options.h"

/** Configures and starts a port. @return 0, or a negative errno */
int port_start(uint16_t port, const struct options *opt, struct rte_mempool *pool);

/** Waits, at most @p seconds, for the link. @return 0, or -ETIMEDOUT */
int port_wait_link(uint16_t port, double seconds);

/** Prints its counters, all of them by name. */
void port_print_stats(uint16_t port);

/** Stops and closes it. */
int port_close(uint16_t port);

#endif /* PKTCHECK_PORT_H */
