/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev_activate.h"
#include "dev_intr.h"
#include "dev_load.h"
#include "dev_mem.h"
#include "dev_pci.h"
#include "dev_reset.h"

void
vmxnet3_dev_attach(struct vmxnet3_dev *dev, struct vfu_dma *dma,
	const struct vmxnet3_intr_ops *intr)
{
	dev_lock(dev);
	dev->intr.ops = *intr;
	dev->dma = dma;
	dev->rings_generation = vfu_dma_generation(dma);
	dev_tlb_flush(dev);
	dev->attached = true;
	dev->changed = true;
	dev_unlock(dev);
}

void
vmxnet3_dev_detach(struct vmxnet3_dev *dev)
{
	dev_lock(dev);
	if (dev->attached) {
		dev->attached = false;
		dev_power_on(dev);
		/* Interrupts may be on their way although the device was not active. */
		dev_wait_datapath(dev);
		dev->dma = NULL;
		dev_tlb_flush(dev);
		memset(&dev->intr.ops, 0, sizeof(dev->intr.ops));
		dev->changed = true;
	}
	dev_unlock(dev);
}

void
vmxnet3_dev_pci_reset(struct vmxnet3_dev *dev)
{
	dev_lock(dev);
	dev_power_on(dev);
	dev_unlock(dev);
}

void
vmxnet3_dev_dma_changed(struct vmxnet3_dev *dev)
{
	dev_lock(dev);
	if (dev->attached) {
		dev_dma_sync(dev);
		dev_wait_datapath(dev);
	}
	dev_unlock(dev);
}

void
vmxnet3_dev_set_link(struct vmxnet3_dev *dev, bool up)
{
	dev_lock(dev);
	if (dev->st->link_up != (uint32_t)up) {
		__atomic_store_n(&dev->st->link_up, up, __ATOMIC_RELAXED);
		if (dev->st->active) {
			dev_event(dev, VMXNET3_ECR_LINK);
			vmxnet3_dev_intr_poll(dev);
		}
	}
	dev_unlock(dev);
}

int
vmxnet3_dev_set_mtu(struct vmxnet3_dev *dev, uint16_t mtu)
{
	if (mtu < VMXNET3_MTU_MIN || mtu > VMXNET3_MTU_MAX)
		return -EINVAL;
	dev_lock(dev);
	dev->conf.mtu = mtu;
	dev_unlock(dev);
	return 0;
}

const void *
vmxnet3_dev_tx_memory(struct vmxnet3_dev *dev, uint16_t queue)
{
	const void *page = NULL;

	dev_lock(dev);
	if (queue < atomic_load(&dev->nb_txq))
		page = dev->txq[queue].ring.page[0];
	dev_unlock(dev);
	return page;
}

void
vmxnet3_dev_info_get(struct vmxnet3_dev *dev, struct vmxnet3_dev_info *info)
{
	const struct dev_state *st = dev->st;
	uint32_t type;

	memset(info, 0, sizeof(*info));
	dev_lock(dev);
	info->attached = dev->attached;
	info->active = st->active != 0;
	info->link_up = st->link_up != 0;
	info->broken = dev->dma != NULL && vfu_dma_broken(dev->dma);
	info->revision = (uint8_t)st->revision;
	memcpy(info->mac, st->mac, sizeof(info->mac));
	memcpy(info->perm_mac, st->perm_mac, sizeof(info->perm_mac));
	if (st->active) {
		info->nb_tx_queues = (uint16_t)st->cfg.nb_txq;
		info->nb_rx_queues = (uint16_t)st->cfg.nb_rxq;
		info->mtu = (uint16_t)st->cfg.mtu;
		info->features = st->cfg.features;
		info->rss_types = dev_rss_types(dev);
		info->rx_mode = dev_filter(dev)->mode;
		info->driver_version = st->cfg.driver_version;
		info->gos = st->cfg.gos;
	}
	info->rss_fields = dev_rss_fields(dev);
	info->rss_refused = dev->rss_refused;
	info->caps = st->dcr[0];
	info->max_tx_queues = dev->conf.max_tx_queues;
	info->max_rx_queues = dev->conf.max_rx_queues;
	info->max_mtu = dev->conf.mtu;
	info->link_speed = dev->conf.link_speed;
	type = dev_pci_intr_type(dev);
	info->intr_type = type == DEV_INTR_NONE ? VFU_IRQ_INTX : (uint8_t)type;
	info->doorbell = dev->conf.doorbell;
	dev_moderation_info(dev, &info->moderation);
	info->activations = dev->activations;
	dev_unlock(dev);
}

