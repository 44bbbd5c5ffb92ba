/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmxnet3_vfu.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dev_activate.h"
#include "dev_intr.h"

struct vmxnet3_vfu {
	struct vmxnet3_dev *dev;
	struct vfu_socket *sock;
	struct vfu_server *server;
	pthread_t thread;
	void (*quiesce)(void *ctx);
	void (*log)(void *ctx, enum vmxnet3_log_level level, const char *line);
	void *ctx;
	int bar2_fd; /* zeros; -1 with shared doorbells */
	/* Bit per MSI-X vector raised while it had no eventfd: a bus would show it as pending. */
	_Atomic uint64_t missed[2];
};

/* The one vector of MSI has its bit there too, beyond those of MSI-X. */
#define MISSED_MSI 127u
static_assert(VMXNET3_MAX_INTRS <= MISSED_MSI, "bits of missed vectors");

/*
 * The page of the pending bits. It is no more than memory to a client, who keeps these bits
 * himself.
 */
static const struct vfu_area bar2_area = { .offset = VMXNET3_MSIX_PBA,
	.size = VMXNET3_BAR2_SIZE - VMXNET3_MSIX_PBA };

/* ---- interrupts: any thread ---- */

/*
 * @return false: the vector has no eventfd now. A full counter is an interrupt that waits already.
 */
static bool
signal_vector(struct vmxnet3_vfu *vfu, uint32_t index, uint32_t vector)
{
	int fd = vfu_server_irq_fd(vfu->server, index, vector);
	const uint64_t one = 1;
	ssize_t rc;

	if (fd < 0)
		return false;
	do
		rc = write(fd, &one, sizeof(one));
	while (rc < 0 && errno == EINTR);
	return true;
}

/*
 * A guest changes vectors while their interrupts are on. One that finds no eventfd is sent when
 * there is one again: the driver has been masked for it already and would wait for ever.
 */
static void
on_raise(void *ctx, uint32_t index, uint32_t vector)
{
	uint32_t slot = index == VFU_IRQ_MSI ? MISSED_MSI : vector;
	uint64_t bit = UINT64_C(1) << (slot & 63);
	struct vmxnet3_vfu *vfu = ctx;

	/* The INTx line stays asserted, and is signalled again by the device itself. */
	if (signal_vector(vfu, index, vector) || index == VFU_IRQ_INTX)
		return;
	atomic_fetch_or(&vfu->missed[slot >> 6], bit);
	/* It may have come between the two. */
	if (vfu_server_irq_fd(vfu->server, index, vector) >= 0 &&
		(atomic_fetch_and(&vfu->missed[slot >> 6], ~bit) & bit))
		signal_vector(vfu, index, vector);
}

static void
raise_missed(struct vmxnet3_vfu *vfu)
{
	uint32_t w, slot;
	uint64_t due;

	for (w = 0; w < 2; w++) {
		due = atomic_exchange(&vfu->missed[w], 0);
		for (; due != 0; due &= due - 1) {
			slot = w * 64 + (uint32_t)__builtin_ctzll(due);
			if (slot == MISSED_MSI)
				on_raise(vfu, VFU_IRQ_MSI, 0);
			else
				on_raise(vfu, VFU_IRQ_MSIX, slot);
		}
	}
}

static void
forget_missed(struct vmxnet3_vfu *vfu)
{
	atomic_store(&vfu->missed[0], 0);
	atomic_store(&vfu->missed[1], 0);
}

/* ---- what the server calls, on the control thread ---- */

static int
on_region_read(void *ctx, uint32_t region, uint64_t offset, void *buf, uint32_t len)
{
	struct vmxnet3_vfu *vfu = ctx;

	if (region == VFU_REGION_CONFIG) {
		vmxnet3_dev_pci_read(vfu->dev, offset, buf, len);
		return 0;
	}
	vmxnet3_dev_bar_read(vfu->dev, region, offset, buf, len);
	dev_intr_eoi(vfu->dev);
	return 0;
}

