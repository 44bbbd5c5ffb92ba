/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What is peculiar to net_tap. Main thread. */
#ifndef VSWITCHD_ETH_TAP_H
#define VSWITCHD_ETH_TAP_H

#include <signal.h>

#include "port.h"

struct eth_tap_quiet {
	sigset_t signals;
	int log_level;
};

/** Around calls that may make net_tap open something: it shall use no signals, and not complain. */
void eth_tap_quiet_begin(struct eth_tap_quiet *quiet);
void eth_tap_quiet_end(const struct eth_tap_quiet *quiet);

/** The device arguments for the tap that port->conf.interface names, which is valid. */
void eth_tap_devargs(const struct port *port, char *args, size_t len);

/** Says why there is no such tap. */
int eth_tap_failed(const struct port *port, struct error *err);

#endif /* VSWITCHD_ETH_TAP_H */
