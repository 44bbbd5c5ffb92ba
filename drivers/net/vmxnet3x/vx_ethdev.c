/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_ethdev.h"

#include <stdio.h>

#include <rte_malloc.h>

#include "vx_activate.h"
#include "vx_filter.h"
#include "vx_identify.h"
#include "vx_info.h"
#include "vx_irq.h"
#include "vx_link.h"
#include "vx_queue.h"
#include "vx_queue_setup.h"
#include "vx_queue_state.h"
#include "vx_rss.h"
#include "vx_rx.h"
#include "vx_stats.h"
#include "vx_tx.h"

RTE_LOG_REGISTER(vx_logtype, pmd.net.vmxnet3x, NOTICE);

#define AREA_ALIGN 4096

/* ---- configure, start, stop ---- */

static int
dev_configure(struct rte_eth_dev *eth_dev)
{
	const struct rte_eth_dev_data *data = eth_dev->data;
	const struct rte_eth_conf *conf = &data->dev_conf;
	struct vx_dev *dev = vx_dev_of(eth_dev);
	int ret;

	if (data->nb_rx_queues == 0 || data->nb_tx_queues == 0) {
		VX_LOG(ERR, dev, "the device has at least one queue in each direction, not %u receive and %u transmit queues",
			data->nb_rx_queues, data->nb_tx_queues);
		return -EINVAL;
	}
	if ((conf->rxmode.mq_mode & ~RTE_ETH_MQ_RX_RSS_FLAG) != 0 ||
		conf->txmode.mq_mode != RTE_ETH_MQ_TX_NONE || conf->lpbk_mode != 0) {
		VX_LOG(ERR, dev, "queues can be chosen by RSS only: no DCB, no VMDq; and there is no loopback mode");
		return -EINVAL;
	}
	vx_lock(dev);
	dev->txqd = (void *)dev->area->queue_desc;
	dev->rxqd = (void *)(dev->txqd + data->nb_tx_queues);
	ret = vx_rss_configure(dev);
	vx_unlock(dev);
	return ret;
}

static bool
queues_are_there(const struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	unsigned int i;

	for (i = 0; i < data->nb_rx_queues; i++) {
		if (data->rx_queues[i] == NULL) {
			VX_LOG(ERR, dev, "receive queue %u has not been set up", i);
			return false;
		}
	}
	for (i = 0; i < data->nb_tx_queues; i++) {
		if (data->tx_queues[i] == NULL) {
			VX_LOG(ERR, dev, "transmit queue %u has not been set up", i);
			return false;
		}
	}
	return true;
}

static void
set_queue_states(struct rte_eth_dev_data *data, uint8_t state)
{
	unsigned int i;

	for (i = 0; i < data->nb_rx_queues; i++)
		data->rx_queue_state[i] = state;
	for (i = 0; i < data->nb_tx_queues; i++)
		data->tx_queue_state[i] = state;
}

/* While the server is away there is nobody to activate: bursts stay outside until it is back. */
static int
start_now_or_later(struct vx_dev *dev)
{
	int ret;

	if (dev->away) {
		vx_queues_pause(dev);
		return 0;
	}
	ret = vx_activate(dev);
	if (ret != 0)
		vx_queues_drop(dev);
	return ret;
}

static int
dev_start(struct rte_eth_dev *eth_dev)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	int ret;

	if (!queues_are_there(dev))
		return -EINVAL;
	vx_lock(dev);
	ret = vx_irq_start(dev);
	if (ret == 0) {
		ret = start_now_or_later(dev);
		if (ret != 0)
			vx_irq_stop(dev);
	}
	if (ret == 0) {
		dev->started = true;
		set_queue_states(eth_dev->data, RTE_ETH_QUEUE_STATE_STARTED);
		vx_link_refresh(dev);
	}
	vx_unlock(dev);
	return ret;
}

static int
dev_stop(struct rte_eth_dev *eth_dev)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);

	vx_lock(dev);
	if (dev->started) {
		dev->started = false;
		if (!dev->paused)
			vx_queues_pause(dev);
		if (dev->active)
			vx_quiesce(dev);
		vx_queues_drop(dev);
		vx_queues_resume(dev);
		vx_irq_stop(dev);
		set_queue_states(eth_dev->data, RTE_ETH_QUEUE_STATE_STOPPED);
		vx_link_refresh(dev);
	}
	vx_unlock(dev);
	vx_link_cancel(dev);
	return 0;
}

/* ---- settings that a device reads at activation only ---- */

static bool
fits(const struct vx_dev *dev, uint16_t mtu)
{
	uint64_t offloads = dev->eth_dev->data->dev_conf.rxmode.offloads;
	uint32_t room = vx_smallest_buffer(dev);

	if (offloads & (RTE_ETH_RX_OFFLOAD_SCATTER | RTE_ETH_RX_OFFLOAD_TCP_LRO) ||
		mtu + (uint32_t)VX_FRAME_OVERHEAD <= room)
		return true;
	VX_LOG(ERR, dev, "frames of MTU %u do not fit into receive buffers of %u bytes, and may not be scattered",
		mtu, room);
	return false;
}

