/* SPDX-License-Identifier: BSD-3-Clause */
/** @file The link that the application sees, and the one that the guest sees. */
#ifndef VH_LINK_H
#define VH_LINK_H

#include "vh_port.h"

/** eth_link_update_t. Does not wait, whatever is asked. */
int vh_link_update(struct rte_eth_dev *eth, int wait);

/** As vh_port_open() wants it: the guest's driver has come or gone. */
void vh_link_changed(void *port);

/** Tells both sides after running or admin_up has changed. */
void vh_link_offer(struct vh_port *port);

/** Nothing of this file is running or will run for the port any more. Its socket is closed. */
void vh_link_close(struct vh_port *port);

#endif /* VH_LINK_H */
