/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_irq.h"

#include <string.h>

#define MOD_LEVEL_ADAPTIVE 8

/* Revisions 1 to 5, and few queues: the first area; a driver of revision 6 with more says so by its numbers of queues. */
static bool
extended(const struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;

	return dev->rev->intr_ext &&
		(data->nb_tx_queues > VMXNET3_MAX_TX_QUEUES_V1 || data->nb_rx_queues > VMXNET3_MAX_RX_QUEUES_V1);
}

/* The word that the device reads whenever it wants to interrupt. */
static void
set_ctrl(struct vx_dev *dev, uint32_t value)
{
	struct vmxnet3_shared *shared = &dev->area->shared;
	volatile uint32_t *ctrl =
		extended(dev) ? &shared->intr_ext.intr_ctrl : &shared->intr.intr_ctrl;

	*ctrl = rte_cpu_to_le_32(value);
}

static void
set_mask(struct vx_dev *dev, unsigned int vector, bool masked)
{
	if (!dev->away)
		vx_bar0_write(dev, VMXNET3_REG_IMR + vector * VMXNET3_REG_STRIDE, masked);
}

/* Vectors that queue descriptors or the event name; some devices check that none is beyond. */
static unsigned int
nb_vectors(const struct vx_dev *dev)
{
	return dev->intr ? VX_VECTOR_RXQ(dev->eth_dev->data->nb_rx_queues) + 1 : 1;
}

static void
fill_conf(uint8_t *auto_mask, uint8_t *num_intrs, uint8_t *event, uint8_t *levels, unsigned int nb)
{
	*auto_mask = 1;
	*num_intrs = nb;
	*event = VX_VECTOR_EVENT;
	memset(levels, MOD_LEVEL_ADAPTIVE, nb);
}

/* A device whose vectors are not connected may signal by number 0 only, and QEMU's aborts on others. */
static void
only_vector_0(struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	unsigned int i;

	for (i = 0; i < data->nb_tx_queues; i++)
		dev->txqd[i].intr_idx = 0;
	for (i = 0; i < data->nb_rx_queues; i++)
		dev->rxqd[i].intr_idx = 0;
}

void
vx_irq_fill(struct vx_dev *dev)
{
	struct vmxnet3_intr_conf *base = &dev->area->shared.intr;
	struct vmxnet3_intr_conf_ext *ext = &dev->area->shared.intr_ext;
	unsigned int nb = nb_vectors(dev);

	if (extended(dev))
		fill_conf(&ext->auto_mask, &ext->num_intrs, &ext->event_intr_idx, ext->mod_levels, nb);
	else
		fill_conf(&base->auto_mask, &base->num_intrs, &base->event_intr_idx, base->mod_levels, nb);
	set_ctrl(dev, VMXNET3_IC_DISABLE_ALL);
	if (!dev->intr)
		only_vector_0(dev);
}

void
vx_irq_enable(struct vx_dev *dev)
{
	unsigned int i;

	if (!dev->intr)
		return;
	set_ctrl(dev, 0);
	vx_irq_rearm(dev);
	for (i = 0; dev->rx_intr && i < dev->eth_dev->data->nb_rx_queues; i++) {
		if (dev->rx_intr_on & 1u << i)
			set_mask(dev, VX_VECTOR_RXQ(i), false);
	}
}

void
vx_irq_disable(struct vx_dev *dev)
{
	unsigned int i;

	set_ctrl(dev, VMXNET3_IC_DISABLE_ALL);
	for (i = 0; i < nb_vectors(dev); i++)
		set_mask(dev, i, true);
}

void
vx_irq_rearm(struct vx_dev *dev)
{
	if (dev->intr)
		set_mask(dev, VX_VECTOR_EVENT, false);
}

int
vx_irq_start(struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	bool rxq = data->dev_conf.intr_conf.rxq != 0;
	int ret;

	dev->rx_intr_on = 0;
	ret = dev->bus->intr_on(dev, rxq ? data->nb_rx_queues : 0);
	dev->intr = ret == 0;
	dev->rx_intr = ret == 0 && rxq;
	if (ret == 0 || !(rxq || data->dev_conf.intr_conf.lsc)) {
		if (ret != 0)
			VX_LOG(DEBUG, dev, "no interrupts: %s", strerror(-ret));
		return 0;
	}
	VX_LOG(ERR, dev, "%s interrupts are asked for, and cannot be connected: %s",
		rxq ? "receive" : "link", strerror(-ret));
	return ret;
}

void
vx_irq_stop(struct vx_dev *dev)
{
	if (dev->intr)
		dev->bus->intr_off(dev);
	dev->intr = false;
	dev->rx_intr = false;
}

/* ---- ethdev operations ---- */

static int
want_rx_intr(struct rte_eth_dev *eth_dev, uint16_t queue, bool on)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	int ret = 0;

	vx_lock(dev);
	if (!dev->rx_intr) {
		ret = -ENOTSUP;
	} else {
		if (on)
			dev->rx_intr_on |= 1u << queue;
		else
			dev->rx_intr_on &= ~(1u << queue);
		if (dev->active)
			set_mask(dev, VX_VECTOR_RXQ(queue), !on);
	}
	vx_unlock(dev);
	return ret;
}

int
vx_rx_queue_intr_enable(struct rte_eth_dev *eth_dev, uint16_t queue)
{
	return want_rx_intr(eth_dev, queue, true);
}

int
vx_rx_queue_intr_disable(struct rte_eth_dev *eth_dev, uint16_t queue)
{
	return want_rx_intr(eth_dev, queue, false);
}
