/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_identify.h"

#include "vx_cmd.h"
#include "vx_offloads.h"
#include "vx_rss.h"

#define REVS_KNOWN ((1u << VMXNET3_REV_MAX) - 1)

#define ALL_ONES UINT32_MAX

/* What a device does inside of VXLAN and Geneve, told one by one from revision 7 on. */
#define CAPS_TUNNELS                                                                               \
	(VMXNET3_CAP_GENEVE_INNER_CSUM | VMXNET3_CAP_GENEVE_TSO | VMXNET3_CAP_VXLAN_INNER_CSUM |   \
		VMXNET3_CAP_VXLAN_TSO | VMXNET3_CAP_GENEVE_OUTER_CSUM | VMXNET3_CAP_VXLAN_OUTER_CSUM)
#define CAPS_TUNNEL_TSO (VMXNET3_CAP_GENEVE_TSO | VMXNET3_CAP_VXLAN_TSO)
/* Of the capabilities of revision 7, those that this driver makes use of. */
#define CAPS_WANTED                                                                                \
	(CAPS_TUNNELS | VMXNET3_CAP_UDP_RSS | VMXNET3_CAP_ESP_RSS_IPV4 | VMXNET3_CAP_ESP_RSS_IPV6 | \
		VMXNET3_CAP_INNER_RSS)

static uint32_t
reg_read(struct vx_dev *dev, uint32_t reg)
{
	return dev->bus->read(dev, reg);
}

static int
select_revision(struct vx_dev *dev, struct vx_limits *lim)
{
	uint32_t offered = reg_read(dev, VMXNET3_REG_VRRS);
	uint32_t upt = reg_read(dev, VMXNET3_REG_UVRS);
	uint32_t usable = offered & REVS_KNOWN & ((1u << dev->args.max_rev) - 1);

	if (offered == ALL_ONES || offered == 0) {
		VX_LOG(ERR, dev, "the device does not answer like a vmxnet3 (revisions 0x%x)", offered);
		return -ENODEV;
	}
	if ((upt & 1) == 0 || usable == 0) {
		VX_LOG(ERR, dev,
			"no common revision: the device offers mask 0x%x (UPT 0x%x), usable here is 0x%x up to revision %u",
			offered, upt, REVS_KNOWN, dev->args.max_rev);
		return -ENOTSUP;
	}
	lim->rev = 32 - __builtin_clz(usable);
	dev->bus->write(dev, VMXNET3_REG_VRRS, 1u << (lim->rev - 1));
	dev->bus->write(dev, VMXNET3_REG_UVRS, 1);
	return 0;
}

static void
ask_queues(struct vx_dev *dev, const struct vmxnet3_rev *rev, struct vx_limits *lim)
{
	uint32_t conf, tx, rx;

	lim->max_tx_queues = VMXNET3_MAX_TX_QUEUES_V1;
	lim->max_rx_queues = VMXNET3_MAX_RX_QUEUES_V1;
	if (!rev->max_queues)
		return;
	conf = vx_cmd_get(dev, VMXNET3_CMD_GET_MAX_QUEUES_CONF);
	tx = conf & 0xff;
	rx = conf >> 8;
	if (tx == 0 || rx == 0 || rx > 0xff) {
		VX_LOG(WARNING, dev, "the device tells no numbers of queues (0x%x): %u and %u are assumed",
			conf, lim->max_tx_queues, lim->max_rx_queues);
		return;
	}
	lim->max_tx_queues = RTE_MIN(tx, (uint32_t)VX_MAX_QUEUES);
	lim->max_rx_queues = RTE_MIN(rx, (uint32_t)VX_MAX_QUEUES);
}

static void
ask_caps(struct vx_dev *dev, const struct vmxnet3_rev *rev, struct vx_limits *lim)
{
	uint32_t offered, enabled;

	lim->dcr = 0;
	if (!rev->caps)
		return;
	offered = reg_read(dev, VMXNET3_REG_DCR);
	if (offered & VMXNET3_CAP_NONE)
		return; /* an error, or nothing there */
	VX_LOG(DEBUG, dev, "capabilities 0x%x, of a pass-through device 0x%x", offered,
		reg_read(dev, VMXNET3_REG_PTCR));
	dev->bus->write(dev, VMXNET3_REG_DCR, offered & CAPS_WANTED);
	enabled = vx_cmd_get(dev, VMXNET3_CMD_GET_DCR0_REG);
	if (!(enabled & VMXNET3_CAP_NONE))
		lim->dcr = enabled & offered & CAPS_WANTED;
}

/* Revisions 4 to 6 have all of it, or do not say what they lack. */
static void
ask_offloads(struct vx_dev *dev, const struct vmxnet3_rev *rev, struct vx_limits *lim)
{
	lim->tunnels = rev->encap ? CAPS_TUNNELS : lim->dcr & CAPS_TUNNELS;
	lim->disabled = rev->speed_gbit ? vx_cmd_get(dev, VMXNET3_CMD_GET_DISABLED_OFFLOADS) : 0;
	if (lim->disabled & VMXNET3_DISABLED_TSO)
		lim->tunnels &= ~CAPS_TUNNEL_TSO;
}

