/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_rss.h"

#include <string.h>

#include "vx_cmd.h"

#define HASH_FUNC_TOEPLITZ 1
#define FIELDS_TCP (VMXNET3_RSS_FIELDS_TCPIP4 | VMXNET3_RSS_FIELDS_TCPIP6)

/* What ethdev names by one bit: as RSSConf and SET_RSS_FIELDS call it, the latter also inside of tunnels; 0: by no bit. */
static const struct {
	uint64_t hf;
	uint16_t hash_type;
	uint32_t field, inner_field;
	uint32_t cap; /* of a device that has capabilities; 0: every one */
} types[] = {
	{ RTE_ETH_RSS_IPV4, VMXNET3_RSS_HASH_IPV4, 0, VMXNET3_RSS_FIELDS_INNER_IP4, 0 },
	{ RTE_ETH_RSS_IPV6, VMXNET3_RSS_HASH_IPV6, 0, VMXNET3_RSS_FIELDS_INNER_IP6, 0 },
	{ RTE_ETH_RSS_NONFRAG_IPV4_TCP, VMXNET3_RSS_HASH_TCP_IPV4, VMXNET3_RSS_FIELDS_TCPIP4,
		VMXNET3_RSS_FIELDS_INNER_TCPIP4, 0 },
	{ RTE_ETH_RSS_NONFRAG_IPV6_TCP, VMXNET3_RSS_HASH_TCP_IPV6, VMXNET3_RSS_FIELDS_TCPIP6,
		VMXNET3_RSS_FIELDS_INNER_TCPIP6, 0 },
	{ RTE_ETH_RSS_NONFRAG_IPV4_UDP, 0, VMXNET3_RSS_FIELDS_UDPIP4, VMXNET3_RSS_FIELDS_INNER_UDPIP4,
		VMXNET3_CAP_UDP_RSS },
	{ RTE_ETH_RSS_NONFRAG_IPV6_UDP, 0, VMXNET3_RSS_FIELDS_UDPIP6, VMXNET3_RSS_FIELDS_INNER_UDPIP6,
		VMXNET3_CAP_UDP_RSS },
	{ RTE_ETH_RSS_ESP, 0, VMXNET3_RSS_FIELDS_ESPIP4, 0, VMXNET3_CAP_ESP_RSS_IPV4 },
	{ RTE_ETH_RSS_ESP, 0, VMXNET3_RSS_FIELDS_ESPIP6, 0, VMXNET3_CAP_ESP_RSS_IPV6 },
};

/* The key that the test vectors of Microsoft's RSS are computed with. */
static const uint8_t default_key[VX_RSS_KEY_BYTES] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67,
	0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
	0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30,
	0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* Whether a device with these limits has type @p i. What RSSConf has no bit for came with the fields. */
static bool
has_type(const struct vx_limits *lim, unsigned int i)
{
	const struct vmxnet3_rev *rev = vmxnet3_rev_get(lim->rev);

	if (types[i].hash_type != 0)
		return true;
	return rev->rss_fields && (!rev->caps || (lim->dcr & types[i].cap));
}

uint64_t
vx_rss_types(const struct vx_limits *lim)
{
	uint64_t hf = lim->dcr & VMXNET3_CAP_INNER_RSS ? RTE_ETH_RSS_LEVEL_MASK : RTE_ETH_RSS_LEVEL_OUTERMOST;
	unsigned int i;

	for (i = 0; i < RTE_DIM(types); i++) {
		if (has_type(lim, i))
			hf |= types[i].hf;
	}
	return hf;
}

static bool
wants_inner(const struct vx_dev *dev)
{
	return (dev->rss.hf & RTE_ETH_RSS_LEVEL_MASK) == RTE_ETH_RSS_LEVEL_INNERMOST;
}

bool
vx_rss_is_on(const struct vx_dev *dev)
{
	return (dev->rss.hf & ~RTE_ETH_RSS_LEVEL_MASK) != 0;
}

void
vx_rss_init(struct vx_dev *dev)
{
	memcpy(dev->rss.key, default_key, sizeof(default_key));
}

/* Checks and remembers what an application asks for. */
static int
set_conf(struct vx_dev *dev, const struct rte_eth_rss_conf *conf)
{
	if (conf->rss_key != NULL && conf->rss_key_len != VX_RSS_KEY_BYTES) {
		VX_LOG(ERR, dev, "an RSS key has %u bytes, not %u", VX_RSS_KEY_BYTES, conf->rss_key_len);
		return -EINVAL;
	}
	if ((conf->rss_hf & ~vx_rss_types(&dev->lim)) != 0) {
		VX_LOG(ERR, dev, "cannot hash 0x%" PRIx64 ", only 0x%" PRIx64, conf->rss_hf,
			vx_rss_types(&dev->lim));
		return -EINVAL;
	}
	if (conf->rss_key != NULL)
		memcpy(dev->rss.key, conf->rss_key, VX_RSS_KEY_BYTES);
	dev->rss.hf = conf->rss_hf;
	return 0;
}

int
vx_rss_configure(struct vx_dev *dev)
{
	const struct rte_eth_dev_data *data = dev->eth_dev->data;
	unsigned int i;

	for (i = 0; i < VX_RETA_SIZE; i++)
		dev->rss.table[i] = data->nb_rx_queues > 0 ? i % data->nb_rx_queues : 0;
	dev->rss.hf = 0;
	if (!(data->dev_conf.rxmode.mq_mode & RTE_ETH_MQ_RX_RSS_FLAG))
		return 0;
	return set_conf(dev, &data->dev_conf.rx_adv_conf.rss_conf);
}

