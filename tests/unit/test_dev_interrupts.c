/* SPDX-License-Identifier: BSD-3-Clause */
/* Interrupts and events of the device core: who is signalled, when, and what stays due. */
#include "control_guest.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <time.h>

static bool
mark_and_poll(struct guest *g, uint32_t vector)
{
	dev_intr_mark(g->dev, vector, DEV_DUE_EVENT);
	return vmxnet3_dev_intr_poll(g->dev);
}

/* Active, MSI-X, every vector unmasked. */
static void
start(struct guest *g, uint8_t auto_mask)
{
	uint32_t v;

	shared_area(g)->intr.auto_mask = auto_mask;
	enable_msix(g);
	assert_int_equal(activate(g), 0);
	for (v = 0; v < VMXNET3_MAX_INTRS; v++)
		set_imr(g, v, 0);
}

static void
test_msix_auto_mask(void **state)
{
	struct guest *g = *state;

	start(g, 1);
	assert_false(mark_and_poll(g, 3));
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 1);
	assert_int_equal(get_imr(g, 3), 1);
	assert_int_equal(get_imr(g, 4), 0);

	/* Masked: stays due, fires when the guest unmasks by a message ... */
	assert_false(mark_and_poll(g, 3));
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 1);
	set_imr(g, 3, 0);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 2);

	/* ... and at the next poll after it unmasked in shared memory. */
	mark_and_poll(g, 3);
	atomic_store(&g->dev->bar0[3 * 2], 0);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 2);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 3);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][3], 3);
}

static void
test_no_auto_mask(void **state)
{
	struct guest *g = *state;

	start(g, 0);
	mark_and_poll(g, 64);
	mark_and_poll(g, 64);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][64], 2);
	assert_int_equal(get_imr(g, 64), 0);
}

static void
test_vectors_out_of_range(void **state)
{
	struct guest *g = *state;
	uint32_t i, v, n = 0;

	shared_area(g)->intr.event_intr_idx = 0xff;
	tx_desc(g, 0)->intr_idx = 0xff;
	rx_desc(g, 0)->intr_idx = 0xff;
	start(g, 1);
	for (v = VMXNET3_MAX_INTRS; v <= 0xff; v++)
		mark_and_poll(g, v);
	mark_and_poll(g, UINT32_MAX);
	vmxnet3_dev_set_link(g->dev, false);
	dev_txq_fail(g->dev, &g->dev->txq[0], VMXNET3_ERR_NOEOP);
	for (i = 0; i < 3; i++) {
		for (v = 0; v < VMXNET3_MAX_INTRS; v++)
			n += g->raised[i][v];
	}
	assert_int_equal(n, 0);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_LINK | VMXNET3_ECR_TQERR);
}

static void
test_intr_ctrl_is_live(void **state)
{
	struct guest *g = *state;

	start(g, 1);
	shared_area(g)->intr.intr_ctrl = VMXNET3_IC_DISABLE_ALL;
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
	/* Linux clears it last, by a plain store. */
	shared_area(g)->intr.intr_ctrl = 0xfffffffe;
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
}

/* Nine queues, from revision 6 on: the extended area rules, with its own switches. */
static void
extended_area(struct guest *g, uint32_t revision)
{
	struct vmxnet3_shared *s = shared_area(g);

	select_revision(g, revision);
	memset(g->raised, 0, sizeof(g->raised));
	fill_shared(g, 9, 1);
	s->intr_ext.auto_mask = 0;
	s->intr_ext.event_intr_idx = 60;
	s->intr_ext.intr_ctrl = VMXNET3_IC_DISABLE_ALL;
	start(g, 1);
	assert_int_equal(g->dev->st->cfg.event_intr_idx, 60);
	mark_and_poll(g, 2);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][2], 0);
	s->intr_ext.intr_ctrl = 0;
	s->intr.intr_ctrl = VMXNET3_IC_DISABLE_ALL; /* not this one */
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][2], 1);
	assert_int_equal(get_imr(g, 2), 0);
}

static void
test_extended_area(void **state)
{
	uint32_t revision;

	for (revision = 6; revision <= 9; revision++)
		extended_area(*state, revision);
}

static void
test_nothing_while_not_active(void **state)
{
	struct guest *g = *state;

	enable_msix(g);
	set_imr(g, 1, 0);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
	start(g, 1);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0); /* due before the activation: forgotten */

	set_imr(g, 1, 1);
	mark_and_poll(g, 1);
	command(g, VMXNET3_CMD_QUIESCE_DEV);
	set_imr(g, 1, 0);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
}

