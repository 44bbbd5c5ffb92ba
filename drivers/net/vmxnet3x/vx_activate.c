/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_activate.h"

#include <string.h>

#include "vx_cmd.h"
#include "vx_filter.h"
#include "vx_irq.h"
#include "vx_queue.h"
#include "vx_rss.h"
#include "vx_rx.h"
#include "vx_stats.h"

#define DRIVER_VERSION	 0x00010000u
#define GOS_BITS	 (sizeof(void *) == 8 ? 2u : 1u)
#define GOS_LINUX	 (1u << 2)
#define REVISION_SUPPORT 1 /* what all drivers say, whatever they have selected */
#define CONF_VERSION	 1

#define OUTER_CHECKSUMS (RTE_ETH_RX_OFFLOAD_OUTER_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_OUTER_UDP_CKSUM)

#define LARGE_RECEIVE_BYTES (65535u + RTE_ETHER_HDR_LEN)

static void
write_shared_address(struct vx_dev *dev, uint64_t address)
{
	if (dev->away)
		return;
	dev->bus->write(dev, VMXNET3_REG_DSAL, (uint32_t)address);
	dev->bus->write(dev, VMXNET3_REG_DSAH, (uint32_t)(address >> 32)); /* takes effect */
}

/* ---- what the device is told ---- */

uint32_t
vx_device_mtu(const struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	bool strip = data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP;

	/* A device counts a tag that stays in the frame; VMware's drops full frames with one otherwise. */
	return RTE_MIN(data->mtu + (strip ? 0u : RTE_VLAN_HLEN), (uint32_t)dev->lim.max_mtu);
}

uint64_t
vx_features(const struct vx_dev *dev)
{
	uint64_t offloads = dev->eth_dev->data->dev_conf.rxmode.offloads;
	uint64_t features = 0;

	if (offloads & (RTE_ETH_RX_OFFLOAD_CHECKSUM | OUTER_CHECKSUMS))
		features |= VMXNET3_F_RXCSUM;
	if (offloads & OUTER_CHECKSUMS)
		features |= VMXNET3_F_RXINNEROFLD;
	if (offloads & RTE_ETH_RX_OFFLOAD_VLAN_STRIP)
		features |= VMXNET3_F_RXVLAN;
	if (offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO)
		features |= VMXNET3_F_LRO;
	if (vx_rss_is_on(dev))
		features |= VMXNET3_F_RSS;
	return features;
}

uint32_t
vx_smallest_buffer(const struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	uint32_t smallest = UINT32_MAX;
	const struct vx_rxq *q;
	unsigned int i;

	for (i = 0; i < data->nb_rx_queues; i++) {
		q = data->rx_queues[i];
		if (q != NULL)
			smallest = RTE_MIN(smallest, (uint32_t)q->buf_len);
	}
	return smallest;
}

/* Some devices take "unknown" for one, and cut frames. */
static uint16_t
max_rx_buffers(const struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	uint32_t frame = data->mtu + RTE_ETHER_HDR_LEN + RTE_VLAN_HLEN;

	if (data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_TCP_LRO)
		frame = LARGE_RECEIVE_BYTES;
	return RTE_MIN(1 + frame / vx_smallest_buffer(dev), (uint32_t)UINT16_MAX);
}

static void
fill_misc(struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	struct vmxnet3_misc_conf *misc = &dev->area->shared.misc;

	misc->driver_version = rte_cpu_to_le_32(DRIVER_VERSION);
	misc->gos = rte_cpu_to_le_32(GOS_BITS | GOS_LINUX);
	misc->rev_spt = rte_cpu_to_le_32(REVISION_SUPPORT);
	misc->upt_ver_spt = rte_cpu_to_le_32(REVISION_SUPPORT);
	misc->upt_features = rte_cpu_to_le_64(vx_features(dev));
	misc->queue_desc_pa =
		rte_cpu_to_le_64(dev->area_dma + offsetof(struct vx_shared_area, queue_desc));
	misc->queue_desc_len = rte_cpu_to_le_32(data->nb_tx_queues * sizeof(*dev->txqd) +
		data->nb_rx_queues * sizeof(*dev->rxqd));
	misc->mtu = rte_cpu_to_le_32(vx_device_mtu(dev));
	misc->max_num_rx_sg = rte_cpu_to_le_16(max_rx_buffers(dev));
	misc->num_tx_queues = data->nb_tx_queues;
	misc->num_rx_queues = data->nb_rx_queues;
}

