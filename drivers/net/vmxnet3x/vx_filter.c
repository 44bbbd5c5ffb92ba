/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_filter.h"

#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include <offload_filter.h>

#include "vx_cmd.h"
#include "vx_queue.h"

void
vx_filter_write_mac(struct vx_dev *dev)
{
	const uint8_t *mac = dev->mac.addr_bytes;

	if (dev->away)
		return;
	dev->bus->write(dev, VMXNET3_REG_MACL,
		mac[0] | mac[1] << 8 | mac[2] << 16 | (uint32_t)mac[3] << 24);
	dev->bus->write(dev, VMXNET3_REG_MACH, mac[4] | mac[5] << 8); /* takes effect */
}

/* The addresses beside the port's own. @return how many */
static uint16_t
list_extra_macs(const struct vx_dev *dev, uint8_t macs[][RTE_ETHER_ADDR_LEN])
{
	uint16_t nb = 0;
	unsigned int i;

	for (i = 0; i < VX_MAX_MAC_ADDRS; i++) {
		if (!rte_is_zero_ether_addr(&dev->extra_macs[i]))
			memcpy(macs[nb++], dev->extra_macs[i].addr_bytes, RTE_ETHER_ADDR_LEN);
	}
	return nb;
}

static uint32_t
rx_mode(const struct vx_dev *dev, bool extra_macs)
{
	uint32_t mode = VMXNET3_RXM_UCAST | VMXNET3_RXM_BCAST;

	if (dev->nb_mc_addrs > 0)
		mode |= VMXNET3_RXM_MCAST;
	if (dev->allmulti || dev->promisc)
		mode |= VMXNET3_RXM_MCAST | VMXNET3_RXM_ALL_MULTI;
	if (dev->promisc || extra_macs)
		mode |= VMXNET3_RXM_PROMISC;
	return mode;
}

static bool
filters_vlans(const struct vx_dev *dev)
{
	return dev->eth_dev->data->dev_conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_VLAN_FILTER;
}

/* Without a filter every VLAN is wanted; a promiscuous device wants none named, as other drivers do it. */
static uint32_t
vlan_word(const struct vx_dev *dev, unsigned int i, uint32_t mode)
{
	if (mode & VMXNET3_RXM_PROMISC)
		return 0;
	if (!filters_vlans(dev))
		return UINT32_MAX;
	return dev->vlan_table[i] | (i == 0); /* VLAN 0 is no VLAN */
}

static void
fill(struct vx_dev *dev, uint32_t mode)
{
	struct vmxnet3_rx_filter_conf *conf = &dev->area->shared.rx_filter;
	uint16_t len = dev->nb_mc_addrs * RTE_ETHER_ADDR_LEN;
	unsigned int i;

	conf->rx_mode = rte_cpu_to_le_32(mode);
	if (len > 0)
		memcpy(dev->area->mc_table, dev->mc_addrs, len);
	conf->mf_table_len = rte_cpu_to_le_16(len);
	conf->mf_table_pa = len == 0 ? 0 : rte_cpu_to_le_64(
		dev->area_dma + offsetof(struct vx_shared_area, mc_table));
	for (i = 0; i < RTE_DIM(conf->vf_table); i++)
		conf->vf_table[i] = rte_cpu_to_le_32(vlan_word(dev, i, mode));
}

/* What the device would do if it had more than one address. The one that bursts do not use is written. */
static const struct offload_filter *
make_sieve(struct vx_dev *dev, const uint8_t (*macs)[RTE_ETHER_ADDR_LEN], uint16_t nb)
{
	struct offload_filter *f = &dev->filters[dev->filter == &dev->filters[0]];
	uint32_t vlans[RTE_DIM(dev->vlan_table)];
	unsigned int i;

	f->mode = rx_mode(dev, false);
	memcpy(f->mac, dev->mac.addr_bytes, sizeof(f->mac));
	offload_filter_set_uc(f, macs, nb);
	offload_filter_set_mc(f, (const uint8_t (*)[RTE_ETHER_ADDR_LEN])dev->mc_addrs, dev->nb_mc_addrs);
	for (i = 0; i < RTE_DIM(vlans); i++)
		vlans[i] = vlan_word(dev, i, f->mode);
	offload_filter_set_vlans(f, vlans);
	if (!filters_vlans(dev))
		f->vlan_any = true;
	return f;
}

