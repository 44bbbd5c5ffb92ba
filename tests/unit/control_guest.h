/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * @file
 * A guest as the device's control side sees it: memory, registers, PCI configuration, interrupts.
 * Its rings are never used; what is in them is mini_driver's business.
 */
#ifndef CONTROL_GUEST_H
#define CONTROL_GUEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include <dev_intr.h>
#include <dev_queue.h>

#define GUEST_BYTES (8u << 20)
#define GUEST_IOVA  UINT64_C(0x140000000) /* beyond 32 bits, so that the upper half matters */

/* Offsets in guest memory */
#define AT_SHARED 0x0000u
#define AT_ARGS   0x1000u
#define AT_QUEUES 0x2000u
#define AT_RINGS  0x10000u
#define AT_MC     0x400000u
#define RING_SIZE 32u
#define RING_STEP 512u

#define PCI_BUS_MASTER 0x0006u /* and memory */
#define PCI_MSI_CTRL   0x86
#define PCI_MSIX_CTRL  0x9e
#define PCI_PM_CTRL    0x44

struct guest {
	struct vmxnet3_dev *dev;
	struct vfu_dma *dma;
	uint8_t *ram;
	int fd;
	uint64_t now; /* ns */
	unsigned int quiesces, wakes, changes, lines;
	char log[512]; /* the last line that was no information */
	unsigned int raised[3][VMXNET3_MAX_INTRS];
};

static inline void
guest_on_quiesce(void *ctx)
{
	((struct guest *)ctx)->quiesces++;
}

static inline void
guest_on_wake(void *ctx)
{
	((struct guest *)ctx)->wakes++;
}

static inline void
guest_on_changed(void *ctx)
{
	((struct guest *)ctx)->changes++;
}

static inline uint64_t
guest_on_now(void *ctx)
{
	return ((struct guest *)ctx)->now;
}

static inline void
guest_on_log(void *ctx, enum vmxnet3_log_level level, const char *line)
{
	struct guest *g = ctx;

	g->lines++;
	if (level <= VMXNET3_LOG_WARNING)
		snprintf(g->log, sizeof(g->log), "%s", line);
}

static inline void
guest_on_raise(void *ctx, uint32_t index, uint32_t vector)
{
	struct guest *g = ctx;

	assert_in_range(index, 0, 2);
	assert_in_range(vector, 0, index == VFU_IRQ_MSIX ? VMXNET3_MAX_INTRS - 1 : 0);
	g->raised[index][vector]++;
}

static const struct vmxnet3_dev_conf guest_conf = {
	.name = "port0",
	.mac = { 0x00, 0x50, 0x56, 0x01, 0x02, 0x03 },
	.max_tx_queues = 32,
	.max_rx_queues = 32,
	.revisions = VMXNET3_REV_MASK_SUPPORTED,
	.mtu = 9000,
	.link_speed = 10000,
	.doorbell = VMXNET3_DOORBELL_MEMORY,
};

static inline struct vmxnet3_dev_ops
guest_ops(struct guest *g)
{
	return (struct vmxnet3_dev_ops){
		.ctx = g,
		.quiesce = guest_on_quiesce,
		.wake = guest_on_wake,
		.changed = guest_on_changed,
		.now = guest_on_now,
		.log = guest_on_log,
	};
}

/* ---- what a driver does ---- */

static inline void
pci_write(struct guest *g, uint32_t at, uint32_t v, uint32_t len)
{
	vmxnet3_dev_pci_write(g->dev, at, &v, len);
}

static inline uint32_t
pci_read(struct guest *g, uint32_t at, uint32_t len)
{
	uint32_t v = 0;

	vmxnet3_dev_pci_read(g->dev, at, &v, len);
	return v;
}

static inline void
reg_write(struct guest *g, unsigned int bar, uint32_t reg, uint32_t v)
{
	vmxnet3_dev_bar_write(g->dev, bar, reg, &v, sizeof(v));
}

