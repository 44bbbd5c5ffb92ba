/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands: one table. A command runs to its end inside the register write, because drivers free or
 * reuse its arguments right after that. Each is bounded work.
 */
#include "dev_cmd.h"

#include <string.h>

#include <rte_common.h>

#include "dev_activate.h"
#include "dev_intr.h"
#include "dev_load.h"
#include "dev_mem.h"
#include "dev_pci.h"
#include "dev_queue.h"
#include "dev_reset.h"

#define COALESCE_RATE_MIN  100
#define COALESCE_RATE_MAX  100000

/* Of both data rings: what drivers take when they are not told. */
#define DATA_DESC_BYTES 128u

/* Result of a command that was refused. */
#define CMD_FAILED 1u

/* ---- life ---- */

static uint32_t
cmd_activate(struct vmxnet3_dev *dev)
{
	return dev_activate(dev);
}

static uint32_t
cmd_quiesce(struct vmxnet3_dev *dev)
{
	dev_quiesce(dev);
	return 0;
}

static uint32_t
cmd_reset(struct vmxnet3_dev *dev)
{
	dev_driver_reset(dev);
	return 0;
}

/* ---- UPDATE commands: only while active, since ACTIVATE loads everything anyway ---- */

static bool
snapshot(struct vmxnet3_dev *dev, struct vmxnet3_shared *shared)
{
	return dev->st->active && dev_shared_read(dev, shared);
}

static uint32_t
cmd_update_rx_mode(struct vmxnet3_dev *dev)
{
	struct vmxnet3_shared shared;

	if (snapshot(dev, &shared)) {
		dev_load_rx_mode(dev, &shared);
		dev_filter_publish(dev);
	}
	return 0;
}

static uint32_t
cmd_update_mac_filters(struct vmxnet3_dev *dev)
{
	struct vmxnet3_shared shared;

	if (snapshot(dev, &shared)) {
		dev_load_mac_filters(dev, &shared);
		dev_filter_publish(dev);
	}
	return 0;
}

static uint32_t
cmd_update_vlan_filters(struct vmxnet3_dev *dev)
{
	struct vmxnet3_shared shared;

	if (snapshot(dev, &shared)) {
		dev_load_vlan_filters(dev, &shared);
		dev_filter_publish(dev);
	}
	return 0;
}

static uint32_t
cmd_update_rss(struct vmxnet3_dev *dev)
{
	struct vmxnet3_shared shared;

	if (snapshot(dev, &shared))
		dev_load_rss(dev, &shared);
	return 0;
}

static uint32_t
cmd_update_feature(struct vmxnet3_dev *dev)
{
	struct vmxnet3_shared shared;

	if (snapshot(dev, &shared)) {
		dev_load_features(dev, &shared);
		dev->changed = true;
	}
	return 0;
}

/*
 * Hints and requests that change nothing here: interrupt moderation levels, wake-up patterns (there
 * is no wake-up), memory regions (all guest memory is mapped anyway), buffer sizes (the length in
 * each descriptor rules), polling, plug-ins, packet steering.
 */
static uint32_t
cmd_accept(struct vmxnet3_dev *dev __rte_unused)
{
	return 0;
}

/* ---- commands with arguments in cmdInfo ---- */

/* Copies cmdInfo, if it is a driver's shared area that we find where it should be. */
static bool
read_cmd_info(struct vmxnet3_dev *dev, union vmxnet3_cmd_info *info)
{
	uint64_t pa = dev->st->shared_pa;
	uint32_t magic;

	if (!dev_dma_allowed(dev) || (!dev->st->active && !dev->st->shared_valid))
		return false;
	return dev_mem_read(dev, pa, &magic, sizeof(magic)) && magic == VMXNET3_MAGIC &&
		dev_mem_read(dev, pa + offsetof(struct vmxnet3_shared, cmd_info), info,
			sizeof(*info));
}

static bool
coalesce_is_valid(const struct vmxnet3_coalesce *c)
{
	unsigned int i;

	switch (c->mode) {
	case DEV_COALESCE_DISABLED:
	case DEV_COALESCE_ADAPTIVE:
		return true;
	case DEV_COALESCE_STATIC:
		for (i = 0; i < RTE_DIM(c->param); i++) {
			if (c->param[i] > DEV_COALESCE_DEPTH_MAX)
				return false;
		}
		return true;
	case DEV_COALESCE_RATE:
		return c->param[0] >= COALESCE_RATE_MIN && c->param[0] <= COALESCE_RATE_MAX;
	default:
		return false;
	}
}

static uint32_t
cmd_set_coalesce(struct vmxnet3_dev *dev)
{
	union vmxnet3_cmd_info info;
	struct vmxnet3_coalesce asked;

	if (!read_cmd_info(dev, &info))
		return 0;
	if (info.var_conf.len < sizeof(asked) ||
		!dev_mem_read(dev, info.var_conf.pa, &asked, sizeof(asked)) ||
		!coalesce_is_valid(&asked))
		return CMD_FAILED;
	dev->st->coalesce = asked;
	dev_moderation_set(dev);
	return 0;
}

