/* SPDX-License-Identifier: BSD-3-Clause */
/* From a port's configuration to an ethdev. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include <rte_dev.h>

#include "eth_iface.h"
#include "eth_tap.h"
#include "eth_xdp.h"
#include "ethdev_open.h"

static int
check_interface(const struct port *port, struct error *err)
{
	if (!iface_name_valid(port->conf.interface))
		return error_set(err, -EINVAL,
			"port %s: interface '%.40s': 1 to %d characters are allowed, without "
			"'/', ':', '%%', ',' and spaces", port->conf.name,
			port->conf.interface == NULL ? "" : port->conf.interface, IFNAMSIZ - 1);
	return 0;
}

static void
list_ethdevs(bool there[RTE_MAX_ETHPORTS])
{
	uint16_t id;

	memset(there, 0, RTE_MAX_ETHPORTS * sizeof(there[0]));
	RTE_ETH_FOREACH_DEV(id)
		there[id] = true;
}

/* The ethdev that has come up since; RTE_MAX_ETHPORTS: none. */
static uint16_t
find_new(const bool before[RTE_MAX_ETHPORTS])
{
	uint16_t id;

	RTE_ETH_FOREACH_DEV(id) {
		if (!before[id])
			return id;
	}
	return RTE_MAX_ETHPORTS;
}

static int
probe_failed(const struct port *port, const char *args, int ret, struct error *err)
{
	if (rte_eth_dev_count_avail() == RTE_MAX_ETHPORTS)
		return error_set(err, -ENOSPC,
			"port %s: this DPDK allows %d ethdev ports, and all are taken",
			port->conf.name, RTE_MAX_ETHPORTS);
	if (port->conf.type == PORT_TAP)
		return eth_tap_failed(port, err);
	if (ret == -EEXIST)
		return error_set(err, ret, "port %s: '%.100s' is in use already",
			port->conf.name, args);
	if (port->conf.type == PORT_AF_XDP)
		return error_set(err, ret < 0 ? ret : -ENODEV,
			"port %s: net_af_xdp refuses interface %s with %u queue%s: does it have "
			"so many (ethtool -l)?", port->conf.name, port->conf.interface, port->conf.queues,
			port->conf.queues == 1 ? "" : "s");
	/* EAL's codes say little: -EFAULT stands for a name that no bus knows. */
	return error_set(err, -ENODEV,
		"port %s: no ethdev comes of devargs '%.100s': does DPDK have that driver, and "
		"is there such a device? See its lines in the log", port->conf.name, args);
}

static int
identify(struct port *port, struct error *err)
{
	struct eth_port *eth = eth_of(port);
	struct rte_eth_dev_info info;
	int ret = rte_eth_dev_info_get(eth->id, &info);

	if (ret < 0)
		return error_set(err, ret, "port %s: the driver gives no information: %s",
			port->conf.name, strerror(-ret));
	eth->device = info.device;
	eth->driver = info.driver_name;
	if (info.if_index != 0 && if_indextoname(info.if_index, eth->interface) == NULL)
		eth->interface[0] = '\0';
	if (strcmp(info.driver_name, "net_tap") == 0)
		eth->kind = ETH_TAP;
	else if (strcmp(info.driver_name, "net_af_xdp") == 0)
		eth->kind = ETH_AF_XDP;
	return 0;
}

int
ethdev_probe(struct port *port, struct error *err)
{
	bool before[RTE_MAX_ETHPORTS];
	struct eth_port *eth = eth_of(port);
	char args[256];
	struct eth_tap_quiet quiet;
	int ret = 0;

	switch (port->conf.type) {
	case PORT_TAP:
		ret = check_interface(port, err);
		if (ret == 0)
			eth_tap_devargs(port, args, sizeof(args));
		break;
	case PORT_AF_XDP:
		ret = check_interface(port, err);
		if (ret == 0)
			ret = eth_xdp_devargs(port, args, sizeof(args), err);
		break;
	default:
		if (port->conf.devargs == NULL || port->conf.devargs[0] == '\0')
			return error_set(err, -EINVAL,
				"port %s: type ethdev needs devargs, for example "
				"'net_pcap0,iface=eth1'",
				port->conf.name);
		if (strlen(port->conf.devargs) >= sizeof(args))
			return error_set(err, -EINVAL, "port %s: devargs are too long",
				port->conf.name);
		strcpy(args, port->conf.devargs);
	}
	if (ret < 0)
		return ret;
	list_ethdevs(before);
	eth_tap_quiet_begin(&quiet);
	ret = rte_dev_probe(args);
	eth_tap_quiet_end(&quiet);
	eth->id = find_new(before);
	if (eth->id == RTE_MAX_ETHPORTS)
		return probe_failed(port, args, ret, err);
	return identify(port, err);
}