void
vx_filter_apply(struct vx_dev *dev)
{
	uint8_t macs[VX_MAX_MAC_ADDRS][RTE_ETHER_ADDR_LEN];
	uint16_t nb = list_extra_macs(dev, macs);
	uint32_t mode = rx_mode(dev, nb > 0);
	bool sieve = nb > 0 && !dev->promisc;

	/* What a promiscuous device lets in too much is dropped from before it does to after. */
	if (sieve)
		vx_queues_set_filter(dev, make_sieve(dev, (const uint8_t (*)[RTE_ETHER_ADDR_LEN])macs, nb));
	fill(dev, mode);
	if (dev->active) {
		vx_cmd(dev, VMXNET3_CMD_UPDATE_RX_MODE);
		vx_cmd(dev, VMXNET3_CMD_UPDATE_VLAN_FILTERS);
		vx_cmd(dev, VMXNET3_CMD_UPDATE_MAC_FILTERS);
	}
	if (!sieve)
		vx_queues_set_filter(dev, NULL);
}

void
vx_filter_free(struct vx_dev *dev)
{
	free(dev->mc_addrs);
	dev->mc_addrs = NULL;
	dev->nb_mc_addrs = 0;
	rte_free(dev->filters);
	dev->filters = NULL;
	dev->filter = NULL;
}

/* ---- ethdev operations ---- */

static int
set_flag(struct rte_eth_dev *eth_dev, bool *flag, bool value)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);

	vx_lock(dev);
	*flag = value;
	vx_filter_apply(dev);
	vx_unlock(dev);
	return 0;
}

int
vx_promiscuous_enable(struct rte_eth_dev *eth_dev)
{
	return set_flag(eth_dev, &vx_dev_of(eth_dev)->promisc, true);
}

int
vx_promiscuous_disable(struct rte_eth_dev *eth_dev)
{
	return set_flag(eth_dev, &vx_dev_of(eth_dev)->promisc, false);
}

int
vx_allmulticast_enable(struct rte_eth_dev *eth_dev)
{
	return set_flag(eth_dev, &vx_dev_of(eth_dev)->allmulti, true);
}

int
vx_allmulticast_disable(struct rte_eth_dev *eth_dev)
{
	return set_flag(eth_dev, &vx_dev_of(eth_dev)->allmulti, false);
}

int
vx_mac_addr_set(struct rte_eth_dev *eth_dev, struct rte_ether_addr *addr)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);

	vx_lock(dev);
	dev->mac = *addr;
	vx_filter_write_mac(dev);
	vx_filter_apply(dev);
	vx_unlock(dev);
	return 0;
}

/* Bursts look at it, those of other processes, too. It is large, and most ports have no use for it. */
static int
have_filters(struct vx_dev *dev)
{
	if (dev->filters == NULL)
		dev->filters = rte_zmalloc("vx_filters", 2 * sizeof(*dev->filters), RTE_CACHE_LINE_SIZE);
	return dev->filters != NULL ? 0 : -ENOMEM;
}

static int
set_extra_mac(struct rte_eth_dev *eth_dev, uint32_t index, const struct rte_ether_addr *addr)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	int ret;

	vx_lock(dev);
	ret = have_filters(dev);
	if (ret == 0) {
		dev->extra_macs[index] = *addr;
		vx_filter_apply(dev);
	}
	vx_unlock(dev);
	return ret;
}

int
vx_mac_addr_add(struct rte_eth_dev *eth_dev, struct rte_ether_addr *addr, uint32_t index,
	uint32_t pool __rte_unused)
{
	if (index == 0) /* ethdev restores the port's own address so */
		return vx_mac_addr_set(eth_dev, addr);
	if (index >= VX_MAX_MAC_ADDRS)
		return -ENOSPC;
	return set_extra_mac(eth_dev, index, addr);
}

void
vx_mac_addr_remove(struct rte_eth_dev *eth_dev, uint32_t index)
{
	static const struct rte_ether_addr none;

	if (index > 0 && index < VX_MAX_MAC_ADDRS)
		set_extra_mac(eth_dev, index, &none);
}

int
vx_set_mc_addr_list(struct rte_eth_dev *eth_dev, struct rte_ether_addr *list, uint32_t nb)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	struct rte_ether_addr *copy = NULL;

	if (nb > VX_MAX_MC_ADDRS) {
		VX_LOG(ERR, dev, "%u multicast addresses, %u are possible", nb, VX_MAX_MC_ADDRS);
		return -ENOSPC;
	}
	if (nb > 0) {
		copy = malloc(nb * sizeof(*copy));
		if (copy == NULL)
			return -ENOMEM;
		memcpy(copy, list, nb * sizeof(*copy));
	}
	vx_lock(dev);
	free(dev->mc_addrs);
	dev->mc_addrs = copy;
	dev->nb_mc_addrs = nb;
	vx_filter_apply(dev);
	vx_unlock(dev);
	return 0;
}

int
vx_vlan_filter_set(struct rte_eth_dev *eth_dev, uint16_t vlan_id, int on)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	uint32_t bit = 1u << vlan_id % 32;

	vx_lock(dev);
	if (on)
		dev->vlan_table[vlan_id / 32] |= bit;
	else
		dev->vlan_table[vlan_id / 32] &= ~bit;
	vx_filter_apply(dev);
	vx_unlock(dev);
	return 0;
}