/* The new one or the one before: an active port keeps its modes, and loses only what its rings held. */
static int
activate_with_mtu(struct vx_dev *dev, uint16_t mtu)
{
	struct rte_eth_dev_data *data = dev->eth_dev->data;
	uint16_t before = data->mtu;
	int ret;

	if (mtu == before)
		return 0;
	data->mtu = mtu;
	ret = vx_reactivate(dev);
	if (ret != 0) {
		data->mtu = before;
		if (vx_reactivate(dev) != 0)
			VX_LOG(ERR, dev, "the device does not come back with the MTU that it had: the port is down until it is stopped and started");
	}
	vx_link_refresh(dev);
	return ret;
}

static int
mtu_set(struct rte_eth_dev *eth_dev, uint16_t mtu)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	int ret = 0;

	vx_lock(dev);
	if (!fits(dev, mtu))
		ret = -EINVAL;
	else if (dev->active)
		ret = activate_with_mtu(dev, mtu);
	vx_unlock(dev);
	return ret;
}

static int
vlan_offload_set(struct rte_eth_dev *eth_dev, int mask __rte_unused)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	int ret = 0;

	vx_lock(dev);
	if (dev->active) {
		vx_features_update(dev);
		vx_filter_apply(dev);
		/* Frames that now keep their tag are longer. */
		if (vx_device_mtu(dev) > rte_le_to_cpu_32(dev->area->shared.misc.mtu))
			ret = vx_reactivate(dev);
		vx_link_refresh(dev);
	}
	vx_unlock(dev);
	return ret;
}

/* ---- the whole port ---- */

static void
release_queues(struct rte_eth_dev *eth_dev)
{
	unsigned int i;

	for (i = 0; i < eth_dev->data->nb_rx_queues; i++)
		vx_rx_queue_release(eth_dev, i);
	for (i = 0; i < eth_dev->data->nb_tx_queues; i++)
		vx_tx_queue_release(eth_dev, i);
}

static void
free_memory(struct vx_dev *dev)
{
	vx_filter_free(dev);
	vx_stats_free(dev);
	rte_memzone_free(dev->area_mz);
	dev->area_mz = NULL;
	rte_free(dev->eth_dev->data->mac_addrs);
	dev->eth_dev->data->mac_addrs = NULL;
	pthread_mutex_destroy(&dev->ctl);
}

static int
dev_close(struct rte_eth_dev *eth_dev)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	dev_stop(eth_dev);
	dev->bus->close(dev);
	vx_link_cancel(dev); /* the bus may have reported an event to its last */
	release_queues(eth_dev);
	free_memory(dev);
	return 0;
}

/* The port is stopped. */
static int
dev_reset(struct rte_eth_dev *eth_dev)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	struct vx_limits lim;
	int ret = -EIO;

	vx_lock(dev);
	if (dev->away)
		VX_LOG(ERR, dev, "cannot be reset: the server is away");
	else
		ret = vx_identify(dev, &lim);
	if (ret == 0)
		vx_take_limits(dev, &lim);
	vx_unlock(dev);
	return ret;
}

static const struct eth_dev_ops ops = {
	.dev_configure = dev_configure,
	.dev_start = dev_start,
	.dev_stop = dev_stop,
	.dev_close = dev_close,
	.dev_reset = dev_reset,
	.dev_infos_get = vx_dev_infos_get,
	.dev_supported_ptypes_get = vx_supported_ptypes_get,
	.fw_version_get = vx_fw_version_get,
	.link_update = vx_link_update,
	.mtu_set = mtu_set,
	.promiscuous_enable = vx_promiscuous_enable,
	.promiscuous_disable = vx_promiscuous_disable,
	.allmulticast_enable = vx_allmulticast_enable,
	.allmulticast_disable = vx_allmulticast_disable,
	.mac_addr_set = vx_mac_addr_set,
	.mac_addr_add = vx_mac_addr_add,
	.mac_addr_remove = vx_mac_addr_remove,
	.set_mc_addr_list = vx_set_mc_addr_list,
	.vlan_filter_set = vx_vlan_filter_set,
	.vlan_offload_set = vlan_offload_set,
	.rss_hash_update = vx_rss_hash_update,
	.rss_hash_conf_get = vx_rss_hash_conf_get,
	.reta_update = vx_reta_update,
	.reta_query = vx_reta_query,
	.stats_get = vx_stats_get,
	.stats_reset = vx_stats_reset,
	.xstats_get = vx_xstats_get,
	.xstats_get_names = vx_xstats_get_names,
	.xstats_reset = vx_stats_reset,
	.rx_queue_setup = vx_rx_queue_setup,
	.rx_queue_release = vx_rx_queue_release,
	.tx_queue_setup = vx_tx_queue_setup,
	.tx_queue_release = vx_tx_queue_release,
	.tx_done_cleanup = vx_tx_done_cleanup,
	.rx_queue_intr_enable = vx_rx_queue_intr_enable,
	.rx_queue_intr_disable = vx_rx_queue_intr_disable,
	.rxq_info_get = vx_rxq_info_get,
	.txq_info_get = vx_txq_info_get,
	.rx_burst_mode_get = vx_rx_burst_mode_get,
	.tx_burst_mode_get = vx_tx_burst_mode_get,
};