static void
test_reset_masks(void **state)
{
	struct guest *g = *state;
	uint32_t v;

	start(g, 1);
	reg_write(g, 0, VMXNET3_REG_TXPROD, 7);
	assert_int_equal(command(g, VMXNET3_CMD_RESET_DEV), 0);
	for (v = 0; v < VMXNET3_MAX_INTRS; v++)
		assert_int_equal(get_imr(g, v), 1);
	assert_int_equal(reg_read(g, 0, VMXNET3_REG_TXPROD), 0);
	/* ACTIVATE leaves the masks as they are. */
	set_imr(g, 5, 0);
	assert_int_equal(activate(g), 0);
	assert_int_equal(get_imr(g, 5), 0);
	assert_int_equal(get_imr(g, 6), 1);
}

static void
test_msi(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_info info;

	start(g, 1);
	pci_write(g, PCI_MSIX_CTRL, 0, 2);
	pci_write(g, PCI_MSI_CTRL, 1, 2);
	vmxnet3_dev_info_get(g->dev, &info);
	assert_int_equal(info.intr_type, VFU_IRQ_MSI);
	mark_and_poll(g, 1);
	mark_and_poll(g, 64);
	assert_int_equal(g->raised[VFU_IRQ_MSI][0], 0);
	mark_and_poll(g, 0);
	assert_int_equal(g->raised[VFU_IRQ_MSI][0], 1);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	/* MSI-X, when enabled, goes before MSI; what was due on other vectors is gone. */
	enable_msix(g);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
}

static void
start_intx(struct guest *g)
{
	start(g, 1);
	pci_write(g, PCI_MSIX_CTRL, 0, 2);
}

static void
test_intx_level(void **state)
{
	struct guest *g = *state;

	start_intx(g);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	mark_and_poll(g, 0);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 1);
	assert_int_equal(get_imr(g, 0), 1);
	assert_int_equal(pci_read(g, 0x06, 2) & 0x08, 0x08);
	/*
	 * The bus lowers the line at any access: it is signalled again until the handler was there.
	 */
	dev_intr_eoi(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 1);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	assert_int_equal(pci_read(g, 0x06, 2) & 0x08, 0);
	dev_intr_eoi(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
	/* Due meanwhile: fires at the unmask. */
	mark_and_poll(g, 0);
	set_imr(g, 0, 0);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 3);
}

static void
test_intx_lowered(void **state)
{
	struct guest *g = *state;

	start_intx(g);
	mark_and_poll(g, 0);
	set_imr(g, 0, 1);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	set_imr(g, 0, 0);
	mark_and_poll(g, 0);
	command(g, VMXNET3_CMD_QUIESCE_DEV);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
	activate(g);
	set_imr(g, 0, 0);
	mark_and_poll(g, 0);
	command(g, VMXNET3_CMD_RESET_DEV);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 0);
}

static void
test_intx_disable(void **state)
{
	struct guest *g = *state;

	start_intx(g);
	pci_write(g, 0x04, PCI_BUS_MASTER | 0x400, 2);
	mark_and_poll(g, 0);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 0);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 1);
	/* An asserted line shows again after the disable bit, as uio_pci_generic uses it. */
	pci_write(g, 0x04, PCI_BUS_MASTER | 0x400, 2);
	assert_int_equal(pci_read(g, 0x06, 2) & 0x08, 0x08);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
}

/* A line that nobody answers is signalled again, not too often. */
static void
test_intx_repeat(void **state)
{
	struct guest *g = *state;

	start_intx(g);
	mark_and_poll(g, 0);
	g->now += 9000000;
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 1);
	g->now += 2000000;
	vmxnet3_dev_intr_poll(g->dev);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ICR), 1);
	g->now += 20000000;
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(g->raised[VFU_IRQ_INTX][0], 2);
}

static void
test_bus_master_off(void **state)
{
	struct guest *g = *state;

	start(g, 1);
	pci_write(g, 0x04, 0x0002, 2);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 0);
	pci_write(g, 0x04, PCI_BUS_MASTER, 2);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
	pci_write(g, PCI_PM_CTRL, 3, 2);
	set_imr(g, 1, 0);
	mark_and_poll(g, 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
	pci_write(g, PCI_PM_CTRL, 0, 2);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 2);
}