static inline uint32_t
reg_read(struct guest *g, unsigned int bar, uint32_t reg)
{
	uint32_t v = 0xa5a5a5a5;

	vmxnet3_dev_bar_read(g->dev, bar, reg, &v, sizeof(v));
	return v;
}

static inline uint32_t
command(struct guest *g, uint32_t cmd)
{
	reg_write(g, 1, VMXNET3_REG_CMD, cmd);
	return reg_read(g, 1, VMXNET3_REG_CMD);
}

static inline void
set_imr(struct guest *g, uint32_t vector, uint32_t v)
{
	reg_write(g, 0, VMXNET3_REG_IMR + vector * VMXNET3_REG_STRIDE, v);
}

static inline uint32_t
get_imr(struct guest *g, uint32_t vector)
{
	return reg_read(g, 0, VMXNET3_REG_IMR + vector * VMXNET3_REG_STRIDE);
}

static inline void
select_revision(struct guest *g, uint32_t revision)
{
	reg_write(g, 1, VMXNET3_REG_VRRS, 1u << (revision - 1));
}

static inline struct vmxnet3_shared *
shared_area(struct guest *g)
{
	return (struct vmxnet3_shared *)(g->ram + AT_SHARED);
}

static inline struct vmxnet3_tx_queue_desc *
tx_desc(struct guest *g, uint32_t i)
{
	return (struct vmxnet3_tx_queue_desc *)(g->ram + AT_QUEUES) + i;
}

static inline struct vmxnet3_rx_queue_desc *
rx_desc(struct guest *g, uint32_t i)
{
	return (struct vmxnet3_rx_queue_desc *)(g->ram + AT_QUEUES) +
		shared_area(g)->misc.num_tx_queues + i;
}

/* A shared area and queue descriptors that any device accepts. */
static inline void
fill_shared(struct guest *g, uint32_t nb_tx, uint32_t nb_rx)
{
	struct vmxnet3_shared *s = shared_area(g);
	uint64_t ring = GUEST_IOVA + AT_RINGS;
	uint32_t i, r;

	memset(g->ram, 0, AT_RINGS);
	s->magic = VMXNET3_MAGIC;
	s->misc.driver_version = 0x01090000;
	s->misc.upt_features = VMXNET3_F_RXCSUM;
	s->misc.queue_desc_pa = GUEST_IOVA + AT_QUEUES;
	s->misc.queue_desc_len = 256 * (nb_tx + nb_rx);
	s->misc.mtu = 1500;
	s->misc.num_tx_queues = (uint8_t)nb_tx;
	s->misc.num_rx_queues = (uint8_t)nb_rx;
	s->intr.auto_mask = 1;
	s->intr.num_intrs = (uint8_t)(nb_tx + nb_rx + 1);
	s->rx_filter.rx_mode = VMXNET3_RXM_UCAST | VMXNET3_RXM_BCAST;
	for (i = 0; i < nb_tx; i++, ring += 2 * RING_STEP) {
		struct vmxnet3_tx_queue_desc *d = tx_desc(g, i);

		d->tx_ring_pa = ring;
		d->comp_ring_pa = ring + RING_STEP;
		d->tx_ring_size = RING_SIZE;
		d->comp_ring_size = RING_SIZE;
		d->intr_idx = (uint8_t)(1 + i);
	}
	for (i = 0; i < nb_rx; i++) {
		struct vmxnet3_rx_queue_desc *d = rx_desc(g, i);

		for (r = 0; r < 2; r++, ring += RING_STEP) {
			d->rx_ring_pa[r] = ring;
			d->rx_ring_size[r] = RING_SIZE;
		}
		d->comp_ring_pa = ring;
		d->comp_ring_size = 2 * RING_SIZE;
		d->intr_idx = (uint8_t)(1 + i);
		ring += 2 * RING_STEP;
	}
}

