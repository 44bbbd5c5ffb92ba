/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration space of a conventional PCI device: 256 bytes, no PCI Express capability. QEMU
 * would have to convert one according to the bus it finds, and drops the express side of a device
 * with 256 bytes; without it the card works on i440fx, on q35's root bus and behind a root port
 * alike. Power management is there because drivers suspend by it; it keeps the device's state over
 * D3hot and offers no wake-up.
 */
#include "dev_pci.h"

#include <string.h>

#define PCI_COMMAND         0x04
#define PCI_COMMAND_MEMORY  0x0002u
#define PCI_COMMAND_MASTER  0x0004u
#define PCI_COMMAND_NO_INTX 0x0400u
#define PCI_COMMAND_BITS    0x0547u /* I/O, memory, master, parity, SERR, no INTx */
#define PCI_STATUS          0x06
#define PCI_STATUS_INTX     0x08u
#define PCI_STATUS_CAPS     0x10u
#define PCI_BAR             0x10
#define PCI_CAP_POINTER     0x34
#define PCI_INTR_LINE       0x3c
#define PCI_INTR_PIN        0x3d

#define CAP_PM    0x40
#define CAP_MSI   0x84
#define CAP_MSIX  0x9c
#define PM_STATE  (CAP_PM + 4)
#define MSI_CTRL  (CAP_MSI + 2)
#define MSIX_CTRL (CAP_MSIX + 2)

#define PM_STATE_MASK     0x0003u
#define PM_NO_SOFT_RESET  0x0008u
#define MSI_ENABLE        0x0001u
#define MSI_CTRL_64BIT    0x0080u
#define MSIX_ENABLE       0x8000u
#define MSIX_MASK_ALL     0x4000u

static uint32_t
get16(const uint8_t *pci, unsigned int at)
{
	return (uint32_t)pci[at] | (uint32_t)pci[at + 1] << 8;
}

static void
put16(uint8_t *pci, unsigned int at, uint32_t v)
{
	pci[at] = (uint8_t)v;
	pci[at + 1] = (uint8_t)(v >> 8);
}

static void
put32(uint8_t *pci, unsigned int at, uint32_t v)
{
	put16(pci, at, v & 0xffff);
	put16(pci, at + 2, v >> 16);
}

void
dev_pci_power_on(struct vmxnet3_dev *dev)
{
	uint8_t *pci = dev->st->pci;

	memset(pci, 0, DEV_PCI_CONFIG_BYTES);
	put16(pci, 0x00, VMXNET3_PCI_VENDOR);
	put16(pci, 0x02, VMXNET3_PCI_DEVICE);
	put16(pci, PCI_STATUS, PCI_STATUS_CAPS);
	put32(pci, 0x08, (uint32_t)VMXNET3_PCI_CLASS << 8 | VMXNET3_PCI_REVISION);
	put16(pci, 0x2c, VMXNET3_PCI_VENDOR);
	put16(pci, 0x2e, VMXNET3_PCI_DEVICE);
	pci[PCI_CAP_POINTER] = CAP_PM;
	pci[PCI_INTR_PIN] = 1;

	put16(pci, CAP_PM, CAP_MSI << 8 | 0x01);
	put16(pci, CAP_PM + 2, 0x0003); /* version 3 */
	put16(pci, PM_STATE, PM_NO_SOFT_RESET);

	put16(pci, CAP_MSI, CAP_MSIX << 8 | 0x05);
	put16(pci, MSI_CTRL, MSI_CTRL_64BIT);

	put16(pci, CAP_MSIX, 0x11);
	put16(pci, MSIX_CTRL, VMXNET3_MAX_INTRS - 1);
	put32(pci, CAP_MSIX + 4, VMXNET3_MSIX_TABLE | 2);
	put32(pci, CAP_MSIX + 8, VMXNET3_MSIX_PBA | 2);
}

/* Which bits of a byte the guest can write. A BAR keeps its high bits, so that it can be sized. */
static uint8_t
writable(unsigned int at)
{
	switch (at) {
	case PCI_COMMAND:
		return PCI_COMMAND_BITS & 0xff;
	case PCI_COMMAND + 1:
		return PCI_COMMAND_BITS >> 8;
	case 0x0c: /* cache line size, latency timer */
	case 0x0d:
	case PCI_INTR_LINE:
		return 0xff;
	case PCI_BAR + 1:
	case PCI_BAR + 5:
		return (uint8_t)~((VMXNET3_BAR0_SIZE - 1) >> 8);
	case PCI_BAR + 9:
		return (uint8_t)~((VMXNET3_BAR2_SIZE - 1) >> 8);
	case PCI_BAR + 2:
	case PCI_BAR + 3:
	case PCI_BAR + 6:
	case PCI_BAR + 7:
	case PCI_BAR + 10:
	case PCI_BAR + 11:
		return 0xff;
	case PM_STATE:
		return PM_STATE_MASK;
	case MSI_CTRL:
		return MSI_ENABLE | 0x70; /* number of vectors: kept, one is used */
	case CAP_MSI + 4: /* the address is a multiple of four */
		return 0xfc;
	case MSIX_CTRL + 1:
		return (MSIX_ENABLE | MSIX_MASK_ALL) >> 8;
	default:
		return at > CAP_MSI + 4 && at < CAP_MSI + 14 ? 0xff : 0;
	}
}

bool
dev_pci_bus_master(const struct vmxnet3_dev *dev)
{
	const uint8_t *pci = dev->st->pci;

	return (get16(pci, PCI_COMMAND) & PCI_COMMAND_MASTER) != 0 &&
		(get16(pci, PM_STATE) & PM_STATE_MASK) == 0;
}

uint32_t
dev_pci_intr_type(const struct vmxnet3_dev *dev)
{
	const uint8_t *pci = dev->st->pci;

	if (get16(pci, MSIX_CTRL) & MSIX_ENABLE)
		return VFU_IRQ_MSIX;
	if (get16(pci, MSI_CTRL) & MSI_ENABLE)
		return VFU_IRQ_MSI;
	return get16(pci, PCI_COMMAND) & PCI_COMMAND_NO_INTX ? DEV_INTR_NONE : VFU_IRQ_INTX;
}

bool
dev_dma_allowed(const struct vmxnet3_dev *dev)
{
	return dev->attached && dev_pci_bus_master(dev);
}

void
dev_pci_read(const struct vmxnet3_dev *dev, bool intx_level, uint64_t offset, void *buf,
	uint32_t len)
{
	uint8_t pci[DEV_PCI_CONFIG_BYTES];
	uint32_t n;

	memset(buf, 0, len);
	if (offset >= sizeof(pci))
		return;
	n = len < sizeof(pci) - offset ? len : (uint32_t)(sizeof(pci) - offset);
	memcpy(pci, dev->st->pci, sizeof(pci));
	if (intx_level)
		pci[PCI_STATUS] |= PCI_STATUS_INTX;
	memcpy(buf, pci + offset, n);
}

bool
dev_pci_write(struct vmxnet3_dev *dev, uint64_t offset, const void *buf, uint32_t len)
{
	const uint8_t *in = buf;
	uint32_t i;

	if (offset >= DEV_PCI_CONFIG_BYTES)
		return false;
	if (len > DEV_PCI_CONFIG_BYTES - offset)
		len = (uint32_t)(DEV_PCI_CONFIG_BYTES - offset);
	for (i = 0; i < len; i++) {
		uint8_t mask = writable((unsigned int)offset + i);
		uint8_t *byte = &dev->st->pci[offset + i];

		*byte = (uint8_t)((*byte & ~mask) | (in[i] & mask));
	}
	return true;
}
