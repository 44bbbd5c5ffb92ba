/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI devices 15ad:07b0: VMware's, QEMU's, ours in a guest.
 *
 * DPDK's own net_vmxnet3 knows the same device. EAL asks drivers in the order in which they were registered, and the
 * first whose probe succeeds keeps the device; one that returns a positive number is passed over.
 *  - This plugin is opened before net_vmxnet3 (-d of this file alone: EAL opens its own folder last): the device is
 *    ours, unless its argument vmxnet3x=0 says otherwise; then net_vmxnet3 gets it as if this driver were not there.
 *  - net_vmxnet3 is opened before (an earlier -d, or an application linked with it): it takes every such device that
 *    a kernel driver of DPDK's is bound to, and does not look at device arguments; this driver is never asked.
 */
#include <errno.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <ethdev_driver.h>
#include <ethdev_pci.h>
#include <rte_errno.h>
#include <rte_interrupts.h>

#include "vx_args.h"
#include "vx_ethdev.h"
#include "vx_link.h"

static volatile uint8_t *
bar1_of(const struct vx_dev *dev)
{
	return dev->bus_priv;
}

static uint32_t
pci_read(struct vx_dev *dev, uint32_t reg)
{
	return rte_le_to_cpu_32(rte_read32(bar1_of(dev) + reg));
}

static void
pci_write(struct vx_dev *dev, uint32_t reg, uint32_t value)
{
	rte_write32(rte_cpu_to_le_32(value), bar1_of(dev) + reg);
}

/* ---- interrupts ---- */

static void
on_event(void *arg)
{
	struct vx_dev *dev = arg;

	vx_link_event(dev);
	rte_intr_ack(dev->eth_dev->intr_handle);
}

static void
pci_intr_off(struct vx_dev *dev)
{
	struct rte_intr_handle *handle = dev->eth_dev->intr_handle;

	rte_intr_disable(handle);
	rte_intr_efd_disable(handle);
	rte_intr_vec_list_free(handle);
}

static int
name_rx_vectors(struct rte_intr_handle *handle, uint16_t nb_rx)
{
	uint16_t q;

	if (nb_rx == 0)
		return 0;
	if (rte_intr_efd_enable(handle, nb_rx) != 0 || rte_intr_vec_list_alloc(handle, NULL, nb_rx) != 0)
		return -ENOMEM;
	for (q = 0; q < nb_rx; q++) {
		if (rte_intr_vec_list_index_set(handle, q, VX_VECTOR_RXQ(q)) != 0)
			return -rte_errno;
	}
	return 0;
}

_Static_assert(VX_VECTOR_RXQ(0) == RTE_INTR_VEC_RXTX_OFFSET, "EAL connects the vectors in this order");

/*
 * MSI-X only, which takes vfio-pci. With one line for all, the device may use no vector but 0, every frame would ring
 * it, and the kernel's side would have to be told after each time: then the link is polled.
 */
static int
pci_intr_on(struct vx_dev *dev, uint16_t nb_rx)
{
	struct rte_intr_handle *handle = dev->eth_dev->intr_handle;
	int rc;

	if (!rte_intr_cap_multiple(handle))
		return -ENOTSUP;
	rc = name_rx_vectors(handle, nb_rx);
	if (rc == 0 && rte_intr_enable(handle) != 0)
		rc = -EIO;
	if (rc != 0)
		pci_intr_off(dev);
	return rc;
}

/* ---- life ---- */

static void
pci_close(struct vx_dev *dev)
{
	struct rte_intr_handle *handle = dev->eth_dev->intr_handle;

	if (rte_intr_cap_multiple(handle))
		rte_intr_callback_unregister_sync(handle, on_event, dev);
}

static const struct vx_bus_ops pci_bus = {
	.read = pci_read,
	.write = pci_write,
	.intr_on = pci_intr_on,
	.intr_off = pci_intr_off,
	.close = pci_close,
};