static inline void
set_dsa(struct guest *g, uint64_t pa)
{
	reg_write(g, 1, VMXNET3_REG_DSAL, (uint32_t)pa);
	reg_write(g, 1, VMXNET3_REG_DSAH, (uint32_t)(pa >> 32));
}

static inline uint32_t
activate(struct guest *g)
{
	set_dsa(g, GUEST_IOVA + AT_SHARED);
	return command(g, VMXNET3_CMD_ACTIVATE_DEV);
}

static inline bool
is_active(struct guest *g)
{
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(g->dev, &info);
	return info.active;
}

static inline void
enable_msix(struct guest *g)
{
	pci_write(g, PCI_MSIX_CTRL, 0x8000, 2);
}

/* ---- life ---- */

static inline void
guest_open(struct guest *g, const struct vmxnet3_dev_conf *conf)
{
	struct vmxnet3_intr_ops intr = { .ctx = g, .raise = guest_on_raise };
	struct vmxnet3_dev_ops ops = guest_ops(g);
	char err[256] = "";

	memset(g, 0, sizeof(*g));
	g->now = UINT64_C(1000000000000);
	g->fd = memfd_create("guest", MFD_CLOEXEC);
	assert_true(g->fd >= 0);
	assert_int_equal(ftruncate(g->fd, GUEST_BYTES), 0);
	g->ram = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, g->fd, 0);
	assert_ptr_not_equal(g->ram, MAP_FAILED);
	g->dma = vfu_dma_create(65535, NULL, NULL);
	assert_non_null(g->dma);
	assert_int_equal(vfu_dma_map(g->dma, GUEST_IOVA, GUEST_BYTES, VFU_DMA_READ | VFU_DMA_WRITE,
		g->fd, 0), 0);
	g->dev = vmxnet3_dev_create(conf, &ops, err, sizeof(err));
	assert_non_null(g->dev);
	vmxnet3_dev_attach(g->dev, g->dma, &intr);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
}

static inline void
guest_close(struct guest *g)
{
	vmxnet3_dev_detach(g->dev);
	vmxnet3_dev_destroy(g->dev);
	vfu_dma_destroy(g->dma);
	munmap(g->ram, GUEST_BYTES);
	close(g->fd);
}

/* CMocka fixtures: a guest with the default configuration that selected revision 7. */
static struct guest the_guest;

/** Revision 7, and one queue each way in the shared area. */
static inline void
guest_open_filled(struct guest *g, const struct vmxnet3_dev_conf *conf)
{
	guest_open(g, conf);
	select_revision(g, 7);
	fill_shared(g, 1, 1);
}

static inline int
setup_guest(void **state)
{
	guest_open_filled(&the_guest, &guest_conf);
	*state = &the_guest;
	return 0;
}

static inline int
teardown_guest(void **state)
{
	guest_close(*state);
	return 0;
}

#define guest_test(f) cmocka_unit_test_setup_teardown(f, setup_guest, teardown_guest)

/** An event on a vector. @return whether it is held */
static inline bool
mark_and_poll(struct guest *g, uint32_t vector)
{
	dev_intr_mark(g->dev, vector, DEV_DUE_EVENT);
	return vmxnet3_dev_intr_poll(g->dev);
}

static inline enum vmxnet3_dev_intr_held
poll_some(struct guest *g, uint32_t most)
{
	return vmxnet3_dev_intr_poll_some(g->dev, &most);
}

/** Active, MSI-X, every vector unmasked. */
static inline void
start_msix(struct guest *g, uint8_t auto_mask)
{
	uint32_t v;

	shared_area(g)->intr.auto_mask = auto_mask;
	enable_msix(g);
	assert_int_equal(activate(g), 0);
	for (v = 0; v < VMXNET3_MAX_INTRS; v++)
		set_imr(g, v, 0);
}

#endif /* CONTROL_GUEST_H */