static uint32_t
cmd_get_coalesce(struct vmxnet3_dev *dev)
{
	union vmxnet3_cmd_info info;

	if (!read_cmd_info(dev, &info))
		return 0;
	if (info.var_conf.len < sizeof(dev->st->coalesce) ||
		!dev_mem_write(dev, info.var_conf.pa, &dev->st->coalesce,
			sizeof(dev->st->coalesce)))
		return CMD_FAILED;
	return 0;
}

/* What of it is supported is applied; the driver reads back what that was. */
static uint32_t
cmd_set_rss_fields(struct vmxnet3_dev *dev)
{
	union vmxnet3_cmd_info info;

	if (!read_cmd_info(dev, &info))
		return 0;
	dev->st->rss_fields = info.rss_fields;
	dev_update_rss_types(dev);
	dev->changed = true;
	return 0;
}

/* ---- GET ---- */

static uint32_t
cmd_get_queue_status(struct vmxnet3_dev *dev)
{
	if (dev->st->active && dev_dma_allowed(dev))
		dev_write_queue_status(dev);
	return 0;
}

/* A timer may send this between another command and the reading of that one's result. */
static uint32_t
cmd_get_stats(struct vmxnet3_dev *dev)
{
	if (dev->st->active && dev_dma_allowed(dev))
		dev_write_queue_stats(dev);
	return dev->st->cmd_result;
}

/* Sixteen bits of Mbit/s; from revision 9 on of Gbit/s. */
static uint32_t
cmd_get_link(struct vmxnet3_dev *dev)
{
	uint32_t speed = dev->conf.link_speed;

	if (dev->rev->speed_gbit)
		speed = RTE_MAX(speed / 1000, 1u);
	return RTE_MIN(speed, (uint32_t)UINT16_MAX) << 16 | (dev->st->link_up != 0);
}

static uint32_t
cmd_get_perm_mac_lo(struct vmxnet3_dev *dev)
{
	uint32_t v;

	memcpy(&v, dev->st->perm_mac, 4);
	return v;
}

static uint32_t
cmd_get_perm_mac_hi(struct vmxnet3_dev *dev)
{
	return (uint32_t)dev->st->perm_mac[4] | (uint32_t)dev->st->perm_mac[5] << 8;
}

static uint32_t
cmd_get_did_lo(struct vmxnet3_dev *dev __rte_unused)
{
	return VMXNET3_PCI_DEVICE;
}

static uint32_t
cmd_get_one(struct vmxnet3_dev *dev __rte_unused)
{
	return 1;
}

static uint32_t
cmd_get_txdata_desc_size(struct vmxnet3_dev *dev)
{
	return DATA_DESC_BYTES | (dev->rev->speed_gbit ? DATA_DESC_BYTES << 16 : 0);
}

static uint32_t
cmd_get_rss_fields(struct vmxnet3_dev *dev)
{
	return dev_rss_fields(dev);
}

/* Linux asks again when it lets go of the device, to know what to free: it must not change. */
static uint32_t
cmd_get_max_queues(struct vmxnet3_dev *dev)
{
	return (uint32_t)dev->conf.max_rx_queues << 8 | dev->conf.max_tx_queues;
}

static uint32_t
cmd_get_dcr0(struct vmxnet3_dev *dev)
{
	return dev->st->dcr[0];
}

#define SINCE_REV_1 0
#define SINCE(property) offsetof(struct vmxnet3_rev, property)
static_assert(SINCE(lro_type4) > 0, "offset 0 stands for revision 1");