static void
ask_data_size(struct vx_dev *dev, const struct vmxnet3_rev *rev, struct vx_limits *lim)
{
	uint32_t size;

	lim->tx_data_size = VMXNET3_TX_DATA_DESC_MIN;
	if (!rev->data_desc_var)
		return;
	size = vx_cmd_get(dev, VMXNET3_CMD_GET_TXDATA_DESC_SIZE) & 0xffff;
	if (size >= VMXNET3_TX_DATA_DESC_MIN && size <= VMXNET3_DATA_DESC_MAX && size % 64 == 0)
		lim->tx_data_size = size;
}

static void
ask_mac(struct vx_dev *dev, struct vx_limits *lim)
{
	uint32_t lo = reg_read(dev, VMXNET3_REG_MACL);
	uint32_t hi = reg_read(dev, VMXNET3_REG_MACH);
	unsigned int i;

	for (i = 0; i < RTE_ETHER_ADDR_LEN; i++)
		lim->mac.addr_bytes[i] = i < 4 ? lo >> (8 * i) : hi >> (8 * (i - 4));
	if (rte_is_valid_assigned_ether_addr(&lim->mac))
		return;
	rte_eth_random_addr(lim->mac.addr_bytes);
	VX_LOG(WARNING, dev, "the device has no usable address (0x%x, 0x%x): " RTE_ETHER_ADDR_PRT_FMT
		" was made up", lo, hi, RTE_ETHER_ADDR_BYTES(&lim->mac));
}

int
vx_identify(struct vx_dev *dev, struct vx_limits *lim)
{
	const struct vmxnet3_rev *rev;
	int ret = select_revision(dev, lim);

	if (ret != 0)
		return ret;
	rev = vmxnet3_rev_get(lim->rev);
	/* A program that crashed may have left it running, with an address of its own. */
	vx_cmd(dev, VMXNET3_CMD_QUIESCE_DEV);
	vx_cmd(dev, VMXNET3_CMD_RESET_DEV);
	lim->max_mtu = rev->max_mtu;
	ask_queues(dev, rev, lim);
	ask_caps(dev, rev, lim);
	ask_offloads(dev, rev, lim);
	ask_data_size(dev, rev, lim);
	ask_mac(dev, lim);
	if (reg_read(dev, VMXNET3_REG_VRRS) == ALL_ONES) {
		VX_LOG(ERR, dev, "the device stopped answering");
		return -ENODEV;
	}
	VX_LOG(DEBUG, dev, "revision %u, up to %u transmit and %u receive queues, MTU %u, address "
		RTE_ETHER_ADDR_PRT_FMT, lim->rev, lim->max_tx_queues, lim->max_rx_queues,
		lim->max_mtu, RTE_ETHER_ADDR_BYTES(&lim->mac));
	return 0;
}

bool
vx_limits_suffice(const struct vx_dev *dev, const struct vx_limits *lim)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;

	if (!data->dev_configured)
		return true;
	if (data->nb_tx_queues > lim->max_tx_queues || data->nb_rx_queues > lim->max_rx_queues) {
		VX_LOG(ERR, dev, "the port has %u transmit and %u receive queues, the device allows %u and %u",
			data->nb_tx_queues, data->nb_rx_queues, lim->max_tx_queues, lim->max_rx_queues);
		return false;
	}
	if (data->mtu > lim->max_mtu) {
		VX_LOG(ERR, dev, "the port's MTU is %u, the device allows %u", data->mtu, lim->max_mtu);
		return false;
	}
	if ((data->dev_conf.rxmode.offloads & ~vx_rx_offloads(lim)) != 0 ||
			(data->dev_conf.txmode.offloads & ~vx_tx_offloads(lim)) != 0) {
		VX_LOG(ERR, dev,
			"the port uses receive offloads 0x%" PRIx64 " and transmit offloads 0x%" PRIx64 ", the device (revision %u) has only 0x%" PRIx64 " and 0x%" PRIx64,
			data->dev_conf.rxmode.offloads, data->dev_conf.txmode.offloads, lim->rev,
			vx_rx_offloads(lim), vx_tx_offloads(lim));
		return false;
	}
	if ((dev->rss.hf & ~vx_rss_types(lim)) != 0) {
		VX_LOG(ERR, dev, "the port hashes 0x%" PRIx64 ", the device (revision %u) only 0x%" PRIx64,
			dev->rss.hf, lim->rev, vx_rss_types(lim));
		return false;
	}
	return true;
}

void
vx_take_limits(struct vx_dev *dev, const struct vx_limits *lim)
{
	dev->lim = *lim;
	dev->rev = vmxnet3_rev_get(lim->rev);
}