bool
vx_rss_fill(struct vx_dev *dev)
{
	struct vmxnet3_rss_conf *conf = &dev->area->rss;
	uint16_t hash_type = 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(types); i++) {
		if (dev->rss.hf & types[i].hf)
			hash_type |= types[i].hash_type;
	}
	conf->hash_type = rte_cpu_to_le_16(hash_type);
	conf->hash_func = rte_cpu_to_le_16(HASH_FUNC_TOEPLITZ);
	conf->hash_key_size = rte_cpu_to_le_16(VX_RSS_KEY_BYTES);
	conf->ind_table_size = rte_cpu_to_le_16(VX_RETA_SIZE);
	memcpy(conf->hash_key, dev->rss.key, sizeof(conf->hash_key));
	memcpy(conf->ind_table, dev->rss.table, sizeof(conf->ind_table));
	return vx_rss_is_on(dev);
}

void
vx_rss_apply_fields(struct vx_dev *dev)
{
	uint32_t fields = FIELDS_TCP; /* ESXi wants both; RSSConf's hash type says whether they count */
	uint32_t result, applied;
	unsigned int i;

	if (!dev->rev->rss_fields || !vx_rss_is_on(dev))
		return;
	for (i = 0; i < RTE_DIM(types); i++) {
		if (dev->rss.hf & types[i].hf && has_type(&dev->lim, i))
			fields |= types[i].field | (wants_inner(dev) ? types[i].inner_field : 0);
	}
	dev->area->shared.cmd_info.rss_fields = rte_cpu_to_le_32(fields);
	result = vx_cmd_get(dev, VMXNET3_CMD_SET_RSS_FIELDS);
	applied = vx_cmd_get(dev, VMXNET3_CMD_GET_RSS_FIELDS);
	if (result != 0 || (fields & ~applied) != 0)
		VX_LOG(WARNING, dev, "asked to hash fields 0x%x, the device answers %u and hashes 0x%x",
			fields, result, applied);
}

/* ---- ethdev operations ---- */

static void
update_active(struct vx_dev *dev, bool was_on)
{
	struct vmxnet3_misc_conf *misc = &dev->area->shared.misc;
	bool on;

	if (!dev->active)
		return;
	on = vx_rss_fill(dev);
	vx_rss_apply_fields(dev);
	if (on != was_on) {
		misc->upt_features ^= rte_cpu_to_le_64(VMXNET3_F_RSS);
		vx_cmd(dev, VMXNET3_CMD_UPDATE_FEATURE);
	}
	vx_cmd(dev, VMXNET3_CMD_UPDATE_RSSIDT); /* all of RSSConf */
}

int
vx_rss_hash_update(struct rte_eth_dev *eth_dev, struct rte_eth_rss_conf *conf)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	bool was_on;
	int ret;

	vx_lock(dev);
	was_on = vx_rss_is_on(dev);
	ret = set_conf(dev, conf);
	if (ret == 0)
		update_active(dev, was_on);
	vx_unlock(dev);
	return ret;
}

int
vx_rss_hash_conf_get(struct rte_eth_dev *eth_dev, struct rte_eth_rss_conf *conf)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);

	vx_lock(dev);
	if (conf->rss_key != NULL && conf->rss_key_len >= VX_RSS_KEY_BYTES)
		memcpy(conf->rss_key, dev->rss.key, VX_RSS_KEY_BYTES);
	conf->rss_key_len = VX_RSS_KEY_BYTES;
	conf->rss_hf = dev->rss.hf;
	vx_unlock(dev);
	return 0;
}

static int
check_size(const struct vx_dev *dev, uint16_t size)
{
	if (size == VX_RETA_SIZE)
		return 0;
	VX_LOG(ERR, dev, "the redirection table has %u entries, not %u", VX_RETA_SIZE, size);
	return -EINVAL;
}

int
vx_reta_update(struct rte_eth_dev *eth_dev, struct rte_eth_rss_reta_entry64 *conf, uint16_t size)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	uint8_t table[VX_RETA_SIZE];
	int ret = check_size(dev, size);
	unsigned int i;

	if (ret != 0)
		return ret;
	vx_lock(dev);
	memcpy(table, dev->rss.table, sizeof(table));
	for (i = 0; i < VX_RETA_SIZE && ret == 0; i++) {
		const struct rte_eth_rss_reta_entry64 *group = &conf[i / RTE_ETH_RETA_GROUP_SIZE];
		unsigned int at = i % RTE_ETH_RETA_GROUP_SIZE;

		if (!(group->mask & RTE_BIT64(at)))
			continue;
		if (group->reta[at] >= eth_dev->data->nb_rx_queues)
			ret = -EINVAL;
		table[i] = group->reta[at];
	}
	if (ret == 0) {
		memcpy(dev->rss.table, table, sizeof(table));
		update_active(dev, vx_rss_is_on(dev));
	}
	vx_unlock(dev);
	return ret;
}

int
vx_reta_query(struct rte_eth_dev *eth_dev, struct rte_eth_rss_reta_entry64 *conf, uint16_t size)
{
	struct vx_dev *dev = vx_dev_of(eth_dev);
	int ret = check_size(dev, size);
	unsigned int i;

	if (ret != 0)
		return ret;
	vx_lock(dev);
	for (i = 0; i < VX_RETA_SIZE; i++) {
		struct rte_eth_rss_reta_entry64 *group = &conf[i / RTE_ETH_RETA_GROUP_SIZE];
		unsigned int at = i % RTE_ETH_RETA_GROUP_SIZE;

		if (group->mask & RTE_BIT64(at))
			group->reta[at] = dev->rss.table[i];
	}
	vx_unlock(dev);
	return 0;
}