static uint64_t
peek(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void
vmxnet3_dev_stats_get(struct vmxnet3_dev *dev, struct vmxnet3_dev_stats *stats)
{
	unsigned int i;

	memset(stats, 0, sizeof(*stats));
	for (i = 0; i < VMXNET3_MAX_TX_QUEUES; i++) {
		stats->tx_frames += peek(&dev->txq[i].frames);
		stats->tx_bytes += peek(&dev->txq[i].bytes);
		stats->tx_tso += peek(&dev->txq[i].tso);
	}
	for (i = 0; i < VMXNET3_MAX_RX_QUEUES; i++) {
		stats->rx_frames += peek(&dev->rxq[i].frames);
		stats->rx_bytes += peek(&dev->rxq[i].bytes);
		stats->rx_lro += peek(&dev->rxq[i].lro);
	}
	stats->interrupts = atomic_load_explicit(&dev->intr.raised, memory_order_relaxed);
	stats->interrupts_held = atomic_load_explicit(&dev->intr.held, memory_order_relaxed);
	for (i = 0; i < VMXNET3_DROP_MAX; i++)
		stats->drops[i] = atomic_load_explicit(&dev->drops[i], memory_order_relaxed);
}

/* What is wrong with a configuration, or NULL. */
static const char *
conf_fault(const struct vmxnet3_dev_conf *conf, const struct vmxnet3_dev_ops *ops)
{
	static const uint8_t none[6];

	if (ops->now == NULL)
		return "no clock";
	if ((conf->mac[0] & 1) || memcmp(conf->mac, none, sizeof(none)) == 0)
		return "the MAC address is not one of a single card: its first byte must be even, "
		       "and not all bytes 0";
	if (conf->max_tx_queues < 1 || conf->max_tx_queues > VMXNET3_MAX_TX_QUEUES ||
		conf->max_rx_queues < 1 || conf->max_rx_queues > VMXNET3_MAX_RX_QUEUES)
		return "the number of queues is not within 1 to 32";
	if (conf->revisions == 0 || (conf->revisions & ~VMXNET3_REV_MASK_SUPPORTED) != 0)
		return "the mask of revisions has none, or one that is not implemented "
		       "(of 1 to 9: mask 0x1ff)";
	if (conf->mtu < VMXNET3_MTU_MIN || conf->mtu > VMXNET3_MTU_MAX)
		return "the MTU is not within 60 to 9190";
	if (conf->link_speed < 1 || conf->link_speed > 1000000)
		return "the link speed is not within 1 to 1000000 Mbit/s";
	if (conf->doorbell != VMXNET3_DOORBELL_MEMORY && conf->doorbell != VMXNET3_DOORBELL_MESSAGE)
		return "the kind of doorbell is unknown";
	return NULL;
}

/* A memory file of @p size bytes that nobody can shrink, mapped. @return NULL with errno set. */
static void *
memory_file(const char *kind, const char *name, size_t size, int *fd)
{
	char label[128];
	void *map;

	snprintf(label, sizeof(label), "vmxnet3-%s-%s", kind, name);
	*fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return NULL;
	if (ftruncate(*fd, (off_t)size) != 0 ||
		fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		return NULL;
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	return map == MAP_FAILED ? NULL : map;
}

static int
open_memory(struct vmxnet3_dev *dev)
{
	void *bar0;

	dev->st = memory_file("state", dev->name, sizeof(*dev->st), &dev->state_fd);
	if (dev->st == NULL)
		return -1;
	bar0 = memory_file("bar0", dev->name, VMXNET3_BAR0_SIZE, &dev->bar0_fd);
	dev->bar0 = bar0;
	return bar0 != NULL ? 0 : -1;
}

static void
close_memory(struct vmxnet3_dev *dev)
{
	if (dev->st != NULL)
		munmap(dev->st, sizeof(*dev->st));
	if (dev->bar0 != NULL)
		munmap((void *)dev->bar0, VMXNET3_BAR0_SIZE);
	if (dev->state_fd >= 0)
		close(dev->state_fd);
	if (dev->bar0_fd >= 0)
		close(dev->bar0_fd);
}

static void
init_lock(struct vmxnet3_dev *dev)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&dev->ctl, &attr);
	pthread_mutexattr_destroy(&attr);
}