static void
test_events(void **state)
{
	struct guest *g = *state;

	shared_area(g)->intr.event_intr_idx = 7;
	vmxnet3_dev_set_link(g->dev, false); /* not active: no memory to write to */
	vmxnet3_dev_set_link(g->dev, true);
	start(g, 1);
	assert_int_equal(shared_area(g)->ecr, 0);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][7], 0);

	vmxnet3_dev_set_link(g->dev, true); /* no change */
	assert_int_equal(g->raised[VFU_IRQ_MSIX][7], 0);
	vmxnet3_dev_set_link(g->dev, false);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][7], 1);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_LINK);
	assert_int_equal(command(g, VMXNET3_CMD_GET_LINK) & 1, 0);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ECR), VMXNET3_ECR_LINK);

	shared_area(g)->ecr |= VMXNET3_ECR_DEBUG;
	reg_write(g, 1, VMXNET3_REG_ECR, VMXNET3_ECR_LINK | VMXNET3_ECR_RQERR);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_DEBUG);

	command(g, VMXNET3_CMD_QUIESCE_DEV);
	assert_int_equal(reg_read(g, 1, VMXNET3_REG_ECR), 0);
	reg_write(g, 1, VMXNET3_REG_ECR, UINT32_MAX);
	vmxnet3_dev_set_link(g->dev, true);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_DEBUG);
}

static void
test_broken_queue(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_stats stats;

	start(g, 1);
	dev_txq_fail(g->dev, &g->dev->txq[0], VMXNET3_ERR_BIG_PKT);
	dev_txq_fail(g->dev, &g->dev->txq[0], VMXNET3_ERR_NOEOP); /* the first one counts */
	dev_rxq_fail(g->dev, &g->dev->rxq[0], VMXNET3_ERR_SMALL_BUF);
	vmxnet3_dev_intr_poll(g->dev);
	assert_int_equal(tx_desc(g, 0)->status.stopped, 1);
	assert_int_equal(tx_desc(g, 0)->status.error, VMXNET3_ERR_BIG_PKT);
	assert_int_equal(rx_desc(g, 0)->status.stopped, 1);
	assert_int_equal(rx_desc(g, 0)->status.error, VMXNET3_ERR_SMALL_BUF);
	assert_int_equal(shared_area(g)->ecr, VMXNET3_ECR_TQERR | VMXNET3_ECR_RQERR);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][0], 1);
	vmxnet3_dev_stats_get(g->dev, &stats);
	assert_int_equal(stats.interrupts, 1);

	/* GET_QUEUE_STATUS tells it again, an activation heals it. */
	memset(&tx_desc(g, 0)->status, 0xff, sizeof(struct vmxnet3_queue_status));
	assert_int_equal(command(g, VMXNET3_CMD_GET_QUEUE_STATUS), 0);
	assert_int_equal(tx_desc(g, 0)->status.stopped, 1);
	assert_int_equal(tx_desc(g, 0)->status.error, VMXNET3_ERR_BIG_PKT);
	assert_int_equal(activate(g), 0);
	assert_int_equal(tx_desc(g, 0)->status.stopped, 0);
	assert_int_equal(tx_desc(g, 0)->status.error, 0);
	assert_false(atomic_load(&g->dev->txq[0].failed));
}

static void
test_rate_cap(void **state)
{
	struct vmxnet3_dev_conf conf = guest_conf;
	struct vmxnet3_dev_stats stats;
	struct guest *g = *state;

	guest_close(g);
	conf.intr_rate = 10000; /* one in 100 us */
	guest_open(g, &conf);
	select_revision(g, 7);
	fill_shared(g, 1, 1);
	start(g, 0);
	assert_false(mark_and_poll(g, 1));
	g->now += 99999;
	assert_true(mark_and_poll(g, 1));
	assert_true(vmxnet3_dev_intr_poll(g->dev));
	assert_false(mark_and_poll(g, 2) && g->raised[VFU_IRQ_MSIX][2] == 0); /* each has its own */
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 1);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][2], 1);
	/* A masked vector is not held by the cap. */
	set_imr(g, 1, 1);
	assert_false(vmxnet3_dev_intr_poll(g->dev));
	set_imr(g, 1, 0);
	g->now += 1;
	assert_false(vmxnet3_dev_intr_poll(g->dev));
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], 2);
	vmxnet3_dev_stats_get(g->dev, &stats);
	assert_int_equal(stats.interrupts, 3);
	assert_int_equal(stats.interrupts_held, 1);
}

