/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the guest reads and writes by messages: configuration space, and the BARs. Registers have 32
 * bits and stand eight bytes apart. Reads of any size work; a write counts only if it has exactly
 * the size and place of a register.
 */
#include <string.h>

#include "dev_activate.h"
#include "dev_cmd.h"
#include "dev_intr.h"
#include "dev_load.h"
#include "dev_pci.h"
#include "dev_reset.h"

/* The shared page, without what its owner may have stored beside the registers. */
static uint32_t
bar0_read(struct vmxnet3_dev *dev, uint32_t reg)
{
	if (reg >= VMXNET3_REG_BAR0_END)
		return 0;
	return atomic_load_explicit(&dev->bar0[reg / 4], memory_order_acquire);
}

static void
bar0_write(struct vmxnet3_dev *dev, uint32_t reg, uint32_t v)
{
	uint32_t queue, nb_queues;

	if (reg >= VMXNET3_REG_BAR0_END)
		return;
	atomic_store_explicit(&dev->bar0[reg / 4], v, memory_order_seq_cst);
	if (reg < VMXNET3_REG_TXPROD) {
		if (v & 1)
			dev_intr_masked(dev, reg / VMXNET3_REG_STRIDE);
		else
			vmxnet3_dev_intr_poll(dev);
		return;
	}
	queue = reg % (VMXNET3_REG_RXPROD - VMXNET3_REG_TXPROD) / VMXNET3_REG_STRIDE;
	nb_queues = atomic_load(reg < VMXNET3_REG_RXPROD ? &dev->nb_txq : &dev->nb_rxq);
	if (queue < nb_queues)
		dev_wake(dev);
}

static uint32_t
mac_bytes(const uint8_t *mac, unsigned int from, unsigned int n)
{
	uint32_t v = 0;

	memcpy(&v, mac + from, n);
	return v;
}

static uint32_t
bar1_read(struct vmxnet3_dev *dev, uint32_t reg)
{
	const struct dev_state *st = dev->st;

	switch (reg) {
	case VMXNET3_REG_VRRS:
		return dev->conf.revisions;
	case VMXNET3_REG_UVRS:
		return 1;
	case VMXNET3_REG_DSAL:
		return st->dsal;
	case VMXNET3_REG_DSAH:
		return st->dsah;
	case VMXNET3_REG_CMD:
		return st->cmd_result;
	case VMXNET3_REG_MACL:
		return mac_bytes(st->mac, 0, 4);
	case VMXNET3_REG_MACH:
		return mac_bytes(st->mac, 4, 2);
	case VMXNET3_REG_ICR:
		return dev_intr_icr_read(dev);
	case VMXNET3_REG_ECR:
		return dev_ecr_read(dev);
	case VMXNET3_REG_DCR:
		return vmxnet3_rev_caps(dev->rev);
	default:
		if (dev->rev->caps && reg >= VMXNET3_REG_PTCR &&
			reg < VMXNET3_REG_PTCR + VMXNET3_NB_PTCR * VMXNET3_REG_STRIDE)
			return VMXNET3_CAP_NONE;
		return 0;
	}
}

/*
 * A driver that begins anew need not have stopped the one before it: a crash kernel finds us
 * active.
 */
static void
vrrs_write(struct vmxnet3_dev *dev, uint32_t v)
{
	if (v == 0 || (v & (v - 1)) != 0 || (v & dev->conf.revisions) == 0) {
		dev_log(dev, VMXNET3_LOG_WARNING,
			"driver selects revision mask 0x%x, not one of those offered (0x%x): ignored",
			v, dev->conf.revisions);
		return;
	}
	dev_quiesce(dev);
	dev_select_revision(dev, (uint32_t)__builtin_ctz(v) + 1);
}

/* While active the new address waits for the next activation; the running rings keep their area. */
static void
dsal_write(struct vmxnet3_dev *dev, uint32_t v)
{
	dev->st->dsal = v;
	dev->st->shared_valid = 0;
	if (v == 0)
		dev_quiesce(dev);
}

static void
dsah_write(struct vmxnet3_dev *dev, uint32_t v)
{
	struct dev_state *st = dev->st;
	uint64_t pa = (uint64_t)v << 32 | st->dsal;

	st->dsah = v;
	st->shared_valid = pa != 0;
	if (!st->active)
		st->shared_pa = pa;
}

