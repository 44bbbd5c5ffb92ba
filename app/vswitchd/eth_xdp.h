/* SPDX-License-Identifier: BSD-3-Clause */
/** @file What is peculiar to AF_XDP. Main thread. */
#ifndef VSWITCHD_ETH_XDP_H
#define VSWITCHD_ETH_XDP_H

#include "port.h"

/**
 * Largest MTU that AF_XDP takes with the buffers of eth_pool_create_pages(), two VLAN tags not
 * counted.
 */
uint16_t eth_xdp_max_mtu(void);

/**
 * The device arguments for port->conf.interface, which is a valid name. Refuses beforehand what
 * net_af_xdp would fail at: its clean-up after a failure takes others' programs off the
 * interface, and writes to memory that it has freed.
 */
int eth_xdp_devargs(const struct port *port, char *args, size_t len, struct error *err);

#define ETH_XDP_MAX_FDS 96

/** Descriptors of this process for AF_XDP: sockets, programs, maps. */
struct eth_xdp_fds {
	uint32_t nb;
	struct {
		int fd;
		char what[40];
	} fd[ETH_XDP_MAX_FDS];
};

/** Lists all there are now but for those of @p before (NULL: none). */
void eth_xdp_fds_list(struct eth_xdp_fds *fds, const struct eth_xdp_fds *before);

/**
 * Closes those that are still open. net_af_xdp 22.11 forgets the socket that holds a queue's
 * memory, so that the queue would be taken as long as this process runs; and libxdp a program and
 * its map.
 */
void eth_xdp_fds_close(const struct eth_xdp_fds *fds);

/** Whether the interface's frames come with checksums left to hardware that there is not. */
bool eth_xdp_is_veth(const char *iface);

#endif /* VSWITCHD_ETH_XDP_H */