static bool
poll_some(struct guest *g, uint32_t most)
{
	return vmxnet3_dev_intr_poll_some(g->dev, &most);
}

/* Vectors that are due all the time, and never more than four at once: each has its turn. */
static void
test_turns(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_stats stats;
	uint32_t v, i, n;

	start(g, 0);
	for (i = 0; i < 100; i++) {
		for (v = 0; v < VMXNET3_MAX_INTRS; v++)
			dev_intr_mark(g->dev, v, DEV_DUE_EVENT);
		assert_true(poll_some(g, 4));
	}
	for (v = 0, n = 0; v < VMXNET3_MAX_INTRS; v++) {
		assert_in_range(g->raised[VFU_IRQ_MSIX][v], 400 / VMXNET3_MAX_INTRS, 400 / VMXNET3_MAX_INTRS + 1);
		n += g->raised[VFU_IRQ_MSIX][v];
	}
	assert_int_equal(n, 400);
	/* All that had to wait is counted, once for each time that it was raised at last. */
	vmxnet3_dev_stats_get(g->dev, &stats);
	assert_in_range(stats.interrupts_held, 400 - 4, 400 + VMXNET3_MAX_INTRS);
	/* None at all; then all that are left, in as many looks as it takes. */
	assert_true(poll_some(g, 0));
	for (i = 1; poll_some(g, 4); i++)
		;
	assert_int_equal(i, (VMXNET3_MAX_INTRS - 4 + 3) / 4);
	/* Who is masked does not wait. */
	for (v = 0; v < VMXNET3_MAX_INTRS; v++) {
		dev_intr_mark(g->dev, v, DEV_DUE_EVENT);
		set_imr(g, v, v != 64);
	}
	vmxnet3_dev_intr_poll(g->dev);
	n = g->raised[VFU_IRQ_MSIX][64];
	dev_intr_mark(g->dev, 64, DEV_DUE_EVENT);
	assert_false(poll_some(g, 1));
	assert_int_equal(g->raised[VFU_IRQ_MSIX][64], n + 1);
	assert_false(poll_some(g, 0));
}

static uint32_t
set_coalesce(struct guest *g, uint32_t len, uint32_t mode, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t *scheme = (uint32_t *)(g->ram + AT_ARGS);

	shared_area(g)->cmd_info.var_conf =
		(struct vmxnet3_var_conf){ .ver = 1, .len = len, .pa = GUEST_IOVA + AT_ARGS };
	scheme[0] = mode;
	scheme[1] = a;
	scheme[2] = b;
	scheme[3] = c;
	return command(g, VMXNET3_CMD_SET_COALESCE);
}

static void
test_coalescing(void **state)
{
	struct guest *g = *state;
	uint32_t *scheme = (uint32_t *)(g->ram + AT_ARGS);

	start(g, 0);
	assert_int_equal(g->dev->intr.gap, 0);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 20000, 0, 0), 0);
	assert_int_equal(g->dev->intr.gap, 50000);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 99, 0, 0), 1);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 100001, 0, 0), 1);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 0, 129, 0), 1);
	assert_int_equal(set_coalesce(g, 16, 4, 0, 0, 0), 1);
	assert_int_equal(set_coalesce(g, 15, DEV_COALESCE_DISABLED, 0, 0, 0), 1);
	assert_int_equal(g->dev->intr.gap, 50000);
	memset(scheme, 0xff, 16);
	assert_int_equal(command(g, VMXNET3_CMD_GET_COALESCE), 1); /* the length is 15 still */
	assert_int_equal(scheme[0], UINT32_MAX);
	shared_area(g)->cmd_info.var_conf.len = 16;
	assert_int_equal(command(g, VMXNET3_CMD_GET_COALESCE), 0);
	assert_int_equal(scheme[0], DEV_COALESCE_RATE);
	assert_int_equal(scheme[1], 20000);
	assert_int_equal(scheme[3], 0);
	shared_area(g)->cmd_info.var_conf.pa = 0x1000;
	assert_int_equal(command(g, VMXNET3_CMD_GET_COALESCE), 1);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_DISABLED, 0, 0, 0), 0);
	assert_int_equal(g->dev->intr.gap, 0);
	/* A new driver finds the default. */
	set_coalesce(g, 16, DEV_COALESCE_RATE, 20000, 0, 0);
	select_revision(g, 3);
	assert_int_equal(g->dev->intr.gap, 0);
	assert_int_equal(g->dev->st->coalesce.mode, DEV_COALESCE_ADAPTIVE);
}