static void
init_lock(struct vx_dev *dev)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&dev->ctl, &attr);
	pthread_mutexattr_destroy(&attr);
}

/* A device that sees virtual addresses needs no memory that is contiguous for others. */
static int
reserve_area(struct vx_dev *dev)
{
	unsigned int flags = dev->dma_is_va ? 0 : RTE_MEMZONE_IOVA_CONTIG;
	char name[RTE_MEMZONE_NAMESIZE];

	snprintf(name, sizeof(name), "vmxnet3x_area_%u", dev->eth_dev->data->port_id);
	dev->area_mz = rte_memzone_reserve_aligned(name, sizeof(*dev->area), dev->eth_dev->data->numa_node,
		flags, AREA_ALIGN);
	if (dev->area_mz == NULL) {
		VX_LOG(ERR, dev, "no memory for the area shared with the device (%zu bytes): %s",
			sizeof(*dev->area), rte_strerror(rte_errno));
		return -ENOMEM;
	}
	dev->area = dev->area_mz->addr;
	memset(dev->area, 0, sizeof(*dev->area));
	dev->area_dma = vx_dma_of(dev, dev->area_mz);
	return 0;
}

static int
reserve_memory(struct vx_dev *dev)
{
	struct rte_eth_dev_data *data = dev->eth_dev->data;
	int ret = reserve_area(dev);

	if (ret == 0)
		ret = vx_stats_init(dev);
	if (ret != 0)
		return ret;
	data->mac_addrs = rte_zmalloc("vx_macs", VX_MAX_MAC_ADDRS * sizeof(dev->mac), 0);
	return data->mac_addrs == NULL ? -ENOMEM : 0;
}

static void
set_operations(struct rte_eth_dev *eth_dev)
{
	eth_dev->dev_ops = &ops;
	eth_dev->rx_pkt_burst = vx_rx_burst;
	eth_dev->tx_pkt_burst = vx_tx_burst;
	eth_dev->tx_pkt_prepare = vx_tx_prepare;
	eth_dev->rx_queue_count = vx_rx_queue_count;
	eth_dev->rx_descriptor_status = vx_rx_descriptor_status;
	eth_dev->tx_descriptor_status = vx_tx_descriptor_status;
}

int
vx_ethdev_init(struct rte_eth_dev *eth_dev)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	struct vx_limits lim;
	int ret;

	init_lock(dev);
	vx_lock(dev);
	ret = vx_identify(dev, &lim);
	if (ret == 0)
		ret = reserve_memory(dev);
	if (ret == 0) {
		vx_take_limits(dev, &lim);
		dev->mac = rte_is_zero_ether_addr(&dev->args.mac) ? lim.mac : dev->args.mac;
		eth_dev->data->mac_addrs[0] = dev->mac;
		vx_rss_init(dev);
		set_operations(eth_dev);
	}
	vx_unlock(dev);
	if (ret != 0)
		free_memory(dev);
	return ret;
}

/* ---- a server that goes and comes back ---- */

void
vx_ethdev_lost(struct vx_dev *dev)
{
	bool changed = false;

	vx_lock(dev);
	if (!dev->away) {
		dev->away = true;
		if (dev->started && !dev->paused)
			vx_queues_pause(dev);
		if (dev->active)
			vx_stats_keep(dev);
		dev->active = false;
		changed = vx_link_refresh(dev);
	}
	vx_unlock(dev);
	if (changed)
		vx_link_report(dev);
}

static int
take_back(struct vx_dev *dev)
{
	struct vx_limits lim;
	int ret = vx_identify(dev, &lim);

	if (ret != 0)
		return ret;
	if (!vx_limits_suffice(dev, &lim))
		return -ENOTSUP;
	vx_take_limits(dev, &lim);
	if (!dev->started)
		return 0;
	ret = vx_activate(dev);
	if (ret == 0)
		vx_queues_resume(dev);
	return ret;
}

int
vx_ethdev_back(struct vx_dev *dev)
{
	bool changed = false;
	int ret = 0;

	vx_lock(dev);
	if (dev->away) {
		dev->away = false;
		ret = take_back(dev);
		dev->away = ret != 0;
		changed = vx_link_refresh(dev);
	}
	vx_unlock(dev);
	if (changed)
		vx_link_report(dev);
	return ret;
}