static int
on_region_write(void *ctx, uint32_t region, uint64_t offset, const void *buf, uint32_t len)
{
	struct vmxnet3_vfu *vfu = ctx;

	if (region == VFU_REGION_CONFIG) {
		vmxnet3_dev_pci_write(vfu->dev, offset, buf, len);
		return 0;
	}
	vmxnet3_dev_bar_write(vfu->dev, region, offset, buf, len);
	dev_intr_eoi(vfu->dev);
	return 0;
}

static void
on_reset(void *ctx)
{
	struct vmxnet3_vfu *vfu = ctx;

	vmxnet3_dev_pci_reset(vfu->dev);
	forget_missed(vfu);
}

static void
on_connected(void *ctx)
{
	struct vmxnet3_vfu *vfu = ctx;
	struct vmxnet3_intr_ops intr = { .ctx = vfu, .raise = on_raise };

	vmxnet3_dev_attach(vfu->dev, vfu_server_dma(vfu->server), &intr);
}

static void
on_disconnected(void *ctx)
{
	struct vmxnet3_vfu *vfu = ctx;

	vmxnet3_dev_detach(vfu->dev);
	forget_missed(vfu);
}

static void
on_irqs_changed(void *ctx, uint32_t index)
{
	struct vmxnet3_vfu *vfu = ctx;

	if (index == VFU_IRQ_INTX)
		dev_intr_eoi(vfu->dev);
	else
		raise_missed(vfu);
}

static void
on_dma_changed(void *ctx)
{
	struct vmxnet3_vfu *vfu = ctx;

	dev_dma_sync(vfu->dev);
}

/*
 * dev_dma_sync() takes the rings out of the datapath's hands, and its lock waits for other threads'
 * control functions, which look addresses and eventfds up too. The rest is the caller's.
 */
static void
on_quiesce(void *ctx)
{
	struct vmxnet3_vfu *vfu = ctx;

	dev_dma_sync(vfu->dev);
	if (vfu->quiesce != NULL)
		vfu->quiesce(vfu->ctx);
}

static void
on_log(void *ctx, enum vfu_log_level level, const char *line)
{
	struct vmxnet3_vfu *vfu = ctx;
	char text[512];

	if (vfu->log == NULL)
		return;
	snprintf(text, sizeof(text), "%s: %s", vfu->dev->name, line);
	vfu->log(vfu->ctx, (enum vmxnet3_log_level)level, text);
}

/* ---- life ---- */

static struct vfu_region
plain_region(uint64_t size)
{
	return (struct vfu_region){ .size = size, .readable = true, .writable = true, .fd = -1 };
}

static struct vfu_server *
make_server(struct vmxnet3_vfu *vfu)
{
	struct vfu_device d = {
		.ctx = vfu,
		.region_read = on_region_read,
		.region_write = on_region_write,
		.reset = on_reset,
		.connected = on_connected,
		.disconnected = on_disconnected,
		.irqs_changed = on_irqs_changed,
		.dma_changed = on_dma_changed,
		.quiesce = on_quiesce,
		.log = on_log,
	};
	uint32_t i;

	for (i = 0; i < VFU_MAX_REGIONS; i++)
		d.region[i].fd = -1;
	d.region[0] = plain_region(VMXNET3_BAR0_SIZE);
	d.region[1] = plain_region(VMXNET3_BAR1_SIZE);
	d.region[2] = plain_region(VMXNET3_BAR2_SIZE);
	d.region[VFU_REGION_CONFIG] = plain_region(DEV_PCI_CONFIG_BYTES);
	/* Some page must be mappable in any case: QEMU posts register writes otherwise. */
	if (vfu->bar2_fd < 0) {
		d.region[0].fd = vmxnet3_dev_bar0_fd(vfu->dev);
	} else {
		d.region[2].fd = vfu->bar2_fd;
		d.region[2].areas = &bar2_area;
		d.region[2].nb_areas = 1;
	}
	d.nb_irqs[VFU_IRQ_INTX] = 1;
	d.nb_irqs[VFU_IRQ_MSI] = 1;
	d.nb_irqs[VFU_IRQ_MSIX] = VMXNET3_MAX_INTRS;
	return vfu_server_create(&d);
}

