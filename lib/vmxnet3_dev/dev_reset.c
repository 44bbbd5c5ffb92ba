/* SPDX-License-Identifier: BSD-3-Clause */
#include "dev_reset.h"

#include <string.h>

#include "dev_activate.h"
#include "dev_intr.h"
#include "dev_load.h"
#include "dev_pci.h"

#define RSS_FIELDS_DEFAULT (VMXNET3_RSS_FIELDS_TCPIP4 | VMXNET3_RSS_FIELDS_TCPIP6)

#define IMR_SLOTS   ((VMXNET3_REG_TXPROD - VMXNET3_REG_IMR) / VMXNET3_REG_STRIDE)
#define BAR0_DWORDS (VMXNET3_BAR0_SIZE / 4)

/*
 * BAR0 as after RESET: every vector masked, no doorbell. Masks of an earlier driver must not let
 * anything through.
 */
static void
bar0_reset(struct vmxnet3_dev *dev)
{
	uint32_t i;

	for (i = 0; i < BAR0_DWORDS; i++)
		atomic_store_explicit(&dev->bar0[i], i < IMR_SLOTS * 2 && i % 2 == 0,
			memory_order_relaxed);
}

/* What a new driver finds, whatever the one before it set: coalescing, RSS fields, capabilities. */
static void
forget_driver(struct vmxnet3_dev *dev, bool keep_caps)
{
	struct dev_state *st = dev->st;

	if (!keep_caps)
		memset(st->dcr, 0, sizeof(st->dcr));
	st->rss_fields = RSS_FIELDS_DEFAULT;
	st->coalesce = (struct vmxnet3_coalesce){ .mode = DEV_COALESCE_ADAPTIVE };
	dev_moderation_set(dev);
}

void
dev_driver_reset(struct vmxnet3_dev *dev)
{
	struct dev_state *st = dev->st;

	dev_quiesce(dev);
	bar0_reset(dev);
	forget_driver(dev, true);
	st->shared_pa = 0;
	st->shared_valid = 0;
	st->dsal = 0;
	st->dsah = 0;
	memcpy(st->mac, st->perm_mac, sizeof(st->mac));
	memcpy(dev_filter_edit(dev)->mac, st->mac, sizeof(st->mac));
	dev_filter_publish(dev);
}

void
dev_select_revision(struct vmxnet3_dev *dev, uint32_t revision)
{
	dev->st->revision = revision;
	dev->rev = vmxnet3_rev_get(revision != 0 ? revision : 1);
	forget_driver(dev, false);
}

void
dev_power_on(struct vmxnet3_dev *dev)
{
	struct dev_state *st = dev->st;
	struct offload_filter *flt;

	/* Bus master off first: nothing more is written for the driver that was. */
	dev_pci_power_on(dev);
	dev_quiesce(dev);
	dev_intr_reconfigure(dev);
	bar0_reset(dev);
	dev_select_revision(dev, 0);
	memcpy(st->mac, st->perm_mac, sizeof(st->mac));
	st->mac_staged = 0;
	st->shared_pa = 0;
	st->shared_valid = 0;
	st->dsal = 0;
	st->dsah = 0;
	st->cmd = 0;
	st->cmd_result = 0;
	memset(&st->cfg, 0, sizeof(st->cfg));
	flt = dev_filter_edit(dev);
	memset(flt, 0, sizeof(*flt));
	memcpy(flt->mac, st->mac, sizeof(flt->mac));
	flt->vlan_any = true;
	dev_filter_publish(dev);
}
