/* SPDX-License-Identifier: BSD-3-Clause */
#include "vx_server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PCI_CONFIG_BYTES  256u
#define PCI_COMMAND	  0x04u
#define PCI_COMMAND_BITS  0x0406u /* memory, bus master, no INTx */
#define PCI_CAP_POINTER	  0x34u
#define PCI_CAP_FIRST	  0x40u
#define PCI_CAP_MSIX	  0x11u
#define PCI_MSIX_CTRL	  2u
#define PCI_MSIX_ENABLE	  0x8000u
#define PCI_MSIX_MASK_ALL 0x4000u

/* ---- regions ---- */

/* A file that its owner may shorten would kill us at a doorbell. */
static bool
is_safe(int fd, uint64_t end)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && fstat(fd, &st) == 0 &&
		st.st_size >= 0 && (uint64_t)st.st_size >= end;
}

static int
look_at_bar0(const struct vx_dev *dev, struct vx_server *s, char *errbuf, size_t errlen)
{
	struct vfu_client_region region;
	int rc = vfu_client_region_info(s->client, 0, &region);

	if (rc != 0) {
		snprintf(errbuf, errlen, "server %s does not tell of BAR0: %s", dev->args.path, strerror(-rc));
		return rc;
	}
	s->bar0_fd = region.fd;
	s->bar0_offset = region.fd_offset;
	if (region.size < VMXNET3_BAR0_SIZE || !region.writable) {
		snprintf(errbuf, errlen, "server %s is no vmxnet3: its BAR0 has %llu bytes%s", dev->args.path,
			(unsigned long long)region.size, region.writable ? "" : " and is read only");
		return -ENODEV;
	}
	if (s->bar0_fd < 0)
		return 0;
	if (region.area.offset == 0 && region.area.size >= VMXNET3_BAR0_SIZE &&
		region.fd_offset <= INT64_MAX - VMXNET3_BAR0_SIZE &&
		is_safe(s->bar0_fd, region.fd_offset + VMXNET3_BAR0_SIZE))
		return 0;
	VX_LOG(NOTICE, dev, "doorbells go by messages: server %s shares no sealed memory for all of BAR0",
		dev->args.path);
	close(s->bar0_fd);
	s->bar0_fd = -1;
	return 0;
}

static int
look_at_bar1(const struct vx_dev *dev, struct vx_server *s, char *errbuf, size_t errlen)
{
	struct vfu_client_region region;
	int rc = vfu_client_region_info(s->client, 1, &region);

	if (rc != 0) {
		snprintf(errbuf, errlen, "server %s does not tell of BAR1: %s", dev->args.path, strerror(-rc));
		return rc;
	}
	if (region.fd >= 0)
		close(region.fd);
	if (region.size >= VMXNET3_BAR1_SIZE && region.readable && region.writable)
		return 0;
	snprintf(errbuf, errlen, "server %s is no vmxnet3: its BAR1 has %llu bytes%s", dev->args.path,
		(unsigned long long)region.size,
		region.readable && region.writable ? "" : " and is not readable and writable");
	return -ENODEV;
}

/* ---- configuration space ---- */

static uint32_t
get16(const uint8_t *config, uint32_t at)
{
	return config[at] | (uint32_t)config[at + 1] << 8;
}

static int
put16(struct vfu_client *client, uint32_t at, uint32_t value)
{
	uint8_t bytes[2] = { value & 0xff, value >> 8 & 0xff };

	return vfu_client_region_write(client, VFU_REGION_CONFIG, at, bytes, sizeof(bytes));
}

/* Where the MSI-X capability is; 0: nowhere. */
static uint32_t
find_msix(const uint8_t *config)
{
	uint32_t at = config[PCI_CAP_POINTER] & ~3u, hops;

	for (hops = 0; hops < PCI_CONFIG_BYTES / 4 && at >= PCI_CAP_FIRST; hops++) {
		if (config[at] == PCI_CAP_MSIX)
			return at;
		at = config[at + 1] & ~3u;
	}
	return 0;
}

/* What firmware and an operating system do: memory and DMA on, message interrupts instead of a line. */
static int
set_up_pci(const struct vx_dev *dev, struct vx_server *s, char *errbuf, size_t errlen)
{
	uint8_t config[PCI_CONFIG_BYTES];
	uint32_t msix;
	int rc;

	rc = vfu_client_region_read(s->client, VFU_REGION_CONFIG, 0, config, sizeof(config));
	if (rc == 0 && (get16(config, 0) != VMXNET3_PCI_VENDOR || get16(config, 2) != VMXNET3_PCI_DEVICE)) {
		snprintf(errbuf, errlen, "server %s is no vmxnet3 (15ad:07b0): its device is %04x:%04x",
			dev->args.path, get16(config, 0), get16(config, 2));
		return -ENODEV;
	}
	msix = rc == 0 ? find_msix(config) : 0;
	if (rc == 0)
		rc = vfu_client_irq_count(s->client, VFU_IRQ_MSIX);
	if (rc == 0 || (rc > 0 && msix == 0)) {
		snprintf(errbuf, errlen, "server %s has no MSI-X vectors", dev->args.path);
		return -ENODEV;
	}
	if (rc > 0) {
		s->nb_vectors = (uint32_t)rc;
		rc = put16(s->client, PCI_COMMAND, get16(config, PCI_COMMAND) | PCI_COMMAND_BITS);
	}
	if (rc == 0)
		rc = put16(s->client, msix + PCI_MSIX_CTRL,
			(get16(config, msix + PCI_MSIX_CTRL) & ~PCI_MSIX_MASK_ALL) | PCI_MSIX_ENABLE);
	if (rc != 0)
		snprintf(errbuf, errlen, "server %s does not let PCI be set up: %s", dev->args.path,
			strerror(-rc));
	return rc;
}

static int
look_at(const struct vx_dev *dev, struct vx_server *s, char *errbuf, size_t errlen)
{
	int rc = vfu_client_reset(s->client);

	if (rc != 0) {
		snprintf(errbuf, errlen, "server %s does not reset its device: %s", dev->args.path, strerror(-rc));
		return rc;
	}
	rc = set_up_pci(dev, s, errbuf, errlen);
	if (rc == 0)
		rc = look_at_bar0(dev, s, errbuf, errlen);
	if (rc == 0)
		rc = look_at_bar1(dev, s, errbuf, errlen);
	return rc;
}

int
vx_server_open(const struct vx_dev *dev, struct vx_server *s, char *errbuf, size_t errlen)
{
	int rc;

	*s = VX_SERVER_NONE;
	rc = vfu_client_connect(dev->args.path, &s->client, errbuf, errlen);
	if (rc != 0)
		return rc;
	rc = look_at(dev, s, errbuf, errlen);
	if (rc != 0)
		vx_server_close(s);
	return rc;
}

void
vx_server_close(struct vx_server *s)
{
	vfu_client_close(s->client);
	if (s->bar0_fd >= 0)
		close(s->bar0_fd);
	*s = VX_SERVER_NONE;
}
