/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_info.h"

#include <stdio.h>

#include "vx_cmd.h"
#include "vx_link.h"
#include "vx_offloads.h"
#include "vx_rss.h"

#define MIN_RX_BUFFER	128 /* devices refuse smaller first buffers */
#define RING_ALIGN	32
#define MAX_SEGS	24 /* of a frame to be segmented */
#define MAX_MTU_SEGS	16
#define MAX_LRO_BYTES	(65535 + RTE_ETHER_HDR_LEN)
#define BURST		32

/* The speed of the link, asked for even before activation. */
static uint32_t
speed_capa(struct vx_dev *dev)
{
	struct rte_eth_link link;

	vx_link_decode(dev->rev, vx_cmd_get(dev, VMXNET3_CMD_GET_LINK), &link);
	return rte_eth_speed_bitflag(link.link_speed, RTE_ETH_LINK_FULL_DUPLEX);
}

static void
limits(const struct vx_dev *dev, struct rte_eth_dev_info *info)
{
	info->min_mtu = RTE_ETHER_MIN_MTU;
	info->max_mtu = dev->lim.max_mtu;
	info->max_rx_pktlen = dev->lim.max_mtu + VX_FRAME_OVERHEAD;
	info->max_lro_pkt_size = MAX_LRO_BYTES;
	info->min_rx_bufsize = MIN_RX_BUFFER;
	info->max_rx_queues = dev->lim.max_rx_queues;
	info->max_tx_queues = dev->lim.max_tx_queues;
	info->max_mac_addrs = VX_MAX_MAC_ADDRS;
	info->reta_size = VX_RETA_SIZE;
	info->hash_key_size = VX_RSS_KEY_BYTES;
	info->flow_type_rss_offloads = vx_rss_types(&dev->lim);
	info->rx_desc_lim = (struct rte_eth_desc_lim){
		.nb_max = VMXNET3_RING_MAX,
		.nb_min = VX_MIN_RING,
		.nb_align = RING_ALIGN,
	};
	info->tx_desc_lim = (struct rte_eth_desc_lim){
		.nb_max = VMXNET3_RING_MAX,
		.nb_min = VX_MIN_RING,
		.nb_align = RING_ALIGN,
		.nb_seg_max = MAX_SEGS,
		.nb_mtu_seg_max = MAX_MTU_SEGS,
	};
}

int
vx_dev_infos_get(struct rte_eth_dev *eth_dev, struct rte_eth_dev_info *info)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);

	vx_lock(dev);
	limits(dev, info);
	info->rx_offload_capa = vx_rx_offloads(&dev->lim);
	info->tx_offload_capa = vx_tx_offloads(&dev->lim);
	info->speed_capa = speed_capa(dev);
	info->dev_capa &= ~RTE_ETH_DEV_CAPA_FLOW_RULE_KEEP;
	info->default_rxportconf = (struct rte_eth_dev_portconf){
		.burst_size = BURST, .ring_size = VX_DEFAULT_RX_RING, .nb_queues = 1,
	};
	info->default_txportconf = (struct rte_eth_dev_portconf){
		.burst_size = BURST, .ring_size = VX_DEFAULT_TX_RING, .nb_queues = 1,
	};
	vx_unlock(dev);
	return 0;
}

const uint32_t *
vx_supported_ptypes_get(PMD_PTYPES_PARAMS)
{
	static const uint32_t ptypes[] = {
		RTE_PTYPE_L2_ETHER,
		RTE_PTYPE_L3_IPV4_EXT_UNKNOWN,
		RTE_PTYPE_L3_IPV6_EXT_UNKNOWN,
		RTE_PTYPE_L4_TCP,
		RTE_PTYPE_L4_UDP,
		RTE_PTYPE_L4_FRAG,
		RTE_PTYPE_TUNNEL_VXLAN,
		RTE_PTYPE_TUNNEL_GENEVE,
		RTE_PTYPE_TUNNEL_NVGRE,
		RTE_PTYPE_TUNNEL_GRE,
		RTE_PTYPE_TUNNEL_IP,
		RTE_PTYPE_INNER_L2_ETHER,
		RTE_PTYPE_INNER_L3_IPV4_EXT_UNKNOWN,
		RTE_PTYPE_INNER_L3_IPV6_EXT_UNKNOWN,
		RTE_PTYPE_INNER_L4_TCP,
		RTE_PTYPE_INNER_L4_UDP,
		RTE_PTYPE_INNER_L4_FRAG,
		PMD_PTYPES_END
	};

	PMD_PTYPES_RETURN(ptypes);
}

int
vx_fw_version_get(struct rte_eth_dev *eth_dev, char *version, size_t size)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	int len;

	vx_lock(dev);
	len = snprintf(version, size, "vmxnet3 revision %u", dev->lim.rev);
	vx_unlock(dev);
	return (size_t)len < size ? 0 : len + 1;
}