/* ---- moderation ---- */

#define US UINT64_C(1000)
#define LONG_RING 4096u

/* One queue each way on vector 1, not masked by itself; long after any interrupt before. */
static void
start_moderated(struct guest *g)
{
	start(g, 0);
	g->now += 1000000 * US;
}

/* @return whether this made an interrupt on vector 1. */
static bool
raises(struct guest *g, uint64_t due)
{
	unsigned int before = g->raised[VFU_IRQ_MSIX][1];

	if (due != 0)
		dev_intr_mark(g->dev, 1, due);
	vmxnet3_dev_intr_poll(g->dev);
	assert_in_range(g->raised[VFU_IRQ_MSIX][1] - before, 0, 1);
	return g->raised[VFU_IRQ_MSIX][1] != before;
}

static uint64_t
gap_us(struct guest *g)
{
	struct vmxnet3_dev_info info;

	vmxnet3_dev_info_get(g->dev, &info);
	return info.moderation.gap_ns / US;
}

/* Interrupts of a stream of single frames, one every @p every ns; polled each microsecond. */
static unsigned int
stream(struct guest *g, uint64_t every, uint64_t for_us)
{
	uint64_t end = g->now + for_us * US, next = g->now;
	unsigned int n = 0;

	for (; g->now < end; g->now += US) {
		bool due = g->now >= next;

		if (due)
			next += every;
		n += raises(g, due ? DEV_DUE_RX(1) : 0);
	}
	return n;
}

static void
test_adaptive(void **state)
{
	struct guest *g = *state;

	/* A long ring, so that a quarter of it is more than gathers. */
	rx_desc(g, 0)->rx_ring_pa[0] = GUEST_IOVA + AT_MC;
	rx_desc(g, 0)->rx_ring_size[0] = LONG_RING;
	start_moderated(g);
	/* Sparse frames wait for nothing: each is an interrupt. */
	assert_int_equal(stream(g, 200 * US, 100000), 500);
	assert_int_equal(stream(g, 100 * US, 100000), 1000);
	assert_int_equal(gap_us(g), 0);
	/* Dense ones gather for 100 us, whatever their rate. */
	stream(g, 10 * US, 1000);
	assert_int_equal(gap_us(g), 100);
	assert_in_range(stream(g, 10 * US, 100000), 990, 1010);
	assert_in_range(stream(g, 1 * US, 100000), 990, 1010);
	assert_in_range(stream(g, 25 * US, 100000), 990, 1010);
	/* Those of which few would gather wait for nothing, either. */
	assert_in_range(stream(g, 40 * US, 100000), 2490, 2510);
	/* A quarter of the ring does not wait for the gap's end, or the ring could run dry. */
	stream(g, 1 * US, 1000);
	while (raises(g, DEV_DUE_RX(1)) == false)
		g->now += US;
	assert_int_equal(gap_us(g), 100);
	assert_false(raises(g, DEV_DUE_RX(LONG_RING / 4 - 1)));
	assert_true(raises(g, DEV_DUE_RX(1)));
	/* The first one after silence does not wait for what was before it. */
	stream(g, 1 * US, 1000);
	assert_int_equal(gap_us(g), 100);
	g->now += 500 * US;
	raises(g, 0);
	g->now += 500 * US;
	assert_true(raises(g, DEV_DUE_RX(1)));
	assert_int_equal(gap_us(g), 0);
}

/* Each frame comes only after the one before was seen, 20 us later: waiting gathers nothing. */
static void
test_adaptive_leaves_answers_alone(void **state)
{
	struct guest *g = *state;
	uint64_t begin;
	unsigned int i;

	start_moderated(g);
	begin = g->now;
	for (i = 0; i < 10000; i++) {
		dev_intr_mark(g->dev, 1, DEV_DUE_RX(1));
		while (!raises(g, 0))
			g->now += US;
		g->now += 20 * US;
	}
	/* Looking whether it helps costs less than a tenth. */
	assert_in_range(g->now - begin, i * 20 * US, i * 22 * US);
	assert_int_equal(g->raised[VFU_IRQ_MSIX][1], i);
}

