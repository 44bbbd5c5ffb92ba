/* SPDX-License-Identifier: BSD-3-Clause */
/* Virtual devices net_vmxnet3x*: a vfio-user server makes the card. */
#include <errno.h>
#include <string.h>

#include <bus_vdev_driver.h>
#include <ethdev_driver.h>
#include <ethdev_vdev.h>

#include "vx_args.h"
#include "vx_ethdev.h"
#include "vx_life.h"
#include "vx_memory.h"
#include "vx_user.h"

static void
vdev_close(struct vx_dev *dev)
{
	vx_life_stop(dev->life);
	dev->life = NULL;
	vx_user_drop(dev);
	vx_user_destroy(dev);
}

static const struct vx_bus_ops vdev_bus = {
	.read = vx_user_read,
	.write = vx_user_write,
	.bar0_write = vx_user_bar0_write,
	.intr_on = vx_user_intr_on,
	.intr_off = vx_user_intr_off,
	.can_reach = vx_user_can_reach,
	.close = vdev_close,
};

/* The port on a server that is connected. */
static int
make_port(struct vx_dev *dev)
{
	int rc = vx_user_use(dev);

	if (rc == 0)
		rc = vx_ethdev_init(dev->eth_dev);
	if (rc != 0)
		return rc;
	dev->life = vx_life_start(dev);
	if (dev->life != NULL)
		return 0;
	/* Closes the bus, too. */
	dev->eth_dev->dev_ops->dev_close(dev->eth_dev);
	return -ENOMEM;
}

static int
connect_port(struct vx_dev *dev)
{
	char sentence[256];
	int rc;

	rc = vx_user_create(dev);
	if (rc != 0) {
		VX_LOG(ERR, dev, "cannot begin: %s", strerror(-rc));
		return rc;
	}
	rc = vx_user_open(dev, sentence, sizeof(sentence));
	if (rc != 0)
		VX_LOG(ERR, dev, "%s", sentence);
	else
		rc = make_port(dev);
	if (rc != 0 && dev->bus_priv != NULL) {
		vx_user_drop(dev);
		vx_user_destroy(dev);
	}
	return rc;
}

static int
vdev_probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct rte_eth_dev *eth_dev;
	struct vx_args args;
	struct vx_dev *dev;
	int rc;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		rte_log(RTE_LOG_ERR, vx_logtype,
			"%s: a secondary process cannot use this port: its connection belongs to the process that made "
			"it; start this process as a primary one with a device of its own\n",
			name);
		return -ENOTSUP;
	}
	rc = vx_args_parse(name, rte_vdev_device_args(vdev), true, &args);
	if (rc != 0)
		return rc;
	eth_dev = rte_eth_vdev_allocate(vdev, sizeof(*dev));
	if (eth_dev == NULL)
		return -ENOMEM;
	dev = eth_dev->data->dev_private;
	snprintf(dev->name, sizeof(dev->name), "%s", name);
	dev->eth_dev = eth_dev;
	dev->bus = &vdev_bus;
	dev->args = args;
	dev->dma_is_va = true;
	eth_dev->data->dev_flags |= RTE_ETH_DEV_INTR_LSC;
	rc = connect_port(dev);
	if (rc != 0) {
		rte_eth_dev_release_port(eth_dev);
		/* A server may answer it; EAL takes it for a device that it has already, and no error. */
		return rc == -EEXIST ? -EIO : rc;
	}
	rte_eth_dev_probing_finish(eth_dev);
	return 0;
}

static int
vdev_remove(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *eth_dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	/* The application has closed it, or this process never had it. */
	if (eth_dev == NULL || rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	if (eth_dev->data->dev_started)
		rte_eth_dev_stop(eth_dev->data->port_id);
	return rte_eth_dev_close(eth_dev->data->port_id);
}

static struct vx_dev *
dev_of(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *eth_dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	return eth_dev != NULL ? vx_dev_of(eth_dev) : NULL;
}

/*
 * rte_dev_dma_map(): memory that DPDK did not allocate. The device's addresses are virtual ones, whatever @p iova
 * says.
 */
static int
vdev_dma_map(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t len)
{
	struct vx_dev *dev = dev_of(vdev);

	RTE_SET_USED(iova);
	return dev != NULL ? vx_memory_add(vx_user_memory(dev), addr, len) : -ENODEV;
}

static int
vdev_dma_unmap(struct rte_vdev_device *vdev, void *addr, uint64_t iova, size_t len)
{
	struct vx_dev *dev = dev_of(vdev);

	RTE_SET_USED(iova);
	return dev != NULL ? vx_memory_remove(vx_user_memory(dev), addr, len) : -ENODEV;
}

static struct rte_vdev_driver vx_vdev_driver = {
	.probe = vdev_probe,
	.remove = vdev_remove,
	.dma_map = vdev_dma_map,
	.dma_unmap = vdev_dma_unmap,
};

RTE_PMD_REGISTER_VDEV(net_vmxnet3x, vx_vdev_driver);
RTE_PMD_REGISTER_PARAM_STRING(net_vmxnet3x,
	"path=<socket> "
	"mac=<xx:xx:xx:xx:xx:xx> "
	"revision=<1-9> "
	"rx_data_size=<0|64-2048> "
	"reconnect=<ms>");