static int
check_bars(const struct vx_dev *dev, const struct rte_pci_device *pci)
{
	const struct rte_mem_resource *bar = pci->mem_resource;

	if (bar[0].addr != NULL && bar[0].len >= VMXNET3_BAR0_SIZE && bar[1].addr != NULL &&
		bar[1].len >= VMXNET3_BAR1_SIZE)
		return 0;
	VX_LOG(ERR, dev, "BAR0 (%llu bytes) or BAR1 (%llu bytes) is not mapped or too small",
		(unsigned long long)bar[0].len, (unsigned long long)bar[1].len);
	return -ENODEV;
}

static int
init_port(struct rte_eth_dev *eth_dev, struct rte_pci_device *pci, const struct vx_args *args)
{
	struct vx_dev *dev = eth_dev->data->dev_private;
	int rc;

	snprintf(dev->name, sizeof(dev->name), "%s", pci->device.name);
	dev->eth_dev = eth_dev;
	dev->bus = &pci_bus;
	dev->args = *args;
	rc = check_bars(dev, pci);
	if (rc != 0)
		return rc;
	dev->bar0 = pci->mem_resource[0].addr;
	dev->bus_priv = pci->mem_resource[1].addr;
	if (!rte_intr_cap_multiple(pci->intr_handle))
		eth_dev->data->dev_flags &= ~RTE_ETH_DEV_INTR_LSC;
	rc = vx_ethdev_init(eth_dev);
	if (rc != 0 || !rte_intr_cap_multiple(pci->intr_handle))
		return rc;
	rc = rte_intr_callback_register(pci->intr_handle, on_event, dev);
	if (rc != 0) {
		VX_LOG(ERR, dev, "no interrupts: %s", strerror(-rc));
		eth_dev->dev_ops->dev_close(eth_dev);
	}
	return rc;
}

static int
pci_probe(struct rte_pci_driver *driver, struct rte_pci_device *pci)
{
	const struct rte_devargs *devargs = pci->device.devargs;
	struct rte_eth_dev *eth_dev;
	struct vx_args args;
	int rc;

	RTE_SET_USED(driver);
	rc = vx_args_parse(pci->device.name, devargs != NULL ? devargs->args : NULL, false, &args);
	if (rc != 0)
		return rc;
	if (!args.claim)
		return 1;
	if (rte_eal_process_type() != RTE_PROC_PRIMARY) {
		rte_log(RTE_LOG_ERR, vx_logtype,
			"%s: a secondary process cannot use this port: start this process as a primary one with a "
			"device of its own\n",
			pci->device.name);
		return -ENOTSUP;
	}
	eth_dev = rte_eth_dev_pci_allocate(pci, sizeof(struct vx_dev));
	if (eth_dev == NULL)
		return -ENOMEM;
	rc = init_port(eth_dev, pci, &args);
	if (rc != 0) {
		rte_eth_dev_release_port(eth_dev);
		return rc;
	}
	rte_eth_dev_probing_finish(eth_dev);
	return 0;
}

static int
pci_remove(struct rte_pci_device *pci)
{
	struct rte_eth_dev *eth_dev = rte_eth_dev_allocated(pci->device.name);

	/* The application has closed it. */
	if (eth_dev == NULL)
		return 0;
	if (eth_dev->data->dev_started)
		rte_eth_dev_stop(eth_dev->data->port_id);
	return rte_eth_dev_close(eth_dev->data->port_id);
}

static const struct rte_pci_id vx_pci_ids[] = {
	{ RTE_PCI_DEVICE(VMXNET3_PCI_VENDOR, VMXNET3_PCI_DEVICE) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver vx_pci_driver = {
	.id_table = vx_pci_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING | RTE_PCI_DRV_INTR_LSC,
	.probe = pci_probe,
	.remove = pci_remove,
};

RTE_PMD_REGISTER_PCI(net_vmxnet3x, vx_pci_driver);
RTE_PMD_REGISTER_PCI_TABLE(net_vmxnet3x, vx_pci_ids);
RTE_PMD_REGISTER_KMOD_DEP(net_vmxnet3x, "* vfio-pci | uio_pci_generic");
RTE_PMD_REGISTER_PARAM_STRING(net_vmxnet3x,
	"vmxnet3x=<0|1> "
	"mac=<xx:xx:xx:xx:xx:xx> "
	"revision=<1-9> "
	"rx_data_size=<0|64-2048>");
