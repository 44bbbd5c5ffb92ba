/* SPDX-License-Identifier: BSD-3-Clause */
/* Probe and remove of the virtual device. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <bus_vdev_driver.h>
#include <ethdev_vdev.h>

#include <vmxnet3_words.h>

#include "vh_link.h"
#include "vh_ops.h"
#include "vh_rx.h"
#include "vh_tx.h"

/* Its own address: stable like that of the guest's card, and another one. */
static void
choose_mac(struct vh_port *port)
{
	char name[sizeof(port->args.path) + 16];

	snprintf(name, sizeof(name), "%s (ethdev)", port->args.path);
	vmxnet3_mac_from_name(name, port->mac.addr_bytes);
	if (rte_is_same_ether_addr(&port->mac, &port->args.mac))
		port->mac.addr_bytes[5] ^= 1;
}

static void
init_port(struct vh_port *port, struct rte_eth_dev *eth, const struct vh_args *args)
{
	port->eth = eth;
	port->args = *args;
	port->ethdev = eth->data->port_id;
	atomic_store(&port->admin_up, true);
	atomic_store(&port->mtu, eth->data->mtu);
	atomic_store(&port->ptypes, RTE_PTYPE_ALL_MASK);
	for (uint16_t q = 0; q < VH_MAX_QUEUES; q++) {
		port->rxq[q].port = port;
		port->rxq[q].id = q;
		port->txq[q].port = port;
		port->txq[q].id = q;
	}
	choose_mac(port);
}

static void
init_ethdev(struct rte_eth_dev *eth, struct vh_port *port)
{
	eth->dev_ops = &vh_ops;
	eth->rx_pkt_burst = vh_rx_burst;
	eth->tx_pkt_burst = vh_tx_burst;
	eth->tx_pkt_prepare = vh_tx_prepare;
	eth->data->dev_flags |= RTE_ETH_DEV_INTR_LSC;
	eth->data->mac_addrs = &port->mac;
	eth->data->promiscuous = 1;
	eth->data->all_multicast = 1;
	vh_link_update(eth, 0);
}

static int
make_port(struct rte_vdev_device *vdev, const struct vh_args *args, char *why, size_t len)
{
	struct rte_eth_dev *eth = rte_eth_vdev_allocate(vdev, sizeof(struct vh_port));
	struct vh_port *port;
	int ret;

	if (eth == NULL) {
		snprintf(why, len, "no memory for an ethdev, or no number left");
		return -ENOMEM;
	}
	port = eth->data->dev_private;
	init_port(port, eth, args);
	init_ethdev(eth, port);
	ret = vh_port_open(port, vh_link_changed, why, len);
	if (ret != 0) {
		eth->data->mac_addrs = NULL;
		rte_eth_dev_release_port(eth);
		return ret;
	}
	rte_eth_dev_probing_finish(eth);
	return 0;
}

static int
probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct vh_args args;
	char why[300] = "";
	int ret;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		VH_LOG(ERR, name, "a secondary process cannot use this device: the guest's memory is "
			"mapped in the primary process only");
		return -ENOTSUP;
	}
	ret = vh_args_parse(rte_vdev_device_args(vdev), &args, why, sizeof(why));
	if (ret == 0) {
		if (vfu_dma_install_sigbus_handler() != 0)
			VH_LOG(WARNING, name, "no handler for SIGBUS: a guest that truncates its memory "
				"would end this process");
		ret = make_port(vdev, &args, why, sizeof(why));
	}
	if (ret != 0)
		VH_LOG(ERR, name, "%s", why);
	/* EAL takes -EEXIST for a device that it has already, and tells the application that all is well. */
	return ret == -EEXIST ? -EADDRINUSE : ret;
}

static int
remove_vdev(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *eth = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	if (eth == NULL)
		return 0; /* closed before */
	vh_ops_close(eth);
	return rte_eth_dev_release_port(eth);
}

static struct rte_vdev_driver vh_driver = {
	.probe = probe,
	.remove = remove_vdev,
};

RTE_PMD_REGISTER_VDEV(net_vmxnet3_host, vh_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_vmxnet3_host, VH_PARAM_STRING);