static void
mach_write(struct vmxnet3_dev *dev, uint32_t v)
{
	struct dev_state *st = dev->st;

	memcpy(st->mac, &st->mac_staged, 4);
	memcpy(st->mac + 4, &v, 2);
	memcpy(dev_filter_edit(dev)->mac, st->mac, sizeof(st->mac));
	dev_filter_publish(dev);
}

/* What a driver may have hashed depends on it. */
static void
dcr_write(struct vmxnet3_dev *dev, uint32_t v)
{
	dev->st->dcr[0] = v & vmxnet3_rev_caps(dev->rev);
	dev_update_rss_types(dev);
	dev->changed = true;
}

static void
bar1_write(struct vmxnet3_dev *dev, uint32_t reg, uint32_t v)
{
	switch (reg) {
	case VMXNET3_REG_VRRS:
		vrrs_write(dev, v);
		break;
	case VMXNET3_REG_DSAL:
		dsal_write(dev, v);
		break;
	case VMXNET3_REG_DSAH:
		dsah_write(dev, v);
		break;
	case VMXNET3_REG_CMD:
		dev_cmd(dev, v);
		break;
	case VMXNET3_REG_MACL:
		dev->st->mac_staged = v;
		break;
	case VMXNET3_REG_MACH:
		mach_write(dev, v);
		break;
	case VMXNET3_REG_ECR:
		dev_ecr_clear(dev, v);
		break;
	case VMXNET3_REG_DCR:
		dcr_write(dev, v);
		break;
	default:
		break;
	}
}

static uint32_t
register_read(struct vmxnet3_dev *dev, unsigned int bar, uint32_t reg)
{
	if (bar == 0)
		return bar0_read(dev, reg);
	/*
	 * BAR2: the table belongs to the bus, which also keeps the pending bits; ours are never
	 * set.
	 */
	return bar == 1 ? bar1_read(dev, reg) : 0;
}

void
vmxnet3_dev_bar_read(struct vmxnet3_dev *dev, unsigned int bar, uint64_t offset, void *buf,
	uint32_t len)
{
	uint64_t end, reg;
	uint8_t *out = buf;
	uint32_t v, i;

	memset(buf, 0, len);
	if (bar > 1 || offset >= VMXNET3_BAR0_SIZE)
		return;
	end = len < VMXNET3_BAR0_SIZE - offset ? offset + len : VMXNET3_BAR0_SIZE;
	dev_lock(dev);
	for (reg = offset / VMXNET3_REG_STRIDE * VMXNET3_REG_STRIDE; reg < end;
		reg += VMXNET3_REG_STRIDE) {
		if (reg + 4 <= offset)
			continue; /* only the gap after this register is read: no side effect */
		v = register_read(dev, bar, (uint32_t)reg);
		for (i = 0; i < 4; i++) {
			if (reg + i >= offset && reg + i < end)
				out[reg + i - offset] = (uint8_t)(v >> (8 * i));
		}
	}
	dev_unlock(dev);
}

void
vmxnet3_dev_bar_write(struct vmxnet3_dev *dev, unsigned int bar, uint64_t offset, const void *buf,
	uint32_t len)
{
	uint32_t v;

	if (bar > 1 || len != sizeof(v) || offset % VMXNET3_REG_STRIDE != 0 ||
		offset >= VMXNET3_BAR0_SIZE)
		return;
	memcpy(&v, buf, sizeof(v));
	dev_lock(dev);
	if (bar == 0)
		bar0_write(dev, (uint32_t)offset, v);
	else
		bar1_write(dev, (uint32_t)offset, v);
	dev_unlock(dev);
}

void
vmxnet3_dev_pci_read(struct vmxnet3_dev *dev, uint64_t offset, void *buf, uint32_t len)
{
	dev_lock(dev);
	dev_pci_read(dev, dev_intr_intx_level(dev), offset, buf, len);
	dev_unlock(dev);
}

void
vmxnet3_dev_pci_write(struct vmxnet3_dev *dev, uint64_t offset, const void *buf, uint32_t len)
{
	dev_lock(dev);
	if (dev_pci_write(dev, offset, buf, len)) {
		dev_intr_reconfigure(dev);
		dev_run_update(dev);
		vmxnet3_dev_intr_poll(dev);
	}
	dev_unlock(dev);
}