static void
test_transmit_waits_for_receive(void **state)
{
	struct guest *g = *state;

	start_moderated(g);
	assert_false(raises(g, DEV_DUE_TX(1)));
	assert_true(vmxnet3_dev_intr_poll(g->dev)); /* held: somebody must come again */
	g->now += 50 * US;
	assert_false(raises(g, DEV_DUE_TX(1)));
	assert_true(raises(g, DEV_DUE_RX(1)));
	assert_false(vmxnet3_dev_intr_poll(g->dev));
	/* Alone it waits for 100 us since it was seen, not since the last interrupt. */
	g->now += 1000 * US;
	assert_false(raises(g, DEV_DUE_TX(1)));
	g->now += 99 * US;
	assert_false(raises(g, DEV_DUE_TX(3)));
	g->now += 1 * US;
	assert_true(raises(g, 0));
	/* A quarter of the ring does not wait. */
	g->now += 1000 * US;
	assert_false(raises(g, DEV_DUE_TX(RING_SIZE / 4 - 1)));
	assert_true(raises(g, DEV_DUE_TX(1)));
	/* Nor does an event. */
	g->now += 1000 * US;
	assert_false(raises(g, DEV_DUE_TX(1)));
	assert_true(raises(g, DEV_DUE_EVENT));
}

static void
test_static_counts(void **state)
{
	struct guest *g = *state;
	struct vmxnet3_dev_info info;
	unsigned int i;

	start_moderated(g);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 64, 3, 5), 0);
	vmxnet3_dev_info_get(g->dev, &info);
	assert_int_equal(info.moderation.mode, VMXNET3_MODERATION_STATIC);
	assert_int_equal(info.moderation.tx_frames, 3);
	assert_int_equal(info.moderation.rx_frames, 5);
	for (i = 1; i <= 100; i++)
		assert_int_equal(raises(g, DEV_DUE_RX(1)), i % 5 == 0);
	for (i = 1; i <= 99; i++)
		assert_int_equal(raises(g, DEV_DUE_TX(1)), i % 3 == 0);
	assert_true(raises(g, DEV_DUE_RX(17))); /* a burst is not divided */
	/* Two of each are neither three nor five. They wait for 1 ms. */
	assert_false(raises(g, DEV_DUE_RX(2) + DEV_DUE_TX(2)));
	g->now += 999 * US;
	assert_false(raises(g, 0));
	g->now += 1 * US;
	assert_true(raises(g, 0));
	/* Deeper than the ring bears. */
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 0, 128, 128), 0);
	assert_false(raises(g, DEV_DUE_RX(RING_SIZE / 4 - 1)));
	assert_true(raises(g, DEV_DUE_RX(1)));
	/* Depths of zero: nothing to gather. */
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 0, 0, 0), 0);
	assert_true(raises(g, DEV_DUE_RX(1)));
	assert_true(raises(g, DEV_DUE_TX(1)));
}

static void
test_disabled_and_rate(void **state)
{
	struct guest *g = *state;
	unsigned int i;

	start_moderated(g);
	stream(g, US, 1000);
	assert_int_equal(gap_us(g), 100);
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_DISABLED, 0, 0, 0), 0);
	g->now += 1000 * US;
	raises(g, 0);
	for (i = 0; i < 1000; i++) {
		assert_true(raises(g, DEV_DUE_RX(1)));
		assert_true(raises(g, DEV_DUE_TX(1)));
	}
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_RATE, 1000, 0, 0), 0);
	g->now += 1000 * US;
	raises(g, 0);
	assert_in_range(stream(g, US, 100000), 99, 101);
	assert_in_range(stream(g, 500 * US, 100000), 99, 101);
	assert_in_range(stream(g, 5000 * US, 100000), 20, 20);
}