/* Zero is the right result of whatever is not listed. */
static const struct {
	uint32_t code;
	size_t since; /* the property of a revision that brings the command */
	uint32_t (*run)(struct vmxnet3_dev *dev);
} commands[] = {
	{ VMXNET3_CMD_ACTIVATE_DEV, SINCE_REV_1, cmd_activate },
	{ VMXNET3_CMD_QUIESCE_DEV, SINCE_REV_1, cmd_quiesce },
	{ VMXNET3_CMD_RESET_DEV, SINCE_REV_1, cmd_reset },
	{ VMXNET3_CMD_UPDATE_RX_MODE, SINCE_REV_1, cmd_update_rx_mode },
	{ VMXNET3_CMD_UPDATE_MAC_FILTERS, SINCE_REV_1, cmd_update_mac_filters },
	{ VMXNET3_CMD_UPDATE_VLAN_FILTERS, SINCE_REV_1, cmd_update_vlan_filters },
	{ VMXNET3_CMD_UPDATE_RSSIDT, SINCE_REV_1, cmd_update_rss },
	{ VMXNET3_CMD_UPDATE_IML, SINCE_REV_1, cmd_accept },
	{ VMXNET3_CMD_UPDATE_PMCFG, SINCE_REV_1, cmd_accept },
	{ VMXNET3_CMD_UPDATE_FEATURE, SINCE_REV_1, cmd_update_feature },
	{ VMXNET3_CMD_STOP_EMULATION, SINCE_REV_1, cmd_accept },
	{ VMXNET3_CMD_LOAD_PLUGIN, SINCE_REV_1, cmd_accept },
	{ VMXNET3_CMD_ACTIVATE_VF, SINCE_REV_1, cmd_accept },
	{ VMXNET3_CMD_SET_POLLING, SINCE_REV_1, cmd_accept },
	{ VMXNET3_CMD_SET_COALESCE, SINCE(data_desc_var), cmd_set_coalesce },
	{ VMXNET3_CMD_REGISTER_MEMREGS, SINCE_REV_1, cmd_accept }, /* DPDK: at every revision */
	{ VMXNET3_CMD_SET_RSS_FIELDS, SINCE(rss_fields), cmd_set_rss_fields },
	{ VMXNET3_CMD_SET_PKTSTEERING, SINCE(rss_fields), cmd_accept },
	{ VMXNET3_CMD_SET_ESP_QUEUE_SELECTION_CONF, SINCE(caps), cmd_accept },
	{ VMXNET3_CMD_SET_RING_BUFFER_SIZE, SINCE(caps), cmd_accept },

	{ VMXNET3_CMD_GET_QUEUE_STATUS, SINCE_REV_1, cmd_get_queue_status },
	{ VMXNET3_CMD_GET_STATS, SINCE_REV_1, cmd_get_stats },
	{ VMXNET3_CMD_GET_LINK, SINCE_REV_1, cmd_get_link },
	{ VMXNET3_CMD_GET_PERM_MAC_LO, SINCE_REV_1, cmd_get_perm_mac_lo },
	{ VMXNET3_CMD_GET_PERM_MAC_HI, SINCE_REV_1, cmd_get_perm_mac_hi },
	{ VMXNET3_CMD_GET_DID_LO, SINCE_REV_1, cmd_get_did_lo },
	{ VMXNET3_CMD_GET_DID_HI, SINCE_REV_1, cmd_get_one },
	{ VMXNET3_CMD_GET_DEV_EXTRA_INFO, SINCE_REV_1, cmd_accept },
	{ VMXNET3_CMD_GET_CONF_INTR, SINCE_REV_1, cmd_accept }, /* auto, auto: MSI-X, auto-mask */
	{ VMXNET3_CMD_GET_ADAPTIVE_RING_INFO, SINCE_REV_1, cmd_get_one }, /* disabled */
	{ VMXNET3_CMD_GET_TXDATA_DESC_SIZE, SINCE(data_desc_var), cmd_get_txdata_desc_size },
	{ VMXNET3_CMD_GET_COALESCE, SINCE(data_desc_var), cmd_get_coalesce },
	{ VMXNET3_CMD_GET_RSS_FIELDS, SINCE(rss_fields), cmd_get_rss_fields },
	{ VMXNET3_CMD_GET_MAX_QUEUES_CONF, SINCE(max_queues), cmd_get_max_queues },
	/* DPDK 23.07 to 24.03 sends each of these two by the number before it, and only logs the results. */
	{ VMXNET3_CMD_GET_RSS_HASH_FUNC, SINCE(caps), cmd_accept }, /* Toeplitz, there is no other */
	{ VMXNET3_CMD_GET_MAX_CAPABILITIES, SINCE(caps), cmd_get_one }, /* words in use */
	{ VMXNET3_CMD_GET_DCR0_REG, SINCE(caps), cmd_get_dcr0 },
	/* No time stamps: with them, Linux reads a performance counter that only VMware has. */
	{ VMXNET3_CMD_GET_TSRING_DESC_SIZE, SINCE(speed_gbit), cmd_accept },
	{ VMXNET3_CMD_GET_DISABLED_OFFLOADS, SINCE(speed_gbit), cmd_accept }, /* none */
};

static bool
revision_has(const struct vmxnet3_rev *rev, size_t since)
{
	return since == SINCE_REV_1 || *(const bool *)((const uint8_t *)rev + since);
}

void
dev_cmd(struct vmxnet3_dev *dev, uint32_t cmd)
{
	unsigned int i;

	dev->st->cmd = cmd; /* before it is acted on */
	for (i = 0; i < RTE_DIM(commands); i++) {
		if (commands[i].code != cmd || !revision_has(dev->rev, commands[i].since))
			continue;
		dev->st->cmd_result = commands[i].run(dev);
		/* What the command wrote is visible before its end is. */
		atomic_thread_fence(memory_order_release);
		return;
	}
	dev->st->cmd_result = 0;
	dev_log(dev, VMXNET3_LOG_DEBUG, "command 0x%x is not one of revision %u", cmd,
		dev->st->revision);
}