static void
init_state(struct vmxnet3_dev *dev)
{
	struct dev_state *st = dev->st;
	unsigned int i, r;

	st->magic = DEV_STATE_MAGIC;
	st->version = DEV_STATE_VERSION;
	st->size = sizeof(*st);
	memcpy(st->perm_mac, dev->conf.mac, sizeof(st->perm_mac));
	st->link_up = 1;
	for (i = 0; i < VMXNET3_MAX_TX_QUEUES; i++) {
		dev->txq[i].st = &st->txq[i];
		dev->txq[i].ring.pos = &st->txq[i].ring;
		dev->txq[i].comp.pos = &st->txq[i].comp;
	}
	for (i = 0; i < VMXNET3_MAX_RX_QUEUES; i++) {
		dev->rxq[i].st = &st->rxq[i];
		for (r = 0; r < 2; r++)
			dev->rxq[i].ring[r].pos = &st->rxq[i].ring[r];
		dev->rxq[i].comp.pos = &st->rxq[i].comp;
		rte_spinlock_init(&dev->rxq[i].lock);
	}
	dev_power_on(dev);
}

struct vmxnet3_dev *
vmxnet3_dev_create(const struct vmxnet3_dev_conf *conf, const struct vmxnet3_dev_ops *ops,
	char *errbuf, size_t errlen)
{
	const char *fault = conf_fault(conf, ops);
	struct vmxnet3_dev *dev = NULL;
	int err;

	if (fault != NULL) {
		snprintf(errbuf, errlen, "%s", fault);
		errno = EINVAL;
		return NULL;
	}
	if (posix_memalign((void **)&dev, __alignof__(struct vmxnet3_dev), sizeof(*dev)) != 0) {
		snprintf(errbuf, errlen, "no memory for a device");
		errno = ENOMEM;
		return NULL;
	}
	memset(dev, 0, sizeof(*dev));
	dev->conf = *conf;
	dev->ops = *ops;
	dev->state_fd = -1;
	dev->bar0_fd = -1;
	snprintf(dev->name, sizeof(dev->name), "%s", conf->name != NULL ? conf->name : "vmxnet3");
	dev->conf.name = dev->name;
	if (open_memory(dev) != 0) {
		err = errno;
		snprintf(errbuf, errlen, "no memory file for a device: %s", strerror(err));
		close_memory(dev);
		free(dev);
		errno = err;
		return NULL;
	}
	init_lock(dev);
	init_state(dev);
	return dev;
}

void
vmxnet3_dev_destroy(struct vmxnet3_dev *dev)
{
	if (dev == NULL)
		return;
	close_memory(dev);
	pthread_mutex_destroy(&dev->ctl);
	free(dev);
}

int
vmxnet3_dev_bar0_fd(const struct vmxnet3_dev *dev)
{
	return dev->bar0_fd;
}