static void *
serve(void *arg)
{
	struct vmxnet3_vfu *vfu = arg;

	vfu_socket_run(vfu->sock, vfu->server);
	return NULL;
}

/* Signals are the main thread's business, except those that a fault of this one raises. */
static int
start_thread(struct vmxnet3_vfu *vfu)
{
	sigset_t block, old;
	char name[16];
	int rc;

	sigfillset(&block);
	sigdelset(&block, SIGBUS);
	sigdelset(&block, SIGSEGV);
	sigdelset(&block, SIGFPE);
	sigdelset(&block, SIGILL);
	pthread_sigmask(SIG_SETMASK, &block, &old);
	rc = pthread_create(&vfu->thread, NULL, serve, vfu);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0)
		return -rc;
	snprintf(name, sizeof(name), "%.15s", vfu->dev->name);
	pthread_setname_np(vfu->thread, name);
	return 0;
}

static int
open_bar2(struct vmxnet3_vfu *vfu)
{
	vfu->bar2_fd = -1;
	if (vfu->dev->conf.doorbell != VMXNET3_DOORBELL_MESSAGE)
		return 0;
	vfu->bar2_fd = memfd_create("vmxnet3-bar2", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (vfu->bar2_fd < 0 || ftruncate(vfu->bar2_fd, VMXNET3_BAR2_SIZE) != 0 ||
		fcntl(vfu->bar2_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		return -errno;
	return 0;
}

static void
vfu_free(struct vmxnet3_vfu *vfu)
{
	vfu_server_destroy(vfu->server);
	vfu_socket_close(vfu->sock);
	if (vfu->bar2_fd >= 0)
		close(vfu->bar2_fd);
	free(vfu);
}

int
vmxnet3_vfu_start(struct vmxnet3_dev *dev, const struct vfu_socket_conf *conf,
	void (*quiesce)(void *ctx), void *ctx,
	void (*log)(void *ctx, enum vmxnet3_log_level level, const char *line),
	struct vmxnet3_vfu **out, char *errbuf, size_t errlen)
{
	struct vmxnet3_vfu *vfu = calloc(1, sizeof(*vfu));
	int rc;

	if (vfu == NULL) {
		snprintf(errbuf, errlen, "no memory for socket %s", conf->path);
		return -ENOMEM;
	}
	vfu->dev = dev;
	vfu->quiesce = quiesce;
	vfu->log = log;
	vfu->ctx = ctx;
	rc = open_bar2(vfu);
	if (rc == 0) {
		vfu->server = make_server(vfu);
		rc = vfu->server != NULL ? 0 : -errno;
	}
	if (rc != 0) {
		snprintf(errbuf, errlen, "no server for socket %s: %s", conf->path, strerror(-rc));
		vfu_free(vfu);
		return rc;
	}
	rc = vfu_socket_open(conf, &vfu->sock, errbuf, errlen);
	if (rc == 0) {
		rc = start_thread(vfu);
		if (rc != 0)
			snprintf(errbuf, errlen, "no thread for socket %s: %s", conf->path,
				strerror(-rc));
	}
	if (rc != 0) {
		vfu_free(vfu);
		return rc;
	}
	*out = vfu;
	return 0;
}

void
vmxnet3_vfu_stop(struct vmxnet3_vfu *vfu)
{
	if (vfu == NULL)
		return;
	vfu_socket_stop(vfu->sock);
	pthread_join(vfu->thread, NULL);
	vfu_free(vfu);
}