static void
test_low_latency(void **state)
{
	struct vmxnet3_dev_conf conf = guest_conf;
	struct guest *g = *state;
	unsigned int i;

	guest_close(g);
	conf.low_latency = true;
	guest_open(g, &conf);
	select_revision(g, 7);
	fill_shared(g, 1, 1);
	start_moderated(g);
	for (i = 0; i < 1000; i++) {
		assert_true(raises(g, DEV_DUE_RX(1)));
		assert_true(raises(g, DEV_DUE_TX(1)));
		g->now += US;
	}
	/* The driver is not asked, but finds its settings. */
	assert_int_equal(set_coalesce(g, 16, DEV_COALESCE_STATIC, 64, 64, 64), 0);
	assert_int_equal(command(g, VMXNET3_CMD_GET_COALESCE), 0);
	assert_int_equal(((uint32_t *)(g->ram + AT_ARGS))[0], DEV_COALESCE_STATIC);
	assert_true(raises(g, DEV_DUE_RX(1)));
	assert_true(raises(g, DEV_DUE_TX(1)));
}

/* ---- no wake-up gets lost between one who completes, two who poll, and a guest that masks ---- */

#define STRESS_COMPLETIONS 40000u

struct stress {
	struct vmxnet3_dev *dev;
	sem_t interrupt;
	_Atomic uint32_t completed, consumed;
	atomic_bool stop;
};

static void
stress_raise(void *ctx, uint32_t index __rte_unused, uint32_t vector __rte_unused)
{
	sem_post(&((struct stress *)ctx)->interrupt);
}

static void *
stress_poll(void *ctx)
{
	struct stress *s = ctx;

	while (!atomic_load(&s->stop)) {
		vmxnet3_dev_intr_poll(s->dev);
		sched_yield();
	}
	return NULL;
}

static void *
stress_complete(void *ctx)
{
	struct stress *s = ctx;
	uint32_t i;

	for (i = 1; i <= STRESS_COMPLETIONS; i++) {
		atomic_store_explicit(&s->completed, i, memory_order_release);
		dev_intr_mark(s->dev, 0, DEV_DUE_RX(1));
		vmxnet3_dev_intr_poll(s->dev);
		/* Nothing more comes before this was seen: a lost wake-up is for ever. */
		while (i % 3 == 0 && atomic_load(&s->consumed) < i && !atomic_load(&s->stop))
			sched_yield();
	}
	return NULL;
}

static void
test_no_lost_wakeup(void **state)
{
	struct guest *g = *state;
	struct stress s = { .dev = g->dev };
	struct vmxnet3_intr_ops intr = { .ctx = &s, .raise = stress_raise };
	pthread_t poller, completer;
	struct timespec until;
	uint32_t interrupts = 0;
	int lost = 0;

	sem_init(&s.interrupt, 0, 0);
	start(g, 1);
	g->dev->intr.ops = intr;
	assert_int_equal(pthread_create(&poller, NULL, stress_poll, &s), 0);
	assert_int_equal(pthread_create(&completer, NULL, stress_complete, &s), 0);
	while (s.consumed < STRESS_COMPLETIONS) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 20;
		lost = sem_timedwait(&s.interrupt, &until);
		if (lost != 0)
			break;
		interrupts++;
		/*
		 * The handler was masked; it takes what there is, then unmasks, and sleeps again.
		 */
		s.consumed = atomic_load_explicit(&s.completed, memory_order_acquire);
		if (interrupts % 2 == 0)
			sched_yield();
		atomic_store(&g->dev->bar0[0], 0);
	}
	atomic_store(&s.stop, true);
	pthread_join(completer, NULL);
	pthread_join(poller, NULL);
	assert_int_equal(lost, 0);
	assert_true(interrupts <= STRESS_COMPLETIONS);
	sem_destroy(&s.interrupt);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		guest_test(test_msix_auto_mask),
		guest_test(test_no_auto_mask),
		guest_test(test_vectors_out_of_range),
		guest_test(test_intr_ctrl_is_live),
		guest_test(test_extended_area),
		guest_test(test_nothing_while_not_active),
		guest_test(test_reset_masks),
		guest_test(test_msi),
		guest_test(test_intx_level),
		guest_test(test_intx_lowered),
		guest_test(test_intx_disable),
		guest_test(test_intx_repeat),
		guest_test(test_bus_master_off),
		guest_test(test_events),
		guest_test(test_broken_queue),
		guest_test(test_rate_cap),
		guest_test(test_turns),
		guest_test(test_coalescing),
		guest_test(test_adaptive),
		guest_test(test_adaptive_leaves_answers_alone),
		guest_test(test_transmit_waits_for_receive),
		guest_test(test_static_counts),
		guest_test(test_disabled_and_rate),
		guest_test(test_low_latency),
		guest_test(test_no_lost_wakeup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