static void
fill_shared(struct vx_dev *dev)
{
	struct vmxnet3_shared *shared = &dev->area->shared;

	memset(shared, 0, sizeof(*shared));
	shared->magic = rte_cpu_to_le_32(VMXNET3_MAGIC);
	fill_misc(dev);
	vx_irq_fill(dev);
	vx_filter_apply(dev);
	vx_rss_fill(dev);
	shared->rss_conf.ver = rte_cpu_to_le_32(CONF_VERSION);
	shared->rss_conf.len = rte_cpu_to_le_32(sizeof(dev->area->rss));
	shared->rss_conf.pa = rte_cpu_to_le_64(dev->area_dma + offsetof(struct vx_shared_area, rss));
}

/* ---- on and off ---- */

static void
log_refusal(const struct vx_dev *dev, uint32_t answer)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;

	VX_LOG(ERR, dev,
		"the device refuses to be activated (answer 0x%x, events 0x%x): revision %u, %u of %u transmit and %u of %u receive queues, MTU %u of %u, features 0x%" PRIx64 "%s",
		answer, rte_le_to_cpu_32(*(volatile uint32_t *)&dev->area->shared.ecr), dev->lim.rev,
		data->nb_tx_queues, dev->lim.max_tx_queues, data->nb_rx_queues,
		dev->lim.max_rx_queues, vx_device_mtu(dev), dev->lim.max_mtu, vx_features(dev),
		!dev->rev->max_queues && !rte_is_power_of_2(data->nb_rx_queues) ?
			"; some devices before revision 6 want a power of two of receive queues" : "");
}

/* The length in each descriptor rules; a device may prepare itself by these. */
static void
tell_buffer_size(struct vx_dev *dev)
{
	struct vmxnet3_ring_buf_size *size = &dev->area->shared.cmd_info.ring_buf_size;
	uint16_t bytes = RTE_MIN(vx_smallest_buffer(dev), VMXNET3_RXD_LEN_MASK);

	if (!dev->rev->caps)
		return;
	memset(size, 0, sizeof(*size));
	size->ring1_buf_size_type0 = rte_cpu_to_le_16(bytes);
	size->ring2_buf_size_type1 = rte_cpu_to_le_16(bytes);
	vx_cmd(dev, VMXNET3_CMD_SET_RING_BUFFER_SIZE);
}

int
vx_activate(struct vx_dev *dev)
{
	uint32_t answer;
	int ret = vx_queues_init(dev);

	if (ret != 0)
		return ret;
	fill_shared(dev);
	vx_filter_write_mac(dev);
	write_shared_address(dev, dev->area_dma + offsetof(struct vx_shared_area, shared));
	answer = vx_cmd_get(dev, VMXNET3_CMD_ACTIVATE_DEV);
	if (answer != 0) {
		log_refusal(dev, answer);
		write_shared_address(dev, 0);
		return -EIO;
	}
	dev->active = true;
	tell_buffer_size(dev);
	vx_rss_apply_fields(dev);
	if (vx_rss_is_on(dev))
		vx_cmd(dev, VMXNET3_CMD_UPDATE_RSSIDT); /* with the fields */
	vx_queues_ring(dev);
	vx_filter_apply(dev);
	vx_irq_enable(dev);
	return 0;
}

void
vx_quiesce(struct vx_dev *dev)
{
	vx_stats_keep(dev);
	dev->active = false;
	vx_irq_disable(dev);
	vx_cmd_get(dev, VMXNET3_CMD_QUIESCE_DEV); /* the answer says that it is over */
	write_shared_address(dev, 0);
	vx_cmd_get(dev, VMXNET3_CMD_RESET_DEV);
}

int
vx_reactivate(struct vx_dev *dev)
{
	int ret;

	if (!dev->paused)
		vx_queues_pause(dev);
	if (dev->active)
		vx_quiesce(dev);
	ret = vx_activate(dev);
	if (ret == 0)
		vx_queues_resume(dev);
	return ret;
}

void
vx_features_update(struct vx_dev *dev)
{
	struct vmxnet3_misc_conf *misc = &dev->area->shared.misc;

	if (!dev->active)
		return;
	misc->upt_features = rte_cpu_to_le_64(vx_features(dev));
	vx_cmd(dev, VMXNET3_CMD_UPDATE_FEATURE);
}
